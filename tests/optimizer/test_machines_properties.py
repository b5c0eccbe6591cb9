"""Machines on tiny random plants: the program's optimum is the best of all choices, by the auditor and the price alone."""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import (
    Closed,
    CrewNeed,
    MachineState,
    MachineStates,
    Option,
    Placement,
    Problem,
    ProblemJob,
    ProblemMachine,
    Resource,
    Roster,
    Setup,
    Transition,
    Use,
)
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from tests.optimizer.plants import at, best, plant
from tests.planning.mutations import slips_through, spoken
from tests.planning.tables import GIVEN

FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.generate),
)
SLOTS = 6
prices = st.lists(st.integers(-1, 9).map(float), min_size=SLOTS, max_size=SLOTS)
power = st.integers(1, 9).map(float)


@st.composite
def jobs(draw: st.DrawFn, id: str, *, uses: tuple[Use, ...] = (), families: tuple[str, ...] = ("",)) -> ProblemJob:
    length = draw(st.integers(1, 2))
    powers = tuple(draw(st.lists(power, min_size=length, max_size=length)))
    place = at(id, draw(st.integers(0, SLOTS - length)))
    used = tuple(use for use in uses if draw(st.booleans()))
    return ProblemJob(
        id=id,
        options=(Option(machine="furnace", power_kw=powers, uses=used),),
        as_is=place,
        in_force=place,
        due=draw(st.none() | st.integers(2, SLOTS)),
        late_per_hour=5.0,
        must_end=draw(st.none() | st.integers(place.start + length, SLOTS)),
        move_price=draw(st.sampled_from([0.0, 0.5])),
        family=draw(st.sampled_from(families)),
        needs=draw(
            st.sampled_from([(), (CrewNeed(skill="caster", attended=Attended.START),), (CrewNeed(skill="caster"),)])
        ),
    )


@st.composite
def shared(draw: st.DrawFn) -> Problem:
    """Several jobs at once, what they hold, and people at a premium."""
    uses = (
        Use(resource="moulds", amount=draw(st.sampled_from([1.0, 0.5])), after_slots=draw(st.integers(0, 2))),
        Use(resource="crane", attended=draw(st.sampled_from(Attended))),
    )
    amounts = st.lists(st.integers(0, 2).map(float), min_size=SLOTS, max_size=SLOTS).map(tuple)
    crane = Resource(name="crane", amount=draw(amounts))
    moulds = Resource(name="moulds", amount=draw(st.sampled_from([(1.0,), (1.5,), (2.0,)])))
    premium = draw(st.lists(st.sampled_from([0.0, 0.0, 3.0, 9.0]), min_size=SLOTS, max_size=SLOTS))
    return plant(
        draw(prices),
        *[draw(jobs(id, uses=uses)) for id in ("a", "b", "c")],
        machines=(ProblemMachine(id="furnace", capacity=draw(st.sampled_from([1, 2, None])), resources=(moulds,)),),
        resources=(crane, Resource(name="moulds", amount=(0.0,))),
        rosters=(Roster(skill="caster", people=(2,) * SLOTS, premium_per_hour=tuple(premium)),),
    )


@st.composite
def set_up(draw: st.DrawFn) -> Problem:
    """Families and setups."""
    setups = []
    for before, after in (("A", "B"), ("B", "A"), ("", "A"), ("A", "A"), ("", "B")):
        if draw(st.integers(0, 2)):
            setups.append(
                Setup(
                    from_family=before,
                    to_family=after,
                    slots=draw(st.integers(0, 2)),
                    power_kw=draw(st.integers(0, 3)),
                    cost=draw(st.integers(0, 4)),
                )
            )
    closed = draw(st.sampled_from([(), (), (Closed(start=3, end=4),)]))
    start = draw(st.sampled_from(["", "A", "B"]))
    furnace = ProblemMachine(id="furnace", setups=tuple(setups), family_at_start=start, closed=closed)
    three = [draw(jobs(id, families=("A", "B", "A", "B", ""))) for id in ("a", "b", "c")]
    return plant(draw(prices), *three, machines=(furnace,), rosters=(Roster(skill="caster", people=(2,) * SLOTS),))


@st.composite
def switched(draw: st.DrawFn) -> Problem:
    """A furnace that is switched."""
    small = st.integers(0, 3)
    names = ("off", "warm", "on")
    moves = [
        Transition(from_state=a, to_state=b, slots=draw(st.integers(0, 2)), power_kw=draw(small), cost=draw(small))
        for a, b in (("off", "on"), ("on", "off"), ("on", "warm"), ("warm", "on"), ("warm", "off"))
    ]
    warm = draw(st.booleans())
    states = MachineStates(
        states=tuple(
            MachineState(name=name, power_kw=draw(small) + number, runs_jobs=name == "on" or (name == "warm" and warm))
            for number, name in enumerate(names)
        ),
        transitions=tuple(moves),
        at_start=draw(st.sampled_from(names)),
        at_end=draw(st.sampled_from([None, "off", "on"])),
    )
    furnace = ProblemMachine(id="furnace", states=states, capacity=draw(st.sampled_from([1, None])))
    two = [draw(jobs(id)) for id in ("a", "b")]
    return plant(draw(prices), *two, machines=(furnace,), rosters=(Roster(skill="caster", people=(2,) * SLOTS),))


def given_plan(problem: Problem) -> Plan:
    return price_plan(problem, [job.in_force for job in problem.jobs], how=GIVEN)


def every_place(problem: Problem) -> Iterator[tuple[Placement, ...]]:
    yield from product(
        *[[at(job.id, start) for start in range(problem.slots - job.options[0].slots + 1)] for job in problem.jobs]
    )


def every_row(states: MachineStates, state: str, slots: int) -> set[tuple[str, ...]]:
    """All rows of states that a machine can go through in so many slots, from a state at an edge between two of them."""
    reached = {state}
    for _ in states.states:
        reached |= {t.to_state for t in states.transitions if not t.slots and t.from_state in reached}
    if not slots:
        return {()} if states.at_end is None or states.at_end in reached else set()
    rows = {(here, *rest) for here in reached for rest in every_row(states, here, slots - 1)}
    for t in states.transitions:
        if t.from_state in reached and 0 < t.slots <= slots:
            shown = (f"{t.from_state}>{t.to_state}",) * t.slots
            rows |= {shown + rest for rest in every_row(states, t.to_state, slots - t.slots)}
    return rows


def cheapest(problem: Problem) -> float:
    costs = []
    for places in every_place(problem):
        plan = price_plan(problem, places, how=GIVEN)
        if not check(problem, plan):
            costs.append(plan.bill.total)
    return min(costs)


def cheapest_switched(problem: Problem) -> float:
    """Energy is reckoned from the row of states itself, so that not each of the many plans has to be built: those of the
    places that are cheapest by far are."""
    states = problem.machines[0].states
    assert states is not None
    rows = sorted(every_row(states, states.at_start, problem.slots))
    up = {state.name for state in states.states if state.runs_jobs}
    costs = []
    for places in every_place(problem):
        busy = {k for place in places for k in problem.job(place.job).busy(place)}
        fitting = [row for row in rows if all(row[k] in up for k in busy)]
        for row in fitting:
            plan = price_plan(problem, places, states={"furnace": row}, how=GIVEN)
            costs.append((plan.bill.total, plan))
    for cost, plan in sorted(costs, key=lambda pair: pair[0]):
        if not check(problem, plan):
            return cost
    raise AssertionError("no plan at all")


def clean(problem: Problem) -> bool:
    return not mistakes_in(problem) and not check(problem, given_plan(problem))


@FEW
@given(shared().filter(clean))
def test_what_is_shared_is_planned_best(problem: Problem) -> None:
    assert best(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-6)


@FEW
@given(set_up().filter(clean))
def test_setups_are_planned_best(problem: Problem) -> None:
    assert best(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-6)


@FEW
@given(switched().filter(clean))
def test_states_are_planned_best(problem: Problem) -> None:
    assert best(problem).bill.total == pytest.approx(cheapest_switched(problem), abs=1e-6)


@settings(FEW, max_examples=40)
@given(st.one_of(shared(), set_up(), switched()))
def test_what_production_breaks_may_stay_and_nothing_new_is_broken(problem: Problem) -> None:
    assume(not mistakes_in(problem))
    before = check(problem, given_plan(problem))
    planned = best(problem)
    assert new_violations(before, check(problem, planned)) == []
    named = {given.rule for given in planned.gave_way}
    kept = {v.rule for v in check(problem, planned)} - {"machine overlap", "bill"}
    assert len(named) >= len(kept)


@settings(FEW, max_examples=20)
@given(st.one_of(shared(), set_up(), switched()).filter(clean), st.data())
def test_what_is_changed_a_little_is_found_or_still_a_plan(problem: Problem, data: st.DataObject) -> None:
    plan = given_plan(problem)
    assert not [path for path in spoken(plan) if slips_through(problem, plan, path)]
    for path in [path for path in spoken(plan) if path[0] == "states" and path[-2:-1] == ("states",)]:
        states = problem.machines[0].states
        assert states is not None
        other = data.draw(st.sampled_from([*(s.name for s in states.states), *names_of(states)]))
        assert not slips_through(problem, plan, path, lambda _, other=other: other)


def names_of(states: MachineStates) -> list[str]:
    return [f"{t.from_state}>{t.to_state}" for t in states.transitions]

"""Tiny random plants with every way to run a job, and all their plans tried one by one: no solver, no search."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import strategies as st

from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Adjustable,
    DemandWindow,
    Interruptible,
    Option,
    Peg,
    Placement,
    Problem,
    ProblemJob,
    ProblemOrder,
    Recurring,
)
from energy.planning.check import check, check_placements
from energy.planning.price import price_plan
from tests.optimizer.plants import at, plant

SLOTS = 6
GIVEN = How(found=HowFound.AS_GIVEN)
money = st.integers(-2, 9).map(float)
row = st.lists(money, min_size=SLOTS, max_size=SLOTS)


@st.composite
def options(draw: st.DrawFn, machine: str) -> Option:
    """One way to run: plain, of adjustable power, or with pauses; perhaps on the other machine too."""
    slots, kw = draw(st.integers(1, 3)), float(draw(st.integers(1, 4)))
    kind = draw(st.sampled_from(["plain", "adjustable", "interruptible"]))
    return Option(
        machine=machine,
        power_kw=(kw,) * slots,
        also=draw(st.sampled_from([(), ({"furnace": "press", "press": "furnace"}[machine],)])),
        quantity=float(draw(st.integers(1, 3))),
        adjustable=Adjustable(least_kw=max(0.0, kw - 1.0), most_kw=kw + 2.0) if kind == "adjustable" else None,
        interruptible=Interruptible(
            least_run_slots=draw(st.integers(1, slots)),
            longest_pause_slots=draw(st.integers(1, 2)),
            most_pauses=draw(st.integers(1, 2)),
            restart_cost=draw(st.sampled_from([0.0, 1.5])),
        )
        if kind == "interruptible"
        else None,
    )


@st.composite
def jobs(draw: st.DrawFn, id: str, machine: str) -> ProblemJob:
    option = draw(options(machine))
    start = draw(st.integers(0, SLOTS - option.slots))
    return ProblemJob(
        id=id,
        options=(option,),
        as_is=at(id, start, machine),
        in_force=at(id, start, machine),
        latest_start=draw(st.none() | st.integers(start, SLOTS)),
        due=draw(st.none() | st.integers(1, SLOTS)),
        late_per_hour=2.0,
        priority=draw(st.sampled_from([0.5, 1.0, 3.0])),
        value=draw(st.none() | st.integers(0, 12).map(float)),
        move_price=draw(st.sampled_from([0.0, 0.25])),
        accepted=draw(st.booleans()),
        break_accepted_price=1.0,
    )


@st.composite
def plants(draw: st.DrawFn) -> Problem:
    """Two jobs, at times in a row or for one order; production's own plan keeps every rule."""
    made = [draw(jobs("a", "furnace")), draw(jobs("b", "press"))]
    lag = made[1].in_force.start - made[0].in_force.start
    rows = Recurring(name="row", jobs=("a", "b"), least_slots=max(0, lag - 1), most_slots=lag + draw(st.integers(0, 1)))
    makes = sum(job.options[0].quantity for job in made)
    order = ProblemOrder(
        id="order",
        pegs=(Peg(job="a"), Peg(job="b", share=0.5)),
        quantity=draw(st.sampled_from([0.3, 0.5])) * makes,
        due=draw(st.none() | st.integers(1, SLOTS)),
        must_end=draw(st.none() | st.just(SLOTS + 1)),
        late_per_hour=1.5,
        rest_slots=1,
    )
    adjusts = any(job.options[0].adjustable for job in made)
    window = DemandWindow(name="peak", per_kw=3.0, slots=tuple(range(SLOTS)), so_far_kw=4.0)
    return plant(
        draw(row),
        *made,
        base_load_kw=tuple(draw(row)),
        pv_kw=tuple(max(0.0, kw) for kw in draw(row)),
        recurring=(rows,) if lag >= 0 and draw(st.booleans()) else (),
        orders=(order,) if draw(st.booleans()) else (),
        demand=() if adjusts else draw(st.sampled_from([(), (window,)])),  # else a best power is no whole number
    )


def in_force(problem: Problem) -> Plan:
    return price_plan(problem, [job.in_force for job in problem.jobs], how=GIVEN)


def clean(problem: Problem) -> bool:
    """Whether production's own plan keeps every rule."""
    return not check(problem, in_force(problem))


def cheapest(problem: Problem) -> float:
    """The cost of the best of all plans."""
    ways = [list(_places(problem, job)) for job in problem.jobs]
    costs = []
    for chosen in product(*ways):
        places = [place for place in chosen if place is not None]
        if not check_placements(problem, places):
            costs.append(price_plan(problem, places, how=GIVEN).bill.total)
    return min(costs)


def _places(problem: Problem, job: ProblemJob) -> Iterator[Placement | None]:
    """Every place of a job that keeps the rules by itself, with each whole power and each pattern of pauses."""
    if job.value is not None:
        yield None
    alone = replace(problem, jobs=(replace(job, after=()),), orders=(), recurring=(), same_order=())
    for option in job.options:
        for machine, powers in product(option.machines, _powers(option)):
            for start in range(problem.slots - len(powers) + 1):
                said = () if powers == option.power_kw else powers
                place = Placement(job=job.id, machine=machine, mode=option.mode, start=start, power_kw=said)
                if not check_placements(alone, [place]):
                    yield place


def _powers(option: Option) -> Iterator[tuple[float, ...]]:
    if option.adjustable is not None:
        whole = [float(kw) for kw in range(int(option.adjustable.least_kw), int(option.adjustable.most_kw) + 1)]
        yield from (kw for kw in product(whole, repeat=option.slots) if sum(kw) == sum(option.power_kw))
    elif option.interruptible is not None:
        for slots in range(option.slots, SLOTS + 1):
            yield from (kw for kw in product((0.0, option.power_kw[0]), repeat=slots) if kw[0] and kw[-1])
    else:
        yield option.power_kw

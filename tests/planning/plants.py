"""Random small plants with a random plan for each (Hypothesis)."""

from typing import Any

from hypothesis import strategies as st

from energy.model.calendar import Attended
from energy.model.problem import (
    CrewNeed,
    DemandWindow,
    Limit,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    Roster,
    ShiftHours,
)
from energy.model.site import BatteryRule
from tests.planning.tables import battery, problem

SLOTS = 8
POWERS = st.sampled_from([0.0, 12.5, 40.0, 75.0])
PRICES = st.sampled_from([-0.03, 0.0, 0.08, 0.11, 0.25])


def rows(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*[values] * SLOTS)


@st.composite
def places(draw: st.DrawFn, id: str, options: tuple[Option, ...]) -> Placement:
    option = draw(st.sampled_from(options))
    return Placement(job=id, machine=option.machine, mode=option.mode, start=draw(st.integers(-1, SLOTS - 1)))


@st.composite
def jobs(draw: st.DrawFn, number: int) -> ProblemJob:
    id = f"job-{number}"
    profile = st.lists(POWERS, min_size=1, max_size=3).map(tuple)
    options = (Option(machine="furnace", power_kw=draw(profile)), Option(machine="press", power_kw=draw(profile)))
    place = places(id, options)
    return ProblemJob(
        id=id,
        options=options,
        as_is=draw(place),
        in_force=draw(place),
        offered=draw(st.none() | place),
        fixed=draw(st.none() | st.none() | place),
        earliest=draw(st.integers(0, 2)),
        must_end=draw(st.none() | st.integers(5, SLOTS)),
        due=draw(st.none() | st.integers(1, SLOTS)),
        after=tuple(
            Precedence(job=f"job-{other}", min_slots=draw(st.integers(0, 1)), max_slots=draw(st.none() | st.just(3)))
            for other in range(number)
            if draw(st.integers(0, 3)) == 0
        ),
        needs=tuple(
            CrewNeed(skill=skill, people=1, attended=draw(st.sampled_from(Attended)))
            for skill in draw(st.sets(st.sampled_from(["furnace", "press"])))
        ),
        accepted=draw(st.booleans()),
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    windows = st.sampled_from([((0, 1, 2, 3), 1), ((2, 3, 6, 7), 2), (tuple(range(SLOTS)), 4), ((), 1)])
    slots, together = draw(windows)
    stored = draw(st.sampled_from([0.0, 10.0, 60.0]))
    return problem(
        *[draw(jobs(number)) for number in range(draw(st.integers(0, 4)))],
        slots=SLOTS,
        step_minutes=draw(st.sampled_from([15, 60])),
        base_load_kw=draw(rows(POWERS)),
        pv_kw=draw(rows(POWERS)),
        import_limit_kw=draw(st.sampled_from([110.0, 1000.0])),
        export_limit_kw=draw(st.sampled_from([20.0, 1000.0])),
        curtailable=draw(st.booleans()),
        import_price=draw(rows(PRICES)),
        export_price=draw(rows(PRICES)),
        price_published=draw(rows(st.booleans())),
        carbon_kg_per_kwh=draw(rows(st.sampled_from([0.1, 0.4]))),
        carbon_price_per_kg=draw(st.sampled_from([0.0, 0.05])),
        rosters=(Roster(skill="furnace", people=(1,) * SLOTS), Roster(skill="press", people=(2,) * 6 + (0,) * 2)),
        shifts=(ShiftHours(name="early", start=0, end=4, max_moves=draw(st.none() | st.just(1))),),
        demand=(
            DemandWindow(name="peak", per_kw=9.0, slots=slots, interval_slots=together, so_far_kw=30, target_kw=20),
        ),
        limits=(
            Limit(name="priced", start=1, end=4, limit_kw=50.0, penalty_per_kwh=1.5),
            Limit(name="must", start=5, end=7, limit_kw=100.0),
        ),
        battery=draw(
            st.none()
            | st.builds(
                battery,
                rule=st.sampled_from(BatteryRule),
                charge_efficiency=st.sampled_from([1.0, 0.9]),
                discharge_efficiency=st.sampled_from([1.0, 0.8]),
                start_kwh=st.just(stored),
                end_kwh=st.just(stored),
                min_kwh=st.sampled_from([0.0, 10.0]),
                wear_per_kwh=st.just(0.03),
                end_value_per_kwh=st.just(0.1),
            )
        ),
    )


def placements(problem: Problem) -> st.SearchStrategy[list[Placement]]:
    """A place for each job, good or bad: where it is fixed, where it stands in force, or anywhere."""
    choices = [
        st.just(job.fixed) if job.fixed else st.just(job.in_force) | places(job.id, job.options) for job in problem.jobs
    ]
    return st.tuples(*choices).map(list)

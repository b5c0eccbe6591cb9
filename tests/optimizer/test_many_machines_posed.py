"""Which problems are a hall of machines that hold several jobs, and that a plan of one is priced and checked as any."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from energy.model.plan import HowFound, LineKind
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    MachineState,
    MachineStates,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    Resource,
    Transition,
    Use,
)
from energy.planning.check import check
from optimizer.many_machines.answer import answer
from optimizer.many_machines.posed import ManyMachines, many_machines
from optimizer.milp import Milp

PRICE = (0.30, 0.10, 0.10, 0.20, 0.40, 0.20)
STATES = MachineStates(
    states=(MachineState(name="off", power_kw=1.0), MachineState(name="up", power_kw=6.0, runs_jobs=True)),
    transitions=(
        Transition(from_state="off", to_state="up", cost=0.7),
        Transition(from_state="up", to_state="off", cost=0.2),
    ),
    at_start="off",
    at_end="off",
)
MACHINE = ProblemMachine(id="A", capacity=None, resources=(Resource(name="floor", amount=(10.0,)),), states=STATES)


def job(
    id: str, slots: int, floor: float, start: int = 0, *, kw: float = 10.0, machine: str = "A", **said: Any
) -> ProblemJob:
    option = Option(machine="A", also=("B",), power_kw=(kw,) * slots, uses=(Use(resource="floor", amount=floor),))
    place = Placement(job=id, machine=machine, start=start)
    return ProblemJob(id=id, options=(option,), as_is=place, in_force=place, **{"move_price": 0.0, **said})


def plant(*jobs: ProblemJob, machine: ProblemMachine = MACHINE, **said: Any) -> Problem:
    slots = len(PRICE)
    return Problem(
        site="works",
        currency="EUR",
        zone="UTC",
        start=datetime(2026, 3, 2, tzinfo=UTC),
        step_minutes=60,
        slots=slots,
        machines=(machine, replace(machine, id="B")),
        jobs=jobs,
        **{
            "base_load_kw": (2.0,) * slots,
            "pv_kw": (0.0,) * slots,
            "import_limit_kw": 1000.0,
            "export_limit_kw": 0.0,
            "import_price": PRICE,
            "export_price": (0.0,) * slots,
            "price_published": (True,) * slots,
            "carbon_kg_per_kwh": (0.2,) * slots,
            **said,
        },
    )


def posed(problem: Problem) -> ManyMachines:
    made = many_machines(problem, many=0)
    assert made is not None
    return made


def planned(problem: Problem) -> Any:
    """The plan, held against the check."""
    plan = answer(posed(problem), until=time.monotonic() + 0.3, gap=0.0, began=0.0).plan
    assert plan is not None
    assert check(problem, plan) == []
    return plan


def test_jobs_share_a_machine_in_the_cheap_hours() -> None:
    plan = planned(plant(job("1", 2, 5.0), job("2", 2, 5.0)))
    assert {(p.machine, p.start) for p in plan.placements} in ({("A", 1)}, {("B", 1)})
    # jobs 20 kW, one machine 5 kW above off for two hours, on and off once; both off and the base load all day
    cost = 2 * (20 + 5) * 0.10 + 0.7 + 0.2 + (2 * 1.0 + 2.0) * sum(PRICE)
    assert plan.bill.total == pytest.approx(cost)
    assert plan.how.bound <= cost + 1e-9


def test_the_carbon_price_counts() -> None:
    carbon = (0.0, 0.9, 0.9, 0.0, 0.0, 0.0)
    plan = planned(plant(job("1", 2, 5.0), carbon_kg_per_kwh=carbon, carbon_price_per_kg=1.0))
    assert plan.placements[0].start not in {0, 1, 2}


def test_windows_lateness_and_closures() -> None:
    late = job("1", 1, 1.0, earliest=3, due=4, late_per_hour=50.0)
    assert planned(plant(late)).placements[0].start == 3
    assert planned(plant(job("1", 2, 1.0, latest_start=0))).placements[0].start == 0
    assert planned(plant(job("1", 2, 1.0, earliest=2, must_end=4))).placements[0].start == 2
    closed = replace(MACHINE, closed=(Closed(start=0, end=3),))
    assert planned(plant(job("1", 1, 1.0), machine=closed)).placements[0].start in {3, 5}


def test_a_number_of_jobs_at_a_time() -> None:
    two = replace(MACHINE, capacity=2, resources=(Resource(name="floor", amount=(100.0,)),))
    problem = plant(*(job(str(n), 2, 5.0, kw=1.0) for n in range(4)), machine=two)
    plan = planned(problem)
    assert len({(p.machine, p.start) for p in plan.placements}) >= 2


def test_what_moving_costs_is_weighed() -> None:
    stays = job("1", 2, 5.0, start=3, machine="B", move_price=10.0)
    plan = planned(plant(stays))
    assert plan.placements[0] == stays.in_force
    assert plan.bill.amount(LineKind.MOVE) == 0.0
    moves = planned(plant(replace(stays, move_price=0.01)))
    assert moves.placements[0].start == 1
    assert moves.bill.amount(LineKind.MOVE) == pytest.approx(0.01)
    offered = job("1", 2, 5.0, start=3, offered=Placement(job="1", machine="B", start=2), change_offer_price=9.0)
    assert planned(plant(offered)).placements[0] == offered.offered


def test_a_fixed_job_stays_and_takes_its_room() -> None:
    place = Placement(job="1", machine="B", start=1)
    fixed = job("1", 2, 6.0, start=1, machine="B", fixed=place)
    plan = planned(plant(fixed, job("2", 2, 4.0), job("3", 2, 5.0)))
    assert plan.placements[0] == place
    assert plan.placements[1].machine == "B"  # beside it there is room for 4, not for 5
    assert plan.placements[2].machine == "A"


def test_the_bill_of_every_plan_is_its_cost() -> None:
    problem = plant(*(job(str(n), 1 + n % 3, 2.0 + n % 4, kw=3.0 + n) for n in range(8)))
    made = posed(problem)
    heard: list[tuple[float, float | None]] = []
    plan = answer(
        made, until=time.monotonic() + 0.3, gap=0.0, began=0.0, progress=lambda cost, bound: heard.append((cost, bound))
    ).plan
    assert plan is not None
    assert check(problem, plan) == []
    assert plan.bill.total == pytest.approx(heard[-1][0])
    assert plan.how.bound is not None
    assert plan.how.bound <= plan.bill.total + 1e-9


def test_jobs_without_a_place_are_named() -> None:
    made = answer(posed(plant(job("1", 2, 5.0), job("2", 2, 11.0))), until=0.0, gap=0.0, began=0.0)
    assert made.plan is None
    assert "no place was found for 2" in made.contradictions[0]


ONE = job("1", 2, 5.0)


@pytest.mark.parametrize(
    "problem",
    [
        plant(ONE, job("2", 2, 5.0, after=(Precedence(job="1"),))),
        plant(job("1", 2, 5.0, needs=(CrewNeed(skill="crane"),))),
        plant(job("1", 2, 5.0, value=3.0)),
        plant(ONE, demand=(DemandWindow(name="month", per_kw=1.0, slots=tuple(range(6))),)),
        plant(ONE, import_limit_kw=12.0),
        plant(ONE, pv_kw=(3.0,) * 6),
        plant(ONE, resources=(Resource(name="crane", amount=(1.0,)),)),
        plant(replace(ONE, options=(replace(ONE.options[0], uses=(Use(resource="crane"),)),))),
        plant(replace(ONE, options=(replace(ONE.options[0], uses=(Use(resource="floor", after_slots=1),)),))),
        plant(replace(ONE, options=(replace(ONE.options[0], also=()), Option(machine="B", power_kw=(10.0, 9.0))))),
        plant(ONE, machine=replace(MACHINE, states=replace(STATES, at_end=None))),
        plant(ONE, machine=replace(MACHINE, states=replace(STATES, transitions=STATES.transitions[:1]))),
        plant(
            ONE,
            machine=replace(
                MACHINE,
                states=replace(STATES, transitions=(replace(STATES.transitions[0], slots=1), STATES.transitions[1])),
            ),
        ),
        plant(ONE, machine=replace(MACHINE, resources=(Resource(name="floor", amount=(10.0,) * 5 + (9.0,)),))),
        plant(job("1", 2, 5.0, start=-1, fixed=Placement(job="1", machine="A", start=-1))),
        plant(job("1", 2, 5.0, earliest=5)),
    ],
)
def test_what_a_hall_does_not_know_is_for_the_general_program(problem: Problem) -> None:
    assert many_machines(problem, many=0) is None


def test_few_starts_are_for_the_general_program() -> None:
    problem = plant(ONE)
    assert many_machines(problem) is None
    assert many_machines(problem, many=10) is not None
    assert many_machines(problem, many=11) is None


def test_a_large_plant_goes_to_the_engine_through_the_optimizer() -> None:
    slots = 96
    machines = tuple(
        ProblemMachine(id=f"M{n}", capacity=None, resources=MACHINE.resources, states=STATES) for n in range(6)
    )
    names = tuple(m.id for m in machines)
    jobs = []
    for n in range(70):
        option = Option(
            machine=names[0],
            also=names[1:],
            power_kw=(5.0,) * (2 + n % 5),
            uses=(Use(resource="floor", amount=1.0 + n % 4),),
        )
        place = Placement(job=str(n), machine=names[n % 6], start=n)
        jobs.append(ProblemJob(id=str(n), options=(option,), as_is=place, in_force=place))
    price = tuple(0.1 + 0.05 * ((k // 8) % 3) for k in range(slots))
    problem = replace(
        plant(), machines=machines, jobs=tuple(jobs), slots=slots, import_price=price, import_limit_kw=5000.0,
        base_load_kw=(1.0,) * slots, pv_kw=(0.0,) * slots, export_price=(0.0,) * slots,
        price_published=(True,) * slots, carbon_kg_per_kwh=(0.1,) * slots,
    )  # fmt: skip
    made = Milp(process=False, gap=0.2).solve(problem, seconds=6.0)
    assert made.plan is not None
    assert made.plan.how.solver == "places on many machines"
    assert made.plan.how.found in {HowFound.OPTIMAL, HowFound.GAP}
    assert check(problem, made.plan) == []

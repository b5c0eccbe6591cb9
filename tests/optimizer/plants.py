"""Small plants whose best plan can be seen by eye: slots of an hour, one or two machines, no base load."""

from datetime import UTC, datetime
from typing import Any

from energy.model.plan import LineKind, Plan
from energy.model.problem import Option, Placement, Problem, ProblemBattery, ProblemJob, ProblemMachine
from energy.model.site import BatteryRule
from optimizer.milp import Milp

START = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)  # 06:00 in Berlin


def at(job: str, start: int, machine: str = "furnace") -> Placement:
    return Placement(job=job, machine=machine, start=start)


def job(id: str, *power_kw: float, start: int = 0, machine: str = "furnace", **other: Any) -> ProblemJob:
    """A job in force at `start`; moving it costs 0.01 unless told otherwise."""
    place = at(id, start, machine)
    said = {
        "id": id,
        "options": (Option(machine=machine, power_kw=power_kw),),
        "as_is": place,
        "in_force": place,
        "move_price": 0.01,
    }
    return ProblemJob(**{**said, **other})


def plant(prices: list[float], *jobs: ProblemJob, **other: Any) -> Problem:
    """An hour a slot at these prices (currency per kWh)."""
    n = len(prices)
    said: dict[str, Any] = {
        "site": "plant",
        "currency": "EUR",
        "zone": "Europe/Berlin",
        "start": START,
        "step_minutes": 60,
        "slots": n,
        "machines": (ProblemMachine(id="furnace", name="Furnace"), ProblemMachine(id="press", name="Press")),
        "jobs": jobs,
        "base_load_kw": (0.0,) * n,
        "pv_kw": (0.0,) * n,
        "import_limit_kw": 10_000.0,
        "export_limit_kw": 10_000.0,
        "import_price": tuple(prices),
        "export_price": (0.0,) * n,
        "price_published": (True,) * n,
        "carbon_kg_per_kwh": (0.4,) * n,
    }
    return Problem(**{**said, **other})


def battery(**other: Any) -> ProblemBattery:
    """10 kWh, 10 kW, lossless, empty, planned, unless told otherwise."""
    said = {
        "capacity_kwh": 10.0,
        "charge_kw": 10.0,
        "discharge_kw": 10.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
        "min_kwh": 0.0,
        "start_kwh": 0.0,
        "end_kwh": 0.0,
        "end_value_per_kwh": 0.0,
        "rule": BatteryRule.PLANNED,
    }
    return ProblemBattery(**{**said, **other})


def best(problem: Problem) -> Plan:
    """The proven best plan."""
    answer = Milp(gap=0.0, process=False).solve(problem, seconds=20)
    assert answer.plan is not None, answer.contradictions
    return answer.plan


def starts(plan: Plan) -> dict[str, int]:
    return {placement.job: placement.start for placement in plan.placements}


def paid(plan: Plan, *kinds: LineKind) -> float:
    return plan.bill.amount(*kinds)

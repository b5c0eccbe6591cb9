"""A small plant whose bills fit on the back of an envelope: six slots of an hour, a furnace, a press."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from energy.model.plan import How, HowFound, Plan
from energy.model.problem import Option, Placement, Problem, ProblemBattery, ProblemJob, ProblemMachine
from energy.model.site import BatteryRule
from energy.planning.price import price_plan

START = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)  # 06:00 in Berlin
GIVEN = How(found=HowFound.AS_GIVEN)


def at(job: str, start: int, machine: str = "furnace", mode: str = "") -> Placement:
    return Placement(job=job, machine=machine, start=start, mode=mode)


def job(id: str, *power_kw: float, start: int = 0, machine: str = "furnace", **other: Any) -> ProblemJob:
    place = at(id, start, machine)
    return ProblemJob(
        **{
            "id": id,
            "options": (Option(machine=machine, power_kw=power_kw),),
            "as_is": place,
            "in_force": place,
            **other,
        }
    )


def problem(*jobs: ProblemJob, slots: int = 6, **other: Any) -> Problem:
    """Base load 100 kW, no PV, 0.10 a kWh in, 0.05 out, 0.4 kg a kWh, all prices published."""
    rows: dict[str, Any] = {
        "site": "plant",
        "currency": "EUR",
        "zone": "Europe/Berlin",
        "start": START,
        "step_minutes": 60,
        "slots": slots,
        "machines": (ProblemMachine(id="furnace", name="Furnace"), ProblemMachine(id="press", name="Press")),
        "jobs": jobs,
        "base_load_kw": (100.0,) * slots,
        "pv_kw": (0.0,) * slots,
        "import_limit_kw": 1000.0,
        "export_limit_kw": 1000.0,
        "import_price": (0.10,) * slots,
        "export_price": (0.05,) * slots,
        "price_published": (True,) * slots,
        "carbon_kg_per_kwh": (0.4,) * slots,
    }
    return Problem(**{**rows, **other})


def battery(**other: Any) -> ProblemBattery:
    """100 kWh, 50 kW, lossless and empty unless told otherwise."""
    return replace(
        ProblemBattery(
            capacity_kwh=100.0,
            charge_kw=50.0,
            discharge_kw=50.0,
            charge_efficiency=1.0,
            discharge_efficiency=1.0,
            min_kwh=0.0,
            start_kwh=0.0,
            end_kwh=0.0,
            end_value_per_kwh=0.0,
            rule=BatteryRule.SELF_CONSUMPTION,
        ),
        **other,
    )


def as_is(problem: Problem, **rows: Any) -> Plan:
    return price_plan(problem, [job.as_is for job in problem.jobs], how=GIVEN, **rows)

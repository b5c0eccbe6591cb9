"""Seeded plants to plan for: machines with queues of jobs, PV, a battery, a demand charge, lines of jobs, crews.

The plan in force is what a shop floor does by itself: each machine works off its queue as its crew comes in. A size and a
seed give the same plant on every machine. Prices, sun and base load have the shape of a working day in spring.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import pi

import numpy as np

from energy.model.calendar import Attended
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemBattery,
    ProblemJob,
    ProblemMachine,
    Roster,
)
from energy.model.site import BatteryRule

START = datetime(2026, 5, 19, 22, 0, tzinfo=UTC)  # midnight in Berlin
SLOTS_A_DAY = 96
PEAK_PER_KW = 118.0 / 12  # a month's share of a yearly charge
FLAT_PRICE = 0.17


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is asked of the generator. Without a number of machines there are as many as seven jobs a day each need."""

    jobs: int
    slots: int = SLOTS_A_DAY
    machines: int = 0
    battery: BatteryRule | None = BatteryRule.PLANNED
    crews: bool = True
    lines: bool = True
    lumpy: bool = False  # few large jobs against the peak instead of many small ones
    flat: bool = False  # every import price alike
    nothing_to_gain: bool = False  # beside that: export pays as much, and the peak so far is never reached again


def plant(size: Size, seed: int) -> Problem:
    """The plant of that size and seed."""
    size = (
        size
        if size.machines
        else replace(size, machines=max(2, -(-size.jobs // (7 * max(1, size.slots // SLOTS_A_DAY)))))
    )
    rng = np.random.default_rng(seed)
    hours = np.arange(size.slots) / 4.0
    jobs, load = _jobs(size, rng)
    base = 260.0 + 90.0 * np.clip(np.sin((hours % 24 - 6) / 16 * pi), 0, None) + rng.normal(0, 8, size.slots)
    pv = 330.0 * np.clip(np.sin((hours % 24 - 6) / 14 * pi), 0, None) ** 1.4 * rng.uniform(0.7, 1.0)
    import_price = _prices(size, rng, hours)
    site = np.maximum(base + load - pv, 0.0)
    return Problem(
        site=f"plant-{size.jobs}x{size.slots}-{seed}",
        currency="EUR",
        zone="Europe/Berlin",
        start=START,
        step_minutes=15,
        slots=size.slots,
        machines=_machines(size, jobs),
        jobs=tuple(jobs),
        rosters=_rosters(size, hours),
        base_load_kw=_row(base),
        pv_kw=_row(pv),
        import_limit_kw=float(np.ceil(site.max() * 1.15)),
        export_limit_kw=500.0,
        import_price=_row(import_price),
        export_price=(FLAT_PRICE if size.nothing_to_gain else 0.05,) * size.slots,
        price_published=(True,) * size.slots,
        carbon_kg_per_kwh=_row(0.32 + 0.08 * np.cos((hours % 24 - 19) / 12 * pi)),
        battery=_battery(size),
        demand=(
            DemandWindow(
                name="monthly peak",
                per_kw=PEAK_PER_KW,
                slots=tuple(range(size.slots)),
                so_far_kw=float(np.round(_peak_so_far(size) * site.max())),
            ),
        ),
    )


def _peak_so_far(size: Size) -> float:
    """A share of the peak that the plan in force would reach."""
    if size.nothing_to_gain:
        return 1.01
    return 0.7 if size.lumpy else 0.85


def _prices(size: Size, rng: np.random.Generator, hours: np.ndarray) -> np.ndarray:
    if size.flat:
        return np.full(size.slots, FLAT_PRICE)
    day = 0.16 + 0.045 * np.cos((hours % 24 - 19.5) / 6 * pi) - 0.03 * np.cos((hours % 24 - 13) / 12 * pi)
    hourly = np.repeat(rng.normal(0, 0.008, size.slots // 4 + 1), 4)[: size.slots]
    return np.round(day + hourly, 5)


def _jobs(size: Size, rng: np.random.Generator) -> tuple[list[ProblemJob], np.ndarray]:
    """Queues: job after job on each machine, beginning at 06:00 with gaps, as a plant works them off."""
    jobs: list[ProblemJob] = []
    load = np.zeros(size.slots)
    days = max(1, size.slots // SLOTS_A_DAY)
    room = {m: [24 + SLOTS_A_DAY * d for d in range(days)] for m in range(size.machines)}
    for number in range(size.jobs):
        m, day = number % size.machines, (number // size.machines) % days
        length = int(rng.integers(4, 9))
        power = float(rng.integers(120, 260) if size.lumpy else rng.integers(30, 120))
        start = room[m][day] + int(rng.integers(0, 3))
        if start + length > min(size.slots, SLOTS_A_DAY * (day + 1)):
            start = room[m][day]
        if start + length > size.slots:
            continue
        room[m][day] = start + length
        profile = np.round(power * np.linspace(1.15, 0.85, length), 1)
        load[start : start + length] += profile
        jobs.append(_job(size, rng, jobs, f"J{number:03d}", m, start, tuple(profile.tolist()), day))
    return jobs, load


def _job(
    size: Size,
    rng: np.random.Generator,
    earlier: list[ProblemJob],
    id: str,
    m: int,
    start: int,
    profile: tuple[float, ...],
    day: int,
) -> ProblemJob:
    options = [Option(machine=f"M{m}", power_kw=profile)]
    if rng.random() < 0.4 and size.machines > 1:
        options.append(
            Option(machine=f"M{(m + 1) % size.machines}", power_kw=tuple(round(1.08 * p, 1) for p in profile))
        )
    place = Placement(job=id, machine=f"M{m}", start=start)
    end_of_day = min(size.slots, SLOTS_A_DAY * (day + 1))
    before = [j for j in earlier[-size.machines :] if j.in_force.start + j.options[0].slots + 1 <= start]
    after = (Precedence(job=before[0].id, min_slots=1),) if size.lines and before and rng.random() < 0.15 else ()
    needs = (CrewNeed(skill="loader", attended=Attended.START),) if size.crews and rng.random() < 0.3 else ()
    return ProblemJob(
        id=id,
        options=tuple(options),
        as_is=place,
        in_force=place,
        earliest=SLOTS_A_DAY * day,
        due=min(size.slots, end_of_day),
        must_end=min(size.slots, end_of_day + SLOTS_A_DAY // 2),
        after=after,
        needs=needs,
    )


def _machines(size: Size, jobs: list[ProblemJob]) -> tuple[ProblemMachine, ...]:
    """Each machine; the last one is in maintenance in the first four free hours after its last job of the first day."""
    last = f"M{size.machines - 1}"
    ends = [j.in_force.start + j.options[0].slots for j in jobs if j.in_force.machine == last]
    first = max((end for end in ends if end <= SLOTS_A_DAY - 8), default=80)
    taken = {s for j in jobs if j.in_force.machine == last for s in range(j.in_force.start, j.in_force.start + 9)}
    shut = () if taken & set(range(first, first + 8)) else (Closed(start=first, end=first + 8, why="maintenance"),)
    return tuple(
        ProblemMachine(id=f"M{m}", name=f"Machine {m}", closed=shut if f"M{m}" == last else ())
        for m in range(size.machines)
    )


def _rosters(size: Size, hours: np.ndarray) -> tuple[Roster, ...]:
    if not size.crews:
        return ()
    by_day, by_night = max(3, size.machines), max(1, size.machines // 4)
    people = tuple(by_day if 6 <= hour < 22 else by_night for hour in (hours % 24).tolist())
    return (Roster(skill="loader", people=people),)


def _battery(size: Size) -> ProblemBattery | None:
    if size.battery is None:
        return None
    return ProblemBattery(
        capacity_kwh=430.0,
        charge_kw=200.0,
        discharge_kw=200.0,
        charge_efficiency=0.96,
        discharge_efficiency=0.96,
        min_kwh=43.0,
        start_kwh=200.0,
        end_kwh=200.0,
        end_value_per_kwh=0.12,
        wear_per_kwh=0.04,
        rule=size.battery,
    )


def _row(values: np.ndarray) -> tuple[float, ...]:
    return tuple(np.round(values, 5).tolist())

"""What a problem must be before anybody tries to plan it: rows as long as the horizon, numbers that are numbers, names
that exist. All mistakes at once, each with its place in the problem."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

from energy import clock
from energy.errors import Mistake
from energy.model.problem import FORMAT, Band, DemandWindow, Placement, Problem, ProblemBattery, ProblemJob
from energy.planning import (
    sound_flow,
    sound_jobs,
    sound_labour,
    sound_machines,
    sound_setups,
    sound_site,
    sound_states,
)
from energy.planning.sound_words import Say
from energy.planning.sound_words import at_least_zero as _at_least_zero
from energy.planning.sound_words import finite as _finite
from energy.planning.sound_words import known as _known
from energy.planning.sound_words import length as _length
from energy.planning.sound_words import span as _span
from energy.planning.sound_words import unique as _unique

LARGEST = 1e9  # kW, kWh, money or slots: above it a sum keeps no cent, and a solver no digit


def mistakes_in(problem: Problem) -> tuple[Mistake, ...]:
    """Everything that keeps a problem from meaning something; empty where it is sound."""
    found: list[Mistake] = [Mistake(_written(where), what) for where, what in _too_large(problem, ())]

    def say(where: str, what: str) -> None:
        found.append(Mistake(where, what))

    _frame(problem, say)
    _rows(problem, say)
    _machines(problem, say)
    for i, job in enumerate(problem.jobs):
        _job(problem, job, f"jobs[{i}]", say)
    _circles(problem, say)
    _people(problem, say)
    sound_labour.mistakes(problem, say)
    sound_machines.mistakes(problem, say)
    sound_states.mistakes(problem, say)
    sound_setups.mistakes(problem, say)
    sound_jobs.mistakes(problem, say)
    sound_flow.mistakes(problem, say)
    if problem.battery is not None:
        _battery(problem.battery, say)
    for i, window in enumerate(problem.demand):
        _demand(window, problem.slots, f"demand[{i}]", say)
    for i, limit in enumerate(problem.limits):
        _span(limit.start, limit.end, f"limits[{i}]", say)
        _at_least_zero(limit.limit_kw, f"limits[{i}].limit_kw", say)
        _at_least_zero(limit.penalty_per_kwh, f"limits[{i}].penalty_per_kwh", say)
    _unique([window.name for window in problem.demand], "demand", "name", say)
    _unique([limit.name for limit in problem.limits], "limits", "name", say)
    sound_site.mistakes(problem, say)
    return tuple(found)


def _too_large(said: object, where: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Numbers of a size that no plant has: a wrong unit, a digit too many, or somebody's word for infinity."""
    if isinstance(said, int | float):
        if LARGEST < abs(said) < float("inf"):
            yield where, f"{float(said):g} is larger than anything that can be planned with, which is {LARGEST:g}"
    elif isinstance(said, tuple):
        for i, part in enumerate(said):
            yield from _too_large(part, (*where, i))
    elif is_dataclass(said):
        for field in fields(said):
            yield from _too_large(getattr(said, field.name), (*where, field.name))


def _written(where: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")


def _frame(problem: Problem, say: Say) -> None:
    if problem.format != FORMAT:
        say("format", f"this is {problem.format!r}; known is {FORMAT!r}")
    if not clock.zone_exists(problem.zone):
        say("zone", f"no time zone {problem.zone!r}; write it as in Europe/Berlin")
    if problem.start.tzinfo is None:
        say("start", f"{problem.start.isoformat()} has no time zone; write it as in 2026-05-20T04:00:00Z")
    if problem.step_minutes <= 0 or 60 % problem.step_minutes:
        say("step_minutes", f"{problem.step_minutes} does not divide the hour; use 5, 10, 15, 20, 30 or 60")
    if problem.slots < 1:
        say("slots", f"{problem.slots} is no horizon; there must be at least 1")
    _at_least_zero(problem.import_limit_kw, "import_limit_kw", say)
    _at_least_zero(problem.export_limit_kw, "export_limit_kw", say)
    _at_least_zero(problem.carbon_price_per_kg, "carbon_price_per_kg", say)
    _finite(problem.least_gain, "least_gain", say)


def _rows(problem: Problem, say: Say) -> None:
    for name in ("base_load_kw", "import_price", "export_price", "carbon_kg_per_kwh"):
        row: Sequence[float] = getattr(problem, name)
        _length(row, problem.slots, name, say)
        for k, value in enumerate(row):
            _finite(value, f"{name}[{k}]", say)
    _length(problem.pv_kw, problem.slots, "pv_kw", say)
    for k, value in enumerate(problem.pv_kw):
        _at_least_zero(value, f"pv_kw[{k}]", say)
    _length(problem.price_published, problem.slots, "price_published", say)
    for name in ("base_load_band", "pv_band", "import_price_band"):
        band: Band | None = getattr(problem, name)
        for edge in ("p10", "p90") if band is not None else ():
            values: Sequence[float] = getattr(band, edge)
            _length(values, problem.slots, f"{name}.{edge}", say)
            for k, value in enumerate(values):
                _finite(value, f"{name}.{edge}[{k}]", say)


def _machines(problem: Problem, say: Say) -> None:
    _unique([machine.id for machine in problem.machines], "machines", "id", say)
    for i, machine in enumerate(problem.machines):
        for j, closed in enumerate(machine.closed):
            _span(closed.start, closed.end, f"machines[{i}].closed[{j}]", say)


def _job(problem: Problem, job: ProblemJob, at: str, say: Say) -> None:
    if not job.options:
        say(f"{at}.options", "a job needs at least one option")
    machines = [machine.id for machine in problem.machines]
    for i, option in enumerate(job.options):
        _known(option.machine, machines, "machine", f"{at}.options[{i}].machine", say)
        if not option.power_kw:
            say(f"{at}.options[{i}].power_kw", "a run needs at least one slot")
        for k, power in enumerate(option.power_kw):
            _at_least_zero(power, f"{at}.options[{i}].power_kw[{k}]", say)
    for name in ("as_is", "in_force", "offered", "fixed"):
        _place(job, getattr(job, name), f"{at}.{name}", say)
    _job_window(job, at, say)
    for name in ("late_per_hour", "move_price", "change_offer_price", "break_accepted_price"):
        _at_least_zero(getattr(job, name), f"{at}.{name}", say)
    for i, after in enumerate(job.after):
        _known(after.job, [j.id for j in problem.jobs], "job", f"{at}.after[{i}].job", say)
        if after.min_slots < 0:
            say(f"{at}.after[{i}].min_slots", f"{after.min_slots} is negative; a job follows after the end of another")
        if after.max_slots is not None and after.max_slots < after.min_slots:
            say(f"{at}.after[{i}].max_slots", f"{after.max_slots} is less than min_slots ({after.min_slots})")
    for i, need in enumerate(job.needs):
        _known(need.skill, [r.skill for r in problem.rosters], "roster for skill", f"{at}.needs[{i}].skill", say)
        if need.people < 1:
            say(f"{at}.needs[{i}].people", f"{need.people} people are no need")


def _place(job: ProblemJob, place: Placement | None, at: str, say: Say) -> None:
    if place is None:
        return
    if place.job != job.id:
        say(f"{at}.job", f"is {place.job!r}; here it must be {job.id!r}")
    if not any(place.machine in o.machines and o.mode == place.mode for o in job.options):
        known = ", ".join(f"{machine} {o.mode}".rstrip() for o in job.options for machine in o.machines)
        say(at, f"{job.id} has no option on {f'{place.machine} {place.mode}'.rstrip()!r}; known: {known}")


def _job_window(job: ProblemJob, at: str, say: Say) -> None:
    lengths = [option.slots for option in job.options if option.slots]
    if job.fixed is None and job.must_end is not None and lengths and job.must_end - job.earliest < min(lengths):
        has = max(0, job.must_end - job.earliest)
        say(
            f"{at}.must_end",
            f"the window is {has} slots long, but the shortest option of {job.id} needs {min(lengths)}",
        )


def _circles(problem: Problem, say: Say) -> None:
    """Jobs that wait for each other can never start: strip those that wait for nobody until none is left."""
    waits = {job.id: {after.job for after in job.after} for job in problem.jobs}
    while True:
        free = {id for id, before in waits.items() if not before & waits.keys()}
        if not free:
            break
        waits = {id: before for id, before in waits.items() if id not in free}
    for i, job in enumerate(problem.jobs):
        if job.id in waits and job.id in {id for before in waits.values() for id in before}:
            say(f"jobs[{i}].after", f"{job.id} waits, in a circle, for itself: {', '.join(sorted(waits))}")


def _people(problem: Problem, say: Say) -> None:
    _unique([job.id for job in problem.jobs], "jobs", "id", say)
    _unique([roster.skill for roster in problem.rosters], "rosters", "skill", say)
    _unique([shift.name for shift in problem.shifts], "shifts", "name", say)
    for i, roster in enumerate(problem.rosters):
        _length(roster.people, problem.slots, f"rosters[{i}].people", say)
        for k, count in enumerate(roster.people):
            _at_least_zero(count, f"rosters[{i}].people[{k}]", say)
    for i, shift in enumerate(problem.shifts):
        _span(shift.start, shift.end, f"shifts[{i}]", say)
        _at_least_zero(shift.max_moves, f"shifts[{i}].max_moves", say)


def _battery(battery: ProblemBattery, say: Say) -> None:
    for name in ("capacity_kwh", "charge_kw", "discharge_kw", "min_kwh", "start_kwh", "end_kwh", "wear_per_kwh"):
        _at_least_zero(getattr(battery, name), f"battery.{name}", say)
    _finite(battery.end_value_per_kwh, "battery.end_value_per_kwh", say)
    for name in ("charge_efficiency", "discharge_efficiency"):
        value: float = getattr(battery, name)
        if not 0.0 < value <= 1.0:
            say(f"battery.{name}", f"{value:g} is no efficiency; it lies above 0 and at most at 1")
    for name in ("min_kwh", "start_kwh", "end_kwh"):
        if getattr(battery, name) > battery.capacity_kwh:
            say(f"battery.{name}", f"{getattr(battery, name):g} is more than capacity_kwh ({battery.capacity_kwh:g})")


def _demand(window: DemandWindow, slots: int, at: str, say: Say) -> None:
    for name in ("per_kw", "so_far_kw", "as_is_so_far_kw", "target_kw"):
        _at_least_zero(getattr(window, name), f"{at}.{name}", say)
    for k, slot in enumerate(window.slots):
        if not 0 <= slot < slots:
            say(f"{at}.slots[{k}]", f"{slot} is outside the horizon; slots run from 0 to {slots - 1}")
    if window.interval_slots < 1:
        say(f"{at}.interval_slots", f"{window.interval_slots} is no metered interval; there must be at least 1 slot")
        return
    if len(window.slots) % window.interval_slots:
        say(f"{at}.slots", f"{len(window.slots)} slots are no whole intervals of {window.interval_slots}")
    for first in range(0, len(window.slots), window.interval_slots):
        interval = window.slots[first : first + window.interval_slots]
        if interval != tuple(range(interval[0], interval[0] + len(interval))):
            say(f"{at}.slots[{first}]", f"{list(interval)} is one metered interval and must be consecutive")

"""Carbon-aware scheduling: Mencaroni, Leyman, Raa, De Vuyst, Claeys, "Towards net-zero manufacturing: carbon-aware
scheduling for GHG emissions reduction", J. Cleaner Production 529 (2025) 146787.

One machine, jobs in any order without interruption, each with a power for every quarter of an hour of its run. Generation
on site is free of carbon; what is bought carries the carbon intensity of the power grid:

    objective = 0.25 h · Σ over slots of carbon intensity · max(0, power − generation)

A file: a line of numbers (machines, days, jobs, slots of all jobs together, then statistics); a line of powers for each
job and machine; a line each of generation, carbon intensity and day-ahead price, a value a slot. In the problem the
carbon intensity stands as the price of import, so that the bill is the objective.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.scheduling.instance import Broken, Instance, Row
from energy.model.problem import Option, Placement, Problem, ProblemJob, ProblemMachine

ENDING = "*.cas"
MINUTES = 15
SLOTS_A_DAY = 96
MACHINE = "0"
PUBLISHED = "published*.csv"
OBJECTIVES = ("object CPLEX 60", "object CPLEX 1800", "average object MA - carbon")


@dataclass(frozen=True, slots=True)
class Source:
    """An instance as the file says it: powers by job, and generation and carbon intensity by slot."""

    power: tuple[tuple[float, ...], ...]
    generation: tuple[float, ...]
    carbon: tuple[float, ...]

    @property
    def slots(self) -> int:
        return len(self.carbon)


def instances(folder: Path) -> Iterator[Instance | Broken]:
    """All instances below a folder, in the order of their numbers."""
    published = _published(folder)
    for path in sorted(folder.rglob(ENDING), key=_place):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            source = _source(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            yield Broken(name=name, why=str(error))
            continue
        yield Instance(
            name=name,
            problem=_problem(name, source),
            objective=partial(objective, source),
            faults=partial(faults, source),
            published=published.get(path.stem),
        )


def _place(path: Path) -> tuple[Path, str, int]:
    stem, _, number = path.stem.rpartition("_")
    return path.parent, stem, int(number) if number.isdecimal() else -1


def _published(folder: Path) -> dict[str, float]:
    """The best published value of each instance, from tables in the folder, below it, or beside it."""
    best: dict[str, float] = {}
    beside = sorted(folder.resolve().parent.glob(PUBLISHED))
    for path in [*sorted(folder.rglob(PUBLISHED)), *beside]:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for line in csv.DictReader(lines):
                stem = Path(line.get("instance") or "").stem
                values = [float(line[name]) for name in OBJECTIVES if line.get(name)]
                if values:
                    best[stem] = min(best.get(stem, math.inf), *values)
    return best


def _source(text: str) -> Source:
    """The file's numbers; ValueError where they do not fit together, or say more than one machine."""
    lines = [_numbers(line, at) for at, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines or len(lines[0]) < 3:
        raise ValueError("line 1 does not say machines, days and jobs")
    machines, days, jobs = (
        _whole(value, what) for value, what in zip(lines[0], ("machines", "days", "jobs"), strict=False)
    )
    if machines != 1:
        raise ValueError(f"{machines} machines: a flow shop of several machines is not read here, only one machine")
    if len(lines) != 1 + jobs + 3:
        raise ValueError(f"{len(lines)} lines; a line of numbers, {jobs} of jobs and 3 of slots make {jobs + 4}")
    generation, carbon, price = lines[1 + jobs :]
    for row, what in ((generation, "generation"), (carbon, "carbon intensity"), (price, "price")):
        if len(row) != days * SLOTS_A_DAY:
            raise ValueError(f"{len(row)} values of {what}; {days} days have {days * SLOTS_A_DAY} slots")
    return Source(power=tuple(map(tuple, lines[1 : 1 + jobs])), generation=tuple(generation), carbon=tuple(carbon))


def _numbers(line: str, at: int) -> list[float]:
    try:
        values = [float(word) for word in line.strip().rstrip(",").split(",")]
    except ValueError as error:
        raise ValueError(f"line {at}: {error}") from error
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"line {at}: not all values are finite")
    return values


def _whole(value: float, what: str) -> int:
    if value < 1 or value != int(value):
        raise ValueError(f"{value:g} {what} in line 1 is not a whole number above zero")
    return int(value)


def _problem(name: str, source: Source) -> Problem:
    """The jobs stand as the file lists them, one after the other from slot 0."""
    return Problem(
        site=name,
        currency="kg",
        zone="UTC",
        start=datetime(2024, 1, 1, tzinfo=UTC),
        step_minutes=MINUTES,
        slots=source.slots,
        machines=(ProblemMachine(id=MACHINE),),
        jobs=tuple(_jobs(source)),
        base_load_kw=(0.0,) * source.slots,
        pv_kw=source.generation,
        import_limit_kw=1.0 + max(max(power) for power in source.power),
        export_limit_kw=1.0 + max(source.generation),
        import_price=source.carbon,
        export_price=(0.0,) * source.slots,
        price_published=(True,) * source.slots,
        carbon_kg_per_kwh=source.carbon,
    )


def _jobs(source: Source) -> Iterator[ProblemJob]:
    start = 0
    for job, power in enumerate(source.power):
        place = Placement(job=str(job), machine=MACHINE, start=start)
        option = Option(machine=MACHINE, power_kw=power)
        yield ProblemJob(id=str(job), options=(option,), as_is=place, in_force=place, move_price=0.0)
        start += len(power)


def objective(source: Source, rows: Sequence[Row]) -> float:
    """0.25 h · Σ carbon intensity · max(0, power − generation)."""
    drawn = [0.0] * source.slots
    for row in rows:
        for after, power in enumerate(source.power[int(row.job)]):
            drawn[row.start + after] += power
    slots = zip(source.carbon, drawn, source.generation, strict=True)
    return 0.25 * sum(carbon * max(0.0, power - own) for carbon, power, own in slots)


def faults(source: Source, rows: Sequence[Row]) -> list[str]:
    """What the source does not allow: a job missing, twice, elsewhere, outside the horizon, or two at a time."""
    found = []
    times = [0] * len(source.power)
    running: list[list[int]] = [[] for _ in range(source.slots)]
    for row in rows:
        job = int(row.job)
        if not 0 <= job < len(times):
            found.append(f"job {row.job} is not in the file")
            continue
        times[job] += 1
        if str(row.machine) != MACHINE:
            found.append(f"job {job} runs on machine {row.machine}; there is only machine {MACHINE}")
        end = row.start + len(source.power[job])
        if row.start < 0 or end > source.slots:
            found.append(f"job {job} runs in slots {row.start} to {end - 1}, outside 0 to {source.slots - 1}")
        for slot in range(max(0, row.start), min(end, source.slots)):
            running[slot].append(job)
    found += [f"job {job} runs {count} times" for job, count in enumerate(times) if count != 1]
    found += [f"jobs {jobs} run at once in slot {slot}" for slot, jobs in enumerate(running) if len(jobs) > 1]
    return found

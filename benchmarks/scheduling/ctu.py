"""Energy states and costs: Benedikt, Módos, Hanzálek, "The power of pre-processing: production scheduling with variable
energy pricing and power-saving states", Constraints 25 (2020). Data: github.com/CTU-IIG/EnergyStatesAndCostsSchedulingData.

Jobs of known length on a machine with states: off (several depths, the first is the base), on, idle. Each interval has a
price; what is paid is power × price over all intervals, changes of state included. The machine is in its base off state
in the first and in the last interval, so the problem's horizon is what lies between, and its slot 0 is interval 1. Jobs
run in state on; on and idle change into one another at once. `null` means that there is no such change.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.scheduling.instance import Broken, Instance, Row
from energy.model.problem import (
    MachineState,
    MachineStates,
    Option,
    Placement,
    Problem,
    ProblemJob,
    ProblemMachine,
    Transition,
)

PUBLISHED = "published_results.csv"
OPTIMAL = "1"  # the source's status of a proven run
ON, IDLE = "on", "idle"
MARKS = ("Jobs", "EnergyCosts")  # a JSON object with one of them is an instance, or should be


@dataclass(frozen=True, slots=True)
class Source:
    """An instance as the file says it. `changes` are (from, to, intervals, power)."""

    prices: list[float]
    powers: dict[str, float]  # by state; the first is the base off state
    changes: list[tuple[str, str, int, float]]
    lengths: dict[int, int]  # by job
    machine_of: dict[int, int]
    machines: int

    @property
    def base(self) -> str:
        return next(iter(self.powers))


def instances(folder: Path) -> Iterator[Instance | Broken]:
    """All instances below a folder, in the order of their numbers."""
    published = _published(folder)
    for path in sorted(folder.rglob("*.json"), key=lambda path: (path.parent, path.stem.zfill(9))):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(said, dict) and not any(mark in said for mark in MARKS):
                continue  # a result or a prescription, which the source keeps beside its instances
            if isinstance(said, list):
                continue
            source = _source(said)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            yield Broken(name=name, why=f"{type(error).__name__}: {error}")
            continue
        best, proven = published.get((path.parent.resolve().name, path.stem), (None, False))
        yield Instance(
            name=name,
            problem=_problem(name, source),
            objective=partial(objective, source),
            faults=partial(faults, source),
            published=best,
            published_optimal=proven,
            to_source=partial(_with_ends, source),
            first_slot=1,
        )


def _published(folder: Path) -> dict[tuple[str, str], tuple[float, bool]]:
    """The best published objective of each (data set, instance), and whether it is proven."""
    best: dict[tuple[str, str], tuple[float, bool]] = {}
    beside = folder.resolve().parent / PUBLISHED
    for path in [*sorted(folder.rglob(PUBLISHED)), *([beside] if beside.exists() else [])]:
        with path.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                if not line["objective"]:
                    continue
                key = (line["dataset"], line["instance"])
                found = (float(line["objective"]), line["status"] == OPTIMAL)
                best[key] = min(best.get(key, found), found, key=lambda pair: (pair[0], not pair[1]))
    return best


def _source(said: dict[str, Any]) -> Source:
    """The file's numbers; ValueError where they do not fit together."""
    if said["LengthInterval"] != 1:
        raise ValueError(f"LengthInterval is {said['LengthInterval']}; only intervals of length 1 are known")
    offs = [f"off{depth}" for depth in range(len(said["OffPowerConsumption"]))]
    powers = {off: float(power) for off, power in zip(offs, said["OffPowerConsumption"], strict=True)}
    powers |= {ON: float(said["OnPowerConsumption"]), IDLE: float(said["IdlePowerConsumption"])}
    changes = [(ON, IDLE, 0, 0.0), (IDLE, ON, 0, 0.0)]
    for depth, off in enumerate(offs):
        for named, before, after in (
            ("OffOn", off, ON),
            ("OnOff", ON, off),
            ("OffIdle", off, IDLE),
            ("IdleOff", IDLE, off),
        ):
            took, power = said[f"{named}Time"][depth], said[f"{named}PowerConsumption"][depth]
            if took is not None:
                changes.append((before, after, _whole(took, f"{named}Time"), float(power)))
    lengths = {_whole(job["Id"], "Id"): _whole(job["ProcessingTime"], "ProcessingTime") for job in said["Jobs"]}
    machine_of = {int(job["Id"]): _whole(job["MachineIdx"], "MachineIdx") for job in said["Jobs"]}
    prices = [float(price) for price in said["EnergyCosts"]]
    machines = _whole(said["MachinesCount"], "MachinesCount")
    if len(lengths) != len(said["Jobs"]):
        raise ValueError("two jobs have the same Id")
    if any(length < 1 for length in lengths.values()):
        raise ValueError("a job has no ProcessingTime")
    if any(machine >= machines for machine in machine_of.values()):
        raise ValueError(f"a job is on a machine beyond the {machines} there are")
    if len(prices) < 3 or not all(math.isfinite(price) for price in prices):
        raise ValueError("EnergyCosts are fewer than three, or not all numbers")
    return Source(prices, powers, changes, lengths, machine_of, machines)


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{what} is {value!r}, not a whole number")
    return value


def objective(source: Source, rows: Sequence[Row]) -> float:
    """Power × price over all intervals, the machines in their cheapest states between the jobs; inf where a machine
    cannot be on in time."""
    return sum(_machine_cost(source, [row for row in rows if row.machine == m]) for m in range(source.machines))


def _machine_cost(source: Source, rows: Sequence[Row]) -> float:
    """The cheapest states of one machine around its jobs, from the second interval to the last but one."""
    prices, last = source.prices, len(source.prices) - 1
    until = {int(row.start): int(row.start) + source.lengths[int(row.job)] for row in rows}
    least = [dict.fromkeys(source.powers, math.inf) for _ in range(last + 1)]
    least[1][source.base] = 0.0
    coming = sorted(until)
    for t in range(1, last):
        here = least[t]
        here[ON] = here[IDLE] = min(here[ON], here[IDLE])
        while coming and coming[0] < t:
            coming.pop(0)
        if coming and coming[0] == t:
            if until[t] <= last:
                least[until[t]][ON] = min(least[until[t]][ON], here[ON] + source.powers[ON] * sum(prices[t : until[t]]))
            continue
        free = coming[0] if coming else last
        steps = [(state, state, 1, power) for state, power in source.powers.items()]
        for before, after, took, power in [*steps, *(change for change in source.changes if change[2])]:
            if t + took <= free:
                cost = here[before] + power * sum(prices[t : t + took])
                least[t + took][after] = min(least[t + took][after], cost)
    return _with_ends(source, least[last][source.base], machines=1)


def _with_ends(source: Source, cost: float, machines: int | None = None) -> float:
    """A cost between the ends, with the first and the last interval in the base off state."""
    many = source.machines if machines is None else machines
    return cost + many * source.powers[source.base] * (source.prices[0] + source.prices[-1])


def faults(source: Source, rows: Sequence[Row]) -> list[str]:
    """Each job once and on its machine, no two at once, the machine on in time and off in both end intervals."""
    found = []
    placed = [row.job for row in rows]
    for job in source.lengths:
        if placed.count(job) != 1:
            found.append(f"job {job} is placed {placed.count(job)} times")
    for row in rows:
        if row.job not in source.lengths:
            found.append(f"there is no job {row.job}")
        elif row.machine != source.machine_of[int(row.job)]:
            found.append(f"job {row.job} is on machine {row.machine} instead of {source.machine_of[int(row.job)]}")
        elif row.start < 1 or row.start + source.lengths[int(row.job)] > len(source.prices) - 1:
            found.append(f"job {row.job} runs in an interval in which the machine is off")
    if found:
        return found
    busy: dict[tuple[int | str, int], int | str] = {}
    for row in rows:
        for t in range(row.start, row.start + source.lengths[int(row.job)]):
            if (other := busy.setdefault((row.machine, t), row.job)) != row.job:
                found.append(f"jobs {other} and {row.job} run at once in interval {t}")
    if not found and objective(source, rows) == math.inf:
        found.append("the machine cannot be on in time for its jobs, or off in time after them")
    return found


def _problem(name: str, source: Source) -> Problem:
    """The same as a problem: the machine's power is its states', so the jobs draw nothing on top."""
    prices = source.prices[1:-1]
    nothing = (0.0,) * len(prices)
    states = MachineStates(
        states=tuple(
            MachineState(name=state, power_kw=power, runs_jobs=state == ON) for state, power in source.powers.items()
        ),
        transitions=tuple(
            Transition(from_state=before, to_state=after, slots=took, power_kw=power)
            for before, after, took, power in source.changes
        ),
        at_start=source.base,
        at_end=source.base,
    )
    most_kw = max([*source.powers.values(), *(change[3] for change in source.changes)])
    return Problem(
        site=name,
        currency="EUR",
        zone="UTC",
        start=datetime(2020, 1, 1, tzinfo=UTC),
        step_minutes=60,
        slots=len(prices),
        machines=tuple(ProblemMachine(id=str(machine), states=states) for machine in range(source.machines)),
        jobs=tuple(_jobs(source)),
        base_load_kw=nothing,
        pv_kw=nothing,
        import_limit_kw=most_kw * source.machines,
        export_limit_kw=0.0,
        import_price=tuple(prices),
        export_price=nothing,
        price_published=(True,) * len(prices),
        carbon_kg_per_kwh=nothing,
    )


def _jobs(source: Source) -> Iterator[ProblemJob]:
    """As-is they run one after another, as soon as the machine may be on."""
    free = dict.fromkeys(range(source.machines), _intervals_up(source))
    for job, length in source.lengths.items():
        machine = source.machine_of[job]
        place = Placement(job=str(job), machine=str(machine), start=free[machine])
        free[machine] += length
        option = Option(machine=str(machine), power_kw=(0.0,) * length)
        yield ProblemJob(id=str(job), options=(option,), as_is=place, in_force=place, move_price=0.0)


def _intervals_up(source: Source) -> int:
    """The fewest intervals from the base off state to on; none where there is no way."""
    fewest = {source.base: 0}
    for _ in source.powers:
        for before, after, took, _ in source.changes:
            if before in fewest:
                fewest[after] = min(fewest[before] + took, fewest.get(after, fewest[before] + took))
    return fewest.get(ON, 0)

"""ICON challenge on energy-cost aware scheduling: Simonis, O'Sullivan, Mehta, Hurley, De Cauwer, CSPLib problem 059
(csplib.org/Problems/prob059), rules and formats in its specification of 17 June 2014.

Tasks of known length, power and need of resources are placed on machines that each hold several at once. A machine is on
while a task runs on it, draws its idle power as long as it is on, and pays for each start and each stop; it is off before
the first period and after the last. In the source's words and formulas (12) to (16), with q minutes a period:

    cost = Σ tasks Σ periods of the run  power · price · q/60  +  Σ machines Σ periods on  idle · price · q/60
         + Σ starts up + Σ stops down

A folder of an instance holds `instance.txt` and the prices to plan with, `forecast.txt`.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.scheduling.instance import Broken, Instance, Row
from energy.model.problem import (
    MachineState,
    MachineStates,
    Option,
    Placement,
    Problem,
    ProblemJob,
    ProblemMachine,
    Resource,
    Transition,
    Use,
)

INSTANCE, PRICES = "instance.txt", "forecast.txt"
OFF, ON = "off", "on"
MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Machine:
    idle: float
    up: float
    down: float
    capacity: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A task runs `duration` periods, from `earliest` at the earliest to before `latest_end`."""

    duration: int
    earliest: int
    latest_end: int
    power: float
    needs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An instance as its files say it, machines and tasks by their own ids."""

    minutes: int
    machines: dict[int, Machine]
    tasks: dict[int, Task]
    prices: tuple[float, ...]

    @property
    def hours(self) -> float:
        return self.minutes / 60


def instances(folder: Path) -> Iterator[Instance | Broken]:
    """All instances below a folder, in the order of their names."""
    for path in sorted(folder.rglob(INSTANCE)):
        name = path.parent.relative_to(folder).as_posix()
        name = path.parent.resolve().name if name == "." else name
        try:
            source = _source(path.read_text(encoding="utf-8"), (path.parent / PRICES).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            yield Broken(name=name, why=str(error))
            continue
        yield Instance(
            name=name,
            problem=_problem(name, source),
            objective=partial(objective, source),
            faults=partial(faults, source),
        )


class _Words:
    """The numbers of a file, one after the other."""

    def __init__(self, text: str, file: str) -> None:
        self.words, self.file, self.at = text.split(), file, 0

    def number(self, what: str) -> float:
        if self.at >= len(self.words):
            raise ValueError(f"{self.file} ends before {what}")
        try:
            value = float(self.words[self.at])
        except ValueError as error:
            raise ValueError(f"{self.file}: {what} is {self.words[self.at]!r}, not a number") from error
        if not math.isfinite(value):
            raise ValueError(f"{self.file}: {what} is {value}")
        self.at += 1
        return value

    def whole(self, what: str, least: int = 0) -> int:
        value = self.number(what)
        if value != int(value) or value < least:
            raise ValueError(f"{self.file}: {what} is {value:g}, not a whole number from {least} on")
        return int(value)

    def end(self) -> None:
        if self.at < len(self.words):
            raise ValueError(f"{self.file} has {len(self.words) - self.at} numbers too many")


def _source(instance: str, prices: str) -> Source:
    """The numbers of both files; ValueError where they do not fit together."""
    words = _Words(instance, INSTANCE)
    minutes = words.whole("the time resolution", 1)
    resources = words.whole("the number of resources")
    machines: dict[int, Machine] = {}
    for _ in range(words.whole("the number of machines")):
        id = words.whole("a machine's id")
        if id in machines:
            raise ValueError(f"{INSTANCE}: machine {id} is there twice")
        idle, up, down = (words.number(f"{what} of machine {id}") for what in ("idle power", "start cost", "stop cost"))
        capacity = tuple(words.number(f"a capacity of machine {id}") for _ in range(resources))
        machines[id] = Machine(idle, up, down, capacity)
    tasks: dict[int, Task] = {}
    for _ in range(words.whole("the number of tasks")):
        id = words.whole("a task's id")
        if id in tasks:
            raise ValueError(f"{INSTANCE}: task {id} is there twice")
        duration = words.whole(f"the duration of task {id}", 1)
        earliest, latest = words.whole(f"the earliest start of task {id}"), words.whole(f"the latest end of task {id}")
        power = words.number(f"the power of task {id}")
        needs = tuple(words.number(f"a need of task {id}") for _ in range(resources))
        tasks[id] = Task(duration, earliest, latest, power, needs)
    words.end()
    row = _prices(prices)
    if len(row) * minutes != MINUTES_A_DAY:
        raise ValueError(f"{PRICES} has {len(row)} periods; a day has {MINUTES_A_DAY / minutes:g} of {minutes} minutes")
    return Source(minutes, machines, tasks, row)


def _prices(text: str) -> tuple[float, ...]:
    words = _Words(text, PRICES)
    count = words.whole("the number of periods", 1)
    row: dict[int, float] = {}
    for _ in range(count):
        period = words.whole("a period")
        row[period] = words.number(f"the price of period {period}")
    words.end()
    if sorted(row) != list(range(count)):
        raise ValueError(f"{PRICES} does not have each of the periods 0 to {count - 1} once")
    return tuple(row[period] for period in range(count))


def _problem(name: str, source: Source) -> Problem:
    """The same as a problem: powers as kW, prices a kWh, so that the bill is the source's cost."""
    machines = [_machine(id, machine) for id, machine in source.machines.items()]
    nothing = (0.0,) * len(source.prices)
    most_kw = sum(task.power for task in source.tasks.values()) + sum(m.idle for m in source.machines.values())
    return Problem(
        site=name,
        currency="EUR",
        zone="UTC",
        start=datetime(2014, 6, 17, tzinfo=UTC),
        step_minutes=source.minutes,
        slots=len(source.prices),
        machines=tuple(machines),
        jobs=tuple(_jobs(source)),
        base_load_kw=nothing,
        pv_kw=nothing,
        import_limit_kw=1.0 + most_kw,
        export_limit_kw=0.0,
        import_price=source.prices,
        export_price=nothing,
        price_published=(False,) * len(source.prices),
        carbon_kg_per_kwh=nothing,
    )


def _machine(id: int, machine: Machine) -> ProblemMachine:
    states = MachineStates(
        states=(MachineState(name=OFF), MachineState(name=ON, power_kw=machine.idle, runs_jobs=True)),
        transitions=(
            Transition(from_state=OFF, to_state=ON, cost=machine.up),
            Transition(from_state=ON, to_state=OFF, cost=machine.down),
        ),
        at_start=OFF,
        at_end=OFF,
    )
    resources = tuple(Resource(name=str(r), amount=(amount,)) for r, amount in enumerate(machine.capacity))
    return ProblemMachine(id=str(id), capacity=None, resources=resources, states=states)


def _jobs(source: Source) -> Iterator[ProblemJob]:
    """As given, every task starts as early as it may, on one machine after the other; nobody says that this fits."""
    machines = tuple(str(id) for id in source.machines)
    for number, (id, task) in enumerate(source.tasks.items()):
        uses = tuple(Use(resource=str(r), amount=amount) for r, amount in enumerate(task.needs) if amount)
        option = Option(machine=machines[0], also=machines[1:], power_kw=(task.power,) * task.duration, uses=uses)
        place = Placement(job=str(id), machine=machines[number % len(machines)], start=task.earliest)
        yield ProblemJob(
            id=str(id),
            options=(option,),
            as_is=place,
            in_force=place,
            earliest=task.earliest,
            must_end=task.latest_end,
            move_price=0.0,
        )


def objective(source: Source, rows: Sequence[Row]) -> float:
    """The cost of formula (12), each machine on when it has to be and else as is cheapest."""
    cost = 0.0
    for row in rows:
        task = source.tasks[int(row.job)]
        cost += sum(task.power * price * source.hours for price in source.prices[row.start : row.start + task.duration])
    for id in source.machines:
        cost += _machine_cost(source, id, [row for row in rows if row.machine == id])
    return cost


def _machine_cost(source: Source, id: int, rows: Sequence[Row]) -> float:
    """Idle power, starts and stops of one machine (14) to (16), on in every period in which a task runs."""
    machine = source.machines[id]
    busy = {t for row in rows for t in range(row.start, row.start + source.tasks[int(row.job)].duration)}
    off, on = 0.0, math.inf
    for t, price in enumerate(source.prices):
        off, on = (
            math.inf if t in busy else min(off, on + machine.down),
            min(on, off + machine.up) + machine.idle * price * source.hours,
        )
    return min(off, on + machine.down)


def faults(source: Source, rows: Sequence[Row]) -> list[str]:
    """What breaks the constraints (1) to (4): each task once, on a machine, within its window, within the capacities."""
    found = []
    times = Counter(row.job for row in rows)
    found += [f"task {id} is placed {times[id]} times" for id in source.tasks if times[id] != 1]
    used: dict[int, list[list[float]]] = {
        id: [[0.0] * len(source.prices) for _ in machine.capacity] for id, machine in source.machines.items()
    }
    for row in rows:
        task = None if isinstance(row.job, str) else source.tasks.get(row.job)
        if task is None:
            found.append(f"there is no task {row.job}")
            continue
        if row.start < task.earliest:
            found.append(f"task {row.job} starts in {row.start}, before {task.earliest}")
        if row.start + task.duration > task.latest_end:
            found.append(f"task {row.job} ends in {row.start + task.duration}, after {task.latest_end}")
        if isinstance(row.machine, str) or row.machine not in used:
            found.append(f"task {row.job} is on machine {row.machine}, which is not there")
            continue
        if row.start < 0 or row.start + task.duration > len(source.prices):
            found.append(f"task {row.job} does not run within the day")
            continue
        for resource, amount in enumerate(task.needs):
            for t in range(row.start, row.start + task.duration):
                used[row.machine][resource][t] += amount
    for id, machine in source.machines.items():
        for resource, capacity in enumerate(machine.capacity):
            over = [t for t, amount in enumerate(used[id][resource]) if amount > capacity * (1 + 1e-9)]
            if over:
                amount = used[id][resource][over[0]]
                found.append(f"machine {id} holds {amount:g} of resource {resource} in {over[0]}, it has {capacity:g}")
    return found

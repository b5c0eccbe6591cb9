"""Which problems are one machine whose jobs cost what their own starts say, and what they are in plain numbers.

Only one job runs at a time, so the load of the site in a slot is the base load and that one job: energy, sale, carbon,
limits, labour, lateness and moving add up over the jobs. A battery, a demand charge, an order of jobs, anything that ties one
slot or job to another, is for the general program. Jobs on other machines are part of the base load where they stand.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from energy.model.problem import Problem
from optimizer.one_machine.runs import Run
from optimizer.plant import Plant
from optimizer.reckoning import Reckoning
from optimizer.starts import LEFT_OUT, Chosen, Rows, Starts, Whole
from optimizer.structure import Ended, Tell, only

if TYPE_CHECKING:
    from optimizer.one_machine.starts import Found, Stage

# What each noun may say here; all else must be as by default.
PROBLEM = frozenset(
    {
        *("format", "site", "currency", "zone", "start", "step_minutes", "slots", "machines", "jobs", "rosters"),
        *("shifts", "base_load_kw", "pv_kw", "import_limit_kw", "export_limit_kw", "import_price", "export_price"),
        *("price_published", "carbon_kg_per_kwh", "carbon_basis", "carbon_price_per_kg", "limits", "reductions"),
        *("least_gain", "base_load_band", "pv_band", "import_price_band", "scenarios", "sober_prices", "curtailable"),
        "notes",
    }
)
MACHINE = frozenset({"id", "name", "group", "closed"})
JOB = frozenset(
    {
        *("id", "name", "options", "as_is", "in_force", "offered", "fixed", "earliest", "latest_start"),
        *(
            "must_end",
            "due",
            "late_per_hour",
            "priority",
            "family",
            "needs",
            "move_price",
            "change_offer_price",
            "accepted",
            "break_accepted_price",
        ),
    }
)
OPTION = frozenset({"machine", "power_kw", "mode", "quantity"})
ROSTER = frozenset({"skill", "people", "premium_per_hour"})
SHIFT = frozenset({"name", "start", "end"})


@dataclass(frozen=True, slots=True, eq=False)
class Separable:
    """A plant as runs of one machine, and the way back. `runs[i]` is way `ways[i]` of the job in row `rows[job]`."""

    plant: Plant
    rows: Whole  # of the problem's jobs
    runs: tuple[Run, ...]
    ways: tuple[int, ...]
    numbers: tuple[Whole, ...]  # of each run: the number of the job's start in each slot, -1 where there is none
    other_cost: float  # of the site without these jobs

    name = "orders of one machine"

    def at_once(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended:
        """A good plan in little time; proven where that is little work."""
        from optimizer.one_machine.starts import Stage  # loads HiGHS

        return self._best(first, seconds, gap, tell, Stage.AT_ONCE)

    def solve(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended:
        """The best starts in time, from a good plan."""
        from optimizer.one_machine.starts import Stage

        return self._best(first, seconds, gap, tell, Stage.REST)

    def _best(self, first: Chosen, seconds: float, gap: float, tell: Tell, stage: "Stage") -> Ended:
        from optimizer.one_machine.starts import best_starts

        def heard(found: "Found") -> None:
            ended = self._ended(found)
            if ended.chosen is not None:
                tell(ended.chosen, ended.dispatch, found.cost + self.other_cost, ended.bound)

        found = best_starts(
            self.runs,
            self.plant.slots,
            seconds=seconds,
            gap=gap,
            other_cost=self.other_cost,
            first=self._places(first),
            stage=stage,
            progress=heard,
        )
        return self._ended(found)

    def _ended(self, found: "Found") -> Ended:
        chosen = self._chosen(found)
        return Ended(
            chosen=chosen,
            dispatch=None if chosen is None else Reckoning(self.plant).dispatch_of(chosen),
            bound=found.bound + self.other_cost if np.isfinite(found.bound) else None,
            optimal=found.optimal,
            status="optimal" if found.optimal else f"{found.states} states",
        )

    def _chosen(self, found: "Found") -> Chosen | None:
        """The starts of the plant that a plan names; jobs elsewhere stay."""
        if found.places is None:
            return None
        chosen = self.plant.as_given
        for job, (run, slot) in enumerate(zip(*found.places, strict=True)):
            chosen[self.rows[job]] = self.numbers[run][slot]
        return chosen

    def _places(self, chosen: Chosen) -> tuple[list[int], list[int]]:
        """The runs and slots of chosen starts."""
        runs, slots = [], []
        for job, row in enumerate(self.rows):
            number = int(chosen[row])
            way = int(self.plant.starts[row].way[number])
            run = next(i for i, run in enumerate(self.runs) if run.job == job and self.ways[i] == way)
            runs.append(run)
            slots.append(int(np.flatnonzero(self.numbers[run] == number)[0]))
        return runs, slots


def separable(plant: Plant) -> Separable | None:
    """A plant as runs of one machine; None where it says more."""
    if not _plain(plant.problem):
        return None
    machine = _machine(plant)
    if machine is None or plant.machine_overfull[machine].any():
        return None
    reckoning = Reckoning(plant)
    if plant.problem.curtailable and (reckoning.import_cost < 0.0).any():
        return None  # then it may pay to curtail although the site imports
    return _posed(plant, reckoning, machine)


def _plain(problem: Problem) -> bool:
    """Whether nothing is said that ties slots or jobs together."""
    return (
        only(problem, PROBLEM)
        and all(only(machine, MACHINE) for machine in problem.machines)
        and all(only(job, JOB) and all(only(option, OPTION) for option in job.options) for job in problem.jobs)
        and all(only(roster, ROSTER) for roster in problem.rosters)
        and all(only(shift, SHIFT) for shift in problem.shifts)
    )


def _machine(plant: Plant) -> int | None:
    """The row of the one machine whose jobs may move; None where there is no such, or more than one, or where jobs
    elsewhere share people with them."""
    used = {int(machine) for starts in plant.starts if len(starts) > 1 for machine in np.unique(starts.machine)}
    if len(used) != 1:
        return None
    machine = used.pop()
    elsewhere = [row for row, starts in enumerate(plant.starts) if int(starts.machine[0]) != machine]
    return None if any(plant.problem.jobs[row].needs for row in elsewhere) else machine


def _posed(plant: Plant, reckoning: Reckoning, machine: int) -> Separable:
    """The jobs that hold the machine as runs; all others are part of the base load."""
    held = [
        row for row, starts in enumerate(plant.starts) if int(starts.machine[0]) == machine and _inside(plant, starts)
    ]
    rows = np.array(held, dtype=np.int64)
    others = plant.as_given
    others[rows] = LEFT_OUT
    beside = _Beside(reckoning, plant.load_kw(others))
    made = [
        (job, way, *_run(plant, beside, plant.starts[row], way))
        for job, row in enumerate(rows)
        for way in np.unique(plant.starts[row].way)
    ]
    return Separable(
        plant=plant,
        rows=rows,
        runs=tuple(Run(job=job, slots=slots, cost=cost) for job, _, slots, cost, _ in made),
        ways=tuple(int(way) for _, way, *_ in made),
        numbers=tuple(number for *_, number in made),
        other_cost=beside.cost + plant.price(others),
    )


def _inside(plant: Plant, starts: Starts) -> bool:
    """Whether a job holds its machine in any slot of the horizon: one that began long before may be over by then."""
    return bool(starts.end[0] > 0 and starts.slot[0] < plant.slots)


class _Beside:
    """What one more run costs beside the load of the others."""

    def __init__(self, reckoning: Reckoning, load_kw: Rows) -> None:
        self.reckoning, self.load_kw = reckoning, load_kw
        self.cost = float(reckoning.costs(load_kw[None, :])[0])

    def __call__(self, slot: Whole, power_kw: Rows) -> Rows:
        return self.reckoning.beside(self.load_kw, slot, power_kw) - self.cost


def _run(plant: Plant, beside: _Beside, starts: Starts, way: int) -> tuple[int, Rows, Whole]:
    """(slots, costs, number of the start in each slot) of one way of a job, as far as it lies in the horizon."""
    numbers = np.flatnonzero(starts.way == way)
    first, power_kw = starts.slot[numbers], starts.ways[way].power_kw
    if len(numbers) == 1:  # it may have begun before, or end after
        before = max(0, -int(first[0]))
        power_kw = power_kw[before : plant.slots - int(first[0])]
        first = first + before
    cost, number = np.full(plant.slots, np.inf), np.full(plant.slots, -1, dtype=np.int64)
    cost[first] = beside(first, power_kw) + starts.price[numbers]
    number[first] = numbers
    return len(power_kw), cost, number

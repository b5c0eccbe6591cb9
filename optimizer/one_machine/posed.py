"""Which problems are one machine with states and a price for each slot, and what they are in plain numbers.

The machine is the only one; its jobs run one at a time by one option each; all that is drawn is imported, and a kWh
costs the same whoever draws it. Any rule beyond that (a battery, a demand charge, an order of jobs …) is for the general
program.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy.model.problem import MachineStates, Problem, ProblemJob, ProblemMachine
from optimizer.one_machine.network import solve
from optimizer.one_machine.states import Change, JobKind, Row, Schedule, StateNetwork
from optimizer.one_machine.timetable import timetable
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch, at_rest
from optimizer.starts import Chosen
from optimizer.structure import Ended, Tell, only

# What each noun may say here; all else must be as by default.
PROBLEM = frozenset(
    {
        *("format", "site", "currency", "zone", "start", "step_minutes", "slots", "machines", "jobs", "rosters"),
        *("shifts", "base_load_kw", "pv_kw", "import_limit_kw", "export_limit_kw", "import_price", "export_price"),
        *("price_published", "carbon_kg_per_kwh", "carbon_basis", "carbon_price_per_kg", "least_gain", "notes"),
        *("base_load_band", "pv_band", "import_price_band", "scenarios", "sober_prices"),
    }
)
MACHINE = frozenset({"id", "name", "group", "closed", "states"})
JOB = frozenset(
    {
        *("id", "name", "options", "as_is", "in_force", "offered", "fixed", "earliest", "latest_start", "must_end"),
        *("due", "late_per_hour", "family", "needs", "move_price", "change_offer_price", "accepted"),
        "break_accepted_price",
    }
)
OPTION = frozenset({"machine", "power_kw", "mode", "quantity"})
ROSTER = frozenset({"skill", "people"})
SHIFT = frozenset({"name", "start", "end"})


@dataclass(frozen=True, eq=False)
class OneMachine:
    """A problem as a network, and the way back. `jobs[k]` are the rows of the jobs of kind k."""

    plant: Plant
    network: StateNetwork
    kinds: tuple[JobKind, ...]
    jobs: tuple[tuple[int, ...], ...]
    other_cost: float  # of the base load

    name = "states of one machine"

    def at_once(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended | None:  # noqa: ARG002
        """Nothing that would be better at once than what `solve` says first."""
        return None

    def solve(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended:
        """The best schedule in time; `tell` hears of each better one."""

        def heard(made: Schedule, bound: float | None) -> None:
            tell(self.chosen(made), self.dispatch(made), made.cost + self.other_cost, self.bound(bound))

        order = [kind for _, kind in sorted((start, kind) for kind, start in self._runs(first))]
        solved = solve(self.network, self.kinds, seconds=seconds, gap=gap, order=order, progress=heard)
        bound, made = self.bound(solved.bound), solved.schedule
        if made is None:
            return Ended(chosen=None, dispatch=None, bound=bound, optimal=False, status=solved.how)
        return Ended(
            chosen=self.chosen(made),
            dispatch=self.dispatch(made),
            bound=bound,
            optimal=solved.optimal,
            status=solved.how,
        )

    def bound(self, bound: float | None) -> float | None:
        """A bound on the machine's cost as one on the whole bill; None where there is none."""
        return None if bound is None or bound == -np.inf else bound + self.other_cost

    def chosen(self, made: Schedule) -> Chosen:
        """The starts of a schedule; jobs of a kind stay where they are as far as they can."""
        chosen = self.plant.as_given
        for rows, starts in zip(self.jobs, made.starts, strict=True):
            free = list(starts)
            staying = [row for row in rows if _take(free, int(self.plant.starts[row].slot[0]))]
            for row in rows:
                if row not in staying:
                    chosen[row] = int(np.flatnonzero(self.plant.starts[row].slot == free.pop(0))[0])
        return chosen

    def dispatch(self, made: Schedule) -> Dispatch:
        """The states of a schedule."""
        machine = self.plant.problem.machines[0]
        assert machine.states is not None
        names = [state.name for state in machine.states.states]
        names += [f"{names[change.before]}>{names[change.after]}" for change in self.network.slow_changes]
        rest = at_rest(self.plant)
        row = tuple(names[shown] for shown in made.shown)
        return Dispatch(rest.charge_kw, rest.discharge_kw, rest.curtailed_kw, states={machine.id: row})

    def standing(self, chosen: Chosen) -> Dispatch | None:
        """The best states around jobs that stand; None where the machine cannot run them so."""
        made = timetable(self.network, self.kinds, self._runs(chosen))
        return None if made is None else self.dispatch(made)

    def _runs(self, chosen: Chosen) -> list[tuple[int, int]]:
        """(kind, start) of each job."""
        return [
            (kind, int(self.plant.starts[row].slot[chosen[row]])) for kind, rows in enumerate(self.jobs) for row in rows
        ]


def _take(free: list[int], slot: int) -> bool:
    """Whether a slot was still free; it is taken then."""
    if slot not in free:
        return False
    free.remove(slot)
    return True


def one_machine(plant: Plant) -> OneMachine | None:
    """A plant as a network; None where it is more than one machine with states."""
    problem = plant.problem
    if not _plain(problem) or (plant.machine_use(plant.as_given) > 1).any():
        return None
    if any((starts.slot < 0).any() or (starts.end > plant.slots).any() for starts in plant.starts):
        return None  # a job that has begun, or that ends beyond the horizon
    if plant.not_up.any() or plant.not_down:
        return None  # production's own plan, which may stay as it is, is none for this machine
    per_kw = plant.hours * (
        np.asarray(problem.import_price) + problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh)
    )
    states = problem.machines[0].states
    assert states is not None
    kinds, jobs = _kinds(plant, per_kw)
    base_kw = np.asarray(problem.base_load_kw) - np.asarray(problem.pv_kw)
    return OneMachine(plant, _network(states, per_kw), kinds, jobs, float(base_kw @ per_kw))


def _plain(problem: Problem) -> bool:
    """Whether nothing is said beyond one machine, its states and its jobs."""
    return (
        len(problem.machines) == 1
        and problem.machines[0].states is not None
        and sum(state.runs_jobs for state in problem.machines[0].states.states) == 1
        and only(problem, PROBLEM)
        and only(problem.machines[0], MACHINE)
        and all(_plain_job(job) for job in problem.jobs)
        and all(only(roster, ROSTER) for roster in problem.rosters)
        and all(only(shift, SHIFT) for shift in problem.shifts)
        and _always_imports(problem, problem.machines[0])
    )


def _plain_job(job: ProblemJob) -> bool:
    return only(job, JOB) and len(job.options) == 1 and only(job.options[0], OPTION)


def _always_imports(problem: Problem, machine: ProblemMachine) -> bool:
    """Whether the site draws from the grid in every slot whatever runs, and never more than its limit."""
    assert machine.states is not None
    base_kw = np.asarray(problem.base_load_kw) - np.asarray(problem.pv_kw)
    in_state = max(state.power_kw for state in machine.states.states)
    running = max((state.power_kw for state in machine.states.states if state.runs_jobs), default=0.0)
    jobs = max((max(job.options[0].power_kw) for job in problem.jobs), default=0.0)
    changing = max((change.power_kw for change in machine.states.transitions), default=0.0)
    most_kw = max(in_state, running + jobs, changing)
    return bool((base_kw >= 0.0).all() and (base_kw + most_kw <= problem.import_limit_kw).all())


def _network(states: MachineStates, per_kw: Row) -> StateNetwork:
    row = {state.name: number for number, state in enumerate(states.states)}
    changes = [
        Change(
            before=row[change.from_state],
            after=row[change.to_state],
            slots=change.slots,
            cost=_padded(_sliding(per_kw, [change.power_kw] * change.slots) + change.cost, len(per_kw) + 1),
        )
        for change in states.transitions
    ]
    last = 0 if states.at_end is None else row[states.at_end]
    if states.at_end is None:  # after the last slot every state is as good as the one asked for
        anyhow = _padded(np.zeros(1), len(per_kw) + 1)[::-1]
        changes += [Change(before=state, after=last, slots=0, cost=anyhow) for state in range(1, len(row))]
    return StateNetwork(
        holding=np.outer([state.power_kw for state in states.states], per_kw),
        changes=tuple(changes),
        runs=next(number for number, state in enumerate(states.states) if state.runs_jobs),
        first=row[states.at_start],
        last=last,
    )


def _padded(row: Row, length: int) -> Row:
    """A row that goes on with inf."""
    return np.concatenate([row, np.full(length - len(row), np.inf)])[:length]


def _sliding(per_kw: Row, power_kw: Sequence[float]) -> Row:
    """What these powers cost from each slot on, as far as they end within the horizon."""
    starts = max(0, len(per_kw) + 1 - len(power_kw))
    cost = np.zeros(starts)
    for i, power in enumerate(power_kw):
        cost += power * per_kw[i : i + starts]
    return cost


def _kinds(plant: Plant, per_kw: Row) -> tuple[tuple[JobKind, ...], tuple[tuple[int, ...], ...]]:
    """Jobs of the same length that cost the same wherever they begin are of one kind."""
    states = plant.problem.machines[0].states
    assert states is not None
    running_kw = next(state.power_kw for state in states.states if state.runs_jobs)
    alike: dict[tuple[int, bytes, float | None], list[int]] = {}
    costs: dict[tuple[int, bytes, float | None], Row] = {}
    for row, job in enumerate(plant.problem.jobs):
        power_kw = [running_kw + power for power in job.options[0].power_kw]
        price = _prices(plant, row, len(power_kw))
        free = len(set(power_kw)) == 1 and len(price) > 0 and np.ptp(price) == 0.0
        cost = _sliding(per_kw, power_kw) + price
        key = (len(power_kw), cost.tobytes(), power_kw[0] if free else None)
        alike.setdefault(key, []).append(row)
        costs[key] = cost
    kinds = tuple(
        JobKind(slots=key[0], count=len(rows), cost=costs[key], group=_group(key[2], alike))
        for key, rows in alike.items()
    )
    return kinds, tuple(tuple(rows) for rows in alike.values())


def _group(power_kw: float | None, alike: dict[tuple[int, bytes, float | None], list[int]]) -> int | None:
    """The number of a power among all those of jobs that may run anywhere."""
    return None if power_kw is None else sorted({key[2] for key in alike if key[2] is not None}).index(power_kw)


def _prices(plant: Plant, row: int, slots: int) -> Row:
    """What hangs on each start of a job alone; inf where it may not begin."""
    starts, job = plant.starts[row], plant.problem.jobs[row]
    price = np.full(max(0, plant.slots + 1 - slots), np.inf)
    price[starts.slot] = starts.price
    if job.latest_start is not None and job.fixed is None:
        price[job.latest_start + 1 :] = np.inf
    return price

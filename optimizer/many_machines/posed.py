"""Which problems are a hall of machines that each hold several jobs, and what they are in arrays.

All that is drawn is imported, and a kWh costs the same whoever draws it, so each job costs what its own start says. What
a job needs is the same on every machine it may run on; a machine is off or on, and changes between two slots. Any rule
beyond that (a battery, a demand charge, an order of jobs, people …) is for the general program.

This looks at the problem itself and not at its starts: thousands of jobs on a hundred machines have tens of millions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy.model.calendar import Attended
from energy.model.problem import MachineStates, Option, Placement, Problem, ProblemJob, ProblemMachine, Resource
from optimizer.many_machines.hall import Bools, Floats, Hall, Home, Placed
from optimizer.many_machines.states import busy, cheapest_states
from optimizer.structure import only

# What each noun may say here; all else must be as by default.
PROBLEM = frozenset(
    {
        *("format", "site", "currency", "zone", "start", "step_minutes", "slots", "machines", "jobs", "rosters"),
        *("shifts", "base_load_kw", "pv_kw", "import_limit_kw", "export_limit_kw", "import_price", "export_price"),
        *("price_published", "carbon_kg_per_kwh", "carbon_basis", "carbon_price_per_kg", "least_gain", "notes"),
        *("base_load_band", "pv_band", "import_price_band", "scenarios", "sober_prices"),
    }
)
MACHINE = frozenset({"id", "name", "group", "closed", "capacity", "resources", "states"})
JOB = frozenset(
    {
        *("id", "name", "options", "as_is", "in_force", "offered", "fixed", "earliest", "latest_start", "must_end"),
        *("due", "late_per_hour", "priority", "family", "move_price", "change_offer_price", "accepted"),
        "break_accepted_price",
    }
)
OPTION = frozenset({"machine", "power_kw", "mode", "also", "quantity", "uses"})
USE = frozenset({"resource", "amount"})
SHIFT = frozenset({"name", "start", "end"})
MANY_STARTS = 30_000  # fewer are for the general program, which proves more
NUMBER = ""  # the resource that the number of jobs at a time is


@dataclass(frozen=True, eq=False)
class ManyMachines:
    """A problem as a hall, and the way back."""

    problem: Problem
    hall: Hall
    other_cost: float  # of base load, standby and places that are not kept

    @property
    def given(self) -> Placed:
        """Where the jobs stand before any planning."""
        return _placed(self.problem, [job.fixed or job.in_force for job in self.problem.jobs])

    def placed(self, placements: Sequence[Placement]) -> Placed:
        """Places as a plan; a job that none of them names stands nowhere."""
        place = {p.job: p for p in placements}
        return _placed(
            self.problem, [place.get(j.id, Placement(job=j.id, machine="", start=-1)) for j in self.problem.jobs]
        )

    def placements(self, placed: Placed) -> tuple[Placement, ...]:
        """The places of a plan, in the problem's words."""
        machines = [machine.id for machine in self.problem.machines]
        return tuple(
            Placement(job=job.id, machine=machines[m], start=k, mode=_mode(job, machines[m]) or "")
            for job, m, k in zip(self.problem.jobs, placed.machine.tolist(), placed.start.tolist(), strict=True)
        )

    def states(self, placed: Placed) -> dict[str, tuple[str, ...]]:
        """When each machine with states is on, at the least cost."""
        hall = self.hall
        _, on = cheapest_states(hall.on_cost, hall.switch_on, hall.switch_off, busy(hall, placed))
        rows = {}
        for machine, row in zip(self.problem.machines, on.tolist(), strict=True):
            if machine.states is not None:
                up, down = _up(machine.states), machine.states.at_start
                rows[machine.id] = tuple(up if is_on else down for is_on in row)
        return rows


def many_machines(problem: Problem, *, many: int = MANY_STARTS) -> ManyMachines | None:
    """The problem as a hall; None where it says more, or has not that many starts."""
    if not _plain(problem) or _size(problem) < many:
        return None
    price = np.asarray(problem.import_price) + problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh)
    other = np.asarray(problem.base_load_kw) - np.asarray(problem.pv_kw)
    if not _all_imported(problem, other):
        return None
    names = sorted({resource.name for machine in problem.machines for resource in machine.resources})
    use = [_uses(job, names) for job in problem.jobs]
    if any(need is None for need in use):
        return None
    numbered = any(machine.capacity is not None for machine in problem.machines)
    need = np.array([[*(row or ()), *([1.0] if numbered else [])] for row in use])
    rows = [_Row(problem, job, price) for job in problem.jobs]
    if any(not np.isfinite(row.cost).any() for row in rows):
        return None  # where a rule has to give, the general program says which
    standby, hall_on = _states(problem, price)
    hall = Hall(
        start_cost=np.array([row.cost for row in rows]),
        duration=np.array([row.slots for row in rows], dtype=np.int64),
        need=need.reshape(len(rows), -1) if need.size else np.ones((len(rows), 1)),
        capacity=_capacity(problem, names, numbered),
        on_cost=hall_on,
        switch_on=np.array([_cost(machine, up=True) for machine in problem.machines]),
        switch_off=np.array([_cost(machine, up=False) for machine in problem.machines]),
        allowed=_allowed(problem),
        shut=_shut(problem),
        homes=_homes(problem) if any(row.leaving for row in rows) else None,
    )
    cost = float(price @ other) * problem.step_hours + standby + sum(row.leaving for row in rows)
    return ManyMachines(problem=problem, hall=hall, other_cost=cost)


def _plain(problem: Problem) -> bool:
    """Whether nothing is said that a hall does not know."""
    return (
        only(problem, PROBLEM)
        and all(only(machine, MACHINE) and _plain_machine(machine) for machine in problem.machines)
        and all(only(job, JOB) and _plain_job(problem, job) for job in problem.jobs)
        and all(only(shift, SHIFT) for shift in problem.shifts)
    )


def _plain_machine(machine: ProblemMachine) -> bool:
    """Amounts that always hold; two states, off before and after, that change between two slots."""
    states = machine.states
    if any(len(set(resource.amount)) != 1 for resource in machine.resources):
        return False
    if states is None:
        return True
    ups = [state for state in states.states if state.runs_jobs]
    down = [state.name for state in states.states if not state.runs_jobs]
    changes = {(t.from_state, t.to_state) for t in states.transitions if t.slots == 0}
    return (
        len(ups) == len(down) == 1
        and states.at_start == states.at_end == down[0]
        and changes == {(down[0], ups[0].name), (ups[0].name, down[0])}
        and len(states.transitions) == 2
    )


def _plain_job(problem: Problem, job: ProblemJob) -> bool:
    """The same power and the same use wherever it runs, one way on each machine; what is fixed lies in the horizon."""
    one = job.options[0]
    machines = [machine for option in job.options for machine in option.machines]
    alike = all(only(o, OPTION) and o.power_kw == one.power_kw and o.uses == one.uses for o in job.options)
    used = all(only(use, USE) and use.attended is Attended.RUN for use in one.uses)
    fixed = job.fixed
    inside = fixed is None or (
        0 <= fixed.start <= problem.slots - one.slots and not fixed.power_kw and fixed.mode == _mode(job, fixed.machine)
    )
    return alike and used and inside and len(machines) == len(set(machines)) and one.slots > 0


def _size(problem: Problem) -> int:
    """About how many starts there are."""
    return sum(
        len(option.machines) * max(0, min(_latest(problem, job, option)) - job.earliest + 1)
        for job in problem.jobs
        for option in job.options
    )


def _latest(problem: Problem, job: ProblemJob, option: Option) -> tuple[int, ...]:
    """The last starts that each rule allows."""
    ends = problem.slots if job.must_end is None else min(problem.slots, job.must_end)
    return (ends - option.slots, *(() if job.latest_start is None else (job.latest_start,)))


def _all_imported(problem: Problem, other_kw: Floats) -> bool:
    """Whether nothing is ever exported, whatever stands where, and the grid connection bears it all at once."""
    powers = [option.power_kw for job in problem.jobs for option in job.options[:1]]
    ups = [state.power_kw for machine in problem.machines if machine.states for state in machine.states.states]
    least = min([0.0, *(min(power) for power in powers), *ups])
    most = sum(max(power) for power in powers) + sum(ups) + float(other_kw.max(initial=0.0))
    return least >= 0.0 and bool((other_kw >= 0.0).all()) and most <= problem.import_limit_kw


class _Row:
    """A job as a row: its cost by start, and what leaving every place that it has costs."""

    def __init__(self, problem: Problem, job: ProblemJob, price: Floats) -> None:
        option = job.options[0]
        self.slots = option.slots
        power = np.asarray(option.power_kw)
        self.cost = np.full(problem.slots, np.inf)
        self.leaving = sum(gain for _, gain in _places(job))
        if job.fixed is not None:
            starts = np.array([job.fixed.start])
        else:
            starts = np.arange(max(0, job.earliest), min(_latest(problem, job, option)) + 1)
        if not len(starts):
            return
        self.cost[starts] = np.correlate(price, power, mode="valid")[starts] * problem.step_hours
        if job.due is not None:
            late = np.maximum(0, starts + self.slots - job.due) * problem.step_hours
            self.cost[starts] += late * job.late_per_hour * job.priority


def _places(job: ProblemJob) -> list[tuple[Placement, float]]:
    """Where the job stands or was offered, and what leaving that place costs."""
    stays = job.move_price + (job.break_accepted_price if job.accepted else 0.0)
    offered = [] if job.offered is None else [(job.offered, job.change_offer_price)]
    return [(place, gain) for place, gain in ((job.in_force, stays), *offered) if gain]


def _homes(problem: Problem) -> tuple[tuple[Home, ...], ...]:
    row = {machine.id: number for number, machine in enumerate(problem.machines)}
    found = []
    for job in problem.jobs:
        allowed = _Row(problem, job, np.zeros(problem.slots)).cost
        places = [(p, gain) for p, gain in _places(job) if 0 <= p.start < problem.slots and p.machine in row]
        there = [(p, gain) for p, gain in places if np.isfinite(allowed[p.start]) and p.mode == _mode(job, p.machine)]
        found.append(tuple(Home(row[place.machine], place.start, gain) for place, gain in there))
    return tuple(found)


def _mode(job: ProblemJob, machine: str) -> str | None:
    """The mode in which the job runs on a machine; None where it cannot."""
    return next((option.mode for option in job.options if machine in option.machines), None)


def _uses(job: ProblemJob, names: Sequence[str]) -> tuple[float, ...] | None:
    """How much the job needs of each resource; None where it needs one that no machine has."""
    amounts = dict.fromkeys(names, 0.0)
    for use in job.options[0].uses:
        if use.resource not in amounts:
            return None
        amounts[use.resource] += use.amount
    return tuple(amounts.values())


def _capacity(problem: Problem, names: Sequence[str], numbered: bool) -> Floats:
    """What each machine has of each resource, and how many jobs it runs at a time."""

    def amount(resources: Sequence[Resource], name: str) -> float:
        return next((resource.amount[0] for resource in resources if resource.name == name), 0.0)

    rows = []
    for machine in problem.machines:
        row = [amount(machine.resources, name) for name in names]
        if numbered:
            row.append(float(len(problem.jobs) if machine.capacity is None else machine.capacity))
        rows.append(row or [float(len(problem.jobs))])
    return np.array(rows)


def _states(problem: Problem, price: Floats) -> tuple[float, Floats]:
    """What the machines cost by standing off all the time, and what each costs more in each slot by being on."""
    standby, on = 0.0, np.zeros((len(problem.machines), problem.slots))
    for row, machine in enumerate(problem.machines):
        if machine.states is not None:
            power = {state.runs_jobs: state.power_kw for state in machine.states.states}
            on[row] = (power[True] - power[False]) * problem.step_hours * price
            standby += power[False] * problem.step_hours * float(price.sum())
    return standby, on


def _up(states: MachineStates) -> str:
    return next(state.name for state in states.states if state.runs_jobs)


def _cost(machine: ProblemMachine, *, up: bool) -> float:
    if machine.states is None:
        return 0.0
    into = _up(machine.states)
    return next(t.cost for t in machine.states.transitions if (t.to_state == into) is up)


def _allowed(problem: Problem) -> Bools | None:
    """On which machines each job may run; None where on all."""
    row = {machine.id: number for number, machine in enumerate(problem.machines)}
    allowed = np.zeros((len(problem.jobs), len(row)), dtype=np.bool_)
    for number, job in enumerate(problem.jobs):
        where = [job.fixed.machine] if job.fixed is not None else [m for o in job.options for m in o.machines]
        allowed[number, [row[machine] for machine in where]] = True
    return None if allowed.all() else allowed


def _shut(problem: Problem) -> Bools | None:
    shut = np.zeros((len(problem.machines), problem.slots), dtype=np.bool_)
    for number, machine in enumerate(problem.machines):
        for span in machine.closed:
            shut[number, max(0, span.start) : max(0, span.end)] = True
    return shut if shut.any() else None


def _placed(problem: Problem, places: Sequence[Placement]) -> Placed:
    """Places of all jobs, in the problem's order, as a plan; one outside the horizon or the plant is none."""
    row = {machine.id: number for number, machine in enumerate(problem.machines)}
    inside = [0 <= place.start < problem.slots for place in places]
    return Placed(
        machine=np.array([row.get(p.machine, -1) if fine else -1 for p, fine in zip(places, inside, strict=True)]),
        start=np.array([p.start if fine else 0 for p, fine in zip(places, inside, strict=True)], dtype=np.int64),
    )

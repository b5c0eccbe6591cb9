"""What it takes to set machines up for another family: in the slots just before the next run, and on the bill.

    load[k]  += power_kw of each setup in each of its slots: those just before the run that it is for
    SETUP     = number of times · cost, one line for each machine and change of family that costs something

The runs on a machine follow each other by their starts. A run of a family needs the setup that the machine declares from
the family of the run before (at first `family_at_start`) to its own, else the one from "" (any other) to its own; within
a family only one that is declared so. A run without a family needs none, and leaves the machine as it is set up. A run
that goes on after a pause is set up again where another family came in between.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from energy.model.plan import BillLine, LineKind
from energy.model.problem import Placement, Problem, ProblemMachine, Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setup that a run needs: from which family, what it takes, and the slot by which it is done."""

    job: str
    before: str
    setup: Setup
    done: int


def setups_powers_kw(problem: Problem, placements: Sequence[Placement]) -> Iterator[tuple[str, int, Sequence[float]]]:
    """(machine, first slot, powers) of each setup."""
    for machine in problem.machines:
        for change in setups_on(problem, placements, machine):
            slots = change.setup.slots
            yield machine.id, change.done - slots, (change.setup.power_kw,) * slots


def setup_lines(problem: Problem, placements: Sequence[Placement]) -> list[BillLine]:
    """What setups cost."""
    lines = []
    for machine in problem.machines:
        costs: dict[str, list[float]] = {}
        for change in setups_on(problem, placements, machine):
            if change.setup.cost:
                before, after = change.before, change.setup.to_family
                name = f"{machine.id} from {before} to {after}" if before else f"{machine.id} to {after}"
                costs.setdefault(name, []).append(change.setup.cost)
        lines += [
            BillLine(kind=LineKind.SETUP, name=name, quantity=float(len(each)), unit="times", amount=sum(each))
            for name, each in costs.items()
        ]
    return lines


def setups_without_time(
    problem: Problem, placements: Sequence[Placement], machine: ProblemMachine, *, kept: Collection[int] = ()
) -> dict[str, tuple[int, ...]]:
    """By job, the slots of its setups in which the machine is closed, works, or keeps (`kept`) what it has made, or that
    lie before the horizon."""
    jobs = {job.id: job for job in problem.jobs}
    here = [place for place in placements if place.machine == machine.id] if machine.setups else []
    taken = {k for place in here for k in jobs[place.job].busy(place)} | set(kept)
    taken |= {k for closed in machine.closed for k in range(closed.start, closed.end)}
    found: dict[str, tuple[int, ...]] = {}
    for change in setups_on(problem, placements, machine):
        span = range(change.done - change.setup.slots, change.done)
        lacking = tuple(k for k in span if k < 0 or k in taken)
        if len(lacking) > len(found.get(change.job, ())):
            found[change.job] = lacking
    return found


def setup_between(machine: ProblemMachine, before: str, after: str) -> Setup | None:
    """What the machine needs between two families; None where nothing."""
    declared = {(setup.from_family, setup.to_family): setup for setup in machine.setups}
    any_other = declared.get(("", after)) if before != after else None
    return declared.get((before, after), any_other) if after else None


def setups_on(problem: Problem, placements: Sequence[Placement], machine: ProblemMachine) -> Iterator[Change]:
    """The setups of a machine, in their order. What runs or has been begun before slot 0 has been set up; what begins after
    the last slot is set up by another plan."""
    if not machine.setups:
        return
    family = machine.family_at_start
    for start, row, goes_on, wanted in sorted(_stretches(problem, placements, machine)):
        if not wanted:
            continue
        setup = None if goes_on and wanted == family else setup_between(machine, family, wanted)
        if setup is not None and 0 <= start < problem.slots:
            yield Change(job=problem.jobs[row].id, before=family, setup=setup, done=start)
        family = wanted


def _stretches(
    problem: Problem, placements: Sequence[Placement], machine: ProblemMachine
) -> Iterator[tuple[int, int, bool, str]]:
    """(slot, row of the job, whether it goes on after a pause, family) of each stretch of work on a machine."""
    rows = {job.id: row for row, job in enumerate(problem.jobs)}
    for place in placements:
        if place.machine == machine.id:
            job = problem.jobs[rows[place.job]]
            busy = job.busy(place)
            for i, slot in enumerate(busy):
                if i == 0 or busy[i - 1] != slot - 1:
                    yield slot, rows[job.id], i > 0, job.family

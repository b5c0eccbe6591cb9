"""What production's own plan says of setups: how machines stand at the start, and how much of a setup it leaves no time
for."""

from collections.abc import Sequence
from dataclasses import dataclass

from energy.model.problem import Placement, Problem, ProblemMachine
from energy.planning.price_setups import Change, setups_on


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSetups:
    """A machine with setups under the given places: the family it has at slot 0, the setups that its runs need, and of
    those of which some slots are missing how many, by job."""

    family: str
    changes: tuple[Change, ...]
    missing: dict[str, int]


def given_setups(problem: Problem, placements: Sequence[Placement], machine: ProblemMachine) -> GivenSetups:
    """How a machine stands to its setups as given."""
    jobs = {job.id: job for job in problem.jobs}
    working: set[int] = set()
    family, last = machine.family_at_start, -1
    for place in placements:
        if place.machine == machine.id:
            job = jobs[place.job]
            busy = job.busy(place)
            working.update(busy)
            before = [k for k in busy if k < 0]
            if job.family and before and before[-1] >= last:
                family, last = job.family, before[-1]
    shut = {k for closed in machine.closed for k in range(closed.start, closed.end)}
    changes = tuple(setups_on(problem, placements, machine))
    missing: dict[str, int] = {}
    for change in changes:
        span = range(change.done - change.setup.slots, change.done)
        lacking = sum(1 for k in span if k < 0 or k in shut or k in working)
        if lacking:
            missing[change.job] = max(lacking, missing.get(change.job, 0))
    return GivenSetups(family=family, changes=changes, missing=missing)

"""What production's own plan says of setups: how machines stand at the start, and how much of a setup it leaves no time
for."""

from collections.abc import Sequence
from dataclasses import dataclass

from energy.model.problem import Placement, Problem, ProblemMachine
from energy.planning.price_setups import Change, setups_on, setups_without_time


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
    family, last = machine.family_at_start, -problem.slots
    for place in placements:
        job = jobs[place.job]
        before = [k for k in job.busy(place) if k < 0] if place.machine == machine.id and job.family else []
        if before and before[-1] >= last:
            family, last = job.family, before[-1]
    missing = {job: len(slots) for job, slots in setups_without_time(problem, placements, machine).items()}
    return GivenSetups(family=family, changes=tuple(setups_on(problem, placements, machine)), missing=missing)

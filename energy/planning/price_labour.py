"""What people cost more at night, on Sundays and holidays, for those whom jobs need then.

LABOUR        = Σ people · h · premium_per_hour[k] over the slots k of the horizon in which runs need them
"""

from collections.abc import Iterator, Sequence

import numpy as np

from energy.model.calendar import Attended
from energy.model.plan import BillLine, LineKind
from energy.model.problem import CrewNeed, Placement, Problem, ProblemJob


def labour_lines(problem: Problem, placements: Sequence[Placement]) -> list[BillLine]:
    """One line a skill, of the hours that cost a premium."""
    premiums = {r.skill: np.asarray(r.premium_per_hour) for r in problem.rosters if any(r.premium_per_hour)}
    if not premiums:
        return []
    people = {skill: np.zeros(problem.slots) for skill in premiums}
    jobs = {job.id: job for job in problem.jobs}
    for place in placements:
        for need in jobs[place.job].needs:
            if need.skill in people:
                people[need.skill][list(_attended(problem, jobs[place.job], place, need))] += need.people
    hours = {skill: problem.step_hours * row * (premiums[skill] > 0.0) for skill, row in people.items()}
    return [
        BillLine(
            kind=LineKind.LABOUR,
            name=f"{skill} at a premium",
            quantity=float(np.sum(row)),
            unit="h",
            amount=float(row @ premiums[skill]),
        )
        for skill, row in hours.items()
        if row.any()
    ]


def _attended(problem: Problem, job: ProblemJob, place: Placement, need: CrewNeed) -> Iterator[int]:
    """The slots of the horizon in which a run needs its people."""
    slots: Sequence[int] = job.busy(place)
    if need.attended is not Attended.RUN and slots:
        slots = sorted({slots[0], slots[0] if need.attended is Attended.START else slots[-1]})
    return (k for k in slots if 0 <= k < problem.slots)

"""How the auditor speaks: local times, job names, and runs of slots in which a rule is broken."""

from collections.abc import Sequence

from energy.clock import local
from energy.model.problem import Problem, ProblemJob


def when(problem: Problem, slot: int) -> str:
    """The start of a slot as the plant's clock shows it: "Wed 20 May 06:15"."""
    return f"{local(problem.horizon.time_of(slot), problem.zone):%a %d %b %H:%M}"


def span(problem: Problem, slots: int) -> str:
    """A number of slots as people say it: "45 min", "3 h", "1 h 15 min"."""
    hours, minutes = divmod(slots * problem.step_minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def name_of(job: ProblemJob) -> str:
    return f"{job.name} ({job.id})" if job.name and job.name != job.id else job.id


def runs_of(sizes: Sequence[float]) -> list[tuple[int, tuple[float, ...]]]:
    """The runs of slots whose size is above zero: (first slot, sizes)."""
    runs: list[tuple[int, tuple[float, ...]]] = []
    for k, size in enumerate(sizes):
        if size > 0.0:
            if runs and runs[-1][0] + len(runs[-1][1]) == k:
                runs[-1] = (runs[-1][0], (*runs[-1][1], size))
            else:
                runs.append((k, (size,)))
    return runs

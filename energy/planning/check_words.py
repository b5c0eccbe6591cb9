"""How the auditor speaks: local times, job names, and runs of slots in which a rule is broken."""

from collections.abc import Iterator, Sequence

from energy.clock import local
from energy.model.plan import Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob

SLACK = 1e-4  # kW or kWh: what a solver may be off, and no meter can see


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


def end_of(place: Placement, option: Option) -> int:
    """The slot after the last one of a run as placed, its pauses included."""
    return place.start + len(place.power_kw or option.power_kw)


def busy_of(place: Placement, option: Option) -> list[int]:
    """The slots in which a run as placed holds its machine and its crew: not the pauses of one that may be
    interrupted."""
    powers = place.power_kw or option.power_kw
    pausing = option.interruptible is not None
    return [place.start + i for i, kw in enumerate(powers) if kw > 0.0 or not pausing]


def elsewhere(place: Placement, other: Placement, option: Option) -> bool:
    """Whether a job runs elsewhere, at another time or with other pauses; another power alone is no move."""
    if (place.machine, place.mode, place.start) != (other.machine, other.mode, other.start):
        return True
    if option.interruptible is None:
        return False
    here, there = (p.power_kw or option.power_kw for p in (place, other))
    return [kw > 0 for kw in here] != [kw > 0 for kw in there]


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


def over(value: float, limit: float) -> float:
    """By how much a value is above a limit; nothing within what nobody can see."""
    return value - limit if value - limit > SLACK else 0.0


def slots_over(
    problem: Problem, rule: str, subject: str, above: Sequence[float], what: str, *, unit: str = "kW"
) -> Iterator[Violation]:
    """One violation for each run of slots in which a rule is broken."""
    for first, sizes in runs_of(above):
        ends = when(problem, first + len(sizes))
        said = f"{when(problem, first)} to {ends}: {what}, by up to {max(sizes):.4g} {unit}".rstrip()
        yield Violation(rule=rule, subject=subject, slot=first, what=said, size=max(sizes), unit=unit, by_slot=sizes)

"""How a plan is spoken about: names, local times, spans and money."""

from collections.abc import Sequence

from energy.clock import local
from energy.model.problem import Problem, ProblemJob, ProblemMachine

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES


def name_of(job: ProblemJob) -> str:
    return job.name or job.id


def machine_name(problem: Problem, id: str) -> str:
    machine: ProblemMachine | None = next((m for m in problem.machines if m.id == id), None)
    return (machine.name or machine.id) if machine else id


def clock(problem: Problem, slot: int, near: int) -> str:
    """A local time, with its weekday where that is another day than the slot it is told beside."""
    t = local(problem.horizon.time_of(slot), problem.zone)
    beside = local(problem.horizon.time_of(near), problem.zone)
    return t.strftime("%H:%M") if t.date() == beside.date() else t.strftime("%a %H:%M")


def day_clock(problem: Problem, slot: int) -> str:
    """A local time, always with its weekday, and with its date where the horizon holds a weekday twice."""
    t = local(problem.horizon.time_of(slot), problem.zone)
    return t.strftime("%a %H:%M" if problem.slots * problem.step_minutes < WEEK_MINUTES else "%a %d %b %H:%M")


def first_clock(problem: Problem, slot: int) -> str:
    """The first local time of a sentence: with its weekday where the horizon is longer than a day."""
    if problem.slots * problem.step_minutes > DAY_MINUTES:
        return day_clock(problem, slot)
    return clock(problem, slot, slot)


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"


def money(problem: Problem, amount: float) -> str:
    return f"{amount:,.0f} {problem.currency}" if abs(amount) >= 10 else f"{amount:.2f} {problem.currency}"

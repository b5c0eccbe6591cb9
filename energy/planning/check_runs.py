"""Does a run look as it may? Powers within their bounds and with the energy of the option, pauses as agreed, jobs left
out only where they may be; recomputed in plain loops from the problem and the plan's own numbers."""

from collections.abc import Iterator, Mapping
from math import isfinite

from energy.model.plan import LineKind, Violation
from energy.model.problem import Adjustable, Interruptible, Option, Placement, Problem, ProblemJob
from energy.planning.check_words import end_of, name_of, span, when

SLACK = 1e-4  # kW, or kW times slots: what a solver may be off, and no meter can see

Placed = Mapping[str, tuple[ProblemJob, Placement, Option]]
Line = tuple[LineKind, str, float, str, float]  # kind, name, quantity, unit, amount


def check_run(problem: Problem, job: ProblemJob, place: Placement, option: Option) -> Iterator[Violation]:
    """The powers that a plan names are those of the option, those that adjustable power allows, or those of a run with
    allowed pauses."""
    for i, kw in enumerate(place.power_kw):
        if not isfinite(kw):
            what = f"{name_of(job)} draws {kw} kW {when(problem, place.start + i)}"
            yield _say("powers", job.id, place.start + i, what, 1.0)
            return
    powers = place.power_kw or option.power_kw
    if option.interruptible is not None:
        yield from _pauses(problem, job, place, option, option.interruptible)
        return
    if len(powers) != len(option.power_kw):
        what = f"{name_of(job)} runs for {span(problem, len(powers))}; it takes {span(problem, len(option.power_kw))}"
        yield _say("length of run", job.id, place.start, what, abs(len(powers) - len(option.power_kw)), "slots")
        return
    if option.adjustable is not None:
        yield from _bounds(problem, job, place, option, option.adjustable)
        return
    for i, kw in enumerate(powers):
        if abs(kw - option.power_kw[i]) > SLACK:
            what = f"{name_of(job)} draws {kw:.4g} kW {when(problem, place.start + i)}, not {option.power_kw[i]:.4g}"
            yield _say("powers", job.id, place.start + i, what, abs(kw - option.power_kw[i]), "kW")
            return


def _bounds(
    problem: Problem, job: ProblemJob, place: Placement, option: Option, bounds: Adjustable
) -> Iterator[Violation]:
    """The energy of the option, in powers between the bounds; outside the horizon a run draws what it was given to."""
    powers = place.power_kw or option.power_kw
    given = _given_kw(job, place, option)
    worst = missed = 0.0
    worst_at = missed_at = place.start
    for i, kw in enumerate(powers):
        k = place.start + i
        if 0 <= k < problem.slots:
            over = max(kw - bounds.most_kw, bounds.least_kw - kw)
            if over > worst:
                worst, worst_at = over, k
        elif abs(kw - given[i]) > missed:
            missed, missed_at = abs(kw - given[i]), k
    if worst > SLACK:
        kw = powers[worst_at - place.start]
        allowed = f"{bounds.least_kw:.4g} to {bounds.most_kw:.4g} kW are allowed"
        what = f"{name_of(job)} draws {kw:.4g} kW {when(problem, worst_at)}; {allowed}"
        yield _say("power bounds", job.id, worst_at, what, worst, "kW")
    if missed > SLACK:
        what = f"{name_of(job)} draws another power {when(problem, missed_at)}, outside the horizon, than it was given"
        yield _say("power outside the horizon", job.id, missed_at, what, missed, "kW")
    total, asked = sum(powers), sum(option.power_kw)
    if abs(total - asked) > SLACK * max(1.0, abs(asked)):
        kwh, needed = total * problem.step_hours, asked * problem.step_hours
        what = f"{name_of(job)} draws {kwh:.6g} kWh in all; its run takes {needed:.6g} kWh"
        yield _say("energy of run", job.id, place.start, what, abs(kwh - needed), "kWh")


def _given_kw(job: ProblemJob, place: Placement, option: Option) -> tuple[float, ...]:
    """The powers that a run has without any planning."""
    for given in (job.fixed, job.in_force):
        if given is not None and (given.machine, given.mode, given.start) == (place.machine, place.mode, place.start):
            return given.power_kw or option.power_kw
    return option.power_kw


def _pauses(
    problem: Problem, job: ProblemJob, place: Placement, option: Option, may: Interruptible
) -> Iterator[Violation]:
    """A run that may pause works for the slots of its option in all, at its power, in stretches long enough."""
    powers = place.power_kw or option.power_kw
    full = option.power_kw[0]
    off = max(min(abs(kw), abs(kw - full)) for kw in powers)
    if off > SLACK:
        what = f"{name_of(job)} draws other powers than {full:.4g} kW, or nothing in a pause"
        yield _say("powers", job.id, place.start, what, off, "kW")
    works = sum(1 for kw in powers if kw > 0.0)
    if works != len(option.power_kw):
        what = f"{name_of(job)} runs for {span(problem, works)} in all; it takes {span(problem, len(option.power_kw))}"
        yield _say("length of run", job.id, place.start, what, abs(works - len(option.power_kw)), "slots")
    stretches = _stretches(powers)
    if not stretches[0][0] or not stretches[-1][0]:
        yield _say("pauses", job.id, place.start, f"{name_of(job)} pauses before it starts or after it has ended")
    runs = [length for working, length in stretches if working]
    pauses = [length for working, length in stretches if not working]
    short = [length for length in runs if length < may.least_run_slots]
    if short:
        least = span(problem, may.least_run_slots)
        what = f"{name_of(job)} runs for {span(problem, min(short))} at a time; at least {least} it must"
        size = may.least_run_slots - min(short)
        yield _say("least run", job.id, place.start, what, size, "slots")
    if pauses and max(pauses) > may.longest_pause_slots:
        most = span(problem, may.longest_pause_slots)
        what = f"{name_of(job)} pauses for {span(problem, max(pauses))}; at most {most} it may"
        yield _say("longest pause", job.id, place.start, what, max(pauses) - may.longest_pause_slots, "slots")
    if len(pauses) > may.most_pauses:
        what = f"{name_of(job)} pauses {len(pauses)} times; at most {may.most_pauses} it may"
        yield _say("pauses", job.id, place.start, what, len(pauses) - may.most_pauses, "pauses")


def _stretches(powers: tuple[float, ...]) -> list[tuple[bool, int]]:
    """(working or not, slots) of each stretch of a run."""
    found: list[tuple[bool, int]] = []
    for kw in powers:
        if found and found[-1][0] == (kw > 0.0):
            found[-1] = (kw > 0.0, found[-1][1] + 1)
        else:
            found.append((kw > 0.0, 1))
    return found


def restart_lines(placed: Placed) -> Iterator[Line]:
    """What the restarts of interrupted runs cost, all in one line."""
    count = amount = 0.0
    for _, place, option in placed.values():
        if option.interruptible is not None:
            pauses = sum(1 for working, _ in _stretches(place.power_kw or option.power_kw) if not working)
            count += pauses
            amount += pauses * option.interruptible.restart_cost
    if count:
        yield LineKind.START, "restarts", count, "restarts", amount


def left_out_lines(problem: Problem, placed: Placed) -> Iterator[Line]:
    """The value of each optional job that is not done."""
    for job in problem.jobs:
        if job.value is not None and job.id not in placed:
            yield LineKind.LEFT_OUT, job.id, 1.0, "jobs", job.value


def late_orders(problem: Problem, placed: Placed) -> Iterator[Line]:
    """An order is late by the hours from its due time to the end of its last run, and what it rests after that."""
    for order in problem.orders:
        ends = [
            end_of(place, option) + order.rest_slots
            for peg in order.pegs
            if peg.job in placed
            for _, place, option in (placed[peg.job],)
        ]
        if order.due is not None and ends and max(ends) > order.due:
            hours = (max(ends) - order.due) * problem.step_hours
            yield LineKind.LATE, order.id, hours, "h", hours * order.late_per_hour * order.priority


def _say(rule: str, subject: str, slot: int, what: str, size: float = 1.0, unit: str = "") -> Violation:
    return Violation(rule=rule, subject=subject, slot=slot, what=what, size=float(size), unit=unit)

"""The tables of `loadstone why`: each as text, and as plain data for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from energy.model.plan import GaveWay, Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.elsewhere import Span, at_place, spans
from energy.planning.explain import Reason
from energy.planning.plant_words import day_clock, machine_name, money, name_of
from optimizer.bottlenecks import bottlenecks
from optimizer.cures import costs_more_at
from optimizer.why import Against, against, place_words, span_of, stays, why_each

Told = tuple[dict[str, Any], list[str]]


def each_table(problem: Problem, plan: Plan, *, seconds: float) -> Told:
    """Every job: what its move gains, or why it stays; then what keeps jobs against facts."""
    moved, stay = why_each(problem, plan)
    held = against(problem, plan, seconds=seconds)
    lines = [f"{len(moved)} of {len(problem.jobs)} jobs move" + (f"; gains in {problem.currency}:" if moved else ".")]
    if moved:
        lines += ["", *_moves(problem, plan, moved), ""]
        lines += [f"  {reason.sentence}" for reason in moved]
    if stay:
        lines += ["", "Why the others stay:", *(f"  {each.sentence}" for each in stay)]
    lines += held_lines(problem, held)
    return {"moved": moved, "stay": stay, "against": held}, lines


def _moves(problem: Problem, plan: Plan, moved: Sequence[Reason]) -> list[str]:
    places = {place.job: place for place in plan.placements}
    head = ["job", "from", "to", "energy", "peak", "carbon", "labour", "sum", "next best", "costs more"]
    rows = []
    for reason in moved:
        job, gain = problem.job(reason.job), reason.gain
        amounts = [f"{x:,.2f}" for x in (gain.energy, gain.peak, gain.carbon, gain.labour, gain.money)]
        old, new = (_where(problem, job, place) for place in (job.in_force, places[job.id]))
        best = "none" if reason.next_best is None else _where(problem, job, reason.next_best)
        costs = "" if reason.next_best is None else f"{reason.next_best_costs:+,.2f}"
        rows.append([name_of(job), old, new, *amounts, best, costs])
    return table(head, rows, right={3, 4, 5, 6, 7, 9})


def _where(problem: Problem, job: ProblemJob, place: Placement) -> str:
    """A place, with its machine where the job may run on several."""
    several = len({machine for option in job.options for machine in option.machines}) > 1
    return place_words(problem, place) if several else day_clock(problem, max(0, place.start))


def held_lines(problem: Problem, held: Sequence[Against]) -> list[str]:
    """What keeps jobs against facts, and what would cure it."""
    lines = []
    for one in held:
        lines += ["", f"What cannot be: {one.sentence}"]
        if one.cures:
            lines.append("What would cure it:")
        lines += [f"  {cure_words(problem, cure)}" for cure in one.cures]
    return lines


def cure_words(problem: Problem, cure: GaveWay) -> str:
    """A rule that would give, by how much, at what price."""
    return f"{cure.rule}: {cure.by} ({round(cure.price, 2) + 0.0:+,.2f} {problem.currency})"


def job_table(problem: Problem, plan: Plan, job: ProblemJob, *, machine: str | None, slot: int | None) -> Told:
    """One job: why it stands where it does, and every other place (or the one that is asked about)."""
    moved, _ = why_each(problem, plan) if _moves_in(plan, job) else ([], [])
    reason = next((r for r in moved if r.job == job.id), None)
    why = reason if reason is not None else stays(problem, plan, job)
    lines = [why.sentence]
    if slot is None:
        found = [span for span in spans(problem, plan, job) if machine in (None, span.machine)]
    else:
        found = [
            at_place(problem, plan, job, Placement(job=job.id, machine=each, start=slot, mode=option.mode))
            for option in job.options
            for each in option.machines
            if machine in (None, each)
        ]
    found = [_billed(problem, plan, job, span) for span in found]
    for on in dict.fromkeys((span.machine, span.mode) for span in found):
        lines += ["", f"Starts on {machine_name(problem, on[0])}{f' in mode {on[1]}' if on[1] else ''}:"]
        lines += _spans(problem, [span for span in found if (span.machine, span.mode) == on])
    return {"job": job.id, "why": why, "places": found}, lines


def _billed(problem: Problem, plan: Plan, job: ProblemJob, span: Span) -> Span:
    """A free span whose best start is priced by the whole bill, and not around the job alone."""
    if span.cheapest is None or span.planned:
        return span
    place = Placement(job=job.id, machine=span.machine, start=span.cheapest, mode=span.mode)
    return replace(span, costs_more=costs_more_at(problem, plan, place))


def _moves_in(plan: Plan, job: ProblemJob) -> bool:
    return any(place.job == job.id and job.is_moved(place, job.in_force) for place in plan.placements)


def _spans(problem: Problem, found: Sequence[Span]) -> list[str]:
    rows = []
    for span in found:
        if span.planned:
            rows.append([">", span_of(problem, span), "planned", ""])
        elif not span.free:
            rows.append([" ", span_of(problem, span), "no", span.obstacle])
        else:
            assert span.cheapest is not None and span.costs_more is not None  # of a span that is free
            best = f", best at {day_clock(problem, span.cheapest)}" if span.first != span.last else ""
            note = f"; {span.note}" if span.note else ""
            rows.append([" ", span_of(problem, span), "free", f"{_more(problem, span.costs_more)}{best}{note}"])
    return table(None, rows, right=set())


def _more(problem: Problem, costs_more: float) -> str:
    if abs(costs_more) < 0.005:
        return "costs the same"
    return f"costs {money(problem, abs(costs_more))} {'more' if costs_more > 0 else 'less'}"


def more_room_table(problem: Problem, plan: Plan, *, seconds: float) -> Told:
    """What stands in the way of better, as money."""
    found = bottlenecks(problem, plan, seconds=seconds)
    lines = ["What more room would gain (found by planning again from this plan):"]
    if found.again_gains >= 0.005:
        lines.append(f"  planning again as it is gains {money(problem, found.again_gains)}, which is in none of these")
    rows = []
    for one in found.found:
        proven = "" if one.at_most is None else f"proven to be at most {money(problem, one.at_most)}"
        jobs = f"{one.fewer_broken} job{'s' * (one.fewer_broken > 1)} fewer against a fact" if one.fewer_broken else ""
        rows.append([one.words, money(problem, one.gains), "; ".join(part for part in (jobs, proven) if part)])
    lines += table(None, rows, right={1}) or ["  nothing of what is tight"]
    if found.of_no_use:
        lines.append(f"Of no use: {', '.join(found.of_no_use)}")
    if found.not_looked_at:
        lines.append(f"Not looked at, for want of time (--seconds): {', '.join(found.not_looked_at)}")
    return {"more_room": found}, lines


def table(head: Sequence[str] | None, rows: Sequence[Sequence[str]], *, right: set[int]) -> list[str]:
    """Rows as aligned text."""
    every = [*([head] if head is not None and rows else []), *rows]
    if not every:
        return []
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]


def said(problem: Problem, told: Any) -> Any:
    """Plain data: nouns as objects, slots with their times beside them."""
    if isinstance(told, Placement):
        placed = {key: value for key, value in asdict(told).items() if value not in ("", ())}
        return {**placed, "time": _time(problem, told.start)}
    if isinstance(told, Span):
        times = {"first_time": _time(problem, told.first), "last_time": _time(problem, told.last)}
        return {**asdict(told), **times}
    if is_dataclass(told):
        return {field.name: said(problem, getattr(told, field.name)) for field in fields(told)}
    if isinstance(told, Mapping):
        return {key: said(problem, value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [said(problem, value) for value in told]
    return told


def _time(problem: Problem, slot: int) -> str:
    time: datetime = problem.horizon.time_of(slot)
    return time.isoformat()

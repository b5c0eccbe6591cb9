"""A contradiction of several jobs, told in the plant's words."""

from collections.abc import Sequence

import numpy as np

from energy.model.problem import Problem, ProblemJob
from energy.planning.plant_words import day_clock, listed, machine_name, name_of, span
from optimizer.competing_rules import Rule
from optimizer.starts import Mask

ENDS = {"must_end", "latest_start", "order end"}
MOST_PIECES = 4  # free times that are told one by one


def sentence(problem: Problem, jobs: Sequence[ProblemJob], rules: Sequence[Rule], *, smallest: bool) -> str:
    """What the jobs need together, and what there is of it; else the rules one by one."""
    told = _of_machines(problem, jobs, rules) or _rule_by_rule(problem, jobs, rules)
    return told if smallest else f"{told} (as far as the time went; there may be a smaller reason)"


def _of_machines(problem: Problem, jobs: Sequence[ProblemJob], rules: Sequence[Rule]) -> str | None:
    """Jobs that need more of their machines than there is between the first start and the last end."""
    shared = [rule.about for rule in rules if rule.kind == "machine"]
    plain = {"machine", "closed", "earliest", "latest_start", "must_end", "order end"}
    alike = all(set(option.machines) <= set(shared) for job in jobs for option in job.options)
    if (
        not shared
        or not alike
        or not all(_plain(problem, id) for id in shared)
        or any(rule.kind not in plain for rule in rules)
    ):
        return None
    first, end = _window(problem, jobs, rules)
    open_ = _open(problem, shared)
    needs = sum(min(option.slots for option in job.options) for job in jobs)
    machine = listed([machine_name(problem, id) for id in shared])
    names, minutes = listed([name_of(job) for job in jobs]), problem.step_minutes
    is_ = "is" if len(shared) == 1 else "are"
    free = int(open_[:, first:end].sum())
    when = f"between {day_clock(problem, first)} and {day_clock(problem, end)}"
    text = (
        f"{names} need {machine} for {span(needs * minutes)} {when}, when {'it' if is_ == 'is' else 'they'} {is_} free"
    )
    if needs > free:
        return f"{text} for {span(free * minutes)}"
    pieces = _pieces(problem, open_[0], first, end) if len(shared) == 1 else []
    if 1 < len(pieces) <= MOST_PIECES:
        each = listed([f"{name_of(job)} {span(min(o.slots for o in job.options) * minutes)}" for job in jobs])
        return f"{text} only {listed(pieces)} ({each})"
    return None


def _plain(problem: Problem, machine: str) -> bool:
    """Whether a machine runs one job at a time."""
    return any(m.id == machine and m.capacity == 1 and m.batch is None for m in problem.machines)


def _window(problem: Problem, jobs: Sequence[ProblemJob], rules: Sequence[Rule]) -> tuple[int, int]:
    """From the first start to the last end that the rules of the set leave to the jobs."""
    kept = {(rule.kind, rule.about) for rule in rules}
    firsts, ends = [], []
    for job in jobs:
        longest = max(option.slots for option in job.options)
        firsts.append(job.earliest if ("earliest", job.id) in kept else 0)
        last = [job.must_end] if ("must_end", job.id) in kept else []
        last += [(job.latest_start or 0) + longest] if ("latest_start", job.id) in kept else []
        last += [
            order.must_end - order.rest_slots
            for order in problem.orders
            if ("order end", order.id) in kept and order.must_end is not None
            if any(peg.job == job.id for peg in order.pegs)
        ]
        ends.append(min([problem.slots, *(end for end in last if end is not None)]))
    return max(0, min(firsts)), max(ends)


def _open(problem: Problem, machines: Sequence[str]) -> Mask:
    """The slots in which each of the machines is open."""
    open_ = np.ones((len(machines), problem.slots), dtype=np.bool_)
    for row, id in enumerate(machines):
        for machine in problem.machines:
            for closed in machine.closed if machine.id == id else ():
                open_[row, max(0, closed.start) : max(0, closed.end)] = False
    return open_


def _pieces(problem: Problem, open_: Mask, first: int, end: int) -> list[str]:
    """The open times in a span, one by one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], open_[first:end], [False]]).astype(np.int64)))
    return [
        f"from {day_clock(problem, first + int(a))} to {day_clock(problem, first + int(b))}"
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _rule_by_rule(problem: Problem, jobs: Sequence[ProblemJob], rules: Sequence[Rule]) -> str:
    names = listed([f"{name_of(job)} ({_length(problem, job)})" for job in jobs])
    cannot = f"{names} cannot all be placed" if len(jobs) > 1 else f"{names} cannot be placed"
    words = [rule.words for rule in rules]
    kinds = {rule.kind for rule in rules}
    if kinds & {"machine", "crew", "resource"} and not kinds & ENDS:
        words.append(f"the planned time ends at {day_clock(problem, problem.slots)}")
    return f"{cannot}: {'; '.join(words)}" if words else cannot


def _length(problem: Problem, job: ProblemJob) -> str:
    return span(min(option.slots for option in job.options) * problem.step_minutes)

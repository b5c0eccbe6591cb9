"""What a problem may say of the ways to run a job, of optional jobs, orders, recurring jobs and pieces in one order."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from energy.model.problem import Option, Problem, ProblemJob, ProblemOrder, Recurring, SameOrder
from energy.planning.sound_words import Say, at_least_zero, finite, known, unique

NEAR = 1e-9


def mistakes(problem: Problem, say: Say) -> None:
    """All mistakes in these nouns."""
    machines = [machine.id for machine in problem.machines]
    for i, job in enumerate(problem.jobs):
        for j, option in enumerate(job.options):
            _option(option, machines, f"jobs[{i}].options[{j}]", say)
        _ways(job, f"jobs[{i}].options", say)
        _job(job, f"jobs[{i}]", say)
    jobs = {job.id: job for job in problem.jobs}
    for i, order in enumerate(problem.orders):
        _order(order, jobs, f"orders[{i}]", say)
    unique([order.id for order in problem.orders], "orders", "id", say)
    for i, rule in enumerate(problem.recurring):
        _recurring(problem, rule, jobs, f"recurring[{i}]", say)
    unique([rule.name for rule in problem.recurring], "recurring", "name", say)
    for i, same in enumerate(problem.same_order):
        _same_order(same, jobs, f"same_order[{i}]", say)
    unique([same.name for same in problem.same_order], "same_order", "name", say)


def _ways(job: ProblemJob, at: str, say: Say) -> None:
    """A machine and mode say how a job runs; so each may stand there only once."""
    seen: dict[str, int] = {}
    for j, option in enumerate(job.options):
        for way in (f"{machine} {option.mode}".rstrip() for machine in option.machines):
            if way in seen:
                say(f"{at}[{j}]", f"same machine and mode {way!r} as {at}[{seen[way]}]")
            seen.setdefault(way, j)


def _option(option: Option, machines: Sequence[str], at: str, say: Say) -> None:
    for k, machine in enumerate(option.also):
        known(machine, machines, "machine", f"{at}.also[{k}]", say)
    at_least_zero(option.quantity, f"{at}.quantity", say)
    if option.adjustable is not None and option.interruptible is not None:
        say(at, "is adjustable and interruptible; a run can be one of the two")
    _adjustable(option, f"{at}.adjustable", say)
    _interruptible(option, at, say)


def _adjustable(option: Option, at: str, say: Say) -> None:
    bounds = option.adjustable
    if bounds is None:
        return
    at_least_zero(bounds.least_kw, f"{at}.least_kw", say)
    at_least_zero(bounds.most_kw, f"{at}.most_kw", say)
    if bounds.most_kw < bounds.least_kw:
        say(f"{at}.most_kw", f"{bounds.most_kw:g} is less than least_kw ({bounds.least_kw:g})")
        return
    for k, kw in enumerate(option.power_kw):
        if kw < bounds.least_kw - NEAR or kw > bounds.most_kw + NEAR:
            what = f"power_kw[{k}] is {kw:g}, outside {bounds.least_kw:g} to {bounds.most_kw:g}"
            say(at, f"{what}; without a plan the run draws its own powers")
            return


def _interruptible(option: Option, where: str, say: Say) -> None:
    may, at = option.interruptible, f"{where}.interruptible"
    if may is None:
        return
    at_least_zero(may.restart_cost, f"{at}.restart_cost", say)
    for name in ("least_run_slots", "longest_pause_slots", "most_pauses"):
        value: int = getattr(may, name)
        if value < 1:
            say(f"{at}.{name}", f"{value} is too little; there must be at least 1")
    if option.slots < may.least_run_slots:
        say(f"{at}.least_run_slots", f"{may.least_run_slots} is longer than the whole run ({option.slots})")
    if option.power_kw and (min(option.power_kw) <= 0.0 or max(option.power_kw) - min(option.power_kw) > NEAR):
        say(f"{where}.power_kw", "a run that may pause draws one and the same power above 0 in all its slots")


def _job(job: ProblemJob, at: str, say: Say) -> None:
    at_least_zero(job.priority, f"{at}.priority", say)
    at_least_zero(job.value, f"{at}.value", say)
    if job.latest_start is not None and job.fixed is None and job.latest_start < job.earliest:
        say(f"{at}.latest_start", f"{job.latest_start} is before earliest ({job.earliest})")
    for name in ("as_is", "in_force", "offered", "fixed"):
        place = getattr(job, name)
        for k, kw in enumerate(place.power_kw if place is not None else ()):
            at_least_zero(kw, f"{at}.{name}.power_kw[{k}]", say)
        options = [o for o in job.options if place and place.machine in o.machines and place.mode == o.mode]
        if place is None or not place.power_kw or not options:
            continue
        option = options[0]
        if option.adjustable is None and option.interruptible is None and place.power_kw != option.power_kw:
            say(f"{at}.{name}.power_kw", "differs from its option, which is neither adjustable nor interruptible")
        elif option.interruptible is None and len(place.power_kw) != option.slots:
            say(f"{at}.{name}.power_kw", f"has {len(place.power_kw)} values; the run has {option.slots} slots")
        elif option.interruptible is not None and not any(kw > 0 for kw in place.power_kw):
            say(f"{at}.{name}.power_kw", "never runs")


def _order(order: ProblemOrder, jobs: dict[str, ProblemJob], at: str, say: Say) -> None:
    if order.id in jobs:
        say(f"{at}.id", f"{order.id!r} is the id of a job too; the bill could not tell them apart")
    if not order.pegs:
        say(f"{at}.pegs", "an order needs at least one job that makes something for it")
    for k, peg in enumerate(order.pegs):
        known(peg.job, jobs, "job", f"{at}.pegs[{k}].job", say)
        if finite(peg.share, f"{at}.pegs[{k}].share", say) and not 0.0 < peg.share <= 1.0:
            say(f"{at}.pegs[{k}].share", f"{peg.share:g} is no share; it lies above 0 and at most at 1")
    unique([peg.job for peg in order.pegs], f"{at}.pegs", "job", say)
    for name in ("quantity", "late_per_hour", "priority"):
        at_least_zero(getattr(order, name), f"{at}.{name}", say)
    if order.rest_slots < 0:
        say(f"{at}.rest_slots", f"{order.rest_slots} is negative")
    pegged = [(peg, jobs[peg.job]) for peg in order.pegs if peg.job in jobs]
    most = sum(peg.share * max((o.quantity for o in job.options), default=0.0) for peg, job in pegged)
    if isfinite(most) and most < order.quantity - NEAR * max(1.0, order.quantity):
        say(f"{at}.quantity", f"{order.quantity:g} is more than its jobs can make, which is {most:g}")
    if order.must_end is not None:
        for _, job in pegged:
            least = min((o.slots for o in job.options), default=0)
            if job.fixed is None and job.value is None and job.earliest + least + order.rest_slots > order.must_end:
                ready = job.earliest + least + order.rest_slots
                say(
                    f"{at}.must_end",
                    f"{order.must_end} cannot be kept: {job.id} is ready in slot {ready} at the soonest",
                )


def _recurring(problem: Problem, rule: Recurring, jobs: dict[str, ProblemJob], at: str, say: Say) -> None:
    for k, id in enumerate(rule.jobs):
        known(id, jobs, "job", f"{at}.jobs[{k}]", say)
    unique(rule.jobs, f"{at}.jobs", "job", say)
    if rule.least_slots < 0:
        say(f"{at}.least_slots", f"{rule.least_slots} is negative; the jobs come in the order given")
    if rule.most_slots is not None and rule.most_slots < rule.least_slots:
        say(f"{at}.most_slots", f"{rule.most_slots} is less than least_slots ({rule.least_slots})")
        return
    for one, other in pairwise(rule.jobs):
        if one in jobs and other in jobs:
            _lag(problem, rule, jobs[one], jobs[other], at, say)


def _lag(problem: Problem, rule: Recurring, one: ProblemJob, other: ProblemJob, at: str, say: Say) -> None:
    """Windows of two consecutive jobs that no lag between them fits."""
    if any(job.fixed is not None or job.value is not None for job in (one, other)):
        return
    if one.earliest + rule.least_slots > _latest(problem, other):
        say(at, f"{other.id} cannot start {rule.least_slots} slots after {one.id}: its window ends before")
    if rule.most_slots is not None and _latest(problem, one) + rule.most_slots < other.earliest:
        say(at, f"{other.id} cannot start within {rule.most_slots} slots after {one.id}: its window begins later")


def _latest(problem: Problem, job: ProblemJob) -> int:
    """The last slot in which a job may start."""
    ends = problem.slots if job.must_end is None else min(problem.slots, job.must_end)
    last = ends - min((option.slots for option in job.options), default=0)
    return last if job.latest_start is None else min(last, job.latest_start)


def _same_order(same: SameOrder, jobs: dict[str, ProblemJob], at: str, say: Say) -> None:
    seen: dict[str, str] = {}
    for i, piece in enumerate(same.pieces):
        if len(piece) != len(same.pieces[0]):
            say(f"{at}.pieces[{i}]", f"has {len(piece)} stages; pieces[0] has {len(same.pieces[0])}")
        for s, id in enumerate(piece):
            known(id, jobs, "job", f"{at}.pieces[{i}][{s}]", say)
            if id in seen:
                say(f"{at}.pieces[{i}][{s}]", f"same job {id!r} as {at}.{seen[id]}")
            seen.setdefault(id, f"pieces[{i}][{s}]")

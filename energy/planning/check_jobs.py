"""Does every job stand where it may? Recomputed in plain loops from the problem and the places alone."""

from collections.abc import Iterator, Sequence

from energy.model.calendar import Attended
from energy.model.plan import Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob
from energy.planning.check_flow import check_flow
from energy.planning.check_machines import check_machines
from energy.planning.check_orders import check_orders
from energy.planning.check_runs import check_run
from energy.planning.check_setups import check_setups
from energy.planning.check_words import busy_of, elsewhere, end_of, name_of, runs_of, span, when

Placed = dict[str, tuple[ProblemJob, Placement, Option]]


def check_jobs(problem: Problem, placements: Sequence[Placement]) -> list[Violation]:
    """The rules of jobs, machines, crews and shifts."""
    found, placed = _places(problem, placements)
    for job, place, option in placed.values():
        found += _window(problem, job, place, option)
        found += _closed(problem, job, place, option)
        found += check_run(problem, job, place, option)
        found += _after(problem, job, place, placed)
    found += _overlaps(problem, placed)
    found += check_machines(problem, placed)
    found += check_setups(problem, placed)
    found += _crews(problem, placed)
    found += _moves(problem, placed)
    found += check_orders(problem, placed)
    found += check_flow(problem, placed)
    return found


def _places(problem: Problem, placements: Sequence[Placement]) -> tuple[list[Violation], Placed]:
    """Each job of the problem exactly once, on an option that it has; an optional one may be left out."""
    jobs = {job.id: job for job in problem.jobs}
    found: list[Violation] = []
    placed: Placed = {}
    seen: set[str] = set()
    for place in placements:
        job = jobs.get(place.job)
        if job is None:
            found.append(_say("unknown job", place.job, place.start, f"{place.job} is no job of the problem"))
            continue
        if place.job in seen:
            found.append(_say("double job", place.job, place.start, f"{name_of(job)} is placed more than once"))
            continue
        seen.add(place.job)
        options = [o for o in job.options if place.machine in (o.machine, *o.also) and o.mode == place.mode]
        if not options:
            on = f"{place.machine} {place.mode}".rstrip()
            found.append(_say("option", place.job, place.start, f"{name_of(job)} cannot run on {on}"))
            continue
        placed[place.job] = (job, place, options[0])
    for job in problem.jobs:
        optional = job.value is not None and job.fixed is None
        if job.id not in seen and not optional:
            found.append(_say("missing job", job.id, None, f"{name_of(job)} is not placed"))
    return found, placed


def _window(problem: Problem, job: ProblemJob, place: Placement, option: Option) -> Iterator[Violation]:
    """A fixed job stays where it is; any other starts and ends within its window and the horizon."""
    end = end_of(place, option)
    if job.fixed is not None:
        if elsewhere(place, job.fixed, option):
            stays = f"{job.fixed.machine} from {when(problem, job.fixed.start)}"
            planned = f"{place.machine} from {when(problem, place.start)}"
            what = f"{name_of(job)} is fixed on {stays}, and is planned on {planned}"
            yield _say("fixed", job.id, place.start, what)
        return
    if place.start < job.earliest:
        what = f"{name_of(job)} starts {when(problem, place.start)}, but may not before {when(problem, job.earliest)}"
        yield _say("earliest", job.id, place.start, what, job.earliest - place.start, "slots")
    if job.latest_start is not None and place.start > job.latest_start:
        latest = when(problem, job.latest_start)
        what = f"{name_of(job)} starts {when(problem, place.start)}, but must by {latest}"
        yield _say("latest start", job.id, place.start, what, place.start - job.latest_start, "slots")
    if job.must_end is not None and end > job.must_end:
        what = f"{name_of(job)} ends {when(problem, end)}, but must by {when(problem, job.must_end)}"
        yield _say("must end", job.id, place.start, what, end - job.must_end, "slots")
    if end > problem.slots:
        what = f"{name_of(job)} ends {when(problem, end)}, after the horizon ({when(problem, problem.slots)})"
        yield _say("horizon", job.id, place.start, what, end - problem.slots, "slots")


def _closed(problem: Problem, job: ProblemJob, place: Placement, option: Option) -> Iterator[Violation]:
    """A machine runs nothing in its closed slots."""
    for machine in problem.machines:
        if machine.id != place.machine:
            continue
        shut = {k: c.why for c in machine.closed for k in range(c.start, c.end)}
        hit = [k for k in busy_of(place, option) if k in shut]
        if hit:
            why = f" ({shut[hit[0]]})" if shut[hit[0]] else ""
            what = (
                f"{name_of(job)} runs on {machine.name or machine.id} {when(problem, hit[0])}, when it is closed{why}"
            )
            yield _say("machine closed", job.id, hit[0], what, len(hit), "slots")
        return
    yield _say("machine", job.id, place.start, f"{name_of(job)} is on {place.machine}, which the problem does not have")


def _after(problem: Problem, job: ProblemJob, place: Placement, placed: Placed) -> Iterator[Violation]:
    """A job starts neither too soon nor too long after the end of one that it follows."""
    for after in job.after:
        if after.job not in placed:
            continue
        other, there, how = placed[after.job]
        gap = place.start - end_of(there, how)
        subject, ends = f"{job.id} after {other.id}", when(problem, end_of(there, how))
        said = f"{name_of(job)} starts {when(problem, place.start)}; {name_of(other)} ends {ends}"
        if gap < after.min_slots:
            wait = f", and {span(problem, after.min_slots)} must lie between" if after.min_slots else ""
            yield _say("too soon after", subject, place.start, said + wait, after.min_slots - gap, "slots")
        if after.max_slots is not None and gap > after.max_slots:
            wait = f", and at most {span(problem, after.max_slots)} may lie between"
            yield _say("too long after", subject, place.start, said + wait, gap - after.max_slots, "slots")


def _overlaps(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """A machine runs one job at a time, unless its capacity says otherwise or it treats batches."""
    many = {machine.id for machine in problem.machines if machine.capacity != 1 or machine.batch is not None}
    runs = sorted(
        (place.machine, start, end, job.id)
        for job, place, option in placed.values()
        if place.machine not in many
        for start, end in _stretches(busy_of(place, option))
    )
    names = {machine.id: machine.name or machine.id for machine in problem.machines}
    for i, (machine, _, end, one) in enumerate(runs):
        for other_machine, start, other_end, other in runs[i + 1 :]:
            if other_machine != machine or start >= end:
                break
            first, last = sorted((one, other))
            what = f"{one} and {other} are both on {names.get(machine, machine)} {when(problem, start)}"
            subject = f"{first} and {last} on {machine}"
            yield _say("machine overlap", subject, start, what, min(end, other_end) - start, "slots")


def _crews(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """In each slot of the horizon the jobs need no more people of a skill than are there."""
    needed: dict[str, list[int]] = {}
    who: dict[str, list[list[str]]] = {}
    for job, place, option in placed.values():
        for need in job.needs:
            row = needed.setdefault(need.skill, [0] * problem.slots)
            names = who.setdefault(need.skill, [[] for _ in range(problem.slots)])
            for k in _attended(need.attended, place, option):
                if 0 <= k < problem.slots:
                    row[k] += need.people
                    names[k].append(job.id)
    there = {roster.skill: roster.people for roster in problem.rosters}
    for skill, row in needed.items():
        people = there.get(skill, (0,) * problem.slots)
        short = [float(max(0, row[k] - people[k])) for k in range(problem.slots)]
        for first, sizes in runs_of(short):
            jobs = ", ".join(sorted(set(who[skill][first])))
            short_of = f"{row[first]} needed (for {jobs}), {people[first]} there"
            what = f"{skill} {when(problem, first)}: {short_of}; short for {span(problem, len(sizes))}"
            yield Violation(
                rule="crew", subject=skill, slot=first, what=what, size=max(sizes), unit="people", by_slot=sizes
            )


def _stretches(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Slots as stretches [start, end) without a gap."""
    for i, k in enumerate(slots):
        if not i or slots[i - 1] != k - 1:
            end = k + 1
            while end - k + i < len(slots) and slots[end - k + i] == end:
                end += 1
            yield k, end


def _attended(attended: Attended, place: Placement, option: Option) -> list[int]:
    first, last = place.start, end_of(place, option) - 1
    if attended is Attended.START:
        return [first]
    if attended is Attended.ENDS:
        return [first] if last == first else [first, last]
    return busy_of(place, option)


def _moves(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """Not more jobs are moved into or out of a crew shift than it can take: those whose old or new start lies in it."""
    for shift in problem.shifts:
        if shift.max_moves is None:
            continue
        moved = [
            job.id
            for job, place, option in placed.values()
            if job.fixed is None
            and elsewhere(place, job.in_force, option)
            and (shift.start <= place.start < shift.end or shift.start <= job.in_force.start < shift.end)
        ]
        if len(moved) > shift.max_moves:
            what = (
                f"{len(moved)} jobs are moved in shift {shift.name} ({', '.join(moved)}); at most {shift.max_moves} may"
            )
            yield _say("moves per shift", shift.name, shift.start, what, len(moved) - shift.max_moves, "moves")


def _say(rule: str, subject: str, slot: int | None, what: str, size: float = 1.0, unit: str = "") -> Violation:
    return Violation(rule=rule, subject=subject, slot=slot, what=what, size=float(size), unit=unit)

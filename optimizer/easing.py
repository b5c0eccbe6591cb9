"""How a problem changes where a rule of the plant is dropped or gives by so much: one pure function a rule."""

from collections.abc import Callable
from dataclasses import replace

from energy.model.problem import Closed, Placement, Precedence, Problem, ProblemJob, ProblemMachine, Recurring, Resource

ANY_FILL = 1e9
Edge = str  # earliest, latest_start or must_end


def each_job(problem: Problem, change: Callable[[ProblemJob], ProblemJob]) -> Problem:
    """The problem with every job changed."""
    return replace(problem, jobs=tuple(change(job) for job in problem.jobs))


def one_job(problem: Problem, id: str, change: Callable[[ProblemJob], ProblemJob]) -> Problem:
    """The problem with one job changed."""
    return each_job(problem, lambda job: change(job) if job.id == id else job)


def moves(shift: str, problem: Problem, more: int | None) -> Problem:
    """So many moved jobs more in a shift; None: any number."""
    shifts = tuple(
        replace(s, max_moves=None if more is None else (s.max_moves or 0) + more) if s.name == shift else s
        for s in problem.shifts
    )
    return replace(problem, shifts=shifts)


def people(skill: str, problem: Problem, more: int | None) -> Problem:
    """So many people more with a skill, at any time; None: nobody needs them."""
    if more is None:
        return each_job(problem, lambda job: replace(job, needs=tuple(n for n in job.needs if n.skill != skill)))
    first = next((n for n, roster in enumerate(problem.rosters) if roster.skill == skill), None)
    rosters = tuple(
        replace(r, people=tuple(there + more for there in r.people)) if n == first else r
        for n, r in enumerate(problem.rosters)
    )
    return replace(problem, rosters=rosters)


def resource(name: str, problem: Problem, more: int | None) -> Problem:
    """So many units more of a resource, wherever it is; None: nobody needs it."""
    if more is None:
        return each_job(problem, lambda job: _without_use(job, name))
    machines = tuple(replace(m, resources=_grown(m.resources, name, more)) for m in problem.machines)
    return replace(problem, resources=_grown(problem.resources, name, more), machines=machines)


def _without_use(job: ProblemJob, name: str) -> ProblemJob:
    options = [replace(o, uses=tuple(use for use in o.uses if use.resource != name)) for o in job.options]
    return replace(job, options=tuple(options))


def _grown(resources: tuple[Resource, ...], name: str, more: int) -> tuple[Resource, ...]:
    return tuple(
        replace(r, amount=tuple(amount + more for amount in r.amount)) if r.name == name else r for r in resources
    )


def unordered(job: str, before: str, problem: Problem) -> Problem:
    """A job that no longer follows another."""
    return one_job(problem, job, lambda j: replace(j, after=tuple(rule for rule in j.after if rule.job != before)))


def after(job: str, before: str, change: Callable[[Precedence], Precedence], problem: Problem) -> Problem:
    """The rule that a job follows another, changed."""

    def changed(j: ProblemJob) -> ProblemJob:
        return replace(j, after=tuple(change(rule) if rule.job == before else rule for rule in j.after))

    return one_job(problem, job, changed)


def sooner_after(job: str, before: str, problem: Problem, slots: int) -> Problem:
    return after(job, before, lambda rule: replace(rule, min_slots=rule.min_slots - slots), problem)


def later_after(job: str, before: str, problem: Problem, slots: int) -> Problem:
    return after(job, before, lambda rule: replace(rule, max_slots=(rule.max_slots or 0) + slots), problem)


def unfixed(job: str, problem: Problem, steps: int = 1) -> Problem:
    """A fixed job that may be moved."""
    return one_job(problem, job, lambda j: replace(j, fixed=None) if steps else j)


def window(job: str, edge: Edge, at: int, problem: Problem, slots: int) -> Problem:
    """An edge of a job's window, so many slots (of their sign) from where it was."""
    return one_job(problem, job, lambda j: _edge(j, edge, at + slots))


def sooner(job: str, edge: Edge, at: int, problem: Problem, slots: int) -> Problem:
    return window(job, edge, at, problem, -slots)


def no_window(job: str, edge: Edge, problem: Problem) -> Problem:
    return one_job(problem, job, lambda j: _edge(j, edge, 0 if edge == "earliest" else None))


def _edge(job: ProblemJob, edge: Edge, value: int | None) -> ProblemJob:
    if edge == "earliest":
        return replace(job, earliest=value or 0)
    return replace(job, latest_start=value) if edge == "latest_start" else replace(job, must_end=value)


def recurs_sooner(name: str, problem: Problem, slots: int) -> Problem:
    return _recurring(problem, name, lambda rule: replace(rule, least_slots=rule.least_slots - slots))


def recurs_later(name: str, problem: Problem, slots: int) -> Problem:
    return _recurring(problem, name, lambda rule: replace(rule, most_slots=(rule.most_slots or 0) + slots))


def _recurring(problem: Problem, name: str, change: Callable[[Recurring], Recurring]) -> Problem:
    return replace(problem, recurring=tuple(change(r) if r.name == name else r for r in problem.recurring))


def not_recurring(name: str, problem: Problem) -> Problem:
    return replace(problem, recurring=tuple(rule for rule in problem.recurring if rule.name != name))


def any_order(name: str, problem: Problem) -> Problem:
    """Pieces that need not keep one order."""
    return replace(problem, same_order=tuple(same for same in problem.same_order if same.name != name))


def _one_machine(problem: Problem, id: str, change: Callable[[ProblemMachine], ProblemMachine]) -> Problem:
    return replace(problem, machines=tuple(change(m) if m.id == id else m for m in problem.machines))


def no_setups(machine: str, problem: Problem) -> Problem:
    return _one_machine(problem, machine, lambda m: replace(m, setups=()))


def always_up(machine: str, problem: Problem) -> Problem:
    """A machine without states."""
    return _one_machine(problem, machine, lambda m: replace(m, states=None))


def any_fill(machine: str, problem: Problem) -> Problem:
    """A batch machine that holds whatever comes."""

    def changed(m: ProblemMachine) -> ProblemMachine:
        return m if m.batch is None else replace(m, batch=replace(m.batch, capacity=ANY_FILL, least_fill=0.0))

    return _one_machine(problem, machine, changed)


def order_end(order: str, problem: Problem, more: int | None) -> Problem:
    """An order that may be ready so many slots later; None: at any time."""
    orders = tuple(
        replace(o, must_end=None if more is None else (o.must_end or 0) + more) if o.id == order else o
        for o in problem.orders
    )
    return replace(problem, orders=orders)


def opened(machine: str, span: Closed, problem: Problem) -> Problem:
    """A closed span that is none."""
    return _closed(problem, machine, span, None)


def ends_sooner(machine: str, span: Closed, problem: Problem, slots: int) -> Problem:
    return _closed(problem, machine, span, replace(span, end=span.end - slots))


def begins_later(machine: str, span: Closed, problem: Problem, slots: int) -> Problem:
    return _closed(problem, machine, span, replace(span, start=span.start + slots))


def _closed(problem: Problem, machine: str, span: Closed, to: Closed | None) -> Problem:
    def changed(m: ProblemMachine) -> ProblemMachine:
        closed = [to if each == span else each for each in m.closed]
        return replace(m, closed=tuple(each for each in closed if each is not None and each.start < each.end))

    return _one_machine(problem, machine, changed)


def with_twin(machine: str, jobs: frozenset[str] | None, problem: Problem, steps: int = 1) -> Problem:
    """The plant with a second machine like one of its own, for some jobs or for all that may run there."""
    if not steps:
        return problem
    one = next(m for m in problem.machines if m.id == machine)
    twin = f"{machine} (second)"

    def may(job: ProblemJob) -> ProblemJob:
        if job.fixed is not None or (jobs is not None and job.id not in jobs):
            return job
        more = [replace(o, machine=twin, also=()) for o in job.options if machine in o.machines]
        return replace(job, options=(*job.options, *more))

    return replace(
        problem,
        machines=(*problem.machines, replace(one, id=twin, name=f"a second {one.name or one.id}")),
        jobs=tuple(may(job) for job in problem.jobs),
        feeders=tuple(
            replace(f, machines=(*f.machines, twin)) if machine in f.machines else f for f in problem.feeders
        ),
    )


def apart(machine: str, problem: Problem) -> Problem:
    """Each job with a machine of its own instead of a shared one."""
    one = next(m for m in problem.machines if m.id == machine)
    users = [job.id for job in problem.jobs if any(machine in option.machines for option in job.options)]
    own = tuple(replace(one, id=f"{machine} of {id}", name=one.name or one.id) for id in users)
    jobs = tuple(_renamed(job, machine, f"{machine} of {job.id}") if job.id in users else job for job in problem.jobs)
    return replace(problem, machines=(*problem.machines, *own), jobs=jobs)


def _renamed(job: ProblemJob, machine: str, name: str) -> ProblemJob:
    def place(given: Placement) -> Placement:
        return replace(given, machine=name) if given.machine == machine else given

    def named(id: str) -> str:
        return name if id == machine else id

    return replace(
        job,
        options=tuple(
            replace(o, machine=named(o.machine), also=tuple(named(id) for id in o.also)) for o in job.options
        ),
        as_is=place(job.as_is),
        in_force=place(job.in_force),
        offered=None if job.offered is None else place(job.offered),
        fixed=None if job.fixed is None else place(job.fixed),
    )

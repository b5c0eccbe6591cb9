"""Jobs that get in each other's way: the smallest set of jobs and rules that contradict each other, where a job stays
against a fact although its own rules leave it a place.

Asked is the optimizer's own program, without money, of the jobs that share machines, crews or order with the stuck one:
can they all stand where no fact forbids it? Where not, jobs and then rules are taken away as long as it stays impossible
(a deletion filter); what is left contradicts itself, and nothing of it can be missed. When the time is up, the set is told
as far as it has got, and that it may not be the smallest.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.conflict import conflict_of
from optimizer.competing_rules import Rule, rules_of
from optimizer.competing_words import sentence
from optimizer.cures import stuck_in
from optimizer.plant import Plant
from optimizer.starts import LEFT_OUT, Chosen, Mask

MOST_JOBS = 80  # in one program
SOLVE_SECONDS = 5.0  # for one question; one that is not answered in time counts as possible


@dataclass(frozen=True, slots=True, kw_only=True)
class Competing:
    """Jobs and rules that contradict each other. `job` is the one that stays against a fact; `together` are all that were
    asked about, so that a cure can be tried among them, and `excused` those whose own rules leave them no place."""

    job: str
    jobs: tuple[str, ...]
    rules: tuple[Rule, ...]
    together: tuple[str, ...]
    excused: frozenset[str]
    smallest: bool
    sentence: str


def competing(problem: Problem, plan: Plan, *, seconds: float) -> list[Competing]:
    """A set for each stuck job that its own rules leave a place; jobs that one set names share it."""
    until = time.monotonic() + seconds
    held = stuck_in(Plant(problem), plan)
    alone = {job.id for job in held if conflict_of(problem, job) is not None}
    told: set[str] = set()
    found = []
    for job in held:
        if job.id in told or job.id in alone or time.monotonic() > until:
            continue
        one = _competing(problem, job, alone, until)
        if one is not None:
            told |= set(one.jobs)
            found.append(one)
    return found


def _competing(problem: Problem, job: ProblemJob, alone: set[str], until: float) -> Competing | None:
    """The set for one stuck job; None where there is none: then a place is free, and only money or time kept the plan
    from it."""
    question = Question(problem, frozenset(alone), until)
    jobs: list[str] | None = None
    for group in _growing(problem, job):
        if not question.possible(group):
            jobs = group
            break
    if jobs is None:
        return None
    together = tuple(jobs)
    jobs = _without_jobs(question, jobs, job.id)
    rules = _without_rules(question, problem, jobs)
    return Competing(
        job=job.id,
        jobs=tuple(jobs),
        rules=tuple(rules),
        together=together,
        excused=frozenset(alone),
        smallest=not question.cut_short,
        sentence=sentence(problem, [problem.job(id) for id in jobs], rules, smallest=not question.cut_short),
    )


@dataclass(slots=True)
class Question:
    """Whether some jobs can all stand where no fact forbids it; `excused` are those whose own rules leave them no place."""

    problem: Problem
    excused: frozenset[str]
    until: float
    cut_short: bool = False
    places: dict[str, Placement] = field(default_factory=dict)  # of the last answer that was yes

    def possible(self, jobs: Sequence[str], dropped: Sequence[Rule] = ()) -> bool:
        """Asked of these jobs alone, without the dropped rules."""
        problem = only(self.problem, set(jobs))
        for rule in dropped:
            problem = rule.dropped(problem)
        return self.possible_in(problem)

    def possible_in(self, problem: Problem) -> bool:
        """Asked of a problem as it is; yes where the time is up."""
        if time.monotonic() > self.until:
            self.cut_short = True
            return True
        plant = _Unstuck(problem, self.excused)
        answer = _feasible(plant, min(SOLVE_SECONDS, max(0.05, self.until - time.monotonic())))
        if answer is None:
            self.cut_short = True
            return True
        placed, places = answer
        if placed:
            self.places = {place.job: place for place in places}
        return placed


class _Unstuck(Plant):
    """A plant in which no job may stay against a fact, but for the excused ones; so nobody's way is barred by one that
    stands there now."""

    def __init__(self, problem: Problem, excused: frozenset[str]) -> None:
        self.excused = excused
        super().__init__(problem)

    def against(self, row: int) -> Mask:
        """Which starts of a job are against a fact."""
        broken: Mask = self.starts[row].broken > 0.0
        return broken & (self.problem.jobs[row].id not in self.excused)

    @property
    def as_given(self) -> Chosen:
        """Every job where it stands, but for those that may not stay."""
        stay = [not self.against(row)[0] for row in range(len(self.problem.jobs))]
        return np.where(stay, 0, LEFT_OUT)


def _feasible(plant: _Unstuck, seconds: float) -> tuple[bool, tuple[Placement, ...]] | None:
    """Whether the plant's program has a plan in which no job stands against a fact, with its places; None where the time
    was too short to tell."""
    from optimizer.handover import arrays, loaded  # loads HiGHS, needed only where somebody asks
    from optimizer.solve import build

    model = build(plant)
    lp = arrays(model)
    upper = np.array(lp.col_upper_)
    for row, columns in enumerate(model.start):
        against = plant.against(row)
        if len(columns) and against.all():
            return False, ()
        upper[columns[against]] = 0.0
    lp.col_upper_ = upper
    lp.col_cost_ = np.zeros(len(upper))
    highs = loaded(lp, {"time_limit": seconds, "mip_max_improving_sols": 1})
    highs.run()
    status = highs.modelStatusToString(highs.getModelStatus())
    if status == "Infeasible":
        return False, ()
    if highs.getInfo().primal_solution_status != 2:
        return None
    values = np.asarray(highs.getSolution().col_value)
    places = [
        starts.at(int(np.argmax(values[columns]))).placement(job.id)
        for job, starts, columns in zip(plant.problem.jobs, plant.starts, model.start, strict=True)
        if len(columns) and values[columns].max() > 0.5
    ]
    return True, tuple(places)


def only(problem: Problem, jobs: set[str]) -> Problem:
    """The plant with some of its jobs, and without what is only money."""
    n = problem.slots
    machines = tuple(
        m if m.batch is None else replace(m, batch=replace(m.batch, least_fill=0.0)) for m in problem.machines
    )
    kept = tuple(
        replace(job, after=tuple(rule for rule in job.after if rule.job in jobs), flows=())
        for job in problem.jobs
        if job.id in jobs
    )
    return replace(
        problem,
        machines=machines,
        jobs=kept,
        orders=tuple(
            replace(order, pegs=tuple(peg for peg in order.pegs if peg.job in jobs), quantity=0.0)
            for order in problem.orders
            if any(peg.job in jobs for peg in order.pegs)
        ),
        recurring=tuple(rule for rule in problem.recurring if set(rule.jobs) <= jobs),
        same_order=tuple(
            same for same in problem.same_order if all(id in jobs for piece in same.pieces for id in piece)
        ),
        battery=None,
        demand=(),
        tiers=(),
        limits=(),
        reductions=(),
        stores=(),
        feeders=(),
        buffers=(),
        base_load_kw=(0.0,) * n,
        pv_kw=(0.0,) * n,
        curtailable=False,
        import_limit_kw=1e9,
        export_limit_kw=1e9,
        import_price=(0.0,) * n,
        export_price=(0.0,) * n,
        carbon_price_per_kg=0.0,
        carbon_limit_kg=None,
        base_load_band=None,
        pv_band=None,
        import_price_band=None,
        scenarios=(),
        sober_prices=(),
    )


def _growing(problem: Problem, job: ProblemJob) -> Iterator[list[str]]:
    """The stuck job, the jobs that share something with it, then those that share something with these, and so on."""
    shares = {j.id: _shares(problem, j) for j in problem.jobs}
    inside, size = {job.id}, 0
    while len(inside) > size and size < MOST_JOBS:
        yield _nearest(problem, job, inside)
        size = len(inside)
        shared = set().union(*(shares[id] for id in inside))
        inside |= {id for id, each in shares.items() if each & shared}


def _nearest(problem: Problem, job: ProblemJob, inside: set[str]) -> list[str]:
    """The jobs of a group; of too many those that stand nearest to the stuck one."""
    ranked = sorted(
        (j for j in problem.jobs if j.id in inside), key=lambda j: abs(j.in_force.start - job.in_force.start)
    )
    kept = {j.id for j in ranked[:MOST_JOBS]} | {job.id}
    return [j.id for j in problem.jobs if j.id in kept]


def _shares(problem: Problem, job: ProblemJob) -> set[tuple[str, str]]:
    """What a job shares with others: machines, people, its order with others, the moves of a shift."""
    found = {("machine", machine) for option in job.options for machine in option.machines}
    found |= {("crew", need.skill) for need in job.needs}
    found |= {("job", rule.job) for rule in job.after} | {("job", job.id)}
    found |= {("resource", use.resource) for option in job.options for use in option.uses}
    found |= {
        ("shift", shift.name)
        for shift in problem.shifts
        if shift.max_moves is not None and shift.start <= job.in_force.start < shift.end
    }
    return found


def _without_jobs(question: Question, jobs: list[str], stuck_job: str) -> list[str]:
    """Jobs taken away as long as the rest cannot all be placed."""
    others = [id for id in jobs if id != stuck_job]
    kept = _least(others, lambda rest: not question.possible([id for id in jobs if id == stuck_job or id in rest]))
    return [id for id in jobs if id == stuck_job or id in kept]


def _without_rules(question: Question, problem: Problem, jobs: list[str]) -> list[Rule]:
    """Rules taken away as long as the jobs still cannot all be placed."""
    rules = rules_of(only(problem, set(jobs)))
    return _least(rules, lambda rest: not question.possible(jobs, [rule for rule in rules if rule not in rest]))


Part = TypeVar("Part")


def _least(parts: list[Part], contradict: Callable[[list[Part]], bool]) -> list[Part]:
    """A smallest set that still contradicts itself: parts are taken away, half of them at a time, then fewer."""
    size = max(1, len(parts) // 2)
    while True:
        first = 0
        while first < len(parts):
            rest = parts[:first] + parts[first + size :]
            if contradict(rest):
                parts = rest
            else:
                first += size
        if size == 1:
            return parts
        size = max(1, size // 2)

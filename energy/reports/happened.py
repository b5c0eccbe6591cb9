"""Something happened: what can be reported, what was, and what a fact would change before it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy.errors import LoadstoneError
from energy.model.fact import Fact, FactKind
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job, JobState, Planned
from energy.model.plan import Bill
from energy.model.problem import Placement, Problem
from energy.model.proposal import Offer, OfferState
from energy.model.run import JobRun
from energy.planning.fact_jobs import as_is_of, hurried, remake, rush
from energy.planning.pose import pose
from energy.planning.price import bill_of, site_rows
from energy.planning.roster import crew_hours
from energy.planning.situation import Situation
from energy.planning.slots import planned_at
from energy.ports import Optimizer
from energy.reports.pages import Consequence, HappenedPage, Header
from energy.reports.situation import LOOK_BACK, Rules, gather, jobs_touched, latest_runs
from energy.reports.standing import standing
from energy.reports.words import clock_time, counted, machine_name, moment, span
from energy.store import Store

NEXT = timedelta(hours=24)
LISTED = 24  # jobs to tap
RECENT = timedelta(days=1)
AT_MOST = 12
MUST_MOVE = 200.0  # currency: a job leaves its place only for a rule, or to save this much lateness
OFF_THE_PLAN = {FactKind.STOPPED, FactKind.CANCELLED, FactKind.QUALITY_HOLD}


def happened_page(store: Store, rules: Rules, header: Header) -> HappenedPage:
    """What can be tapped: the running and next jobs, soonest first, machines and crews; and what was reported lately."""
    now = header.now
    facts = store.facts.of(Interval(now - RECENT, now + timedelta(seconds=1)))
    waiting = {fact.id for fact in store.facts.unanswered()}
    return HappenedPage(
        header=header,
        machines=rules.site.machines,
        jobs=next_jobs(store, now),
        crews=tuple(dict.fromkeys(shift.crew for shift in rules.calendar.shifts)),
        recent=tuple(
            (
                fact.reported_at,
                fact_words(fact, rules, now),
                "the plan is being made anew" if fact.id in waiting else "taken into the plan",
            )
            for fact in reversed(facts[-AT_MOST:])
        ),
    )


def next_jobs(store: Store, now: datetime) -> tuple[tuple[str, str, str], ...]:
    """(job, product, machine) of what runs and what starts next."""
    jobs = [
        job
        for job in store.jobs.all(Interval(now - LOOK_BACK, now + NEXT))
        if job.state in {JobState.RELEASED, JobState.RUNNING, JobState.HELD}
    ]
    stands = standing(store, now)
    placed = {id: planned_at(stands.problem, p) for id, p in stands.in_force.items()} if stands else {}
    runs = {run.job: run for run in store.runs.of(Interval(now - LOOK_BACK, now)) if run.end is None}

    def where(job: Job) -> tuple[datetime, str]:
        if (run := runs.get(job.id)) is not None:
            return run.start, run.machine
        if (place := placed.get(job.id)) is not None:
            return place.start, place.machine
        return job.planned_start or job.due, job.planned_machine or job.modes[0].machine

    rows = sorted(((where(job), job) for job in jobs), key=lambda row: (row[0][0], row[1].id))
    return tuple((job.id, job.product, machine) for (_, machine), job in rows[:LISTED])


def fact_words(fact: Fact, rules: Rules, now: datetime) -> str:
    """ "Machine down: Furnace 1, until 15:10"."""
    about = machine_name(rules.site, fact.machine) if fact.machine and not fact.job else fact.job or fact.crew or ""
    words = f"{str(fact.kind).capitalize()}: {about}" if about else str(fact.kind).capitalize()
    if fact.until is not None:
        words += f", until {moment(fact.until, rules.site.zone, now)}"
    if fact.share is not None:
        words += f", {100 * fact.share:.0f} %"
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Where each job stands, by id, and what that costs."""

    problem: Problem
    places: Mapping[str, Placement]
    bill: Bill

    def planned(self, job: str) -> Planned | None:
        place = self.places.get(job)
        return planned_at(self.problem, place) if place is not None else None


def consequence(
    store: Store, rules: Rules, header: Header, fact: Fact, optimizer: Optimizer, seconds: float = 4.0
) -> Consequence:
    """What a fact would change in the plan in force. Solves for a few seconds; writes nothing."""
    now, zone = header.now, rules.site.zone
    try:
        today = gather(store, rules, now)
        touched = jobs_touched(store, rules, now, [fact])
        changed = with_fact(replace(today, touched=touched), fact, rules, store, now)
        before = outcome(pose(today).problem)
        after = solved(pose(changed).problem, changed.touched, optimizer, seconds)
    except LoadstoneError as error:
        return Consequence(
            kind=fact.kind,
            sentence=f"What that changes cannot be reckoned now: {error}. It can be reported all the same.",
            moved=(),
            late=(),
            voids=(),
            tell=("planner",),
            cost=None,
        )
    jobs = {job.id: job for job in (*today.jobs, *changed.jobs)}
    moved = moves(before, after, jobs, gone_by(fact))
    late = newly_late(before, after, jobs)
    voids = overtaken(store, before, after)
    return Consequence(
        kind=fact.kind,
        sentence=sentence(fact, rules, moved, late, now),
        moved=moved,
        late=tuple(f"{name(jobs[id])}, {span(minutes)} after its due time" for id, minutes in late.items()),
        voids=tuple(f"{offer.number} ({offer.headline})" for offer in voids),
        tell=tell(rules, fact, moved, bool(late), bool(voids), zone),
        cost=after.bill.money - before.bill.money,
    )


def gone_by(fact: Fact) -> str | None:
    """The job that a fact itself takes off the plan."""
    return fact.job if fact.kind in OFF_THE_PLAN else None


def with_fact(situation: Situation, fact: Fact, rules: Rules, store: Store, now: datetime) -> Situation:
    """The situation as it would be with the fact reported."""
    jobs, runs, as_is = list(situation.jobs), list(situation.runs), dict(situation.as_is)
    touched = set(situation.touched)
    job = next((j for j in jobs if j.id == fact.job), None)
    if fact.kind in OFF_THE_PLAN and job is not None:
        jobs.remove(job)
        if fact.kind is FactKind.STOPPED:
            runs = [replace(r, end=fact.at) if r.job == job.id and r.end is None else r for r in runs]
    elif fact.kind is FactKind.STARTED and job is not None:
        entry = as_is.get(job.id)
        machine = fact.machine or (entry.planned.machine if entry else job.planned_machine or job.modes[0].machine)
        jobs[jobs.index(job)] = replace(job, state=JobState.RUNNING)
        runs.append(JobRun(job=job.id, machine=machine, start=fact.at, end=None))
    elif fact.kind is FactKind.SCRAP and fact.job is not None:
        scrapped = job or store.jobs.get(fact.job)
        if scrapped is not None:
            made = remake(scrapped, fact, now)
            jobs.append(made)
            touched.add(made.id)
    elif fact.kind is FactKind.RUSH_ORDER and job is not None:
        jobs[jobs.index(job)] = hurried(job, fact, now)
        touched.add(job.id)
    elif fact.kind is FactKind.RUSH_ORDER:
        made = rush(fact, rules.site, now)
        jobs = [j for j in jobs if j.id != made.id] + [made]
        as_is[made.id] = as_is_of(made, now)
        touched.add(made.id)
    return replace(
        situation,
        jobs=tuple(jobs),
        runs=latest_runs(tuple(runs)),
        as_is=as_is,
        facts=(*situation.facts, fact),
        touched=frozenset(touched),
    )


def outcome(problem: Problem, places: Mapping[str, Placement] | None = None) -> _Outcome:
    """Given places (by default those in force), with their bill."""
    stands = places or {job.id: job.in_force for job in problem.jobs}
    rows = [stands[job.id] for job in problem.jobs]
    return _Outcome(problem=problem, places=stands, bill=bill_of(problem, rows, site_rows(problem, rows)))


def solved(problem: Problem, touched: frozenset[str], optimizer: Optimizer, seconds: float) -> _Outcome:
    """The best plan in which only what the fact touches moves, and only where it must; the settled plan in force where
    there is none. What would merely gain is for an offer."""
    held = replace(
        problem,
        jobs=tuple(
            replace(j, move_price=MUST_MOVE, offered=None)
            if j.id in touched
            else replace(j, fixed=j.fixed or j.in_force, offered=None)
            for j in problem.jobs
        ),
    )
    if all(job.fixed is not None for job in held.jobs):
        return outcome(problem)
    answer = optimizer.solve(held, seconds=seconds)
    if answer.plan is None:
        return outcome(problem)
    return outcome(problem, {place.job: place for place in answer.plan.placements})


def name(job: Job) -> str:
    return f"{job.id} {job.product}".strip()


def moves(
    before: _Outcome, after: _Outcome, jobs: Mapping[str, Job], gone: str | None
) -> tuple[tuple[str, Planned, Planned | None], ...]:
    """(job, from, to) of every job that would stand elsewhere, soonest first; None: no place within the horizon."""
    found = []
    for id in before.places:
        old, new = before.planned(id), after.planned(id)
        if old is None or old == new or id == gone:
            continue
        found.append((name(jobs[id]), old, new))
    for id in after.places:
        if id not in before.places and id in jobs and (new := after.planned(id)) is not None:
            found.append((f"{name(jobs[id])} (new)", new, new))
    return tuple(sorted(found, key=lambda row: (row[1].start, row[0])))


def newly_late(before: _Outcome, after: _Outcome, jobs: Mapping[str, Job]) -> dict[str, float]:
    """Minutes after its due time of each job that would be late and was not, or would be later."""
    found = {}
    for id in after.places:
        place, was = after.planned(id), before.planned(id)
        if place is None or id not in jobs:
            continue
        minutes = (place.end - jobs[id].due).total_seconds() / 60
        if minutes > 0 and (was is None or place.end > was.end):
            found[id] = minutes
    return found


def overtaken(store: Store, before: _Outcome, after: _Outcome) -> list[Offer]:
    """The accepted offers whose jobs would no longer stand where they were accepted."""
    return [
        offer
        for offer in store.offers.in_state(OfferState.ACCEPTED)
        if any(
            shift.job in before.places
            and before.places[shift.job].start >= 0
            and before.planned(shift.job) != after.planned(shift.job)
            and before.planned(shift.job) == shift.new
            for shift in offer.shifts
        )
    ]


def sentence(
    fact: Fact,
    rules: Rules,
    moved: Sequence[tuple[str, Planned, Planned | None]],
    late: Mapping[str, float],
    now: datetime,
) -> str:
    """The one sentence: what it means, and whether due times hold."""
    first = opening(fact, rules, now)
    if not moved:
        return f"{first} Nothing else moves."
    times = "all due times hold" if not late else f"**{counted(len(late), 'job')} late**"
    return f"{first} **{counted(len(moved), 'job')}** {'moves' if len(moved) == 1 else 'move'}; {times}."


def opening(fact: Fact, rules: Rules, now: datetime) -> str:
    zone = rules.site.zone
    until = (
        f"until **{moment(fact.until, zone, now)}**" if fact.until is not None else "for **4 h**, as no end is known,"
    )
    machine = machine_name(rules.site, fact.machine) if fact.machine else ""
    match fact.kind:
        case FactKind.MACHINE_DOWN:
            return f"{machine} is taken out of the plan {until}".rstrip(",") + "."
        case FactKind.MATERIAL_LATE:
            return f"Job {fact.job} waits {until}".rstrip(",") + "."
        case FactKind.CREW_MISSING:
            return f"The {fact.crew} crew is missing {until}".rstrip(",") + "."
        case FactKind.RUSH_ORDER if fact.job is not None and fact.until is not None:
            return f"Job {fact.job} is wanted by **{moment(fact.until, zone, now)}**."
        case FactKind.RUSH_ORDER:
            return f"The rush order goes onto {machine} at once."
        case FactKind.SCRAP:
            return f"What is scrap of job {fact.job} is made again."
        case FactKind.QUALITY_HOLD:
            return f"Job {fact.job} leaves the plan until quality lets it go."
        case FactKind.STARTED:
            return f"Job {fact.job} runs since {clock_time(fact.at, zone)}."
        case FactKind.STOPPED:
            return f"Job {fact.job} has ended at {clock_time(fact.at, zone)}."
        case FactKind.CANCELLED:
            return f"Job {fact.job} leaves the plan."


def tell(
    rules: Rules,
    fact: Fact,
    moved: Sequence[tuple[str, Planned, Planned | None]],
    late: bool,
    voids: bool,
    zone: str,
) -> tuple[str, ...]:
    """The roles that must hear of it: the crews at work where jobs move, the planner where promises break."""
    crews: dict[str, None] = {}
    for _, old, new in moved:
        for place in (old, new):
            if place is not None:
                for crew in crews_at(rules, place, zone):
                    crews[f"shift lead, {crew} crew"] = None
    people = list(crews)
    if late or voids or (moved and fact.role != "planner"):
        people.append("planner")
    if fact.kind is FactKind.MACHINE_DOWN:
        people.append("maintenance")
    if late:
        people.append("sales, for the late jobs")
    return tuple(people)


def crews_at(rules: Rules, place: Planned, zone: str) -> list[str]:
    """The crews that are there when a job starts."""
    day = Horizon(place.start, 1, rules.site.step_minutes)
    return [h.crew for h in crew_hours(rules.calendar, day, zone) if h.when.holds(place.start)]

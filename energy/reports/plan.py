"""Plan: offers that stay still while one reads, the jobs on their machines, and what came of yesterday's promises."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from energy.clock import day_bounds, floor_to, local_date
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job
from energy.model.plan import How, HowFound
from energy.model.proposal import Gain, NotOffered
from energy.model.savings import DaySavings, JobSaving, Kind
from energy.planning import offer_times
from energy.planning.gain_risk import told_gain
from energy.planning.price import price_plan
from energy.planning.slots import planned_at
from energy.reports.cards import accepted_rows, cards
from energy.reports.gantt import bars, blocked
from energy.reports.measures import before_after
from energy.reports.pages import Header, PlanPage
from energy.reports.picture import power_picture, ran
from energy.reports.prices import prices
from energy.reports.promises import promises
from energy.reports.situation import LOOK_BACK, Rules, untouchable
from energy.reports.standing import Standing, standing
from energy.reports.words import clock_time, moment, money, span
from energy.store import Store

BEHIND = timedelta(hours=2)
OLD_PLAN = timedelta(hours=2)
SHOWN_CONFLICTS = 3


def plan_page(store: Store, rules: Rules, header: Header) -> PlanPage:
    """The page as it is now."""
    now, zone = header.now, rules.site.zone
    stands = standing(store, now)
    horizon = page_horizon(rules, stands, now)
    last_day = local_date(now, zone) - timedelta(days=1)
    yesterday = account_of(store, last_day)
    told = [replace_times(job, zone) for job in yesterday.jobs] if yesterday else []
    empty = PlanPage(
        header=header,
        horizon=horizon,
        machines=rules.site.machines,
        bars=(),
        blocked=(),
        picture=None,
        offers=(),
        accepted=(),
        not_offered=(),
        nothing="",
        before_after=(),
        yesterday=tuple(told),
        yesterday_promised=sum(j.promised_money for j in told) if told else None,
        yesterday_verified=yesterday.money(Kind.VERIFIED) if yesterday and told else None,
        tightest_slack_minutes=None,
        all_due_kept=True,
        late_jobs=(),
        how="",
        made_at=None,
        degraded=(),
        gave_way=(),
        promised=promises(store, rules, last_day, last_day, [yesterday] if yesterday else []),
    )
    return empty if stands is None else filled(store, rules, stands, empty)


def filled(store: Store, rules: Rules, stands: Standing, page: PlanPage) -> PlanPage:
    """The page of a plan."""
    now, zone, horizon = page.header.now, rules.site.zone, page.horizon
    span_ = Interval(min(horizon.start, now - LOOK_BACK), max(horizon.end, stands.problem.horizon.end))
    jobs = {job.id: job for job in store.jobs.all(span_)}
    costs, past = prices(store, rules, horizon), ran(store, rules, horizon, now)
    left_out = not_offered(store, rules, stands, jobs, now)
    slacks = slack_of_jobs(stands, jobs)
    late = {id: minutes for id, minutes in slacks.items() if minutes < 0}
    return replace(
        page,
        bars=bars(stands, past, jobs, costs, now),
        blocked=blocked(store, rules, horizon, jobs.values(), now),
        picture=power_picture(store, rules, horizon, now, stands, costs=costs, past=past),
        offers=cards(store, rules, stands, now),
        accepted=accepted_rows(store, rules, stands.accepted, horizon.start, now),
        not_offered=left_out,
        nothing=nothing(store, rules, stands, left_out, now),
        before_after=before_after(stands, jobs, horizon.end),
        tightest_slack_minutes=min(slacks.values()) if slacks and not late else None,
        all_due_kept=not late,
        late_jobs=tuple(f"{id} {jobs[id].product}, {span(m)}" for id, m in sorted(late.items(), key=lambda i: i[1])),
        how=str(stands.planning.plan.how),
        made_at=stands.planning.made_at,
        degraded=degraded(stands, zone, now),
        gave_way=stands.planning.plan.gave_way,
        together=together(stands),
    )


def together(stands: Standing) -> Gain | None:
    """What all open offers gain over the plan in force; None where they are not several."""
    if len(stands.open) < 2:
        return None
    how = How(found=HowFound.AS_GIVEN)
    before, after = (
        price_plan(stands.problem, [places[job.id] for job in stands.problem.jobs], how=how)
        for places in (stands.in_force, stands.with_offers)
    )
    return told_gain(stands.problem, before, after)


def page_horizon(rules: Rules, stands: Standing | None, now: datetime) -> Horizon:
    """From two hours before now to the end of the local day that is asked about: that of the open offers, else
    tomorrow."""
    zone, step = rules.site.zone, rules.site.step_minutes
    day = local_date(now, zone) + timedelta(days=1)
    if stands is not None and stands.open:
        asked = [local_date(s.old.start, zone) for offer in stands.open for s in offer.shifts]
        day = max(local_date(now, zone), *asked) if asked else day
    start = floor_to(now, timedelta(minutes=step)) - BEHIND
    return Horizon.between(start, day_bounds(day, zone)[1], step)


def account_of(store: Store, day: date) -> DaySavings | None:
    found = store.ledger.days(day, day)
    return found[0] if found else None


def replace_times(job: JobSaving, zone: str) -> JobSaving:
    """A line of an account with its starts as wall-clock times."""

    def wall(text: str) -> str:
        return clock_time(datetime.fromisoformat(text), zone) if text else ""

    return replace(
        job, as_is_start=wall(job.as_is_start), accepted_start=wall(job.accepted_start), real_start=wall(job.real_start)
    )


def slack_of_jobs(stands: Standing, jobs: Mapping[str, Job]) -> dict[str, int]:
    """Minutes from each job's end, with all offers taken, to its due time."""
    problem = stands.problem
    ends = {id: planned_at(problem, place).end for id, place in stands.with_offers.items() if id in jobs}
    return {id: round((jobs[id].due - end).total_seconds() / 60) for id, end in ends.items()}


def not_offered(
    store: Store, rules: Rules, stands: Standing, jobs: Mapping[str, Job], now: datetime
) -> tuple[NotOffered, ...]:
    """What the latest round of offers left out, and the jobs that nobody may be asked for."""
    items: list[NotOffered] = []
    for digest in asked_plans(store, stands, now):
        items = store.offers.not_offered(digest)
        if items:
            break
    movable = offer_times.movable_span(now, rules.calendar.rules, rules.site.zone)
    asked = [
        jobs[job.id]
        for job in stands.problem.jobs
        if job.id in jobs and movable.holds(planned_at(stands.problem, job.in_force).start)
    ]
    refused = untouchable(store, tuple(asked), movable, now)
    known = {item.job for item in items}
    items += [
        NotOffered(job=id, what=f"{id} {jobs[id].product}", why=why)
        for id, why in sorted(refused.items())
        if id not in known
    ]
    return tuple(items)


def asked_plans(store: Store, stands: Standing, now: datetime) -> Sequence[str]:
    """The plans of the last day whose left-out moves may still be news, newest first."""
    made = store.plans.made(Interval(now - timedelta(days=1), now + timedelta(seconds=1)))
    digests = [
        stands.planning.digest,
        *(offer.plan for offer in stands.open),
        *(digest for _, digest in reversed(made)),
    ]
    return list(dict.fromkeys(digests))


def nothing(store: Store, rules: Rules, stands: Standing, left_out: Sequence[NotOffered], now: datetime) -> str:
    """Why nothing is offered, once the time to offer has come and nothing was; else empty."""
    zone = rules.site.zone
    today = local_date(now, zone)
    offered = store.offers.offered(Interval(day_bounds(today, zone)[0], now + timedelta(seconds=1)))
    if stands.open or offered or now < offer_times.on_day_of(now, rules.calendar.rules.opens, zone):
        return ""
    gains = [item.gain for item in left_out if item.gain is not None]
    if gains:
        return f"the best was {money(max(gains), rules.site.currency)}"
    return "no move would gain" if stands.planning.plan.how.found is HowFound.NOTHING_TO_GAIN else ""


def degraded(stands: Standing, zone: str, now: datetime) -> tuple[str, ...]:
    """What the plan lacked, in words, and the conflicts that the production plan itself has."""
    planning = stands.planning
    conflicts = [note for note in planning.notes if note.startswith("conflict in the production plan")]
    routine = ("ends beyond the horizon", "is over")
    other = [n for n in planning.notes if n not in conflicts and not n.endswith(routine)]
    said = list(dict.fromkeys(other)) + conflicts[:SHOWN_CONFLICTS]
    if len(conflicts) > SHOWN_CONFLICTS:
        said.append(f"and {len(conflicts) - SHOWN_CONFLICTS} more conflicts in the production plan")
    if now - planning.made_at > OLD_PLAN:
        said.insert(0, f"the plan is from {moment(planning.made_at, zone, now)}")
    return tuple(said)

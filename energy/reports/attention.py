"""What needs a hand, worst first, each with a verb that leads to where it is settled."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from energy.clock import day_bounds, local_date
from energy.model.event import EventState
from energy.model.forecast import Target
from energy.model.horizon import Horizon, Interval
from energy.model.meter import ReadingQuality, Role
from energy.model.proposal import FloorState, OfferState
from energy.model.series import BASE_LOAD
from energy.planning.offer_times import on_day_of
from energy.reports.billing import billed_days
from energy.reports.collector import collector_state
from energy.reports.edges import edge_states
from energy.reports.machines import WHAT, names, told, worse
from energy.reports.meter_state import MeterState
from energy.reports.models import TARGETS, troubles
from energy.reports.pages import Attention, Level, Running
from energy.reports.prices import Prices
from energy.reports.situation import Rules
from energy.reports.standing import Standing
from energy.reports.tree import meter_tree
from energy.reports.words import clock_time, counted, kw, listed, machine_name, moment, money, span
from energy.store import Store

ORDER = {Level.URGENT: 0, Level.WARN: 1, Level.INFO: 2}
HURRY = timedelta(hours=1)  # what expires within it is urgent
OLD_PLAN = timedelta(hours=2)
DRIFT_OVER = timedelta(hours=6)
DOUBTED = timedelta(days=7)  # so far back a doubted reading is told
DIFFERED = timedelta(days=10)  # so far back a difference of the bill is told
OUTSIDE = 0.6  # of the last hours outside a band that should hold 80 %: the forecast drifts


def attention(
    store: Store,
    rules: Rules,
    now: datetime,
    stands: Standing | None,
    states: Sequence[MeterState],
    quarter: Running,
    costs: Prices,
) -> tuple[Attention, ...]:
    """Everything that waits, worst first; what is equally bad keeps its order."""
    found = [
        *offers(rules, now, stands),
        *unseen(store, rules, now),
        *peaks(rules, now, stands, quarter),
        *events(store, rules, now),
        *collector(store, rules, now, states),
        *meters(rules, now, states),
        *doubts(store, rules, now),
        *bill(store, rules, now),
        *tree(store, rules, now),
        *edges(store, rules, now),
        *feeds(rules, now, costs),
        *plan(rules, now, stands),
        *failures(store, rules, now),
        *drift(store, rules, now),
        *worn(store, rules),
    ]
    return tuple(sorted(found, key=lambda item: ORDER[item.level]))


def offers(rules: Rules, now: datetime, stands: Standing | None) -> Iterator[Attention]:
    waiting = stands.open if stands else ()
    if not waiting:
        return
    soonest = min(offer.expires_at for offer in waiting)
    gain = sum(offer.gain.money for offer in waiting)
    yield Attention(
        level=Level.URGENT if soonest - now <= HURRY else Level.WARN,
        title=f"{counted(len(waiting), 'offer waits', 'offers wait')} for an answer",
        detail=f"together {money(gain, rules.site.currency)}; the first expires {moment(soonest, rules.site.zone, now)}, "
        f"in {span((soonest - now).total_seconds() / 60)}",
        verb="Answer",
        view="plan",
        icon="hourglass_top",
    )


def unseen(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """Accepted shifts that start soon and that nobody on the floor has seen."""
    near = Interval(now - timedelta(hours=1), now + timedelta(hours=12))
    waiting = []
    for offer in store.offers.in_state(OfferState.ACCEPTED, span=near):
        for shift in offer.shifts:
            state = store.floor.state(shift.job)
            if state is not None and state[0] is FloorState.NOT_SEEN and shift.new.end > now:
                waiting.append(shift)
    if not waiting:
        return
    first = min(waiting, key=lambda s: min(s.old.start, s.new.start))
    zone = rules.site.zone
    more = f"; and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    yield Attention(
        level=Level.URGENT,
        title=f"{counted(len(waiting), 'moved job')} not seen on the floor",
        detail=f"job {first.job}: {machine_name(rules.site, first.new.machine)} at {moment(first.new.start, zone, now)} "
        f"instead of {moment(first.old.start, zone, now)}{more}",
        verb="Show the sheet",
        view="sheet",
        icon="visibility_off",
    )


def peaks(rules: Rules, now: datetime, stands: Standing | None, quarter: Running) -> Iterator[Attention]:
    """The running quarter hour and the plan ahead against the target, the peak already paid for, and the limit."""
    zone, limit = rules.site.zone, rules.site.import_limit_kw
    goal = limit if quarter.target_kw is None else min(limit, quarter.target_kw)
    if quarter.closes_at_kw is not None and quarter.closes_at_kw > goal:
        yield Attention(
            level=Level.URGENT,
            title=f"The running quarter hour closes at {kw(quarter.closes_at_kw)}",
            detail=f"{'target' if goal < limit else 'limit'} {kw(goal)}; {span(quarter.minutes_left)} left",
            verb="Watch",
            view="year",
            icon="bolt",
        )
    if stands is None:
        return
    horizon = stands.problem.horizon
    rows = stands.rows(stands.in_force).import_kw
    ahead = np.where(np.arange(horizon.slots) < horizon.slot_of(now), 0.0, rows)
    worst = int(np.argmax(ahead))
    if ahead[worst] > limit:
        yield Attention(
            level=Level.URGENT,
            title=f"The plan exceeds the contract limit {moment(horizon.time_of(worst), zone, now)}",
            detail=f"{kw(ahead[worst])} expected, limit {kw(limit)}",
            verb="Open plan",
            view="plan",
            icon="bolt",
        )
    for window in stands.problem.demand:
        slots = [slot for slot in window.slots if ahead[slot] > 0.0]
        if not slots or window.interval_slots > 1:
            continue
        worst = max(slots, key=lambda slot: ahead[slot])
        above = float(ahead[worst]) - window.floor_kw
        if above > 0.5 and window.floor_kw > 0:
            yield Attention(
                level=Level.WARN,
                title=f"Peak risk {moment(horizon.time_of(worst), zone, now)}: {kw(ahead[worst])} expected",
                detail=f"{window.name}: {kw(above)} above {kw(window.floor_kw)} would cost "
                f"{money(above * window.per_kw, rules.site.currency)}",
                verb="Open plan",
                view="plan",
                icon="trending_up",
            )


def events(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    zone = rules.site.zone
    for event in store.events.touching(Interval(now, now + timedelta(days=7))):
        if event.state is not EventState.OPEN:
            continue
        by = event.answer_by or event.interval.start
        yield Attention(
            level=Level.URGENT if by - now <= HURRY else Level.WARN,
            title=f"Event waits for an answer: {event.kind} {kw(event.kw)}",
            detail=f"{moment(event.interval.start, zone, now)} to {clock_time(event.interval.end, zone)}; "
            f"answer by {moment(by, zone, now)}",
            verb="Answer",
            view="events",
            icon="campaign",
        )


def meters(rules: Rules, now: datetime, states: Sequence[MeterState]) -> Iterator[Attention]:
    for state in states:
        if not state.silent:
            continue
        settlement = state.meter.role is Role.SETTLEMENT
        since = (
            "no data yet"
            if state.good is None
            else f"no data since {moment(state.good.taken_at, rules.site.zone, now)}"
        )
        why = state.reading.note if state.reading is not None and state.reading is not state.good else ""
        means = "; the bill's figures wait for it" if settlement else ""
        yield Attention(
            level=Level.URGENT if settlement else Level.WARN,
            title=f"{'Settlement meter' if settlement else 'Meter'} silent: {state.meter.name}",
            detail=since + (f" ({why})" if why else "") + means,
            verb="Open meter",
            view="meters",
            icon="sensors_off",
            query=(("meter", state.meter.id),),
        )


def collector(store: Store, rules: Rules, now: datetime, states: Sequence[MeterState]) -> Iterator[Attention]:
    """A collector that says nothing any more while none of its meters answers: the one cause of all that silence."""
    found = collector_state(store, states, now)
    if found is not None and found.stopped:
        yield Attention(
            level=Level.URGENT,
            title="The collector has stopped",
            detail=f"last heard {moment(found.at, rules.site.zone, now)}, and no meter that it asks answers; "
            "`loadstone run` or `loadstone collect` starts it",
            verb="Open meters",
            view="meters",
            icon="sensors_off",
            query=(("section", "boxes"),),
        )


def doubts(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """Doubted readings of the last days that nobody has spoken of: they make no energy."""
    span = Interval(now - DOUBTED, now + timedelta(days=1))
    doubted = store.readings.doubted_meters(span)
    waiting = {
        meter.name: [r for r in store.readings.doubted(meter.id, span) if r.quality is ReadingQuality.SUSPECT]
        for meter in store.meters()
        if meter.id in doubted
    }
    told = sorted(((len(rows), name, rows[0].taken_at) for name, rows in waiting.items() if rows), reverse=True)
    if told:
        most, name, since = told[0]
        yield Attention(
            level=Level.INFO,
            title=f"{counted(sum(count for count, *_ in told), 'doubted reading waits', 'doubted readings wait')} for a word",
            detail=f"{name}: {most}, since {moment(since, rules.site.zone, now)}"
            + (f"; and {counted(len(told) - 1, 'other meter')}" if len(told) > 1 else "")
            + "; they count for nothing until they are released",
            verb="Judge",
            view="meters",
            icon="rule",
            query=(("section", "doubted"),),
        )


def bill(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """The last billed day that differs from our own settlement meter by more than two good meters do."""
    today = local_date(now, rules.site.zone)
    days = [d for d in billed_days(store, store.meters(), rules.site.zone, today - DIFFERED, today) if d.differs]
    if days:
        worst = max(days, key=lambda day: abs(day.difference_kwh))
        yield Attention(
            level=Level.WARN,
            title=f"The bill differs from our own meter on {counted(len(days), 'day', 'days')}",
            detail=f"most on {worst.day:%d %b}: billed {worst.billed_kwh:,.0f} kWh, counted {worst.own_kwh:,.0f} kWh; "
            "accounts go by the bill",
            verb="Compare",
            view="meters",
            icon="compare_arrows",
            query=(("section", "bill"),),
        )


def tree(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """Meters below one that together count more than flowed through it, yesterday."""
    zone = rules.site.zone
    yesterday = Interval(*day_bounds(local_date(now, zone) - timedelta(days=1), zone))
    for node in meter_tree(store, yesterday):
        if node.over:
            yield Attention(
                level=Level.WARN,
                title=f"Below {node.meter.name}, meters count more than flows through it",
                detail=f"yesterday {node.below_kwh:,.0f} kWh of {node.net_kwh:,.0f} kWh; a transformer ratio, a sign or "
                "a place in the tree is wrong",
                verb="Open meters",
                view="meters",
                icon="account_tree",
                query=(("section", "tree"),),
            )


def edges(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """Edge boxes that are silent, behind, refused, or whose clock is wrong."""
    for state in edge_states(store, rules, now):
        if not state.troubles:
            continue
        first, *others = state.troubles
        yield Attention(
            level=Level.WARN,
            title=f"Edge box {state.name} {first}",
            detail="; ".join(others) or "its meters wait for it; what it reads is kept on its own disk",
            verb="Open meters",
            view="meters",
            icon="router",
            query=(("section", "boxes"),),
        )


def feeds(rules: Rules, now: datetime, costs: Prices) -> Iterator[Attention]:
    """Prices that should be there by now and are not; grid carbon that nobody knows."""
    zone = rules.site.zone
    today = local_date(now, zone)
    horizon = costs.market.horizon
    published = np.array(costs.published)
    due = today + timedelta(days=1) if now >= on_day_of(now, rules.calendar.rules.opens, zone) else today
    until = day_bounds(due, zone)[1]
    first, last = max(0, horizon.slot_of(now)), min(horizon.slots, horizon.slot_of(until))
    missing = int((~published[first:last]).sum())
    if missing:
        yield Attention(
            level=Level.WARN,
            title="Prices are missing",
            detail=f"{counted(missing, 'quarter hour')} until {moment(until, zone, now)} not published; planned on the forecast",
            verb="See forecast",
            view="forecast",
            icon="cloud_off",
        )
    if not costs.carbon.known[first:last].any():
        yield Attention(
            level=Level.INFO,
            title="Grid carbon is not known",
            detail="no feed says it; CO2e is not counted",
            verb="See forecast",
            view="forecast",
            icon="cloud_off",
        )


def plan(rules: Rules, now: datetime, stands: Standing | None) -> Iterator[Attention]:
    if stands is None:
        return
    planning = stands.planning
    age = now - planning.made_at
    if age > OLD_PLAN:
        yield Attention(
            level=Level.WARN,
            title="The plan is old",
            detail=f"made {moment(planning.made_at, rules.site.zone, now)}; the next round should have renewed it",
            verb="Open plan",
            view="plan",
            icon="history",
        )
    if not planning.checked:
        yield Attention(
            level=Level.WARN,
            title="A plan was refused by the check",
            detail="our own mistake; the plan in force stands and nothing new is offered",
            verb="Open plan",
            view="plan",
            icon="report",
        )
    conflicts = [
        note.split(": ", 1)[1] for note in planning.notes if note.startswith("conflict in the production plan: ")
    ]
    if conflicts:
        more = f"; and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
        yield Attention(
            level=Level.WARN,
            title=f"{counted(len(conflicts), 'conflict')} in the production plan",
            detail=f"{conflicts[0]}{more}",
            verb="Open plan",
            view="plan",
            icon="warning",
        )


def failures(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """Steps and feeds that failed and have not succeeded since."""
    newest: dict[str, tuple[datetime, str]] = {}
    for step, at, error in store.steps.failures(now - timedelta(days=2)):
        newest[step] = (at, error)
    for step, (at, error) in newest.items():
        view = (
            "forecast" if step.startswith(("feed", "predict")) else "events" if step.startswith("program") else "plan"
        )
        yield Attention(
            level=Level.WARN,
            title=f"Failed: {step}",
            detail=f"{moment(at, rules.site.zone, now)}: {error}",
            verb="See forecast" if view == "forecast" else "Open",
            view=view,
            icon="error",
        )


def drift(store: Store, rules: Rules, now: datetime) -> Iterator[Attention]:
    """A base load that has left its band for hours, and a forecast that fell back."""
    forecast = store.forecasts.latest(Target.BASE_LOAD, as_known_at=now - DRIFT_OVER)
    if forecast is not None:
        step = timedelta(minutes=rules.site.step_minutes)
        end = now - (now - datetime.fromtimestamp(0, now.tzinfo)) % step
        horizon = Horizon.between(end - DRIFT_OVER, end, rules.site.step_minutes)
        actual = store.series.get(BASE_LOAD, horizon).values
        low, middle, high = (s.over(horizon).values for s in (forecast.p10, forecast.p50, forecast.p90))
        known = ~(np.isnan(actual) | np.isnan(middle))
        outside = ((actual < low) | (actual > high)) & known
        if known.sum() >= 12 and outside.sum() >= OUTSIDE * known.sum():
            off = float(np.mean(actual[known] - middle[known])) / max(1.0, float(np.mean(middle[known])))
            yield Attention(
                level=Level.INFO,
                title="Base-load forecast drifting",
                detail=f"actual {abs(100 * off):.0f} % {'above' if off > 0 else 'below'} the forecast over the last "
                f"{span(DRIFT_OVER.total_seconds() / 60)}",
                verb="See forecast",
                view="forecast",
                icon="trending_down",
            )
    fell_back = [TARGETS[t] for t in (Target.BASE_LOAD, Target.PRICE, Target.PV) if flagged(store, t)]
    if fell_back:
        yield Attention(
            level=Level.INFO,
            title="Forecasts lack inputs",
            detail=listed(fell_back),
            verb="See forecast",
            view="forecast",
            icon="info",
        )


def worn(store: Store, rules: Rules) -> Iterator[Attention]:
    """Machines that need more energy for the same than they used to."""
    for found in worse(store.learned.drifts()):
        yield Attention(
            level=Level.WARN,
            title=f"{names(store, rules)[found.machine]} needs {WHAT[found.of]}",
            detail=told(found, rules.site.zone),
            verb="See machine",
            view="machines",
            icon="trending_up",
        )


def flagged(store: Store, target: Target) -> bool:
    forecast = store.forecasts.latest(target)
    return forecast is not None and bool(troubles(forecast.flags))

"""Overview: what the plant draws now, what it costs, what was saved, what comes next, and what needs a hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import day_bounds, local_date
from energy.model.event import Event, EventState
from energy.model.horizon import Horizon, Interval
from energy.model.savings import DaySavings, Kind
from energy.reports.attention import attention
from energy.reports.meter_state import meter_states, running
from energy.reports.month import accounts_of_year, month_figures, month_of
from energy.reports.pages import Header, Overview
from energy.reports.picture import Ran, as_is_behind, carried, planned, power_picture, ran
from energy.reports.prices import Prices, prices
from energy.reports.situation import Rules
from energy.reports.standing import Standing, standing
from energy.store import Store

CHEAP_FOR = timedelta(hours=2)
GAPS = 4  # slots of a day that may be taken from their neighbours before its cost is unknown

Row = NDArray[np.float64]


def overview(store: Store, rules: Rules, header: Header) -> Overview:
    """The page as it is now."""
    now, zone = header.now, rules.site.zone
    today = local_date(now, zone)
    start, end = day_bounds(today, zone)
    horizon = Horizon.between(start, day_bounds(today + timedelta(days=1), zone)[1], rules.site.step_minutes)
    stands = standing(store, now)
    costs = prices(store, rules, horizon)
    past = ran(store, rules, horizon, now)
    year = accounts_of_year(store, today.year, today)
    states = meter_states(store, now)
    quarter = running(store, rules, now)
    day = Interval(start, end)
    return Overview(
        header=header,
        running=quarter,
        cost_today=cost_today(stands, past, costs, day, now),
        cost_today_as_is=cost_today(stands, past, costs, day, now, as_is=as_is_behind(store, past, horizon)),
        month=month_figures(store, rules, now, month_of(now, zone), year),
        cheapest=cheapest(costs, now),
        next_event=next_event(store, now),
        yesterday_verified=verified_on(year, today - timedelta(days=1)),
        silent_meters=tuple(state.meter.name for state in states if state.silent),
        picture=power_picture(store, rules, horizon, now, stands, costs=costs, past=past),
        attention=attention(store, rules, now, stands, states, quarter, costs),
        plan_how=str(stands.planning.plan.how) if stands else "",
    )


def cost_today(
    stands: Standing | None, past: Ran, costs: Prices, day: Interval, now: datetime, *, as_is: Row | None = None
) -> float | None:
    """What today's energy costs: metered so far, planned ahead. With `as_is` (the import so far without the accepted
    moves) the same of the as-is plan. None where more than an hour of it is not known."""
    if stands is None:
        return None
    horizon = costs.full.horizon
    rows = stands.rows(stands.in_force)
    if as_is is None:
        imported, ahead, exported = past.imported.values, rows.import_kw, rows.export_kw
    else:
        imported = as_is
        ahead, exported = np.array(stands.planning.as_is.import_kw), np.array(stands.planning.as_is.export_kw)
    taken = whole_day(imported, planned(stands, ahead, horizon), stands, horizon, day, now)
    given = whole_day(past.exported.values, planned(stands, exported, horizon), stands, horizon, day, now)
    if taken is None or given is None:
        return None
    part = slice(horizon.slot_of(day.start), horizon.slot_of(day.end))
    total = np.sum(taken * costs.full.values[part] - given * costs.export.values[part]) * horizon.step_hours
    return None if np.isnan(total) else float(total)


def whole_day(behind: Row, ahead: Row, stands: Standing, horizon: Horizon, day: Interval, now: datetime) -> Row | None:
    """A row of today without gaps; a few unknown slots take the mean of their neighbours. None where more are unknown."""
    row = carried(np.where(np.isnan(behind), ahead, behind), stands, horizon, now)
    row = row[horizon.slot_of(day.start) : horizon.slot_of(day.end)]
    known = ~np.isnan(row)
    if known.sum() < len(row) - GAPS:
        return None
    slots = np.arange(len(row))
    return np.asarray(np.interp(slots, slots[known], row[known]))


def cheapest(costs: Prices, now: datetime) -> tuple[Interval, float] | None:
    """The cheapest two hours ahead among published market prices, and their mean per kWh."""
    horizon = costs.market.horizon
    values = np.where(np.array(costs.published), costs.market.values, np.nan)
    first, size = max(0, horizon.slot_edge(now)), CHEAP_FOR // horizon.step
    if horizon.slots - first < size:
        return None
    means = np.lib.stride_tricks.sliding_window_view(values[first:], size).mean(axis=1)
    if np.isnan(means).all():
        return None
    best = int(np.nanargmin(means))
    start = horizon.time_of(first + best)
    return Interval(start, start + CHEAP_FOR), float(means[best])


def next_event(store: Store, now: datetime) -> Event | None:
    """The event that runs now or comes next within a week, declined ones aside."""
    coming = store.events.touching(Interval(now, now + timedelta(days=7)))
    return next((e for e in coming if e.state in {EventState.OPEN, EventState.ACCEPTED}), None)


def verified_on(accounts: Sequence[DaySavings], day: object) -> float | None:
    """What was verified on a day; None where it is not accounted, or nothing was moved."""
    account = next((a for a in accounts if a.day == day), None)
    return account.money(Kind.VERIFIED) if account is not None and account.jobs else None

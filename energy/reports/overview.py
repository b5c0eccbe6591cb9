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
from energy.reports.picture import Ran, as_is_net, carried, planned, power_picture, ran
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
        cost_today=cost_today(stands, past, costs, day, now) if stands else None,
        cost_today_as_is=cost_as_is(store, stands, past, costs, day, now) if stands else None,
        month=month_figures(store, rules, now, month_of(now, zone), year),
        cheapest=cheapest(costs, now),
        next_event=next_event(store, now),
        yesterday_verified=verified_on(year, today - timedelta(days=1)),
        silent_meters=tuple(state.meter.name for state in states if state.silent),
        picture=power_picture(store, rules, horizon, now, stands, costs=costs, past=past),
        attention=attention(store, rules, now, stands, states, quarter, costs),
        plan_how=str(stands.planning.plan.how) if stands else "",
    )


def cost_today(stands: Standing, past: Ran, costs: Prices, day: Interval, now: datetime) -> float | None:
    """What today's energy costs: metered so far, planned ahead. None where more than an hour of it is not known."""
    horizon = costs.full.horizon
    rows = stands.rows(stands.in_force)
    net = joined(past.imported.values, rows.import_kw, stands, horizon, now)
    given = joined(past.exported.values, rows.export_kw, stands, horizon, now)
    return day_money(net, given, costs, day)


def cost_as_is(store: Store, stands: Standing, past: Ran, costs: Prices, day: Interval, now: datetime) -> float | None:
    """The same without the accepted moves."""
    net = as_is_net(store, stands, past, costs.full.horizon, now)
    return day_money(np.maximum(0.0, net), np.maximum(0.0, -net), costs, day)


def joined(behind: Row, ahead: Row, stands: Standing, horizon: Horizon, now: datetime) -> Row:
    """Metered as far as it goes, then the plan."""
    row = np.where(np.isnan(behind), planned(stands, ahead, horizon), behind)
    return carried(row, stands, horizon, now)


def day_money(imported: Row, exported: Row, costs: Prices, day: Interval) -> float | None:
    """The money of a day's import less its export."""
    horizon = costs.full.horizon
    part = slice(horizon.slot_of(day.start), horizon.slot_of(day.end))
    taken, given = without_gaps(imported[part]), without_gaps(exported[part])
    if taken is None or given is None:
        return None
    total = np.sum(taken * costs.full.values[part] - given * costs.export.values[part]) * horizon.step_hours
    return None if np.isnan(total) else float(total)


def without_gaps(row: Row) -> Row | None:
    """A row whose few unknown slots take the mean of their neighbours; None where more are unknown."""
    known = ~np.isnan(row)
    if known.sum() < max(1, len(row) - GAPS):
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

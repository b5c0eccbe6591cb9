"""Forecast: band and actual of each target, how good the day-ahead forecasts were, and what the plan rests on."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import day_bounds, floor_to, local, local_date, same_wall_time
from energy.model.forecast import Component, Forecast, Target
from energy.model.horizon import Horizon
from energy.model.series import BASE_LOAD, CARBON_INTENSITY, PRICE_DAY_AHEAD, PV_POWER, Series
from energy.planning.offer_times import on_day_of
from energy.planning.roster import nobody
from energy.reports.models import troubles
from energy.reports.pages import ForecastPage, Header, TargetForecast
from energy.reports.promises import held_against, promises, told_at
from energy.reports.situation import Rules, kept
from energy.reports.skill import Day, days_told, drift_of, shares_of, skill_of, worse_lately
from energy.reports.standing import Standing, standing
from energy.reports.words import moment, number
from energy.store import Store

NAMES = {Target.BASE_LOAD: "Base load", Target.PV: "PV", Target.PRICE: "Price", Target.CARBON: "Grid carbon"}
KEYS = {
    Target.BASE_LOAD: BASE_LOAD,
    Target.PV: PV_POWER,
    Target.PRICE: PRICE_DAY_AHEAD,
    Target.CARBON: CARBON_INTENSITY,
}
BEHIND = timedelta(hours=24)
PROMISED_DAYS = timedelta(days=30)
SCORED_DAYS = 30
LEADS = (1, 2, 3, 7)  # days ahead that are scored
PUBLISHED = (Target.PRICE, Target.CARBON)
NOON = time(12, 0)

Row = NDArray[np.float64]


def forecast_page(store: Store, rules: Rules, header: Header) -> ForecastPage:
    """All targets that this plant needs."""
    now = header.now
    stands = standing(store, now)
    latest = {target: store.forecasts.latest(target) for target in wanted(store, rules)}
    horizon = page_horizon(rules, now)
    targets = tuple(
        one_target(store, rules, target, forecast, horizon, now)
        for target, forecast in latest.items()
        if forecast is not None
    )
    return ForecastPage(
        header=header,
        targets=targets,
        missing=missing(store, rules, latest, now),
        meaning=" ".join([meaning(stands, targets), *(promised(store, rules, now) if targets else ())]).strip(),
        nights=nobody(rules.calendar, horizon, rules.site.zone),
    )


def wanted(store: Store, rules: Rules) -> list[Target]:
    """The targets that a plan of this plant needs."""
    found = [Target.BASE_LOAD]
    if rules.site.pv_peak_kw:
        found.append(Target.PV)
    if rules.tariff.fixed_per_kwh is None:
        found.append(Target.PRICE)
    if store.series.info(CARBON_INTENSITY) is not None:
        found.append(Target.CARBON)
    return found


def page_horizon(rules: Rules, now: datetime) -> Horizon:
    """From a day before now to the end of tomorrow."""
    step = timedelta(minutes=rules.site.step_minutes)
    start = floor_to(now, timedelta(hours=1)) - BEHIND
    tomorrow = day_bounds(local_date(now, rules.site.zone) + timedelta(days=1), rules.site.zone)[1]
    return Horizon(start, int((tomorrow - start) / step), rules.site.step_minutes)


def one_target(
    store: Store, rules: Rules, target: Target, latest: Forecast, horizon: Horizon, now: datetime
) -> TargetForecast:
    """A target's band over the page (behind now as it was issued before each day), its actual and its score."""
    unit = f"{rules.site.currency}/kWh" if target is Target.PRICE else {Target.CARBON: "kg/kWh"}.get(target, "kW")
    issued = day_ahead_forecasts(store, rules, target, now)
    p10, p50, p90 = band(issued, latest, rules, horizon, now)
    actual = store.series.get(KEYS[target], horizon)
    week = store.series.get(KEYS[target], Horizon(same_wall_time(horizon.start, -7, rules.site.zone), horizon.slots,
                                                  horizon.step_minutes))  # fmt: skip
    told = told_by_lead(store, rules, target, issued, now)
    measured = np.where(np.arange(horizon.slots) < horizon.slot_of(now), actual.values, np.nan)
    return TargetForecast(
        target=target.value,
        name=NAMES[target],
        unit=unit,
        issued_at=latest.issued_at,
        source=latest.source,
        flags=latest.flags,
        p10=Series(horizon, p10, unit),
        p50=Series(horizon, p50, unit),
        p90=Series(horizon, p90, unit),
        actual=Series(horizon, actual.values, unit) if actual.known.any() else None,
        leads=tuple(lead for ahead, days in told.items() if (lead := skill_of(days, ahead)) is not None),
        members=shares_of(latest, told[1]),
        drift=drift_of(horizon, measured, p10, p50, p90),
        worse_lately=worse_lately(told[1]),
        week_before=Series(horizon, week.values, unit) if week.known.any() else None,
        published_until=published_until(actual, now) if target in PUBLISHED else None,
        components=components(store, target, rules.site.zone),
    )


def told_by_lead(
    store: Store, rules: Rules, target: Target, issued: dict[datetime, Forecast], now: datetime
) -> dict[int, list[Day]]:
    """The last whole days with what was said of them so many days ahead."""
    zone, step = rules.site.zone, rules.site.step_minutes
    today = day_bounds(local_date(now, zone), zone)[0]
    whole = Horizon.between(same_wall_time(today, -SCORED_DAYS - 8, zone), today, step)
    series = store.series.get(KEYS[target], whole)
    return {ahead: days_told(series, issued, zone, step, ahead=ahead, until=today) for ahead in LEADS}


def published_until(actual: Series, now: datetime) -> datetime | None:
    """Where a series that is published ahead ends; None where it does not reach beyond now."""
    known = np.flatnonzero(actual.known)
    end = actual.horizon.time_of(int(known[-1]) + 1) if len(known) else None
    return end if end is not None and end > now else None


def day_ahead_forecasts(store: Store, rules: Rules, target: Target, now: datetime) -> dict[datetime, Forecast]:
    """The last forecast issued before each of the last days began (and before today), by the day's start. A price counts
    as forecast until noon of the day before: then the auction makes it known."""
    today, zone = local_date(now, rules.site.zone), rules.site.zone
    found = {}
    for back in range(SCORED_DAYS + 1):
        start = day_bounds(today - timedelta(days=back), zone)[0]
        known_at = on_day_of(start - timedelta(hours=12), NOON, zone) if target is Target.PRICE else start
        forecast = store.forecasts.latest(target, as_known_at=known_at)
        if forecast is not None and forecast.horizon.end > start:
            found[start] = forecast
    return found


def band(
    issued: dict[datetime, Forecast], latest: Forecast, rules: Rules, horizon: Horizon, now: datetime
) -> tuple[Row, Row, Row]:
    """P10, P50 and P90: behind now what was said before the day began, from now on the latest word."""
    rows = [np.full(horizon.slots, np.nan) for _ in range(3)]

    def lay(forecast: Forecast, first: int, last: int) -> None:
        for row, series in zip(rows, (forecast.p10, forecast.p50, forecast.p90), strict=True):
            values = series.over(horizon).values
            part = slice(max(0, first), max(0, last))
            row[part] = np.where(np.isnan(values[part]), row[part], values[part])

    for start, forecast in sorted(issued.items()):
        end = day_bounds(local_date(start, rules.site.zone), rules.site.zone)[1]
        lay(forecast, horizon.slot_of(start), horizon.slot_of(end))
    lay(latest, max(0, horizon.slot_of(now)), horizon.slots)
    return rows[0], rows[1], rows[2]


def components(store: Store, target: Target, zone: str) -> tuple[Component, ...]:
    """The readable parts of the last forecast, as the predict step kept them; instants as local times."""
    said = store.note(f"components {target}") or []
    return tuple(
        Component(name=c["name"], x=tuple(spoken(x, zone) for x in c["x"]), y=tuple(c["y"]), unit=c["unit"])
        for c in said
    )


def spoken(x: str, zone: str) -> str:
    """An instant as "Thu 13:15"; any other label as it is."""
    if "T" not in x or "+" not in x:
        return x
    return f"{local(datetime.fromisoformat(x), zone):%a %H:%M}"


def missing(store: Store, rules: Rules, latest: dict[Target, Forecast | None], now: datetime) -> tuple[str, ...]:
    """Which forecasts and inputs are not there."""
    zone = rules.site.zone
    said = [
        f"{NAMES[target]}: no forecast yet; it needs a history to learn from."
        for target, forecast in latest.items()
        if forecast is None
    ]
    said += [f"{NAMES[target]}: {flag}." for target, f in latest.items() if f is not None for flag in troubles(f.flags)]
    newest = {step: (at, error) for step, at, error in store.steps.failures(now - timedelta(days=2))}
    said += [
        f"{step.capitalize()}: no answer since {moment(at, zone, now)} ({error})."
        for step, (at, error) in newest.items()
        if step.startswith(("feed", "predict"))
    ]
    return tuple(said)


def promised(store: Store, rules: Rules, now: datetime) -> list[str]:
    """What is made of forecast prices in what planners are told, and what came of that in the last month."""
    if rules.tariff.fixed_per_kwh is not None:
        return []
    zone = rules.site.zone
    today = local_date(now, zone)
    said = held_against(promises(store, rules, today - PROMISED_DAYS, today, ()), rules.site.currency)
    return [told_at(kept(store, zone, now)), *([f"In the last {PROMISED_DAYS.days} days {said}"] if said else [])]


def meaning(stands: Standing | None, targets: Sequence[TargetForecast]) -> str:
    """What the forecasts mean for the plan, in a sentence or two."""
    if stands is None:
        return ""
    problem = stands.problem
    unpublished = sum(not published for published in problem.price_published)
    hours = unpublished * problem.step_hours
    parts = [
        f"{number(hours)} of {number(problem.slots * problem.step_hours)} planned hours rest on forecast prices."
        if unpublished
        else "The plan rests on published prices alone."
    ]
    shares = [offer.gain.forecast_share for offer in stands.open]
    if shares and max(shares) == 0:
        parts.append("No open offer rests on a forecast price.")
    elif shares:
        parts.append(
            f"Of the open offers up to {100 * max(shares):.0f} % of the energy's worth rests on forecast prices."
        )
    load = next((t for t in targets if t.target == Target.BASE_LOAD.value), None)
    if load is not None and load.day_ahead is not None:
        parts.append(f"Base load was {number(load.day_ahead.mae)} kW off on average, day ahead.")
    return " ".join(parts)

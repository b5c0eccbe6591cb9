"""Predict: from what is known now comes a forecast of load, price, PV and carbon, each kept with its issue time.

It reaches as far as the plan does, to the end of the day after next: nothing shown or planned lies beyond, and each day
more would have to be gone back over in the past as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from energy.clock import floor_to, same_wall_time
from energy.model.calendar import Calendar, Shift
from energy.model.forecast import Forecast, Input, Member, Past, Target
from energy.model.horizon import Horizon, Interval
from energy.model.problem import digest_of
from energy.model.series import (
    BASE_LOAD,
    CARBON_FORECAST,
    CARBON_INTENSITY,
    CLOUD_COVER,
    IRRADIANCE,
    PRICE_DAY_AHEAD,
    PV_POWER,
    TEMPERATURE,
    WIND_SPEED_100M,
    Series,
)
from energy.model.site import Site
from energy.planning.roster import crew_hours
from energy.ports import Forecaster
from energy.store import Store

KEYS = {
    Target.BASE_LOAD: BASE_LOAD,
    Target.PRICE: PRICE_DAY_AHEAD,
    Target.PV: PV_POWER,
    Target.CARBON: CARBON_INTENSITY,
}
DRIVERS = {
    Target.BASE_LOAD: (TEMPERATURE,),
    Target.PRICE: (),
    Target.PV: (IRRADIANCE, TEMPERATURE, CLOUD_COVER),
    Target.CARBON: (CARBON_FORECAST, WIND_SPEED_100M, IRRADIANCE),
}
UNITS = {Target.BASE_LOAD: "kW", Target.PV: "kW", Target.CARBON: "kg CO2e/kWh"}
CREWS = "plan.crews"  # how many crews are at work
HISTORY = timedelta(days=1096)
REMEMBERED_DAYS = 120  # of earlier forecasts, one a day, that a forecaster is given back
NEAR = timedelta(minutes=180)  # an earlier issue so much before the wall time of this one still counts for its day
KEPT_WHOLE = timedelta(days=REMEMBERED_DAYS + 2)  # older forecasts keep P10, P50 and P90 alone
DIGITS = 6  # of each value that is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The forecasts of one round, and which targets had nothing to learn from."""

    forecasts: tuple[Forecast, ...]
    without_history: tuple[Target, ...]


def predict(
    store: Store,
    *,
    site: Site,
    calendar: Calendar,
    forecasters: Mapping[Target, Forecaster],
    now: datetime,
    until: datetime,
    history: timedelta = HISTORY,
) -> Predicted:
    """Issue a forecast for each target from the next slot edge to `until`, from what was known at `now` alone."""
    step = timedelta(minutes=site.step_minutes)
    start = floor_to(now, step) if floor_to(now, step) == now else floor_to(now, step) + step
    horizon = Horizon.between(start, until, site.step_minutes)
    made: list[Forecast] = []
    missing: list[Target] = []
    for target, forecaster in forecasters.items():
        past = past_of(store, target, site, calendar, now, horizon, history)
        inputs = digest_of([target, past.target.digest, [(n, s.digest) for n, s in past.drivers], start, until])
        if (
            store.steps.done(f"predict {target}", start, inputs)
            and (kept := store.forecasts.latest(target)) is not None
        ):
            made.append(kept)
            continue
        past = replace(past, issued=issued_before(store, target, site, now))
        forecast = to_keep(forecaster.forecast(target, past, horizon), past)
        if not forecast.p50.known.any():
            missing.append(target)
            continue
        with store.unit():
            store.forecasts.add(forecast, inputs)
            store.steps.record(f"predict {target}", start, inputs, now, 0.0, forecast.source)
            parts = [
                {"name": c.name, "x": list(c.x), "y": list(c.y), "unit": c.unit} for c in forecaster.components(target)
            ]
            if parts:
                store.note(f"components {target}", parts)
            thin_out(store, target, now)
        made.append(forecast)
    return Predicted(forecasts=tuple(made), without_history=tuple(missing))


def past_of(
    store: Store, target: Target, site: Site, calendar: Calendar, now: datetime, horizon: Horizon, history: timedelta
) -> Past:
    """What the forecaster may see: the target up to now, and drivers over the past and the horizon, as known now."""
    step = timedelta(minutes=site.step_minutes)
    back = horizon.start - history // step * step
    end = horizon.end if target in {Target.PRICE, Target.CARBON} else horizon.start
    so_far = store.series.get(KEYS[target], Horizon.between(back, end, site.step_minutes), as_known_at=now)
    if end > horizon.start:
        so_far = cut_unknown_tail(so_far)
    so_far = cut_unknown_head(so_far)
    if not so_far.unit:
        so_far = Series(so_far.horizon, so_far.values, UNITS.get(target, f"{site.currency}/kWh"))
    whole = Horizon.between(min(so_far.horizon.start, horizon.start), horizon.end, site.step_minutes)
    # A series that a feed has ever brought is missed where it falls silent; one that never was is not.
    drivers = [
        (key, store.series.get(key, whole, as_known_at=now))
        for key in DRIVERS[target]
        if store.series.info(key) is not None
    ]
    if target is Target.BASE_LOAD and (crews := crews_at_work(calendar, whole, site.zone)) is not None:
        drivers.append((CREWS, crews))
    return Past(
        target=so_far,
        drivers=tuple(drivers),
        known_at=now,
        zone=site.zone,
        country=site.country,
        holidays=tuple(day.isoformat() for day in calendar.holidays),
        latitude=site.latitude,
        longitude=site.longitude,
        branch=site.branch or branch_by(calendar),
        peak_kw=peak_of(target, site),
        yearly_kwh=site.yearly_kwh if target is Target.BASE_LOAD else None,
    )


def peak_of(target: Target, site: Site) -> float | None:
    """What limits a target: the roof, or the connection of a plant that says what it is."""
    if target is Target.PV:
        return site.pv_peak_kw or None
    return site.import_limit_kw if target is Target.BASE_LOAD and site.branch else None


def branch_by(calendar: Calendar) -> str:
    """What kind of plant works at the hours of these crews; empty where nobody says who works when."""
    hours = sum(((shift.end.hour - shift.start.hour) % 24 or 24) * len(shift.weekdays) for shift in by_hours(calendar))
    if not hours:
        return ""
    return "one-shift" if hours < 60 else "two-shift" if hours < 100 else "three-shift" if hours < 150 else "continuous"


def by_hours(calendar: Calendar) -> list[Shift]:
    """The shifts, of those at the same hours of the same days one."""
    return list({(shift.weekdays, shift.start, shift.end): shift for shift in calendar.shifts}.values())


def crews_at_work(calendar: Calendar, horizon: Horizon, zone: str) -> Series | None:
    """How many crews are at work in each slot, the part of it that they are; None where that never changes, or nobody
    says who works when."""
    if not calendar.shifts:
        return None
    at_work = np.zeros(horizon.slots + 1)
    for hours in crew_hours(calendar, horizon, zone):
        begin = min(max(0, horizon.slot_edge(hours.when.start)), horizon.slots)
        end = min(max(0, horizon.slot_edge(hours.when.end)), horizon.slots)
        at_work[begin] += 1.0
        at_work[end] -= 1.0
    crews = np.cumsum(at_work)[:-1]
    return None if not len(crews) or crews.min() == crews.max() else Series(horizon, crews, "crews")


def issued_before(store: Store, target: Target, site: Site, now: datetime) -> tuple[Forecast, ...]:
    """The forecast of each of the last days that was issued at this wall time, or last before it."""
    times = [same_wall_time(now, -days, site.zone) for days in range(REMEMBERED_DAYS, 0, -1)]
    return tuple(store.forecasts.issued_near(target, times, before=NEAR))


def to_keep(forecast: Forecast, past: Past) -> Forecast:
    """A forecast as it is kept: to a few digits (no forecast is better than that, and it takes half the room), with what
    it was made from."""
    return replace(
        forecast,
        p10=rounded(forecast.p10),
        p50=rounded(forecast.p50),
        p90=rounded(forecast.p90),
        quantiles=tuple((level, rounded(series)) for level, series in forecast.quantiles),
        members=tuple(Member(name=m.name, weight=m.weight, p50=rounded(m.p50)) for m in forecast.members),
        inputs=forecast.inputs or tuple(Input.of(name, s) for name, s in (("target", past.target), *past.drivers)),
    )


def rounded(series: Series) -> Series:
    """Values to a few significant digits; their order stays."""
    size = np.abs(np.where(series.known & (series.values != 0), series.values, 1.0))
    factor = 10.0 ** (DIGITS - 1 - np.floor(np.log10(size)))
    return Series(series.horizon, np.round(series.values * factor) / factor, series.unit)


def thin_out(store: Store, target: Target, now: datetime) -> None:
    """Leave three quantiles of the forecasts that are too old to learn from, once a day."""
    key, until = f"forecasts thinned {target}", now - KEPT_WHOLE
    done = store.note(key)
    since = datetime.fromisoformat(done) if done else until - timedelta(days=1)
    if until - since >= timedelta(days=1):
        store.forecasts.thin(target, Interval(since, until))
        store.note(key, until.isoformat())


def cut_unknown_head(series: Series) -> Series:
    """A series from its first known slot on: before the first meter there is no gap, there is nothing."""
    known = series.known.nonzero()[0]
    first = int(known[0]) if len(known) else 0
    horizon = Horizon(series.horizon.time_of(first), series.horizon.slots - first, series.horizon.step_minutes)
    return series.over(horizon)


def cut_unknown_tail(series: Series) -> Series:
    """A published series up to its last known slot."""
    known = series.known.nonzero()[0]
    slots = int(known[-1]) + 1 if len(known) else 0
    horizon = Horizon(series.horizon.start, slots, series.horizon.step_minutes)
    return series.over(horizon)

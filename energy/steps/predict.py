"""Predict: from what is known now comes a forecast of load, price, PV and carbon, each kept with its issue time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import floor_to
from energy.model.calendar import Calendar
from energy.model.forecast import Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.problem import digest_of
from energy.model.series import BASE_LOAD, CARBON_INTENSITY, IRRADIANCE, PRICE_DAY_AHEAD, PV_POWER, TEMPERATURE, Series
from energy.model.site import Site
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
    Target.PV: (IRRADIANCE, TEMPERATURE),
    Target.CARBON: (),
}


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
    history: timedelta = timedelta(weeks=8),
) -> Predicted:
    """Issue a forecast for each target from the next slot edge to `until`, from what was known at `now` alone."""
    step = timedelta(minutes=site.step_minutes)
    start = floor_to(now, step) if floor_to(now, step) == now else floor_to(now, step) + step
    horizon = Horizon.between(start, until, site.step_minutes)
    made: list[Forecast] = []
    missing: list[Target] = []
    for target, forecaster in forecasters.items():
        past = past_of(store, target, site, calendar, now, horizon, history)
        if not past.target.known.any():
            missing.append(target)
            continue
        inputs = digest_of([target, past.target.digest, [(n, s.digest) for n, s in past.drivers], start, until])
        if (
            store.steps.done(f"predict {target}", start, inputs)
            and (kept := store.forecasts.latest(target)) is not None
        ):
            made.append(kept)
            continue
        forecast = forecaster.forecast(target, past, horizon)
        with store.unit():
            store.forecasts.add(forecast, inputs)
            store.steps.record(f"predict {target}", start, inputs, now, 0.0, forecast.source)
            parts = [
                {"name": c.name, "x": list(c.x), "y": list(c.y), "unit": c.unit} for c in forecaster.components(target)
            ]
            if parts:
                store.note(f"components {target}", parts)
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
    whole = Horizon.between(min(so_far.horizon.start, horizon.start), horizon.end, site.step_minutes)
    drivers = tuple(
        (key, series)
        for key in DRIVERS[target]
        if (series := store.series.get(key, whole, as_known_at=now)).known.any()
    )
    return Past(
        target=so_far,
        drivers=drivers,
        known_at=now,
        zone=site.zone,
        country=site.country,
        holidays=tuple(day.isoformat() for day in calendar.holidays),
    )


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

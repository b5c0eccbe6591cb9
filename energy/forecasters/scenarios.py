"""Scenarios: how load, sun and price may come together, drawn as whole days on which forecasts really erred.

Of each past issue it is noted where in its band came what came, slot by slot (0 is the P0, 1 the P100). Such a row of
places keeps how errors hang together through a day, and the rows of several targets from the same day keep how they
hang together among each other. Put into the bands of today, by their ranks at each slot (the Schaake shuffle), they give
paths that spread over today's quantiles evenly and yet look like days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import local_date, same_wall_time
from energy.forecasters.days import kind_of
from energy.model.forecast import Forecast
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

ENOUGH_DAYS = 20  # below, nothing is drawn: so few days say too little of what may come
KNOWN_SHARE = 0.75  # of the slots in which a day must tell where it came, to count as a day
NARROW = 1e-9  # a band of no width tells nothing of what came in it


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Seen:
    """One target: what is expected of it, what was said at earlier issues (oldest first), and what came."""

    expected: Forecast
    issued: Sequence[Forecast]
    came: Series


def scenarios(
    seen: Mapping[str, Seen],
    horizon: Horizon,
    *,
    zone: str,
    count: int,
    seed: int = 0,
    closed: frozenset[date] = frozenset(),
) -> dict[str, Floats]:
    """Paths over a horizon by name, (count, slots) each; path n of all targets is the same past day. Empty where fewer
    than `ENOUGH_DAYS` days are known of all targets. A slot that the expectation does not know is unknown in each path.
    """
    days = {name: places_by_day(one, horizon, zone) for name, one in seen.items()}
    shared = sorted(set.intersection(*(set(rows) for rows in days.values()))) if days else []
    chosen = like_days(shared, horizon, zone, count, closed)
    if len(chosen) < ENOUGH_DAYS:
        return {}
    lots = np.random.default_rng(seed).permutation(len(chosen))
    return {
        name: into_band(np.array([days[name][back] for back in chosen]), one.expected, horizon, lots)
        for name, one in seen.items()
    }


def like_days(back: Sequence[int], horizon: Horizon, zone: str, count: int, closed: frozenset[date]) -> list[int]:
    """The newest days (how many days back each is) of the kind of the first day ahead where there are enough of them,
    else of any kind."""
    today = local_date(horizon.start, zone)
    alike = [n for n in back if kind_of(today - timedelta(days=n), closed) == kind_of(today, closed)]
    return list((alike if len(alike) >= ENOUGH_DAYS else back)[:count])


def places_by_day(one: Seen, horizon: Horizon, zone: str) -> dict[int, Floats]:
    """Where in its band came what came, by how many days back the horizon is laid; only days that tell enough."""
    if not one.issued:
        return {}
    by_start = {forecast.issued_at: forecast for forecast in one.issued}
    issues = sorted(by_start)
    oldest = (horizon.start - issues[0]).days + 1
    found = {}
    for back in range(1, oldest + 1):
        then = Horizon(same_wall_time(horizon.start, -back, zone), horizon.slots, horizon.step_minutes)
        places = places_over(then, [by_start[at] for at in issues], one.came)
        known = ~np.isnan(places)
        if known.mean() >= KNOWN_SHARE:
            found[back] = np.interp(np.arange(len(places)), known.nonzero()[0], places[known])
    return found


def places_over(then: Horizon, issued: Sequence[Forecast], came: Series) -> Floats:
    """Where in the band came what came: of the last forecast issued by the begin of a past horizon, and where that does
    not reach, of those that followed."""
    before = [forecast for forecast in issued if forecast.issued_at <= then.start]
    if not before or then.start - before[-1].issued_at > timedelta(days=1):
        return np.full(then.slots, np.nan)
    after = [forecast for forecast in issued if then.start < forecast.issued_at < then.end]
    actual = came.over(then).values
    places = np.full(then.slots, np.nan)
    for forecast in (before[-1], *after):
        missing = np.isnan(places)
        if not missing.any():
            break
        places = np.where(missing, place_in(forecast, then, actual), places)
    return places


def place_in(forecast: Forecast, horizon: Horizon, came: Floats) -> Floats:
    """The level at which each value lies among the quantiles, on the line between two of them; beyond the outermost the
    distance goes on counting, so that a rarer value has a higher place."""
    told = forecast.quantiles or ((0.1, forecast.p10), (0.5, forecast.p50), (0.9, forecast.p90))
    levels = np.array([level for level, _ in told])
    bounds = np.array([series.over(horizon).values for _, series in told])
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.clip((bounds <= came).sum(axis=0), 1, len(levels) - 1)
        slot = np.arange(len(came))
        low, high = bounds[below - 1, slot], bounds[below, slot]
        width = bounds[-1] - bounds[0]
        share = (came - low) / np.where(high - low > NARROW, high - low, np.maximum(width, NARROW))
        place = levels[below - 1] + share * (levels[below] - levels[below - 1])
        return np.asarray(np.where(width > NARROW, place, np.nan), dtype=np.float64)


def into_band(places: Floats, expected: Forecast, horizon: Horizon, lots: NDArray[np.int64]) -> Floats:
    """Places (days, slots) by their ranks in the quantiles of today; equal places rank by lot, the same one in each slot."""
    order = np.lexsort((np.broadcast_to(lots[:, None], places.shape), places), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(len(places))[:, None], places.shape), axis=0)
    told = expected.quantiles or ((0.1, expected.p10), (0.5, expected.p50), (0.9, expected.p90))
    levels = np.array([level for level, _ in told])
    bounds = np.array([series.over(horizon).values for _, series in told])
    wanted = (np.arange(len(places)) + 0.5) / len(places)
    above = np.clip(np.searchsorted(levels, wanted), 1, len(levels) - 1)
    share = np.clip((wanted - levels[above - 1]) / (levels[above] - levels[above - 1]), 0.0, 1.0)[:, None]
    sorted_paths = bounds[above - 1] + share * (bounds[above] - bounds[above - 1])
    return np.asarray(np.take_along_axis(sorted_paths, ranks, axis=0), dtype=np.float64)


def issue_times(now: datetime, zone: str, days: int) -> list[datetime]:
    """The same wall time on each of the last days, oldest first."""
    return [same_wall_time(now, -back, zone) for back in range(days, 0, -1)]

"""PV by the sky: what the roof gave under such radiation at such a time, as a share of what a clear sky would send."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError, NotItsKindError
from energy.forecasters.sun.clock import Drift, drift_of_radiation, mean_of, moved
from energy.forecasters.sun.drivers import sunny
from energy.forecasters.sun.envelope import blurred
from energy.forecasters.sun.examples import not_examples
from energy.forecasters.sun.findings import clock_words, example_words
from energy.forecasters.sun.nearest import Feature, Nearness, as_known, median_of_like
from energy.forecasters.sun.sky import Sky, sky_of

Floats = NDArray[np.float64]

TOGETHER = 10  # earlier issues that share one look at clocks and sky, made before the first of them
FLOOR = 60.0  # W/m2 added to the clear sky: at dawn a share of nearly nothing says nothing
NEARNESS = Nearness(hours=1.2, days=25.0)
# Radiation now, before and after: hours later, hours it is blurred by, width in its standard deviations. That beside
# counts too, since clocks and clouds are never quite right.
BESIDE = ((0.0, 0.5, 0.40), (1.5, 0.75, 0.65), (-1.5, 0.75, 0.65))
DAY_WIDTH = 0.8  # of the day's radiation, likewise
# With more days the examples stand closer: widths are right for so many and shrink with the fourth root.
DAYS_OF_WIDTHS = 45
FEWEST_DAYS, MOST_DAYS = 10, 100
NIGHT_SHARE = 0.02  # of the highest output: what is given at night is no sun
BLIND = Nearness(hours=0.6, days=4.0)  # without radiation the last days are the best examples


class SunnyDays:
    name = "sun"
    least_days = 3

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        if gives_at_night(days.y[: days.issue]):
            raise NotItsKindError("it gives as much at night: this is no sun")
        told = [told_together(days, block) for block in blocks_of(issues, TOGETHER)]
        return np.concatenate(told)

    def remarks(self, days: Days) -> tuple[str, ...]:
        seen = seen_at(days, days.issue)
        clock = clock_words("radiation", seen.drift, days.step_minutes)
        return (*clock, *example_words(seen.out, seen.throttled, days.step_minutes))


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Seen:
    """How the plant and its weather file work, as far as one could know at an issue."""

    output: Floats  # (rows before the issue, slots); NaN where it is no example
    radiation: Floats | None  # (rows, slots) as in the file
    drift: Drift  # of the clock of the radiation
    clear: Floats  # (rows, slots) W/m2
    out: int  # cells left out because nothing was given though the sun shone
    throttled: int  # cells left out because output stood at a limit


def seen_at(days: Days, issue: int) -> Seen:
    past, radiation, drift = days.y[:issue], sunny(days.drivers, issue), Drift()
    fallen = None
    if radiation is not None:
        drift = drift_of_radiation(past, radiation[:issue], days.step_minutes)
        fallen = moved(radiation[:issue], drift.slots, hold=True)
    out, throttled = not_examples(past, fallen)
    return Seen(
        output=np.where(out | throttled, np.nan, past),
        radiation=radiation,
        drift=drift,
        clear=sky_over(days, past, fallen).irradiance(days.ordinal, middles(days)[None, :]),
        out=int(out.sum()),
        throttled=int(throttled.sum()),
    )


def sky_over(days: Days, output: Floats, radiation: Floats | None) -> Sky:
    """The clock's noon from the output, the latitude from where the plant stands, else from the radiation, which has no
    roof in its way, else from the output."""
    ordinal = days.ordinal[: len(output)]
    own = sky_of(output, ordinal, middles(days), latitude=days.latitude)
    if own is None:
        raise MemberError("nothing was generated yet")
    if radiation is None or days.latitude is not None:
        return own
    above = sky_of(radiation, ordinal, middles(days))
    return own if above is None else Sky(noon=own.noon, latitude=above.latitude)


def middles(days: Days) -> Floats:
    middle: Floats = days.minute.astype(np.float64) + days.step_minutes / 2.0
    return middle


def told_together(days: Days, issues: Sequence[int]) -> Floats:
    """What is said at some issues that follow one another; clocks and sky are read before the first."""
    seen = seen_at(days, issues[0])
    scale = seen.clear + FLOOR
    shares = days.y / scale
    shares[: issues[0]] = seen.output / scale[: issues[0]]
    scale_ahead = ahead_of(scale, issues, days.ahead)
    told = np.full(scale_ahead.shape, np.nan)
    if seen.radiation is not None:
        features = features_of(seen.radiation, seen.drift, scale, issues, days.ahead)
        told = median_of_like(shares, features, issues, days.ahead, NEARNESS)
    if np.isnan(told).any():
        told = np.where(np.isnan(told), median_of_like(shares, (), issues, days.ahead, BLIND), told)
    return told * scale_ahead


def ahead_of(table: Floats, issues: Sequence[int], ahead: int) -> Floats:
    """(issues, rows ahead, slots) of a table of rows; the last row stands beyond its end."""
    rows = np.asarray(issues)[:, None] + np.arange(ahead)[None, :]
    taken: Floats = table[np.minimum(rows, len(table) - 1)]
    return taken


def features_of(
    radiation: Floats, drift: Drift, scale: Floats, issues: Sequence[int], ahead: int
) -> tuple[Feature, ...]:
    """Radiation now, before and after as shares of the clear sky, and that of the whole day."""
    an_hour = radiation.shape[1] / 24.0
    closer = (DAYS_OF_WIDTHS / min(max(issues[0], FEWEST_DAYS), MOST_DAYS)) ** 0.25
    made = []
    for later, blur, width in BESIDE:
        seen, asked = as_known(radiation, view(drift.slots + later * an_hour, blur * an_hour), issues, ahead)
        size = max(float(np.nanstd(seen[: issues[0]])), 1e-12)
        made.append(shared(seen, asked, scale, closer * width * size, issues))
    seen, asked = as_known(radiation, lambda part: mean_of_rows(moved(part, drift.slots, hold=True)), issues, ahead)
    size = max(float(np.nanstd(seen[: issues[0], 0])), 1e-12)
    of_day = np.repeat(scale.mean(axis=1, keepdims=True), scale.shape[1], axis=1)
    return (*made, shared(seen, asked, of_day, closer * DAY_WIDTH * size, issues))


def shared(seen: Floats, asked: Floats, scale: Floats, width: float, issues: Sequence[int]) -> Feature:
    ahead = ahead_of(scale, issues, asked.shape[1])
    return Feature(examples=seen / scale[: len(seen)], asked=asked / ahead, width=width, scale=ahead)


def view(later: float, blur: float) -> Callable[[Floats], Floats]:
    return lambda part: smoothed(moved(part, later, hold=True), blur)


def mean_of_rows(values: Floats) -> Floats:
    """The mean of each row, in every cell of it; of what is known."""
    return np.repeat(mean_of(values.T)[:, None], values.shape[1], axis=1)


def smoothed(values: Floats, slots: float) -> Floats:
    """Drawn together over neighbouring slots, across the ends of days."""
    return blurred(values.ravel(), slots).reshape(values.shape)


def gives_at_night(past: Floats) -> bool:
    """Is there no time of the day at which it never gives anything?"""
    known = past[~np.isnan(past)]
    if not len(known):
        return False
    top = float(np.quantile(known, 0.98))
    rows = past[-30:]
    seen = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        usual = np.where(seen, rows, 0.0).sum(axis=0) / seen.sum(axis=0)
    return bool((usual > NIGHT_SHARE * top).mean() > 0.95)


def blocks_of(issues: Sequence[int], size: int) -> list[list[int]]:
    """The last issue alone, those before it by so many."""
    earlier, last = list(issues[:-1]), [issues[-1]]
    return [*(earlier[at : at + size] for at in range(0, len(earlier), size)), last]

"""How much of a forecast price difference comes true, once the hours that look cheapest have been chosen for it.

Whoever chooses the cheapest of many estimates chooses their errors with them, so that what was estimated of the chosen is
too good on average, even where each estimate is right on average (the optimizer's curse: Smith & Winkler, Management
Science 52 (2006) 311). What it costs here is found by playing the choice again on past days. For a day, a lead and a
length of run, with the means of the price over every stretch of that length,

    estimated = mean of all stretches − the lowest stretch, both by the forecast as it was issued
    realised  = mean of all stretches − that same stretch, both by the prices that came

and the share that is kept is Σ realised / Σ estimated over the past days, held within 0 and 1, as far as there are days:

    kept = (BEFORE_DAYS · DEFAULT_KEPT + days · held ratio) / (BEFORE_DAYS + days)

A price p that is still a forecast is then reckoned as m + kept · (p − m), m being the mean of its day: regression to the
mean, as of any estimate with an error. A move from one forecast hour of a day to another keeps that share of its gain, a
move from a published hour to a forecast one loses what the forecast hour looks too cheap by. Published prices are as
they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.savings import PriceChoice

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Runs up to so many hours are taken as runs of so many. Short ones find single hours, long ones half a day.
RUNS = ((2.0, 1.0), (5.0, 3.0), (24.0, 6.0))
LEADS = (1, 2)  # days; a plan reaches to the end of the day after next
# What is kept where nobody knows. Copying the prices of a day or a week before keeps 0.50 to 0.92, 0.70 on average, of
# the choice of 1, 3 and 6 hours from 06:00 to 22:00 (five markets of the price benchmark of Lago et al., Applied Energy
# 293 (2021) 116983, one year each).
DEFAULT_KEPT = 0.6
BEFORE_DAYS = 10  # so many days weigh as much as the default
LOOK_BACK_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The share of a forecast price difference that is kept, for a lead and a length of run, and on how many days it
    rests."""

    lead_days: int
    up_to_hours: float
    share: float
    days: int


def choice(forecast: Floats, came: Floats, slots: int, open_: Bools | None = None) -> tuple[float, float] | None:
    """(estimated, realised) advantage per kWh of the stretch of so many slots that looks cheapest, over the mean of all
    stretches within the open slots; None where there are not two of them of which everything is known."""
    if slots > len(forecast):
        return None
    unknown = np.isnan(forecast) | np.isnan(came)
    if open_ is not None:
        unknown |= ~open_
    said, real = (_means(np.where(unknown, 0.0, row), slots) for row in (forecast, came))
    possible = _means(unknown.astype(np.float64), slots) < 0.5 / slots
    if int(possible.sum()) < 2:
        return None
    said, real = said[possible], real[possible]
    best = int(np.argmin(said))
    return float(said.mean() - said[best]), float(real.mean() - real[best])


def _means(row: Floats, slots: int) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(row)])
    return np.asarray((sums[slots:] - sums[:-slots]) / slots, dtype=np.float64)


def choices(
    forecasts: Mapping[int, Floats], came: Floats, step_hours: float, open_: Bools | None = None
) -> tuple[PriceChoice, ...]:
    """The choices of a day by what was forecast of it, so many days before, and what came."""
    found = []
    for lead, forecast in sorted(forecasts.items()):
        for _, hours in RUNS:
            pair = choice(forecast, came, max(1, round(hours / step_hours)), open_)
            if pair is not None:
                found.append(PriceChoice(lead_days=lead, hours=hours, estimated=pair[0], realised=pair[1]))
    return tuple(found)


def kept_share(said_and_came: Sequence[tuple[float, float]]) -> float:
    """The share that is kept, by (estimated, realised) of past days."""
    days = len(said_and_came)
    estimated, realised = sum(said for said, _ in said_and_came), sum(came for _, came in said_and_came)
    ratio = min(1.0, max(0.0, realised / estimated)) if estimated > 0 else DEFAULT_KEPT
    return (BEFORE_DAYS * DEFAULT_KEPT + days * ratio) / (BEFORE_DAYS + days)


def kept_of(past: Iterable[PriceChoice]) -> tuple[Kept, ...]:
    """The shares of all leads and lengths of run; the default where there are no past choices."""
    pairs: dict[tuple[int, float], list[tuple[float, float]]] = {}
    for one in past:
        pairs.setdefault((one.lead_days, one.hours), []).append((one.estimated, one.realised))
    return tuple(
        Kept(lead_days=lead, up_to_hours=up_to, share=kept_share(rows), days=len(rows))
        for lead in LEADS
        for up_to, hours in RUNS
        for rows in [pairs.get((lead, hours), [])]
    )


def by_length(kept: Iterable[Kept]) -> dict[float, list[Kept]]:
    """The shares by length of run, the shortest first."""
    found: dict[float, list[Kept]] = {}
    for one in sorted(kept, key=lambda one: (one.up_to_hours, one.lead_days)):
        found.setdefault(one.up_to_hours, []).append(one)
    return found


def drawn_back(price: Floats, published: Bools, days_ahead: NDArray[np.int_], shares: Mapping[int, float]) -> Floats:
    """Each price that is still a forecast, drawn back to the mean of its day by the share that its lead keeps."""
    sober = price.copy()
    for ahead in np.unique(days_ahead):
        of_day = days_ahead == ahead
        middle, share = float(price[of_day].mean()), shares[min(max(int(ahead), LEADS[0]), LEADS[-1])]
        here = of_day & ~published
        sober[here] = middle + share * (price[here] - middle)
    return sober

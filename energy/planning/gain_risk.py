"""What a change of the plan gains: by the bill, corrected for the choice of what looks cheap, and how sure it is.

By the bill is the difference of two bills at expected prices. The correction prices the same change of import and export
at the sober prices of the problem (`energy.planning.optimism`), and only ever takes something off:

    optimism = max(0, Σ change of import · (sober − expected price) − Σ change of export · (sober − expected price))

P10 and P90 come from the same change in scenarios of base load, PV and prices (`energy.planning.risk`): both plans are
priced in each, the jobs and what is dispatched as planned, and what the gain there differs by from that at the expected
values is laid around the corrected gain. A published price errs in none of them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from energy.model.horizon import Horizon
from energy.model.plan import LineKind, Plan
from energy.model.problem import Problem, SoberPrice
from energy.model.proposal import ForecastPart, Gain
from energy.model.series import Series
from energy.planning.in_each import money_in_each
from energy.planning.risk import Paths, drawn_paths, given_paths, quantile

Floats = NDArray[np.float64]

SHOWN_APART = {LineKind.ENERGY, LineKind.EXPORT, LineKind.DEMAND}
SEED = 0
COUNT = 1000
LEAST_KWH = 1e-9  # less is rounding, not a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one plan draws and feeds in more than another, slot by slot, kWh."""

    import_kwh: Floats
    export_kwh: Floats

    @classmethod
    def between(cls, problem: Problem, before: Plan, after: Plan) -> "Change":
        hours = problem.step_hours
        return cls(
            import_kwh=(np.array(after.import_kw) - np.array(before.import_kw)) * hours,
            export_kwh=(np.array(after.export_kw) - np.array(before.export_kw)) * hours,
        )


def gain_between(problem: Problem, before: Plan, after: Plan) -> Gain:
    """What the second plan gains over the first, part by part, corrected; positive is better. Without P10 and P90."""
    a, b = before.bill, after.bill

    def less(*kinds: LineKind) -> float:
        return a.amount(*kinds) - b.amount(*kinds)

    change = Change.between(problem, before, after)
    worth = np.abs(change.import_kwh * np.array(problem.import_price))
    forecast = ~np.array(problem.price_published, dtype=np.bool_)
    taken_off = optimism(problem, change, hours_of_moved(problem, before, after))
    return Gain(
        energy=less(LineKind.ENERGY) - taken_off,
        export=less(LineKind.EXPORT),
        peak=less(LineKind.DEMAND),
        other=less(*(kind for kind in LineKind if kind.is_money and kind not in SHOWN_APART)),
        carbon_kg=a.carbon_kg - b.carbon_kg,
        peak_kw=a.peak_kw - b.peak_kw,
        forecast_share=float(worth[forecast].sum() / worth.sum()) if worth.sum() > 0 else 0.0,
        optimism=taken_off,
    )


def told_gain(problem: Problem, before: Plan, after: Plan) -> Gain:
    """The same with P10 and P90, as people are told it."""
    gain = gain_between(problem, before, after)
    low, high = band_around(problem, before, after, gain.money)
    return replace(gain, low=low, high=high)


def optimism(problem: Problem, change: Change, hours: float) -> float:
    """What a gain looks too good by, because its forecast hours were chosen for looking good."""
    sober = sober_for(problem, hours)
    if sober is None:
        return 0.0
    dearer = np.array(sober.import_price) - np.array(problem.import_price)
    better = np.array(sober.export_price) - np.array(problem.export_price)
    return max(0.0, float((change.import_kwh * dearer).sum() - (change.export_kwh * better).sum()))


def sober_for(problem: Problem, hours: float) -> SoberPrice | None:
    """The sober prices for runs of a length; the last ones where it is longer than all."""
    told = problem.sober_prices
    return next((one for one in told if hours <= one.up_to_hours), told[-1] if told else None)


def hours_of_moved(problem: Problem, before: Plan, after: Plan) -> float:
    """How long the jobs run that stand otherwise in the second plan: their mean by energy. 0 where none does."""
    old = {place.job: place for place in before.placements}
    jobs = {job.id: job for job in problem.jobs}
    ways = [
        jobs[place.job].option(place.machine, place.mode)
        for place in after.placements
        if place.job in old and place != old[place.job]
    ]
    weight = sum(sum(way.power_kw) for way in ways)
    if weight <= 0:
        return max((way.slots for way in ways), default=0) * problem.step_hours
    return sum(sum(way.power_kw) * way.slots for way in ways) / weight * problem.step_hours


def band_around(problem: Problem, before: Plan, after: Plan, money: float) -> tuple[float | None, float | None]:
    """P10 and P90 of a gain, around what is told of it; (None, None) where nothing is uncertain."""
    paths = given_paths(problem) if problem.scenarios else drawn_paths(problem, SEED, COUNT)
    if paths is None:
        return None, None
    expected = Paths(
        weight=np.ones(1),
        base_load_kw=np.array([problem.base_load_kw]),
        pv_kw=np.array([problem.pv_kw]),
        import_price=np.array([problem.import_price]),
    )
    gains = money_in_each(problem, before, paths) - money_in_each(problem, after, paths)
    middle = money_in_each(problem, before, expected) - money_in_each(problem, after, expected)
    apart = [0.0 if abs(each) < 1e-9 else float(each) for each in gains - middle]
    low, high = (quantile(apart, paths.weight, share) for share in (0.1, 0.9))
    return money + min(0.0, low), money + max(0.0, high)


def forecast_part(problem: Problem, change: Change) -> ForecastPart | None:
    """What of a change lies in slots whose price is a forecast, from the first to the last of them."""
    moved = (np.abs(change.import_kwh) > LEAST_KWH) | (np.abs(change.export_kwh) > LEAST_KWH)
    slots = np.flatnonzero(moved & ~np.array(problem.price_published, dtype=np.bool_))
    if not len(slots):
        return None
    first, end = int(slots[0]), int(slots[-1]) + 1
    horizon = Horizon(problem.horizon.time_of(first), end - first, problem.step_minutes)
    here = np.zeros(problem.slots, dtype=np.bool_)
    here[slots] = True

    def cut(row: Floats, unit: str) -> Series:
        return Series(horizon, row[first:end], unit)

    return ForecastPart(
        import_kwh=cut(np.where(here, change.import_kwh, 0.0), "kWh"),
        import_price=cut(np.array(problem.import_price), f"{problem.currency}/kWh"),
        export_kwh=cut(np.where(here, change.export_kwh, 0.0), "kWh"),
        export_price=cut(np.array(problem.export_price), f"{problem.currency}/kWh"),
    )

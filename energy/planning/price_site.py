"""What stores draw and hold, and the bill lines of import by its amount, of guarded peaks and of paid reductions.

The formulas stand in `energy.planning.price`.
"""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from energy.model.plan import BillLine, LineKind
from energy.model.problem import Band, DemandWindow, Problem, Reduction, Store, Tier

Rows = NDArray[np.float64]

P10_TO_P90 = 2 * NormalDist().inv_cdf(0.9)  # standard deviations between P10 and P90 of a normal error


def all_stores(problem: Problem, named: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    """A row for every store: its own controller's where none is named."""
    return {store.id: tuple(named.get(store.id, store.as_is_kw)) for store in problem.stores}


def stores_kw(problem: Problem, named: Mapping[str, tuple[float, ...]]) -> Rows:
    """What all stores draw together."""
    load = np.zeros(problem.slots)
    for row in all_stores(problem, named).values():
        load += np.asarray(row, dtype=np.float64)
    return load


def store_levels(store: Store, power_kw: ArrayLike, step_hours: float) -> Rows:
    """The level at the end of each slot."""
    level, levels = store.start, []
    for kw, draw in zip(np.asarray(power_kw, dtype=np.float64).tolist(), store.draw, strict=True):
        level = level * (1.0 - store.loss_per_hour * step_hours) + store.level_per_kwh * step_hours * kw - draw
        levels.append(level)
    return np.asarray(levels, dtype=np.float64)


def tier_lines(problem: Problem, imported: Rows) -> list[BillLine]:
    kwh = float(np.sum(imported) * problem.step_hours)
    return [_tier_line(tier, kwh) for tier in problem.tiers]


def _tier_line(tier: Tier, kwh: float) -> BillLine:
    beyond = beyond_kwh(tier, kwh)
    return BillLine(
        kind=LineKind.ENERGY, name=tier.name, quantity=beyond, unit="kWh", amount=beyond * tier.extra_per_kwh
    )


def beyond_kwh(tier: Tier, kwh: float) -> float:
    """How much of this import lies beyond the tier's edge."""
    room = max(0.0, tier.above_kwh - tier.so_far_kwh)
    return float(np.maximum(0.0, kwh - room))


def by_amount_of(problem: Problem, imported: Rows) -> float:
    """What tiers and paid reductions come to in all."""
    return sum(line.amount for line in (*tier_lines(problem, imported), *reduction_lines(problem, imported)))


def window_peak_kw(window: DemandWindow, import_kw: ArrayLike) -> float:
    """The highest metered mean of a window: each `interval_slots` of its slots, in their order, are one metered
    interval. 0 where the window has no slot in the horizon."""
    if not window.slots:
        return 0.0
    means = np.asarray(import_kw, dtype=np.float64)[list(window.slots)].reshape(-1, window.interval_slots).mean(axis=1)
    return float(np.max(means))


def margin_kw(problem: Problem, window: DemandWindow) -> Rows:
    """What a guarded window adds to the net load of each slot: z(guard) · sigma, that of base load and PV in
    quadrature. Zero where it is not guarded."""
    if window.guard is None:
        return np.zeros(problem.slots)
    sigma = np.hypot(_sigma(problem, problem.base_load_band), _sigma(problem, problem.pv_band))
    return np.asarray(NormalDist().inv_cdf(window.guard) * sigma, dtype=np.float64)


def _sigma(problem: Problem, band: Band | None) -> Rows:
    if band is None:
        return np.zeros(problem.slots)
    width = np.asarray(band.p90, dtype=np.float64) - np.asarray(band.p10, dtype=np.float64)
    return np.asarray(width / P10_TO_P90, dtype=np.float64)


def guarded_kw(problem: Problem, window: DemandWindow, imported: Rows, exported: Rows) -> Rows:
    """The import of each slot as a window reckons with it."""
    if window.guard is None:
        return imported
    return np.asarray(np.maximum(0.0, imported - exported + margin_kw(problem, window)), dtype=np.float64)


def demand_lines(
    problem: Problem, imported: Rows, exported: Rows, *, as_is_chain: bool, guarded: bool
) -> list[BillLine]:
    lines = []
    for window in problem.demand:
        seen = guarded_kw(problem, window, imported, exported) if guarded else imported
        peak_kw = window_peak_kw(window, seen)
        floor_kw = window.as_is_floor_kw if as_is_chain else window.floor_kw
        lines.append(_demand_line(window.name, peak_kw - floor_kw, window.per_kw))
        if window.ratchet is not None:
            above_kw = peak_kw - max(floor_kw, window.ratchet.highest_kw)
            lines.append(_demand_line(f"{window.name} ratchet", above_kw, window.ratchet.per_kw))
    return lines


def demand_of(window: DemandWindow, peak_kw: float) -> float:
    """What a peak costs in a window, and what its ratchet carries on."""
    amount = window.per_kw * max(0.0, peak_kw - window.floor_kw)
    if window.ratchet is not None:
        amount += window.ratchet.per_kw * max(0.0, peak_kw - max(window.floor_kw, window.ratchet.highest_kw))
    return amount


def _demand_line(name: str, above_kw: float, per_kw: float) -> BillLine:
    paid_kw = float(np.maximum(0.0, above_kw))
    return BillLine(kind=LineKind.DEMAND, name=name, quantity=paid_kw, unit="kW", amount=paid_kw * per_kw)


def reduction_lines(problem: Problem, imported: Rows) -> list[BillLine]:
    lines = []
    for reduction in problem.reductions:
        kwh = float(np.sum(reduced_kw(problem, reduction, imported)) * problem.step_hours)
        amount = 0.0 - kwh * reduction.pay_per_kwh
        lines.append(BillLine(kind=LineKind.REDUCTION, name=reduction.name, quantity=kwh, unit="kWh", amount=amount))
    return lines


def reduced_kw(problem: Problem, reduction: Reduction, imported: Rows) -> Rows:
    """What is paid for in each slot of the span that lies in the horizon."""
    first, end = max(0, reduction.start), min(problem.slots, reduction.end)
    if first >= end:
        return np.zeros(0)
    baseline = np.asarray(reduction.baseline_kw, dtype=np.float64)[first - reduction.start : end - reduction.start]
    return np.asarray(np.maximum(0.0, np.minimum(baseline - imported[first:end], reduction.most_kw)), dtype=np.float64)

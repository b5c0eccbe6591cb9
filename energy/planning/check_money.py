"""Import by its amount, peaks (guarded, and carried by a ratchet) and paid reductions, added up again slot by slot."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from energy.model.plan import LineKind, Plan
from energy.model.problem import Band, DemandWindow, Problem

Key = tuple[LineKind, str]


@dataclass(frozen=True, slots=True)
class Expected:
    quantity: float
    unit: str
    amount: float


def add_site_lines(problem: Problem, plan: Plan, lines: dict[Key, Expected], *, as_is_chain: bool) -> None:
    """What the bill must say of tiers, demand windows and reductions."""
    _tiers(problem, plan, lines)
    for window in problem.demand:
        so_far = window.as_is_so_far_kw if as_is_chain else window.so_far_kw
        start = max(so_far, window.target_kw, window.least_billed_kw)
        peak = max(start, _highest(problem, plan, window))
        kw = peak - start
        lines[LineKind.DEMAND, window.name] = Expected(kw, "kW", kw * window.per_kw)
        if window.ratchet is not None:
            kw = max(0.0, peak - max(start, window.ratchet.highest_kw))
            lines[LineKind.DEMAND, f"{window.name} ratchet"] = Expected(kw, "kW", kw * window.ratchet.per_kw)
    _reductions(problem, plan, lines)


def _tiers(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    taken = 0.0
    for kw in plan.import_kw:
        taken += kw * problem.step_hours
    for tier in problem.tiers:
        before = max(0.0, tier.so_far_kwh - tier.above_kwh)
        after = max(0.0, tier.so_far_kwh + taken - tier.above_kwh)
        lines[LineKind.ENERGY, tier.name] = Expected(after - before, "kWh", (after - before) * tier.extra_per_kwh)


def _highest(problem: Problem, plan: Plan, window: DemandWindow) -> float:
    """The highest metered mean, each slot with its margin where the window is guarded."""
    highest = 0.0
    for first in range(0, len(window.slots), window.interval_slots):
        interval = window.slots[first : first + window.interval_slots]
        highest = max(highest, sum(_seen(problem, plan, window, k) for k in interval) / len(interval))
    return highest


def _seen(problem: Problem, plan: Plan, window: DemandWindow, k: int) -> float:
    if window.guard is None:
        return plan.import_kw[k]
    variance = 0.0
    for band in (problem.base_load_band, problem.pv_band):
        variance += _sigma(band, k) ** 2
    margin = _deviations(window.guard) * math.sqrt(variance)
    return max(0.0, plan.import_kw[k] - plan.export_kw[k] + margin)


def _sigma(band: Band | None, k: int) -> float:
    """P10 and P90 of a normal error lie 1.2816 deviations below and above its middle."""
    return 0.0 if band is None else (band.p90[k] - band.p10[k]) / (2 * 1.2815515655446004)


def _deviations(confidence: float) -> float:
    return NormalDist().inv_cdf(confidence)


def _reductions(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    for reduction in problem.reductions:
        kwh = 0.0
        for i, baseline in enumerate(reduction.baseline_kw):
            k = reduction.start + i
            if 0 <= k < problem.slots and plan.import_kw[k] < baseline:
                kwh += min(baseline - plan.import_kw[k], reduction.most_kw) * problem.step_hours
        lines[LineKind.REDUCTION, reduction.name] = Expected(kwh, "kWh", -kwh * reduction.pay_per_kwh)

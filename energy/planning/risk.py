"""What a plan costs if base load, PV and prices come otherwise than expected, and how sure its peaks are.

The jobs and what is dispatched stay as planned; only what answers by itself does answer: a battery that follows its own
rule, and the curtailment of what the export limit cannot carry. Peaks are reckoned as they would be metered, without
the margin of a guard.

The scenarios are those of the problem, each with its weight. Where it gives none they are drawn from the bands: for
each of base load, PV and import price one path over the whole horizon, normal with the P10 and P90 of the band (each
side with its own width), whose errors fade with e^(−hours / 6) from slot to slot (an AR(1) process): a high hour makes
the next one likely high, and tells little of the same hour tomorrow. The three err independently; half of the paths
mirror the other half. A published price does not err.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from energy.model.plan import LineKind, PeakRisk, Plan, Risk
from energy.model.problem import Band, Problem
from energy.model.site import BatteryRule
from energy.planning.price import SiteRows, battery_lines, end_kwh, price_profile, self_consumption
from energy.planning.price_site import window_peak_kw

Rows = NDArray[np.float64]

COUNT = 200
FADES_IN_HOURS = 6.0
P90_IN_SIGMA = NormalDist().inv_cdf(0.9)
ABOVE_KW = 1e-6  # what is no more than rounding above a peak does not break it
ANSWERED = frozenset(  # lines that the meter, or a battery with a rule of its own, makes; all others stay
    {
        LineKind.ENERGY,
        LineKind.EXPORT,
        LineKind.DEMAND,
        LineKind.CARBON,
        LineKind.LIMIT,
        LineKind.REDUCTION,
        LineKind.WEAR,
        LineKind.STORED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The uncertain rows, a row for each scenario, and how much each of them weighs."""

    weight: Rows
    base_load_kw: Rows
    pv_kw: Rows
    import_price: Rows


def risk_of(problem: Problem, plan: Plan, *, seed: int = 0, count: int = COUNT) -> Risk | None:
    """The risk of a plan; None where the problem says of nothing that it is uncertain."""
    paths = given_paths(problem) if problem.scenarios else drawn_paths(problem, seed, count)
    if paths is None:
        return None
    costs, peaks = [], []
    for number in range(len(paths.weight)):
        rows = _comes(problem, plan, paths, number)
        costs.append(_cost(problem, plan, rows, paths.import_price[number]))
        peaks.append([window_peak_kw(window, rows.import_kw) for window in problem.demand])
    p10, p50, p90 = (quantile(costs, paths.weight, share) for share in (0.1, 0.5, 0.9))
    return Risk(
        cost_p10=p10,
        cost_p50=p50,
        cost_p90=p90,
        peaks=tuple(
            PeakRisk(
                window=window.name,
                above_kw=window.floor_kw,
                chance=_share(paths.weight, [row[i] > window.floor_kw + ABOVE_KW for row in peaks]),
            )
            for i, window in enumerate(problem.demand)
        ),
        scenarios=len(paths.weight),
        seed=0 if problem.scenarios else seed,
    )


def given_paths(problem: Problem) -> Paths:
    """The scenarios of the problem; what one of them does not say comes as forecast."""

    def rows(name: str) -> Rows:
        return np.array([getattr(one, name) or getattr(problem, name) for one in problem.scenarios], dtype=np.float64)

    return Paths(
        weight=np.array([one.weight for one in problem.scenarios], dtype=np.float64),
        base_load_kw=rows("base_load_kw"),
        pv_kw=rows("pv_kw"),
        import_price=rows("import_price"),
    )


def drawn_paths(problem: Problem, seed: int, count: int) -> Paths | None:
    """Scenarios drawn from the bands; None where there are none."""
    bands = (problem.base_load_band, problem.pv_band, problem.import_price_band)
    if not any(bands):
        return None
    middles = (problem.base_load_kw, problem.pv_kw, problem.import_price)
    fields = _errors(problem, seed, count)
    base, pv, price = (_path(middle, band, z) for middle, band, z in zip(middles, bands, fields, strict=True))
    published = np.asarray(problem.price_published, dtype=np.bool_)
    return Paths(
        weight=np.ones(count),
        base_load_kw=base,
        pv_kw=np.maximum(pv, 0.0),
        import_price=np.where(published, np.asarray(problem.import_price, dtype=np.float64), price),
    )


def _errors(problem: Problem, seed: int, count: int) -> Rows:
    """Standard normal errors (what × scenario × slot) that hang together from slot to slot."""
    kept = math.exp(-problem.step_hours / FADES_IN_HOURS)
    fresh = np.random.default_rng(seed).standard_normal((3, (count + 1) // 2, problem.slots))
    z = np.empty_like(fresh)
    for k in range(problem.slots):
        z[:, :, k] = fresh[:, :, k] if k == 0 else kept * z[:, :, k - 1] + math.sqrt(1 - kept**2) * fresh[:, :, k]
    return np.concatenate([z, -z], axis=1)[:, :count]


def _path(middle: Sequence[float], band: Band | None, z: Rows) -> Rows:
    p50 = np.asarray(middle, dtype=np.float64)
    if band is None:
        return np.broadcast_to(p50, z.shape)
    up = np.maximum(0.0, np.asarray(band.p90) - p50) / P90_IN_SIGMA
    down = np.maximum(0.0, p50 - np.asarray(band.p10)) / P90_IN_SIGMA
    return np.asarray(p50 + np.where(z > 0.0, up, down) * z, dtype=np.float64)


def _comes(problem: Problem, plan: Plan, paths: Paths, number: int) -> SiteRows:
    """What the site does in one scenario."""
    base, pv = paths.base_load_kw[number], paths.pv_kw[number]
    charge, discharge = np.asarray(plan.charge_kw), np.asarray(plan.discharge_kw)
    curtailed = np.asarray(plan.curtailed_kw)
    net = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
    plant = net - charge + discharge - curtailed - np.asarray(problem.base_load_kw) + np.asarray(problem.pv_kw)
    curtailed = np.minimum(curtailed, pv)
    before = base + plant - pv + curtailed
    if problem.battery is not None and problem.battery.rule is BatteryRule.SELF_CONSUMPTION:
        charge, discharge = self_consumption(problem.battery, before, problem.step_hours)
    net = before + charge - discharge
    if problem.curtailable:
        more = np.minimum(np.maximum(-net - problem.export_limit_kw, 0.0), pv - curtailed)
        net, curtailed = net + more, curtailed + more
    return SiteRows(
        charge_kw=charge,
        discharge_kw=discharge,
        curtailed_kw=curtailed,
        import_kw=np.maximum(net, 0.0),
        export_kw=np.maximum(-net, 0.0),
        end_kwh=end_kwh(problem, charge, discharge),
    )


def _cost(problem: Problem, plan: Plan, rows: SiteRows, import_price: Rows) -> float:
    """All lines of the bill."""
    priced = replace(problem, import_price=tuple(import_price.tolist()))
    metered = price_profile(priced, rows.import_kw, rows.export_kw).total
    stays = sum(line.amount for line in plan.bill.lines if line.kind not in ANSWERED)
    return metered + stays + sum(line.amount for line in battery_lines(problem, rows))


def quantile(costs: Sequence[float], weights: Rows, share: float) -> float:
    """The least cost that is not exceeded with at least this share of the weight."""
    order = np.argsort(np.asarray(costs), kind="stable")
    reached = np.cumsum(weights[order]) / float(np.sum(weights))
    number = min(int(np.searchsorted(reached, share - 1e-9)), len(costs) - 1)
    return float(costs[int(order[number])])


def _share(weights: Rows, which: Sequence[bool]) -> float:
    return float(np.sum(weights[np.array(which, dtype=np.bool_)]) / np.sum(weights))

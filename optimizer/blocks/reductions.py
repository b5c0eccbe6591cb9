"""Paid reduction: money for importing less than a baseline."""

from energy.model.problem import Reduction
from optimizer.model import Model


def add(model: Model) -> None:
    """gain: pay per kWh · Σ h · less[k];  less[k] = max(0, min(baseline[k] − import[k], most)) in each slot of the span.

    less[k] ≤ most          less[k] ≤ baseline[k] − import[k]

    Where the site may import more than the baseline, nothing is paid and nothing owed (r is 0 or 1):

    less[k] ≤ most · r          less[k] ≤ baseline[k] − import[k] + (highest import[k] − baseline[k]) · (1 − r)
    """
    for reduction in model.problem.reductions:
        if reduction.pay_per_kwh and reduction.most_kw:
            for i, baseline_kw in enumerate(reduction.baseline_kw):
                k = reduction.start + i
                if 0 <= k < model.plant.slots and baseline_kw > 0.0:
                    _slot(model, reduction, k, baseline_kw)


def _slot(model: Model, reduction: Reduction, k: int, baseline_kw: float) -> None:
    less_kw = model.variable(0.0, reduction.most_kw)
    beyond_kw = float(model.most_import_kw[k]) - baseline_kw
    name = f"{reduction.name} in slot {k}"
    if beyond_kw <= 0.0:
        model.require(less_kw + model.import_kw[k] <= baseline_kw, name)
    else:
        reduces = model.variable(0.0, 1.0, whole=True)
        model.require(less_kw - reduction.most_kw * reduces <= 0.0, name)
        model.require(less_kw + model.import_kw[k] + beyond_kw * reduces <= baseline_kw + beyond_kw, name)
    model.cost(f"reduction {reduction.name}", -reduction.pay_per_kwh * model.hours * less_kw)

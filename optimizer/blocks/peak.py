"""Demand charge: in each window of a billing period the highest metered mean is what is paid for."""

from optimizer.model import Model


def add(model: Model) -> None:
    """peak ≥ mean import of each metered interval of the window; cost: per kW · (peak − floor).

    The peak starts from the floor, the highest of the peak so far and the agreed target: a kW below is worth nothing.
    """
    for window in model.problem.demand:
        if not window.slots:
            continue
        peak_kw = model.variable(window.floor_kw)
        size = window.interval_slots
        for first in range(0, len(window.slots), size):
            mean = model.total((model.import_kw[k], 1.0 / size) for k in window.slots[first : first + size])
            model.require(mean - peak_kw <= 0, f"{window.name} covers slot {window.slots[first]}")
        model.cost(f"demand charge {window.name}", window.per_kw * peak_kw - window.per_kw * window.floor_kw)

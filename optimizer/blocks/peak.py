"""Demand charge: in each window of a billing period the highest metered mean is what is paid for."""

from typing import Any

import numpy as np

from energy.model.problem import DemandWindow
from energy.planning.price_site import margin_kw
from optimizer.model import Model


def add(model: Model) -> None:
    """peak ≥ mean import of each metered interval of the window; cost: per kW · (peak − floor).

    The peak starts from the floor, the highest of the peak so far, the agreed target and what is billed at least: a kW
    below is worth nothing. A guarded window counts max(0, import − export + margin) in each slot instead of the import.

    A ratchet: carried ≥ peak − max(floor, highest so far), at least 0; cost: per kW of the ratchet · carried.
    """
    for window in model.problem.demand:
        if not window.slots:
            continue
        peak_kw = model.variable(window.floor_kw)
        seen = _seen(model, window)
        size = window.interval_slots
        for first in range(0, len(window.slots), size):
            mean = model.total(
                (x, factor / size) for k in window.slots[first : first + size] for x, factor in seen[k][0]
            )
            margin = sum(seen[k][1] for k in window.slots[first : first + size]) / size
            model.require(mean - peak_kw <= -margin, f"{window.name} covers slot {window.slots[first]}")
        model.cost(f"demand charge {window.name}", window.per_kw * peak_kw - window.per_kw * window.floor_kw)
        if window.ratchet is not None and window.ratchet.per_kw:
            carried = model.variable()
            reached = max(window.floor_kw, window.ratchet.highest_kw)
            model.require(peak_kw - carried <= reached, f"{window.name} ratchet")
            model.cost(f"ratchet {window.name}", window.ratchet.per_kw * carried)


def _seen(model: Model, window: DemandWindow) -> dict[int, tuple[list[tuple[Any, float]], float]]:
    """What a window counts in each of its slots: terms and a constant."""
    margin = margin_kw(model.problem, window)
    if window.guard is None or not np.any(margin):
        return {k: ([(model.import_kw[k], 1.0)], 0.0) for k in window.slots}
    net = {k: [(model.import_kw[k], 1.0), (model.export_kw[k], -1.0)] for k in window.slots}
    if window.interval_slots == 1:  # the peak is at least 0 anyway
        return {k: (net[k], float(margin[k])) for k in window.slots}
    counted = {}
    for k in window.slots:
        guarded = model.variable()
        model.require(guarded - model.total(net[k]) >= float(margin[k]), f"{window.name} with its margin in slot {k}")
        counted[k] = ([(guarded, 1.0)], 0.0)
    return counted

"""Site balance: what the grid connection carries."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Rows, Whole


def add(model: Model) -> None:
    """import − export = base load + jobs + charge − discharge − PV + curtailed, in each slot.

    Import and export stay within the connection; a kW beyond it is loudly priced, so that there is always a plan.
    Where exporting would pay more than importing costs, a slot does one of the two.
    """
    problem, slots = model.problem, np.arange(model.plant.slots)
    for k in model.slots:
        if problem.curtailable and problem.pv_kw[k] > 0.0:
            model.curtailed_kw[k] = model.variable(0.0, problem.pv_kw[k])
    most_out = np.array([np.inf if most is None else most for most in model.export_most_kw])
    imported, exported = model.columns(len(slots)), model.columns(len(slots), 0.0, most_out)
    model.import_kw, model.export_kw = model.expressions(imported), model.expressions(exported)
    _balance(model, imported, exported)
    _within(model, imported, problem.import_limit_kw, "import")
    _within(model, exported, problem.export_limit_kw, "export")
    model.most_import_kw = _most_import_kw(model)
    for k in np.flatnonzero(np.asarray(problem.export_price) > model.least_taking).tolist():
        _one_way(model, k)


def _balance(model: Model, imported: Whole, exported: Whole) -> None:
    """Jobs and machines + what else draws − import + export = PV − base load, with what is given already."""
    slots = np.arange(len(imported))
    right_kw = np.asarray(model.problem.pv_kw, dtype=np.float64) - np.asarray(model.problem.base_load_kw)
    row, column, factor = [], [], []
    for k in model.slots:
        behind = [(model.charge_kw[k], 1.0), (model.discharge_kw[k], -1.0), (model.curtailed_kw[k], 1.0)]
        for x, sign in (*behind, *model.extra_kw[k]):
            if isinstance(x, float):
                right_kw[k] -= x * sign
            else:
                row.append(k)
                column.append(model.column(x))
                factor.append(sign)
    _, slot, drawing, power_kw = model.loads()
    model.rows(
        np.concatenate([slot, slots, slots, np.array(row, dtype=np.int64)]),
        np.concatenate([drawing, imported, exported, np.array(column, dtype=np.int64)]),
        np.concatenate([power_kw, np.full(len(slots), -1.0), np.ones(len(slots)), np.array(factor)]),
        lower=right_kw,
        upper=right_kw,
        name=lambda k: f"balance of slot {k}",
    )


def _within(model: Model, flow: Whole, limit_kw: float, what: str) -> None:
    slots = np.arange(len(flow))
    beyond = model.columns(len(flow))
    model.rows(
        np.concatenate([slots, slots]),
        np.concatenate([flow, beyond]),
        np.concatenate([np.ones(len(flow)), np.full(len(flow), -1.0)]),
        upper=np.full(len(flow), limit_kw),
        name=lambda k: f"{what} limit in slot {k}",
    )
    model.price("beyond the grid connection", beyond, model.loud_per_kwh * model.hours)


def _most_import_kw(model: Model) -> Rows:
    """What the site can need at the most in each slot."""
    problem = model.problem
    extra = np.array([model.extra_most_kw(k) for k in model.slots])
    charge_kw = problem.battery.charge_kw if problem.battery else 0.0
    most = np.asarray(problem.base_load_kw, dtype=np.float64) + model.most_load_kw + extra + charge_kw
    return np.asarray(np.maximum(0.0, most), dtype=np.float64)


def _one_way(model: Model, k: int) -> None:
    problem = model.problem
    most_out = problem.pv_kw[k] + max(0.0, -problem.base_load_kw[k])
    most_out += problem.battery.discharge_kw if problem.battery else 0.0
    importing = model.variable(0.0, 1.0, whole=True)
    model.require(model.import_kw[k] <= float(model.most_import_kw[k]) * importing, f"slot {k} imports")
    model.require(model.export_kw[k] + most_out * importing <= most_out, f"slot {k} exports")

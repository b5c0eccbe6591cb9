"""Orders: the runs pegged to one make enough for it, and the last of them ends in time."""

import numpy as np

from optimizer.model import Model
from optimizer.orders import late_hours, made_by, made_given, short_price


def add(model: Model) -> None:
    """Σ share · quantity[way of s] · x[job, s] + short ≥ quantity;     late ≥ Σ_s x[job, s] · (end of s + rest − due)
    for each of its runs, in hours; cost: late per hour · priority · late.

    Only as much may be short as is short in the given plan, at a loud price. That an order must be ready by a slot is
    said by the starts of its runs (see `optimizer.plant`).
    """
    plant = model.plant
    for order in model.problem.orders:
        rows = [(plant.job_row[peg.job], peg.share) for peg in order.pegs]
        column = np.concatenate([model.start[row] for row, _ in rows])
        made = np.concatenate([made_by(plant.starts[row], share) for row, share in rows])
        least = np.zeros(0, dtype=np.int64)
        lacking = max(0.0, order.quantity - made_given(plant, order))
        if lacking > 0.0:
            least = model.columns(1, 0.0, lacking)
            model.price(f"short of order {order.id}", least, short_price(order))
        columns = np.concatenate([column, least])
        factors = np.concatenate([made, np.ones(len(least))])
        name = f"quantity of order {order.id}"
        model.rows(np.zeros(len(columns)), columns, factors, lower=order.quantity, name=name, count=1)
        if order.due is None:
            continue
        hours = [late_hours(plant, order, plant.starts[row]) for row, _ in rows]
        if not any(late.any() for late in hours):
            continue
        late = model.columns(1)
        for (row, _), each in zip(rows, hours, strict=True):
            after = each > 0.0
            columns = np.concatenate([model.start[row][after], late])
            factors = np.concatenate([each[after], [-1.0]])
            name = f"lateness of order {order.id}"
            model.rows(np.zeros(len(columns)), columns, factors, upper=0.0, name=name, count=1)
        model.price("late orders", late, order.late_per_hour * order.priority)

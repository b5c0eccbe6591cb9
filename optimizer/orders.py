"""What runs make for an order, and how late they make it."""

import numpy as np

from energy.model.problem import ProblemOrder
from optimizer.plant import BROKEN_RULE_PRICE, Plant
from optimizer.starts import Chosen, Rows, Starts


def made_by(starts: Starts, share: float) -> Rows:
    """What a run makes for an order, from each of its starts."""
    made: Rows = share * np.array([way.option.quantity for way in starts.ways], dtype=np.float64)[starts.way]
    return made


def made_given(plant: Plant, order: ProblemOrder) -> float:
    """What the runs of an order make where they are given."""
    rows = [(plant.job_row[peg.job], peg.share) for peg in order.pegs]
    return sum(share * plant.given[row].option.quantity for row, share in rows)


def lacking(plant: Plant, order: ProblemOrder, chosen: Chosen) -> float:
    """How much of an order the chosen runs do not make."""
    starts = dict(plant.chosen_starts(chosen))
    rows = [(plant.job_row[peg.job], peg.share) for peg in order.pegs]
    made = sum(share * starts[row].option.quantity for row, share in rows if row in starts)
    return max(0.0, order.quantity - made)


def late_hours(plant: Plant, order: ProblemOrder, starts: Starts) -> Rows:
    """How late the order is ready if a run of it has each of these starts."""
    due = plant.slots if order.due is None else order.due
    late: Rows = np.maximum(0, starts.end + order.rest_slots - due) * plant.hours
    return late


def short_price(order: ProblemOrder) -> float:
    """The loud price of a unit that an order is short of."""
    return BROKEN_RULE_PRICE / order.quantity

"""Rules of orders, optional and recurring jobs that had to give: as given by production, or left out against a decision."""

from itertools import combinations, pairwise

from energy.model.plan import GaveWay
from optimizer.orders import lacking, short_price
from optimizer.plant import Plant
from optimizer.starts import Chosen


def orders_gave_way(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Orders whose runs make too little."""
    found = []
    for order in plant.problem.orders:
        short = lacking(plant, order, chosen)
        if short > 1e-9 * max(1.0, order.quantity):
            rule = f"quantity of order {order.name or order.id}"
            by = f"{short:g} of {order.quantity:g} short, as in the production plan"
            found.append(GaveWay(rule=rule, by=by, price=short * short_price(order)))
    return found


def left_out(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Accepted shifts of jobs that are left out."""
    done = {row for row, _ in plant.chosen_starts(chosen)}
    return [
        GaveWay(rule=f"accepted shift of {job.name or job.id}", by="is left out", price=job.break_accepted_price)
        for row, job in enumerate(plant.problem.jobs)
        if job.accepted and row not in done
    ]


def recurring(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Recurring jobs that follow each other too soon or too late."""
    starts = {plant.problem.jobs[row].id: start.slot for row, start in plant.chosen_starts(chosen)}
    found = []
    for rule in plant.problem.recurring:
        for one, other in pairwise(id for id in rule.jobs if id in starts):
            lag = starts[other] - starts[one]
            off = max(rule.least_slots - lag, 0 if rule.most_slots is None else lag - rule.most_slots)
            if off > 0:
                minutes = off * plant.problem.step_minutes
                by = f"{other} {minutes} min too {'soon' if lag < rule.least_slots else 'late'} after {one}"
                found.append(GaveWay(rule=rule.name, by=f"{by} as given by production", price=0.0))
    return found


def same_order(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Pieces that overtake each other."""
    starts = {plant.problem.jobs[row].id: start.slot for row, start in plant.chosen_starts(chosen)}
    found = []
    for same in plant.problem.same_order:
        for one, other in combinations(same.pieces, 2):
            both = [(a, b) for a, b in zip(one, other, strict=True) if a in starts and b in starts]
            lags = [starts[b] - starts[a] for a, b in both]
            if lags and min(lags) < 0 < max(lags):
                by = f"the pieces of {one[0]} and {other[0]} overtake each other as given by production"
                found.append(GaveWay(rule=same.name, by=by, price=0.0))
    return found

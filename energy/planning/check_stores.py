"""Can the stores do that, and is there what programs were promised? Levels and reserves recomputed slot by slot."""

from collections.abc import Iterator, Sequence
from math import isfinite

from energy.model.plan import Plan, Violation
from energy.model.problem import Problem, Store
from energy.planning.check_words import SLACK, over, slots_over, when

FINEST = 1e-6  # of the greatest level: what rounding of a solver adds up to


def check_store_rows(problem: Problem, plan: Plan) -> list[Violation]:
    """Rows of stores that the problem has, each at most once, with one finite value for each slot."""
    found, seen = [], set()
    known = {store.id for store in problem.stores}
    for row in plan.stores:
        what = ""
        if row.store not in known:
            what = f"{row.store} is no store of the problem"
        elif row.store in seen:
            what = f"store {row.store} has more than one row"
        elif len(row.power_kw) != problem.slots:
            what = f"store {row.store} has {len(row.power_kw)} values; the horizon has {problem.slots} slots"
        else:
            bad = [k for k, kw in enumerate(row.power_kw) if not isfinite(kw) or kw < -SLACK]
            if bad:
                what = f"store {row.store} draws {row.power_kw[bad[0]]:g} kW {when(problem, bad[0])}"
        seen.add(row.store)
        if what:
            found.append(Violation(rule="rows", subject=f"store {row.store}", slot=None, what=what, size=1.0))
    return found


def check_stores(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """What stores draw, and the level that follows."""
    rows = {row.store: row.power_kw for row in plan.stores}
    for store in problem.stores:
        row = rows.get(store.id, store.as_is_kw)
        yield from _powers(problem, store, row)
        yield from _levels(problem, store, row)


def _powers(problem: Problem, store: Store, row: Sequence[float]) -> Iterator[Violation]:
    name = store.name or store.id
    above = [over(kw, store.most_kw) for kw in row]
    yield from slots_over(problem, "store power", store.id, above, f"{name} draws more than {store.most_kw:g} kW")
    between = [over(min(kw, store.least_kw - kw), 0.0) for kw in row]
    said = f"{name} draws something, but less than {store.least_kw:g} kW"
    yield from slots_over(problem, "store least power", store.id, between, said)


def _levels(problem: Problem, store: Store, row: Sequence[float]) -> Iterator[Violation]:
    name, level = store.name or store.id, store.start
    slack = max(SLACK, FINEST * max(abs(store.least), abs(store.most)))
    above, below = [], []
    for k in range(problem.slots):
        level -= level * store.loss_per_hour * problem.step_hours
        level += row[k] * problem.step_hours * store.level_per_kwh
        level -= store.draw[k]
        above.append(level - store.most if level - store.most > slack else 0.0)
        below.append(store.least - level if store.least - level > slack else 0.0)
    full = f"{name} holds more than {store.most:g} {store.unit}"
    yield from slots_over(problem, "store full", store.id, above, full, unit=store.unit)
    empty = f"{name} holds less than {store.least:g} {store.unit}"
    yield from slots_over(problem, "store empty", store.id, below, empty, unit=store.unit)
    if store.end - level > slack:
        what = f"{name} ends with {level:.4g} {store.unit}; {store.end:g} are asked for"
        yield Violation(
            rule="store end",
            subject=store.id,
            slot=problem.slots - 1,
            what=what,
            size=store.end - level,
            unit=store.unit,
        )


def check_reserves(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """In each slot of a reserve the battery holds its energy from beginning to end, and could discharge so much more.
    What lacks of several at once is said of each of them."""
    battery = problem.battery
    if battery is None or not battery.reserves:
        return
    stored = battery.start_kwh
    least_kwh, most_kw = [], []
    for k in range(problem.slots):
        begins = stored
        stored += plan.charge_kw[k] * battery.charge_efficiency * problem.step_hours
        stored -= plan.discharge_kw[k] / battery.discharge_efficiency * problem.step_hours
        least_kwh.append(min(begins, stored) if k else stored)  # what it holds at the start of all is a fact
        most_kw.append(battery.discharge_kw - plan.discharge_kw[k])
    asked_kwh, asked_kw = [0.0] * problem.slots, [0.0] * problem.slots
    for reserve in battery.reserves:
        for k in range(max(0, reserve.start), min(problem.slots, reserve.end)):
            asked_kwh[k] += reserve.kwh
            asked_kw[k] += reserve.kw
    for reserve in battery.reserves:
        inside = [reserve.start <= k < reserve.end for k in range(problem.slots)]
        lacks_kwh = [
            over(battery.min_kwh + asked_kwh[k], least_kwh[k]) if inside[k] and reserve.kwh else 0.0
            for k in range(problem.slots)
        ]
        lacks_kw = [over(asked_kw[k], most_kw[k]) if inside[k] and reserve.kw else 0.0 for k in range(problem.slots)]
        said = f"the battery does not hold the energy of {reserve.name}"
        yield from slots_over(problem, "reserve energy", reserve.name, lacks_kwh, said, unit="kWh")
        said = f"the battery could not discharge the power of {reserve.name} on top"
        yield from slots_over(problem, "reserve power", reserve.name, lacks_kw, said)

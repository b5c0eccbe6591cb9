"""What a plan costs: site balance, the battery's own rule, and the bill line by line.

Signs: import, consumption, charge and cost are positive; export, generation and discharge are quantities of their own.
h is the step in hours, k a slot.

    job load[k]   = sum of power_kw[i] of each job whose i-th slot is k (a job that began before slot 0, or ends after
                    the last one, counts only with its part inside the horizon)
    machines[k]   = job load + holding + batches + states + setups, machine by machine (`price_flow`)
    stores[k]     = what the plan's rows of stores draw, or as_is_kw of a store that the plan names no row for
    net[k]        = base load + machines + stores + charge − discharge − PV + curtailed
    import[k]     = max(net, 0)          export[k] = max(−net, 0)

    ENERGY        = Σ import·h·import_price, one line for published prices and one for forecast prices
    EXPORT        = −Σ export·h·export_price
    ENERGY tier   = (kWh beyond above_kwh that the import adds to so_far_kwh)·extra_per_kwh, one line a tier by its name
    DEMAND        = max(0, highest metered mean in the window − floor)·per_kw, one line a window; where the window is
                    guarded, of max(0, import − export + margin), with margin = z(guard)·sigma of base load and PV
    DEMAND ratchet= max(0, the same mean − max(floor, highest_kw))·per_kw of the ratchet, "… ratchet", one line a ratchet
    REDUCTION     = −pay_per_kwh · Σ max(0, min(baseline − import, most_kw))·h, one line a reduction
    CARBON        = carbon_price_per_kg · Σ import·h·carbon_kg_per_kwh
    WEAR          = wear_per_kwh · Σ discharge·h
    STORED        = (end_kwh − energy at the end)·end_value_per_kwh: less than agreed costs, more is worth
    LABOUR        = Σ people · h · premium_per_hour over the slots in which jobs need them, one line a skill
    SETUP         = cost of each setup for another family, one line a machine and change (see `price_setups`)
    START         = cost of each change of state, one line a machine and change (see `price_states`)
    LATE          = late_per_hour · priority · hours from `due` to the end, one line a late job; of an order, to the
                    end of its last run and what it rests after that
    LEFT_OUT      = value, one line for each optional job that is not done
    START         = restart_cost · restarts of interrupted runs, one line for all
    LIMIT         = penalty_per_kwh · Σ max(0, import − limit)·h, one line a priced limit
    MOVE          = move_price where a job leaves `in_force`, change_offer_price where it leaves `offered`,
                    break_accepted_price where it leaves an accepted place; an optional job that is left out leaves
                    them too
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from energy.model.plan import Bill, BillLine, GaveWay, How, LineKind, Plan, StateRow, StoreRow
from energy.model.problem import Placement, Problem, ProblemBattery, ProblemJob
from energy.model.site import BatteryRule
from energy.planning.price_flow import machines_load_kw
from energy.planning.price_jobs import late_orders, left_out_lines, restart_lines
from energy.planning.price_labour import labour_lines
from energy.planning.price_setups import setup_lines
from energy.planning.price_site import all_stores, demand_lines, reduction_lines, stores_kw, tier_lines
from energy.planning.price_states import start_lines, whole_states

PUBLISHED = "energy at published prices"
FORECAST = "energy at forecast prices"
EXPORTED = "energy exported"
LEFT_IN_FORCE = "jobs moved from the plan in force"
LEFT_OFFER = "jobs that leave an open offer"
BROKE_ACCEPTED = "accepted shifts broken"

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a plan has chosen: places, the states of machines (a name a slot), and what stores draw (kW a slot). A machine
    or store that is not named follows the plant's own rule."""

    placements: tuple[Placement, ...]
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRows:
    """What the site does in each slot (kW), and what the battery holds at the end (kWh; None without a battery)."""

    charge_kw: Rows
    discharge_kw: Rows
    curtailed_kw: Rows
    import_kw: Rows
    export_kw: Rows
    end_kwh: float | None


def price_plan(
    problem: Problem,
    placements: Sequence[Placement],
    *,
    charge_kw: Sequence[float] | None = None,
    discharge_kw: Sequence[float] | None = None,
    curtailed_kw: Sequence[float] | None = None,
    states: Mapping[str, tuple[str, ...]] | None = None,
    stores: Mapping[str, tuple[float, ...]] | None = None,
    how: How,
    as_is_chain: bool = False,
    gave_way: Sequence[GaveWay] = (),
) -> Plan:
    """The whole plan that these placements make. Battery rows that are None follow the plant's own rule (a planned
    battery then rests), and so do the machines and stores that are not named; curtailment that is None takes only what
    the export limit cannot carry."""
    order = {job.id: number for number, job in enumerate(problem.jobs)}
    placed = tuple(sorted(placements, key=lambda p: order.get(p.job, len(order))))
    choice = whole(problem, Choice(placements=placed, states=states or {}, stores=stores or {}))
    rows = site_rows(problem, choice, charge_kw=charge_kw, discharge_kw=discharge_kw, curtailed_kw=curtailed_kw)
    return Plan(
        problem=problem.digest,
        placements=placed,
        charge_kw=_tuple(rows.charge_kw),
        discharge_kw=_tuple(rows.discharge_kw),
        import_kw=_tuple(rows.import_kw),
        export_kw=_tuple(rows.export_kw),
        curtailed_kw=_tuple(rows.curtailed_kw),
        states=tuple(StateRow(machine=machine, states=row) for machine, row in choice.states.items()),
        stores=tuple(StoreRow(store=store, power_kw=row) for store, row in choice.stores.items()),
        bill=bill_of(problem, choice, rows, as_is_chain=as_is_chain),
        how=how,
        gave_way=tuple(gave_way),
    )


def choice_of(plan: Plan) -> Choice:
    """What a plan has chosen."""
    return Choice(
        placements=plan.placements,
        states={row.machine: row.states for row in plan.states},
        stores={row.store: row.power_kw for row in plan.stores},
    )


def whole(problem: Problem, choice: Choice) -> Choice:
    """A choice in which every machine with states and every store has its row: the plant's own rule where none is
    named."""
    states = whole_states(problem, choice.placements, choice.states)
    return replace(choice, states=states, stores=all_stores(problem, choice.stores))


def job_load_kw(problem: Problem, placements: Sequence[Placement]) -> Rows:
    """The load of the jobs, a mean a slot."""
    load = np.zeros(problem.slots)
    jobs = {job.id: job for job in problem.jobs}
    for placement in placements:
        power = jobs[placement.job].powers_kw(placement)
        first, last = max(0, placement.start), min(problem.slots, placement.start + len(power))
        if first < last:
            load[first:last] += power[first - placement.start : last - placement.start]
    return load


def plant_load_kw(problem: Problem, choice: Choice) -> Rows:
    """What the plant draws above its base load: every part of `LOADS` added up."""
    load_kw = np.zeros(problem.slots)
    for part in LOADS:
        load_kw += part(problem, choice)
    return load_kw


def site_rows(
    problem: Problem,
    chosen: Sequence[Placement] | Choice,
    *,
    charge_kw: Sequence[float] | None = None,
    discharge_kw: Sequence[float] | None = None,
    curtailed_kw: Sequence[float] | None = None,
) -> SiteRows:
    """The site balance of a choice, slot by slot."""
    choice = chosen if isinstance(chosen, Choice) else whole(problem, Choice(placements=tuple(chosen)))
    pv = np.asarray(problem.pv_kw, dtype=np.float64)
    before = np.asarray(problem.base_load_kw, dtype=np.float64) + plant_load_kw(problem, choice) - pv
    if curtailed_kw is not None:
        before = before + np.asarray(curtailed_kw, dtype=np.float64)
    if charge_kw is None and discharge_kw is None:
        charge, discharge = _own_rule(problem, before)
    else:
        nothing = (0.0,) * problem.slots
        charge = np.asarray(nothing if charge_kw is None else charge_kw, dtype=np.float64)
        discharge = np.asarray(nothing if discharge_kw is None else discharge_kw, dtype=np.float64)
    net = before + charge - discharge
    if curtailed_kw is not None:
        curtailed = np.asarray(curtailed_kw, dtype=np.float64)
    elif problem.curtailable:
        curtailed = np.minimum(np.maximum(-net - problem.export_limit_kw, 0.0), pv)
        net = net + curtailed
    else:
        curtailed = np.zeros(problem.slots)
    return SiteRows(
        charge_kw=charge,
        discharge_kw=discharge,
        curtailed_kw=curtailed,
        import_kw=np.maximum(net, 0.0),
        export_kw=np.maximum(-net, 0.0),
        end_kwh=end_kwh(problem, charge, discharge),
    )


def _own_rule(problem: Problem, before_kw: Rows) -> tuple[Rows, Rows]:
    battery = problem.battery
    if battery is None or battery.rule is not BatteryRule.SELF_CONSUMPTION:
        return np.zeros(problem.slots), np.zeros(problem.slots)
    return self_consumption(battery, before_kw, problem.step_hours)


def self_consumption(battery: ProblemBattery, before_kw: ArrayLike, step_hours: float) -> tuple[Rows, Rows]:
    """What the plant's own controller does against the net load before the battery (negative: would be exported):
    it charges from what would be exported, and discharges whenever the site would import."""
    before = np.asarray(before_kw, dtype=np.float64)
    charge, discharge = np.zeros(len(before)), np.zeros(len(before))
    stored = battery.start_kwh
    for k, net in enumerate(before.tolist()):
        if net < 0.0:
            room_kw = max(0.0, battery.capacity_kwh - stored) / (battery.charge_efficiency * step_hours)
            charge[k] = min(-net, battery.charge_kw, room_kw)
            stored += float(charge[k]) * battery.charge_efficiency * step_hours
        elif net > 0.0:
            left_kw = max(0.0, stored - battery.min_kwh) * battery.discharge_efficiency / step_hours
            discharge[k] = min(net, battery.discharge_kw, left_kw)
            stored -= float(discharge[k]) / battery.discharge_efficiency * step_hours
    return charge, discharge


def stored_kwh(battery: ProblemBattery, charge_kw: ArrayLike, discharge_kw: ArrayLike, step_hours: float) -> Rows:
    """What the battery holds at the end of each slot."""
    into = np.asarray(charge_kw, dtype=np.float64) * battery.charge_efficiency
    out = np.asarray(discharge_kw, dtype=np.float64) / battery.discharge_efficiency
    return battery.start_kwh + np.cumsum((into - out) * step_hours)


def end_kwh(problem: Problem, charge: Rows, discharge: Rows) -> float | None:
    """What the battery holds after the last slot; None without one."""
    if problem.battery is None:
        return None
    stored = stored_kwh(problem.battery, charge, discharge, problem.step_hours)
    return float(stored[-1]) if len(stored) else problem.battery.start_kwh


def bill_of(
    problem: Problem, chosen: Sequence[Placement] | Choice, rows: SiteRows, *, as_is_chain: bool = False
) -> Bill:
    """The bill of a plan, all lines."""
    choice = chosen if isinstance(chosen, Choice) else whole(problem, Choice(placements=tuple(chosen)))
    metered = price_profile(problem, rows.import_kw, rows.export_kw, as_is_chain=as_is_chain, guarded=True)
    lines = (
        *metered.lines,
        *battery_lines(problem, rows),
        *(line for lines_of in LINES for line in lines_of(problem, choice)),
    )
    return Bill(lines=lines, carbon_kg=metered.carbon_kg, peak_kw=metered.peak_kw)


def price_profile(
    problem: Problem,
    import_kw: ArrayLike,
    export_kw: ArrayLike,
    *,
    as_is_chain: bool = False,
    guarded: bool = False,
) -> Bill:
    """The bill of what a meter says, or would have said: energy, export, demand, carbon, reductions and priced limits by
    the prices of the problem. A gap (NaN) makes the lines that it touches unknown (NaN). `guarded`: it is only
    expected, so that guarded peaks have their margin; what was metered needs none."""
    imported, exported = np.asarray(import_kw, dtype=np.float64), np.asarray(export_kw, dtype=np.float64)
    carbon_kg = float(np.sum(imported * np.asarray(problem.carbon_kg_per_kwh)) * problem.step_hours)
    carbon = BillLine(
        kind=LineKind.CARBON,
        name="carbon price",
        quantity=carbon_kg,
        unit="kg",
        amount=problem.carbon_price_per_kg * carbon_kg,
    )
    lines = (
        *_energy_lines(problem, imported, exported),
        *tier_lines(problem, imported),
        *demand_lines(problem, imported, exported, as_is_chain=as_is_chain, guarded=guarded),
        carbon,
        *_limit_lines(problem, imported),
        *reduction_lines(problem, imported),
    )
    peak_kw = float(np.max(imported)) if len(imported) else 0.0
    return Bill(lines=lines, carbon_kg=carbon_kg, peak_kw=peak_kw)


def _energy_lines(problem: Problem, imported: Rows, exported: Rows) -> list[BillLine]:
    kwh = imported * problem.step_hours
    price = np.asarray(problem.import_price, dtype=np.float64)
    published = np.asarray(problem.price_published, dtype=np.bool_)
    lines = [
        BillLine(
            kind=LineKind.ENERGY,
            name=name,
            quantity=float(np.sum(kwh[part])),
            unit="kWh",
            amount=float(np.sum(kwh[part] * price[part])),
        )
        for name, part in ((PUBLISHED, published), (FORECAST, ~published))
    ]
    out_kwh = exported * problem.step_hours
    amount = 0.0 - float(np.sum(out_kwh * np.asarray(problem.export_price)))
    out = BillLine(kind=LineKind.EXPORT, name=EXPORTED, quantity=float(np.sum(out_kwh)), unit="kWh", amount=amount)
    return [*lines, out]


def _limit_lines(problem: Problem, imported: Rows) -> list[BillLine]:
    lines = []
    for limit in problem.limits:
        if limit.penalty_per_kwh is not None:
            over = np.maximum(0.0, imported[max(0, limit.start) : max(0, limit.end)] - limit.limit_kw)
            kwh = float(np.sum(over) * problem.step_hours)
            amount = kwh * limit.penalty_per_kwh
            lines.append(BillLine(kind=LineKind.LIMIT, name=limit.name, quantity=kwh, unit="kWh", amount=amount))
    return lines


def battery_lines(problem: Problem, rows: SiteRows) -> list[BillLine]:
    """Wear, and what less is stored at the end than agreed."""
    battery = problem.battery
    if battery is None or rows.end_kwh is None:
        return []
    out_kwh = float(np.sum(rows.discharge_kw) * problem.step_hours)
    wear = BillLine(
        kind=LineKind.WEAR,
        name="battery wear",
        quantity=out_kwh,
        unit="kWh",
        amount=out_kwh * battery.wear_per_kwh,
    )
    less_kwh = battery.end_kwh - rows.end_kwh
    stored = BillLine(
        kind=LineKind.STORED,
        name="less stored at the end",
        quantity=less_kwh,
        unit="kWh",
        amount=less_kwh * battery.end_value_per_kwh,
    )
    return [wear, stored]


def _late_lines(problem: Problem, choice: Choice) -> list[BillLine]:
    lines = []
    jobs = {job.id: job for job in problem.jobs}
    for placement in choice.placements:
        job = jobs[placement.job]
        end = job.end(placement)
        if job.due is not None and end > job.due:
            hours = (end - job.due) * problem.step_hours
            amount = hours * job.late_per_hour * job.priority
            lines.append(BillLine(kind=LineKind.LATE, name=job.id, quantity=hours, unit="h", amount=amount))
    return lines


def _move_lines(problem: Problem, choice: Choice) -> list[BillLine]:
    places = {place.job: place for place in choice.placements}
    left = [job for job in problem.jobs if _leaves(job, places.get(job.id), job.in_force)]
    dropped = [job for job in problem.jobs if job.offered and _leaves(job, places.get(job.id), job.offered)]
    broken = [job for job in left if job.accepted]
    rows: tuple[tuple[str, list[float]], ...] = (
        (LEFT_IN_FORCE, [job.move_price for job in left]),
        (LEFT_OFFER, [job.change_offer_price for job in dropped]),
        (BROKE_ACCEPTED, [job.break_accepted_price for job in broken]),
    )
    return [
        BillLine(kind=LineKind.MOVE, name=name, quantity=float(len(prices)), unit="jobs", amount=sum(prices))
        for name, prices in rows
        if prices
    ]


def _leaves(job: ProblemJob, place: Placement | None, of: Placement) -> bool:
    """Whether a job leaves a place; an optional one that is left out does too."""
    return job.value is not None if place is None else job.is_moved(place, of)


LOADS: tuple[Callable[[Problem, Choice], Rows], ...] = (
    machines_load_kw,
    lambda problem, choice: stores_kw(problem, choice.stores),
)
LINES: tuple[Callable[[Problem, Choice], list[BillLine]], ...] = (
    lambda problem, choice: labour_lines(problem, choice.placements),
    lambda problem, choice: setup_lines(problem, choice.placements),
    lambda problem, choice: start_lines(problem, choice.states),
    lambda problem, choice: restart_lines(problem, choice.placements),
    _late_lines,
    lambda problem, choice: late_orders(problem, choice.placements),
    lambda problem, choice: left_out_lines(problem, choice.placements),
    _move_lines,
)


def energy_bill(
    import_kwh: ArrayLike, export_kwh: ArrayLike, import_price: ArrayLike, export_price: ArrayLike, carbon: ArrayLike
) -> tuple[float | None, float | None]:
    """Money for energy (import − export) and kg CO2e of the import, of rows in which a gap is NaN. Each is None where
    a value that it needs is unknown; the price of nothing (0 kWh) is needed by nobody."""
    return (
        _difference(_sum_product(import_kwh, import_price), _sum_product(export_kwh, export_price)),
        _sum_product(import_kwh, carbon),
    )


def _sum_product(quantity: ArrayLike, rate: ArrayLike) -> float | None:
    amounts = np.asarray(quantity, dtype=np.float64)
    products = np.where(amounts == 0.0, 0.0, amounts * np.asarray(rate, dtype=np.float64))
    total = float(np.sum(products))
    return None if np.isnan(total) else total


def _difference(paid: float | None, earned: float | None) -> float | None:
    return None if paid is None or earned is None else paid - earned


def _tuple(row: Rows) -> tuple[float, ...]:
    return tuple(row.tolist())

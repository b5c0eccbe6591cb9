"""The rules that had to give in a plan: which, by how much, at what price."""

from datetime import datetime

import numpy as np

from energy.clock import local
from energy.model.plan import GaveWay, LineKind, Plan
from energy.planning.conflict import conflict_of
from energy.planning.price import choice_of
from optimizer.flow import loud_price as loud_flow
from optimizer.gave_way_flow import gave_way_flow
from optimizer.gave_way_jobs import left_out, orders_gave_way, recurring, same_order
from optimizer.gave_way_machines import not_ready, short_of_resources, short_setups
from optimizer.gave_way_site import site_gave_way, site_lack
from optimizer.plant import BROKEN_RULE_PRICE, Plant
from optimizer.reckoning import LOUD_PER_KWH
from optimizer.starts import Chosen, Start


def gave_way(plant: Plant, chosen: Chosen, plan: Plan) -> tuple[GaveWay, ...]:
    """All of them, the loudest first."""
    found = [
        *_limits(plant, plan),
        *site_gave_way(plant.problem, plan),
        *_facts(plant, chosen),
        *not_ready(plant, chosen, plan),
        *_double_booked(plant, chosen),
        *_short_of_people(plant, chosen),
        *short_of_resources(plant, chosen),
        *short_setups(plant, plan),
        *_wrong_order(plant, chosen),
        *gave_way_flow(plant, plan),
        *_late(plan),
        *_accepted(plant, chosen),
        *orders_gave_way(plant, chosen),
        *left_out(plant, chosen),
        *recurring(plant, chosen),
        *same_order(plant, chosen),
    ]
    return tuple(sorted(found, key=lambda given: -given.price))


def loud_price(plant: Plant, chosen: Chosen, plan: Plan) -> float:
    """What a plan is charged for rules that had to give, beside what stands on its bill: the grid connection, mandatory
    limits, feeders, levels of buffers, facts."""
    problem = plant.problem
    imported, exported = np.asarray(plan.import_kw), np.asarray(plan.export_kw)
    over = np.maximum(imported - problem.import_limit_kw, 0.0) + np.maximum(exported - problem.export_limit_kw, 0.0)
    kwh = float(over.sum()) * plant.hours
    for limit in problem.limits:
        if limit.penalty_per_kwh is None:
            there = imported[max(0, limit.start) : max(0, limit.end)]
            kwh += float(np.maximum(there - limit.limit_kw, 0.0).sum()) * plant.hours
    kwh += site_lack(problem, plan)
    flows = loud_flow(problem, choice_of(plan), LOUD_PER_KWH)
    facts = sum(start.broken for _, start in plant.chosen_starts(chosen))
    named = (*orders_gave_way(plant, chosen), *not_ready(plant, chosen, plan))
    return LOUD_PER_KWH * kwh + flows + facts + sum(given.price for given in named)


def _limits(plant: Plant, plan: Plan) -> list[GaveWay]:
    problem = plant.problem
    imported, exported = np.asarray(plan.import_kw), np.asarray(plan.export_kw)
    rows = [
        ("the import limit of the grid connection", imported, 0, plant.slots, problem.import_limit_kw, LOUD_PER_KWH)
    ]
    rows += [
        ("the export limit of the grid connection", exported, 0, plant.slots, problem.export_limit_kw, LOUD_PER_KWH)
    ]
    for limit in problem.limits:
        price = LOUD_PER_KWH if limit.penalty_per_kwh is None else limit.penalty_per_kwh
        rows.append((limit.name, imported, max(0, limit.start), max(0, limit.end), limit.limit_kw, price))
    found = []
    for name, flow, first, end, limit_kw, per_kwh in rows:
        over = np.maximum(flow[first:end] - limit_kw, 0.0)
        kwh = float(over.sum()) * plant.hours
        if kwh > 1e-6:
            when = _clock(plant, first + int(np.argmax(over)))
            by = f"{kwh:.1f} kWh above {limit_kw:.0f} kW, most at {when} with {over.max():.0f} kW"
            found.append(GaveWay(rule=name, by=by, price=kwh * per_kwh))
    return found


def _facts(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Jobs that stay where the machine is closed, the material is not there, or the end is too late."""
    found = []
    for row, start in plant.chosen_starts(chosen):
        job = plant.problem.jobs[row]
        if start.given:
            against = conflict_of(plant.problem, job) if start.broken else None
            for what in [against.sentence] if against is not None else _broken_facts(plant, job.id, start):
                price = BROKEN_RULE_PRICE if start.broken else 0.0
                found.append(
                    GaveWay(rule=what, by=f"{job.name or job.id} stays at {_clock(plant, start.slot)}", price=price)
                )
    return found


def _broken_facts(plant: Plant, job: str, start: Start) -> list[str]:
    asked = plant.problem.job(job)
    machine = plant.problem.machines[start.way.machine]
    broken = [
        f"{machine.name or machine.id} is closed until {_clock(plant, span.end)} ({span.why or 'no reason given'})"
        for span in machine.closed
        if any(span.start <= start.slot + i < span.end for i in np.flatnonzero(start.way.busy).tolist())
    ]
    if start.slot < asked.earliest and start.slot >= 0:
        broken.append(f"{asked.name or job} can start at {_clock(plant, asked.earliest)} at the earliest")
    if asked.must_end is not None and start.end > asked.must_end:
        broken.append(f"{asked.name or job} must end by {_clock(plant, asked.must_end)}")
    if asked.latest_start is not None and start.slot > asked.latest_start:
        broken.append(f"{asked.name or job} must start by {_clock(plant, asked.latest_start)}")
    if start.end > plant.order_ends.get(job, start.end):
        broken.append(f"{asked.name or job} must end by {_clock(plant, plant.order_ends[job])} for its order")
    return broken


def _double_booked(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    over = plant.machine_use(chosen) - plant.capacity[:, None]
    names = [machine.name or machine.id for machine in plant.problem.machines]
    most = ["one job" if each == 1 else f"at most {each} jobs" for each in plant.capacity.tolist()]
    return [
        GaveWay(
            rule=f"{names[row]} runs {most[row]} at a time",
            by=f"double-booked in the production plan for {_minutes(plant, int((over[row] > 0).sum()))} min "
            f"from {_clock(plant, int(np.argmax(over[row] > 0)))}",
            price=0.0,
        )
        for row in range(len(names))
        if (over[row] > 0).any()
    ]


def _short_of_people(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    short = plant.crew_use(chosen) - plant.people
    return [
        GaveWay(
            rule=f"{skill} crew",
            by=f"short of {int(short[row].max())} for {_minutes(plant, int((short[row] > 0).sum()))} min "
            f"from {_clock(plant, int(np.argmax(short[row] > 0)))} as given by production",
            price=0.0,
        )
        for skill, row in plant.skill_row.items()
        if (short[row] > 0).any()
    ]


def _wrong_order(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    found = []
    jobs, starts = plant.problem.jobs, dict(plant.chosen_starts(chosen))
    for after, before, least, most in plant.order:
        if after not in starts or before not in starts:
            continue
        lag = starts[after].slot - starts[before].end
        if lag < least or (most is not None and lag > most):
            amount = _minutes(plant, least - lag if lag < least else lag - (most or 0))
            rule = f"{jobs[after].name or jobs[after].id} follows {jobs[before].name or jobs[before].id}"
            by = f"{amount} min too {'early' if lag < least else 'late'} as given by production"
            found.append(GaveWay(rule=rule, by=by, price=0.0))
    return found


def _late(plan: Plan) -> list[GaveWay]:
    return [
        GaveWay(rule=f"due time of {line.name}", by=f"{line.quantity * 60:.0f} min late", price=line.amount)
        for line in plan.bill.lines
        if line.kind is LineKind.LATE
    ]


def _accepted(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    return [
        GaveWay(
            rule=f"accepted shift of {job.name or job.id}",
            by=f"starts at {_clock(plant, start.slot)} instead of {_clock(plant, job.in_force.start)}",
            price=job.break_accepted_price,
        )
        for row, start in plant.chosen_starts(chosen)
        for job in (plant.problem.jobs[row],)
        if job.accepted and job.is_moved(start.placement(job.id), job.in_force)
    ]


def _minutes(plant: Plant, slots: int) -> int:
    return slots * plant.problem.step_minutes


def _clock(plant: Plant, slot: int) -> str:
    t: datetime = local(plant.problem.horizon.time_of(slot), plant.problem.zone)
    return t.strftime("%a %H:%M")

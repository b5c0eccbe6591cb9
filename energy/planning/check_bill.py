"""Is the bill right? Every line added up again, one slot and one job at a time."""

from collections.abc import Iterator

from energy.model.plan import Bill, BillLine, LineKind, Plan, Violation
from energy.model.problem import Limit, Option, Placement, Problem, ProblemJob
from energy.planning.check_labour import labour_costs
from energy.planning.check_money import Expected, Key, add_site_lines
from energy.planning.check_runs import late_orders, left_out_lines, restart_lines
from energy.planning.check_setups import setup_costs
from energy.planning.check_states import state_costs
from energy.planning.check_words import elsewhere, end_of

NEAR = 1e-6  # relative; and absolute for what is next to nothing


def check_bill(problem: Problem, plan: Plan, *, as_is_chain: bool = False) -> list[Violation]:
    """Lines, carbon and peak of a plan whose rows and places are in order."""
    return list(_differences(problem, plan.bill, expected_lines(problem, plan, as_is_chain=as_is_chain), plan))


def expected_lines(problem: Problem, plan: Plan, *, as_is_chain: bool) -> dict[Key, Expected]:
    """What the bill must say."""
    lines: dict[Key, Expected] = {}
    _energy(problem, plan, lines)
    add_site_lines(problem, plan, lines, as_is_chain=as_is_chain)
    kg = _carbon_kg(problem, plan)
    lines[LineKind.CARBON, "carbon price"] = Expected(kg, "kg", kg * problem.carbon_price_per_kg)
    for limit in problem.limits:
        if limit.penalty_per_kwh is not None:
            kwh = _above_limit(problem, plan, limit)
            lines[LineKind.LIMIT, limit.name] = Expected(kwh, "kWh", kwh * limit.penalty_per_kwh)
    _battery(problem, plan, lines)
    for name, (hours, money) in labour_costs(problem, plan).items():
        lines[LineKind.LABOUR, name] = Expected(hours, "h", money)
    for name, (times, money) in setup_costs(problem, plan).items():
        lines[LineKind.SETUP, name] = Expected(float(times), "times", money)
    for name, (times, money) in state_costs(problem, plan).items():
        lines[LineKind.START, name] = Expected(float(times), "times", money)
    _late(problem, plan, lines)
    _moves(problem, plan, lines)
    placed = {job.id: (job, place, option) for job, place, option in _placed(problem, plan)}
    for kind, name, quantity, unit, amount in (
        *restart_lines(placed),
        *left_out_lines(problem, placed),
        *late_orders(problem, placed),
    ):
        lines[kind, name] = Expected(quantity, unit, amount)
    return lines


def _energy(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    kwh = {True: 0.0, False: 0.0}
    paid = {True: 0.0, False: 0.0}
    out_kwh = earned = 0.0
    for k in range(problem.slots):
        published = problem.price_published[k]
        kwh[published] += plan.import_kw[k] * problem.step_hours
        paid[published] += plan.import_kw[k] * problem.step_hours * problem.import_price[k]
        out_kwh += plan.export_kw[k] * problem.step_hours
        earned += plan.export_kw[k] * problem.step_hours * problem.export_price[k]
    lines[LineKind.ENERGY, "energy at published prices"] = Expected(kwh[True], "kWh", paid[True])
    lines[LineKind.ENERGY, "energy at forecast prices"] = Expected(kwh[False], "kWh", paid[False])
    lines[LineKind.EXPORT, "energy exported"] = Expected(out_kwh, "kWh", -earned)


def _carbon_kg(problem: Problem, plan: Plan) -> float:
    kg = 0.0
    for k in range(problem.slots):
        kg += plan.import_kw[k] * problem.step_hours * problem.carbon_kg_per_kwh[k]
    return kg


def _above_limit(problem: Problem, plan: Plan, limit: Limit) -> float:
    kwh = 0.0
    for k in range(max(0, limit.start), min(problem.slots, limit.end)):
        kwh += max(0.0, plan.import_kw[k] - limit.limit_kw) * problem.step_hours
    return kwh


def _battery(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    battery = problem.battery
    if battery is None:
        return
    stored, out_kwh = battery.start_kwh, 0.0
    for k in range(problem.slots):
        out_kwh += plan.discharge_kw[k] * problem.step_hours
        stored += plan.charge_kw[k] * problem.step_hours * battery.charge_efficiency
        stored -= plan.discharge_kw[k] * problem.step_hours / battery.discharge_efficiency
    missing = battery.end_kwh - stored
    lines[LineKind.WEAR, "battery wear"] = Expected(out_kwh, "kWh", out_kwh * battery.wear_per_kwh)
    stored_line = Expected(missing, "kWh", missing * battery.end_value_per_kwh)
    lines[LineKind.STORED, "less stored at the end"] = stored_line


def _placed(problem: Problem, plan: Plan) -> Iterator[tuple[ProblemJob, Placement, Option]]:
    places = {place.job: place for place in plan.placements}
    for job in problem.jobs:
        place = places.get(job.id)
        for option in job.options if place is not None else ():
            if place is not None and place.machine in (option.machine, *option.also) and option.mode == place.mode:
                yield job, place, option


def _late(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    for job, place, option in _placed(problem, plan):
        end = end_of(place, option)
        if job.due is not None and end > job.due:
            hours = (end - job.due) * problem.step_hours
            lines[LineKind.LATE, job.id] = Expected(hours, "h", hours * job.late_per_hour * job.priority)


def _moves(problem: Problem, plan: Plan, lines: dict[Key, Expected]) -> None:
    def add(name: str, price: float) -> None:
        so_far = lines.get((LineKind.MOVE, name), Expected(0.0, "jobs", 0.0))
        lines[LineKind.MOVE, name] = Expected(so_far.quantity + 1.0, "jobs", so_far.amount + price)

    placed = {job.id: (place, option) for job, place, option in _placed(problem, plan)}
    for job in problem.jobs:
        if _leaves(job, placed.get(job.id), job.in_force):
            add("jobs moved from the plan in force", job.move_price)
            if job.accepted:
                add("accepted shifts broken", job.break_accepted_price)
        if job.offered is not None and _leaves(job, placed.get(job.id), job.offered):
            add("jobs that leave an open offer", job.change_offer_price)


def _leaves(job: ProblemJob, there: tuple[Placement, Option] | None, other: Placement) -> bool:
    """Whether a job is elsewhere than at a place; an optional one that is left out has left it too."""
    return job.value is not None if there is None else elsewhere(there[0], other, there[1])


def _differences(problem: Problem, bill: Bill, expected: dict[Key, Expected], plan: Plan) -> Iterator[Violation]:
    said: dict[Key, BillLine] = {}
    for line in bill.lines:
        if (line.kind, line.name) in said:
            yield _say(f"{line.kind} {line.name}", "stands twice on the bill", abs(line.amount), problem.currency)
        said[line.kind, line.name] = line
    for (kind, name), line in said.items():
        right = expected.get((kind, name))
        if right is None:
            yield _say(f"{kind} {name}", "has nothing on the bill to stand for", abs(line.amount), problem.currency)
        elif not near(line.amount, right.amount):
            what = f"says {line.amount:.6f} {problem.currency}; it is {right.amount:.6f}"
            yield _say(f"{kind} {name}", what, abs(line.amount - right.amount), problem.currency)
        elif not near(line.quantity, right.quantity) or line.unit != right.unit:
            what = f"says {line.quantity:.6f} {line.unit}; it is {right.quantity:.6f} {right.unit}"
            yield _say(f"{kind} {name}", what, abs(line.quantity - right.quantity), right.unit)
    for (kind, name), right in expected.items():
        if (kind, name) not in said and not (near(right.amount, 0.0) and near(right.quantity, 0.0)):
            what = f"is missing: {right.amount:.6f} {problem.currency}"
            yield _say(f"{kind} {name}", what, abs(right.amount), problem.currency)
    kg, peak = _carbon_kg(problem, plan), max(plan.import_kw, default=0.0)
    if not near(bill.carbon_kg, kg):
        yield _say("carbon", f"says {bill.carbon_kg:.6f} kg; it is {kg:.6f}", abs(bill.carbon_kg - kg), "kg")
    if not near(bill.peak_kw, peak):
        yield _say("peak", f"says {bill.peak_kw:.6f} kW; it is {peak:.6f}", abs(bill.peak_kw - peak), "kW")


def near(a: float, b: float) -> bool:
    """Equal but for rounding; what is not a number is equal to nothing."""
    return abs(a - b) <= NEAR * max(1.0, abs(a), abs(b))


def _say(subject: str, what: str, size: float, unit: str) -> Violation:
    return Violation(rule="bill", subject=subject, slot=None, what=f"{subject} {what}", size=size, unit=unit)

"""Money against carbon: the plans from least money to least carbon, and what one more tonne costs between them.

Each point is the cheapest plan whose import emits no more than a limit; the limits lie evenly between what the cheapest
plan of all emits and the least that can be reached. A price of carbon would be simpler to sweep, but jobs run as a whole,
so the curve has dents, and no price ever finds a plan in a dent (nor more than one of two neighbours on a straight
piece); a limit finds them all.

Money is every line of the bill but the price of carbon. The least carbon is looked for at a price of 100 a kg, beside
which lateness and other prices of the plan still count, and far below those of promises and facts. That plan keeps every
limit, so it is a start for every point; the other start is the plan of the point before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from energy.model.plan import LineKind, Plan
from energy.model.problem import Problem
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from energy.planning.risk import risk_of
from optimizer.greedy import dispatched
from optimizer.milp import Milp

DEAR_PER_KG = 100.0  # the price at which the least carbon is looked for
TINY_PER_KG = 1e-4  # of two plans that cost the same, the one that emits less
SAME = 1e-6  # relative: two plans that differ by less are one
CARBON_RULES = frozenset({"the carbon limit"})

Told = Callable[[int, Plan], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One plan of the curve, priced for the problem as it was asked."""

    plan: Plan
    limit_kg: float | None  # what it had to keep; None where money alone counted

    @property
    def money(self) -> float:
        """All lines but the price of carbon."""
        return self.plan.bill.total - self.plan.bill.amount(LineKind.CARBON)

    @property
    def carbon_kg(self) -> float:
        return self.plan.bill.carbon_kg


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A plan that is not on the curve, and why."""

    point: Point
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The curve, from least money to least carbon; `contradictions` says why where there is none."""

    points: tuple[Point, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def next_tonne(self) -> tuple[float | None, ...]:
        """What a tonne less costs from each point to the next; None for the last."""
        return (*(_per_tonne(here, there) for here, there in pairwise(self.points)), None)


def frontier(problem: Problem, optimizer: Milp, *, points: int, seconds: float, told: Told | None = None) -> Frontier:
    """The curve with at most so many points, each solved within `seconds`."""
    before = dispatched(problem)
    if before.plan is None:
        return Frontier(contradictions=before.contradictions)
    found: list[Point] = []

    def add(plan: Plan, limit_kg: float | None) -> None:
        found.append(Point(plan=_as_asked(problem, plan), limit_kg=limit_kg))
        if told is not None:
            told(len(found), found[-1].plan)

    cheapest = _solved(optimizer, _with(problem, TINY_PER_KG), seconds, [])
    add(cheapest, None)
    cleanest = _solved(optimizer, _with(problem, DEAR_PER_KG), seconds, [cheapest])
    most_kg, least_kg = cheapest.bill.carbon_kg, cleanest.bill.carbon_kg
    if most_kg - least_kg > SAME * max(1.0, most_kg):
        last = cheapest
        for number in range(1, points):
            limit_kg = most_kg - (most_kg - least_kg) * number / (points - 1)
            last = _solved(optimizer, _with(problem, TINY_PER_KG, limit_kg), seconds, [last, cleanest])
            add(last, limit_kg)
    sound, broken = _sound(problem, before.plan, found)
    kept, beaten = undominated(sound)
    return Frontier(points=tuple(kept), dropped=(*broken, *beaten))


def _with(problem: Problem, per_kg: float, limit_kg: float | None = None) -> Problem:
    """The problem at another price of carbon, and with a limit (its own, where that is lower)."""
    limits = [limit for limit in (limit_kg, problem.carbon_limit_kg) if limit is not None]
    least = min(limits) if limits else None
    allowed = None if least is None else least + SAME * max(1.0, least)
    return replace(problem, carbon_price_per_kg=per_kg, carbon_limit_kg=allowed)


def _solved(optimizer: Milp, problem: Problem, seconds: float, starts: Sequence[Plan]) -> Plan:
    answer = optimizer.solve(problem, seconds=seconds, starts=[plan.placements for plan in starts])
    assert answer.plan is not None  # contradictions were looked for before
    return answer.plan


def _as_asked(problem: Problem, plan: Plan) -> Plan:
    """The same plan, priced for the problem as it was asked; how it was found stays."""
    priced = price_plan(
        problem,
        plan.placements,
        charge_kw=plan.charge_kw,
        discharge_kw=plan.discharge_kw,
        curtailed_kw=plan.curtailed_kw,
        states={row.machine: row.states for row in plan.states},
        stores={row.store: row.power_kw for row in plan.stores},
        how=plan.how,
        gave_way=[given for given in plan.gave_way if given.rule not in CARBON_RULES],
    )
    return replace(priced, risk=risk_of(problem, priced))


def _sound(problem: Problem, before: Plan, found: Sequence[Point]) -> tuple[list[Point], list[Dropped]]:
    """The points whose plans the auditor confirms: no rule is broken that was not broken before."""
    known = check(problem, before)
    sound, broken = [], []
    for point in found:
        wrong = new_violations(known, check(problem, point.plan))
        if wrong:
            broken.append(Dropped(point=point, why=f"it breaks a rule: {wrong[0].what}"))
        else:
            sound.append(point)
    return sound, broken


def undominated(points: Sequence[Point]) -> tuple[list[Point], list[Dropped]]:
    """The points that no other beats in money and carbon, from least money to least carbon; and those that one does."""
    kept: list[Point] = []
    dropped = []
    for point in sorted(points, key=lambda p: (p.money, p.carbon_kg)):
        better = next((p for p in kept if p.carbon_kg <= point.carbon_kg + SAME * max(1.0, point.carbon_kg)), None)
        if better is None:
            kept.append(point)
            continue
        same = abs(better.money - point.money) <= SAME * max(1.0, abs(point.money))
        same = same and abs(better.carbon_kg - point.carbon_kg) <= SAME * max(1.0, point.carbon_kg)
        why = "another limit led to the same plan" if same else "another plan costs no more and emits no more"
        dropped.append(Dropped(point=point, why=why))
    return kept, dropped


def _per_tonne(here: Point, there: Point) -> float:
    return 1000.0 * (there.money - here.money) / (here.carbon_kg - there.carbon_kg)


def rows(problem: Problem, curve: Frontier) -> Iterator[dict[str, object]]:
    """The curve as a table, one row a point."""
    for point, next_tonne in zip(curve.points, curve.next_tonne, strict=True):
        how = point.plan.how
        yield {
            "money": point.money,
            "carbon_kg": point.carbon_kg,
            "next_tonne_costs": next_tonne,
            "peak_kw": point.plan.bill.peak_kw,
            "moved": sum(
                1 for p in point.plan.placements if problem.job(p.job).is_moved(p, problem.job(p.job).in_force)
            ),
            "limit_kg": point.limit_kg,
            "gap": how.gap,
            "found": how.found.value,
            "seconds": how.seconds,
        }

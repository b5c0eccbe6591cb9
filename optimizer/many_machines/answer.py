"""A filled hall as an answer: priced line by line, with how it was found."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from energy.model.plan import Answer, How, HowFound
from energy.model.problem import Placement
from energy.planning.price import price_plan
from energy.planning.risk import risk_of
from optimizer.many_machines.hall import Placed
from optimizer.many_machines.posed import ManyMachines
from optimizer.many_machines.solve import PROVEN, Found, solve

SOLVER = "places on many machines"
PRICING_SECONDS = 0.3  # to price a plan of a thousand jobs and to answer
MOST_NAMED = 5

Told = Callable[[float, float | None], None]


def answer(
    posed: ManyMachines,
    *,
    until: float,
    gap: float,
    began: float,
    seed: int = 0,
    work: int | None = None,
    starts: Sequence[Sequence[Placement]] = (),
    progress: Told | None = None,
) -> Answer:
    """The best plan found until then (a time of `time.monotonic`), never worse than the plan in force or any of
    `starts`, where they keep the rules. With `work` (rounds of refilling) the time is only the last resort."""
    kept_back = PRICING_SECONDS * (1.0 + posed.hall.tasks / 1000.0)

    def told(cost: float | None, bound: float) -> None:
        if progress is not None and cost is not None:
            progress(cost + posed.other_cost, bound + posed.other_cost)

    found = solve(
        posed.hall,
        seconds=until - kept_back - time.monotonic(),
        gap=gap,
        other_cost=posed.other_cost,
        seed=seed,
        rounds=work,
        known=[posed.given, *(posed.placed(places) for places in starts)],
        progress=told,
    )
    if found.cost is None:
        return Answer(plan=None, contradictions=_without_place(posed, found.placed))
    placements, states = posed.placements(found.placed), posed.states(found.placed)
    plan = price_plan(posed.problem, placements, states=states, how=_how(posed, found, gap, began, seed))
    return Answer(plan=replace(plan, risk=risk_of(posed.problem, plan)))


def _how(posed: ManyMachines, found: Found, gap: float, began: float, seed: int) -> How:
    cost, bound = (found.cost or 0.0) + posed.other_cost, found.bound + posed.other_cost
    proven = max(0.0, cost - bound) / max(abs(cost), 1e-9)
    how = HowFound.OPTIMAL if proven <= max(gap, PROVEN) else HowFound.GAP
    return How(found=how, seconds=time.monotonic() - began, gap=proven, bound=bound, solver=SOLVER, seed=seed)


def _without_place(posed: ManyMachines, placed: Placed) -> tuple[str, ...]:
    """Which jobs no place was found for."""
    jobs = [posed.problem.jobs[row].id for row in np.flatnonzero(placed.machine < 0).tolist()]
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    named = ", ".join(jobs[:MOST_NAMED]) + more
    return (
        f"in the time given no place was found for {named}: the machines that may run them are full in their windows",
    )

"""What stands in the way of better: what the plan would cost if a tight rule of the plant had a little more room."""

import time
from dataclasses import dataclass

from energy.model.plan import Plan
from energy.model.problem import Problem
from optimizer.again import Again, Replanned
from optimizer.levers import Lever, levers

LEAST_SECONDS = 0.2  # for one rule; with less it is not looked at
LEAST_WORTH_SAYING = 0.005  # currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What more room would gain. `gains` is money found by planning again, `at_most` what is proven that no plan gains
    more than (None: nothing proven), `fewer_broken` how many jobs would no longer stand against a fact."""

    kind: str
    words: str
    gains: float
    at_most: float | None
    fewer_broken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottlenecks:
    """All of them, the dearest first; those that gain nothing are only named, and so are those for which there was no time.
    `again_gains` is what planning again gains with nothing changed; it is in none of the others."""

    found: tuple[Bottleneck, ...]
    of_no_use: tuple[str, ...]
    not_looked_at: tuple[str, ...]
    again_gains: float


def bottlenecks(problem: Problem, plan: Plan, *, seconds: float, process: bool = True) -> Bottlenecks:
    """Plan again from this plan with each tight rule eased in turn, within a time in all."""
    until = time.monotonic() + seconds
    tight = list(levers(problem, plan))
    with Again(process=process) as again:
        base = again.plan(problem, plan.placements, seconds=_share(until, len(tight) + 1))
        found, of_no_use, not_looked_at = [], [], []
        for number, lever in enumerate(tight):
            share = _share(until, len(tight) - number)
            if share < LEAST_SECONDS:
                not_looked_at.append(lever.words)
                continue
            one = _bottleneck(lever, base, again.plan(lever.problem, base.places, seconds=share))
            if one.gains > LEAST_WORTH_SAYING or one.fewer_broken > 0:
                found.append(one)
            else:
                of_no_use.append(lever.words)
    found.sort(key=lambda one: (-one.fewer_broken, -one.gains))
    return Bottlenecks(
        found=tuple(found),
        of_no_use=tuple(of_no_use),
        not_looked_at=tuple(not_looked_at),
        again_gains=max(0.0, plan.bill.total - base.plan.bill.total),
    )


def _share(until: float, parts: int) -> float:
    return (until - time.monotonic()) / max(1, parts)


def _bottleneck(lever: Lever, base: Replanned, eased: Replanned) -> Bottleneck:
    fewer = _broken(base) - _broken(eased)
    bound = None if eased.bound is None or fewer else max(0.0, base.cost - eased.bound)
    gains = base.plan.bill.total - eased.plan.bill.total
    return Bottleneck(kind=lever.kind, words=lever.words, gains=gains, at_most=bound, fewer_broken=fewer)


def _broken(made: Replanned) -> int:
    return sum(1 for _, start in made.plant.chosen_starts(made.made.chosen) if start.broken)

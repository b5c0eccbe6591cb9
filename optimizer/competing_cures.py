"""What would cure a contradiction of several jobs: each of its rules in turn gives by the least that helps, and the plan is
made again with it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from energy.model.plan import GaveWay, Plan
from energy.model.problem import Placement, Problem
from energy.planning.check import check_placements, new_violations
from optimizer.again import Again
from optimizer.competing import Competing, Question, only
from optimizer.competing_rules import Ease, Rule
from optimizer.cures import price_of, stuck

PRICING_SHARE = 0.6  # of the time
LEAST_SECONDS = 0.2  # for planning again with one cure


@dataclass(frozen=True, slots=True)
class _Least:
    """The least by which a rule must give: so many steps, and places of the jobs with it."""

    rule: Rule
    ease: Ease
    steps: int
    places: dict[str, Placement]


def competing_cures(
    problem: Problem, plan: Plan, one: Competing, *, seconds: float, process: bool = True
) -> tuple[GaveWay, ...]:
    """The cures, the cheapest first. A price is what the plan costs more (lateness and bill) when it is made again with
    the cure than when it is made again as it is. Of each rule only the way of the fewest steps is told, but every job
    that may go to another machine."""
    until = time.monotonic() + seconds
    found = []
    least = list(_all_least(problem, one, until - PRICING_SHARE * seconds))
    if not least:
        return ()
    with Again(process=process) as again:
        base = again.plan(problem, plan.placements, seconds=(until - time.monotonic()) / (len(least) + 1))
        for number, each in enumerate(least):
            share = (until - time.monotonic()) / (len(least) - number)
            made = _priced(problem, base.plan, one, each, again, share) if share >= LEAST_SECONDS else None
            if made is not None:
                found.append(made)
    return tuple(sorted(found, key=lambda cure: cure.price))


def _all_least(problem: Problem, one: Competing, until: float) -> list[_Least]:
    found = []
    for rule in one.rules:
        ways = [way for ease in rule.eases if (way := _least(problem, one, rule, ease, until)) is not None]
        fewest = min((way.steps for way in ways), default=0)
        found += [way for way in ways if way.steps == fewest][: None if rule.kind == "machine" else 1]
    return found


def _least(problem: Problem, one: Competing, rule: Rule, ease: Ease, until: float) -> _Least | None:
    """The fewest steps with which all jobs can be placed; None where none are enough, or the time is up."""
    question = Question(problem, one.excused, until)
    asked = only(problem, set(one.together))
    if not question.possible_in(ease.apply(asked, ease.most)) or question.cut_short:
        return None
    few, enough, places = 0, ease.most, question.places
    while enough - few > 1:
        middle = (few + enough) // 2
        if question.possible_in(ease.apply(asked, middle)):
            enough, places = middle, question.places
        else:
            few = middle
    return None if question.cut_short else _Least(rule, ease, enough, places)


def _priced(
    problem: Problem, plan: Plan, one: Competing, least: _Least, again: Again, seconds: float
) -> GaveWay | None:
    """The cure with its price; None where no plan was found in time that needs no fact to be broken for these jobs."""
    eased = _standing(least.ease.apply(problem, least.steps), least.places)
    moved = tuple(least.places.get(p.job, p) for p in plan.placements)
    broken = new_violations(check_placements(eased, plan.placements), check_placements(eased, moved))
    made = again.plan(eased, *((plan.placements,) if broken else (moved, plan.placements)), seconds=seconds)
    held = {job.id for job in stuck(made.plant, made.made.chosen)}
    if held & set(one.jobs):
        return None
    by = least.ease.by(problem, least.steps, made.plan)
    return GaveWay(rule=least.rule.words, by=by, price=price_of(made.plan) - price_of(plan))


def _standing(problem: Problem, places: Mapping[str, Placement]) -> Problem:
    """The problem with the jobs in force where the cure puts them: what stands against a fact now bars nobody's way, and
    what is double-booked now is not taken for production's own wish. Prices of moving are not looked at."""
    jobs = tuple(replace(job, in_force=places.get(job.id, job.in_force)) for job in problem.jobs)
    return replace(problem, jobs=jobs)

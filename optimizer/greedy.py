"""Kind `greedy`: a good plan at once, by taking jobs out and putting them back where they are cheapest."""

import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from energy.model.plan import Answer, How, HowFound
from energy.model.problem import Problem
from energy.ports import Context
from optimizer.answer import Candidate, answer_of, best_of, candidate
from optimizer.contradictions import contradictions
from optimizer.plant import Plant
from optimizer.reckoning import Reckoning, site_steered
from optimizer.search import Search

Told = Callable[[float, float | None], None]


class Settings(BaseModel):
    """What config.yaml may say."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["greedy"] = "greedy"
    seconds: float = Field(default=5.0, gt=0, description="time for one plan")
    groups: int = Field(default=400, ge=0, description="groups of jobs tried in vain before it stops")
    work: int | None = Field(
        default=None,
        ge=1,
        description="so many groups in vain instead of seconds, for plans that can be repeated exactly",
    )
    seed: int = Field(default=0, ge=0, description="of every choice made by chance")


class Greedy:
    """The search alone: no bound, no solver."""

    name = "greedy"

    def __init__(self, *, groups: int = 400, work: int | None = None, seed: int = 0) -> None:
        self.groups = groups if work is None else work
        self.work, self.seed = work, seed

    def solve(self, problem: Problem, *, seconds: float, progress: Told | None = None) -> Answer:
        """The best plan that the search finds in time; never worse than the plan in force."""
        began = time.monotonic()
        wrong = contradictions(problem)
        if wrong:
            return Answer(plan=None, contradictions=wrong)
        plant = Plant(problem)
        made = first_plan(plant, until=began + 0.9 * seconds, groups=self.groups, progress=progress, seed=self.seed)
        return answer_of(plant, made, _how(began, self.seed))

    def dispatch(self, problem: Problem) -> Answer:
        """Battery and curtailment alone, every job where it is in force."""
        return dispatched(problem)


def first_plan(plant: Plant, *, until: float, groups: int, progress: Told | None = None, seed: int = 0) -> Candidate:
    """The given plan, made better by search. A planned battery is worked out anew in between."""
    best = candidate(plant, plant.as_given)

    def tell(cost: float) -> None:
        if progress is not None:
            progress(cost, None)

    tell(best.cost)
    if not plant.search_keeps:
        return best
    own_rule = plant.problem.battery is not None and not site_steered(plant)
    told = tell if plant.search_knows and not own_rule else None
    rounds = [groups] * (3 if site_steered(plant) else 1)
    if own_rule:
        rounds = [0, groups, groups]  # what it does now is taken as given, and simulated anew for what was found
    for tried in rounds:
        reckoning = Reckoning(plant, best.dispatch if site_steered(plant) or own_rule else None)
        search = Search(plant, reckoning, best.chosen)
        found = candidate(plant, search.run(until=until, groups=tried, told=told, seed=seed))
        better = best_of(best, found)
        if better is not best and plant.search_knows:
            tell(better.cost)
        if (better is best and tried) or time.monotonic() > until:
            return better
        best = better
    return best


def dispatched(problem: Problem) -> Answer:
    """Every job where it is in force (or fixed), with the best battery and curtailment."""
    began = time.monotonic()
    wrong = contradictions(problem)
    if wrong:
        return Answer(plan=None, contradictions=wrong)
    plant = Plant(problem, stay=True)
    made = candidate(plant, plant.as_given)
    how = How(found=HowFound.AS_GIVEN, seconds=time.monotonic() - began, note="jobs as given; only the dispatch is new")
    return answer_of(plant, made, how)


def _how(began: float, seed: int) -> How:
    seconds = time.monotonic() - began
    return How(found=HowFound.HEURISTIC, seconds=seconds, solver="remove and reinsert", seed=seed)


def build(settings: Settings, context: Context) -> Greedy:  # noqa: ARG001  (every kind is built the same way)
    return Greedy(groups=settings.groups, work=settings.work, seed=settings.seed)

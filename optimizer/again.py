"""Planning again from a plan, under a problem that differs a little: what would it cost then?

The search and the program start from the plan that is there, so that what comes out is never worse than it, as long as
its places still exist in the changed problem.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from energy.model.plan import How, HowFound, Plan
from energy.model.problem import Placement, Problem
from optimizer.answer import Candidate, best_of, candidate, plan_of
from optimizer.plant import Plant
from optimizer.reckoning import Reckoning, site_steered
from optimizer.search import Search
from optimizer.starts import Chosen
from optimizer.worker import Finished, Found, Task, Worker, WorkerFailedError

SEARCH_SHARE = 0.3
GROUPS = 100  # that the search tries in vain
GAP = 1e-4
GRACE_SECONDS = 2.0  # before a child that does not look at its clock is ended: starting another takes as long


@dataclass(frozen=True, slots=True, eq=False)
class Replanned:
    """The best plan found, what it costs in all (loud prices included), and what any plan costs at least (None: nothing
    proven)."""

    plant: Plant
    made: Candidate
    bound: float | None

    @property
    def cost(self) -> float:
        return self.made.cost

    @property
    def places(self) -> tuple[Placement, ...]:
        return self.plant.placements(self.made.chosen)

    @property
    def plan(self) -> Plan:
        return plan_of(self.plant, self.made, How(found=HowFound.HEURISTIC))


class Again:
    """Plans again; the solver runs in a child process that can be ended in time, or here (`process=False`)."""

    def __init__(self, *, process: bool = True) -> None:
        self.worker = Worker() if process else None

    def __enter__(self) -> "Again":
        if self.worker is not None:
            self.worker.warm()
        return self

    def __exit__(self, *_: object) -> None:
        if self.worker is not None:
            self.worker.end()

    def plan(self, problem: Problem, *places: tuple[Placement, ...], seconds: float) -> Replanned:
        """The best plan in so many seconds, from the best of these places on, or of the given ones where the problem has
        none of them any more."""
        began = time.monotonic()
        plant = Plant(problem)
        known = [chosen for each in places if (chosen := _chosen(plant, each)) is not None]
        first, *others = (candidate(plant, chosen) for chosen in known or [plant.as_given])
        best = best_of(first, *others)
        if plant.search_keeps:
            reckoning = Reckoning(plant, best.dispatch if site_steered(plant) else None)
            search = Search(plant, reckoning, best.chosen)
            best = best_of(best, candidate(plant, search.run(until=began + SEARCH_SHARE * seconds, groups=GROUPS)))
        return self._solved(plant, best, began + seconds)

    def _solved(self, plant: Plant, best: Candidate, deadline: float) -> Replanned:
        heard = [best]
        bounds: list[float] = []

        def tell(found: Found) -> None:
            if found.bound is not None:
                bounds.append(found.bound)
            if found.dispatch is not None:
                heard[0] = best_of(heard[0], candidate(plant, plant.chosen_of(found.chosen), found.dispatch))

        task = Task(plant.problem, plant.placements(best.chosen), deadline, GAP)
        finished = self._finished(task, deadline, tell)
        if finished is not None and finished.chosen is not None and finished.dispatch is not None:
            tell(Found(finished.chosen, finished.dispatch, 0.0, finished.bound))
        return Replanned(plant, heard[0], max(bounds, default=None))

    def _finished(self, task: Task, deadline: float, tell: Callable[[Found], None]) -> Finished | None:
        if self.worker is None:
            from optimizer.child import work  # loads HiGHS into this process

            return work(task, tell)
        try:
            return self.worker.run(task, deadline=deadline + GRACE_SECONDS, tell=tell)
        except WorkerFailedError:
            return None  # what has been heard until then is still a plan


def _chosen(plant: Plant, places: tuple[Placement, ...]) -> Chosen | None:
    """The choice that places name; None where the plant has not all of them."""
    try:
        return plant.chosen_of(places)
    except KeyError:
        return None

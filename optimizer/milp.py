"""Kind `milp`: the first plan of the search, polished by a mixed-integer program, with a proven bound beside it."""

import atexit
import time
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from energy.model.plan import Answer, How, HowFound
from energy.model.problem import Problem
from energy.ports import Context
from optimizer.answer import Candidate, answer_of, best_of, candidate, gap_of
from optimizer.contradictions import contradictions
from optimizer.greedy import Told, dispatched, first_plan
from optimizer.plant import Plant
from optimizer.reckoning import Reckoning, steered
from optimizer.search import Search
from optimizer.worker import Finished, Found, Task, Worker, WorkerFailedError, starts_of

FIRST_PLAN_SHARE = 0.2  # of the time for the search, at most; the rest is the solver's
FIRST_PLAN_SECONDS = 3.0
KEPT_BACK_SECONDS = 0.3  # to end the child, price the plan and answer
EXACT = 1e-9


class Settings(BaseModel):
    """What config.yaml may say."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["milp"] = "milp"
    seconds: float = Field(default=20.0, gt=0, description="time for one plan")
    gap: float = Field(default=0.005, ge=0, lt=1, description="proven gap at which the solver may stop")
    process: bool = Field(default=True, description="solve in a child process that can be ended at the deadline")


@dataclass
class _Heard:
    """The best of what the solver has said so far."""

    best: Candidate
    bound: float | None = None
    notes: list[str] = field(default_factory=list)


class Milp:
    """Search, then branch and bound from where the search ended."""

    name = "milp"

    def __init__(self, *, gap: float = 0.005, process: bool = True, groups: int = 200) -> None:
        self.gap = gap
        self.groups = groups
        self.worker = Worker() if process else None
        if self.worker is not None:
            atexit.register(self.worker.end)

    def solve(self, problem: Problem, *, seconds: float, progress: Told | None = None) -> Answer:
        """The best plan found in time, never worse than the search's or the plan in force."""
        began = time.monotonic()
        wrong = contradictions(problem)
        if wrong:
            return Answer(plan=None, contradictions=wrong)
        deadline = began + seconds
        if self.worker is not None:
            self.worker.warm()
        plant = Plant(problem)
        until = began + min(FIRST_PLAN_SECONDS, FIRST_PLAN_SHARE * seconds)
        heard = _Heard(first_plan(plant, until=until, groups=self.groups, progress=progress))
        finished = self._ask(plant, heard, deadline, progress)
        if finished is not None:
            _take(plant, heard, finished)
        return answer_of(plant, heard.best, self._how(heard, finished, began))

    def dispatch(self, problem: Problem) -> Answer:
        """Battery and curtailment alone, every job where it is in force."""
        return dispatched(problem)

    def _ask(self, plant: Plant, heard: _Heard, deadline: float, progress: Told | None) -> Finished | None:
        """What the solver says in the end; None where it was ended or failed, with a note."""

        def tell(found: Found) -> None:
            heard.bound = found.bound if found.bound is not None else heard.bound
            heard.best = best_of(heard.best, candidate(plant, starts_of(plant, found.chosen), found.dispatch))
            if progress is not None:
                progress(heard.best.cost, heard.bound)

        task = Task(
            problem=plant.problem,
            first=plant.placements(heard.best.chosen),
            until=deadline - 2 * KEPT_BACK_SECONDS,
            gap=self.gap,
        )
        if self.worker is None:
            from optimizer.child import work  # loads HiGHS into this process

            return work(task, tell)
        try:
            finished = self.worker.run(task, deadline=deadline - KEPT_BACK_SECONDS, tell=tell)
        except WorkerFailedError as error:
            heard.notes.append(f"the solver failed ({error}); this is the best plan before")
            return None
        if finished is None:
            heard.notes.append("the solver overran its time and was ended; this is the best plan before")
        return finished

    def _how(self, heard: _Heard, finished: Finished | None, began: float) -> How:
        bound = heard.bound
        gap = gap_of(heard.best.cost, bound)
        if finished is None or gap is None:
            found = HowFound.HEURISTIC
        else:
            found = HowFound.OPTIMAL if gap <= max(self.gap, EXACT) else HowFound.GAP
        note = "; ".join(heard.notes)
        seconds = time.monotonic() - began
        return How(found=found, seconds=seconds, gap=gap, bound=bound, solver=_solver(), note=note)


def _take(plant: Plant, heard: _Heard, finished: Finished) -> None:
    """The solver's last plan, with what a search from there still finds: moves that gain nothing are taken back."""
    heard.bound = finished.bound if finished.bound is not None else heard.bound
    if finished.chosen is None or finished.dispatch is None:
        heard.notes.append(f"the solver found no plan ({finished.status}); this is the search's")
        return
    found = candidate(plant, starts_of(plant, finished.chosen), finished.dispatch)
    reckoning = Reckoning(plant, found.dispatch if steered(plant) else None)
    tidied = Search(plant, reckoning, found.chosen).run(until=time.monotonic() + 0.2, groups=0)
    heard.best = best_of(heard.best, found, candidate(plant, tidied, found.dispatch))


def _solver() -> str:
    from importlib.metadata import version

    return f"HiGHS {version('highspy')} through PuLP {version('pulp')}"


def build(settings: Settings, context: Context) -> Milp:  # noqa: ARG001  (every kind is built the same way)
    return Milp(gap=settings.gap, process=settings.process)

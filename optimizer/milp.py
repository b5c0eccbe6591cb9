"""Kind `milp`: the first plan of the search, polished by a mixed-integer program, with a proven bound beside it."""

import atexit
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from energy.model.plan import Answer, How, HowFound
from energy.model.problem import Placement, Problem
from energy.ports import Context
from optimizer.answer import Candidate, answer_of, best_of, candidate, gap_of
from optimizer.contradictions import contradictions
from optimizer.greedy import Told, dispatched, first_plan
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch, Reckoning, site_steered, steered
from optimizer.search import Search
from optimizer.starts import Chosen
from optimizer.structure import Engine, Tell, engine_of, many_machines
from optimizer.worker import Finished, Found, Hint, Stop, Task, Worker, WorkerFailedError, starts_of

FIRST_PLAN_SHARE = 0.2  # of the time for the search, at most; the rest is the solver's
FIRST_PLAN_SECONDS = 3.0
AT_ONCE_SHARE = 0.6  # for an engine that knows the structure of the problem, before the child is asked
AT_ONCE_SECONDS = 2.0
KEPT_BACK_SECONDS = 0.3  # to end the child, price the plan and answer
EXACT = 1e-9
OWN_RULE_SHARE = 0.4  # of the solver's time, for plans around the simulated schedule of a battery that steers itself
TIDY_SECONDS = 0.2


class Settings(BaseModel):
    """What config.yaml may say."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["milp"] = "milp"
    seconds: float = Field(default=20.0, gt=0, description="time for one plan")
    gap: float = Field(default=0.005, ge=0, lt=1, description="proven gap at which the solver may stop")
    process: bool = Field(default=True, description="solve in a child process that can be ended at the deadline")
    work: int | None = Field(
        default=None,
        ge=1,
        description="effort instead of seconds, for plans that can be repeated exactly: nodes, groups",
    )
    seed: int = Field(default=0, ge=0, description="of every choice made by chance")


@dataclass
class _Heard:
    """The best of what the solver has said so far."""

    best: Candidate
    bound: float | None = None
    failed: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def gap(self) -> float:
        gap = gap_of(self.best.cost, self.bound)
        return inf if gap is None else gap


class Milp:
    """Search, then branch and bound from where the search ended."""

    name = "milp"

    def __init__(
        self,
        *,
        gap: float = 0.005,
        process: bool = True,
        groups: int = 400,
        work: int | None = None,
        seed: int = 0,
    ) -> None:
        """`work`: effort instead of seconds, which are then only the last resort. The same work and seed give the same
        plan and the same bound."""
        self.gap = gap
        self.groups = groups if work is None else work
        self.work, self.seed = work, seed
        self.worker = Worker() if process else None
        if self.worker is not None:
            atexit.register(self.worker.end)

    def solve(
        self,
        problem: Problem,
        *,
        seconds: float,
        progress: Told | None = None,
        starts: Sequence[Sequence[Placement]] = (),
    ) -> Answer:
        """The best plan found in time, never worse than the search's or the plan in force, nor than any of `starts`:
        places of all jobs that are known to be good."""
        began = time.monotonic()
        wrong = contradictions(problem)
        if wrong:
            return Answer(plan=None, contradictions=wrong)
        deadline = began + seconds
        hall = many_machines(problem)
        if hall is not None:
            from optimizer.many_machines.answer import answer

            return answer(
                hall,
                until=deadline,
                gap=self.gap,
                began=began,
                seed=self.seed,
                work=self.work,
                starts=starts,
                progress=progress,
            )
        if self.worker is not None:
            self.worker.warm()
        plant = Plant(problem)
        engine = engine_of(plant)
        heard = self._first(plant, engine, began, seconds, progress)
        for places in starts:
            heard.best = best_of(heard.best, candidate(plant, plant.chosen_of(places)))
        if engine is not None and heard.gap <= EXACT:
            return answer_of(plant, heard.best, self._how(plant, heard, began, engine))
        own_rule = problem.battery is not None and not site_steered(plant)
        alone = self.worker is None or self.work is not None
        first_deadline = deadline - OWN_RULE_SHARE * (deadline - time.monotonic()) if own_rule and alone else deadline
        self._ask(plant, heard, first_deadline, progress)
        if own_rule and not heard.failed and heard.gap > max(self.gap, EXACT):
            self._ask(plant, heard, deadline, progress, given=True)
        return answer_of(plant, heard.best, self._how(plant, heard, began, engine))

    def _first(
        self, plant: Plant, engine: Engine | None, began: float, seconds: float, progress: Told | None
    ) -> _Heard:
        """A plan at once: that of an engine that knows the structure of the problem, else the search's."""
        if engine is not None:
            heard = _Heard(candidate(plant, plant.as_given))
            told = _telling(plant, heard, progress)
            most = min(AT_ONCE_SECONDS, AT_ONCE_SHARE * seconds)
            if engine.at_once(first=plant.as_given, seconds=most, gap=self.gap, tell=told) is not None:
                return heard
        until = began + (seconds if self.work else min(FIRST_PLAN_SECONDS, FIRST_PLAN_SHARE * seconds))
        return _Heard(first_plan(plant, until=until, groups=self.groups, progress=progress, seed=self.seed))

    def dispatch(self, problem: Problem) -> Answer:
        """Battery and curtailment alone, every job where it is in force."""
        return dispatched(problem)

    def _ask(self, plant: Plant, heard: _Heard, deadline: float, progress: Told | None, *, given: bool = False) -> None:
        """Let the solver better what has been heard so far; where it is ended or fails, a note says so.

        `given`: a self-consumption battery is taken to do what it does under the best plan so far. What is found so is
        simulated again, and proves no bound."""

        def tell(found: Found) -> None:
            _take(plant, heard, found.chosen, found.dispatch, None if given else found.bound)
            if progress is not None:
                progress(heard.best.cost, heard.bound)

        finished = self._finish(plant, heard, deadline, tell, given=given)
        if finished is None:
            return
        if finished.chosen is None or finished.dispatch is None:
            heard.notes.append(f"the solver found no plan ({finished.status}); this is the search's")
            return
        _take(plant, heard, finished.chosen, finished.dispatch, None if given else finished.bound)
        if heard.gap > EXACT:
            _tidy(plant, heard, seconds=TIDY_SECONDS if self.work is None else inf)

    def _finish(
        self, plant: Plant, heard: _Heard, deadline: float, tell: Callable[[Found], None], *, given: bool
    ) -> Finished | None:
        dispatch = heard.best.dispatch
        task = Task(
            problem=plant.problem,
            first=plant.placements(heard.best.chosen),
            until=deadline - 2 * KEPT_BACK_SECONDS,
            gap=self.gap,
            own_schedule=(dispatch.charge_kw, dispatch.discharge_kw) if given else None,
            work=self.work,
            seed=self.seed,
        )
        if self.worker is None:
            from optimizer.child import work  # loads HiGHS into this process

            return work(task, tell)
        try:
            finished = self.worker.run(
                task,
                deadline=deadline - KEPT_BACK_SECONDS,
                tell=tell,
                meanwhile=None if given else self._meanwhile(plant, heard, task.until, tell),
            )
        except WorkerFailedError as error:
            heard.failed = True
            heard.notes.append(f"the solver failed ({error}); this is the best plan before")
            return None
        if finished is None:
            heard.notes.append("the solver overran its time and was ended; this is the best plan before")
        elif self.work is not None and time.monotonic() > task.until:
            heard.notes.append("the time was up before the work was done: not to be repeated exactly")
        return finished

    def _meanwhile(
        self, plant: Plant, heard: _Heard, until: float, tell: Callable[[Found], None]
    ) -> Callable[[], bool] | None:
        """What is done here while the child solves: neighbourhoods of the best plan. Each side hears of the other's better
        plans, and once the gap is small enough the child is told to stop. Nothing, where an engine of its own solves, or
        where effort is counted as work."""
        if self.work is not None or engine_of(plant) is not None:
            return None
        from optimizer.alongside import Alongside  # loads HiGHS into this process

        own_rule = plant.problem.battery is not None and not site_steered(plant)
        beside = Alongside(plant, heard.best, until=until, seed=self.seed, own_rule=own_rule)
        worker = self.worker
        assert worker is not None

        def look() -> bool:
            if heard.gap <= max(self.gap, EXACT):
                worker.say(Stop())
                return False
            if not beside.in_time:
                return False
            made = beside.look(heard.best)
            if made is not None:
                places = plant.placements(made.chosen)
                worker.say(Hint(places, made.cost))
                tell(Found(places, made.dispatch, made.cost, None))
            return True

        return look

    def _how(self, plant: Plant, heard: _Heard, began: float, engine: Engine | None) -> How:
        gap = gap_of(heard.best.cost, heard.bound)
        if gap is not None and gap <= max(self.gap, EXACT):
            found = HowFound.OPTIMAL
        else:
            found = HowFound.HEURISTIC if gap is None or heard.failed else HowFound.GAP
        note = "; ".join((*heard.notes, *plant.notes))
        seconds = time.monotonic() - began
        return How(
            found=found, seconds=seconds, gap=gap, bound=heard.bound, solver=_solver(engine), seed=self.seed, note=note
        )


def _take(
    plant: Plant, heard: _Heard, chosen: tuple[Placement, ...], dispatch: Dispatch | None, bound: float | None
) -> None:
    """Keep what the solver says where it is better; its plans are reckoned anew, its bounds only rise."""
    if bound is not None:
        heard.bound = bound if heard.bound is None else max(bound, heard.bound)
    if dispatch is not None:
        heard.best = best_of(heard.best, candidate(plant, starts_of(plant, chosen), dispatch))


def _telling(plant: Plant, heard: _Heard, progress: Told | None) -> Tell:
    """Hear an engine in this process."""

    def tell(chosen: Chosen, dispatch: Dispatch | None, cost: float, bound: float | None) -> None:  # noqa: ARG001
        _take(plant, heard, plant.placements(chosen), dispatch, bound)
        if progress is not None:
            progress(heard.best.cost, heard.bound)

    return tell


def _tidy(plant: Plant, heard: _Heard, *, seconds: float) -> None:
    """What a search from the best plan still finds: moves that gain nothing are taken back."""
    if not plant.search_knows:
        return
    best = heard.best
    reckoning = Reckoning(plant, best.dispatch if steered(plant) else None)
    chosen = Search(plant, reckoning, best.chosen).run(until=time.monotonic() + seconds, groups=0)
    heard.best = best_of(best, candidate(plant, chosen, best.dispatch))


def _solver(engine: Engine | None) -> str:
    from importlib.metadata import version

    if engine is not None:
        return f"{engine.name}, HiGHS {version('highspy')}"
    return f"HiGHS {version('highspy')} through PuLP {version('pulp')}"


def build(settings: Settings, context: Context) -> Milp:  # noqa: ARG001  (every kind is built the same way)
    return Milp(gap=settings.gap, process=settings.process, work=settings.work, seed=settings.seed)

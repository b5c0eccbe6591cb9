"""From a plant to a solved program: relaxation, a small program around it, then the whole one.

The relaxation is solved first: it gives a bound, and for each start what it would cost to insist on it (its reduced
cost). A small program with only the starts that the relaxation uses finds a good plan in little time; after that the whole
program is solved without the starts that cannot be in any better plan, so that the bound stays proven. The status is read
from HiGHS itself.

Effort is counted in seconds, or as work: nodes of the solver and neighbourhoods tried, and no clock is looked at, so that
the same work gives the same plan and bound on every run.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.model.problem import Problem
from optimizer.blocks import (
    batches,
    battery,
    buffers,
    carbon,
    carbon_limit,
    crew,
    energy_price,
    export,
    feeders,
    holding,
    jobs,
    labour,
    lateness,
    left_out,
    limits,
    machines,
    moves_per_shift,
    moving,
    orders,
    peak,
    powers,
    precedence,
    recurring,
    reductions,
    reserves,
    resources,
    restarts,
    same_order,
    setups,
    site_balance,
    states,
    stores,
    tiers,
)
from optimizer.handover import Options, arrays, loaded, tell
from optimizer.lns import Neighbourhoods, chosen_of
from optimizer.model import Model
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.starts import LEFT_OUT, Chosen, Rows, Whole

# In this order: what draws power stands before the battery, whose own rule answers the most that can be drawn; the site
# balance stands after all that draws or gives, and before what is paid for import and export.
BLOCKS = (
    jobs,
    machines,
    precedence,
    recurring,
    same_order,
    orders,
    crew,
    resources,
    setups,
    states,
    moves_per_shift,
    powers,
    holding,
    batches,
    buffers,
    feeders,
    stores,
    battery,
    reserves,
    site_balance,
    energy_price,
    tiers,
    export,
    carbon,
    carbon_limit,
    peak,
    limits,
    reductions,
    lateness,
    left_out,
    restarts,
    labour,
    moving,
)

# (chosen, dispatch, cost, bound); without a dispatch only the bound is new
Better = Callable[[Chosen, Dispatch | None, float, float | None], None]


@dataclass(frozen=True, slots=True)
class Solved:
    """What HiGHS has found. `optimal` also holds where the asked gap is reached."""

    chosen: Chosen | None
    dispatch: Dispatch | None
    cost: float | None
    bound: float | None
    optimal: bool
    status: str


def build(plant: Plant) -> Model:
    """The program of a plant."""
    model = Model(plant)
    for block in BLOCKS:
        block.add(model)
    return model


USED = 1e-6  # a start that the relaxation uses by more
SMALL_SHARE = 0.4  # of the time that is left, for the small program
NEIGHBOURHOOD_SHARE = 0.3  # of what is left then, for neighbourhoods before the whole program
WORK_A_NEIGHBOURHOOD = 10  # units of work
WITHOUT_PROBING: Options = {"presolve_rule_off": 1 << 15}  # seconds for nothing in programs of thousands of starts
FEW_STARTS, MANY_STARTS = 1000, 3000
ROUNDING = 1e-7
COMPLETING_SHARE, COMPLETED_WITHIN = 0.1, 1e-3  # of the time that is left, and of the cost: it is only where to start
MISLED = 1e-4  # relative: more than rounding and tolerances can explain
EXACT: Options = {"mip_abs_gap": 1e-6, "mip_feasibility_tolerance": 1e-7}


@dataclass(frozen=True, slots=True)
class _Relaxed:
    """The relaxation: its bound, what insisting on each start would add to it, and how much it uses each."""

    bound: float
    reduced_cost: NDArray[np.float64]
    use: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What others have to say while the solver runs: a better plan of theirs (told once), and that it is enough."""

    hint: Callable[[], tuple[Chosen, float] | None] = lambda: None  # with what it really costs
    stopped: Callable[[], bool] = lambda: False


def solve(
    plant: Plant,
    *,
    seconds: float,
    gap: float,
    first: Chosen | None = None,
    better: Better | None = None,
    model: Model | None = None,
    work: int | None = None,
    seed: int = 0,
    meanwhile: Meanwhile | None = None,
) -> Solved:
    """Solve within a time, starting from a first plan. `better(chosen, dispatch, cost, bound)` hears of each better
    plan while it runs. With `work` the time is only the last resort."""
    until = time.monotonic() + seconds
    model = model or build(plant)
    effort = _Effort(until=until, gap=gap, work=work, seed=seed)
    run = _Run(model, arrays(model), effort, better=better, meanwhile=meanwhile or Meanwhile())
    run.first = first
    if first is not None and run.number_of_starts > len(plant.starts):
        run.around_relaxation()
        run.neighbourhoods()
    return run.whole()


@dataclass(frozen=True, slots=True)
class _Effort:
    """How much may be done."""

    until: float
    gap: float
    work: int | None
    seed: int

    @property
    def left(self) -> float:
        return max(0.1, self.until - time.monotonic())

    @property
    def for_neighbourhoods(self) -> tuple[float, float]:
        """(time at which they end, most of them)."""
        if self.work is not None:
            return self.until, self.work // WORK_A_NEIGHBOURHOOD
        return time.monotonic() + NEIGHBOURHOOD_SHARE * self.left, math.inf

    def options(self, until: float) -> Options:
        """What HiGHS is told of it; `until` is its share of the time."""
        options: Options = {"random_seed": self.seed}
        if self.work is not None:
            return options | {"time_limit": self.left, "mip_max_nodes": self.work}
        return options | {"time_limit": max(0.1, until - time.monotonic())}


class _Run:
    """One solve: the program, the best plan and the best bound so far."""

    def __init__(self, model: Model, lp: Any, effort: _Effort, *, better: Better | None, meanwhile: Meanwhile) -> None:
        self.model, self.lp, self.effort, self.gap = model, lp, effort, effort.gap
        self.better, self.meanwhile = better, meanwhile
        self.starts: Whole = np.concatenate([np.zeros(0, dtype=np.int64), *model.start])
        self.number_of_starts = len(self.starts)
        self.first: Chosen | None = None  # the plan to start from, whoever has found it
        self.known = math.inf  # what a plan of somebody else costs
        self.best: Chosen | None = None  # the best plan found here, with its dispatch and cost
        self.dispatch: Dispatch | None = None
        self.cost = math.inf
        self.bound = -math.inf
        self.upper = np.array(lp.col_upper_)

    def around_relaxation(self) -> None:
        """Bound and a good plan, from the relaxation and a small program around it."""
        relaxed = self._relax()
        if relaxed is None:
            return
        self.bound = relaxed.bound
        if self.better is not None and self.first is not None:
            self.better(self.first, None, self.cost, self.bound)
        self._hear()
        self._run(self._promising(relaxed), share=SMALL_SHARE, proves=False)
        self._hear()
        cost = min(self.cost, self.known)
        beyond = relaxed.reduced_cost > cost - relaxed.bound + max(ROUNDING, ROUNDING * abs(cost))
        free = np.array(self.lp.col_lower_)[self.starts] == 0.0  # of the only start of a job it says nothing
        self.upper[self.starts[beyond & free]] = 0.0

    def neighbourhoods(self) -> None:
        """Better plans by freeing a few jobs at a time; not in a program that is small enough to be proven at once."""
        if self.first is None or self.cost == math.inf or self.number_of_starts < FEW_STARTS:
            return
        near = Neighbourhoods(self.model, self.first, seed=self.effort.seed)
        near.take(self.first, self.cost if self.first is self.best else math.inf)
        until, tries = self.effort.for_neighbourhoods
        while not self._enough() and not self.meanwhile.stopped() and near.tried < tries and time.monotonic() < until:
            found = near.once(until=until if self.effort.work is None else math.inf)
            if found is not None:
                self._take(found.values)
            if self._hear() and self.first is not None:
                near.take(self.first, math.inf)  # what it costs in this program, the next one will tell

    def whole(self) -> Solved:
        """The whole program, as far as it is not done yet."""
        if self._enough():
            return self._solved(optimal=True, status="Optimal")
        return self._run(self.upper, share=1.0, proves=True)

    def _enough(self) -> bool:
        return self.cost < math.inf and self.cost - self.bound <= max(self.gap * abs(self.cost), 1e-6)

    def _relax(self) -> _Relaxed | None:
        options: Options = {"solver": "simplex", "time_limit": self.effort.left, "solve_relaxation": True}
        highs = loaded(self.lp, options)
        highs.run()
        if highs.modelStatusToString(highs.getModelStatus()) != "Optimal":
            return None
        solution = highs.getSolution()
        duals, values = np.asarray(solution.col_dual)[self.starts], np.asarray(solution.col_value)[self.starts]
        return _Relaxed(float(highs.getInfo().objective_function_value), duals, values)

    def _promising(self, relaxed: _Relaxed) -> NDArray[np.float64]:
        """Upper bounds that leave each job the starts that the relaxation uses, the best plan's and the given one."""
        upper = np.array(self.lp.col_upper_)
        upper[self.starts[relaxed.use <= USED]] = 0.0
        upper[[columns[0] for columns in self.model.start if len(columns)]] = 1.0
        if self.first is not None:
            upper[self._columns_of(self.first)] = 1.0
        return upper

    def _hear(self) -> bool:
        """Go on from what others have found meanwhile, where it is better."""
        hint = self.meanwhile.hint()
        if hint is None or hint[1] >= min(self.cost, self.known):
            return False
        self.first, self.known = hint
        return True

    def _columns_of(self, chosen: Chosen) -> Whole:
        """The columns of the chosen starts."""
        pairs = zip(self.model.start, chosen.tolist(), strict=True)
        return np.array([columns[number] for columns, number in pairs if number != LEFT_OUT], dtype=np.int64)

    def _run(self, upper: NDArray[np.float64], *, share: float, proves: bool) -> Solved:
        """Solve from the best plan so far. HiGHS 1.16 may count that plan wrongly once its presolve has aggregated columns
        away, and then end with it as the optimum: it is told by what its own solution really costs, and HiGHS runs again
        without knowing of any plan."""
        until = time.monotonic() + share * self.effort.left
        self.lp.col_upper_ = upper
        highs = self._ran(until, warm=self.first is not None)
        if self._misled(highs):
            highs = self._ran(until, warm=False)
        return self._read(highs, proves)

    def _ran(self, until: float, *, warm: bool) -> Any:
        options = self.effort.options(until) | {"mip_rel_gap": self.gap}
        if len(self.starts) > MANY_STARTS:
            options |= WITHOUT_PROBING
        highs = loaded(self.lp, EXACT | options)
        if warm:
            self._warm(highs)
        self._listen(highs)
        highs.run()
        return highs

    def _misled(self, highs: Any) -> bool:
        """Whether HiGHS takes its solution to cost something else than it does."""
        info = highs.getInfo()
        if info.primal_solution_status != 2 or not math.isfinite(info.objective_function_value):
            return False
        cost = self._cost_of(np.asarray(highs.getSolution().col_value))
        return abs(cost - float(info.objective_function_value)) > MISLED * max(1.0, abs(cost))

    def _cost_of(self, values: Rows) -> float:
        return float(self.lp.col_cost_ @ values) + float(self.lp.offset_)

    def _warm(self, highs: Any) -> None:
        """Tell HiGHS the best plan so far."""
        assert self.first is not None
        values = self._completed(self.first)
        if values is not None:
            tell(highs, values)

    def _completed(self, chosen: Chosen) -> Rows | None:
        """All that goes with chosen starts; None where the program has no such plan. HiGHS could work it out by itself, but
        would then tell of the bound of these starts alone as if it were that of the program."""
        allowed = self.lp.col_upper_
        upper = np.array(self.model.bounds()[1])
        upper[self.starts] = 0.0
        upper[self._columns_of(chosen)] = 1.0
        self.lp.col_upper_ = upper
        options: Options = {"time_limit": COMPLETING_SHARE * self.effort.left, "mip_rel_gap": COMPLETED_WITHIN}
        highs = loaded(self.lp, EXACT | options | {"random_seed": self.effort.seed})
        self.lp.col_upper_ = allowed
        highs.run()
        if highs.getInfo().primal_solution_status != 2:
            return None
        return np.array(highs.getSolution().col_value)

    def _listen(self, highs: Any) -> None:
        """Hear of better plans. What HiGHS 1.16 says there of the bound may be that of a part of the program, which is
        none of the whole: a bound is only what stands at the end."""

        def heard(event: Any) -> None:
            self._take(np.asarray(event.data_out.mip_solution))

        highs.cbMipImprovingSolution += heard
        if self.effort.work is None:
            highs.cbMipInterrupt += self._interrupts
            highs.cbMipUserSolution += self._hints

    def _interrupts(self, event: Any) -> None:
        if self.meanwhile.stopped():
            event.interrupt()

    def _hints(self, event: Any) -> None:
        """Tell HiGHS, while it runs, of a better plan that others have found."""
        if self._hear() and self.first is not None:
            values = self._completed(self.first)
            if values is not None:
                event.data_in.setSolution(values)

    def _take(self, values: NDArray[np.float64]) -> None:
        """Keep a plan that is better than the best so far, and tell of it."""
        cost = self._cost_of(values)
        if cost < self.cost:
            self.cost, self.best = cost, chosen_of(self.model, values)
            if cost < self.known:
                self.first = self.best
            self.dispatch = dispatch_of(self.model, values)
            if self.better is not None:
                bound = self.bound if math.isfinite(self.bound) else None
                self.better(self.best, self.dispatch, cost, bound)

    def _read(self, highs: Any, proves: bool) -> Solved:
        info = highs.getInfo()
        status = str(highs.modelStatusToString(highs.getModelStatus()))
        if info.primal_solution_status == 2 and math.isfinite(info.objective_function_value):
            self._take(np.asarray(highs.getSolution().col_value))
        if proves:
            mip = bool(self.model.bounds()[2].any())
            bound = info.mip_dual_bound if mip else info.objective_function_value
            if math.isfinite(bound) and self.cost < math.inf:
                self.bound = max(self.bound, min(float(bound), self.cost, self.known))
        return self._solved(optimal=status == "Optimal", status=status)

    def _solved(self, *, optimal: bool, status: str) -> Solved:
        bound = self.bound if math.isfinite(self.bound) else None
        if self.cost == math.inf:
            return Solved(None, None, None, bound, False, status)
        return Solved(self.best, self.dispatch, self.cost, bound, optimal, status)


def one_way(problem: Problem, dispatch: Dispatch) -> Dispatch:
    """The same stored energy without charging and discharging at once, which a program may choose where it is free.

    What is no longer lost is used inside, sent out, or curtailed where it may not go out.
    """
    battery = problem.battery
    both = np.minimum(dispatch.charge_kw, dispatch.discharge_kw) > 0.0
    if battery is None or not both.any():
        return dispatch
    lossless = battery.charge_efficiency * battery.discharge_efficiency
    into = dispatch.charge_kw - dispatch.discharge_kw / lossless  # kW at the terminals that make the same change
    charge = np.where(both, np.maximum(into, 0.0), dispatch.charge_kw)
    discharge = np.where(both, np.maximum(-into * lossless, 0.0), dispatch.discharge_kw)
    spared = (dispatch.charge_kw - dispatch.discharge_kw) - (charge - discharge)
    room = np.where(dispatch.curtailed_kw > 0.0, np.asarray(problem.pv_kw) - dispatch.curtailed_kw, 0.0)
    curtailed = dispatch.curtailed_kw + np.minimum(spared, np.maximum(room, 0.0))
    return replace(dispatch, charge_kw=charge, discharge_kw=discharge, curtailed_kw=curtailed)


def dispatch_of(model: Model, values: Rows) -> Dispatch:
    """What is open once the jobs stand."""
    charge, discharge, curtailed = (
        np.array([x if isinstance(x, float) else max(0.0, values[model.column(x)]) for x in row])
        for row in (model.charge_kw, model.discharge_kw, model.curtailed_kw)
    )
    made = Dispatch(charge, discharge, curtailed)
    for kind, key, read in model.readings:
        getattr(made, kind)[key] = read(values)
    return one_way(model.plant.problem, made)

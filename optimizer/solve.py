"""From a plant to a solved program: relaxation, a small program around it, then the whole one.

The relaxation is solved first, by interior point: it gives a bound, and for each start what it would cost to insist on
it (its reduced cost). A small program with only the promising starts finds a good plan in little time; after that the
whole program is solved without the starts that cannot be in any better plan, so that the bound stays proven. The status
is read from HiGHS itself.
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
from optimizer.handover import Options, arrays, loaded
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


PROMISING = 10  # starts of each job in the small program: those of least reduced cost
SMALL_SHARE = 0.4  # of the time that is left, for the small program
ROUNDING = 1e-7
MISLED = 1e-4  # relative: more than rounding and tolerances can explain
EXACT: Options = {"mip_abs_gap": 1e-6, "mip_feasibility_tolerance": 1e-7}


@dataclass(frozen=True, slots=True)
class _Relaxed:
    """The relaxation: its bound, and what insisting on each start would add to it."""

    bound: float
    reduced_cost: NDArray[np.float64]


def solve(
    plant: Plant,
    *,
    seconds: float,
    gap: float,
    first: Chosen | None = None,
    better: Better | None = None,
    model: Model | None = None,
) -> Solved:
    """Solve within a time, starting from a first plan. `better(chosen, dispatch, cost, bound)` hears of each better
    plan while it runs."""
    until = time.monotonic() + seconds
    model = model or build(plant)
    run = _Run(model, arrays(model), until=until, gap=gap, better=better)
    run.best = first
    if first is not None and run.number_of_starts > len(plant.starts):
        run.around_relaxation()
    return run.whole()


class _Run:
    """One solve: the program, the best plan and the best bound so far."""

    def __init__(self, model: Model, lp: Any, *, until: float, gap: float, better: Better | None) -> None:
        self.model, self.lp = model, lp
        self.until, self.gap, self.better = until, gap, better
        self.starts: Whole = np.concatenate([np.zeros(0, dtype=np.int64), *model.start])
        self.number_of_starts = len(self.starts)
        self.best: Chosen | None = None
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
        if self.better is not None and self.best is not None:
            self.better(self.best, None, self.cost, self.bound)
        self._run(self._promising(relaxed), seconds=SMALL_SHARE * self._left(), proves=False)
        beyond = relaxed.reduced_cost > self.cost - relaxed.bound + max(ROUNDING, ROUNDING * abs(self.cost))
        self.upper[self.starts[beyond]] = 0.0

    def whole(self) -> Solved:
        """The whole program, as far as it is not done yet."""
        if self.cost - self.bound > max(self.gap * abs(self.cost), 1e-6) or self.best is None or self.cost == math.inf:
            return self._run(self.upper, seconds=self._left(), proves=True)
        return self._solved(optimal=True, status="Optimal")

    def _left(self) -> float:
        return max(0.1, self.until - time.monotonic())

    def _relax(self) -> _Relaxed | None:
        options: Options = {"solver": "ipm", "time_limit": self._left(), "solve_relaxation": True}
        highs = loaded(self.lp, options)
        highs.run()
        if highs.modelStatusToString(highs.getModelStatus()) != "Optimal":
            return None
        duals = np.asarray(highs.getSolution().col_dual)[self.starts]
        return _Relaxed(float(highs.getInfo().objective_function_value), duals)

    def _promising(self, relaxed: _Relaxed) -> NDArray[np.float64]:
        """Upper bounds that leave each job its few starts of least reduced cost, the best plan's and the given one."""
        upper = np.array(self.lp.col_upper_)
        upper[self.starts] = 0.0
        first = 0
        for columns in self.model.start:
            costs = relaxed.reduced_cost[first : first + len(columns)]
            upper[columns[np.argsort(costs, kind="stable")[:PROMISING]]] = 1.0
            upper[columns[:1]] = 1.0
            first += len(columns)
        if self.best is not None:
            upper[self._columns_of(self.best)] = 1.0
        return upper

    def _columns_of(self, chosen: Chosen) -> Whole:
        """The columns of the chosen starts."""
        pairs = zip(self.model.start, chosen.tolist(), strict=True)
        return np.array([columns[number] for columns, number in pairs if number != LEFT_OUT], dtype=np.int64)

    def _run(self, upper: NDArray[np.float64], *, seconds: float, proves: bool) -> Solved:
        """Solve from the best plan so far. HiGHS 1.16 may count that plan wrongly once its presolve has aggregated columns
        away, and then end with it as the optimum: it is told by what its own solution really costs, and HiGHS runs again
        without knowing of any plan."""
        until = time.monotonic() + seconds
        self.lp.col_upper_ = upper
        highs = self._ran(seconds, proves, warm=self.best is not None)
        if self._misled(highs):
            highs = self._ran(max(0.1, until - time.monotonic()), proves, warm=False)
        return self._read(highs, proves)

    def _ran(self, seconds: float, proves: bool, *, warm: bool) -> Any:
        options: Options = {"time_limit": seconds, "mip_rel_gap": self.gap, "mip_lp_solver": "ipm"}
        highs = loaded(self.lp, EXACT | options)
        if warm:
            self._warm(highs)
        self._listen(highs, proves)
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
        """Tell HiGHS the best plan so far: where each job starts; it works out the rest."""
        assert self.best is not None
        value = np.zeros(len(self.upper))
        value[self._columns_of(self.best)] = 1.0
        highs.setSolution(len(self.starts), self.starts.astype(np.int32), value[self.starts])

    def _listen(self, highs: Any, proves: bool) -> None:
        def heard(event: Any) -> None:
            said = event.data_out
            if proves and math.isfinite(said.mip_dual_bound):
                self.bound = max(self.bound, float(said.mip_dual_bound))
            self._take(np.asarray(said.mip_solution))

        highs.cbMipImprovingSolution += heard

    def _take(self, values: NDArray[np.float64]) -> None:
        """Keep a plan that is better than the best so far, and tell of it."""
        cost = self._cost_of(values)
        if cost < self.cost:
            self.cost, self.best = cost, _chosen(self.model, values)
            self.dispatch = _dispatch(self.model, values)
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
                self.bound = max(self.bound, min(float(bound), self.cost))
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


def _chosen(model: Model, values: Rows) -> Chosen:
    """The start of each job."""
    chosen = np.full(len(model.start), LEFT_OUT, dtype=np.int64)
    for row, columns in enumerate(model.start):
        if len(columns) and values[columns].max() > 0.5:
            chosen[row] = int(np.argmax(values[columns]))
    return chosen


def _dispatch(model: Model, values: Rows) -> Dispatch:
    """What is open once the jobs stand."""
    charge, discharge, curtailed = (
        np.array([x if isinstance(x, float) else max(0.0, values[model.column(x)]) for x in row])
        for row in (model.charge_kw, model.discharge_kw, model.curtailed_kw)
    )
    made = Dispatch(charge, discharge, curtailed)
    for kind, key, read in model.readings:
        getattr(made, kind)[key] = read(values)
    return one_way(model.plant.problem, made)

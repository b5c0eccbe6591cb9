"""From a plant to a solved program: the blocks put together, handed to HiGHS as arrays, and read back.

PuLP is the language that the rules are written in (and writes LP and MPS files); its hand-over to HiGHS adds rows one
by one, so the arrays go across here at once. The status is read from HiGHS itself.
"""

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from energy.model.problem import Problem
from optimizer.blocks import (
    battery,
    carbon,
    crew,
    energy_price,
    export,
    jobs,
    lateness,
    limits,
    machines,
    moves_per_shift,
    moving,
    peak,
    precedence,
    site_balance,
)
from optimizer.model import Model
from optimizer.plant import Plant, Start
from optimizer.reckoning import Dispatch

# In this order: later blocks use the rows that earlier ones fill.
BLOCKS = (
    jobs,
    machines,
    precedence,
    crew,
    moves_per_shift,
    battery,
    site_balance,
    energy_price,
    export,
    carbon,
    peak,
    limits,
    lateness,
    moving,
)

_GREETING = threading.Lock()

Better = Callable[[list[Start], Dispatch, float, float | None], None]


@dataclass(frozen=True, slots=True)
class Solved:
    """What HiGHS has found. `optimal` also holds where the asked gap is reached."""

    chosen: list[Start] | None
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
    model.close()
    return model


def solve(
    plant: Plant,
    *,
    seconds: float,
    gap: float,
    first: Sequence[Start] | None = None,
    better: Better | None = None,
    model: Model | None = None,
) -> Solved:
    """Solve within a time, starting from a first plan. `better(chosen, dispatch, cost, bound)` hears of each better
    plan while it runs."""
    model = model or build(plant)
    highs = _handed_over(model, seconds=seconds, gap=gap)
    if first is not None:
        _warm(highs, model, first)
    if better is not None:
        _listen(highs, model, better)
    highs.run()
    return _read(highs, model)


def _handed_over(model: Model, *, seconds: float, gap: float) -> Any:
    """The program inside HiGHS, passed as arrays."""
    column = {x.name: number for number, x in enumerate(model.columns)}
    program = model.program
    starts, index, value, lower, upper = [0], [], [], [], []
    for row in program.constraints():
        for x, factor in row.items():
            index.append(column[x.name])
            value.append(factor)
        starts.append(len(index))
        right = -row.constant
        lower.append(right if row.sense >= 0 else -math.inf)
        upper.append(right if row.sense <= 0 else math.inf)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(column), len(lower)
    cost = np.zeros(len(column))
    for x, factor in program.objective.items():
        cost[column[x.name]] = factor
    lp.col_cost_, lp.offset_ = cost, float(program.objective.constant)
    lp.col_lower_ = np.array([-math.inf if x.lowBound is None else x.lowBound for x in model.columns])
    lp.col_upper_ = np.array([math.inf if x.upBound is None else x.upBound for x in model.columns])
    lp.row_lower_, lp.row_upper_ = np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = np.array(starts), np.array(index, dtype=np.int64)
    lp.a_matrix_.value_ = np.array(value, dtype=np.float64)
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole if x.cat == "Integer" else part for x in model.columns]
    highs = _quiet_highs()
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "time_limit": max(0.1, seconds)}
    options |= {"mip_rel_gap": gap, "mip_abs_gap": 1e-6, "mip_feasibility_tolerance": 1e-7}
    for name, said in options.items():
        highs.setOptionValue(name, said)
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS refused the program of {lp.num_col_} columns and {lp.num_row_} rows")
    return highs


def _quiet_highs() -> Any:
    """A HiGHS that says nothing: 1.16 greets on standard output before it can be told not to."""
    with _GREETING:
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            sys.stdout.flush()
            os.dup2(nowhere, 1)
            highs = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy is typed only in part
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)
    return highs


def _warm(highs: Any, model: Model, first: Sequence[Start]) -> None:
    """Tell HiGHS the first plan: where each job starts; it works out the rest."""
    index, value, number = [], [], 0
    for starts, chosen in zip(model.plant.starts, first, strict=True):
        for start in starts:
            index.append(number)
            value.append(1.0 if start is chosen or start == chosen else 0.0)
            number += 1
    if index:
        highs.setSolution(len(index), np.array(index, dtype=np.int32), np.array(value))


def _listen(highs: Any, model: Model, better: Better) -> None:
    def heard(event: Any) -> None:
        values = np.asarray(event.data_out.mip_solution)
        bound = event.data_out.mip_dual_bound
        better(
            _chosen(model, values),
            _dispatch(model, values),
            float(event.data_out.objective_function_value),
            bound if math.isfinite(bound) else None,
        )

    highs.cbMipImprovingSolution += heard


def _read(highs: Any, model: Model) -> Solved:
    info = highs.getInfo()
    status = highs.modelStatusToString(highs.getModelStatus())
    found = info.primal_solution_status == 2 and math.isfinite(info.objective_function_value)
    mip = any(x.cat == "Integer" for x in model.columns)
    bound = info.mip_dual_bound if mip else info.objective_function_value
    bound = float(bound) if math.isfinite(bound) and status != "Infeasible" else None
    if not found:
        return Solved(None, None, None, bound, False, status)
    values = np.asarray(highs.getSolution().col_value)
    return Solved(
        _chosen(model, values),
        _dispatch(model, values),
        float(info.objective_function_value),
        bound,
        status == "Optimal",
        status,
    )


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
    return Dispatch(charge, discharge, dispatch.curtailed_kw + np.minimum(spared, np.maximum(room, 0.0)))


def _chosen(model: Model, values: np.ndarray[Any, np.dtype[np.float64]]) -> list[Start]:
    """The start of each job: the starts are the first variables of the program, job by job."""
    chosen, first = [], 0
    for starts in model.plant.starts:
        chosen.append(starts[int(np.argmax(values[first : first + len(starts)]))])
        first += len(starts)
    return chosen


def _dispatch(model: Model, values: np.ndarray[Any, np.dtype[np.float64]]) -> Dispatch:
    """What battery and curtailment do."""
    column = {x.name: number for number, x in enumerate(model.columns)}
    rows = []
    for row in (model.charge_kw, model.discharge_kw, model.curtailed_kw):
        rows.append(np.array([x if isinstance(x, float) else max(0.0, values[column[x.name]]) for x in row]))
    return one_way(model.plant.problem, Dispatch(*rows))

"""The hand-over: a PuLP program as arrays for HiGHS, and a HiGHS that keeps quiet.

PuLP's own hand-over adds rows one by one (seconds at 200,000 nonzeros); the arrays go across at once.
"""

import math
import os
import sys
import threading
from typing import Any

import highspy
import numpy as np

from optimizer.model import Model

_GREETING = threading.Lock()

Options = dict[str, bool | int | float | str]
QUIET: Options = {"output_flag": False, "threads": 1, "random_seed": 0}


def arrays(model: Model) -> Any:
    """The program as a `HighsLp`."""
    column = {x.name: number for number, x in enumerate(model.columns)}
    program = model.program
    starts: list[int] = [0]
    index: list[int] = []
    value: list[float] = []
    lower: list[float] = []
    upper: list[float] = []
    for row in program.constraints():
        for x, factor in row.items():
            index.append(column[x.name])
            value.append(factor)
        starts.append(len(index))
        right = -row.constant
        lower.append(right if row.sense >= 0 else -math.inf)
        upper.append(right if row.sense <= 0 else math.inf)
    cost = np.zeros(len(column))
    objective: Any = program.objective  # PuLP types it as perhaps absent; `Model.close` has set it
    for x, factor in objective.items():
        cost[column[x.name]] = factor
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(column), len(lower)
    lp.col_cost_, lp.offset_ = cost, float(objective.constant)
    lp.col_lower_ = np.array([-math.inf if x.lowBound is None else x.lowBound for x in model.columns])
    lp.col_upper_ = np.array([math.inf if x.upBound is None else x.upBound for x in model.columns])
    lp.row_lower_, lp.row_upper_ = np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array(starts, dtype=np.int64)
    lp.a_matrix_.index_ = np.array(index, dtype=np.int64)
    lp.a_matrix_.value_ = np.array(value, dtype=np.float64)
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole if x.cat == "Integer" else part for x in model.columns]
    return lp


def loaded(lp: Any, options: Options) -> Any:
    """A HiGHS with a program in it."""
    highs = _quiet_highs()
    for name, said in (QUIET | options).items():
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

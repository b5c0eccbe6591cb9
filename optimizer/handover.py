"""The hand-over: a program as arrays for HiGHS, and a HiGHS that keeps quiet.

PuLP's own hand-over adds rows one by one (seconds at 200,000 nonzeros); the arrays go across at once.
"""

import os
import sys
import threading
from typing import Any

import highspy

from optimizer.model import Model
from optimizer.starts import Mask, Rows, Whole

_GREETING = threading.Lock()

Options = dict[str, bool | int | float | str]
QUIET: Options = {"output_flag": False, "threads": 1, "random_seed": 0}


def arrays(model: Model) -> Any:
    """The program as a `HighsLp`."""
    return lp_of(model.objective(), float(model.offset), model.bounds(), model.row_bounds(), model.matrix())


def lp_of(
    cost: Rows,
    offset: float,
    columns: tuple[Rows, Rows, Mask],
    rows: tuple[Rows, Rows],
    matrix: tuple[Whole, Whole, Rows],
) -> Any:
    """A `HighsLp` of costs, (lower, upper, whole) of the columns, (lower, upper) of the rows, and the matrix by rows."""
    lower, upper, whole = columns
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(lower), len(rows[0])
    lp.col_cost_, lp.offset_ = cost, offset
    lp.col_lower_, lp.col_upper_ = lower, upper
    lp.row_lower_, lp.row_upper_ = rows
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix
    kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
    lp.integrality_ = [kinds[is_whole] for is_whole in whole.tolist()]
    return lp


def loaded(lp: Any, options: Options) -> Any:
    """A HiGHS with a program in it."""
    highs = _quiet_highs()
    for name, said in (QUIET | options).items():
        highs.setOptionValue(name, said)
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS refused the program of {lp.num_col_} columns and {lp.num_row_} rows")
    return highs


def tell(highs: Any, values: Rows) -> None:
    """Give HiGHS a plan to start from: the value of every column."""
    solution = highspy.HighsSolution()
    solution.col_value = values.tolist()
    highs.setSolution(solution)


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

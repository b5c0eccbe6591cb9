"""The prices of the jobs from the linear program: a row for each job, a row for each slot, a column for each start."""

from typing import Any

import highspy
import numpy as np

from optimizer.handover import loaded
from optimizer.one_machine.runs import Rows, Table


def job_prices(table: Table, *, seconds: float) -> Rows | None:
    """The duals of "each job once" (interior point, no crossover: the relaxation turns any prices into a true bound).
    None where there was no time."""
    highs = loaded(
        _program(table), {"solver": "ipm", "run_crossover": "off", "presolve": "off", "time_limit": max(0.01, seconds)}
    )
    highs.run()
    if highs.modelStatusToString(highs.getModelStatus()) not in ("Optimal", "Unknown"):
        return None
    prices = np.asarray(highs.getSolution().row_dual, dtype=np.float64)[: table.jobs]
    return prices if np.isfinite(prices).all() else None


def _program(table: Table) -> Any:
    """minimise Σ cost · x subject to: each job Σ x = 1; each slot Σ (x of the runs that hold it) ≤ 1."""
    row, start = np.nonzero(np.isfinite(table.cost))
    length = table.length[row]
    per_column = 1 + length
    first = np.concatenate([[0], np.cumsum(per_column)])
    within = np.arange(first[-1]) - np.repeat(first[:-1], per_column)  # 0: the job's row; then the slots of the run
    index = np.where(within == 0, np.repeat(table.job[row], per_column), 0)
    index += np.where(within > 0, table.jobs + np.repeat(start, per_column) + within - 1, 0)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(row), table.jobs + table.slots
    lp.col_cost_ = table.cost[row, start]
    lp.col_lower_, lp.col_upper_ = np.zeros(len(row)), np.full(len(row), np.inf)
    lp.row_lower_ = np.concatenate([np.ones(table.jobs), np.full(table.slots, -np.inf)])
    lp.row_upper_ = np.ones(table.jobs + table.slots)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = first.astype(np.int32), index.astype(np.int32)
    lp.a_matrix_.value_ = np.ones(len(index))
    return lp

"""The way of the machine as a flow through slot edges and states, with one row for how often each kind runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from optimizer.handover import Options, loaded
from optimizer.one_machine.layers import Excess
from optimizer.one_machine.states import JobKind, Row, StateNetwork

Run = tuple[int, int]  # kind, start


@dataclass(frozen=True, slots=True)
class _Arcs:
    """Arcs of one sort: between which nodes, at what cost; `kind` is -1 where no job runs."""

    tail: Row
    head: Row
    cost: Row
    kind: int


@dataclass(frozen=True, slots=True)
class Found:
    """What branch and bound found: the runs of the best plan, and a bound; `done` where nothing better exists."""

    runs: list[Run] | None
    bound: float
    done: bool


class Program:
    """The flow, without the arcs that cost more than `most` (by `excess`)."""

    def __init__(
        self, network: StateNetwork, kinds: Sequence[JobKind], excess: Excess | None = None, most: float = math.inf
    ) -> None:
        self.network, self.kinds = network, tuple(kinds)
        arcs = self._arcs(excess, most)
        self.tail = np.concatenate([a.tail for a in arcs])
        self.head = np.concatenate([a.head for a in arcs])
        self.cost = np.concatenate([a.cost for a in arcs])
        self.kind = np.concatenate([np.full(len(a.tail), a.kind) for a in arcs])
        self.lp = self._lp()

    def _node(self, edge: Any, state: int) -> Any:
        return edge * self.network.states + state

    def _arcs(self, excess: Excess | None, most: float) -> list[_Arcs]:
        net = self.network

        def sort(cost: Row, least: Row | None, before: int, after: int, slots: int, kind: int = -1) -> _Arcs:
            keep = np.isfinite(cost)
            if least is not None:
                keep &= least <= most
            edge = np.flatnonzero(keep)
            return _Arcs(self._node(edge, before), self._node(edge + slots, after), cost[edge], kind)

        made = []
        for number, kind in enumerate(self.kinds):
            least = None if excess is None else excess.runs[number]
            made.append(sort(kind.cost, least, net.runs, net.runs, kind.slots, number))
        slow = 0
        for change in net.changes:
            least = None
            if change.slots:
                least = None if excess is None else excess.changes[slow]
                slow += 1
            cost = change.cost[: net.slots + 1 - change.slots]
            made.append(sort(cost, least, change.before, change.after, change.slots))
        for state in range(net.states):
            least = None if excess is None else excess.holding[state]
            made.append(sort(net.holding[state], least, state, state, 1))
        return made

    def _lp(self) -> Any:
        net, columns = self.network, len(self.cost)
        nodes = (net.slots + 1) * net.states
        balance = np.zeros(nodes)
        balance[self._node(0, net.first)] += 1.0
        balance[self._node(net.slots, net.last)] -= 1.0
        right = np.concatenate([balance, [float(kind.count) for kind in self.kinds]])
        of_job = self.kind >= 0
        sizes = np.where(of_job, 3, 2)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        index, value = np.zeros(starts[-1], dtype=np.int64), np.ones(starts[-1])
        index[starts[:-1]], index[starts[:-1] + 1] = self.tail, self.head
        value[starts[:-1] + 1] = -1.0
        index[starts[:-1][of_job] + 2] = nodes + self.kind[of_job]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, len(right)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost, np.zeros(columns), np.ones(columns)
        lp.row_lower_, lp.row_upper_ = right, right
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = starts.astype(np.int64), index, value
        return lp

    def prices(self, *, seconds: float) -> Row | None:
        """What the relaxation pays for one more run of each kind; None where it is not solved in time."""
        highs = loaded(self.lp, {"solver": "ipm", "run_crossover": "off", "time_limit": max(0.1, seconds)})
        highs.run()
        if highs.modelStatusToString(highs.getModelStatus()) != "Optimal":
            return None
        return np.asarray(highs.getSolution().row_dual)[-len(self.kinds) :]

    def search(self, *, seconds: float, threads: int, apart: float) -> Found:
        """Branch and bound; plans that cost less than `apart` less than the best are not looked for."""
        whole = highspy.HighsVarType.kInteger
        self.lp.integrality_ = [whole] * len(self.cost)
        options: Options = {
            "time_limit": max(0.1, seconds),
            "threads": threads,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": apart,
            "mip_lp_solver": "ipm",
        }
        highs = loaded(self.lp, options)
        highs.run()
        info, status = highs.getInfo(), highs.modelStatusToString(highs.getModelStatus())
        if status in {"Infeasible", "Primal infeasible or unbounded"}:
            return Found(None, math.inf, True)
        bound = info.mip_dual_bound
        if info.primal_solution_status != 2:
            return Found(None, bound, False)
        ran = np.flatnonzero((np.asarray(highs.getSolution().col_value) > 0.5) & (self.kind >= 0))
        runs = [(int(self.kind[a]), int(self.tail[a]) // self.network.states) for a in ran]
        return Found(sorted(runs, key=lambda run: run[1]), bound, status == "Optimal")

"""Jobs filled into the blocks of time in which the machine works, so that each kind runs as often as it should."""

from collections.abc import Sequence

import highspy
import numpy as np

from optimizer.handover import loaded
from optimizer.one_machine.states import JobKind

Run = tuple[int, int]  # kind, start


def packed(kinds: Sequence[JobKind], runs: Sequence[Run], *, seconds: float) -> list[Run] | None:
    """The same slots worked, each kind as often as it should run; None where the blocks cannot be filled so."""
    often = np.bincount([kind for kind, _ in runs], minlength=len(kinds))
    if any(kind.group is None and kind.count != often[number] for number, kind in enumerate(kinds)):
        return None
    made: list[Run] = [run for run in runs if kinds[run[0]].group is None]
    for group in sorted({kind.group for kind in kinds if kind.group is not None}):
        members = [number for number, kind in enumerate(kinds) if kind.group == group]
        blocks = _blocks(kinds, [run for run in runs if kinds[run[0]].group == group])
        filled = _filled(kinds, members, blocks, seconds)
        if filled is None:
            return None
        made += filled
    return sorted(made, key=lambda run: run[1])


def _blocks(kinds: Sequence[JobKind], runs: Sequence[Run]) -> list[tuple[int, int]]:
    """Stretches of work without a break, as (start, slots)."""
    blocks: list[tuple[int, int]] = []
    for kind, start in runs:
        slots = kinds[kind].slots
        if blocks and sum(blocks[-1]) == start:
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + slots)
        else:
            blocks.append((start, slots))
    return blocks


def _filled(
    kinds: Sequence[JobKind], members: Sequence[int], blocks: Sequence[tuple[int, int]], seconds: float
) -> list[Run] | None:
    """How often each kind runs in each block: whole numbers that fill every block and use every job."""
    if sum(kinds[k].slots * kinds[k].count for k in members) != sum(slots for _, slots in blocks):
        return None
    wide, high = len(members), len(blocks)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = wide * high, wide + high
    lp.col_cost_ = np.zeros(wide * high)
    lp.col_lower_ = np.zeros(wide * high)
    lp.col_upper_ = np.array(
        [min(slots // kinds[k].slots, kinds[k].count) for _, slots in blocks for k in members], float
    )
    right = np.array([slots for _, slots in blocks] + [kinds[k].count for k in members], dtype=float)
    lp.row_lower_, lp.row_upper_ = right, right
    lp.integrality_ = [highspy.HighsVarType.kInteger] * (wide * high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(wide * high + 1, dtype=np.int64) * 2
    block, member = np.divmod(np.arange(wide * high), wide)
    lp.a_matrix_.index_ = np.stack([block, high + member], axis=1).ravel().astype(np.int64)
    ones = np.ones(wide * high)
    lengths = np.array([kinds[k].slots for k in members], dtype=float)[member]
    lp.a_matrix_.value_ = np.stack([lengths, ones], axis=1).ravel()
    highs = loaded(lp, {"time_limit": max(0.1, seconds)})
    highs.run()
    if highs.getInfo().primal_solution_status != 2:
        return None
    often = np.rint(np.asarray(highs.getSolution().col_value)).astype(int).reshape(high, wide)
    made: list[Run] = []
    for (start, _), row in zip(blocks, often, strict=True):
        at = start
        for k, times in zip(members, row.tolist(), strict=True):
            for _ in range(times):
                made.append((k, at))
                at += kinds[k].slots
    return made

"""Which past cells say what the plant can do: not those where it was throttled, broken, covered with snow or not read."""

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.sun.envelope import envelope

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BRIGHT = 0.15  # of the finest cell: from here on zero is no cloud
NOTHING = 0.004  # of the finest cell
SKY_OPEN = 0.25  # of what radiation a fine day has: less may leave a roof at zero
FLAT = 0.004  # of the finest cell: what differs less is a limit, not the sky
FLAT_HOURS, FLAT_SLOTS = 1.5, 4  # together; in hourly values three alike in a row are no wonder
OUT_HOURS = 2.0
BELOW_TOP = 0.93  # of the finest cell: a limit that close is the inverter's own, and learned


def not_examples(output: Floats, radiation: Floats | None) -> tuple[Flags, Flags]:
    """(out, throttled), each (days, slots): where nothing was given though it should have been, and where it was held
    at a limit below what it gives elsewhere. `radiation` is that of the same cells, its clock set right."""
    fine = np.nan_to_num(envelope(output, smooth=0.0, quantile=0.95))
    top = float(fine.max())
    if top <= 0:
        none = np.zeros(output.shape, dtype=bool)
        return none, none
    should = np.broadcast_to(fine > BRIGHT * top, output.shape)
    if radiation is not None:
        high = np.nan_to_num(envelope(radiation, smooth=0.0))
        should = should & ~(radiation < SKY_OPEN * high)
    out = long_runs(should & (output <= NOTHING * top), OUT_HOURS)
    return out, throttled(output, top, fine)


def throttled(output: Floats, top: float, fine: Floats) -> Flags:
    slots = output.shape[1]
    flat = np.abs(np.diff(output, axis=1, prepend=np.nan)) <= FLAT * top
    held = flat & (output > BRIGHT * top) & (output < BELOW_TOP * np.minimum(fine, top)[None, :])
    runs = long_runs(held, FLAT_HOURS, least_slots=FLAT_SLOTS)
    runs[:, : slots - 1] |= runs[:, 1:]  # the first cell of a run differs from the one before it, not from the limit
    return runs


def long_runs(marks: Flags, hours: float, *, least_slots: int = 2) -> Flags:
    """Only those marks that stand so many hours together within a day."""
    least = max(least_slots, round(hours * marks.shape[1] / 24))
    kept = np.zeros(marks.shape, dtype=bool)
    padded = np.pad(marks, ((0, 0), (1, 1)))
    edges = np.diff(padded.astype(np.int8), axis=1)
    for row in range(len(marks)):
        starts, ends = (edges[row] == 1).nonzero()[0], (edges[row] == -1).nonzero()[0]
        for start, end in zip(starts, ends, strict=True):
            kept[row, start:end] = end - start >= least
    return kept

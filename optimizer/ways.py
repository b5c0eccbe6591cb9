"""The ways in which an option can run: straight through, on any of its machines, or with the pauses that it may make."""

from collections.abc import Iterator
from itertools import combinations, islice, pairwise
from math import comb

import numpy as np

from energy.model.problem import Interruptible, Option, Placement
from optimizer.starts import Mask, Way

MOST_PATTERNS = 250  # of pauses of one option; those with the fewest and shortest pauses come first


def ways_of(option: Option, machine_row: dict[str, int], slots: int) -> list[Way]:
    """Every way that an option allows and the horizon has room for; of very many patterns only the simplest."""
    power_kw = np.asarray(option.power_kw, dtype=np.float64)
    straight = np.ones(len(power_kw), dtype=np.bool_)
    found = []
    for machine in option.machines:
        row = machine_row[machine]
        found.append(Way(option, row, machine, power_kw, straight))
        for busy in islice(_interrupted(option, slots), MOST_PATTERNS - 1):
            drawn = np.where(busy, power_kw[0], 0.0)
            found.append(Way(option, row, machine, drawn, busy, tuple(drawn.tolist())))
    return found


def given_way(option: Option, machine: int, place: Placement) -> Way:
    """The way in which a given place runs, whatever the option says."""
    power_kw = np.asarray(place.power_kw or option.power_kw, dtype=np.float64)
    busy = power_kw > 0.0 if option.interruptible is not None else np.ones(len(power_kw), dtype=np.bool_)
    return Way(option, machine, place.machine, power_kw, busy, place.power_kw, given_only=True)


def patterns_of(slots: int, may: Interruptible) -> int:
    """In how many ways a run of so many slots may be cut by pauses, the one without a pause included."""
    found = 0
    for pauses in range(may.most_pauses + 1):
        free = slots - (pauses + 1) * (may.least_run_slots - 1) - 1
        found += comb(free, pauses) * may.longest_pause_slots**pauses if free >= pauses else 0
    return found


def _interrupted(option: Option, slots: int) -> Iterator[Mask]:
    """The patterns with at least one pause: the fewest pauses first, then the shortest."""
    may, works = option.interruptible, option.slots
    if may is None:
        return
    for pauses in range(1, may.most_pauses + 1):
        if (pauses + 1) * may.least_run_slots > works:
            return
        for idle in range(pauses, min(pauses * may.longest_pause_slots, slots - works) + 1):
            for gaps in _parts(idle, pauses, 1, may.longest_pause_slots):
                for runs in _parts(works, pauses + 1, may.least_run_slots, works):
                    yield _busy(runs, gaps)


def _parts(total: int, count: int, least: int, most: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as the sum of so many parts, each at least and at most so much."""
    spare = total - count * least
    for cuts in combinations(range(1, spare + count), count - 1) if spare >= 0 else ():
        edges = (0, *cuts, spare + count)
        parts = tuple(after - before - 1 + least for before, after in pairwise(edges))
        if max(parts) <= most:
            yield parts


def _busy(runs: tuple[int, ...], gaps: tuple[int, ...]) -> Mask:
    """Work and pause in turn."""
    pieces = [np.ones(runs[0], dtype=np.bool_)]
    for gap, run in zip(gaps, runs[1:], strict=True):
        pieces += [np.zeros(gap, dtype=np.bool_), np.ones(run, dtype=np.bool_)]
    return np.concatenate(pieces)

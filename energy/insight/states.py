"""The states of a machine over time, from its power and its levels: steady, each with a least length."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.insight.trace import Trace
from energy.model.insight import Levels, PowerState, StateSpan

Row = NDArray[np.float64]
ORDER = (PowerState.OFF, PowerState.IDLE, PowerState.HOLDING, PowerState.RUNNING)
UNKNOWN = len(ORDER)
PAUSE_SECONDS = 180  # a pause in work shorter than this belongs to the work
BLIP_SECONDS = 30  # a peak shorter than this is an inrush, not work
LEAST_SECONDS = 120  # any other state lasts at least this long
LONG_ON_SECONDS = 20 * 60  # who works that long without a break does not work by strokes
CYCLES, DUTY, SPREAD = 3, 0.6, 0.5  # a heating that holds: so many alike in a row, at most so long on, periods alike
LONGEST_PERIOD = 20 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggling:
    """Steps [first, end) in which full power goes on and off by itself, and its mean."""

    first: int
    end: int
    mean_kw: float
    period_seconds: float


def states(told: Trace, levels: Levels) -> list[StateSpan]:
    """The states of a trace, gapless from its start to its end; neighbours differ."""
    codes = tidied(classified(told.kw, levels), told.step_seconds)
    return [
        StateSpan(
            state=PowerState.UNKNOWN if code == UNKNOWN else ORDER[code],
            start=told.time_of(first),
            end=told.time_of(end),
            kwh=told.kwh(first, end),
        )
        for code, first, end in stretches(codes)
    ]


def classified(kw: Row, levels: Levels) -> NDArray[np.int64]:
    """The code of each step: how many thresholds the power is above, each with hysteresis; unknown where it is."""
    code = np.zeros(len(kw), dtype=np.int64)
    limits = [levels.on_above_kw, levels.holding_above_kw or levels.running_above_kw, levels.running_above_kw]
    for limit in limits:
        code += held_above(kw, limit, levels.band)
    if levels.holding_above_kw is None:
        code[code == ORDER.index(PowerState.HOLDING)] = ORDER.index(PowerState.RUNNING)
    return np.where(np.isnan(kw), UNKNOWN, code)


def held_above(kw: Row, limit: float, band: float) -> NDArray[np.int64]:
    """1 from where the power rises above a limit to where it falls below the limit less a band (a Schmitt trigger)."""
    said = np.where(kw >= limit, 1, np.where(kw < limit * (1.0 - band), 0, -1))
    said = np.where(np.isnan(kw), 0, said)  # after a gap nothing is held over
    known = np.flatnonzero(said >= 0)
    if not len(known):
        return (kw >= limit).astype(np.int64)
    last = np.searchsorted(known, np.arange(len(kw)), side="right") - 1
    return np.where(last >= 0, said[known[np.maximum(last, 0)]], (kw >= limit).astype(np.int64))


def stretches(codes: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """(code, first, end) of each run of equal codes."""
    if not len(codes):
        return []
    edges = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]])
    return [(int(codes[a]), int(a), int(b)) for a, b in itertools.pairwise(edges)]


def tidied(codes: NDArray[np.int64], step_seconds: int) -> NDArray[np.int64]:
    """Codes in which short pauses belong to the work, and whatever else is too short to what is around it. A gap stays
    a gap however short."""
    running = ORDER.index(PowerState.RUNNING)
    codes = absorbed(
        codes, lambda code, around: code < running and around == (running, running), PAUSE_SECONDS, step_seconds
    )
    codes = absorbed(codes, lambda code, around: code == running and UNKNOWN not in around, BLIP_SECONDS, step_seconds)
    return absorbed(
        codes, lambda code, around: code < running and any(a != UNKNOWN for a in around), LEAST_SECONDS, step_seconds
    )


def absorbed(codes: NDArray[np.int64], may_go, shorter_than: float, step_seconds: int) -> NDArray[np.int64]:  # type: ignore[no-untyped-def]
    """Codes without the stretches that are too short and may go; each becomes what is before it (or after, where there
    is a gap or nothing before)."""
    found = stretches(codes)
    made = codes.copy()
    before = UNKNOWN
    for index, (code, first, end) in enumerate(found):
        after = found[index + 1][0] if index + 1 < len(found) else UNKNOWN
        short = (end - first) * step_seconds < shorter_than
        if code != UNKNOWN and short and may_go(code, (before, after)):
            before = before if before != UNKNOWN else after
            made[first:end] = before
        else:
            before = code
    return made


def toggling(told: Trace, work_kw: float) -> list[Toggling]:
    """Where full power goes on and off by itself, as a thermostat does it: at least CYCLES in a row, alike, on for at
    most DUTY of the time, down to almost nothing in between. Only what readings show; means of 15 min hide it."""
    if work_kw <= 0.0 or not told.fine.any():
        return []
    kw = np.where(told.fine, told.kw, np.nan)
    on = np.where(np.isnan(kw), -1, held_above(kw, 0.5 * work_kw, 0.4))
    runs = stretches(on)
    found: list[Toggling] = []
    chain: list[tuple[int, int, int]] = []  # (first, end of on, end of cycle)

    def close() -> None:
        if len(chain) >= CYCLES:
            first, end = chain[0][0], chain[-1][2]
            periods = np.array([c[2] - c[0] for c in chain]) * told.step_seconds
            mean = float(np.nanmean(told.kw[first:end]))
            found.append(Toggling(first=first, end=end, mean_kw=mean, period_seconds=float(np.median(periods))))
        chain.clear()

    for (code, first, mid), (next_code, _, end) in itertools.pairwise(runs):
        if code != 1 or next_code != 0:
            if code == -1 or next_code == -1:
                close()
            continue
        period, duty = (end - first) * told.step_seconds, (mid - first) / (end - first)
        low = float(np.nanmean(kw[mid:end]))
        alike = (
            not chain or abs(period - np.median([c[2] - c[0] for c in chain]) * told.step_seconds) <= SPREAD * period
        )
        if duty <= DUTY and period <= LONGEST_PERIOD and low <= 0.15 * work_kw and mid - first >= 2 and alike:
            chain.append((first, mid, end))
        else:
            close()
    close()
    return found


def calmed(told: Trace, regions: Sequence[Toggling]) -> Trace:
    """The trace with each toggling region at its own mean: it holds, it does not start work every five minutes."""
    kw = told.kw.copy()
    for region in regions:
        kw[region.first : region.end] = np.where(
            np.isnan(kw[region.first : region.end]), np.nan, region.mean_kw
        )  # fmt: skip
    return Trace(start=told.start, step_seconds=told.step_seconds, kw=kw, fine=told.fine)


def long_on_hours(told: Trace, work_kw: float) -> float:
    """For how long full power was drawn without a break, in stretches that no thermostat would make."""
    on = held_above(np.nan_to_num(told.kw), 0.5 * work_kw, 0.4)
    long = [
        end - first
        for code, first, end in stretches(on)
        if code == 1 and (end - first) * told.step_seconds >= LONG_ON_SECONDS
    ]
    return sum(long) * told.step_hours

"""Where the states of a machine lie in its power: learned from how long it drew what.

The classes of a histogram are even in log power, so that 5 kW against 15 kW is as far as 50 against 150. Its peaks are
what the machine does for long; a threshold lies in the emptiest stretch between two peaks.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from energy.model.insight import Levels

Row = NDArray[np.float64]
LEAST_KW, RATIO, CLASSES = 0.01, 1.04, 480  # class k ≥ 1 is [LEAST_KW · RATIO^(k−1), LEAST_KW · RATIO^k); 0 is below
LEAST_HOURS = 20.0  # of known power, before anything is said
PEAK_SHARE, PEAK_HOURS = 0.004, 0.4  # what a peak holds at least, of all hours and in hours
VALLEY = 0.6  # two peaks are one where the valley between them is not below this share of the lower one
RUNNING_SHARE = 0.42  # of the working power: above it a peak is work
OFF_SHARE = 0.02  # of the working power: below it nothing is on
IDLE_NEAR = (0.6, 1.7)  # of the idle power that the plant says
HOLDING_NEAR = (0.6, 1.6)
APART = 1.8  # holding draws at least so many times what idle draws
KEEP = 1.2  # thresholds that moved by less than this factor stay, so that states do not change with them


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the plant says of a machine; 0 or None where it does not. Priors: what is seen counts more."""

    idle_kw: float = 0.0
    rated_kw: float = 0.0
    holding_kw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A power at which a machine stays for long: from class `first` to `last`, in the middle `kw`."""

    kw: float
    first: int
    last: int
    hours: float


def classes_of(kw: Row) -> NDArray[np.int64]:
    """The class of each power; unknown is −1."""
    safe = np.maximum(np.nan_to_num(kw, nan=0.0), LEAST_KW / RATIO)
    found = np.floor(np.log(safe / LEAST_KW) / math.log(RATIO) + 1e-9).astype(np.int64) + 1
    return np.where(np.isnan(kw), -1, np.clip(found, 0, CLASSES - 1))


def kw_of(index: float) -> float:
    """The power in the middle of a class."""
    return LEAST_KW * RATIO ** (index - 0.5) if index > 0 else 0.0


def histogram(kw: Row, step_hours: float) -> tuple[tuple[int, float], ...]:
    """(class, hours) of a power over time, without empty classes."""
    found = classes_of(kw)
    counts = np.bincount(found[found >= 0], minlength=1)
    return tuple((int(k), float(counts[k] * step_hours)) for k in np.flatnonzero(counts))


def added(histograms: Iterable[Sequence[tuple[int, float]]]) -> Row:
    total = np.zeros(CLASSES)
    for one in histograms:
        for index, hours in one:
            total[index] += hours
    return total


def learn_levels(
    days: Mapping[date, Sequence[tuple[int, float]]], told: Told, *, holding_mean_kw: float | None = None
) -> Levels | None:
    """The levels of a machine from its days; None where less than most of a day is known, or one power only.
    `holding_mean_kw` is the mean of a heating that is switched on and off, where that was seen."""
    hours = added(days.values())
    if hours.sum() < LEAST_HOURS:
        return None
    found = peaks(hours)
    work_kw = max(working_kw(hours), 0.5 * told.rated_kw)
    if len(found) < 2 and not told.rated_kw:
        return None  # one power all along: nobody can say which state that is
    off, idle, holding, running = named(found, work_kw, told, holding_mean_kw)
    on_above, holding_above, running_above = thresholds(hours, off, idle, holding, running, work_kw, told)
    notes = [] if running else [f"never seen above {RUNNING_SHARE * work_kw:.1f} kW: not seen running"]
    return Levels(
        off_kw=middle(off),
        idle_kw=middle(idle),
        holding_kw=middle(holding),
        running_kw=middle(running),
        on_above_kw=on_above,
        holding_above_kw=holding_above,
        running_above_kw=running_above,
        hours=round(float(hours.sum()), 2),
        first=min(days),
        last=max(days),
        notes=tuple(notes),
    )


def peaks(hours: Row) -> list[Peak]:
    """The powers at which it stays for long, lowest first; each reaches to the emptiest class towards the next."""
    smooth = blurred(hours)
    tops = [
        k
        for k in range(CLASSES)
        if smooth[k] > 0 and smooth[k] >= smooth[max(0, k - 1)] and smooth[k] > smooth[min(CLASSES - 1, k + 1)]
    ]
    while len(tops) > 1:
        depth = [
            smooth[a : b + 1].min() / min(smooth[a], smooth[b]) for a, b in itertools.pairwise(tops)
        ]  # fmt: skip
        shallow = int(np.argmax(depth))
        if depth[shallow] < VALLEY:
            break
        tops.remove(min(tops[shallow], tops[shallow + 1], key=lambda k: smooth[k]))
    cuts = [emptiest(hours, a, b) for a, b in itertools.pairwise(tops)]
    firsts, lasts = [0, *(c + 1 for c in cuts)], [*cuts, CLASSES - 1]
    least = max(PEAK_HOURS, PEAK_SHARE * float(hours.sum()))
    found = [
        Peak(kw=median_kw(hours, first, last), first=first, last=last, hours=float(hours[first : last + 1].sum()))
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return [peak for peak in found if peak.hours >= least]


def blurred(hours: Row) -> Row:
    """The histogram with each class shared out over its neighbours: 8 % of power either way."""
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    return np.convolve(hours, kernel / kernel.sum(), mode="same")


def emptiest(hours: Row, low: int, high: int) -> int:
    """The class between two in which least time is spent; of an empty stretch its middle."""
    if high - low < 2:
        return low
    smooth = np.convolve(hours, np.ones(3) / 3.0, mode="same")[low + 1 : high]
    least = np.flatnonzero(smooth <= smooth.min() + 1e-12)
    stretches = np.split(least, np.flatnonzero(np.diff(least) > 1) + 1)
    longest = max(stretches, key=len)
    return low + 1 + int(longest[len(longest) // 2])


def median_kw(hours: Row, first: int, last: int) -> float:
    """The power below which half of the hours in some classes lie."""
    part = hours[first : last + 1]
    half = int(np.searchsorted(np.cumsum(part), part.sum() / 2.0))
    return kw_of(first + min(half, len(part) - 1))


def working_kw(hours: Row) -> float:
    """The power above which the upper tenth of the energy is drawn: that of full work, whatever a machine waits."""
    energy = hours * np.array([kw_of(k) for k in range(CLASSES)])
    if energy.sum() <= 0.0:
        return 0.0
    return kw_of(int(np.searchsorted(np.cumsum(energy), 0.9 * energy.sum())))


Named = tuple[list[Peak], list[Peak], list[Peak], list[Peak]]


def named(found: Sequence[Peak], work_kw: float, told: Told, holding_mean_kw: float | None) -> Named:
    """(off, idle, holding, running): which peaks are what."""
    off: list[Peak] = []
    idle: list[Peak] = []
    holding: list[Peak] = []
    running = [p for p in found if p.kw >= RUNNING_SHARE * work_kw]
    for peak in (p for p in found if p.kw < RUNNING_SHARE * work_kw):
        if peak.kw < OFF_SHARE * work_kw or (told.idle_kw > 0 and peak.kw < IDLE_NEAR[0] * told.idle_kw):
            off.append(peak)
        elif near(peak.kw, told.holding_kw, HOLDING_NEAR) or near(peak.kw, holding_mean_kw, HOLDING_NEAR):
            holding.append(peak)
        elif near(peak.kw, told.idle_kw, IDLE_NEAR) or not idle or peak.kw < APART * idle[0].kw:
            idle.append(peak)
        else:
            holding.append(peak)
    if not off and not told.idle_kw and len(idle) > 1 and idle[-1].kw > APART * idle[0].kw:
        off = [idle.pop(0)]
    return off, idle, holding, running


def near(kw: float, wanted: float | None, within: tuple[float, float]) -> bool:
    return bool(wanted) and wanted is not None and within[0] * wanted <= kw <= within[1] * wanted


def middle(group: Sequence[Peak]) -> float | None:
    """The typical power of some peaks, by the hours spent there."""
    if not group:
        return None
    return round(sum(p.kw * p.hours for p in group) / sum(p.hours for p in group), 3)


def thresholds(
    hours: Row,
    off: Sequence[Peak],
    idle: Sequence[Peak],
    holding: Sequence[Peak],
    running: Sequence[Peak],
    work_kw: float,
    told: Told,
) -> tuple[float, float | None, float]:
    """(off → idle, idle → holding or None, → running), kW; each in the emptiest stretch between two groups of peaks."""

    def between(lower: Sequence[Peak], upper: Sequence[Peak], otherwise: float) -> float:
        if not lower or not upper:
            return otherwise
        low, high = int(classes_of(np.array([lower[-1].kw]))[0]), int(classes_of(np.array([upper[0].kw]))[0])
        return kw_of(emptiest(hours, low, high) + 0.5)

    waiting = idle or holding
    lowest_on = waiting or running
    on_above = between(off, lowest_on, floor_kw(lowest_on, work_kw, told))
    holding_above = between(idle, holding, APART * idle[-1].kw) if holding and idle else None
    below = holding or idle or off
    top = below[-1].kw if below else 0.0
    running_above = between(below, running, max(RUNNING_SHARE * work_kw, 1.3 * top))
    if holding and not idle:
        holding_above = on_above
    return round(on_above, 4), None if holding_above is None else round(holding_above, 4), round(running_above, 4)


def floor_kw(lowest_on: Sequence[Peak], work_kw: float, told: Told) -> float:
    """Where off ends for a machine that was never seen off."""
    if told.idle_kw > 0:
        return IDLE_NEAR[0] * told.idle_kw
    return 0.5 * lowest_on[0].kw if lowest_on else max(LEAST_KW, OFF_SHARE * work_kw)


def renewed(old: Levels | None, new: Levels | None) -> Levels | None:
    """The levels to go by from now on: the old ones, unless a state has come or gone or a threshold moved clearly."""
    if old is None or new is None:
        return old or new
    moved = [
        (old.on_above_kw, new.on_above_kw),
        (old.running_above_kw, new.running_above_kw),
        (old.holding_above_kw or 0.0, new.holding_above_kw or 0.0),
    ]
    held = bool(old.holding_period_seconds) == bool(new.holding_period_seconds)
    same = held and all(a == b or (a > 0 and b > 0 and max(a, b) / min(a, b) <= KEEP) for a, b in moved)
    appeared = old.running_kw is None and new.running_kw is not None
    # A machine that did not work lately (a holiday) is no other machine: its work is still where it was.
    rested = old.running_kw is not None and (new.running_kw or 0.0) < old.running_above_kw
    if (same and not appeared) or rested:
        return old
    return new

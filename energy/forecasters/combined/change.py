"""Level changes of a load: a machine more or less, a line gone. Noticed within days, and older days brought to the new level.

A day's level is held against days of the same kind; what it lies beyond chance adds up (a two-sided CUSUM) and is an
alarm above a bound. A change noticed on one day is used from the next forecast on, and never before. A day on which the
plant stood still is no new level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALLOWED = 1.0  # standard deviations of a day that count as chance
ALARM = 6.0  # of what lies beyond
MOST_A_DAY = 4.5  # no single day is an alarm
LEAST_SPREAD = 0.05  # of the level: days closer than that are alike
REFERENCE = 15  # days of the same kind that a day is held against
LEAST_REFERENCE = 8
LEAST_SHIFT = 0.1  # of the level: what is smaller is left as it is
STILL = 0.3  # of the usual range of a day: a day that is flatter stood still


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new level: `row` is the first day on it, `known_from` the first issue that may know."""

    row: int
    known_from: int
    shift: float  # of the mean, in the unit of the target, as seen when it was noticed

    def told(self, days: Days, unit: str) -> str:
        on = date.fromordinal(int(days.ordinal[self.row, 0]))
        shift = f"{self.shift:+.3g} {unit}".strip()
        return f"level changed on {on:%d} {on:%B}: {shift}; older days are brought to the new level"


def changes(days: Days) -> tuple[Change, ...]:
    """The changes of level, oldest first. What is said of a row rests on the rows up to it alone."""
    code = codes(days)
    level = day_level(days.y[: days.issue])
    still = stood_still(days.y[: days.issue], code)
    found: list[Change] = []
    up, down, up_since, down_since = 0.0, 0.0, 0, 0
    usual_code = (
        np.bincount(code).argmax() if len(code) else 0
    )  # a rare kind of day, as a Sunday with work, is no level
    aways: list[float] = []
    for row in np.flatnonzero((code[: len(level)] == usual_code) & ~np.isnan(level) & ~still).tolist():
        sure = min(up_since if up > 0 else row, down_since if down > 0 else row)
        alike = np.flatnonzero((code[:sure] == code[row]) & ~np.isnan(level[:sure]) & ~still[:sure])[-REFERENCE:]
        if len(alike) < LEAST_REFERENCE:
            continue
        centre = float(np.median(level[alike]))
        spread = 1.4826 * float(np.median(np.abs(level[alike] - centre)))
        spread = max(spread, float(np.std(level[alike]))) * (1.0 + 2.0 / len(alike))
        spread = max(spread, LEAST_SPREAD * float(np.median(np.abs(level[alike]))), 1e-9)
        spread *= held_over(aways)
        away = float(np.clip((level[row] - centre) / spread, -MOST_A_DAY, MOST_A_DAY))
        aways.append(away)
        up_since, down_since = (row if up == 0 else up_since), (row if down == 0 else down_since)
        up, down = max(0.0, up + away - ALLOWED), max(0.0, down - away - ALLOWED)
        if max(up, down) <= ALARM:
            continue
        since = up_since if up > down else down_since
        up = down = 0.0
        here = np.arange(since, row + 1)
        here = here[(code[here] == code[row]) & ~np.isnan(level[here]) & ~still[here]]
        before = alike[alike < since]
        if len(before) < LEAST_REFERENCE - 2:
            continue
        shift = float(np.median(level[here]) - np.median(level[before]))
        if abs(shift) < LEAST_SHIFT * abs(float(np.median(level[before]))):
            continue
        found.append(Change(row=since, known_from=row + 1, shift=shift))
        level[:since] += shift  # what comes is held against the new level
    return tuple(found)


def held_over(aways: Sequence[float]) -> float:
    """How much wider chance is where one day's surplus lasts into the next: such days add up by themselves."""
    late = np.array(aways[-45:-5])  # not of the days that may be a change themselves
    if len(late) < REFERENCE or late.std() == 0:
        return 1.0
    lasting = float(np.clip(np.mean(late[1:] * late[:-1]) / np.mean(late**2), 0.0, 0.6))
    return float(np.sqrt((1.0 + lasting) / (1.0 - lasting)))


def levelled(days: Days, issue: int, first: int, found: Sequence[Change]) -> Floats:
    """The rows from `first` to an issue, those before a change that was known by then brought to the level after it:
    by a factor or by a sum, whichever makes the days before more like those after."""
    rows = days.y[first:issue]
    known = [change for change in found if change.known_from <= issue and change.row > first]
    if not known:
        return rows
    rows, code = rows.copy(), codes(days)[first:issue]
    ends = [change.row - first for change in known[1:]] + [len(rows)]
    for change, end in zip(known, ends, strict=True):
        place = change.row - first
        begin = max(0, place - 6 * REFERENCE)
        pairs = [
            (middle(rows[begin:place][code[begin:place] == each]), middle(rows[place:end][code[place:end] == each]))
            for each in np.unique(code[place:end])
        ]
        old = np.concatenate([before for before, _ in pairs]) if pairs else np.empty(0)
        new = np.concatenate([after for _, after in pairs]) if pairs else np.empty(0)
        both = ~(np.isnan(old) | np.isnan(new))
        if both.any():
            factor, added = moved(old[both], new[both])
            rows[:place] = rows[:place] * factor + added
    return rows


def moved(old: Floats, new: Floats) -> tuple[float, float]:
    """The factor and the sum that bring the old to the new: one of the two alone, the better one."""
    added = float(np.median(new - old))
    factor = float(new.sum() / old.sum()) if old.min() > 0 else 0.0
    if 0.2 < factor < 5.0 and np.abs(new - factor * old).sum() < np.abs(new - old - added).sum():
        return factor, 0.0
    return 1.0, added


def codes(days: Days) -> Ints:
    """The kind of each row: of both local dates that it may have."""
    code: Ints = days.kind[:, 0] * 3 + days.kind[:, -1]
    return code


def day_level(y: Floats) -> Floats:
    """The mean of each day of which at least half is known."""
    known = ~np.isnan(y)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, y, 0.0).sum(axis=1) / known.sum(axis=1)
    return np.where(known.mean(axis=1) >= 0.5, mean, np.nan)


def stood_still(y: Floats, code: Ints) -> NDArray[np.bool_]:
    """Days that are flat beside the ones of their kind before them, on which the plant usually moves."""
    reach = np.full(len(y), np.nan)
    enough = (~np.isnan(y)).mean(axis=1) >= 0.5
    reach[enough] = np.subtract(*np.nanquantile(y[enough], (0.9, 0.1), axis=1)) if enough.any() else np.nan
    still = np.zeros(len(y), dtype=np.bool_)
    for row in np.flatnonzero(enough):
        alike = reach[:row][(code[:row] == code[row]) & enough[:row]][-REFERENCE:]
        if len(alike) < 3:
            continue
        usual = float(np.median(alike))
        still[row] = reach[row] < STILL * usual and usual > 0.2 * abs(float(np.nanmean(y[max(0, row - 30) : row])))
    return still


def middle(rows: Floats) -> Floats:
    """The median profile of some days in twelve parts; unknown where there are none."""
    parts = [
        np.nan if not (~np.isnan(part)).any() else float(np.nanmedian(part))
        for part in np.array_split(rows, 12, axis=1)
    ]
    return np.array(parts)

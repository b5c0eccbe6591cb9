"""Waste: energy of a machine that was on and did nothing for longer than switching it off and on again takes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import local
from energy.insight.trace import Trace
from energy.model.horizon import Interval
from energy.model.insight import Levels, MachineDay, PowerState, StateSpan, WasteSpan
from energy.model.run import JobRun

Row = NDArray[np.float64]
RESTART_MINUTES = {PowerState.IDLE: 30, PowerState.HOLDING: 120}
"""What a machine takes to come up again where the plant does not say: 30 min from idle, 2 h of heating up from holding."""
QUARTERS = 96
HABIT = 0.75  # a quarter of an hour belongs to the advice where it was wasted on more than this share of the days
LEAST_DAYS = 2  # a habit of working days shows on so many
LEAST_HOURS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What coming up again takes: minutes, and energy. Switching off pays for spans longer than the minutes, and than
    restart_kwh / (power in the state − power when off)."""

    minutes: int | None = None
    kwh: float = 0.0

    def from_state(self, state: PowerState) -> timedelta:
        return timedelta(minutes=RESTART_MINUTES[state] if self.minutes is None else self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """When to switch a machine off, by the habits of a week: local wall time as quarters of an hour since midnight
    (`until` beyond 96 is the next day), what that would have spared that week, and on how many days."""

    machine: str
    weekdays: bool  # of working days (Monday to Friday), else of weekends
    since: int
    until: int
    kwh: float
    money: float | None
    days: int


def wasted(
    told: Trace,
    spans: Sequence[StateSpan],
    runs: Sequence[JobRun],
    levels: Levels,
    restart: Restart,
    per_kwh: Row,
    within: Interval,
) -> list[WasteSpan]:
    """The waste within an interval (a local day); spans are judged by their full length, also beyond its edges.

    `per_kwh` is the price in each step of the trace, NaN where unknown. Not waste: what lies in a job run (setup,
    loading, waiting for people belong to the job), the restart before the next run, spans shorter than the break-even,
    and what the machine draws even when it is off."""
    found = []
    for start, end, state, next_state in waiting(spans, runs):
        lead = restart.from_state(state)
        until = end - lead if next_state is PowerState.RUNNING else end
        first, last = told.step_of(start), told.step_of(until)
        if end - start <= lead or last <= first:
            continue
        part = told.kw[first:last]
        spare = np.clip(np.nan_to_num(part) - (levels.off_kw or 0.0), 0.0, None) * told.step_hours
        total = float(spare.sum())
        if total <= restart.kwh:
            continue
        spare *= 1.0 - restart.kwh / total
        a = max(first, told.step_of(within.start))
        b = min(last, told.step_of(within.end))
        if a < b and spare[a - first : b - first].sum() > 0:
            kwh = spare[a - first : b - first]
            found.append(
                WasteSpan(
                    state=state, start=told.time_of(a), end=told.time_of(b), kwh=float(kwh.sum()),
                    money=money_of(kwh, per_kwh[a:b]),
                )
            )  # fmt: skip
    return found


def waiting(
    spans: Sequence[StateSpan], runs: Sequence[JobRun]
) -> list[tuple[datetime, datetime, PowerState, PowerState | None]]:
    """(start, end, state, next state) of what was idle or held outside every job run. Idle and holding that follow each
    other are one wait, as its lesser state: to switch off the machine ends both."""
    open_runs = [(r.start, r.end) for r in runs]
    found: list[tuple[datetime, datetime, PowerState, PowerState | None]] = []
    for index, span in enumerate(spans):
        if span.state not in RESTART_MINUTES:
            continue
        after = spans[index + 1].state if index + 1 < len(spans) else None
        for start, end in without(span.start, span.end, open_runs):
            follows = after if end == span.end else PowerState.RUNNING
            found.append((start, end, span.state, follows))
    return found


def without(
    start: datetime, end: datetime, taken: Sequence[tuple[datetime, datetime | None]]
) -> list[tuple[datetime, datetime]]:
    """The parts of a span outside others; one without an end reaches on."""
    parts = [(start, end)]
    for a, b in taken:
        parts = [
            piece
            for first, last in parts
            for piece in ((first, min(last, a)), (max(first, b or last), last))
            if piece[0] < piece[1]
        ]
    return sorted(set(parts))


def money_of(kwh: Row, per_kwh: Row) -> float | None:
    """What energies of steps cost; None where any of them has no price."""
    used = kwh > 0
    return None if np.isnan(per_kwh[used]).any() else float((kwh[used] * per_kwh[used]).sum())


def advice(machine: str, days: Sequence[MachineDay], zone: str) -> list[Advice]:
    """When to switch off, from the waste of a week: for working days and for weekends, the stretch of the day (it may run
    over midnight) that is wasted on most of the days on which anything is, if it lasts an hour."""
    found = []
    for weekdays in (True, False):
        kwh, money, seen = by_quarter([w for d in days for w in d.waste], zone, weekdays)
        on = {day for day, _ in seen}
        window = usual(seen, len(on))
        if window is None or len(on) < (LEAST_DAYS if weekdays else 1):
            continue
        since, until = window
        inside = np.arange(since, until) % QUARTERS
        total = float(money[inside].sum())
        found.append(
            Advice(
                machine=machine,
                weekdays=weekdays,
                since=since,
                until=until,
                kwh=float(kwh[inside].sum()),
                money=None if np.isnan(total) else total,
                days=len(on),
            )
        )
    return found


def by_quarter(waste: Sequence[WasteSpan], zone: str, weekdays: bool) -> tuple[Row, Row, set[tuple[date, int]]]:
    """Waste in kWh and money by quarter of the local day, and on which day which quarter had some."""
    kwh, money = np.zeros(QUARTERS), np.zeros(QUARTERS)
    seen: set[tuple[date, int]] = set()
    for span in waste:
        hours = (span.end - span.start).total_seconds() / 3600.0
        at = span.start
        while at < span.end:
            wall = local(at, zone)
            to_next = timedelta(minutes=15) - timedelta(minutes=wall.minute % 15, seconds=wall.second)
            until = min(span.end, at + to_next)
            share = (until - at).total_seconds() / 3600.0 / hours
            if (wall.weekday() < 5) == weekdays:
                quarter = wall.hour * 4 + wall.minute // 15
                kwh[quarter] += span.kwh * share
                money[quarter] += np.nan if span.money is None else span.money * share
                seen.add((wall.date(), quarter))
            at = until
    return kwh, money, seen


def usual(seen: Collection[tuple[date, int]], days: int) -> tuple[int, int] | None:
    """The stretch of the day [since, until) in quarters that is most surely wasted: the greatest sum of (share of the
    days − HABIT); over midnight `until` is beyond 96. None where there is none of an hour."""
    if not days:
        return None
    share = np.bincount([quarter for _, quarter in seen], minlength=QUARTERS) / days
    best, window = 0.0, None
    for since in range(QUARTERS):
        total = np.cumsum((share - HABIT)[np.arange(since, since + QUARTERS) % QUARTERS])
        end = int(np.argmax(total))
        if total[end] > best + 1e-9:
            best, window = float(total[end]), (since, since + end + 1)
    return window if window is not None and (window[1] - window[0]) / 4 >= LEAST_HOURS else None

"""What a machine's days say of its drift: observations of work, of idle power and of power at rest."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from energy.insight.drift import KEPT_ABOVE, STRENGTH, Change, Observation, change
from energy.insight.drift_odds import confidence
from energy.model.insight import Drift, DriftOf, MachineDay, PowerState, RunSample

LEVEL_SCATTER = 0.01  # of a level of a day: smaller changes of a resting power are nobody's concern
HOURS_BETTER = 0.6  # per hour, a machine that takes longer is not seen: taken only where it scatters that much less
CONFIRMED = 0.4  # another way of comparing must show at least this part of a drift, or not be able to tell
KNOWN = 0.8  # of the runs must have what they are compared by
GAP = 0.25  # cycles without jobs are of one kind up to such a step in the logarithm of their length

By = tuple[str, Callable[[RunSample], float | None]]
WAYS: tuple[By, ...] = (
    ("energy against the typed-in", lambda run: run.typed_kwh),
    ("energy per piece", lambda run: run.quantity),
    ("energy per run", lambda _: 1.0),
    ("power against the typed-in", lambda run: typed_kw(run) * run.minutes / 60.0),
    ("energy per hour of run", lambda run: run.minutes / 60.0),
)
BY_TIME = {name for name, _ in WAYS[3:]}


def typed_kw(run: RunSample) -> float:
    """The mean of the typed-in power; 0 where none is typed in."""
    return sum(run.typed_kw) / len(run.typed_kw) if run.typed_kw else 0.0


def drifts(days: Sequence[MachineDay], standing: Sequence[Drift], now: datetime) -> dict[DriftOf, Drift | None]:
    """What drifts of a machine, by its days; None where nothing does. What stands is kept until it is clearly weaker."""
    known = {drift.of: drift for drift in standing}

    def bar(of: DriftOf) -> float:
        return KEPT_ABOVE if of in known else STRENGTH

    found: dict[DriftOf, Drift | None] = {DriftOf.WORK: work_drift(days, bar(DriftOf.WORK))}
    for of, kw_of in ((DriftOf.IDLE, lambda d: d.idle_kw), (DriftOf.QUIET, lambda d: d.quiet_kw)):
        told = change(level_observations(days, kw_of), above=bar(of), scatter=LEVEL_SCATTER)
        found[of] = None if told is None else drift_of(days, of, told, "kW by weekday")
    return {of: None if d is None else dated(d, known.get(of), now) for of, d in found.items()}


def dated(drift: Drift, before: Drift | None, now: datetime) -> Drift:
    """A finding with the time at which it was first told."""
    return replace(drift, found_at=before.found_at if before is not None else now)


def level_observations(days: Sequence[MachineDay], kw_of: Callable[[MachineDay], float | None]) -> list[Observation]:
    """One observation a day of a level, compared with the same weekday: a plant has its nights and its weekends."""
    found = []
    for day in days:
        kw = kw_of(day)
        if kw is not None and kw > 0.0 and day.known_share > KNOWN and day.spans:
            at = day.spans[-1].end
            found.append(
                Observation(at=at, group=f"{day.day.weekday()}", value=math.log(kw), temperature=day.temperature)
            )
    return found


def work_drift(days: Sequence[MachineDay], above: float) -> Drift | None:
    """Drift of the energy for the same work, by job runs; without them by cycles of a kind."""
    ways = run_ways(days) or cycle_ways(days)
    if not ways:
        return None
    unit, rows = ways[0]
    told = change(rows, above=above)
    if told is None or not confirmed(told, [rows for _, rows in ways[1:]]):
        return None
    return drift_of(days, DriftOf.WORK, told, unit)


def run_ways(days: Sequence[MachineDay]) -> list[tuple[str, list[Observation]]]:
    """The ways in which runs of a product may be compared, the one that scatters least first."""
    runs = [(run, day.temperature) for day in days for run in day.runs]
    ways = []
    for unit, by in WAYS:
        rows = []
        for run, temperature in runs:
            base = by(run)
            if base is not None and base > 0.0 and run.kwh > 0.0:
                group = f"{run.product}/{run.mode}"
                rows.append(
                    Observation(at=run.end, group=group, value=math.log(run.kwh / base), temperature=temperature)
                )
        if runs and len(rows) >= KNOWN * len(runs):
            ways.append((unit, rows))
    return sorted(ways, key=lambda way: scatter(way[1]) / (HOURS_BETTER if way[0] in BY_TIME else 1.0))


def cycle_ways(days: Sequence[MachineDay]) -> list[tuple[str, list[Observation]]]:
    """The same for cycles of which no job is known: by stroke where there are strokes, else by the kind of cycle."""
    cycles = [(cycle, day.temperature) for day in days for cycle in day.cycles if cycle.whole and cycle.kwh > 0.0]
    if not cycles:
        return []
    if sum(c.strokes > 0 for c, _ in cycles) >= KNOWN * len(cycles):
        rows = [
            Observation(at=c.end, group="strokes", value=math.log(c.kwh / c.strokes), temperature=t)
            for c, t in cycles
            if c.strokes
        ]
        return [("energy per stroke", rows)]
    kinds = kinds_of([math.log(c.minutes) for c, _ in cycles])
    told = [(f"kind {kind}", c, t) for kind, (c, t) in zip(kinds, cycles, strict=True)]
    whole = [Observation(at=c.end, group=g, value=math.log(c.kwh), temperature=t) for g, c, t in told]
    hourly = [Observation(at=c.end, group=g, value=math.log(c.kwh / c.minutes), temperature=t) for g, c, t in told]
    ways = [("energy per cycle", whole), ("power while running", hourly)]
    return sorted(ways, key=lambda way: scatter(way[1]))


def kinds_of(lengths: Sequence[float]) -> list[int]:
    """Which kind each cycle is: sorted by length, a new kind begins where the next one is clearly longer."""
    order = np.argsort(lengths, kind="stable")
    steps = np.diff(np.array(lengths)[order], prepend=lengths[int(order[0])])
    kinds = np.empty(len(lengths), dtype=np.int64)
    kinds[order] = np.cumsum(steps > GAP)
    return [int(k) for k in kinds]


def scatter(rows: Sequence[Observation]) -> float:
    """How much neighbours of one group differ, a robust standard deviation; infinite where none has a neighbour."""
    last: dict[str, float] = {}
    steps = []
    for row in sorted(rows, key=lambda o: o.at):
        if row.group in last:
            steps.append(abs(row.value - last[row.group]))
        last[row.group] = row.value
    return 1.4826 * float(np.median(steps)) / math.sqrt(2.0) if steps else math.inf


def confirmed(told: Change, others: Sequence[Sequence[Observation]]) -> bool:
    """Whether another way of comparing shows the change too, or is too coarse to tell. What only the comparison with
    typed-in figures shows may be new figures."""
    if not others:
        return True
    size = math.log1p(told.size)
    seen = [shift_at(rows, told.since) for rows in others]
    return any((by + 2.0 * error) * math.copysign(1.0, size) >= CONFIRMED * abs(size) for by, error in seen)


def shift_at(rows: Sequence[Observation], since: datetime) -> tuple[float, float]:
    """How far the middle of each group moved at a time, weighted over the groups, and its standard error."""
    total = weight = 0.0
    spread = scatter(rows)
    for group in {row.group for row in rows}:
        before = [r.value for r in rows if r.group == group and r.at < since]
        after = [r.value for r in rows if r.group == group and r.at >= since]
        if before and after:
            own = 1.0 / (1.0 / len(before) + 1.0 / len(after))
            total += own * (float(np.median(after)) - float(np.median(before)))
            weight += own
    if weight == 0.0 or not math.isfinite(spread):
        return 0.0, math.inf
    return total / weight, 1.25 * spread / math.sqrt(weight)


def drift_of(days: Sequence[MachineDay], of: DriftOf, told: Change, unit: str) -> Drift:
    """A change as the plant reads it, with what it takes in a week."""
    kwh, money = a_week(days[-28:], of)
    extra = told.size / (1.0 + told.size)
    return Drift(
        machine=days[-1].machine,
        of=of,
        size=round(told.size, 4),
        size_low=round(told.low, 4),
        size_high=round(told.high, 4),
        since=told.since,
        since_first=told.since_first,
        since_last=told.since_last,
        ramp=told.ramp,
        confidence=confidence(told.strength),
        strength=round(told.strength, 2),
        before=told.before,
        after=told.after,
        unit=unit,
        extra_kwh_per_week=None if kwh is None else round(extra * kwh, 1),
        extra_money_per_week=None if money is None else round(extra * money, 2),
    )


def a_week(days: Sequence[MachineDay], of: DriftOf) -> tuple[float | None, float | None]:
    """What a machine drew in a week of late: at work, while idle, or (at rest) all the time at its resting power."""
    known = [d for d in days if d.energy]
    if not known:
        return None, None
    kwh, price = 0.0, [d for d in known if d.kwh]
    cost = sum(e.money or 0.0 for d in price for e in d.energy) / max(1e-9, sum(d.kwh or 0.0 for d in price))
    for day in known:
        if of is DriftOf.QUIET:
            kwh += 24.0 * (day.quiet_kw or 0.0)
        else:
            kwh += day.state(PowerState.RUNNING if of is DriftOf.WORK else PowerState.IDLE).kwh
    kwh *= 7.0 / len(known)
    unpriced = any(e.money is None for d in known for e in d.energy)
    return kwh, None if unpriced else kwh * cost

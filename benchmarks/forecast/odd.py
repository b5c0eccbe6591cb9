"""Odd inputs: pasts as they should not be, but are. Everything is drawn from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.model.forecast import Forecast, Member, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]
Rng = np.random.Generator

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Pacific/Apia",
)
CHANGES = (datetime(2026, 3, 29, 1), datetime(2025, 10, 26, 1), datetime(2026, 11, 1, 6), datetime(2026, 4, 4, 15))  # noqa: DTZ001
DAYS = (0, 0.1, 1, 2, 3, 3, 5, 7, 8, 10, 14, 15, 20, 28, 35, 60, 90, 180, 400)
AHEAD_HOURS = (1, 6, 12, 23, 24, 24, 24, 25, 36, 48, 72, 168)
SHAPES: dict[str, Callable[[Rng, Floats], Floats]] = {
    "daily": lambda rng, t: 100 + 80 * np.sin(2 * np.pi * t) + rng.normal(0, 5, len(t)),
    "weekly": lambda rng, t: 50 + 100 * ((t % 7 < 5) & (t % 1 > 0.25) & (t % 1 < 0.75)) + rng.normal(0, 3, len(t)),
    "constant": lambda _, t: np.full(len(t), 42.0),
    "zero": lambda _, t: np.zeros(len(t)),
    "sun": lambda rng, t: np.maximum(0, np.sin(2 * np.pi * (t - 0.25))) * rng.uniform(0, 50),
    "walk": lambda rng, t: np.cumsum(rng.normal(0, 1, len(t))),
    "huge": lambda _, t: 1e9 * (1 + 0.1 * np.sin(2 * np.pi * t)),
    "tiny": lambda _, t: 1e-9 * (1 + np.sin(2 * np.pi * t)),
    "negative": lambda rng, t: -20 + 30 * np.sin(2 * np.pi * t) + rng.normal(0, 10, len(t)),
    "steps": lambda rng, t: np.round(rng.uniform(0, 4, len(t))),
    "spikes": lambda rng, t: 50 + 3000 * (rng.uniform(0, 1, len(t)) > 0.99) - 500 * (rng.uniform(0, 1, len(t)) > 0.995),
    "heavy": lambda rng, t: 40 + 10 * rng.standard_t(1.5, len(t)),
    "level change": lambda rng, t: np.where(t < t[-1] - 5, 100.0, 300.0) + rng.normal(0, 3, len(t)),
    "shut down": lambda _, t: np.where(t < t[-1] - 12, 100 + 50 * np.sin(2 * np.pi * t), 0.0),
    "one spike at the end": lambda _, t: np.where(np.arange(len(t)) == len(t) - 1, 1e6, 10.0),
    "two values": lambda _, t: np.where(t % 2 < 1, 0.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One odd input, and in words what is odd in it."""

    seed: int
    target: Target
    past: Past
    horizon: Horizon
    words: str


def odd(seed: int) -> Odd:
    """The odd input of a seed."""
    rng = np.random.default_rng(seed)
    target = Target(rng.choice(list(Target)))
    zone, days, hours = str(rng.choice(ZONES)), float(rng.choice(DAYS)), int(rng.choice(AHEAD_HOURS))
    step = int(rng.choice((5, 15, 15, 15, 30, 60, 60, 60), p=(0.04, *[0.96 / 7] * 7)))
    own_step = (
        step
        if rng.uniform() < 0.8
        else int(rng.choice([s for s in (5, 15, 30, 60) if max(s, step) % min(s, step) == 0]))
    )
    days = min(days, 60.0) if min(step, own_step) == 5 else days
    change = CHANGES[int(rng.integers(len(CHANGES)))].replace(tzinfo=UTC)
    begin = change + timedelta(minutes=15 * int(rng.integers(-4 * 24 * 9, 4 * 24 * 9)))
    begin = begin.replace(minute=begin.minute // step * step) if rng.uniform() < 0.9 else begin
    begin = begin.replace(hour=0, minute=0) if rng.uniform() < 0.3 else begin
    horizon = Horizon(begin, max(1, hours * 60 // step), step)
    told, known_to = past_of(rng, target, horizon, days, own_step)
    drivers, of_drivers = drivers_of(rng, told, horizon)
    issued = issued_of(rng, target, told, horizon) if rng.uniform() < 0.4 else ()
    country = str(rng.choice(("", "", "", "DE", "DE-BW", "KR", "XX")))
    closed = (begin.date().isoformat(),) if rng.uniform() < 0.1 else ()
    past = Past(target=told, drivers=drivers, known_at=min(begin, known_to), zone=zone, country=country, holidays=closed,
                issued=issued)  # fmt: skip
    words = f"{target.value}, {days:g} days by {own_step} min of {told.unit!r}, {hours} h by {step} min "
    words += (
        f"from {begin:%m-%d %H:%M}, {zone} {country}, {len(issued)} issued, drivers: {'; '.join(of_drivers) or 'none'}"
    )
    return Odd(seed=seed, target=target, past=past, horizon=horizon, words=words)


def past_of(rng: Rng, target: Target, horizon: Horizon, days: float, step: int) -> tuple[Series, datetime]:
    """The target so far; its unit says in words what it is like."""
    late = timedelta(hours=float(rng.choice((0, 0, 0, 0, 0, 1, 6, 30, 24 * 9))))
    early = (
        timedelta(hours=int(rng.choice((0, 0, 12, 24)))) if target in (Target.PRICE, Target.CARBON) else timedelta(0)
    )
    end = horizon.start + early if early else horizon.start - late
    slots = int(days * 24 * 60 / step)
    first = end - slots * timedelta(minutes=step)
    times = first.toordinal() % 7 + np.arange(slots) * step / (24 * 60)
    name = str(rng.choice(list(SHAPES)))
    values = SHAPES[name](rng, times) if slots else np.empty(0)
    if target in (Target.PV, Target.CARBON) and name not in ("huge", "tiny"):
        values = np.maximum(0.0, values)
    gaps = str(
        rng.choice(
            ("no gaps", "no gaps", "few gaps", "many gaps", "days missing", "no end", "no begin", "nothing", "one")
        )
    )
    return Series(Horizon(first, slots, step), with_gaps(rng, values, gaps, step), f"{name}, {gaps}"), end


def with_gaps(rng: Rng, values: Floats, gaps: str, step: int) -> Floats:
    values, slots, a_day = values.astype(np.float64), len(values), 24 * 60 // step
    if not slots:
        return values
    if gaps == "few gaps":
        values[rng.uniform(0, 1, slots) < 0.05] = np.nan
    if gaps == "many gaps":
        values[rng.uniform(0, 1, slots) < 0.7] = np.nan
    if gaps == "days missing":
        for first in rng.integers(0, slots, 4):
            values[first : first + int(rng.integers(1, 4) * a_day)] = np.nan
    if gaps == "no end":
        values[max(0, slots - int(rng.integers(1, 5 * a_day))) :] = np.nan
    if gaps == "no begin":
        values[: int(rng.integers(0, slots))] = np.nan
    if gaps in ("nothing", "one"):
        values[:] = np.nan
    if gaps == "one":
        values[int(rng.integers(slots))] = 7.0
    return values


def drivers_of(rng: Rng, told: Series, horizon: Horizon) -> tuple[tuple[tuple[str, Series], ...], list[str]]:
    """Up to four drivers, good ones and bad ones."""
    made, words = [], []
    for place in range(int(rng.choice((0, 0, 1, 1, 2, 4)))):
        kind = str(rng.choice(("good", "good", "good", "ends at the issue", "half ahead", "gaps", "nothing", "constant",
                               "starts late", "huge ahead", "other step", "only ahead", "a switch")))  # fmt: skip
        step = told.horizon.step_minutes
        if kind == "other step":
            step = int(rng.choice((15, 30, 60)))
        first = told.horizon.start.replace(minute=0)
        end = horizon.end.replace(minute=0) + timedelta(hours=1)
        if kind == "ends at the issue":
            end = max(first, horizon.start.replace(minute=0))
        if kind == "half ahead":
            end = max(
                first, (horizon.start + (horizon.end - horizon.start) / 2).replace(minute=0, second=0, microsecond=0)
            )
        slots = max(0, int((end - first) / timedelta(minutes=step)))
        values = 10 * np.sin(np.arange(slots) * step / 300.0) + rng.normal(0, 1, slots)
        span = Horizon(first, slots, step)
        ahead = max(0, span.slot_of(horizon.start))
        if kind == "gaps":
            values[rng.uniform(0, 1, slots) < 0.3] = np.nan
        elif kind == "nothing":
            values[:] = np.nan
        elif kind == "constant":
            values[:] = 3.0
        elif kind == "starts late":
            values[: slots // 2] = np.nan
        elif kind == "huge ahead":
            values[ahead:] *= 1e6
        elif kind == "only ahead":
            values[:ahead] = np.nan
        elif kind == "a switch":
            values = (values > 0).astype(float)
        made.append((f"d{place}", Series(span, values, "")))
        words.append(kind)
    return tuple(made), words


def said_of(rng: Rng, target: Target, told: Series, span: Horizon) -> Floats:
    """What may have been said of a span: about what came, or the mean of all."""
    known = told.values[told.known]
    mean, spread = (float(known.mean()), float(known.std())) if len(known) else (50.0, 5.0)
    came = told.over(span).values if told.horizon.step_minutes == span.step_minutes else np.full(span.slots, np.nan)
    said: Floats = np.where(np.isnan(came), mean, came) + rng.normal(0, 0.3 * spread, span.slots)
    return np.maximum(said, 0.0) if target in (Target.PV, Target.CARBON) else said


def issued_of(rng: Rng, target: Target, told: Series, horizon: Horizon) -> tuple[Forecast, ...]:
    """Earlier forecasts: some at the same time of day, some not, with members that are no more, or with none."""
    issued = []
    for days_ago in sorted({int(d) for d in rng.integers(1, 40, int(rng.integers(1, 25)))}, reverse=True):
        start = horizon.start - timedelta(days=days_ago) + timedelta(hours=int(rng.choice((0, 0, 0, 0, 5))))
        span = Horizon(start, horizon.slots, horizon.step_minutes)
        if start >= horizon.start:
            continue
        middle = said_of(rng, target, told, span)
        wide = 0.1 * np.abs(middle)
        low, p50, high = (Series(span, middle + side * wide, told.unit) for side in (-1, 0, 1))
        names = [name for name in ("week", "similar", "no more") if rng.uniform() < 0.7]
        members = tuple(Member(name=name, weight=1 / len(names), p50=p50) for name in names)
        issued.append(Forecast(target=target, issued_at=start, p10=low, p50=p50, p90=high, source="combined",
                               quantiles=((0.1, low), (0.5, p50), (0.9, high)), members=members))  # fmt: skip
    return tuple(issued)

"""What the meter of a machine told of one local day, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from energy.insight import states as stating
from energy.insight.cycles import cycles
from energy.insight.levels import Told, added, histogram, working_kw
from energy.insight.runs import sample
from energy.insight.trace import Trace
from energy.insight.waste import Restart, money_of, wasted
from energy.model.horizon import Interval
from energy.model.insight import Detail, Levels, MachineDay, PowerState, RunSample, StateEnergy, StateSpan
from energy.model.job import Job
from energy.model.run import JobRun
from energy.model.series import Series

Row = NDArray[np.float64]
LEAST_IDLE_HOURS = 0.5
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A machine as insight looks at it: its meter, and what the plant says of it."""

    machine: str
    meter: str
    told: Told
    restart: Restart
    currency: str


def machine_day(
    watched: Watched,
    day: date,
    bounds: Interval,
    wide: Trace,
    levels: Levels | None,
    runs: Sequence[JobRun],
    jobs: Mapping[str, Job],
    price: Series,
    *,
    temperature: float | None = None,
) -> MachineDay:
    """The record of one local day. `wide` is the power from before to after it, so that waits, runs and cycles over
    midnight are seen whole; energy, states and waste are those of the day alone, cycles and runs those that end in it."""
    within = wide.cut(bounds)
    known = float(within.known.mean()) if len(within.kw) else 0.0
    base = MachineDay(
        machine=watched.machine,
        meter=watched.meter,
        day=day,
        detail=within.detail,
        known_share=round(known, DIGITS),
        levels=levels,
        kwh=rounded(within.kwh(0, len(within.kw))),
        quiet_kw=quiet_kw(within),
        histogram=histogram(within.kw, within.step_hours),
        temperature=temperature,
        currency=watched.currency,
        runs=run_samples(watched, bounds, wide, runs, jobs),
        notes=notes(within),
    )
    if within.detail is Detail.NOTHING:
        return base
    work_kw = (levels.running_kw if levels else None) or watched.told.rated_kw or working_kw(added([base.histogram]))
    regions = stating.toggling(wide, work_kw)
    base = with_toggling(base, within, wide, regions, bounds, work_kw)
    if levels is None:
        return base
    calm = stating.calmed(wide, regions) if levels.holding_period_seconds else wide
    per_kwh = price_of_steps(price, wide)
    spans = stating.states(calm, levels)
    own = [cut for span in spans if (cut := cut_to(span, bounds, wide)) is not None]
    return replace(
        base,
        spans=tuple(own),
        energy=tuple(by_state(own, wide, per_kwh)),
        cycles=tuple(
            replace(c, kwh=round(c.kwh, DIGITS), peak_kw=round(c.peak_kw, DIGITS))
            for c in cycles(wide, spans, runs, dict(jobs))
            if bounds.start < c.end <= bounds.end
        ),
        waste=tuple(
            replace(w, kwh=round(w.kwh, DIGITS), money=rounded(w.money))
            for w in wasted(calm, spans, runs, levels, watched.restart, per_kwh, bounds)
        ),
        idle_kw=typical(own, wide, PowerState.IDLE),
        histogram=histogram(calm.cut(bounds).kw, within.step_hours),
    )


def run_samples(
    watched: Watched, bounds: Interval, wide: Trace, runs: Sequence[JobRun], jobs: Mapping[str, Job]
) -> tuple[RunSample, ...]:
    """The runs that ended that day, as far as the meter knows them."""
    ended = [r for r in runs if r.end is not None and bounds.start < r.end <= bounds.end and r.job in jobs]
    found = (sample(wide, run, jobs[run.job], watched.told.idle_kw) for run in ended)
    return tuple(one for one in found if one is not None)


def with_toggling(
    base: MachineDay, within: Trace, wide: Trace, regions: Sequence[stating.Toggling], bounds: Interval, work_kw: float
) -> MachineDay:
    """What the day says of a heating that goes on and off by itself, and of work without a break."""
    long_on = round(stating.long_on_hours(within, work_kw), DIGITS)
    own = [r for r in regions if bounds.start <= wide.time_of(r.first) < bounds.end]
    if not own:
        return replace(base, long_on_hours=long_on)
    steps = np.array([r.end - r.first for r in own])
    return replace(
        base,
        long_on_hours=long_on,
        toggling_hours=round(float(steps.sum()) * wide.step_hours, DIGITS),
        toggling_kw=rounded(float(np.average([r.mean_kw for r in own], weights=steps))),
        toggling_seconds=float(np.median([r.period_seconds for r in own])),
    )


def price_of_steps(price: Series, wide: Trace) -> Row:
    """The price of each step of a trace, currency/kWh."""
    return np.array([price.at(wide.time_of(0) + k * price.horizon.step) for k in slots_of(price, wide)]).repeat(
        price.horizon.step_minutes * 60 // wide.step_seconds
    )[: len(wide.kw)]


def slots_of(price: Series, wide: Trace) -> range:
    return range(-(-len(wide.kw) * wide.step_seconds // (price.horizon.step_minutes * 60)))


def cut_to(span: StateSpan, bounds: Interval, wide: Trace) -> StateSpan | None:
    """The part of a span within the day, with its own energy."""
    start, end = max(span.start, bounds.start), min(span.end, bounds.end)
    if start >= end:
        return None
    kwh = wide.kwh(wide.step_of(start), wide.step_of(end))
    return StateSpan(state=span.state, start=start, end=end, kwh=rounded(kwh))


def by_state(spans: Sequence[StateSpan], wide: Trace, per_kwh: Row) -> list[StateEnergy]:
    """Hours, energy and money of each state; they add up to the day."""
    found = []
    for state in PowerState:
        own = [s for s in spans if s.state is state]
        if not own:
            continue
        money: float | None = 0.0
        for span in own:
            first = wide.step_of(span.start)
            end = wide.step_of(span.end)
            cost = money_of(np.nan_to_num(wide.kw[first:end]) * wide.step_hours, per_kwh[first:end])
            money = None if money is None or cost is None else money + cost
        hours = sum(s.hours for s in own)
        kwh_sum = sum(s.kwh or 0.0 for s in own)
        found.append(
            StateEnergy(state=state, hours=round(hours, DIGITS), kwh=round(kwh_sum, DIGITS), money=rounded(money))
        )
    return found


def typical(spans: Sequence[StateSpan], wide: Trace, state: PowerState) -> float | None:
    """The median power in a state, without the steps at its edges; None below half an hour of it."""
    parts = [wide.kw[wide.step_of(s.start) + 1 : wide.step_of(s.end) - 1] for s in spans if s.state is state]
    kw = np.concatenate(parts) if parts else np.zeros(0)
    kw = kw[~np.isnan(kw)]
    return rounded(float(np.median(kw))) if len(kw) * wide.step_hours >= LEAST_IDLE_HOURS else None


def quiet_kw(within: Trace) -> float | None:
    """What it draws when it rests: the lowest mean of any whole hour of the day; None where less than half is known."""
    size = round(1.0 / within.step_hours)
    if within.known.mean() < 0.5 or len(within.kw) < size:
        return None
    hours = within.kw[: len(within.kw) // size * size].reshape(-1, size)
    whole = hours[~np.isnan(hours).any(axis=1)]
    return rounded(float(whole.mean(axis=1).min())) if len(whole) else None


def notes(within: Trace) -> tuple[str, ...]:
    """What must be said of a day that is not known as finely or as fully as it should be."""
    said = []
    if within.detail in (Detail.INTERVALS, Detail.MIXED):
        said.append("from interval means: short cycles and pauses within an interval do not show")
    unknown = 1.0 - float(within.known.mean())
    if unknown > 0.005:
        said.append(f"{24 * unknown:.1f} h of the day are unknown and counted as nothing, not as off")
    return tuple(said)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)

"""Learn: what the meters tell of each machine. Day by day: states, cycles, waste; from many days: levels, profiles, drift.

Idempotent: the same readings and runs write nothing new, what comes late writes a newer version of the day. Readings are
kept for a few days only, so each day is learned soon after it has ended; an older one is made of interval means.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from energy.clock import day_bounds
from energy.insight.day import Watched, machine_day
from energy.insight.levels import Told, histogram, learn_levels, renewed
from energy.insight.profiles import learned_profiles
from energy.insight.profiles import renewed as renewed_profile
from energy.insight.trace import COARSE_SECONDS, STEP_SECONDS, Trace, sharpened, trace
from energy.insight.waste import Restart
from energy.insight.work import drifts
from energy.model.calendar import Calendar
from energy.model.horizon import Horizon, Interval
from energy.model.insight import DriftOf, Levels, MachineDay
from energy.model.meter import Meter
from energy.model.series import PRICE_DAY_AHEAD, TEMPERATURE, Series
from energy.model.site import Machine, Site
from energy.model.tariff import Tariff
from energy.planning import tariff as tariffs
from energy.store import Store

AROUND = timedelta(days=1)  # waits, runs and cycles over midnight are seen whole
LEVEL_DAYS = 28  # levels rest on so many days
LOOK_BACK_DAYS = 182  # profiles and drift on so many
TOGGLING_HOURS, LONG_ON_HOURS = 2.0, 2.0  # seen for so long before a machine is taken to hold by going on and off


def learn(
    store: Store, *, site: Site, calendar: Calendar, tariff: Tariff, day: date, now: datetime
) -> list[MachineDay]:
    """The record of one local day of each machine whose meter has ever said something."""
    bounds = Interval(*day_bounds(day, site.zone))
    wide = Interval(bounds.start - AROUND, bounds.end + AROUND)
    price = prices(store, site, calendar, tariff, wide)
    runs = store.runs.of(wide)
    jobs = {job.id: job for job in store.jobs.all(wide)} if runs else {}
    outside = mean_of(store.series.get(TEMPERATURE, Horizon.between(bounds.start, bounds.end, site.step_minutes)))
    known = store.learned.levels()
    made = []
    for machine, meter in watched(site, store.meters()):
        look = looked_at(site, machine, meter)
        told = read_trace(store, meter, wide, site.step_minutes)
        if look.machine not in known and not told.known.any():
            continue  # nothing was ever heard of it
        levels = known.get(look.machine) or first_levels(store, site, look, meter, day, now)
        own = [run for run in runs if run.machine == look.machine]
        record = machine_day(look, day, bounds, told, levels, own, jobs, price, temperature=outside)
        with store.unit():
            if levels is not None and look.machine not in known:
                store.learned.put_levels(look.machine, levels, now)
            store.machine_days.put(record, now)
        made.append(record)
    return made


def conclude(store: Store, *, site: Site, last: date, now: datetime) -> None:
    """What the days up to `last` say together: levels, profiles and drift of each machine, kept where they changed."""
    known, standing, profiles = store.learned.levels(), store.learned.drifts(), store.learned.profiles()
    for machine, meter in watched(site, store.meters()):
        look = looked_at(site, machine, meter)
        days = store.machine_days.of(last - timedelta(days=LOOK_BACK_DAYS), last, look.machine)
        if not days:
            continue
        newer = newer_levels(look, known.get(look.machine), days)
        own = [drift for drift in standing if drift.machine == look.machine]
        found = drifts(days, own, now)
        worn = found.get(DriftOf.WORK)
        samples = [run for day in days for run in day.runs]
        made = learned_profiles(look.machine, samples, now=now, since=worn.since if worn else None)
        with store.unit():
            if newer is not None:
                store.learned.put_levels(look.machine, newer, now)
            for of, drift in found.items():
                store.learned.put_drift(look.machine, of, drift, now)
            for profile in made:
                key = (profile.machine, profile.product, profile.mode)
                store.learned.put_profile(renewed_profile(profiles.get(key), profile), now)


def watched(site: Site, meters: Sequence[Meter]) -> list[tuple[Machine | None, Meter]]:
    """The machines with a meter of their own, and what else is watched (no machine that runs jobs)."""
    machines = {machine.id: machine for machine in site.machines}
    return [(machines.get(m.machine or ""), m) for m in meters if m.tells_of is not None]


def looked_at(site: Site, machine: Machine | None, meter: Meter) -> Watched:
    """What the plant says of a machine; nothing of one that is only known by its meter."""
    if machine is None:
        return Watched(
            machine=meter.tells_of or meter.id, meter=meter.id, told=Told(), restart=Restart(), currency=site.currency
        )
    return Watched(
        machine=machine.id,
        meter=meter.id,
        told=Told(idle_kw=machine.idle_kw, rated_kw=machine.rated_kw, holding_kw=machine.holding_kw),
        restart=Restart(minutes=machine.restart_minutes, kwh=machine.restart_kwh),
        currency=site.currency,
    )


def read_trace(store: Store, meter: Meter, span: Interval, step_minutes: int) -> Trace:
    """The power of a meter over a span, from its readings as far as they are still there, and from its intervals."""
    readings = store.readings.of(meter.id, span)
    fine = len(readings) * STEP_SECONDS * 10 > (span.end - span.start).total_seconds()
    step_seconds = STEP_SECONDS if fine else COARSE_SECONDS
    found = trace(readings, store.intervals.of(meter.id, span), span, step_seconds=step_seconds)
    return sharpened(found, step_minutes * 60)


def first_levels(store: Store, site: Site, look: Watched, meter: Meter, day: date, now: datetime) -> Levels | None:
    """The levels of a machine that nothing was learned of yet, from the interval means around a day as far as there are
    some. None: too little is known."""
    days = {}
    for n in range(-LEVEL_DAYS // 2, LEVEL_DAYS // 2):
        bounds = Interval(*day_bounds(day + timedelta(days=n), site.zone))
        if bounds.end <= now:
            told = trace([], store.intervals.of(meter.id, bounds), bounds, step_seconds=COARSE_SECONDS)
            days[day + timedelta(days=n)] = histogram(told.kw, told.step_hours)
    return learn_levels(days, look.told) if days else None


def newer_levels(look: Watched, levels: Levels | None, days: Sequence[MachineDay]) -> Levels | None:
    """The levels by the newest days; those in force stay where nothing has clearly changed."""
    recent = [d for d in days if d.day > days[-1].day - timedelta(days=LEVEL_DAYS)]
    toggled = [d for d in recent if d.toggling_kw is not None]
    holds = (
        sum(d.toggling_hours for d in toggled) >= TOGGLING_HOURS
        and sum(d.long_on_hours for d in recent) >= LONG_ON_HOURS
    )
    mean = None
    if holds:
        mean = float(np.average([d.toggling_kw or 0.0 for d in toggled], weights=[d.toggling_hours for d in toggled]))
    learned = learn_levels({d.day: d.histogram for d in recent}, look.told, holding_mean_kw=mean)
    if learned is not None and holds:
        period = round(float(np.median([d.toggling_seconds for d in toggled])))
        learned = replace(learned, holding_period_seconds=period)
    return renewed(levels, learned)


def prices(store: Store, site: Site, calendar: Calendar, tariff: Tariff, span: Interval) -> Series:
    """What an imported kWh cost in each slot: the market price of its slot and all that the tariff adds."""
    horizon = Horizon.between(span.start, span.end, site.step_minutes)
    if tariff.fixed_per_kwh is not None:
        market = Series.constant(horizon, tariff.fixed_per_kwh, "currency/kWh")
    else:
        market = store.series.get(PRICE_DAY_AHEAD, horizon)
    return tariffs.import_price(tariff, market, site.zone, calendar.holidays)


def mean_of(series: Series) -> float | None:
    """The mean of what is known of a series; None where less than half is."""
    known = series.values[series.known]
    return round(float(known.mean()), 2) if len(known) * 2 > len(series.values) else None


def due_days(store: Store, last: date, first: Callable[[], date | None]) -> list[date]:
    """The days to learn (again): from the last two that are known on, or from the first day that meters know."""
    newest = store.machine_days.last()
    since = newest - timedelta(days=1) if newest is not None else first()
    return [] if since is None else [since + timedelta(days=n) for n in range((last - since).days + 1)]

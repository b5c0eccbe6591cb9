"""Power over a span, measured behind now and planned ahead of it: the rows of the Overview and Plan pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.metering.site import job_loads
from energy.model.event import Event, EventKind, EventState
from energy.model.horizon import Horizon, Interval
from energy.model.job import Mode
from energy.model.meter import Measures, Meter
from energy.model.proposal import LoadShift, OfferState
from energy.model.run import JobRun
from energy.model.series import BASE_LOAD, PV_POWER, SITE_EXPORT, SITE_IMPORT, Series
from energy.model.tariff import Tariff
from energy.planning.price import job_load_kw
from energy.planning.roster import nobody
from energy.planning.slots import mode_of, slot_powers
from energy.reports.pages import PowerPicture
from energy.reports.prices import Prices
from energy.reports.situation import Rules
from energy.reports.standing import Standing
from energy.savings.counterfactual import moved_load
from energy.store import Store
from energy.store.metered import flow_of

Row = NDArray[np.float64]
CARRIED = timedelta(
    hours=1
)  # a gap up to this between the last metered slot and the plan's first takes the plan's value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What the meters and runs say of the slots that are over; NaN where nobody knows and ahead of now."""

    imported: Series
    exported: Series
    base_load: Series
    pv: Series
    battery: Series  # discharge positive
    runs: tuple[JobRun, ...]
    loads: tuple[Row, ...]  # kW of each run, zero ahead of now
    over: NDArray[np.bool_]  # the slots that are over


def ran(store: Store, rules: Rules, horizon: Horizon, now: datetime) -> Ran:
    """What happened in the part of a horizon that is over."""
    over = np.arange(horizon.slots) < horizon.slot_of(now)
    meters = store.meters()
    runs, loads = run_loads(store, rules, meters, horizon, now)

    def past(key: str) -> Series:
        return Series(horizon, np.where(over, store.series.get(key, horizon).values, np.nan), "kW")

    return Ran(
        imported=past(SITE_IMPORT),
        exported=past(SITE_EXPORT),
        base_load=past(BASE_LOAD),
        pv=past(PV_POWER),
        battery=Series(horizon, np.where(over, battery_kw(store, meters, horizon), np.nan), "kW"),
        runs=runs,
        loads=tuple(np.where(over, load, 0.0) for load in loads),
        over=over,
    )


def run_loads(
    store: Store, rules: Rules, meters: Sequence[Meter], horizon: Horizon, now: datetime
) -> tuple[tuple[JobRun, ...], list[Row]]:
    """The runs of the past part of a horizon with their loads, from machine meters where there are any."""
    until = min(now, horizon.end)
    if until <= horizon.start:
        return (), []
    runs = tuple(store.runs.of(Interval(horizon.start, until)))
    if not runs:
        return (), []
    on = {run.machine for run in runs}
    machine_kw = {
        m.machine: store.intervals.power(m.id, horizon)[0]
        for m in meters
        if m.measures is Measures.MACHINE and m.machine is not None and m.machine in on
    }
    modes: dict[tuple[str, str], Mode] = {}
    ahead = horizon.end > until
    if ahead or any(run.machine not in machine_kw or not machine_kw[run.machine].known.all() for run in runs):
        jobs = store.jobs.all(
            Interval(horizon.start - timedelta(days=1), until)
        )  # a job's profile, where no meter knows
        modes = {(j.id, m.machine): m for j in jobs for m in j.modes}
    idle = {m.id: m.idle_kw for m in rules.site.machines}
    return runs, job_loads(runs, horizon, machine_kw=machine_kw, idle_kw=idle, modes=modes)


def battery_kw(store: Store, meters: Sequence[Meter], horizon: Horizon) -> Row:
    """What the battery gave (positive) or took, kW; unknown without a meter of its own."""
    charge, discharge = flow_of(store, meters, Measures.BATTERY, horizon)
    return np.asarray(np.nan_to_num(discharge.values) - charge.values)


def planned(standing: Standing, values: Sequence[float] | Row, horizon: Horizon) -> Row:
    """A row of the plan over a horizon; NaN where the plan does not reach."""
    problem = standing.problem.horizon
    return Series(problem, np.asarray(values, dtype=np.float64), "kW").over(horizon).values


def carried(row: Row, standing: Standing, horizon: Horizon, now: datetime) -> Row:
    """A row whose slots between now and the plan's first one take the plan's first value (a forecast, like the plan)."""
    first, running = horizon.slot_of(standing.problem.horizon.start), horizon.slot_of(now)
    if not 0 <= running < first < horizon.slots or (first - running) * horizon.step > CARRIED:
        return row
    filled = row.copy()
    gap = slice(running, first)
    filled[gap] = np.where(np.isnan(filled[gap]), row[first], filled[gap])
    return filled


def group_loads(standing: Standing, past: Ran, rules: Rules, horizon: Horizon, now: datetime) -> tuple[
    tuple[tuple[str, Series], ...], Series
]:  # fmt: skip
    """(jobs that are not offered by machine group, offered jobs): runs behind now, the plan with offers ahead."""
    group_of = {m.id: m.group for m in rules.site.machines}
    groups = list(dict.fromkeys(m.group for m in rules.site.machines))
    asked = {shift.job for offer in standing.open for shift in offer.shifts}
    rows = {group: np.zeros(horizon.slots) for group in groups}
    for run, load in zip(past.runs, past.loads, strict=True):
        if (group := group_of.get(run.machine)) is not None:
            rows[group] = rows[group] + load
    ahead = ahead_by_group(standing, group_of, asked)
    found = []
    for group in groups:
        plan = planned(standing, ahead.get(group, np.zeros(standing.problem.slots)), horizon)
        row = carried(np.where(past.over, rows[group], plan), standing, horizon, now)
        found.append((group, Series(horizon, row, "kW")))
    offered = planned(standing, ahead.get(None, np.zeros(standing.problem.slots)), horizon)
    row = carried(np.where(past.over, 0.0, offered), standing, horizon, now)
    return tuple(found), Series(horizon, row, "kW")


def ahead_by_group(standing: Standing, group_of: Mapping[str, str], asked: set[str]) -> dict[str | None, Row]:
    """The planned load of each group's jobs; under None that of the offered ones."""
    places: dict[str | None, list[str]] = {}
    for id, place in standing.with_offers.items():
        places.setdefault(None if id in asked else group_of.get(place.machine, place.machine), []).append(id)
    return {key: job_load_kw(standing.problem, [standing.with_offers[id] for id in ids]) for key, ids in places.items()}


def nights(rules: Rules, horizon: Horizon) -> tuple[Interval, ...]:
    return nobody(rules.calendar, horizon, rules.site.zone)


def target_kw(tariff: Tariff) -> float | None:
    """The agreed peak of the charge that looks at all hours; None where nothing is agreed."""
    always = [rate.target_kw for rate in tariff.demand if rate.target_kw > 0 and not rate.windows]
    return min(always) if always else None


def event_words(event: Event) -> str:
    """How an event is called in a picture: "limit 1,200 kW"."""
    word = "limit" if event.kind is EventKind.LIMIT else "reduction"
    return f"{word} {event.kw:,.0f} kW"


def events_in(store: Store, horizon: Horizon) -> tuple[tuple[str, Interval], ...]:
    """The events that are open or accepted, by start."""
    found = store.events.touching(Interval(horizon.start, horizon.end))
    shown = {EventState.OPEN, EventState.ACCEPTED}
    return tuple((event_words(e), e.interval) for e in found if e.state in shown)


def band(standing: Standing, imported: Row, horizon: Horizon) -> tuple[Series | None, Series | None]:
    """P10 and P90 of the import ahead: the bands of base load and PV taken as independent. None without a band."""
    problem = standing.problem
    if problem.base_load_band is None:
        return None, None
    base, pv = np.asarray(problem.base_load_kw), np.asarray(problem.pv_kw)
    less = [base - np.asarray(problem.base_load_band.p10)]
    more = [np.asarray(problem.base_load_band.p90) - base]
    if problem.pv_band is not None:
        less.append(np.asarray(problem.pv_band.p90) - pv)
        more.append(pv - np.asarray(problem.pv_band.p10))
    low = np.maximum(0.0, imported - np.sqrt(np.sum(np.square(less), axis=0)))
    high = imported + np.sqrt(np.sum(np.square(more), axis=0))
    return tuple(Series(horizon, planned(standing, row, horizon), "kW") for row in (low, high))  # type: ignore[return-value]  # two


def as_is_net(store: Store, standing: Standing, past: Ran, horizon: Horizon, now: datetime) -> Row:
    """What the site would draw net without the accepted moves, kW: as metered and planned, less the load of the moved
    jobs, plus it at their old places. The battery is taken as it is; the day's account reckons it anew."""
    rows = standing.rows(standing.in_force)
    ahead = planned(standing, rows.import_kw - rows.export_kw, horizon)
    behind = past.imported.values - np.nan_to_num(past.exported.values)
    net = carried(np.where(np.isnan(behind), ahead, behind), standing, horizon, now)
    runs = {run.job: (run, load) for run, load in zip(past.runs, past.loads, strict=True)}
    posed = {job.id: job for job in standing.problem.jobs}
    for id, shift in accepted_shifts(store, Interval(horizon.start, horizon.end)).items():
        run, load = runs.get(id, (None, np.zeros(horizon.slots)))
        if run is not None and run.end is not None and run.end <= now:
            net = net - load + moved_load(load, horizon, run.start, shift.old.start)
            continue
        place, job = standing.in_force.get(id), store.jobs.get(id)
        if place is None or job is None or id not in posed:
            continue
        there = carried(planned(standing, job_load_kw(standing.problem, [place]), horizon), standing, horizon, now)
        net = net - np.where(past.over, load, np.nan_to_num(there))
        powers = slot_powers(mode_of(job, shift.old), horizon.step_minutes)
        net = net + laid(powers, horizon.slot_of(shift.old.start), horizon.slots)
    return net


def laid(powers: Sequence[float], first: int, slots: int) -> Row:
    """A run's powers from a slot on, as far as the row reaches."""
    row = np.zeros(slots)
    for k, kw in enumerate(powers, start=first):
        if 0 <= k < slots:
            row[k] = kw
    return row


def accepted_shifts(store: Store, span: Interval) -> dict[str, LoadShift]:
    """The accepted shifts that touch a span, by job; the later offer counts."""
    offers = store.offers.in_state(OfferState.ACCEPTED, span=span)
    return {s.job: s for offer in sorted(offers, key=lambda o: (o.offered_at, o.number)) for s in offer.shifts}


def power_picture(
    store: Store, rules: Rules, horizon: Horizon, now: datetime, standing: Standing | None, *, costs: Prices, past: Ran
) -> PowerPicture | None:
    """Everything that is drawn over one horizon; None where there is no plan to draw."""
    if standing is None:
        return None
    rows = standing.rows(standing.with_offers)
    problem = standing.problem
    groups, offered = group_loads(standing, past, rules, horizon, now)

    def row(behind: Row, ahead: Sequence[float] | Row) -> Series:
        joined_row = np.where(np.isnan(behind), planned(standing, ahead, horizon), behind)
        return Series(horizon, carried(joined_row, standing, horizon, now), "kW")

    low, high = band(standing, rows.import_kw, horizon)
    ahead = planned(standing, rows.import_kw, horizon)
    import_plan = np.where(np.isnan(ahead), past.imported.values, ahead)
    no_battery = rules.site.battery is None
    return PowerPicture(
        horizon=horizon,
        base_load=row(past.base_load.values, problem.base_load_kw),
        groups=groups,
        offered=offered,
        pv=row(past.pv.values, problem.pv_kw) if rules.site.pv_peak_kw else Series.constant(horizon, 0.0, "kW"),
        battery=Series.constant(horizon, 0.0, "kW")
        if no_battery
        else row(past.battery.values, rows.discharge_kw - rows.charge_kw),
        import_plan=Series(horizon, carried(import_plan, standing, horizon, now), "kW"),
        import_low=low,
        import_high=high,
        import_as_is=Series(horizon, np.maximum(0.0, as_is_net(store, standing, past, horizon, now)), "kW"),
        import_measured=past.imported,
        price=costs.full,
        price_market=costs.market,
        price_published=costs.published,
        carbon=costs.carbon,
        limit_kw=rules.site.import_limit_kw,
        target_kw=target_kw(rules.tariff),
        nights=nights(rules, horizon),
        events=events_in(store, horizon),
    )

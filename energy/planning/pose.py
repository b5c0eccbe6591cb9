"""From the situation of the plant to the problem in slots, with as-is, in force and what may move.

Both chains, as-is and in force, are first *settled*: what runs stays where it runs, what should have started and has not
starts now, what a breakdown or late material forbids waits, and what stands behind it waits in turn. A conflict that the
production plan itself has (two jobs at once on a machine) is left as it is, and reported.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from energy.clock import local_date
from energy.model.horizon import Horizon, Interval
from energy.model.job import AsIsEntry, Job, JobState, Planned
from energy.model.problem import (
    Band,
    Closed,
    CrewNeed,
    Limit,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemBattery,
    ProblemJob,
    ProblemMachine,
    Scenario,
    SoberPrice,
)
from energy.model.series import Series
from energy.planning import roster, tariff
from energy.planning.effects import Effects, effects
from energy.planning.freeze import freeze
from energy.planning.optimism import by_length, drawn_back, kept_of
from energy.planning.settle import past_the_end, settle, within
from energy.planning.situation import Expected, Path, Situation
from energy.planning.slots import mode_of, slot_near, slot_powers

KW_DIGITS, PRICE_DIGITS = 1, 4  # of scenarios after the point, so that a stored problem stays small


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A problem, the as-is entries that posing it froze, and what was left out, in words."""

    problem: Problem
    entries: tuple[AsIsEntry, ...]
    left_out: tuple[str, ...]


def pose(situation: Situation) -> Posed:
    """The problem of the horizon, and the as-is entries that are frozen by being planned."""
    limits = effects(situation.facts, situation.now)
    jobs = {job.id: job for job in situation.jobs}
    as_is, entries = freeze(situation, jobs, limits)
    in_force = {id: situation.accepted.get(id, planned) for id, planned in as_is.items()}
    settled_as_is = settle(situation, as_is, limits)
    settled_force = settle(situation, in_force, limits)
    kept, left_out = within(situation, settled_as_is, settled_force)
    blocked = past_the_end(situation, settled_force, kept)
    problem_jobs = tuple(
        problem_job(situation, jobs[id], settled_as_is[id], settled_force[id], limits, kept) for id in kept
    )
    return Posed(problem=assemble(situation, problem_jobs, limits, blocked), entries=entries, left_out=left_out)


def problem_job(
    situation: Situation,
    job: Job,
    as_is: Placement,
    in_force: Placement,
    limits: Effects,
    kept: Sequence[str],
) -> ProblemJob:
    """A job in slots, with where it may go."""
    horizon, rules = situation.horizon, situation.calendar.rules
    running = next((run for run in situation.runs if run.job == job.id and run.end is None), None)
    options = {
        (m.machine, m.name): Option(machine=m.machine, mode=m.name, power_kw=slot_powers(m, horizon.step_minutes))
        for m in job.modes
    }
    for place in (as_is, in_force):
        planned = Planned(job=job.id, machine=place.machine, start=situation.now, end=situation.now, mode=place.mode)
        mode = mode_of(job, planned)
        options.setdefault(
            (mode.machine, mode.name),
            Option(machine=mode.machine, mode=mode.name, power_kw=slot_powers(mode, horizon.step_minutes)),
        )
    after, earliest = precedences(situation, job, kept)
    earliest = max(earliest, horizon.slot_edge(job.earliest) if job.earliest else 0)
    if (there := limits.earliest.get(job.id)) is not None:
        earliest = max(earliest, horizon.slot_edge(there))
    touched = job.id in situation.touched
    earliest = max(
        earliest,
        0
        if touched
        else horizon.slot_edge(max(situation.now + timedelta(minutes=rules.notice_minutes), situation.movable.start)),
    )
    free = running is None and may_move(situation, job, in_force, touched)
    offered = situation.offered.get(job.id)
    offered_place = (
        Placement(job=job.id, machine=offered.machine, start=slot_near(horizon, offered.start), mode=offered.mode)
        if offered and free
        else None
    )
    return ProblemJob(
        id=job.id,
        name=f"{job.id} {job.product}".strip(),
        options=tuple(options.values()),
        as_is=as_is,
        in_force=in_force,
        offered=offered_place,
        fixed=None if free else in_force,
        earliest=max(0, earliest) if free else 0,
        must_end=must_end(situation, job.due, in_force, options) if free and not touched else None,
        due=horizon.slot_of(job.due),
        late_per_hour=job.late_price_per_hour,
        after=after,
        needs=tuple(CrewNeed(skill=n.skill, people=n.people, attended=n.attended) for n in job.needs),
        move_price=job.move_price,
        accepted=job.id in situation.accepted,
    )


def must_end(
    situation: Situation, due: datetime, in_force: Placement, options: Mapping[tuple[str, str], Option]
) -> int | None:
    """A job that is asked about stays within its local day: the next day has its own offers, and an account is by day.
    And it keeps some slack to its due time. One that already runs over midnight, or that close, may go on doing so."""
    horizon, slack = situation.horizon, timedelta(minutes=situation.calendar.rules.least_slack_minutes)
    last = min(horizon.slots, horizon.slot_edge(situation.movable.end), horizon.slot_of(due - slack))
    there = in_force.start + options[in_force.machine, in_force.mode].slots
    return last if there <= last else None


def may_move(situation: Situation, job: Job, in_force: Placement, touched: bool) -> bool:
    """Whether anybody may be asked to move a job: flexible, released, not refused, not just accepted, and in the span
    that is open for asking, or touched by a fact."""
    if not job.flexible or job.state is not JobState.RELEASED:
        return False
    if touched:
        return True
    if job.id in situation.untouchable or job.id in situation.accepted:
        return False
    start = situation.horizon.time_of(in_force.start)
    notice = situation.now + timedelta(minutes=situation.calendar.rules.notice_minutes)
    return situation.movable.holds(start) and start >= notice


def precedences(situation: Situation, job: Job, kept: Sequence[str]) -> tuple[tuple[Precedence, ...], int]:
    """The orders between jobs in the problem; a predecessor that has ended gives the earliest slot instead."""
    horizon, inside, after, earliest = situation.horizon, set(kept), [], 0
    ended = {run.job: run.end for run in situation.runs if run.end is not None}
    for follow in job.follows:
        least = math.ceil(follow.at_least_minutes / horizon.step_minutes)
        if follow.job in inside:
            most = None if follow.at_most_minutes is None else follow.at_most_minutes // horizon.step_minutes
            after.append(Precedence(job=follow.job, min_slots=least, max_slots=most))
        elif (end := ended.get(follow.job)) is not None:
            earliest = max(earliest, horizon.slot_edge(end + timedelta(minutes=follow.at_least_minutes)))
    return tuple(after), earliest


def assemble(
    situation: Situation, jobs: tuple[ProblemJob, ...], limits: Effects, blocked: Mapping[str, list[Closed]]
) -> Problem:
    """The whole problem, from the resolved jobs and the rows of tariff, roster and forecast."""
    site, horizon, calendar = situation.site, situation.horizon, situation.calendar
    zone, holidays = site.zone, calendar.holidays
    price = tariff.import_price(situation.tariff, situation.market_price.middle, zone, holidays)
    export = tariff.export_price(situation.tariff, situation.market_price.middle, zone, holidays)
    shifts = roster.shift_hours(calendar, horizon, zone)
    return Problem(
        site=site.id,
        currency=site.currency,
        zone=zone,
        start=horizon.start,
        step_minutes=horizon.step_minutes,
        slots=horizon.slots,
        machines=tuple(
            ProblemMachine(
                id=m.id,
                name=m.name,
                group=m.group,
                closed=tuple(
                    sorted(
                        (
                            *roster.closed_slots(m.id, calendar, horizon, zone),
                            *fact_closures(m.id, limits, horizon),
                            *blocked.get(m.id, []),
                        ),
                        key=lambda c: (c.start, c.end),
                    )
                ),
            )
            for m in site.machines
        ),
        jobs=jobs,
        rosters=roster.rosters(calendar, horizon, zone, away=limits.crews),
        shifts=shifts,
        base_load_kw=row(situation.base_load.middle),
        pv_kw=row(situation.pv.middle),
        import_limit_kw=site.import_limit_kw,
        export_limit_kw=site.export_limit_kw,
        import_price=row(price),
        export_price=row(export),
        price_published=situation.published,
        carbon_kg_per_kwh=row(situation.carbon),
        carbon_basis=situation.carbon_basis,
        carbon_price_per_kg=situation.tariff.carbon_price_per_kg,
        battery=battery(situation, price),
        demand=tariff.demand_windows(situation.tariff, answerable(situation), zone, holidays, situation.peaks_so_far),
        limits=tuple(
            limit
            for c in situation.commitments
            if (limit := as_limit(c.event, c.interval, c.limit_kw, c.penalty_per_kwh, horizon)) is not None
        ),
        least_gain=calendar.rules.least_gain,
        base_load_band=band(situation.base_load),
        pv_band=band(situation.pv),
        import_price_band=price_band(situation),
        sober_prices=sober_prices(situation),
        scenarios=tuple(scenario(situation, path) for path in situation.paths),
        curtailable=False,
        notes=(*situation.notes, *limits.notes),
    )


def answerable(situation: Situation) -> Horizon:
    """The part of the horizon whose peaks this plan answers for: up to the end of the day that may be asked about.

    A later day still stands as released and gets its own offers in its own time; were its peak counted now, a peak that
    every day would have could never be lowered by any of them."""
    horizon = situation.horizon
    return Horizon(horizon.start, min(horizon.slots, horizon.slot_edge(situation.movable.end)), horizon.step_minutes)


def row(series: Series) -> tuple[float, ...]:
    """The values of a series that is known everywhere."""
    unknown = int((~series.known).sum())
    if unknown:
        raise ValueError(f"{unknown} slots of a row in {series.unit} are unknown; somebody must decide before planning")
    return tuple(float(v) for v in series.values)


def band(expected: Expected) -> Band | None:
    if expected.low is None or expected.high is None:
        return None
    return Band(p10=row(expected.low), p90=row(expected.high))


def price_band(situation: Situation) -> Band | None:
    """The band of the full price of import; where the price is published it has no width."""
    low, high = situation.market_price.low, situation.market_price.high
    if low is None or high is None:
        return None
    zone, holidays = situation.site.zone, situation.calendar.holidays
    return Band(
        p10=row(tariff.import_price(situation.tariff, low, zone, holidays)),
        p90=row(tariff.import_price(situation.tariff, high, zone, holidays)),
    )


def sober_prices(situation: Situation) -> tuple[SoberPrice, ...]:
    """What forecast prices are reckoned at where a gain is told, by length of run; none where all are published."""
    if all(situation.published):
        return ()
    zone, holidays, horizon = situation.site.zone, situation.calendar.holidays, situation.horizon
    today = local_date(situation.now, zone)
    ahead = np.array([(local_date(t, zone) - today).days for t in horizon.times()])
    published, market = np.array(situation.published, dtype=np.bool_), situation.market_price.middle
    found = []
    for up_to, rows in by_length(situation.kept or kept_of(())).items():
        shares = {one.lead_days: one.share for one in rows}
        sober = Series(horizon, drawn_back(market.values, published, ahead, shares), market.unit)
        found.append(
            SoberPrice(
                up_to_hours=up_to,
                kept=min(shares.values()),
                import_price=row(tariff.import_price(situation.tariff, sober, zone, holidays)),
                export_price=row(tariff.export_price(situation.tariff, sober, zone, holidays)),
            )
        )
    return tuple(found)


def scenario(situation: Situation, path: Path) -> Scenario:
    """A path as the problem says it, to so many digits as a forecast is good for; a published price stays as it is."""
    zone, holidays = situation.site.zone, situation.calendar.holidays

    def kw(series: Series | None) -> tuple[float, ...]:
        return () if series is None else tuple(round(value, KW_DIGITS) for value in row(series))

    price: tuple[float, ...] = ()
    if path.market_price is not None:
        full = row(tariff.import_price(situation.tariff, path.market_price, zone, holidays))
        known = row(tariff.import_price(situation.tariff, situation.market_price.middle, zone, holidays))
        price = tuple(
            sure if published else round(value, PRICE_DIGITS)
            for published, sure, value in zip(situation.published, known, full, strict=True)
        )
    return Scenario(base_load_kw=kw(path.base_load), pv_kw=kw(path.pv), import_price=price)


def fact_closures(machine: str, limits: Effects, horizon: Horizon) -> list[Closed]:
    """The slots that breakdowns take from a machine, within the horizon."""
    closed = []
    for closure in limits.closed(machine):
        first = max(0, horizon.slot_of(closure.interval.start))
        last = min(horizon.slots, horizon.slot_edge(closure.interval.end))
        if first < last:
            closed.append(Closed(start=first, end=last, why=closure.why))
    return closed


def as_limit(name: str, span: Interval, kw: float, penalty: float | None, horizon: Horizon) -> Limit | None:
    """A commitment as a limit over the slots it touches; None outside the horizon."""
    first, last = max(0, horizon.slot_of(span.start)), min(horizon.slots, horizon.slot_edge(span.end))
    return Limit(name=name, start=first, end=last, limit_kw=kw, penalty_per_kwh=penalty) if first < last else None


def battery(situation: Situation, price: Series) -> ProblemBattery | None:
    """The battery as it stands; what is left in it at the end is worth what it spares of a mean import."""
    has = situation.site.battery
    if has is None:
        return None
    return ProblemBattery(
        capacity_kwh=has.capacity_kwh,
        charge_kw=has.charge_kw,
        discharge_kw=has.discharge_kw,
        charge_efficiency=has.charge_efficiency,
        discharge_efficiency=has.discharge_efficiency,
        min_kwh=has.min_kwh,
        start_kwh=min(has.capacity_kwh, max(has.min_kwh, situation.battery_kwh)),
        end_kwh=has.min_kwh,
        end_value_per_kwh=float(price.values.mean()) * has.discharge_efficiency,
        wear_per_kwh=has.wear_per_kwh,
        rule=has.rule,
    )

"""The jobs of a span on their machines: where as-is, offers, acceptances and reality have them, and what is closed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from energy.model.calendar import Attended
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job
from energy.model.problem import Placement, ProblemJob
from energy.model.proposal import LoadShift
from energy.model.run import JobRun
from energy.planning.effects import effects
from energy.planning.roster import rosters
from energy.planning.slots import planned_at
from energy.reports.pages import Bar, BarState, Blocked
from energy.reports.picture import Ran
from energy.reports.prices import Prices
from energy.reports.situation import LOOK_BACK, Rules
from energy.reports.standing import Standing
from energy.store import Store


def bars(standing: Standing, past: Ran, jobs: Mapping[str, Job], costs: Prices, now: datetime) -> tuple[Bar, ...]:
    """Every job of the span once, and the outline of where each moved one stood."""
    span = Interval(costs.full.horizon.start, costs.full.horizon.end)
    open_shifts = {s.job: (s, o.id) for o in standing.open for s in o.shifts}
    kept = {s.job: (s, o.id) for o in standing.accepted for s in o.shifts}
    newest = {run.job: (run, load) for run, load in zip(past.runs, past.loads, strict=True)}
    found: list[Bar] = []
    for posed in standing.problem.jobs:
        run = newest.get(posed.id, (None, None))[0]
        if run is not None and run.end is not None and run.end <= now:
            continue  # finished since the plan was made: drawn as it ran
        place = standing.with_offers[posed.id]
        state, offer = BarState.PLANNED, None
        if posed.id in kept:
            state, offer = BarState.ACCEPTED, kept[posed.id][1]
        if posed.id in open_shifts and place != standing.in_force[posed.id]:
            state, offer = BarState.OFFER, open_shifts[posed.id][1]
        if run is not None:
            state = BarState.RUNNING
        found.append(planned_bar(standing, posed, place, run, jobs.get(posed.id), costs, state, offer))
    found += [done_bar(run, load, jobs.get(run.job), costs) for run, load in newest.values() if over(run, now)]
    shown = {bar.job for bar in found if bar.state in {BarState.OFFER, BarState.ACCEPTED}}
    outlined = {job: one for job, one in (kept | open_shifts).items() if job in shown}
    found += [outline(shift, jobs.get(job), offer) for job, (shift, offer) in sorted(outlined.items())]
    return tuple(
        sorted(
            (bar for bar in found if Interval(bar.start, bar.end).overlaps(span)),
            key=lambda bar: (bar.machine, bar.start, bar.state != BarState.AS_IS, bar.job),
        )
    )


def over(run: JobRun, now: datetime) -> bool:
    return run.end is not None and run.end <= now


def planned_bar(
    standing: Standing,
    posed: ProblemJob,
    place: Placement,
    run: JobRun | None,
    job: Job | None,
    costs: Prices,
    state: BarState,
    offer: str | None,
) -> Bar:
    """A job where the plan has it; one that runs begins where it really began."""
    where = planned_at(standing.problem, place)
    power = posed.option(place.machine, place.mode).power_kw
    hours = standing.problem.step_hours
    start = run.start if run is not None else where.start
    return Bar(
        job=posed.id,
        product=job.product if job else posed.name,
        machine=run.machine if run is not None else where.machine,
        start=start,
        end=max(where.end, start),
        state=state,
        quantity=job.quantity if job else 0.0,
        unit=job.unit if job else "",
        mean_kw=sum(power) / len(power),
        kwh=sum(power) * hours,
        cost=cost_of(power, where.start, costs),
        due=job.due if job else None,
        slack_minutes=slack(job, where.end),
        offer=offer,
    )


def cost_of(power_kw: Sequence[float], start: datetime, costs: Prices) -> float | None:
    """What a job's energy costs with fees, all of it imported; None where a price of it is not known."""
    horizon = Horizon(start, len(power_kw), costs.full.horizon.step_minutes)
    price = costs.full.over(horizon).values
    total = float(np.sum(np.asarray(power_kw) * price) * horizon.step_hours)
    return None if np.isnan(total) else total


def slack(job: Job | None, end: datetime) -> int | None:
    """Minutes between a job's end and its due time; negative is late."""
    return None if job is None else round((job.due - end).total_seconds() / 60)


def done_bar(run: JobRun, load: "np.ndarray[tuple[int], np.dtype[np.float64]]", job: Job | None, costs: Prices) -> Bar:
    """A job as it ran. Its cost is known only where all of it lies in the span."""
    assert run.end is not None
    hours = (run.end - run.start).total_seconds() / 3600.0
    horizon = costs.full.horizon
    whole = horizon.start <= run.start and run.end <= horizon.end
    kwh = run.kwh if run.kwh is not None else float(np.sum(load) * horizon.step_hours) if whole else float("nan")
    cost = float(np.sum(load * costs.full.values) * horizon.step_hours) if whole else float("nan")
    return Bar(
        job=run.job,
        product=job.product if job else "",
        machine=run.machine,
        start=run.start,
        end=run.end,
        state=BarState.DONE,
        quantity=job.quantity if job else 0.0,
        unit=job.unit if job else "",
        mean_kw=kwh / hours if hours > 0 else float("nan"),
        kwh=kwh,
        cost=None if np.isnan(cost) else cost,
        due=job.due if job else None,
        slack_minutes=slack(job, run.end),
    )


def outline(shift: LoadShift, job: Job | None, offer: str) -> Bar:
    """Where a moved job stood before."""
    hours = (shift.old.end - shift.old.start).total_seconds() / 3600.0
    return Bar(
        job=shift.job,
        product=job.product if job else shift.name,
        machine=shift.old.machine,
        start=shift.old.start,
        end=shift.old.end,
        state=BarState.AS_IS,
        quantity=shift.quantity,
        unit=shift.unit,
        mean_kw=shift.kwh / hours if hours > 0 else float("nan"),
        kwh=shift.kwh,
        cost=None,
        due=shift.due,
        slack_minutes=None if shift.due is None else round((shift.due - shift.old.end).total_seconds() / 60),
        offer=offer,
    )


def blocked(store: Store, rules: Rules, horizon: Horizon, jobs: Iterable[Job], now: datetime) -> tuple[Blocked, ...]:
    """When machines cannot be used: maintenance, breakdowns, and no crew for what runs on them."""
    span = Interval(horizon.start, horizon.end)
    closures = list(rules.calendar.closed_within(span, rules.site.zone))
    facts = store.facts.of(Interval(now - LOOK_BACK, now + timedelta(seconds=1)))
    limits = effects(facts, now)
    closures += [closure for closure in limits.closures if closure.interval.overlaps(span)]
    shut = [Blocked(machine=c.machine, interval=c.interval, why=c.why) for c in closures]
    return (*no_crew(rules, horizon, jobs, limits.crews), *shut)


def no_crew(
    rules: Rules, horizon: Horizon, jobs: Iterable[Job], away: Sequence[tuple[str, Interval]]
) -> Iterator[Blocked]:
    """The times in which nobody is there who could attend the jobs of a machine. Machines whose jobs run alone once
    loaded are not blocked."""
    attended: dict[str, set[str]] = {}
    alone: set[str] = set()
    for job in jobs:
        for mode in job.modes:
            for need in job.needs:
                if need.attended is Attended.RUN:
                    attended.setdefault(mode.machine, set()).add(need.skill)
            if not any(need.attended is Attended.RUN for need in job.needs):
                alone.add(mode.machine)
    there = {r.skill: np.array(r.people) for r in rosters(rules.calendar, horizon, rules.site.zone, away=away)}
    for machine in rules.site.machines:
        skills = attended.get(machine.id, set()) & set(there)
        if not skills or machine.id in alone:
            continue
        nobody = np.any([there[skill] == 0 for skill in skills], axis=0)
        for start, end in stretches(nobody):
            yield Blocked(
                machine=machine.id, interval=Interval(horizon.time_of(start), horizon.time_of(end)), why="no crew"
            )


def stretches(flags: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> list[tuple[int, int]]:
    """The runs of True as (first, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]

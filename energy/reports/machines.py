"""Machines: what their meters tell of them, week by week: states, waste and what would help, learned power, drift."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from energy.clock import day_bounds, local_date
from energy.errors import LoadstoneError
from energy.insight.waste import Advice, advice
from energy.model.horizon import Interval
from energy.model.insight import (
    Basis,
    Detail,
    Drift,
    DriftOf,
    LearnedProfile,
    Levels,
    MachineDay,
    PowerState,
    RunSample,
    StateEnergy,
)
from energy.model.site import LearnedProfiles
from energy.reports.pages import Advised, Header, MachineLine, MachinePage, MachinesPage, ProfileLine, Worked
from energy.reports.situation import Rules
from energy.reports.words import number
from energy.store import Store

WEEKS = 26  # that can be looked at
WORK_DAYS = 56  # of work that is drawn
NO_JOB = "no job known"


def machines_page(store: Store, rules: Rules, header: Header, week: str | None = None) -> MachinesPage:
    """All machines in one local week: the one asked for, else the newest that is whole, else the newest."""
    today = local_date(header.now, rules.site.zone)
    days = store.machine_days.days(today - timedelta(weeks=WEEKS), today)
    chosen = week or newest_whole(days) or week_of(today)
    first = monday_of(chosen)
    sunday = first + timedelta(days=6)
    records = store.machine_days.of(first, sunday)
    metered, called, levels, drifts = (
        watched(store),
        names(store, rules),
        store.learned.levels(),
        store.learned.drifts(),
    )
    return MachinesPage(
        header=header,
        week=chosen,
        weeks=tuple(sorted({week_of(day) for day in days}, reverse=True)),
        span=Interval(day_bounds(first, rules.site.zone)[0], day_bounds(sunday, rules.site.zone)[1]),
        lines=tuple(
            line_of(rules, machine, called[machine], [r for r in records if r.machine == machine], levels, drifts)
            for machine in metered
        ),
        drifts=tuple(worse(drifts)),
        unmetered=tuple(m.name for m in rules.site.machines if m.id not in metered),
        names=called,
    )


def machine_page(store: Store, rules: Rules, header: Header, machine: str) -> MachinePage:
    """One machine. LoadstoneError names the known ones."""
    today = local_date(header.now, rules.site.zone)
    metered, called = watched(store), names(store, rules)
    if machine not in metered:
        raise LoadstoneError(f"no machine {machine!r} with a meter of its own; known: {', '.join(metered) or 'none'}")
    records = store.machine_days.of(today - timedelta(days=WORK_DAYS), today, machine)
    chosen = newest_whole([r.day for r in records])
    own = [r for r in records if week_of(r.day) == chosen]
    runs = [run for record in records for run in record.runs]
    setting = next((m.learned_profiles for m in rules.site.machines if m.id == machine), LearnedProfiles.OFF)
    shown = [] if setting is LearnedProfiles.OFF else list(store.learned.profiles().values())
    return MachinePage(
        header=header,
        line=line_of(rules, machine, called[machine], own, store.learned.levels(), store.learned.drifts()),
        used=setting.value,
        work=worked(records),
        profiles=tuple(profile_line(p, runs) for p in shown if p.machine == machine),
        idle=tuple((r.day, r.idle_kw, r.quiet_kw) for r in records),
    )


def watched(store: Store) -> dict[str, str]:
    """What is learned of, and by which meter."""
    return {of: m.id for m in store.meters() if (of := m.tells_of) is not None}


def names(store: Store, rules: Rules) -> dict[str, str]:
    """The plant's names of machines; those that run no jobs have the name of their meter."""
    meters = {m.id: m.name for m in store.meters()}
    return {id: meters[meter] for id, meter in watched(store).items()} | {m.id: m.name for m in rules.site.machines}


def week_of(day: date) -> str:
    """The ISO week that a local day belongs to, "2026-W24"."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def monday_of(week: str) -> date:
    """The first day of a week. LoadstoneError says how to write one."""
    try:
        year, number_ = week.split("-W")
        return date.fromisocalendar(int(year), int(number_), 1)
    except ValueError as error:
        raise LoadstoneError(f"{week!r} is not a week; write it like 2026-W24") from error


def newest_whole(days: Sequence[date]) -> str | None:
    """The newest week with a record of its Sunday, else the newest with any."""
    whole = [week_of(day) for day in days if day.weekday() == 6]
    return max(whole, default=None) or max((week_of(day) for day in days), default=None)


def line_of(
    rules: Rules,
    machine: str,
    name: str,
    days: Sequence[MachineDay],
    levels: dict[str, Levels],
    drifts: Sequence[Drift],
) -> MachineLine:
    """A machine in the days of a week."""
    waste = [span for day in days for span in day.waste]
    zone = rules.site.zone
    return MachineLine(
        id=machine,
        name=name,
        levels=levels.get(machine),
        days=len({day.day for day in days}),
        detail=detail_of(days),
        known_share=float(np.mean([day.known_share for day in days])) if days else 0.0,
        energy=tuple(summed(days, state) for state in PowerState if any(day.state(state).hours for day in days)),
        waste_idle_kwh=sum(w.kwh for w in waste if w.state is PowerState.IDLE),
        waste_holding_kwh=sum(w.kwh for w in waste if w.state is PowerState.HOLDING),
        waste_money=None if any(w.money is None for w in waste) else sum(w.money or 0.0 for w in waste),
        advice=tuple(advised(a) for a in advice(machine, days, zone)),
        cycles=sum(len(day.cycles) for day in days),
        spans=tuple(span for day in sorted(days, key=lambda d: d.day) for span in day.spans),
        drifts=tuple(d for d in drifts if d.machine == machine),
    )


def detail_of(days: Sequence[MachineDay]) -> Detail:
    kinds = {day.detail for day in days if day.detail is not Detail.NOTHING}
    return Detail.NOTHING if not kinds else kinds.pop() if len(kinds) == 1 else Detail.MIXED


def summed(days: Sequence[MachineDay], state: PowerState) -> StateEnergy:
    own = [day.state(state) for day in days]
    money = None if any(e.money is None for e in own) else sum(e.money or 0.0 for e in own)
    return StateEnergy(state=state, hours=sum(e.hours for e in own), kwh=sum(e.kwh for e in own), money=money)


def advised(it: Advice) -> Advised:
    """ "switch off between 22:00 and 05:00 on working days"."""
    days = "on working days" if it.weekdays else "at weekends"
    whole = it.until - it.since >= 96
    when = "all day" if whole else f"between {wall(it.since)} and {wall(it.until)}"
    return Advised(text=f"switch off {when} {days}", kwh=it.kwh, money=it.money)


def wall(quarter: int) -> str:
    return f"{quarter % 96 // 4:02d}:{quarter % 4 * 15:02d}"


def worked(records: Sequence[MachineDay]) -> tuple[Worked, ...]:
    """The work of some days, oldest first: job runs where they are known, else cycles."""
    runs = [run for record in records for run in record.runs]
    if runs:
        return tuple(sorted((work_of(run) for run in runs), key=lambda w: w.end))
    cycles = [c for record in records for c in record.cycles if c.whole]
    return tuple(
        Worked(end=c.end, minutes=c.minutes, kwh=c.kwh, what=c.product or NO_JOB, job=c.job)
        for c in sorted(cycles, key=lambda c: c.end)
    )


def work_of(run: RunSample) -> Worked:
    typed = run.typed_kwh
    return Worked(
        end=run.end,
        minutes=run.minutes,
        kwh=run.kwh,
        what=run.product,
        job=run.job,
        per_unit=run.kwh / run.quantity if run.quantity else None,
        against_typed=run.kwh / typed - 1.0 if typed else None,
    )


def profile_line(profile: LearnedProfile, runs: Sequence[RunSample]) -> ProfileLine:
    """A profile in kW: one told as a multiple is told for what was typed in for the newest run."""
    newest = [r for r in runs if (r.product, r.mode) == (profile.product, profile.mode) and r.typed_kw]
    typed = newest[-1].typed_kw if newest else profile.typed_kw
    mean = sum(typed) / len(typed) if typed else None
    factor = mean if profile.basis is Basis.TYPED and mean else 1.0
    p10, p50, p90 = (tuple(factor * v for v in row) for row in (profile.p10, profile.p50, profile.p90))
    return ProfileLine(
        profile=profile,
        p10_kw=p10,
        p50_kw=p50,
        p90_kw=p90,
        typed_kw=typed,
        difference=sum(p50) / len(p50) / mean - 1.0 if mean else None,
    )


WHAT = {
    DriftOf.WORK: "more energy for the same work",
    DriftOf.IDLE: "more power while idle",
    DriftOf.QUIET: "more power at rest",
}


def told(drift: Drift, zone: str) -> str:
    """A drift in words: size with its interval, since when, how sure, what it takes."""
    since = local_date(drift.since, zone)
    grew = "growing since about" if drift.ramp else "since about"
    extra = ""
    if drift.extra_kwh_per_week is not None:
        extra = f"; {number(drift.extra_kwh_per_week)} kWh a week"
    return (
        f"{100 * drift.size:+.1f} % ({100 * drift.size_low:.1f} to {100 * drift.size_high:.1f} %) {grew} "
        f"{since:%a} {since.day} {since:%b}{extra}; confidence {100 * drift.confidence:.1f} %"
    )


def worse(drifts: Sequence[Drift]) -> Iterator[Drift]:
    """What needs more than it used to, biggest money first."""
    yield from sorted((d for d in drifts if d.size > 0), key=lambda d: -(d.extra_kwh_per_week or 0.0))

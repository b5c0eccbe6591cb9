"""Assumptions and journal: everything that Loadstone believes, where it comes from, and who did what."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from energy.clock import local_date
from energy.model.horizon import Interval
from energy.model.job import Job, JobState, Mode
from energy.model.series import CARBON_INTENSITY, PRICE_DAY_AHEAD
from energy.reports.pages import Assumption, Done, Header, JournalPage
from energy.reports.situation import Rules
from energy.reports.words import machine_name, money, number, span
from energy.reports.year import DAYS, run_words, window_words
from energy.store import Store
from energy.store.store import JournalEntry

AHEAD, BACK = timedelta(days=7), timedelta(days=3)
ENTRIES = 200
CONFIG = "config.yaml"


def journal_page(store: Store, rules: Rules, header: Header) -> JournalPage:
    """What is believed now, the standing refusals, and the newest entries of the journal."""
    now = header.now
    disputed = disputes(store)
    return JournalPage(
        header=header,
        assumptions=tuple(
            replace(a, disputed=disputed.get(a.id, "")) for a in (*tariff(rules), *roster(rules), *plant(rules),
                                                                  *feeds(store, rules), *work(store, rules, now))
        ),
        rules=tuple(store.rules.in_force(now)),
        entries=tuple(store.journal.read(ENTRIES)),
    )  # fmt: skip


def disputes(store: Store) -> dict[str, str]:
    """assumption → what somebody says is wrong about it, the newest word."""
    return dict(store.note("disputes") or {})


def dispute(store: Store, assumption: str, text: str, by: str, role: str, now: datetime) -> Done:
    """Keep that somebody says an assumption is wrong, for its owner; it stays in force until its owner changes it."""
    if not text.strip():
        return Done(ok=False, text="Say what is right, in a few words.")
    with store.unit():
        store.note("disputes", disputes(store) | {assumption: f"{text.strip()} ({role})"})
        store.journal.write(
            JournalEntry(at=now, who=by, role=role, what="assumption disputed", subject=assumption, detail=text.strip())
        )
    return Done(
        ok=True, text="Noted, and shown to its owner. It stays in force until it is changed where it comes from."
    )


def end_rule(store: Store, rule: str, by: str, role: str, now: datetime) -> Done:
    """End a standing refusal: from the next plan on it may be offered again."""
    known = next((r for r in store.rules.in_force(now) if r.id == rule), None)
    if known is None:
        return Done(ok=False, text="This rule is no longer in force.")
    with store.unit():
        store.rules.end(rule, now)
        store.journal.write(
            JournalEntry(
                at=now, who=by, role=role, what="standing refusal ended", subject=known.subject, detail=known.reason
            )
        )
    subject = known.subject.replace(":", " ")
    return Done(ok=True, text=f"Ended: {subject}. The next plan may move it again.")


def tariff(rules: Rules) -> Iterator[Assumption]:
    """The lines of the energy contract."""
    t, currency = rules.tariff, rules.site.currency
    source = t.source or f"contract, {CONFIG}"

    def line(id: str, what: str, value: str) -> Assumption:
        return Assumption(
            id=f"tariff.{id}", what=what, value=value, source=source, since=t.valid_from, owner="energy manager"
        )

    if t.fixed_per_kwh is not None:
        yield line("price", "Energy price", f"{number(t.fixed_per_kwh, 4)} {currency}/kWh, fixed")
    else:
        factor = "" if t.market_factor == 1.0 else f" × {t.market_factor:g}"
        yield line("price", "Energy price", f"day-ahead market price{factor}")
    for rate in t.rates:
        yield line(f"rate.{rate.name}", rate.name.capitalize(), f"{number(rate.per_kwh, 4)} {currency}/kWh")
    for charge in t.demand:
        target = f", nothing below {number(charge.target_kw)} kW" if charge.target_kw else ""
        value = f"{number(charge.per_kw, 2)} {currency}/kW a {charge.period}, {window_words(charge)}{target}"
        yield line(f"demand.{charge.name}", f"Demand charge, {charge.name}", value)
    export = "market price" if t.export_per_kwh is None else f"{number(t.export_per_kwh, 4)} {currency}/kWh"
    yield line("export", "Paid for export", export)
    if t.carbon_price_per_kg:
        yield line("carbon", "Own price of CO2e", f"{number(t.carbon_price_per_kg, 3)} {currency}/kg")


def roster(rules: Rules) -> Iterator[Assumption]:
    """Crews, and the plant's own times of offering."""
    for shift in rules.calendar.shifts:
        days = run_words(shift.weekdays, DAYS, first=0)
        people = ", ".join(f"{count} {skill}" for skill, count in shift.people) or "nobody named"
        yield Assumption(
            id=f"crew.{shift.crew}.{days}",
            what=f"Crew {shift.crew}",
            value=f"{days} {shift.start:%H:%M} to {shift.end:%H:%M}: {people}",
            source=f"roster, {CONFIG}",
            since=None,
            owner="planner",
        )
    r = rules.calendar.rules
    currency = rules.site.currency
    for id, what, value in (
        ("cut-off", "As-is of the next day is frozen", f"at {r.cut_off:%H:%M}"),
        ("offers", "Offers for the next day", f"open {r.opens:%H:%M}, the plan is fixed {r.closes:%H:%M}"),
        ("notice", "Nothing moves that starts within", span(r.notice_minutes)),
        ("least", "Least gain worth a question", money(r.least_gain, currency)),
        ("moves", "Moves in a crew shift", f"at most {r.moves_per_shift}"),
    ):
        yield Assumption(
            id=f"rules.{id}", what=what, value=value, source=f"rules of offering, {CONFIG}", since=None, owner="planner"
        )


def plant(rules: Rules) -> Iterator[Assumption]:
    """The grid connection, machines, battery and closures."""
    site = rules.site

    def fact(id: str, what: str, value: str) -> Assumption:
        return Assumption(
            id=f"plant.{id}", what=what, value=value, source=f"plant, {CONFIG}", since=None, owner="energy manager"
        )

    yield fact("import", "Limit of import", f"{number(site.import_limit_kw)} kW")
    for machine in site.machines:
        yield fact(
            f"machine.{machine.id}",
            f"{machine.name}, power",
            f"{number(machine.rated_kw)} kW rated, {number(machine.idle_kw, 1)} kW idle",
        )
    if site.battery is not None:
        b = site.battery
        rule = str(b.rule).replace("_", " ")
        value = f"{number(b.capacity_kwh)} kWh, {number(b.charge_kw)} kW in, {number(b.discharge_kw)} kW out, {rule}"
        yield fact("battery", "Battery", value)
    for closed in rules.calendar.recurring:
        days = run_words(closed.weekdays, DAYS, first=0)
        value = f"{days} {closed.start:%H:%M} to {closed.end:%H:%M}: {closed.why}"
        yield fact(f"closed.{closed.machine}.{days}", f"{machine_name(site, closed.machine)} closed", value)


def feeds(store: Store, rules: Rules) -> Iterator[Assumption]:
    """Where prices and carbon come from."""
    for key, what in ((PRICE_DAY_AHEAD, "Market price"), (CARBON_INTENSITY, "Grid carbon")):
        info = store.series.info(key)
        if info is not None:
            basis = info.basis or "as published"
            yield Assumption(
                id=f"feed.{key}",
                what=what,
                value=basis + (", publication times assumed" if info.assumed else ""),
                source=", ".join(part for part in (info.source, info.licence) if part),
                since=local_date(info.first, rules.site.zone),
                owner="energy manager",
            )


def work(store: Store, rules: Rules, now: datetime) -> Iterator[Assumption]:
    """Powers, crews and lead times of the products that are in the plan, one line each."""
    jobs = [
        job
        for job in store.jobs.all(Interval(now - BACK, now + AHEAD))
        if job.state not in {JobState.GONE, JobState.CANCELLED}
    ]
    powers: dict[tuple[str, str], list[Mode]] = {}
    needs: dict[str, str] = {}
    leads: dict[tuple[str, int], str] = {}
    products = {job.id: job.product for job in jobs}
    for job in jobs:
        for mode in job.modes:
            powers.setdefault((job.product, mode.machine), []).append(mode)
        needs[job.product] = crew_words(job)
        for follow in job.follows:
            if follow.job in products:
                leads[f"{products[follow.job]} before {job.product}", follow.at_least_minutes] = job.id
    for (product, machine), modes in sorted(powers.items()):
        yield believed(
            f"power.{machine}.{product}",
            f"Power of {product} on {machine_name(rules.site, machine)}",
            power_words(modes),
        )
    for product, words in sorted(needs.items()):
        if words:
            yield believed(f"crew-need.{product}", f"People for {product}", words)
    for (pair, minutes), _ in sorted(leads.items()):
        yield believed(f"lead.{pair}", f"Least wait, {pair}", span(minutes) if minutes else "none")


def believed(id: str, what: str, value: str) -> Assumption:
    return Assumption(id=id, what=what, value=value, source="production plan", since=None, owner="planner")


def power_words(modes: list[Mode]) -> str:
    """ "262 kW over 3 h 30 min", or their range over several jobs."""
    kw = [mode.energy_kwh * 60 / mode.minutes for mode in modes if mode.minutes]
    minutes = [mode.minutes for mode in modes]
    power = (
        f"{number(min(kw))} kW" if round(min(kw)) == round(max(kw)) else f"{number(min(kw))} to {number(max(kw))} kW"
    )
    time = span(min(minutes)) if min(minutes) == max(minutes) else f"{span(min(minutes))} to {span(max(minutes))}"
    return f"{power} over {time}"


def crew_words(job: Job) -> str:
    when = {"run": "the whole run", "start": "to load", "ends": "to load and unload"}
    return ", ".join(f"{need.people} {need.skill}, {when[need.attended]}" for need in job.needs)

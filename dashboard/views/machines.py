"""Machines: what each did in a week, what of that was for nothing and what would help, what it draws, and what drifts."""

import pandas as pd
import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.states import (
    energy_split,
    power_profile,
    state_bands,
    tone,
    work_by_product,
    work_over_time,
)
from dashboard.parts import Figure
from energy.clock import local
from energy.model.insight import Detail, Drift, DriftOf, PowerState
from energy.reports.machines import WHAT
from energy.reports.pages import MachineLine, MachinePage, MachinesPage, ProfileLine

SHOWN = 6  # learned profiles that are drawn
DETAIL = {
    Detail.READINGS: "from readings",
    Detail.INTERVALS: "from interval means",
    Detail.MIXED: "partly from interval means",
    Detail.NOTHING: "nothing known",
}


def week_name(week: str) -> str:
    """As "week 20 of 2026"."""
    year, number = week.split("-W")
    return f"week {int(number)} of {year}"


def wasted(page: MachinesPage) -> tuple[float, float | None]:
    """Waste of all machines in the week: kWh, and money where all of it has a price."""
    moneys = [line.waste_money for line in page.lines]
    money = None if any(m is None for m in moneys) else sum(m or 0.0 for m in moneys)
    return sum(line.waste_kwh for line in page.lines), money


def sentence(page: MachinesPage) -> str:
    if not page.weeks:
        return "Nothing is known of the machines yet."
    kwh, money = wasted(page)
    cost = "" if money is None else f", {f.quantity(money, page.header.currency)},"
    first = (
        f"**{f.quantity(kwh, 'kWh')}**{cost} went into machines that were on and did nothing in {week_name(page.week)}."
    )
    work = [d for d in page.drifts if d.of is DriftOf.WORK] or list(page.drifts)
    if not page.drifts:
        return f"{first} None needs more energy than it used to."
    worst = work[0]
    more = len({d.machine for d in page.drifts}) - 1
    others = f"; {f.count(more, 'other')} too" if more else ""
    return (
        f"{first} **{page.names[worst.machine]}** needs **{f.percent(worst.size)} {WHAT[worst.of]}** than it used to"
        f"{others}."
    )


def figures(page: MachinesPage) -> list[Figure]:
    kwh, money = wasted(page)
    total = sum(line.kwh for line in page.lines)
    idle = sum(e.kwh for line in page.lines for e in line.energy if e.state in (PowerState.IDLE, PowerState.HOLDING))
    best = max(((line, a) for line in page.lines for a in line.advice), key=lambda la: la[1].kwh, default=None)
    hours = sum(e.hours for line in page.lines for e in line.energy)
    unknown = sum(e.hours for line in page.lines for e in line.energy if e.state is PowerState.UNKNOWN)
    found = [
        Figure(
            label="Waste",
            value=f.number(kwh),
            unit="kWh",
            kind="measured",
            lines=(f"**{f.quantity(money, page.header.currency)}** at the week's prices", week_name(page.week)),
        ),
        Figure(
            label="Idle and holding",
            value=f.number(100 * idle / total if total else None),
            unit="% of energy",
            kind="measured",
            lines=(f"{f.quantity(idle, 'kWh')} of {f.quantity(total, 'kWh')}",),
        ),
    ]
    if best is not None:
        line, it = best
        found.append(
            Figure(
                label="Most to gain",
                value=f.number(it.kwh),
                unit="kWh a week",
                lines=(f"**{line.name}**:", it.text),
            )
        )
    found.append(
        Figure(
            label="Drift",
            value=f.number(len({d.machine for d in page.drifts})),
            unit=f"of {len(page.lines)}",
            lines=("machines need more energy", "than they used to"),
        )
    )
    found.append(
        Figure(
            label="Not known",
            value=f.number(unknown if hours else None, 1),
            unit="h",
            lines=(f"of {f.number(hours)} machine hours;", "never counted as off"),
        )
    )
    return found


def drift_line(page: MachinesPage, drift: Drift) -> str:
    """A drift as one reads it: how much, since when, how sure, what it takes."""
    zone = page.header.zone
    since, first, last = (f.day(local(t, zone)) for t in (drift.since, drift.since_first, drift.since_last))
    when = f"since {since}" if first == last else f"since {since} (between {first} and {last})"
    grows = ", and it may go on growing" if drift.ramp else ""
    cost = ""
    if drift.extra_kwh_per_week is not None:
        money = drift.extra_money_per_week
        worth = "" if money is None else f", {f.quantity(money, page.header.currency)}"
        cost = f" It takes {f.quantity(drift.extra_kwh_per_week, 'kWh')}{worth} a week more."
    return (
        f"**{page.names[drift.machine]} needs {f.percent(drift.size, 1)} {WHAT[drift.of]}** "
        f"({f.number(100 * drift.size_low, 1)} to {f.percent(drift.size_high, 1)}) {when}{grows}.{cost} "
        f"Compared: {drift.unit}, {f.number(drift.after)} against {f.number(drift.before)} before; "
        f"confidence {f.percent(drift.confidence, 1)}."
    )


def waste_rows(page: MachinesPage) -> list[tuple[str, ...]]:
    """One row a machine, the most waste first, and the sum."""
    rows = []
    for line in sorted(page.lines, key=lambda it: -it.waste_kwh):
        hours = {e.state: e.hours for e in line.energy}
        help_ = "<br>".join(advice_words(line, page.header.currency)) or "–"
        rows.append(
            (
                line.name,
                *(f.number(hours.get(s, 0.0), 1) for s in list(PowerState)[:4]),
                f.number(hours.get(PowerState.UNKNOWN, 0.0), 1),
                f.number(line.waste_idle_kwh),
                f.number(line.waste_holding_kwh),
                f.number(line.waste_money, 2),
                f'<div style="min-width: 250px">{help_}</div>',
            )
        )
    kwh, money = wasted(page)
    holding = sum(line.waste_holding_kwh for line in page.lines)
    return [*rows, ("All", "", "", "", "", "", f.number(kwh - holding), f.number(holding), f.number(money, 2), "")]


def advice_words(line: MachineLine, currency: str) -> list[str]:
    return [
        f"{f.sentence_case(it.text)}: {f.quantity(it.kwh, 'kWh')}"
        + ("" if it.money is None else f", {f.quantity(it.money, currency)}")
        + " a week"
        for it in line.advice
    ]


def download(page: MachinesPage) -> str:
    """The week as CSV, in plain numbers."""
    rows = []
    for line in page.lines:
        by_state = {e.state: e for e in line.energy}
        rows.append(
            {"week": page.week, "machine": line.id, "name": line.name, "detail": line.detail.value}
            | {f"{s.value}_h": by_state[s].hours if s in by_state else 0.0 for s in PowerState}
            | {f"{s.value}_kwh": by_state[s].kwh if s in by_state else 0.0 for s in PowerState}
            | {
                "waste_idle_kwh": line.waste_idle_kwh,
                "waste_holding_kwh": line.waste_holding_kwh,
                f"waste_{page.header.currency}": line.waste_money,
            }
        )
    return pd.DataFrame(rows).to_csv(index=False)


def state_legend(inks: colours.Inks) -> None:
    parts.legend(
        (
            "",
            [
                (parts.square(tone(PowerState.RUNNING, inks)), "running"),
                (parts.square(tone(PowerState.HOLDING, inks)), "holding (keeps ready)"),
                (parts.square(tone(PowerState.IDLE, inks)), "idle (on, waits)"),
                (parts.stroke(tone(PowerState.OFF, inks), 3), "off"),
                (parts.outline(tone(PowerState.UNKNOWN, inks), "2 3"), "not known"),
            ],
        )
    )


@parts.guarded
def week(page: MachinesPage) -> None:
    inks = session.theme()
    for drift in page.drifts:
        parts.notice(drift_line(page, drift), level="warn")
    details = {line.detail for line in page.lines}
    said = DETAIL[next(iter(details))] if len(details) == 1 else "partly from interval means"
    parts.section("What each did", f"· {week_name(page.week)}, {said}")
    state_legend(inks)
    parts.chart(
        state_bands(page, inks),
        key="machine-states",
        alt=f"States of {len(page.lines)} machines in {week_name(page.week)}: running, holding, idle, off, not known.",
    )
    parts.section("Waste, and what would help", f"· {page.header.currency} at the price of each quarter hour")
    parts.table(
        (
            "Machine", "Off, h", "Idle, h", "Holding, h", "Running, h", "Not known, h", "Waste idle, kWh",
            "Waste holding, kWh", page.header.currency, "What would help",
        ),
        waste_rows(page),
        right=range(1, 9),
        sums=True,
    )  # fmt: skip
    st.caption(
        "Waste is what a machine drew while idle or holding for longer than switching it off and on again takes, less "
        "what it draws when off. Waiting within a job, and the restart before the next one, is not waste."
        + (f" Without a meter of their own: {f.listed(list(page.unmetered))}." if page.unmetered else "")
    )
    parts.section("Energy by state, kWh")
    parts.chart(
        energy_split(page.lines, inks),
        key="machine-energy",
        alt="Energy of each machine in the week while running, holding, idle and off.",
    )


@parts.guarded
def one(page: MachinesPage) -> None:
    names = {line.name: line.id for line in page.lines}
    drifting = {d.machine for d in page.drifts}
    first = next((line.name for line in page.lines if line.id in drifting), next(iter(names)))
    name = st.segmented_control("One machine", list(names), default=first, required=True, key="one-machine")
    detail: MachinePage = session.read("machine_page", names[name or first])
    inks, zone = session.theme(), page.header.zone
    levels = detail.line.levels
    if levels is None:
        st.caption("Its states are not known yet: a day of readings is needed.")
    else:
        said = [
            f"{word} {f.quantity(kw, 'kW', 1)}"
            for word, kw in (
                ("off", levels.off_kw),
                ("idle", levels.idle_kw),
                ("holding", levels.holding_kw),
                ("running", levels.running_kw),
            )
            if kw is not None
        ]
        st.caption(f"Learned from {f.number(levels.hours)} hours: {', '.join(said)}.")
    left, right = st.columns(2, gap="medium")
    drift = next((d for d in detail.line.drifts if d.of is DriftOf.WORK and d.size > 0), None)
    with left:
        drawn = work_over_time(detail.work, drift, zone, inks)
        if drawn is None:
            parts.section("Energy of its work")
            st.caption("Not enough work has been seen yet.")
        else:
            chart, title = drawn
            parts.section(title)
            parts.chart(chart, key="machine-work", alt=f"{title}, one dot a run, over the last weeks.")
    with right:
        spread = work_by_product(detail.work, inks)
        parts.section("Energy per run, kWh, by product", "· a dot a run, a line at the middle")
        if spread is None:
            st.caption("No work has been seen yet.")
        else:
            parts.chart(spread, key="machine-products", alt="Energy of each run by product, with the middle of each.")
    profiles(detail, inks)


def profiles(detail: MachinePage, inks: colours.Inks) -> None:
    if detail.used == "off":
        return
    use = "plans are made with it" if detail.used == "used" else "shown only; plans take the typed-in power"
    parts.section("Learned power over a run, kW above idle", f"· {use}")
    if not detail.profiles:
        st.caption("Five metered runs of a product are needed.")
        return
    parts.legend(
        (
            "",
            [
                (parts.stroke(inks.primary, 2.6), "learned, middle of the runs (P50)"),
                (parts.square(colours.MEASURED), "P10 to P90"),
                (parts.stroke(inks.text, 1.6, "5 3"), "typed in"),
            ],
        )
    )
    shown = sorted(detail.profiles, key=lambda it: -abs(it.difference or 0.0))[:SHOWN]
    columns = st.columns(2, gap="medium")
    for place, it in enumerate(shown):
        with columns[place % 2]:
            st.caption(profile_words(it))
            parts.chart(
                power_profile(it, inks),
                key=f"profile-{place}",
                alt=f"Power of {it.profile.product} over its run, learned from {it.profile.runs} runs, and typed in.",
            )


def profile_words(it: ProfileLine) -> str:
    """As "**Shafts**, 14 runs ±1.3 %: 0.9 % below the typed-in"."""
    name = f"{it.profile.product} {it.profile.mode}".strip()
    left_out = f", {f.count(it.profile.left_out, 'odd one')} left out" if it.profile.left_out else ""
    if it.difference is None:
        against = "nothing typed in"
    else:
        way = "above" if it.difference > 0 else "below"
        against = f"{f.percent(abs(it.difference), 1)} {way} the typed-in"
    return f"**{name}**, {it.profile.runs} runs ±{f.percent(it.profile.spread, 1)}{left_out}: {against}"


@parts.guarded
def show() -> None:
    chosen = st.session_state.get("machines-week")
    page: MachinesPage = session.read("machines_page", chosen)
    parts.head("Machines", page.header, sentence(page))
    if not page.lines:
        parts.notice(
            "**No machine has a meter of its own.** Give a meter `measures: machine` and its `machine` in config.yaml; "
            "after a day of readings its states appear here."
        )
        return
    if not page.weeks:
        parts.notice(
            "**Nothing has been learned yet.** Each night Loadstone learns from the day before; after the first whole "
            "day the states of each machine appear here. Until then nothing is guessed."
        )
        return
    parts.figures(figures(page))
    left, right = st.columns([0.6, 0.4], vertical_alignment="bottom")
    left.selectbox(
        "Week",
        list(page.weeks),
        index=page.weeks.index(page.week) if page.week in page.weeks else 0,
        format_func=lambda w: f.sentence_case(week_name(w)),
        key="machines-week",
        width=220,
    )
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Download",
            download(page),
            f"machines-{page.week}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="machines-csv",
        )
    week(page)
    one(page)


show()

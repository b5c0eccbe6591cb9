"""Savings and carbon: five words for five kinds of saving, never merged; by day, by job, and what nobody measured."""

import pandas as pd
import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.small import bars, cumulative
from dashboard.parts import Figure
from dashboard.promises import promise_table
from energy.clock import local_date
from energy.model.savings import DaySavings, Kind
from energy.reports.pages import SavingsPage
from energy.reports.promises import held_against

FILES = (
    ("csv", "CSV", "text/csv"),
    ("xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pdf", "PDF", "application/pdf"),
)

SHOWN_PROMISES = 12


def so_far(page: SavingsPage) -> str:
    """As "May so far", or the month's name once it is over."""
    name = f.month_name(page.month.month, year=False)
    return f"{name} so far" if f"{local_date(page.header.now, page.header.zone):%Y-%m}" == page.month.month else name


def lost(day: DaySavings) -> bool:
    """Whether a day lost money, beyond rounding."""
    return day.money(Kind.VERIFIED) < -0.5


def sentence(page: SavingsPage) -> str:
    money = page.header.currency
    if not page.days:
        return f"Nothing verified in {f.month_name(page.month.month, year=False)} yet."
    band = "" if page.interval is None else f" ({f.number(page.interval[0])} to {f.quantity(page.interval[1], money)})"
    first = f"**{f.quantity(page.month.verified, money)} verified** in {so_far(page)}{band}."
    losses = [day.money(Kind.VERIFIED) for day in page.days if lost(day)]
    if not losses:
        return f"{first} No day lost."
    are = "it is counted" if len(losses) == 1 else "they are counted"
    return f"{first} {f.count(len(losses), 'day', capital=True)} lost {f.quantity(-sum(losses), money)}; {are}."


def figures(page: SavingsPage) -> list[Figure]:
    month, money = page.month, page.header.currency
    band = (
        ()
        if page.interval is None
        else (f"{f.number(page.interval[0])} to {f.quantity(page.interval[1], money)} (P10 to P90)",)
    )
    peak = sum(p.money for p in month.peak)
    state = month.peak[0].state.value if month.peak else "none yet"
    lines = [f"{f.number(p.as_is_kw - p.real_kw)} kW × {f.number(p.per_kw, 2)} {money}/kW;" for p in month.peak[:1]]
    period = month.peak[0].period if month.peak else ""
    return [
        Figure(
            label="Verified", value=f.number(month.verified), unit=money, lines=(*band, "bill against counterfactual")
        ),
        Figure(
            label="Modelled",
            value=f.number(month.modelled),
            unit=money,
            lines=("ran as accepted,", "no meter of its own"),
        ),
        Figure(label="Estimated", value=f.number(month.estimated), unit=money, lines=("accepted,", "has not run yet")),
        Figure(
            label="Assumed start",
            value=f.number(month.assumed_start),
            unit=money,
            lines=("no planned start given;", "outside the headline"),
        ),
        Figure(
            label=f"Peak, {state}",
            value=f.number(peak) if month.peak else f.UNKNOWN,
            unit=money,
            lines=(*lines, f"credited when {period} closes" if period else ""),
        ),
    ]


@parts.guarded
def chart(page: SavingsPage) -> None:
    inks = session.theme()
    parts.section(f"Cumulative savings, {page.header.currency}")
    parts.legend(
        (
            "",
            [
                (parts.stroke(colours.PLAN, 3), "verified"),
                *([(parts.square("#56B4E980"), "P10 to P90 of the sum")] if page.interval else []),
                *([(parts.stroke(colours.PLAN, 1.5, "4 3"), "with modelled")] if page.month.modelled else []),
                (parts.square(inks.day), "saved on the day"),
                *([(parts.square(inks.worse), "lost")] if any(map(lost, page.days)) else []),
            ],
        )
    )
    total = f.quantity(page.month.verified, page.header.currency)
    parts.chart(
        cumulative(page.month, page.days, page.interval, inks),
        alt=f"Verified savings add up to {total} in {so_far(page)}; bars show each day.",
        key="savings-chart",
    )


@parts.guarded
def promised(page: SavingsPage) -> None:
    """What was promised for the same jobs, and what came of it; and the carbon accounts, side by side."""
    inks, money = session.theme(), page.header.currency
    ran = [job for day in page.days for job in day.jobs if job.counted and job.kind is Kind.VERIFIED]
    parts.section(f"Promised and verified, {money}", "· the same jobs")
    said, came = sum(job.promised_money for job in ran), sum(job.money or 0.0 for job in ran)
    parts.chart(
        bars(
            [("Estimated before", said, f.number(said)), ("Verified after", came, f.number(came))],
            inks,
            colour=inks.day,
        ),
        alt=f"Promised {f.number(said)}, verified {f.number(came)} {money}.",
    )
    parts.section("Carbon, three accounts, never added")
    if page.carbon_accounts:
        parts.table(
            ("", ""),
            [
                (f"{name}{' (' + kind + ')' if kind else ''}", f"**{carbon(kg)}**")
                for name, kg, kind in page.carbon_accounts
            ],
            right=(1,),
            head=False,
        )
    else:
        st.caption("No account yet: it needs metered energy and a carbon series.")


def carbon(kg: float | None) -> str:
    return f.quantity(kg, "kg") if kg is None or abs(kg) < 10_000 else f.quantity(kg / 1000, "t", 1)


def remark(day: DaySavings) -> str:
    notes = [
        *day.notes,
        *(f"job {job.job} not counted: {job.cause}" for job in day.jobs if not job.counted and job.cause),
    ]
    if day.known_share < 0.999:
        notes.append(f"{f.percent(1 - day.known_share)} of the day without a settlement value")
    return "; ".join(notes)


def told(day: DaySavings) -> bool:
    """Whether a day has something to tell: a moved job, or a remark."""
    return bool(day.jobs or remark(day))


def day_row(day: DaySavings) -> tuple[str, ...]:
    verified, modelled = day.money(Kind.VERIFIED), day.money(Kind.MODELLED)
    value = f'<b class="worse">{f.number(verified)}</b>' if lost(day) else f"**{f.number(verified)}**"
    return (
        f.day(day.day),
        f"{sum(job.counted for job in day.jobs)} of {len(day.jobs)}",
        f.number(day.counterfactual_money),
        f.number(day.metered_money),
        value,
        f.number(day.estimated_money),
        f.number(modelled) if modelled else f.UNKNOWN,
        remark(day),
    )


def quiet_row(days: list[DaySavings]) -> tuple[str, ...]:
    """The days on which nothing was moved, in one row, so that the columns add up."""
    as_is, real = ([getattr(day, name) for day in days] for name in ("counterfactual_money", "metered_money"))
    sums = [None if None in column else sum(column) for column in (as_is, real)]
    label = f"{f.count(len(days), 'day', capital=True)} without a moved job"
    return (label, f.UNKNOWN, f.number(sums[0]), f.number(sums[1]), f.UNKNOWN, f.UNKNOWN, f.UNKNOWN, "")


def day_table(page: SavingsPage) -> None:
    money = page.header.currency
    days = sorted(page.days, key=lambda d: d.day, reverse=True)
    quiet = [day for day in days if not told(day)]
    jobs = [job for day in days for job in day.jobs]
    total = (
        so_far(page),
        f"{sum(job.counted for job in jobs)} of {len(jobs)}",
        f.number(page.as_is_money),
        f.number(page.real_money),
        f.number(page.month.verified),
        f.number(sum(day.estimated_money for day in days)),
        f.number(page.month.modelled),
        "",
    )
    names = ("As-is", "Real", "Verified", "Promised", "Modelled")
    columns = ("Day", "Counted", *(f"{name}, {money}" for name in names), "Remark")
    rows = [*(day_row(day) for day in days if told(day)), *([quiet_row(quiet)] if quiet else []), total]
    parts.table(columns, rows, right=range(1, 7), sums=True)


def job_table(page: SavingsPage) -> None:
    jobs = [job for day in page.days for job in day.jobs]
    with st.expander(f"Job by job ({len(jobs)})", type="compact", key="jobs"):
        if not jobs:
            st.caption("No accepted job has run yet.")
            return
        table = pd.DataFrame(
            {
                "Day": [job.day for job in jobs],
                "Job": [job.job for job in jobs],
                "Known as": [job.kind.value for job in jobs],
                f"Promised, {page.header.currency}": [round(job.promised_money, 2) for job in jobs],
                f"Came of it, {page.header.currency}": [
                    None if job.money is None else round(job.money, 2) for job in jobs
                ],
                "CO2e, kg": [None if job.carbon_kg is None else round(job.carbon_kg, 1) for job in jobs],
                "Counted": ["yes" if job.counted else "no" for job in jobs],
                "Cause": [job.cause for job in jobs],
            }
        )
        st.dataframe(table, hide_index=True, row_height=38, alt="Savings job by job")
    odd = [job for job in jobs if not job.counted or job.kind is Kind.NOT_MEASURABLE]
    with st.expander(f"Not measurable or not counted, and why ({len(odd)})", type="compact", key="odd"):
        if not odd:
            st.caption("Every accepted job that ran could be verified.")
            return
        parts.table(
            ("Day", "Job", "Promised", "Why"),
            [(f.day(j.day), j.job, f.quantity(j.promised_money, page.header.currency), j.cause) for j in odd],
            right=(2,),
        )


def forecast_prices(page: SavingsPage) -> None:
    """What offers of the month promised on forecast prices, against the same moves at the published ones."""
    if not page.promised:
        return
    label = f"Promised on forecast prices, and what came ({len(page.promised)})"
    with st.expander(label, type="compact", key="on-forecast"):
        st.html(f'<div class="line">{f.text(held_against(page.promised, page.header.currency))}</div>')
        promise_table(page.promised[-SHOWN_PROMISES:], page.header.currency)
        if len(page.promised) > SHOWN_PROMISES:
            st.caption(f"The last {SHOWN_PROMISES}; all of them are in the XLSX file.")


@st.cache_data(ttl=60, show_spinner=False, max_entries=12)
def _file(month: str, kind: str) -> tuple[str, bytes]:
    return session.service().savings_file(month, kind)


def downloads(month: str) -> None:
    """The month as a file; made when it is asked for."""
    for kind, label, mime in FILES:
        name = f"savings-{month}.{kind}"
        st.download_button(
            label,
            lambda kind=kind: _file(month, kind)[1],
            name,
            mime,
            icon=":material/download:",
            key=f"file-{kind}",
            on_click="ignore",
            help=f"Savings of {f.month_name(month)} as {label}",
        )


@parts.guarded
def show() -> None:
    month = st.session_state.get("savings-month")
    page: SavingsPage = session.savings(month)
    parts.head("Savings and carbon", page.header, sentence(page), when=f.month_name(page.month.month))
    parts.figures(figures(page))
    if not page.days:
        parts.notice(
            "**No day has been accounted yet.** A day is settled some hours after it ended, from the settlement "
            "meter, the jobs that "
            "ran and real prices. What is accepted and has not run is shown above as estimated."
        )
    else:
        left, right = st.columns([0.64, 0.36], gap="large")
        with left:
            chart(page)
        with right:
            promised(page)
    title, choice, files = st.columns([0.4, 0.22, 0.38], vertical_alignment="center")
    with title:
        parts.section("Day by day")
    if len(page.months) > 1:
        known = sorted(page.months, reverse=True)
        choice.selectbox(
            "Month",
            known,
            index=known.index(page.month.month) if page.month.month in known else 0,
            format_func=f.month_name,
            key="savings-month",
            label_visibility="collapsed",
        )
    if page.days:
        with files.container(horizontal=True, horizontal_alignment="right"):
            downloads(page.month.month)
        day_table(page)
    job_table(page)
    forecast_prices(page)


show()

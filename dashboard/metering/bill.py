"""Our own settlement meter beside what the network operator bills, day by day, and which of them do not agree."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import format as f
from dashboard import parts
from energy.reports.billing import DIFFERS_KWH, DIFFERS_SHARE, BilledDay
from energy.reports.meters import BILLED
from energy.reports.pages import Header, MetersPage

HOW = "`loadstone import readings d1.csv --meter {meter} --billing --column kWh`"


def show(page: MetersPage) -> None:
    header, days = page.header, page.billed
    meter = settlement_id(page)
    parts.section("Billed by the network operator", "· against our own settlement meter")
    if not days:
        parts.notice(
            "**The network operator's word is not here yet.** Its D+1 file of the settlement meter comes in with "
            f"{HOW.format(meter=meter)}. From then on each day is compared with our own meter, and the accounts go by the "
            "bill."
        )
        return
    parts.notice(sentence(days, header), level="warn" if any(day.differs for day in days) else "")
    legend = f"more than {f.percent(DIFFERS_SHARE)} and {f.quantity(DIFFERS_KWH, 'kWh')}"
    most = max((abs(day.difference_kwh) for day in days), default=0.0)
    rows = [day_row(day, most, header) for day in days]
    columns = ("Day", "Own, kWh", "Billed, kWh", "Difference, kWh", "%", "", "Worst interval", "Remark")
    with st.container(key="bill-days"):
        parts.table(columns, [*rows, sum_row(days)], right=(1, 2, 3, 4), sums=True)
    st.caption(
        f"The last {BILLED.days} days of which the operator said something. Both sides over the intervals that both know. "
        f"Two good meters seldom differ by {legend}. Next file: {HOW.format(meter=meter)}"
    )


def settlement_id(page: MetersPage) -> str:
    return next((row.meter.id for row in page.rows if row.meter.role.value == "settlement"), "ID")


def sentence(days: Sequence[BilledDay], header: Header) -> str:
    """What the days say together."""
    wrong = [day for day in days if day.differs]
    count = f.count(len(days), "billed day", capital=True)
    if not wrong:
        agree = "agrees" if len(days) == 1 else "all agree"
        return f"**{count}, {agree}** with our own meter within what two good meters differ by."
    worst = max(wrong, key=lambda day: abs(day.difference_kwh))
    more = "more than" if worst.difference_kwh > 0 else "less than"
    when = "" if worst.worst is None else f", worst at {f.clock_time(worst.worst, header.zone)}"
    return (
        f"**{f.sentence_case(f.small(len(wrong)))} of {f.small(len(days))} billed days "
        f"{'differs' if len(wrong) == 1 else 'differ'}.** {f.day(worst.day)}: "
        f"**{f.quantity(abs(worst.difference_kwh), 'kWh')}** billed {more} our own meter counted{when}. "
        "Ask the operator for the raw values of that day, and compare our meter with its display. Accounts go by the bill."
    )


def day_row(day: BilledDay, most: float, header: Header) -> tuple[str, ...]:
    difference = f.number(day.difference_kwh, 1, sign=True)
    share = f.number(100 * day.difference_kwh / day.own_kwh if day.own_kwh else None, 2, sign=True)
    mark = f'<b class="doubtful">! {difference}</b>' if day.differs else difference
    worst = (
        f.UNKNOWN
        if day.worst is None or abs(day.worst_kwh) < 0.05
        else f"{f.clock_time(day.worst, header.zone)}, {f.quantity(day.worst_kwh, 'kWh', 1, sign=True)}"
    )
    own = f.number(day.own_kwh) if day.compared else f.UNKNOWN
    billed = f.number(day.billed_kwh) if day.compared else f.UNKNOWN
    return (f.day(day.day), own, billed, mark, share, bar(day, most), worst, remark(day))


def bar(day: BilledDay, most: float) -> str:
    """The difference as a bar from the middle: right what is billed beyond our own count."""
    size = 50.0 * abs(day.difference_kwh) / most if most else 0.0
    left = 50.0 if day.difference_kwh >= 0 else 50.0 - size
    tone = "over" if day.differs else ""
    label = escape("billed more" if day.difference_kwh >= 0 else "billed less")
    return (
        f'<span class="twosided" role="img" aria-label="{label}"><i class="{tone}" '
        f'style="left:{left:.1f}%;width:{size:.1f}%"></i></span>'
    )


def remark(day: BilledDay) -> str:
    notes = []
    if day.export_differs:
        more = f.quantity(day.export_difference_kwh, "kWh", 1, sign=True)
        notes.append(f"what was fed in differs by {more}")
    if day.only_billed:
        notes.append(f"{f.count(day.only_billed, 'interval')} missed by our meter, filled by the bill")
    if day.not_billed:
        notes.append(f"{f.count(day.not_billed, 'interval')} not in the operator's file")
    return "; ".join(notes)


def sum_row(days: Sequence[BilledDay]) -> tuple[str, ...]:
    own, billed = sum(day.own_kwh for day in days), sum(day.billed_kwh for day in days)
    share = 100 * (billed - own) / own if own else None
    sums = (f.number(own), f.number(billed), f.number(billed - own, 1, sign=True), f.number(share, 2, sign=True))
    return (f.count(len(days), "day", capital=True), *sums, "", "", "")

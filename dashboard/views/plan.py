"""Plan: a few offers that stay still while one reads, on one time axis with price, carbon, jobs and load."""

import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.pictures import plan_picture
from dashboard.charts.power import drawn, merged
from dashboard.offers import accepted_list, card
from dashboard.promises import promise_table
from energy.model.savings import Kind
from energy.reports.pages import Measure, PlanPage


def sentence(page: PlanPage) -> str:
    head = page.header
    tail = _due(page)
    if not page.bars and not page.offers:
        return "No plan yet."
    if not page.offers:
        why = f": {page.nothing}" if page.nothing else ""
        return (
            f"**Nothing waits for an answer**{why}. {tail}"
            if not page.nothing
            else f"**Nothing worth moving**{why}. {tail}"
        )
    money = sum(card.offer.gain.money for card in page.offers)
    soonest = min(card.offer.expires_at for card in page.offers)
    first = min(shift.new.start for card in page.offers for shift in card.offer.shifts)
    together = "together " if len(page.offers) > 1 else ""
    return (
        f"{f.count(len(page.offers), 'offer', capital=True)} for {f.day_word(first, head.zone, head.now)}, {together}"
        f"**{f.quantity(money, head.currency)}**{band(page, money)}; answer by "
        f"**{f.moment(soonest, head.zone, head.now)}**. {tail}"
    )


def band(page: PlanPage, money: float) -> str:
    """As " (31 to 74 on forecast prices)": of all offers together, laid around what they promise; empty where nothing
    rests on a forecast price."""
    gain = page.together if len(page.offers) > 1 else page.offers[0].offer.gain
    rests = any(card.offer.gain.forecast_share > 0 for card in page.offers)
    if not rests or gain is None or gain.low is None or gain.high is None:
        return ""
    low, high = (money + edge - gain.money for edge in (gain.low, gain.high))
    return f" ({f.number(low)} to {f.number(high)} on forecast prices)"


def _due(page: PlanPage) -> str:
    if page.late_jobs:
        return f"**{f.count(len(page.late_jobs), 'job', capital=True)} late**: {f.listed(page.late_jobs)}."
    if page.tightest_slack_minutes is None:
        return "All due times kept." if page.all_due_kept and page.bars else ""
    return f"All due times kept, tightest slack {f.duration(page.tightest_slack_minutes)}."


def legend(page: PlanPage, inks: colours.Inks) -> None:
    jobs = [
        (parts.outline(inks.as_is, "3 2"), "as-is"),
        (parts.square(colours.PLAN), "offer"),
        (parts.square(inks.accepted), "✓ accepted"),
        (parts.hatched(inks.planned, inks.hatch), "running"),
        (parts.square(inks.planned), "as planned"),
        (parts.square(inks.no_crew), "no crew, maintenance"),
    ]
    power = page.picture
    if power is None:
        parts.legend(("Jobs", jobs))
        return
    loads = [
        *([(parts.square(colours.PLAN), "offered jobs")] if drawn(power.offered) else []),
        *((parts.square(inks.group(place)), name) for place, (name, _) in enumerate(merged(power.groups))),
        (parts.square(inks.base_load), "base load"),
        *([(parts.square(colours.PV), "PV")] if drawn(power.pv) else []),
        *([(parts.square(colours.BATTERY), "battery")] if drawn(power.battery) else []),
        (parts.stroke(inks.text), "import with offers" if page.offers else "import"),
        (parts.stroke(inks.as_is, 1.5, "4 3"), "import as-is"),
        *([(parts.square(colours.EVENT), "event")] if power.events else []),
    ]
    parts.legend(("Jobs", jobs), ("Power", loads))


def degraded(page: PlanPage) -> None:
    """What was missing when the plan was made, and which rule had to give: said aloud."""
    if page.degraded:
        parts.notice(
            f"**The plan stands on less than usual:** {'; '.join(page.degraded)}. It is checked, and as-is "
            f"stays possible.",
            level="warn",
        )
    for rule in page.gave_way:
        parts.notice(
            f"**{f.sentence_case(rule.rule)} had to give** by {rule.by}, priced with "
            f"{f.quantity(rule.price, page.header.currency)}.",
            level="warn",
        )


def not_offered(page: PlanPage) -> None:
    label = f"What was not offered, and why ({len(page.not_offered)})"
    with st.expander(label, type="compact", key="not-offered"):
        if not page.not_offered:
            st.caption("Every move that would gain is offered.")
            return
        parts.table(
            ("Move", f"Gain, {page.header.currency}", "Why not"),
            [(item.what, f.number(item.gain), item.why) for item in page.not_offered],
            right=(1,),
        )


def change(measure: Measure) -> str:
    """Better or worse in a word and a colour."""
    if measure.before is None or measure.after is None or measure.before == measure.after or not measure.better:
        return "same" if measure.before == measure.after else f.UNKNOWN
    good = (measure.after < measure.before) == (measure.better == "lower")
    return f'<span class="{"better" if good else "worse"}">{"better" if good else "worse"}</span>'


def before_after(page: PlanPage) -> None:
    with st.expander("Before and after for production", type="compact", key="before-after"):
        if not page.before_after:
            st.caption("Nothing to compare until there is a plan.")
            return

        def said(value: float | None, unit: str) -> str:
            return f.quantity(value, unit, 0 if value is None or value == round(value) else 2)

        parts.table(
            ("", "As-is", "With offers", ""),
            [(m.name, said(m.before, m.unit), said(m.after, m.unit), change(m)) for m in page.before_after],
            right=(1, 2),
        )


def yesterday(page: PlanPage) -> None:
    money = page.header.currency
    label = "Yesterday: nothing was moved"
    if page.yesterday:
        label = (
            f"Yesterday: promised {f.quantity(page.yesterday_promised, money)}, verified "
            f"{f.quantity(page.yesterday_verified, money)}"
        )
    with st.expander(label, type="compact", key="yesterday"):
        if not page.yesterday:
            st.caption("No accepted move ran yesterday, so there is nothing to compare.")
        else:
            job_table(page, money)
        if page.promised:
            st.caption(
                "Offers of yesterday that rested on forecast prices, and the same moves at the prices that came:"
            )
            promise_table(page.promised, money)


def job_table(page: PlanPage, money: str) -> None:
    """Job by job: what was promised and what came of it."""
    parts.table(
        ("Job", "As-is", "Accepted", "Real", f"Promised, {money}", f"Came of it, {money}", "Known as", "Cause"),
        [
            (
                j.job,
                j.as_is_start or f.UNKNOWN,
                j.accepted_start or f.UNKNOWN,
                j.real_start or f.UNKNOWN,
                f.number(j.promised_money),
                f.number(j.money),
                j.kind.value if j.counted or j.kind is Kind.NOT_MEASURABLE else f"{j.kind.value}, not counted",
                j.cause,
            )
            for j in page.yesterday
        ],
        right=(4, 5),
    )


@parts.guarded
def picture(page: PlanPage) -> None:
    inks = session.theme()
    legend(page, inks)
    moved = "; ".join(card.offer.headline for card in page.offers) or "nothing moved"
    parts.chart(
        plan_picture(page, inks),
        key="plan-chart",
        alt=f"Jobs by machine with price and carbon above and power in kW below, one time axis. Offers: {moved}.",
    )


@parts.guarded
def show() -> None:
    page: PlanPage = session.read("plan_page")
    parts.head("Plan", page.header, sentence(page))
    parts.answered()
    degraded(page)
    if not page.bars and page.picture is None:
        parts.notice(
            "**There is nothing to draw yet.** A plan needs jobs (`loadstone import jobs FILE`), a forecast and "
            "prices. The next "
            "heartbeat makes it by itself; `loadstone step plan` makes it now."
        )
    else:
        picture(page)
    for start in range(0, len(page.offers), 2):
        for column, offer in zip(st.columns(2, gap="medium"), page.offers[start : start + 2], strict=False):
            with column:
                card(page, offer)
    accepted_list(page)
    not_offered(page)
    before_after(page)
    yesterday(page)
    if page.made_at is not None:
        made = f"Plan made {f.moment(page.made_at, page.header.zone, page.header.now)}"
        st.caption(f"{made}; how: {page.how}." if page.how else f"{made}.")


show()

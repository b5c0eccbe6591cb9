"""Year and peaks: maxima against targets, when they came and who made them; and a view for the wall."""

import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.heat import heat_map
from dashboard.charts.peaks import groups, monthly_maxima, paint, worst_intervals
from dashboard.parts import Figure
from energy.clock import local
from energy.reports.pages import YearPage

HIDE = (
    "<style>"
    '[data-testid="stSidebar"],[data-testid="stHeader"],[data-testid="stSidebarCollapsedControl"]{display:none}</style>'
)


def annual(page: YearPage) -> float | None:
    known = [real for _, real, _ in page.monthly_max if real is not None]
    return max(known, default=None)


def as_is(page: YearPage) -> float | None:
    known = [value for _, _, value in page.monthly_max if value is not None]
    return max(known, default=None)


def sentence(page: YearPage) -> str:
    top, other = annual(page), as_is(page)
    if top is None:
        return f"No quarter hour of {page.year} has been measured yet."
    when = f", {f.moment(page.worst[0].start, page.header.zone, page.header.now)}" if page.worst else ""
    target = page.running.target_kw
    against = ""
    if target is not None:
        gap = target - top
        against = f", {f.quantity(abs(gap), 'kW')} {'below' if gap >= 0 else 'above'} the agreed target"
    tail = "" if other is None or other == top else f" As-is it would be {f.quantity(other, 'kW')}."
    return f"The year's maximum is **{f.quantity(top, 'kW')}**{when}{against}.{tail}"


def figures(page: YearPage) -> list[Figure]:
    month = f"{local(page.header.now, page.header.zone):%Y-%m}"
    real, was = next(((r, a) for m, r, a in page.monthly_max if m == month), (None, None))
    target = "no target" if page.running.target_kw is None else f"target {f.quantity(page.running.target_kw, 'kW')}"
    found = [
        Figure(
            label="Annual maximum",
            value=f.number(annual(page)),
            unit="kW",
            kind="measured",
            lines=(target, f"contract limit {f.quantity(page.running.limit_kw, 'kW')}"),
        ),
        Figure(
            label=f"{f.month_name(month, year=False)} so far",
            value=f.number(real),
            unit="kW",
            kind="measured",
            lines=(f"as-is {f.quantity(was, 'kW')}",),
        ),
    ]
    for line in [charge for charge in page.charges if charge.windows != "all year"][:1]:
        found.append(
            Figure(
                label="In windows",
                value=f.number(line.saving.real_kw),
                unit="kW",
                kind="measured",
                lines=(f"target {f.quantity(line.saving.target_kw, 'kW')}", line.windows),
            )
        )
    found.append(
        Figure(
            label="Hours of use",
            value=f.number(page.hours_of_use),
            unit="h/a",
            kind="forecast",
            lines=("at this rate,", "energy over maximum"),
        )
    )
    found.append(
        Figure(
            label="Demand charge",
            value=f.number(page.bill_at_this_rate),
            unit=page.header.currency,
            kind="forecast",
            lines=("at this year's maximum;", "it can only rise"),
        )
    )
    return found


@parts.guarded
def heat(page: YearPage) -> None:
    parts.section("Highest quarter hour by week and hour of day, working days, kW")
    inks = session.theme()
    if not any(value is not None for row in page.heat for value in row):
        parts.notice("**Nothing measured yet.** The map fills week by week; unknown and future hours stay grey.")
        return
    spec, low, high = heat_map(page, inks)
    stops = "".join(
        f'<rect x="{12 * k}" y="1.5" width="12.5" height="11" fill="{c}"/>' for k, c in enumerate(inks.heat)
    )
    parts.legend(
        (
            "",
            [
                (parts.swatch(stops, 60), f"{f.number(low)} to {f.quantity(high, 'kW')}"),
                *(
                    [(parts.outline(colours.LIMIT), "high-load window of the grid operator")]
                    if page.windows_heat
                    else []
                ),
                (parts.outline(inks.text), "holds one of the ten worst quarter hours"),
                (parts.square(inks.night), "to come, or not known"),
            ],
        )
    )
    parts.chart(
        spec,
        alt=f"Heat map of {page.year}: highest quarter hour from {f.number(low)} to {f.number(high)} kW.",
        key="heat",
    )


@parts.guarded
def maxima(page: YearPage) -> None:
    parts.section("Monthly maximum, kW")
    if not page.monthly_max:
        st.caption("No month measured yet.")
        return
    inks = session.theme()
    parts.legend(
        (
            "",
            [
                (parts.swatch(f'<circle cx="7" cy="7" r="5.5" fill="{colours.MEASURED}"/>'), "measured"),
                (parts.outline(inks.as_is), "as-is"),
                (parts.stroke(colours.LIMIT), "limit"),
                (parts.stroke(colours.LIMIT, 1.5, "4 3"), "target"),
            ],
        )
    )
    spec, low = monthly_maxima(page.monthly_max, page.running.limit_kw, page.running.target_kw, inks)
    parts.chart(
        spec, alt="Highest quarter hour of each month, measured and as-is, against limit and target.", key="maxima"
    )
    st.caption(f"Scale starts at {f.quantity(low, 'kW')}. A dash: no value yet.")


@parts.guarded
def worst(page: YearPage) -> None:
    parts.section("Ten worst quarter hours, and what made them, kW")
    if not page.worst:
        st.caption("None yet.")
        return
    inks = session.theme()
    _, order = groups(page.worst, page.machines)
    ink = paint(order, inks)
    parts.legend(("", [(parts.square(ink[name]), name) for name in order]))
    top = page.worst[0]
    parts.chart(
        worst_intervals(page.worst, page.machines, page.header.zone, inks),
        key="worst",
        alt=f"Ten worst quarter hours; the highest {f.quantity(top.kw, 'kW')}, made by "
        f"{f.listed([name for name, _ in top.culprits])}.",
    )


def charges(page: YearPage) -> None:
    if not page.charges:
        return
    parts.section("Demand charges")
    money = page.header.currency
    parts.table(
        (
            "Charge",
            "Windows",
            "Period",
            "Real, kW",
            "As-is, kW",
            "Target, kW",
            f"{money}/kW",
            f"Saving, {money}",
            "State",
        ),
        [
            (
                line.rate_name,
                line.windows,
                line.saving.period,
                f.number(line.saving.real_kw),
                f.number(line.saving.as_is_kw),
                f.number(line.saving.target_kw),
                f.number(line.saving.per_kw, 2),
                f.number(line.saving.money),
                line.saving.state.value,
            )
            for line in page.charges
        ],
        right=range(3, 8),
    )


@st.fragment(run_every="5s")
@parts.guarded
def wall() -> None:
    """For the shop floor: kW still allowed in this quarter hour, and the minutes left."""
    page: YearPage = session.read("year_page")
    run = page.running
    if run.allowed_kw is None:
        since = "" if run.as_of is None else f" since {f.moment(run.as_of, page.header.zone, page.header.now)}"
        st.html(
            f'<div class="wall"><div class="say">Power is not known{since}</div><div class="huge">–</div><div '
            f'class="say">Keep to the plan; the settlement meter is silent.</div></div>'
        )
        return
    left = run.allowed_kw - (run.now_kw or 0.0)
    tone_, word = ("better", "more may be drawn") if left >= 0 else ("worse", "must be shed")
    limit = run.target_kw if run.target_kw is not None else run.limit_kw
    st.html(
        f'<div class="wall"><div class="say">{f.clock_time(page.header.now, page.header.zone)} · '
        f"{f.text(page.header.name)}</div>"
        f'<div class="huge {tone_}">{f.number(abs(left))}<small> kW</small></div><div class="say">{word}, for '
        f"<b>{f.duration(run.minutes_left)}</b></div>"
        f'<div class="say">now <b>{f.quantity(run.now_kw, "kW")}</b>, closes at <b>'
        f"{f.quantity(run.closes_at_kw, 'kW')}</b>, keep below <b>{f.quantity(limit, 'kW')}</b></div></div>"
    )


@parts.guarded
def show() -> None:
    if st.query_params.get("wall"):
        st.html(HIDE)
        wall()
        if st.button("Back", key="wall-off", type="tertiary"):
            del st.query_params["wall"]
            st.rerun()
        return
    page: YearPage = session.read("year_page")
    there = local(page.header.now, page.header.zone)
    parts.head(
        "Year and peaks",
        page.header,
        sentence(page),
        when=f"{page.year}, 1 January to {there.day} {f.MONTHS_LONG[there.month - 1]}",
    )
    parts.figures(figures(page))
    heat(page)
    left, right = st.columns([0.38, 0.62], gap="large")
    with left:
        maxima(page)
    with right:
        worst(page)
    charges(page)
    if st.button(
        "Wall view",
        key="wall-on",
        icon=":material/tv:",
        help="kW still allowed in this quarter hour, big, for a screen on the wall",
    ):
        st.query_params["wall"] = "1"
        st.rerun()


show()

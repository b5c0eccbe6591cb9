"""A meter was replaced: when, with which stands, and the form that says so."""

from datetime import date, datetime, time, timedelta

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.views.add_meter import fitting
from energy.clock import local, wall_to_utc
from energy.model.meter import Exchange, Meter
from energy.reports.pages import Done, Header

STANDS = (
    ("old_import_kwh", "Last import stand of the old one, kWh"),
    ("new_import_kwh", "First import stand of the new one, kWh"),
    ("old_export_kwh", "Last export stand of the old one, kWh"),
    ("new_export_kwh", "First export stand of the new one, kWh"),
)


@parts.guarded
def show(meter: Meter, header: Header) -> None:
    """The exchanges that are known of a meter, and the form; a virtual meter has nothing to replace."""
    if meter.parts:
        return
    known: tuple[Exchange, ...] = session.read("exchanges", meter.id)
    parts.section("Replaced", f"· {how_often(len(known))}")
    if known:
        columns = ("When", "Import, old → new, kWh", "Export, old → new, kWh", "By", "Why")
        parts.table(columns, [row(one, header) for one in known])
    with st.expander("This meter was replaced …", type="compact", key=f"exchange-box-{meter.id}"):
        if fitting(session.who()[1], session.roles()):
            form(meter, header)
        else:
            able = f.listed([role for role in session.roles() if fitting(role, session.roles())])
            parts.notice(
                f"**Said by the plant's energy people.** You act as {session.who()[1]}; choose {able} at the foot of the "
                "menu if that is you.",
                level="warn",
            )


def how_often(times: int) -> str:
    return {0: "never, as far as anybody said", 1: "once"}.get(times) or f.count(times, "time")


def row(one: Exchange, header: Header) -> tuple[str, ...]:
    there = local(one.at, header.zone)
    taken, given = ((one.old_import_kwh, one.new_import_kwh), (one.old_export_kwh, one.new_export_kwh))
    return (f"{f.day(there, year=True)}, {there:%H:%M}", stands(*taken), stands(*given), one.by, one.why)


def stands(old: float | None, new: float | None) -> str:
    return f.UNKNOWN if old is None and new is None else f"{f.number(old, 2)} → {f.number(new, 2)}"


def form(meter: Meter, header: Header) -> None:
    there = local(header.now, header.zone)
    with st.form(f"exchange-{meter.id}", border=False):
        st.html(
            '<div class="line">With both stands nothing is lost across the exchange: the energy goes on from the old '
            "counter to the new one. <i>A stand that nobody wrote down stays empty; then a gap stays a gap.</i></div>"
        )
        left, right = st.columns(2)
        day = left.date_input("Day", there.date(), max_value=there.date(), key=f"exchange-day-{meter.id}")
        at = right.time_input(
            "Time", time(there.hour, there.minute), step=timedelta(minutes=1), key=f"exchange-time-{meter.id}"
        )
        said: dict[str, float | None] = {}
        for place, (name, label) in enumerate(STANDS):
            said[name] = (left, right)[place % 2].number_input(
                label,
                min_value=0.0,
                value=None,
                format="%.2f",
                placeholder="not written down",
                key=f"exchange-{name}-{meter.id}",
            )
        why = st.text_input("Why", key=f"exchange-why-{meter.id}", max_chars=200, placeholder="calibration was due")
        by, role = session.who()
        who = by if by == role else f"{by}, {role}"
        st.caption(f"Kept in the journal with your name: {who}.")
        if st.form_submit_button("Note the exchange", type="primary", key=f"exchange-send-{meter.id}"):
            note(meter, header, day, at, said, why)
            st.rerun()


def note(meter: Meter, header: Header, day: date, at: time, said: dict[str, float | None], why: str) -> Done:
    """Tell the service, with an id made once for what was typed in."""
    by, _ = session.who()
    moment: datetime = wall_to_utc(day, at, header.zone)
    key = f"exchange|{meter.id}|{moment.isoformat()}|{'|'.join(str(said[name]) for name, _ in STANDS)}"
    done = Exchange(
        id=session.once(key),
        meter=meter.id,
        at=moment,
        old_import_kwh=said["old_import_kwh"],
        new_import_kwh=said["new_import_kwh"],
        old_export_kwh=said["old_export_kwh"],
        new_export_kwh=said["new_export_kwh"],
        reported_at=header.now,
        by=by,
        why=why.strip(),
    )
    return session.act(key, lambda: session.service().exchange(done))

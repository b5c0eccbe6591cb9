"""Add a meter: where it is, what answers there, what it says and whether that can be right, and keep it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.parts import Figure
from dashboard.scanning import Scan
from energy.errors import LoadstoneError
from energy.model.commissioning import Check, Fix, FoundMeter
from energy.model.meter import Measures, Role
from energy.reports.pages import Header

LOOK_EVERY = "3s"
STEPS = ("Address", "Found", "Live values", "Keep")
UNITS = {"every unit, 1 to 247": "", "1 to 32, quickly": "1-32", "unit 1 alone": "1"}
FITTING = ("energy", "electri", "maintenance", "integrator", "engineer", "admin")  # in the name of a role
ROLES = (Role.SUB, Role.CHECK, Role.SETTLEMENT)
MARKS = {True: ("✓", "better", "holds"), False: ("✗", "worse", "fails"), None: ("–", "soft", "could not be checked")}
UNIT_OF = {"voltage": "V", "current": "A", "power": "kW", "reactive": "kvar", "apparent": "kVA", "frequency": "Hz"}
PHASED = (("voltage", "V", 1), ("current", "A", 1), ("power", "kW", 2), ("power_factor", "", 3))


def button(key: str = "add-meter") -> None:
    """The way in, for the Meters page."""
    if st.button("Add a meter", icon=":material/add:", type="primary", key=key):
        _go("address")
        st.query_params["add"] = "1"
        st.rerun()


def flow() -> bool:
    """The steps, in place of the page that they began on; False where nobody adds a meter."""
    if "add" not in st.query_params:
        parts.answered()
        return False
    _shown()
    return True


@parts.guarded
def _shown() -> None:
    header = session.header()
    step = st.session_state.get("adding-step", "address")
    if not fitting(session.who()[1], session.roles()):
        _not_allowed(header)
        return
    scan: Scan | None = st.session_state.get("adding-scan")
    if step == "found" and scan is not None:
        if scan.over:
            _found(header, scan)
        else:
            _scanning(header, scan)
    elif step == "live" and "adding-settings" in st.session_state:
        _live(header)
    else:
        _address(header)


def fitting(role: str, roles: Sequence[str]) -> bool:
    """Whether somebody of this role adds meters: the plant's energy people; anybody where it names none of them."""
    able = [known for known in roles if any(word in known.lower() for word in FITTING)]
    return not able or role in able


def _not_allowed(header: Header) -> None:
    parts.head("Add a meter", header, "Meters are added by the plant's energy people.")
    able = [role for role in session.roles() if fitting(role, session.roles())]
    parts.notice(
        f"You act as **{session.who()[1]}**. Choose {f.listed(able)} at the foot of the menu if that is you; it is "
        "written into the journal beside your name. All pages of the meters stay open to everybody.",
        level="warn",
    )
    _leave("Back to the meters")


def _go(step: str) -> None:
    st.session_state["adding-step"] = step


def _leave(label: str) -> None:
    if st.button(label, key="adding-leave", icon=":material/arrow_back:", type="tertiary"):
        scan: Scan | None = st.session_state.pop("adding-scan", None)
        if scan is not None:
            scan.stop()
        _close()
        st.rerun()


def _close() -> None:
    for key in ("adding-step", "adding-settings", "adding-before", "adding-found"):
        st.session_state.pop(key, None)
    st.query_params.pop("add", None)


def _steps(now: int) -> None:
    """Where one is, in words and in weight."""
    cells = "".join(
        f"<span{' class=here aria-current=step' if place == now else ''}>{place + 1} {name}</span>"
        for place, name in enumerate(STEPS)
    )
    st.html(f'<div class="steps">{cells}</div>')


# ---- 1 the address


def _address(header: Header) -> None:
    parts.head("Add a meter", header, "Where is the meter?")
    _steps(0)
    parts.answered()
    scan: Scan | None = st.session_state.get("adding-scan")
    if scan is not None and scan.trouble:
        parts.notice(f"**Nothing was found.** {scan.trouble}", level="warn")
    with st.container(width=640):
        with st.form("adding-address", border=False):
            host = st.text_input("Address of the meter or its gateway", placeholder="192.168.1.40 or 192.168.1.40:502")
            units = st.selectbox("Which units to ask", list(UNITS), help="A gateway has several meters behind it.")
            asked = st.form_submit_button("Look", type="primary", icon=":material/search:")
        st.caption(
            "Loadstone only reads, one question at a time. A gateway with empty unit numbers may take some minutes; you "
            "can stop it, or look at other pages meanwhile."
        )
        if asked and host.strip():
            st.session_state["adding-scan"] = Scan(host.strip(), UNITS[units]).start(session.service())
            _go("found")
            st.rerun()
        with st.expander("Its model and unit are known"):
            _known()
        _kept()
    _leave("Back to the meters")


def _known() -> None:
    with st.form("adding-known", border=False):
        profile = st.text_input("Profile", placeholder="eastron-sdm630", help="`loadstone meters list` names them")
        host = st.text_input("Address", placeholder="192.168.1.40")
        left, right = st.columns(2)
        port = left.number_input("Port", 1, 65535, 502)
        unit = right.number_input("Unit", 0, 255, 1)
        if st.form_submit_button("Read it") and profile.strip() and host.strip():
            said = {"kind": "modbus", "host": host.strip(), "port": port, "unit": unit, "profile": profile.strip()}
            _choose(said)
            st.rerun()


def _kept() -> None:
    """What was added here before, each with the way out."""
    kept = session.service().kept_meters()
    if not kept:
        return
    parts.section("Added here before", "· in meters.d/, beside config.yaml")
    for id in kept:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"`{id}`")
            with st.popover("Remove", icon=":material/delete:"):
                st.markdown("It is read no more. What it has said until now stays.")
                if st.button(f"Remove {id}", key=f"remove-{id}"):
                    _drop(id)
                    st.rerun()


def _drop(id: str) -> None:
    by, role = session.who()
    nth = st.session_state["adding-drops"] = st.session_state.get("adding-drops", 0) + 1
    session.act(f"drop|{id}|{nth}", lambda: session.service().drop_meter(id, by, role))


# ---- 2 what answers there


def _scanning(header: Header, scan: Scan) -> None:
    parts.head("Add a meter", header, f"Looking behind **{scan.host}** …")
    _steps(1)
    _progress(scan)


@st.fragment(run_every="1s")
def _progress(scan: Scan) -> None:
    if scan.over:
        st.rerun()
    with st.container(width=640):
        st.progress(min(scan.share, 1.0), text=f"{scan.what} · {f.age(scan.seconds)}")
        if st.button("Stop and show what was found", icon=":material/stop_circle:", disabled=scan.enough.is_set()):
            scan.stop()
        st.caption("You can look at other pages; this goes on.")


def _found(header: Header, scan: Scan) -> None:
    found = scan.found or ()
    if not found:
        st.session_state["adding-scan"] = scan
        scan.trouble = scan.trouble or "No unit answered before it was stopped."
        _go("address")
        st.rerun()
    parts.head("Add a meter", header, found_sentence(scan.host, found))
    _steps(1)
    for place, one in enumerate(found):
        _row(place, one)
    _again()


def found_sentence(host: str, found: Sequence[FoundMeter]) -> str:
    count = f.sentence_case(f.count(len(found), "unit"))
    answer = "answers" if len(found) == 1 else "answer"
    wrong = sum(bool(failed(one)) for one in found)
    nameless = sum(not one.checks for one in found)
    right = len(found) - wrong - nameless
    said = [f"{f.small(right)} can be right"] if right else []
    said += [f"{f.small(wrong)} {'needs' if wrong == 1 else 'need'} a fix"] if wrong else []
    said += [f"{f.small(nameless)} of no known model"] if nameless else []
    return f"**{count}** {answer} behind {host}: {f.listed(said)}."


def _row(place: int, one: FoundMeter) -> None:
    said = dict(one.settings)
    power = one.reading.power_kw if one.reading is not None else None
    mark = score_mark(one)
    how = "says so itself" if one.identified else "by its values"
    small = [f"unit {said.get('unit', '–')}"]
    if one.checks:
        small += [f"{said.get('profile')}", how, one.confidence]
    if one.serial:
        small.append(f"serial number {one.serial}")
    with st.container(border=True, key=f"found-{place}"):
        left, right = st.columns([0.8, 0.2], vertical_alignment="center")
        says = f"**{amount(power, 2)}{f.NBSP}kW** {others(one)}" if one.checks else one.note
        if one.fixes:
            says = f"Likely fix: {one.fixes[0].said}."
        left.html(
            f'<div class="line"><b>{f.text(one.model or "Unknown model")}</b> {mark}</div>'
            f'<div class="line soft">{f.text(" · ".join(part for part in small if part))}</div>'
            f'<div class="line">{f.text(says)}</div>'
        )
        if one.checks and right.button("Look at it", key=f"choose-{place}", width="stretch"):
            _choose(said)
            st.session_state["adding-found"] = one
            st.rerun()


def amount(value: float | None, decimals: int) -> str:
    """A number that may be absurd, because it was read wrongly."""
    absurd = value is not None and (abs(value) >= 1e8 or 0 < abs(value) < 1e-6)
    return f"{value:.1e}".replace("-", f.MINUS) if absurd else f.number(value, decimals)


def others(one: FoundMeter) -> str:
    return f"· as good: {f.listed(list(one.others))}" if one.others else ""


def score_mark(one: FoundMeter) -> str:
    if one.score is None:
        return f.kind("no check")
    wrong, still = len(failed(one)), sum(check.ok is None for check in one.checks)
    tail = f", {wrong} fail" if wrong else f", {still} open" if still else ""
    return f.kind(f"{one.score * 100:.0f} %{tail}")


def _again() -> None:
    if st.button("Another address", key="adding-again", icon=":material/arrow_back:", type="tertiary"):
        st.session_state.pop("adding-scan", None)
        _go("address")
        st.rerun()


def _choose(settings: dict[str, object]) -> None:
    st.session_state["adding-settings"] = settings
    st.session_state["adding-before"] = []
    st.session_state["adding-found"] = None
    _go("live")


# ---- 3 what it says, and whether that can be right


def _live(header: Header) -> None:
    settings: dict[str, object] = st.session_state["adding-settings"]
    at = settings.get("host") or settings.get("device")
    found: FoundMeter | None = st.session_state.get("adding-found")
    model = found.model if found is not None and found.model else str(settings.get("profile"))
    parts.head("Add a meter", header, f"**{model}**, unit {settings.get('unit')} behind {at}")
    _steps(2)
    _changed(settings)
    _watched()
    _form(header)
    _back()


def _changed(settings: Mapping[str, object]) -> None:
    before: list[dict[str, object]] = st.session_state["adding-before"]
    if not before:
        return
    new = [key for key, value in settings.items() if before[-1].get(key) != value]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<div class="line soft">{f.text(f"Changed: {f.listed(new)}. Read anew with it below.")}</div>')
        if st.button("Undo", key="adding-undo", icon=":material/undo:", type="tertiary"):
            st.session_state["adding-settings"] = before.pop()
            st.rerun()


@st.fragment(run_every=LOOK_EVERY)
def _watched() -> None:
    """Read again every few seconds; the form below stays still."""
    settings: dict[str, object] | None = st.session_state.get("adding-settings")
    if settings is None:
        return
    try:
        found = session.service().look_at_meter({**settings, **place_of(st.session_state)})
    except LoadstoneError as error:
        parts.notice(f"**It does not answer now.** {error} It is asked again every few seconds.", level="warn")
        return
    parts.notice(f"{verdict(found)}", level="warn" if failed(found) else "")
    parts.figures(figures(found))
    _fixes(found, settings)
    left, right = st.columns([0.46, 0.54], gap="medium")
    with left:
        _values(found)
    with right:
        _checks(found)
    if found.note:
        st.caption(found.note)


def verdict(found: FoundMeter) -> str:
    """One sentence of state."""
    wrong, made = failed(found), [check for check in found.checks if check.ok is not None]
    still = len(found.checks) - len(made)
    if not made:
        return f"**Nothing could be checked.** {found.note}"
    if wrong:
        are = "check fails" if len(wrong) == 1 else "checks fail"
        return f"**{f.sentence_case(f.small(len(wrong)))} {are}:** {f.listed([c.name for c in wrong])}. It does not read right."
    tail = f" {f.sentence_case(f.small(still))} could not be made yet." if still else ""
    return f"**It can be right:** all {f.small(len(made))} checks that could be made hold.{tail}"


def failed(found: FoundMeter) -> list[Check]:
    return [check for check in found.checks if check.ok is False]


def figures(found: FoundMeter) -> list[Figure]:
    reading = found.reading
    said = dict(reading.values) if reading is not None else {}
    volts = [said[f"voltage_l{p}"] for p in (1, 2, 3) if f"voltage_l{p}" in said]
    score = "–" if found.score is None else f"{100 * found.score:.0f}"
    power = reading.power_kw if reading is not None else None
    return [
        Figure(label="Power", value=amount(power, 2), unit="kW", kind="measured", lines=(direction(power),)),
        Figure(
            label="Import counter",
            value=amount(reading.import_kwh if reading is not None else None, 2),
            unit="kWh",
            lines=(f"export {amount(reading.export_kwh if reading is not None else None, 2)} kWh",),
        ),
        Figure(
            label="Voltage",
            value=amount(sum(volts) / len(volts) if volts else None, 1),
            unit="V",
            lines=(f"{amount(said.get('frequency'), 2)} Hz",),
        ),
        Figure(label="Plausible", value=score, unit="%", lines=("weighed share of", "the checks that hold")),
    ]


def direction(power: float | None) -> str:
    return (
        ""
        if power is None
        else "towards the plant"
        if power > 0
        else "out of the plant"
        if power < 0
        else "nothing flows"
    )


def _values(found: FoundMeter) -> None:
    parts.section("What it says")
    said = dict(found.reading.values) if found.reading is not None else {}
    total = {"power": found.reading.power_kw if found.reading is not None else None}
    rows = []
    for name, unit, decimals in PHASED:
        phases = [said.get(f"{name}_l{p}") for p in (1, 2, 3)]
        whole = total.get(name, said.get(name))
        if any(value is not None for value in (*phases, whole)):
            label = f"{name.replace('_', ' ')}{f', {unit}' if unit else ''}"
            rows.append((label, *(amount(v, decimals) for v in phases), amount(whole, decimals)))
    parts.table(("", "L1", "L2", "L3", "Total"), rows, right=(1, 2, 3, 4))
    shown = {f"{name}_l{p}" for name, _, _ in PHASED for p in (1, 2, 3)} | {"power_factor"}
    more = [
        (name.replace("_", " "), f"{amount(value, 2)} {UNIT_OF.get(name.split('_')[0], '')}".strip())
        for name, value in said.items()
        if name not in shown
    ]
    if more:
        parts.table(("Further", ""), more, right=(1,), head=False)


def _checks(found: FoundMeter) -> None:
    parts.section("Can that be right?")
    rows = []
    for check in sorted(found.checks, key=lambda c: (c.ok is not False, c.ok is None)):
        mark, ink, word = MARKS[check.ok]
        rows.append((f'<b class="{ink}" title="{word}" aria-label="{word}">{mark}</b>', check.name, check.said))
    parts.table(("", "Law", "Numbers"), rows)


def _fixes(found: FoundMeter, settings: dict[str, object]) -> None:
    if not failed(found):
        return
    if not found.fixes:
        parts.notice(
            "**No usual mistake explains this.** Compare with the display: is it the right model? A longer look may tell "
            "more; `loadstone meters try` says all that is known.",
            level="warn",
        )
        return
    first, *more = found.fixes
    with st.container(border=True, key="likely-fix"):
        parts.section("Likely fix", f"· {100 * first.score:.0f} % plausible with it")
        _fix(first, settings, 0)
        if more:
            with st.expander(f"{f.count(len(more), 'other', 'others', capital=True)} would do as well"):
                for place, fix in enumerate(more, 1):
                    _fix(fix, settings, place)


def _fix(fix: Fix, settings: dict[str, object], place: int) -> None:
    st.html(f'<div class="line">{f.text(f.sentence_case(fix.said))}.</div>')
    if not fix.settings:
        return
    st.caption(" · ".join(setting_words(key, value) for key, value in fix.settings))
    if st.button(
        "Use this fix", key=f"fix-{place}", type="primary" if place == 0 else "secondary", icon=":material/build:"
    ):
        st.session_state["adding-before"].append(settings)
        st.session_state["adding-settings"] = with_fix(settings, fix)
        st.rerun()


def with_fix(settings: Mapping[str, object], fix: Fix) -> dict[str, object]:
    """The settings with the lines of a fix; registers are added one by one."""
    new = dict(settings)
    for key, value in fix.settings:
        before = new.get(key)
        new[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return new


def setting_words(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{key}: {f.listed(list(value))}"
    return f"{key}: {value}"


# ---- 4 keep


def place_of(state: Mapping[Any, Any]) -> dict[str, object]:
    """What the form says of the meter's place, as config.yaml would; what is not said is left out."""
    said = {
        "measures": state.get("keep-measures"),
        "connection_kw": state.get("keep-connection") or None,
        "display_kw": state.get("keep-display"),
    }
    return {key: value for key, value in said.items() if value is not None}


def id_of(name: str) -> str:
    """A short name for the store from what people call it."""
    plain = name.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]


def _form(header: Header) -> None:
    parts.section("Keep it", "· in meters.d/, beside config.yaml")
    machines = dict(session.service().machines())
    left, right = st.columns(2, gap="medium")
    name = left.text_input("Name, as people call it", key="keep-name", max_chars=60)
    place = right.text_input("Place", key="keep-place", placeholder="Hall A, cabinet 3", max_chars=80)
    left, right = st.columns(2, gap="medium")
    flows = [kind.value for kind in Measures]
    measures = left.selectbox("What flows through it", flows, index=flows.index("machine"), key="keep-measures")
    machine = right.selectbox(
        "Machine",
        list(machines),
        format_func=machines.__getitem__,
        index=None,
        key="keep-machine",
        disabled=measures != Measures.MACHINE.value,
    )
    left, right = st.columns(2, gap="medium")
    role = left.selectbox("Role", [r.value for r in ROLES], key="keep-role", help="settlement: the bill is made of it")
    kw = right.number_input(
        "Its connection carries at most, kW", 0.0, 1e6, None, key="keep-connection", help="more is never believed"
    )
    left, right = st.columns(2, gap="medium")
    left.number_input(
        "Its display says now, kW (not needed)",
        value=None,
        key="keep-display",
        help="tells the ratio of its transformers",
    )
    poll = right.number_input("Ask every … seconds", 1, 3600, 10, key="keep-poll")
    missing = [word for word, value in (("a name", name.strip()), ("the kW of its connection", kw)) if not value]
    if measures == Measures.MACHINE.value and machine is None:
        missing.append("the machine")
    if missing:
        st.caption(f"Still needed: {f.listed(missing)}.")
    if not st.button("Keep this meter", key="keep", type="primary", icon=":material/save:", disabled=bool(missing)):
        return
    settings: dict[str, object] = st.session_state["adding-settings"]
    entry = {
        "id": id_of(name),
        "name": name.strip(),
        **settings,
        "role": role,
        "measures": measures,
        **({"machine": machine} if measures == Measures.MACHINE.value else {}),
        "connection_kw": kw,
        **({"place": place.strip()} if place.strip() else {}),
        "poll_seconds": float(poll),
    }
    by, acting = session.who()
    done = session.act(
        f"keep|{entry['id']}|{header.now:%H%M%S}", lambda: session.service().keep_meter(entry, by, acting)
    )
    if done.ok:
        st.session_state.pop("adding-scan", None)
        _close()
        st.rerun()
    parts.answered()


def _back() -> None:
    with st.container(horizontal=True):
        scan: Scan | None = st.session_state.get("adding-scan")
        if scan is not None and st.button("Back to what was found", icon=":material/arrow_back:", type="tertiary"):
            _go("found")
            st.rerun()
        _again()

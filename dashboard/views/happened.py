"""Something happened: nine big buttons, two fields each, the consequence before sending. Made for a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from energy.clock import local
from energy.model.fact import Fact, FactKind
from energy.reports.pages import Consequence, HappenedPage

AGO = (("just now", 0), ("15 min ago", 15), ("30 min ago", 30), ("1 h ago", 60))
AHEAD = (("30 min", 30), ("1 h", 60), ("2 h", 120), ("4 h", 240), ("8 h", 480), ("Not known", None))
WANTED = (("in 4 h", 240), ("in 8 h", 480), ("in 1 day", 1440), ("in 2 days", 2880))
SHARES = (("10 %", 0.1), ("25 %", 0.25), ("50 %", 0.5), ("all of it", 1.0))
WHY = (("customer cancelled", "customer cancelled"), ("made elsewhere", "made elsewhere"), ("other", "other"))


@dataclass(frozen=True)
class Button:
    """A kind of fact: its icon, what it is about, and its second question with the answers to tap."""

    kind: FactKind
    icon: str
    about: str  # machine, job or crew
    question: str
    answers: Sequence[tuple[str, float | str | None]]
    field: str  # until, ago, share or text: what the answer fills in


BUTTONS = (
    Button(FactKind.RUSH_ORDER, "bolt", "job", "Wanted", WANTED, "until"),
    Button(FactKind.MACHINE_DOWN, "build", "machine", "Back in about", AHEAD, "until"),
    Button(FactKind.MATERIAL_LATE, "local_shipping", "job", "There in about", AHEAD, "until"),
    Button(FactKind.CREW_MISSING, "group_off", "crew", "Back in about", AHEAD, "until"),
    Button(FactKind.SCRAP, "delete_sweep", "job", "How much of it", SHARES, "share"),
    Button(FactKind.QUALITY_HOLD, "pan_tool", "job", "Decided in about", AHEAD, "until"),
    Button(FactKind.STARTED, "play_arrow", "job", "When", AGO, "ago"),
    Button(FactKind.STOPPED, "stop", "job", "When", AGO, "ago"),
    Button(FactKind.CANCELLED, "close", "job", "Why", WHY, "text"),
)
BY_KIND = {button.kind.value: button for button in BUTTONS}


def choose(kind: str) -> None:
    st.session_state["happened"] = None if st.session_state.get("happened") == kind else kind


def grid(chosen: str | None) -> None:
    """Nine buttons, two beside each other even on a phone."""
    with st.container(key="happened", gap="xsmall"):
        for first in range(0, len(BUTTONS), 2):
            pair = BUTTONS[first : first + 2]
            for column, button in zip(st.columns(len(pair), gap="xsmall", wrap=False), pair, strict=True):
                name = button.kind.value
                column.button(
                    name.capitalize(),
                    key=f"fact-{name}",
                    icon=f":material/{button.icon}:",
                    width="stretch",
                    type="primary" if name == chosen else "secondary",
                    on_click=choose,
                    args=(name,),
                )


def subjects(page: HappenedPage, about: str) -> dict[str, str]:
    """What can be tapped: id → words."""
    if about == "machine":
        return {machine.id: machine.name for machine in page.machines}
    if about == "crew":
        return {crew: crew for crew in page.crews}
    return {job: f"{job} {product}" for job, product, _ in page.jobs}


def fact(page: HappenedPage, button: Button, subject: str, answer: float | str | None, id: str) -> Fact:
    now = page.header.now
    machine = next((machine for job, _, machine in page.jobs if job == subject), None)
    by, role = session.who()
    minutes = answer if isinstance(answer, int | float) else 0
    return Fact(
        id=id,
        kind=button.kind,
        at=now - timedelta(minutes=minutes) if button.field == "ago" else now,
        machine=subject if button.about == "machine" else machine if button.about == "job" else None,
        job=subject if button.about == "job" else None,
        crew=subject if button.about == "crew" else None,
        until=now + timedelta(minutes=minutes) if button.field == "until" and answer is not None else None,
        share=float(minutes) if button.field == "share" else None,
        text=str(answer) if button.field == "text" else "",
        by=by,
        role=role,
        reported_at=now,
    )


def fields(page: HappenedPage, button: Button) -> tuple[str, float | str | None, str] | None:
    """The two fields, answered by tapping; None until both are."""
    choices = subjects(page, button.about)
    if not choices:
        parts.notice(
            f"**No {button.about} is known yet**, so this cannot be reported here. Tell the planner by phone.",
            level="warn",
        )
        return None
    answers = dict(button.answers)
    kind = button.kind.value
    with st.container(key="fields"):
        subject = st.pills(
            f"Which {button.about}?", list(choices), format_func=choices.__getitem__, key=f"which-{kind}"
        )
        answer = st.pills(button.question, list(answers), key=f"answer-{kind}")
    return (subject, answers[answer], answer) if subject and answer else None


def consequence(found: Consequence, page: HappenedPage) -> None:
    """What changes, and who must be told, before it is sent."""
    zone, now = page.header.zone, page.header.now
    lines = [found.sentence]
    names = {machine.id: machine.name for machine in page.machines}
    for name, old, new in found.moved:
        if new is None:
            lines.append(f"{name} **has no place** in the plan.")
        elif new.start == old.start and new.machine == old.machine:
            lines.append(f"{name} ends **{f.moment(new.end, zone, now)}** instead of {f.clock_time(old.end, zone)}.")
        else:
            where = "" if new.machine == old.machine else f" on {names.get(new.machine, new.machine)}"
            starts = f"**{f.moment(new.start, zone, now)}**{where} instead of {f.moment(old.start, zone, now)}"
            lines.append(f"{name} starts {starts}.")
    lines += [f"**Late: {job}.**" for job in found.late]
    lines += [f"The accepted offer {offer} is overtaken." for offer in found.voids]
    if found.cost is not None and abs(found.cost) >= 0.5:
        lines.append(
            f"Energy costs {f.quantity(abs(found.cost), page.header.currency)} "
            f"{'more' if found.cost > 0 else 'less'}, estimated."
        )
    with st.container(border=True, key="consequence"):
        parts.section("What changes")
        st.html("".join(f'<div class="line">{f.text(line)}</div>' for line in lines))
        parts.section("Who must be told")
        told = f"{f.listed(found.tell)}. They get it when you report." if found.tell else "Nobody beyond this plan."
        st.html(f'<div class="line">{f.text(told)}</div>')


@parts.guarded
def ask(page: HappenedPage, button: Button) -> None:
    said = fields(page, button)
    if said is None:
        return
    subject, value, word = said
    key = f"fact|{button.kind.value}|{subject}|{word}|{st.session_state.get('reported', 0)}"
    made = fact(page, button, subject, value, session.once(key))
    looked: dict[str, Consequence] = st.session_state.setdefault("consequences", {})
    if key not in looked:
        with st.spinner("Looking what that changes …"):
            looked.clear()
            looked[key] = session.consequence(made)
    consequence(looked[key], page)
    if st.button(f"Report {button.kind.value}", key="report", type="primary", icon=":material/send:", width="stretch"):
        done = session.act(key, lambda: session.service().report(made))
        if done.ok:
            st.session_state["reported"] = st.session_state.get("reported", 0) + 1
            st.session_state["happened"] = None
        st.rerun()
    st.caption("Nothing is sent before you press the button.", text_alignment="center")


def recent(page: HappenedPage) -> None:
    if not page.recent:
        return
    parts.section("Reported lately")
    zone, now = page.header.zone, page.header.now
    parts.table(
        ("When", "What", "Answer"), [(f.moment(when, zone, now), what, answer) for when, what, answer in page.recent]
    )


@parts.guarded
def show() -> None:
    page: HappenedPage = session.read("happened_page")
    there: datetime = local(page.header.now, page.header.zone)
    parts.head("Something happened", page.header, "What happened?", when=f"{f.day(there)}, {there:%H:%M}")
    with st.container(width=640):
        parts.answered()
        chosen = st.session_state.get("happened")
        grid(chosen)
        if chosen:
            ask(page, BY_KIND[chosen])
        recent(page)


show()

"""Each view in each state: it stands, it says its sentence, and what is clicked reaches the service once."""

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.parts import VIEWS
from energy.model.event import EventKind
from energy.model.fact import FactKind
from energy.model.proposal import Decision, DecisionKind, Scope
from energy.reports.pages import Done
from tests.dashboard import gallery

Open = Callable[..., AppTest]
OTHER_STATES = (
    *((view, "empty") for view in VIEWS),
    *((view, "failing") for view in VIEWS),
    ("plan", "nothing"),
    ("plan", "silent_feed"),
    ("plan", "degraded"),
    ("plan", "event_running"),
    ("overview", "nothing"),
    ("overview", "silent_feed"),
    ("overview", "meter_dead"),
    ("overview", "event_running"),
    ("year", "meter_dead"),
    ("events", "event_running"),
    ("forecast", "silent_feed"),
    ("savings", "silent_feed"),
)
SENTENCES = {
    "overview": "1,142 kW now; the running quarter hour closes at 1,158 kW, limit 1,440 kW. Yesterday 71 EUR "
    "verified; two meters silent.",
    "plan": "Two offers for tomorrow, together 62 EUR; answer by 15:00. All due times kept, tightest slack 2 h 10 min.",
    "happened": "What happened?",
    "sheet": "Shift sheet, late crew",
    "savings": "650 EUR verified in May so far (598 to 702 EUR). One day lost 18 EUR; it is counted.",
    "year": "The year's maximum is 1,318 kW, Thu 12 Feb 07:45, 2 kW below the agreed target. As-is it would be "
    "1,334 kW.",
    "journal": "Loadstone believes four things about this plant; one is disputed. One standing refusal.",
    "forecast": "Base load is predicted to ±4.7 %, 35 % better than last week's pattern. PV has been 31 % below "
    "its forecast since 10:00.",
    "meters": "14 of 16 meters answer; two are silent. The sub‑meters explain 88 % of the site's energy today.",
    "machines": "3,532 kWh, 494 EUR, went into machines that were on and did nothing in week 20 of 2026. Furnace 2 "
    "needs 6 % more energy for the same work than it used to.",
    "events": "Next: 250 kW less than the baseline, Wed 17:00 to 19:00; answer by 18:00.",
}


ALOUD = {
    ("overview", "empty"): ("Power now is not known; limit 1,440 kW.", "No picture of the day yet."),
    ("overview", "meter_dead"): ("Power now is not known since 13:51",),
    ("overview", "event_running"): ("Event running",),
    ("overview", "silent_feed"): ("no published prices ahead", "Price feed silent"),
    ("plan", "silent_feed"): (
        "together 53 EUR (25 to 81 on forecast prices); answer by 15:00.",
        "14 to 58 (P10 to P90); 41 by the forecast alone",
        "100 % of the energy's worth rests on forecast prices",
        "Furnace 3: job 2015 4 h later (expired)",
        "40 (outside)",
        "1 of 2 inside",
    ),
    ("savings", "silent_feed"): (
        "2 offers rested on forecast prices: 64 EUR by the forecast alone, 54 EUR estimated, 70 EUR at the published "
        "prices; 1 of 2 within P10 to P90.",
        "2 to 33",
    ),
    ("plan", "nothing"): ("Nothing worth moving: the best was 11 EUR.",),
    ("plan", "degraded"): (
        "solver out of time: best plan found so far",
        "Customer date of 2048 had to give by 1 h 20 min, priced with 667 EUR.",
        "Cannot be accepted alone.",
        "One job late: 2048 Pinions, 1 h 20 min.",
    ),
    ("plan", "empty"): ("There is nothing to draw yet.",),
    ("savings", "empty"): ("No day has been accounted yet.",),
    ("year", "empty"): ("No quarter hour of 2026 has been measured yet.",),
    ("machines", "empty"): ("Nothing has been learned yet.",),
    ("meters", "empty"): ("No meter is configured or none has been read yet.",),
    ("forecast", "empty"): ("No forecast has been made yet.",),
    ("events", "event_running"): ("Import at most 1,200 kW until 15:30.",),
}


def plant() -> gallery.Gallery:
    service = session.service()
    assert isinstance(service, gallery.Gallery)
    return service


def words(at: AppTest) -> str:
    """All HTML of the page as plain words."""
    text = " ".join(element.proto.body for element in at.get("html"))
    for noise in ("<b>", "</b>", "<br>"):
        text = text.replace(noise, "")
    return text.replace("\u00a0", " ").replace("&nbsp;", " ").replace("&#x27;", "'")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_says_its_sentence(open_view: Open, view: str) -> None:
    at = open_view(view)
    assert not at.exception
    assert SENTENCES[view] in words(at)
    assert "failed" not in words(at)


@pytest.mark.parametrize(("view", "state"), OTHER_STATES)
def test_a_view_stands_in_every_other_state_and_says_it_aloud(open_view: Open, view: str, state: str) -> None:
    at = open_view(view, state)
    assert not at.exception
    text = words(at)
    assert "Traceback" not in text
    assert "RuntimeError" not in text
    assert ("This part of the page failed" in text) == (state == "failing")
    for said in ALOUD.get((view, state), ()):
        assert said in text


def test_a_plant_that_cannot_be_opened_says_why(open_view: Open) -> None:
    at = open_view("overview", "refusing")
    assert not at.exception
    assert "nearest: Europe/Berlin" in words(at)


def test_accept_says_what_it_did_and_how_to_undo(open_view: Open) -> None:
    at = open_view("plan", "bare", who="R. Adler", role="planner")
    at.button(key="accept-offer-1").click().run()
    (said,) = plant().decisions
    assert (said.offer, said.version, said.kind) == ("offer-1", 1, DecisionKind.ACCEPT)
    assert (said.by, said.role, said.verified) == ("R. Adler", "planner", False)
    assert at.success[0].value == "Offer 1 accepted. Withdraw is possible until 10:15."
    assert "One offer for tomorrow, 21 EUR" in words(at)


def test_a_double_click_is_one_decision(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card still stands when the second click comes; the service would hear the same id, but is not even asked."""
    at = open_view("plan", "bare")
    sent: list[str] = []

    def decide(_: gallery.Gallery, decision: Decision) -> Done:
        sent.append(decision.id)
        return Done(ok=True, text="kept")

    monkeypatch.setattr(gallery.Gallery, "decide", decide)
    at.button(key="accept-offer-1").click().run()
    at.button(key="accept-offer-1").click().run()
    assert len(sent) == 1


def test_a_second_try_after_a_refusal_is_a_new_decision(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_view("plan", "bare")
    sent: list[str] = []

    def decide(_: gallery.Gallery, decision: Decision) -> Done:
        sent.append(decision.id)
        return Done(ok=False, text="taken", possible=("13:15",))

    monkeypatch.setattr(gallery.Gallery, "decide", decide)
    at.button(key="accept-offer-1").click().run()
    at.button(key="accept-offer-1").click().run()
    assert len(set(sent)) == 2
    assert at.error[0].value == "Not done: taken Possible: 13:15."


def test_a_refused_decision_says_why_and_what_is_possible(open_view: Open) -> None:
    at = open_view("plan", "clash")
    at.button(key="accept-offer-1").click().run()
    assert "Furnace 3 is taken from 11:00 by 2061" in at.error[0].value
    assert "Possible: 13:15 on furnace 3." in at.error[0].value
    assert plant().decisions == []


def test_refuse_with_reason_and_scope(open_view: Open) -> None:
    at = open_view("plan", "bare")
    at.pills(key="reason-offer-2").set_value("crew")
    at.text_input(key="words-offer-2").set_value("hanging crew is at training")
    at.selectbox(key="scope-offer-2").set_value(Scope.THIS_WEEK)
    at.button(key="refuse-offer-2").click().run()
    (said,) = plant().decisions
    assert (said.kind, said.reason, said.scope) == (
        DecisionKind.REFUSE,
        "crew: hanging crew is at training",
        Scope.THIS_WEEK,
    )


def test_edit_snaps_to_a_feasible_place(open_view: Open) -> None:
    at = open_view("plan", "bare")
    at.toggle(key="edit-open-offer-1").set_value(True).run()
    place = at.radio(key="edit-place-offer-1")
    assert place.options[0].startswith("Wed\u00a011:15, Furnace 3: 41\u00a0EUR")
    place.set_value(place.options[2]).run()
    at.button(key="edit-offer-1").click().run()
    (said,) = plant().decisions
    assert said.kind is DecisionKind.EDIT
    assert said.places[0].start == gallery.at("13:15", 20)


def test_edit_says_why_not(open_view: Open) -> None:
    at = open_view("plan", "bare")
    at.toggle(key="edit-open-offer-1").set_value(True).run()
    at.radio(key="edit-place-offer-1").set_value("another time …").run()
    at.time_input(key="edit-time-offer-1").set_value(time(3, 0)).run()
    assert "Not possible: no rostered crew with the skill furnace." in words(at)
    assert plant().decisions == []


def test_withdraw(open_view: Open) -> None:
    at = open_view("plan", "bare")
    at.button(key="withdraw-offer-0-2038 Bar stock").click().run()
    assert [d.kind for d in plant().decisions] == [DecisionKind.WITHDRAW]


@pytest.mark.parametrize(
    ("kind", "subject", "answer", "check"),
    [
        (
            FactKind.MACHINE_DOWN,
            "press-1",
            "1 h",
            lambda f: (f.machine, f.until - f.at) == ("press-1", timedelta(hours=1)),
        ),
        (FactKind.MATERIAL_LATE, "2056", "Not known", lambda f: (f.job, f.until) == ("2056", None)),
        (FactKind.CREW_MISSING, "late", "8 h", lambda f: f.crew == "late"),
        (FactKind.SCRAP, "2035", "25 %", lambda f: f.share == 0.25),
        (FactKind.STARTED, "2056", "15 min ago", lambda f: gallery.NOW - f.at == timedelta(minutes=15)),
        (FactKind.CANCELLED, "2056", "made elsewhere", lambda f: f.text == "made elsewhere"),
    ],
)
def test_two_taps_report_a_fact_once(
    open_view: Open, kind: FactKind, subject: str, answer: str, check: Callable[..., bool]
) -> None:
    at = open_view("happened")
    at.button(key=f"fact-{kind.value}").click().run()
    at.pills(key=f"which-{kind.value}").set_value(subject).run()
    assert plant().facts == []
    at.pills(key=f"answer-{kind.value}").set_value(answer).run()
    assert "What changes" in words(at)
    assert plant().facts == []
    at.button(key="report").click().run()
    (fact,) = plant().facts
    assert fact.kind is kind
    assert check(fact)
    assert "Reported" in at.success[0].value


def test_the_shift_lead_marks_the_sheet_as_seen(open_view: Open) -> None:
    at = open_view("sheet", role="shift lead")
    at.button(key="seen").click().run()
    assert ("seen", "sheet-31", "shift lead", "shift lead") in plant().calls
    assert "by shift lead" in words(at)


def test_an_assumption_can_be_called_wrong(open_view: Open) -> None:
    at = open_view("journal")
    at.text_area(key="right-tariff.annual").set_value("121.10 since 1 May").run()
    at.button(key="dispute-tariff.annual").click().run()
    assert plant().calls == [("dispute", "tariff.annual", "121.10 since 1 May", "planner", "planner")]


def test_a_standing_refusal_can_be_ended(open_view: Open) -> None:
    at = open_view("journal")
    at.button(key="end-rule-1").click().run()
    assert plant().calls == [("end rule", "rule-1", "planner", "planner")]


def test_an_event_is_typed_in_and_answered(open_view: Open) -> None:
    at = open_view("events")
    at.button(key="accept-ev-1").click().run()
    assert plant().calls == [("answer", "ev-1", True, "planner", "planner")]
    at.radio(key="event-kind").set_value(EventKind.LIMIT)
    at.number_input(key="event-kw").set_value(900.0)
    at.selectbox(key="event-binding").set_value("mandatory")
    at.button(key="event-enter").click().run()
    (event,) = plant().events
    assert (event.kind, event.kw, event.mandatory, event.price_per_kwh) == (EventKind.LIMIT, 900.0, True, None)
    assert event.interval.start == gallery.at("17:00", 20)
    assert event.interval.hours == 2


def test_an_event_that_is_over_is_not_entered(open_view: Open) -> None:
    at = open_view("events")
    at.date_input(key="event-day").set_value(date(2026, 5, 1))
    at.button(key="event-enter").click().run()
    assert "It would already be over." in at.error[0].value
    assert plant().events == []


def test_name_and_role_are_kept_in_the_address(open_view: Open) -> None:
    at = open_view("plan", "bare", who="R. Adler", role="energy manager")
    assert at.session_state["who"] == "R. Adler"
    assert at.session_state["role"] == "energy manager"
    at.text_input(key="who").set_value("S. Braun").run()
    assert at.query_params["who"] == "S. Braun"


def test_an_unknown_role_is_not_believed(open_view: Open) -> None:
    assert open_view("plan", "bare", role="director").session_state["role"] == "planner"


def test_machines_tell_their_waste_and_what_would_help(open_view: Open) -> None:
    text = words(open_view("machines"))
    assert "Furnace 2 needs 6.3 % more energy for the same work (4.8 to 7.8 %) since Thu 7 May" in text
    assert "Switch off between 20:00 and 05:45 on working days: 1,192 kWh, 167 EUR a week" in text
    assert "Not known" in text


def test_a_machine_is_looked_at_on_its_own(open_view: Open) -> None:
    at = open_view("machines")
    assert any("**Rings**, 12 runs" in caption.value for caption in at.caption)  # the one that drifts comes first
    at.segmented_control(key="one-machine").set_value("Press 1").run()
    assert any("**Covers**, 18 runs" in caption.value for caption in at.caption)
    assert not at.exception


def test_the_wall_view_says_what_is_still_allowed(open_view: Open) -> None:
    text = words(open_view("year", wall="1"))
    assert "320<small> kW</small>" in text
    assert "more may be drawn, for 8 min" in text
    assert "Power is not known since 13:51" in words(open_view("year", "meter_dead", wall="1"))

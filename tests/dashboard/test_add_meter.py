"""Adding a meter, step by step, over invented meters and without a browser."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.scanning import Scan
from dashboard.views.add_meter import fitting, found_sentence, id_of, with_fix
from tests.dashboard.found import FIX, NAMELESS, RIGHT, WRONG
from tests.dashboard.gallery import Gallery

MANAGER = {"role": "energy manager", "add": "1"}
Open = Callable[..., AppTest]


def gallery() -> Gallery:
    made = session.service()
    assert isinstance(made, Gallery)
    return made


def text(at: AppTest) -> str:
    """All that the page says."""
    return " ".join(
        str(element.value) for kind in ("markdown", "caption", "success", "error") for element in at.get(kind)
    ) + (" ".join(html.proto.body for html in at.get("html")))


def at_step(open_view: Open, step: str, **state: Any) -> AppTest:
    at = open_view("meters", **MANAGER)
    at.session_state["adding-step"] = step
    for key, value in state.items():
        at.session_state[key.replace("_", "-")] = value
    return at.run()


def over(*found: Any) -> Scan:
    return Scan("192.168.1.40", found=found)


@pytest.mark.parametrize(
    ("role", "roles", "may"),
    [
        ("energy manager", ("planner", "energy manager"), True),
        ("planner", ("planner", "energy manager"), False),
        ("Elektriker (electrician)", ("planner", "Elektriker (electrician)"), True),
        ("planner", ("planner", "shift lead"), True),  # a plant that names no energy people trusts them all
    ],
)
def test_who_adds_meters(role, roles, may):
    assert fitting(role, roles) is may


def test_others_are_told_who_does(open_view: Open):
    at = open_view("meters", role="planner", add="1")
    assert "Meters are added by the plant" in text(at)
    assert "energy manager" in text(at)


@pytest.mark.parametrize(
    ("name", "id"), [("Press 2, infeed", "press-2-infeed"), ("Härteofen Süd", "haerteofen-sued"), ("  ", "")]
)
def test_an_id_is_made_of_the_name(name, id):
    assert id_of(name) == id


def test_the_sentence_of_what_was_found():
    said = found_sentence("192.168.1.40", (RIGHT, WRONG, NAMELESS))
    assert said == (
        "**Three units** answer behind 192.168.1.40: one can be right, one needs a fix and one of no known model."
    )


def test_registers_of_a_fix_are_added_to_those_that_are_there():
    more = replace(FIX, settings=(("registers", {"current_l1": {"at": 2}}),))
    fix = with_fix({"registers": {"power": {"at": 1}}}, more)
    assert fix["registers"] == {"power": {"at": 1}, "current_l1": {"at": 2}}


def test_from_an_address_to_what_answers(open_view: Open):
    at = open_view("meters", **MANAGER)
    at.text_input[0].set_value("192.168.1.40")
    next(b for b in at.button if b.label == "Look").click()
    at.run()
    scan = at.session_state["adding-scan"]
    assert scan.host == "192.168.1.40"
    for _ in range(100):
        if scan.over:
            break
        scan.enough.wait(0.05)
    at.run()
    assert "Siemens SENTRON PAC2200" in text(at)
    assert "Likely fix: the words of its numbers come low word first" in text(at)
    assert "none of the known tables fits" in text(at)
    assert ("scan", "192.168.1.40", "") in gallery().calls


def test_an_address_where_nobody_is_says_what_to_try(open_view: Open):
    at = at_step(open_view, "address", adding_scan=Scan("10.0.0.9", trouble="10.0.0.9:502 does not answer"))
    assert "10.0.0.9:502 does not answer" in text(at)


def test_the_likely_fix_is_a_button_and_can_be_undone(open_view: Open):
    at = at_step(open_view, "found", adding_scan=over(RIGHT, WRONG, NAMELESS))
    at.button(key="choose-1").click().run()
    assert "It does not read right" in text(at)
    at.button(key="fix-0").click().run()
    assert gallery().calls[-1][1]["word_order"] == "low first"
    assert "It can be right" in text(at)
    at.button(key="adding-undo").click().run()
    assert "It does not read right" in text(at)


def test_a_meter_that_falls_silent_is_said_and_asked_again(open_view: Open):
    at = at_step(open_view, "found", adding_scan=over(RIGHT))
    gallery().broken = ("mute",)
    at.button(key="choose-0").click().run()
    assert "It does not answer now" in text(at)


def filled(at: AppTest) -> AppTest:
    at.text_input(key="keep-name").set_value("Press 2, infeed")
    at.text_input(key="keep-place").set_value("Hall B")
    at.number_input(key="keep-connection").set_value(160.0)
    at.selectbox(key="keep-machine").set_value("press-2")
    return at.run()


def test_what_is_kept_is_what_config_yaml_would_say(open_view: Open):
    at = at_step(open_view, "found", adding_scan=over(RIGHT))
    at.button(key="choose-0").click().run()
    assert at.button(key="keep").disabled
    assert "Still needed: a name, the kW of its connection and the machine" in text(at)
    filled(at)
    assert gallery().calls[-1] == ("look", {**dict(RIGHT.settings), "measures": "machine", "connection_kw": 160.0})
    at.button(key="keep").click().run()
    call = next(call for call in gallery().calls if call[0] == "keep")
    assert call[1] == {
        "id": "press-2-infeed",
        "name": "Press 2, infeed",
        **dict(RIGHT.settings),
        "role": "sub",
        "measures": "machine",
        "machine": "press-2",
        "connection_kw": 160.0,
        "place": "Hall B",
        "poll_seconds": 10.0,
    }
    assert call[3] == "energy manager"
    assert "is kept in meters.d/press-2-infeed.yaml" in text(at)
    assert "14 of" in text(at)  # back on the Meters page


def test_a_refusal_says_why_and_keeps_the_form(open_view: Open):
    at = at_step(open_view, "found", adding_scan=over(RIGHT))
    at.button(key="choose-0").click().run()
    gallery().broken = ("keep",)
    filled(at).button(key="keep").click().run()
    assert "ids are unique" in text(at)
    assert at.text_input(key="keep-name").value == "Press 2, infeed"


def test_a_kept_meter_can_be_removed(open_view: Open):
    at = open_view("meters", **MANAGER)
    at.button(key="remove-m-kept").click().run()
    assert ("drop", "m-kept", "energy manager", "energy manager") in gallery().calls
    assert "-kept is no longer read" in text(at)

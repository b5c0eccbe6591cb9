"""The Meters page in its sections and states; what is released, rejected or replaced reaches the service once."""

from collections.abc import Callable
from datetime import date, time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.metering import doubted, table, tree
from energy.reports.doubts import doubt_events
from tests.dashboard import gallery, gallery_meters
from tests.dashboard.test_dashboard_views import words

Open = Callable[..., AppTest]
MANAGER = {"role": "energy manager"}

SAID = (
    # section, state, what it says aloud
    ("meters", "normal", ("one value doubtful", "Main busbar agrees to 0.4 %", "all that was read is here")),
    ("meters", "meters_well", ("All 16 meters answer.", "no values doubtful")),
    ("meters", "meter_dead", ("13 of 16 meters answer; three are silent, the settlement meter among them.",)),
    ("meters", "box_behind", ("18,420", "at hall-c", "the oldest 4 h 15 min old", "hall-c, 18,420 wait")),
    ("tree", "normal", ("88 % explained", "without Shot blasting: silent", "explained by none", "≈ in part modelled")),
    (
        "tree",
        "meter_dead",
        ("Below Feeder hall A, meters count more than flows through it:", "ct_ratio", "too much below"),
    ),
    ("tree", "meters_well", ("explained by none", "662 generated")),
    ("doubted", "meters_well", ("Nothing is doubted.",)),
    (
        "doubted",
        "normal",
        (
            "38 readings from 13:48 to 14:06",
            "Import counter went back by 212.4 kWh",
            "input register 52",
            "0x431C",
            "17180",
        ),
    ),
    ("doubted", "quarantine_full", ("289 wait for a word", "240 readings from 01:00 to 04:59", "(210 of them)")),
    ("bill", "normal", ("One of 14 billed days differs.", "Tue 12 May", "six intervals missed by our meter")),
    ("bill", "meters_well", ("13 billed days, all agree",)),
    ("bill", "meter_dead", ("The network operator's word is not here yet.", "--billing")),
    ("boxes", "normal", ("✓ well", "99 % within 0.42 s", "Press 1 and Press 2")),
    ("boxes", "box_behind", ("Is behind: 18420 readings wait", "64 s ahead", "Has not spoken yet", "timed out")),
    ("boxes", "meter_dead", ("No edge box yet.", "12 dropped since it began")),
    ("boxes", "collector_stopped", ("The collector has stopped: last heard 13:51", "Three of 16 meters answer")),
)


def plant() -> gallery.Gallery:
    service = session.service()
    assert isinstance(service, gallery.Gallery)
    return service


@pytest.mark.parametrize(("section", "state", "said"), SAID)
def test_a_section_says_its_state(open_view: Open, section: str, state: str, said: tuple[str, ...]) -> None:
    at = open_view("meters", state, section=section)
    assert not at.exception
    text = words(at)
    for words_said in said:
        assert words_said in text
    assert "failed" not in text
    assert "nan" not in text.lower().split()


def test_readings_of_one_event_are_released_together(open_view: Open) -> None:
    at = open_view("meters", section="doubted", who="R. Adler", **MANAGER)
    event = doubt_events(gallery_meters.doubts())[0]
    id = doubted.id_of(event)
    assert at.button(key=f"release-{id}").disabled  # not without a reason
    at.pills(key=f"release-why-{id}").set_value("the display says the same").run()
    at.button(key=f"release-{id}").click().run()
    ((word, until),) = plant().releases
    assert (word.meter, word.taken_at, until) == ("m-galvanic", gallery.at("13:48"), event.last)
    assert (word.right, word.by, word.role, word.why) == (
        True,
        "R. Adler",
        "energy manager",
        "the display says the same",
    )
    assert at.success[0].value == "38 readings are released; the intervals follow."
    assert "Doubted 1" in at.get("button_group")[0].proto.options[2].content
    assert "1 waits for a word" in words(at)


def test_one_is_rejected_and_the_mind_may_be_changed(open_view: Open) -> None:
    at = open_view("meters", section="doubted", **MANAGER)
    id = doubted.id_of(doubt_events(gallery_meters.doubts())[1])
    at.text_input(key=f"reject-words-{id}").set_value("welder on the same line").run()
    at.button(key=f"reject-{id}").click().run()
    assert [(word.meter, word.right, word.why, until) for word, until in plant().releases] == [
        ("m-furnace-2", False, "welder on the same line", None)
    ]
    at.pills(key=f"release-why-{id}").set_value("a surge that was real").run()
    at.button(key=f"release-{id}").click().run()
    assert [word.right for word, _ in plant().releases] == [False, True]


def test_a_refused_word_says_why(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_view("meters", section="doubted", **MANAGER)
    plant().broken = ("word",)
    id = doubted.id_of(doubt_events(gallery_meters.doubts())[0])
    at.pills(key=f"reject-why-{id}").set_value("works on the line").run()
    at.button(key=f"reject-{id}").click().run()
    assert "the end lies before the beginning" in at.error[0].value


def test_who_has_no_say_sees_all_and_answers_nothing(open_view: Open) -> None:
    at = open_view("meters", section="doubted", role="shift lead")
    assert "Released or rejected by the plant's energy people." in words(at)
    assert not [button for button in at.button if str(button.key).startswith(("release-", "reject-"))]


def test_a_replaced_meter_is_reported_with_its_stands(open_view: Open) -> None:
    at = open_view("meters", meter="m-press-1", who="R. Adler", **MANAGER)
    assert "The machine says ACTIVE." in words(at)
    assert "81,204.61 → 0.00" in words(at)
    at.date_input(key="exchange-day-m-press-1").set_value(date(2026, 5, 18))
    at.time_input(key="exchange-time-m-press-1").set_value(time(9, 30))
    at.number_input(key="exchange-old_import_kwh-m-press-1").set_value(184_001.5)
    at.number_input(key="exchange-new_import_kwh-m-press-1").set_value(0.25)
    at.text_input(key="exchange-why-m-press-1").set_value("display was broken")
    at.button(key="exchange-send-m-press-1").click().run()
    (said,) = plant().exchanged
    assert (said.meter, said.at, said.reported_at) == ("m-press-1", gallery.at("9:30", 18), gallery.NOW)
    stands = (said.old_import_kwh, said.new_import_kwh, said.old_export_kwh, said.new_export_kwh)
    assert stands == (184_001.5, 0.25, None, None)
    assert (said.by, said.why) == ("R. Adler", "display was broken")
    assert at.success[0].value == "Noted: no import is lost across the exchange."
    assert "184,001.50 → 0.25" in words(at)


def test_an_exchange_that_is_still_to_come_is_refused(open_view: Open) -> None:
    at = open_view("meters", meter="m-press-1", **MANAGER)
    at.time_input(key="exchange-time-m-press-1").set_value(time(23, 0))
    at.button(key="exchange-send-m-press-1").click().run()
    assert "still to come" in at.error[0].value
    assert plant().exchanged == []


@pytest.mark.parametrize(
    ("meter", "said"),
    [
        (
            "m-compressor-2",
            ("Compressor 2 is silent: no good value since 13:42.", "1 source: verify: compare with the display"),
        ),
        ("offices", ("reckoned, no wire", "+ Main busbar − Feeder hall A − Hall lighting, HVAC")),
        ("m-galvanic", ("38 wait for a word", "hall-c", "Grid connection")),
        ("nowhere", ("there is no meter 'nowhere'",)),
    ],
)
def test_one_meter_is_shown_whole(open_view: Open, meter: str, said: tuple[str, ...]) -> None:
    at = open_view("meters", meter=meter)
    assert not at.exception
    for words_said in said:
        assert words_said in words(at)
    at.button(key="all-meters").click().run()
    assert "14 of 16 meters answer" in words(at)


def test_a_meter_behind_a_box_says_what_is_wrong_with_the_box(open_view: Open) -> None:
    text = words(open_view("meters", "box_behind", meter="m-galvanic"))
    assert "It comes over the edge box hall-c, which is behind: 18420 readings wait" in text


def test_the_tree_adds_up_and_shows_the_largest_first() -> None:
    (grid,) = [branch for branch in tree.branches(gallery_meters.tree()) if branch.below]
    energies = [abs(child.node.net_kwh or 0.0) for child in grid.below]
    assert energies == sorted(energies, reverse=True)
    below = sum(child.node.net_kwh or 0.0 for child in grid.below)
    assert below == grid.node.below_kwh
    (feeder,) = [child for child in grid.below if child.below]
    assert [child.node.meter.name for child in feeder.below] == ["Furnace 1", "Furnace 3", "Furnace 2"]


def test_every_meter_stands_in_the_download_with_how_well_it_is_known() -> None:
    lines = table.download(gallery_meters.meters_page()).splitlines()
    assert len(lines) == 1 + len(gallery_meters.METERS)
    (light,) = [line for line in lines if line.startswith("m-light,")]
    assert light.endswith("1 source: verify,1 source: verify")


def test_a_virtual_meter_is_marked_and_a_rejected_value_too() -> None:
    page = gallery_meters.meters_page()
    virtual = next(row for row in page.rows if row.meter.parts)
    assert table.role(virtual) == "Σ virtual"
    assert set(table.SIGN) == set(table.WORST)


def test_the_gallery_answers_all_that_the_screens_may_ask() -> None:
    from energy.service import EnergyService

    asked = [name for name, call in vars(EnergyService).items() if callable(call) and not name.startswith("_")]
    assert [name for name in asked if not callable(getattr(gallery.Gallery, name, None))] == []

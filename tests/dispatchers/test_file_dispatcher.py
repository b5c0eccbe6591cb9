"""Instructions in files: one row and one calendar event a job, whatever is sent twice."""

import csv
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.clock import HeldClock
from energy.dispatchers import file
from energy.dispatchers.ical import CalendarEvent, calendar_text, escaped, folded, read_events
from energy.model.job import Planned
from energy.model.proposal import Instruction
from energy.model.site import Machine, Site
from energy.ports import Context

NOW = datetime(2026, 5, 18, 12, tzinfo=UTC)
SITE = Site(
    id="plant-2",
    name="Plant",
    zone="Europe/Berlin",
    currency="EUR",
    import_limit_kw=1000,
    export_limit_kw=0,
    machines=(Machine(id="furnace-1", name="Furnace 1, hall A", group="furnaces"),),
)


def instruction(id="i1", job="2031", hour=20, text="Coil rings start 4 h later; saves 21 EUR"):
    start = datetime(2026, 5, 18, hour, tzinfo=UTC)
    new = Planned(job=job, machine="furnace-1", start=start, end=start + timedelta(hours=2), mode="eco")
    old = Planned(job=job, machine="furnace-2", start=start - timedelta(hours=4), end=start)
    return Instruction(id=id, offer="o1", planned=new, old=old, text=text)


@pytest.fixture
def dispatcher(tmp_path):
    context = Context(site=SITE, clock=HeldClock(NOW), folder=str(tmp_path))
    return file.build(file.Settings(folder=Path("out")), context)


def rows(dispatcher):
    with (dispatcher.folder / "instructions.csv").open(newline="") as opened:
        return list(csv.DictReader(opened))


def events(dispatcher) -> list[dict[str, str]]:
    """The calendar as another program would read it: lines unfolded, then name:value."""
    raw = (dispatcher.folder / "plan.ics").read_bytes()
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    lines = re.sub("\r\n[ \t]", "", raw.decode()).split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    found: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, value)
    return found


def test_the_row_has_exactly_these_columns(dispatcher):
    (receipt,) = dispatcher.send([instruction()], SITE)
    assert (receipt.instruction, receipt.dispatcher, receipt.at, receipt.ok) == ("i1", "file", NOW, True)
    assert (dispatcher.folder / "instructions.csv").read_text().splitlines() == [
        "instruction,offer,job,machine,mode,start,end,old_machine,old_start,text",
        "i1,o1,2031,furnace-1,eco,2026-05-18T20:00:00+00:00,2026-05-18T22:00:00+00:00,furnace-2,"
        "2026-05-18T16:00:00+00:00,Coil rings start 4 h later; saves 21 EUR",
    ]


def test_the_calendar_has_the_job_with_a_uid_that_stays(dispatcher):
    dispatcher.send([instruction()], SITE)
    (event,) = events(dispatcher)
    assert event["UID"] == "2031@plant-2.loadstone"
    assert (event["DTSTART"], event["DTEND"]) == ("20260518T200000Z", "20260518T220000Z")
    assert (event["DTSTAMP"], event["SEQUENCE"]) == ("20260518T120000Z", "0")
    assert event["SUMMARY"] == r"Furnace 1\, hall A: 2031 (eco)"
    assert event["DESCRIPTION"] == r"Coil rings start 4 h later\; saves 21 EUR"


def test_the_same_instruction_twice_is_one(dispatcher):
    dispatcher.send([instruction()], SITE)
    before = {path.name: path.read_bytes() for path in dispatcher.folder.iterdir()}
    dispatcher.clock.advance(timedelta(hours=1))
    assert dispatcher.send([instruction()], SITE)[0].ok
    assert {path.name: path.read_bytes() for path in dispatcher.folder.iterdir()} == before


def test_a_newer_instruction_takes_the_place_of_the_older_one_of_its_job(dispatcher):
    dispatcher.send([instruction(), instruction(id="i2", job="2032")], SITE)
    dispatcher.send([instruction(id="i3", hour=22)], SITE)
    assert [(row["instruction"], row["job"]) for row in rows(dispatcher)] == [("i3", "2031"), ("i2", "2032")]
    moved = next(event for event in events(dispatcher) if event["UID"].startswith("2031@"))
    assert (moved["DTSTART"], moved["SEQUENCE"]) == ("20260518T220000Z", "1")


def test_jobs_long_over_are_dropped(dispatcher):
    dispatcher.send([instruction()], SITE)
    dispatcher.clock.advance(timedelta(days=61))
    dispatcher.send([replace(instruction(id="i2", job="2032"))], SITE)
    assert [row["job"] for row in rows(dispatcher)] == ["2032"]
    assert len(events(dispatcher)) == 1


def test_another_file_in_its_place_is_left_alone_and_the_receipt_says_so(dispatcher):
    dispatcher.folder.mkdir()
    (dispatcher.folder / "instructions.csv").write_text("my,own\n1,2\n")
    (receipt,) = dispatcher.send([instruction()], SITE)
    assert not receipt.ok
    assert "is not a file of instructions; move it away" in receipt.note
    assert (dispatcher.folder / "instructions.csv").read_text() == "my,own\n1,2\n"


def test_a_folder_that_cannot_be_written_is_a_receipt_not_a_crash(dispatcher):
    dispatcher.folder.write_text("a file where the folder should be")
    (receipt,) = dispatcher.send([instruction()], SITE)
    assert not receipt.ok
    assert receipt.note


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=200)


@settings(max_examples=60, deadline=None)
@given(texts)
def test_any_text_comes_back_from_a_folded_line(text):
    line = folded(f"DESCRIPTION:{escaped(text)}")
    assert all(len(part.encode()) <= 75 for part in line.split("\r\n"))
    event = CalendarEvent(
        uid="u", instruction="i", stamp=NOW, sequence=3, start=NOW, end=NOW, summary=text, description=text, location=""
    )
    assert read_events(calendar_text({"u": event})) == {"u": event}

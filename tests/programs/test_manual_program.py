"""Events put as files into a folder."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from energy.clock import HeldClock
from energy.model.event import EventKind
from energy.model.site import Site
from energy.ports import Context
from energy.programs import manual

SITE = Site(id="p", name="P", zone="Europe/Berlin", currency="EUR", import_limit_kw=1, export_limit_kw=0)


@pytest.fixture
def program(tmp_path):
    context = Context(site=SITE, clock=HeldClock(datetime(2026, 7, 1, tzinfo=UTC)), folder=str(tmp_path))
    (tmp_path / "events").mkdir()
    return manual.build(manual.Settings(folder=Path("events")), context)


def put(program, name, text):
    (program.folder / name).write_text(text)


def test_without_a_folder_it_has_none_of_its_own():
    context = Context(site=SITE, clock=HeldClock(datetime(2026, 7, 1, tzinfo=UTC)))
    assert manual.build(manual.Settings(), context).events() == ()


def test_events_from_yaml_and_csv(program):
    put(program, "heat.yaml", "- {id: heat, kind: limit, start: 2026-07-02 17:00, end: 2026-07-02 20:00, kw: 900}\n")
    put(
        program,
        "paid.csv",
        "id,kind,start,end,kw,price_per_kwh\np1,Reduction,2026-07-03 17:00,2026-07-03 18:00,100,0.4\n",
    )
    heat, paid = program.events()
    assert program.bad == ()
    assert (heat.id, heat.kind, heat.kw, heat.mandatory, heat.price_per_kwh) == (
        "heat",
        EventKind.LIMIT,
        900,
        True,
        None,
    )
    assert heat.interval.start == datetime(2026, 7, 2, 15, tzinfo=UTC)
    assert (paid.kind, paid.mandatory, paid.price_per_kwh) == (EventKind.REDUCTION, False, 0.4)
    assert program.events() == (heat, paid)


def test_what_is_wrong_is_named_and_the_rest_kept(program):
    good = "- {id: a, kind: limit, start: 2026-07-02 17:00, end: 2026-07-02 20:00, kw: 900}\n"
    put(program, "1.yaml", good + "- {id: b, kind: limits, start: 2026-07-02 17:00, end: 2026-07-02 16:00, kw: -1}\n")
    put(program, "2.yaml", good)
    put(program, "3.yaml", "- {id: c, kinds: limit}\n")
    put(program, "4.yaml", "[:\n")
    put(program, "notes.txt", "not an event")
    assert [event.id for event in program.events()] == ["a"]
    assert [(m.where, m.what) for m in program.bad[:5]] == [
        ("1.yaml: line 2, column kind", "'limits' is neither a limit nor a reduction; did you mean 'limit'?"),
        ("1.yaml: line 2, column kw", "'-1' is below zero"),
        ("1.yaml: line 2, column end", "is not after the start"),
        ("2.yaml", "event 'a' is there already; ids are unique"),
        ("3.yaml: event 1", "unknown key 'kinds'; did you mean 'kind'?"),
    ]
    assert program.bad[5].where.startswith("4.yaml: line")

"""Doubted readings by what happened, the collector by its note, and the list that leads to both."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.collector import COLLECTOR_NOTE
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Release, Role
from energy.reports.attention import attention
from energy.reports.collector import collector_state
from energy.reports.doubts import DoubtRow, doubt_events
from energy.reports.meter_state import meter_states, running
from energy.reports.meters import judged
from energy.reports.prices import prices
from energy.reports.situation import planning_horizon
from meters.collector import Standing, as_note
from meters.edge import Settings as Edge
from meters.pace import Pace
from tests.loop.plant import SmallPlant

DAY = date(2026, 10, 26)
T0 = datetime(2026, 5, 20, 8, tzinfo=UTC)
PRESS = Meter(id="m-press", name="Press", role=Role.SUB, measures=Measures.MACHINE, connection_kw=200)
OVEN = replace(PRESS, id="m-oven", name="Oven")
BACK = "import went back by {} kWh"


def row(
    minutes: float, reason: str = "import went back by 3.0 kWh", meter: Meter = PRESS, said: bool | None = None
) -> DoubtRow:
    at = T0 + timedelta(minutes=minutes)
    quality = ReadingQuality.SUSPECT
    words: tuple[Release, ...] = ()
    if said is not None:
        quality = ReadingQuality.RELEASED if said else ReadingQuality.REJECTED
        words = (Release(meter=meter.id, taken_at=at, right=said, at=T0 + timedelta(days=1), by="Ada"),)
    return DoubtRow(
        meter=meter, reading=Reading(meter=meter.id, taken_at=at, quality=quality), reason=reason, words=words
    )


def shape(rows: list[DoubtRow]) -> list[tuple[str, int]]:
    return [(event.meter.id, len(event.rows)) for event in doubt_events(rows)]


def test_readings_close_together_are_one_event_and_others_are_not() -> None:
    assert shape([row(0), row(1), row(2)]) == [("m-press", 3)]
    assert shape([row(0), row(14), row(30)]) == [("m-press", 1), ("m-press", 2)]  # newest first
    assert shape([row(0), row(1, meter=OVEN), row(2)]) == [("m-press", 2), ("m-oven", 1)]
    assert shape([row(0), row(1, said=False), row(2)]) == [("m-press", 1), ("m-press", 1), ("m-press", 1)]


def test_what_waits_comes_before_what_was_answered() -> None:
    events = doubt_events([row(0), row(60, said=True)])
    assert [event.open for event in events] == [True, False]
    assert events[1].word is not None
    assert events[1].word.right


def test_reasons_that_differ_in_their_figures_are_one() -> None:
    (event,) = doubt_events(
        [row(0, BACK.format("3.0")), row(1, BACK.format("2.5")), row(2, "900.0 kW is more than 200 kW")]
    )
    assert event.reasons == (("import went back by 3.0 kWh", 2), ("900.0 kW is more than 200 kW", 1))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from([None, True, False])), max_size=30, unique_by=lambda one: one[0]
    )
)
def test_one_word_from_the_first_to_the_last_speaks_of_its_event_alone(said: list[tuple[int, bool | None]]) -> None:
    rows = [row(minutes, said=word) for minutes, word in said]
    events = doubt_events(rows)
    assert sum(len(event.rows) for event in events) == len(rows)
    for event in events:
        inside = [one for one in rows if event.first <= one.reading.taken_at <= event.last]
        assert sorted(one.reading.taken_at for one in inside) == [one.reading.taken_at for one in event.rows]
        assert len({one.reading.quality for one in event.rows}) == 1


def test_a_released_value_is_good_and_a_rejected_one_says_who_rejected_it(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path, start=DAY)
    plant.live_to(plant.clock.now() + timedelta(minutes=20))
    now = plant.clock.now()
    newest = plant.store.readings.latest()["grid"]
    doubted = replace(
        newest, taken_at=now + timedelta(seconds=1), quality=ReadingQuality.SUSPECT, note="counter jumped"
    )
    plant.store.readings.add([doubted])

    def state() -> tuple[str, str]:
        (one,) = (s for s in meter_states(plant.store, now + timedelta(seconds=2)) if s.meter.id == "grid")
        return judged(one, plant.service.house.site.zone, now)

    assert state() == ("suspect", "newest value not used (counter jumped)")
    told = waiting(plant)
    assert told == [("1 doubted reading waits for a word", (("section", "doubted"),))]
    word = Release(meter="grid", taken_at=doubted.taken_at, right=False, at=now, by="Ada", why="gateway")
    plant.service.release(word)
    assert state()[0] == "rejected"
    assert "Ada" in state()[1]
    assert waiting(plant) == []
    plant.service.release(replace(word, right=True, at=now + timedelta(seconds=5)))
    assert state()[0] == "released"


def waiting(plant: SmallPlant) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [(one.title, one.query) for one in listed(plant) if "doubted" in one.title]


def listed(plant: SmallPlant) -> list:
    h, now = plant.service.house, plant.clock.now()
    states, quarter = meter_states(h.store, now), running(h.store, h.rules, now)
    return list(
        attention(h.store, h.rules, now, None, states, quarter, prices(h.store, h.rules, planning_horizon(now, h.site)))
    )


def test_the_collector_is_known_by_the_note_that_it_keeps(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path, start=DAY)
    now = plant.clock.now()
    assert collector_state(plant.store, meter_states(plant.store, now), now) is None
    pace = Pace()
    for seconds in (0.01, 0.02, 0.5):
        pace.took(seconds)
    pace.missed = 1
    standing = Standing(at=now, meters=3, lately=pace, in_all=Pace(), kept=3, dropped=0, waiting=2)
    plant.store.note(COLLECTOR_NOTE, as_note(standing))
    state = collector_state(plant.store, meter_states(plant.store, now), now)
    assert state is not None
    assert (state.meters, state.waiting, state.lately.missed_share, state.stopped) == (3, 2, 0.25, False)
    assert state.lately.latest_seconds == 0.5
    assert state.in_all.latest_seconds is None
    assert state.in_all.missed_share is None


def test_a_collector_has_stopped_where_it_and_all_its_meters_are_silent(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path, start=DAY)
    plant.live_to(plant.clock.now() + timedelta(minutes=20))
    before, later = plant.clock.now(), plant.clock.now() + timedelta(minutes=10)
    standing = Standing(at=before, meters=3, lately=Pace(), in_all=Pace(), kept=0, dropped=0, waiting=0)
    plant.store.note(COLLECTOR_NOTE, as_note(standing))
    spoken, silent = meter_states(plant.store, before), meter_states(plant.store, later)

    def stopped(states: list, at: datetime) -> bool:
        found = collector_state(plant.store, states, at)
        assert found is not None
        return found.stopped

    assert not stopped(spoken, later)  # an old note alone says nothing: a plant's time may run fast
    assert stopped(silent, later)
    assert not stopped(silent, before)


def test_a_meter_read_by_a_box_knows_it() -> None:
    assert Edge(id="m-press", box="hall-3").complete(PRESS).box == "hall-3"

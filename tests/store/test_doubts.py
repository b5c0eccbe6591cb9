"""Doubted readings, what people say of them, and exchanged meters: the same on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from energy.model.horizon import Interval
from energy.model.meter import Exchange, Reading, ReadingQuality, Release
from energy.store.store import Store

T0 = datetime(2026, 5, 20, tzinfo=UTC)
DAY = Interval(T0, T0 + timedelta(days=1))
SUSPECT, RELEASED, REJECTED = ReadingQuality.SUSPECT, ReadingQuality.RELEASED, ReadingQuality.REJECTED


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def reading(hours: float, quality: ReadingQuality = ReadingQuality.GOOD, meter: str = "grid") -> Reading:
    note = "counter jumped" if quality is SUSPECT else ""
    return Reading(meter=meter, taken_at=at(hours), import_kwh=100 + hours, quality=quality, note=note, raw="{}")


def word(hours: float, right: bool, said: float, meter: str = "grid") -> Release:
    return Release(
        meter=meter, taken_at=at(hours), right=right, at=at(said), by="Ada", role="energy manager", why="seen"
    )


def qualities(store: Store, meter: str = "grid") -> list[ReadingQuality]:
    return [said.quality for said in store.readings.of(meter, DAY)]


@pytest.fixture
def doubted(store: Store) -> Store:
    store.readings.add([reading(0), reading(1, SUSPECT), reading(2, SUSPECT), reading(3)])
    store.readings.add([reading(1, SUSPECT, "pv")])
    return store


def test_the_newest_word_on_a_doubted_reading_counts(doubted: Store) -> None:
    assert doubted.releases.add(word(1, True, 5))
    assert not doubted.releases.add(word(1, True, 5))  # a double click
    assert qualities(doubted) == [ReadingQuality.GOOD, RELEASED, SUSPECT, ReadingQuality.GOOD]
    assert doubted.releases.add(word(1, False, 6))
    assert doubted.releases.add(word(2, False, 6))
    assert doubted.releases.add(word(2, True, 5.5))  # came late, was said earlier
    assert qualities(doubted) == [ReadingQuality.GOOD, REJECTED, REJECTED, ReadingQuality.GOOD]
    assert qualities(doubted, "pv") == [SUSPECT]  # another meter at the same moment


def test_a_word_is_shown_with_who_and_why_and_changes_nothing_that_was_kept(doubted: Store) -> None:
    doubted.releases.add(word(1, True, 5))
    said = doubted.readings.of("grid", DAY)[1]
    assert said.note == "released by Ada (energy manager): seen; was doubted: counter jumped"
    assert replace(said, quality=SUSPECT, note="counter jumped") == reading(1, SUSPECT)
    assert doubted.readings.doubted("grid", DAY) == [said, reading(2, SUSPECT)]


def test_a_word_on_a_good_or_unknown_reading_changes_nothing(doubted: Store) -> None:
    doubted.releases.add(word(3, False, 5))
    doubted.releases.add(word(9, True, 5))
    assert qualities(doubted)[-1] is ReadingQuality.GOOD
    assert doubted.readings.good_before("grid", at(20)) == reading(3)


def test_a_released_reading_is_the_newest_that_counts(doubted: Store) -> None:
    assert doubted.readings.good_before("grid", at(3)) == reading(0)
    doubted.releases.add(word(1, True, 5))
    doubted.releases.add(word(2, False, 5))
    newest = doubted.readings.good_before("grid", at(3))
    assert newest is not None
    assert (newest.taken_at, newest.quality) == (at(1), RELEASED)
    doubted.releases.add(word(1, False, 6))
    assert doubted.readings.good_before("grid", at(3)) == reading(0)
    assert doubted.readings.good_before("grid", at(4)) == reading(3)


def test_the_newest_that_count_of_all_meters(doubted: Store) -> None:
    assert doubted.readings.last_good() == {"grid": reading(3)}
    doubted.releases.add(word(1, True, 5, meter="pv"))
    assert [said.quality for said in doubted.readings.last_good().values()] == [ReadingQuality.GOOD, RELEASED]


def test_the_latest_reading_shows_the_word_on_it(doubted: Store) -> None:
    doubted.releases.add(word(1, True, 5, meter="pv"))
    latest = doubted.readings.latest()
    assert (latest["grid"].quality, latest["pv"].quality) == (ReadingQuality.GOOD, RELEASED)


def test_words_are_found_by_when_they_were_said(doubted: Store) -> None:
    words = [word(2, True, 5), word(1, False, 6), word(1, True, 7, meter="pv")]
    for one in reversed(words):
        doubted.releases.add(one)
    assert doubted.releases.said() == words
    assert doubted.releases.said(at(6)) == words[1:]
    assert doubted.releases.of("grid", DAY) == words[:2]


def test_each_plant_hears_its_own_words(open_store: Callable[..., Store]) -> None:
    here, there = open_store("here"), open_store("there")
    for store in (here, there):
        store.readings.add([reading(1, SUSPECT)])
    here.releases.add(word(1, True, 5))
    assert (qualities(here), qualities(there)) == ([RELEASED], [SUSPECT])
    assert there.readings.good_before("grid", at(3)) is None


def test_a_clock_that_was_set_is_found_again(doubted: Store) -> None:
    stepped = replace(reading(4), clock_step_seconds=-3600.0)
    doubted.readings.add([stepped, reading(5)])
    assert doubted.readings.clock_steps("grid", DAY) == [stepped]
    assert doubted.readings.of("grid", DAY)[4] == stepped


def test_sqlite_finds_the_few_doubted_ones_by_an_index_of_their_own() -> None:
    store = Store.open("sqlite://", "plant")
    asked: list[str] = []
    engine = store._database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _cur, said, *_: asked.append(said))
    store.readings.doubted("grid", DAY)
    store.readings.clock_steps("grid", DAY)
    selects = [said for said in asked if said.startswith("SELECT")]
    with engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", ("x",) * said.count("?")) for said in selects]
        ways = [" ".join(row[3] for row in plan) for plan in plans]
    assert ["ix_reading_doubted" in ways[0], "ix_reading_clock_set" in ways[1]] == [True, True], ways


def test_exchanges_are_kept_once_and_the_later_report_of_the_same_moment_counts(store: Store) -> None:
    first = Exchange(id="a", meter="grid", at=at(1), old_import_kwh=100, new_import_kwh=0, reported_at=at(2), by="Ada")
    other = Exchange(id="b", meter="grid", at=at(5), old_import_kwh=7, new_import_kwh=0, reported_at=at(6))
    right = replace(first, id="c", old_import_kwh=101.0, reported_at=at(7))
    assert [store.exchanges.add(one) for one in (right, first, first, other)] == [True, True, False, True]
    assert store.exchanges.of("grid", DAY) == [right, other]
    assert store.exchanges.of("grid", Interval(at(2), at(9))) == [other]
    assert store.exchanges.of("pv", DAY) == []
    assert store.exchanges.said() == [first, other, right]

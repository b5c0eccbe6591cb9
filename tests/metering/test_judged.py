"""From readings to intervals and back to people: what somebody says of a reading or a meter restates what it touches."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy.errors import LoadstoneError
from energy.model.horizon import Interval
from energy.model.meter import (
    Exchange,
    IntervalEnergy,
    Measures,
    Meter,
    Part,
    Quality,
    Reading,
    ReadingQuality,
    Release,
    Role,
)
from energy.model.site import Site
from energy.reports.doubts import RawLine, doubt_rows, raw_lines
from energy.steps import judge
from energy.steps.collect import collect, first_open
from energy.steps.late import GAPS_NOTE
from energy.store import Store

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(hours=9)
SITE = Site(id="plant", name="Plant", zone="Europe/Berlin", currency="EUR", import_limit_kw=500, export_limit_kw=500)
METER = Meter(id="m", name="m", role=Role.SETTLEMENT, measures=Measures.GRID, connection_kw=400)


def reading(minute: float, kwh: float, quality: ReadingQuality = ReadingQuality.GOOD, raw: str = "") -> Reading:
    note = "import counter jumped" if quality is ReadingQuality.SUSPECT else ""
    at = NOON + timedelta(minutes=minute)
    return Reading(meter="m", taken_at=at, import_kwh=kwh, quality=quality, note=note, raw=raw)


def word(minute: float, *, right: bool = True, by: str = "Ada", at: datetime = NOW) -> Release:
    taken_at = NOON + timedelta(minutes=minute)
    return Release(meter="m", taken_at=taken_at, right=right, at=at, by=by, role="energy manager", why="seen")


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://", "plant") as opened:
        opened.put_meters([METER])
        yield opened


def collected(store: Store, now: datetime = NOW) -> list[tuple[float | None, Quality]]:
    collect(store, site=SITE, now=now, raw_days=7, raw_bytes=10**9)
    return [(one.import_kwh, one.quality) for one in store.intervals.of("m", Interval(NOON, NOON + timedelta(hours=3)))]


M, S, X = Quality.MEASURED, Quality.SPREAD, Quality.MISSING


def test_a_released_reading_restates_its_intervals_however_old_it_is(store: Store) -> None:
    doubted = reading(30, 150, ReadingQuality.SUSPECT)
    store.readings.add([reading(-15, 90), reading(0, 100), doubted, reading(60, 160), reading(530, 900)])
    assert collected(store)[:4] == [(15, S)] * 4
    assert judge.release(store, word(30)) == "1 reading is released; the intervals follow."
    assert collected(store)[:4] == [(25, S), (25, S), (5, S), (5, S)]
    judge.release(store, word(30, right=False, at=NOW + timedelta(minutes=5)))
    assert collected(store)[:4] == [(15, S)] * 4


def test_a_word_whose_reckoning_was_cut_off_is_reckoned_in_the_next_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubted = reading(30, 150, ReadingQuality.SUSPECT)
    store.readings.add([reading(-15, 90), reading(0, 100), doubted, reading(60, 160), reading(530, 900)])
    collected(store)
    judge.release(store, word(30))
    with monkeypatch.context() as cut:
        cut.setattr("energy.steps.collect.collect_meter", _no_power)
        with pytest.raises(KeyboardInterrupt):
            collected(store)
    assert collected(store)[:4] == [(25, S), (25, S), (5, S), (5, S)]


def _no_power(*_args: object, **_more: object) -> int:
    raise KeyboardInterrupt


def test_of_a_meter_that_never_said_a_counter_nothing_is_read_again_each_round(store: Store) -> None:
    silent = [
        Reading(meter="m", taken_at=NOON + timedelta(minutes=minute), quality=ReadingQuality.NO_ANSWER, note="dead")
        for minute in range(30)
    ]
    store.readings.add([*silent, Reading(meter="m", taken_at=NOON + timedelta(minutes=31), power_kw=3.0)])
    assert first_open(store, METER, NOW, timedelta(minutes=15), timedelta(hours=6)) is None
    store.readings.add([reading(40, 100)])
    assert first_open(store, METER, NOW, timedelta(minutes=15), timedelta(hours=6)) == NOON + timedelta(minutes=45)


def test_what_is_known_already_is_not_reckoned_again(store: Store) -> None:
    store.readings.add(
        [
            reading(-15, 90),
            reading(0, 100),
            reading(30, 150, ReadingQuality.SUSPECT),
            reading(60, 160),
            reading(530, 900),
        ]
    )
    judge.release(store, word(30))
    collected(store)
    said = IntervalEnergy(meter="m", start=NOON, minutes=15, import_kwh=7, export_kwh=None, quality=M)
    store.intervals.put([said], NOW + timedelta(minutes=1))
    assert collected(store, NOW + timedelta(minutes=2))[0] == (7, M)


def test_what_a_file_of_the_network_operator_said_stays(store: Store) -> None:
    store.readings.add(
        [
            reading(-15, 90),
            reading(0, 100),
            reading(30, 150, ReadingQuality.SUSPECT),
            reading(60, 160),
            reading(530, 900),
        ]
    )
    collected(store)
    said = IntervalEnergy(meter="m", start=NOON, minutes=15, import_kwh=7, export_kwh=None, quality=Quality.IMPORTED)
    store.intervals.put([said], NOW)
    judge.release(store, word(30))
    assert collected(store)[:2] == [(7, Quality.IMPORTED), (25, S)]


def test_an_exchange_with_both_stands_loses_nothing(store: Store) -> None:
    """The old meter went on to 112, the new one began at 3: 2 + 5 kWh between the readings around the exchange."""
    store.readings.add(
        [reading(-15, 90), reading(0, 100), reading(15, 110), reading(45, 8), reading(60, 12), reading(530, 90)]
    )
    assert collected(store)[:4] == [(10, M), (None, X), (None, X), (4, M)]
    done = Exchange(
        id="x",
        meter="m",
        at=NOON + timedelta(minutes=33),
        old_import_kwh=112,
        new_import_kwh=3,
        reported_at=NOW,
        by="Ada",
    )
    assert judge.exchange(store, done) == "Noted: no import is lost across the exchange."
    assert collected(store)[:4] == [(10, M), (3.5, S), (3.5, S), (4, M)]
    assert judge.exchange(store, done) == "That exchange is known already."


@pytest.mark.parametrize(
    ("old", "new"), [(112, None), (None, None), (109, 3), (112, 9), (5000, 3)]
)  # a stand is missing, or cannot be
def test_an_exchange_that_does_not_fit_leaves_the_gap(store: Store, old: float | None, new: float | None) -> None:
    store.readings.add(
        [reading(-15, 90), reading(0, 100), reading(15, 110), reading(45, 8), reading(60, 12), reading(530, 90)]
    )
    at = NOON + timedelta(minutes=33)
    done = Exchange(id="x", meter="m", at=at, old_import_kwh=old, new_import_kwh=new, reported_at=NOW, by="Ada")
    assert "stays unknown" in judge.exchange(store, done)
    assert collected(store)[:4] == [(10, M), (None, X), (None, X), (4, M)]


def test_a_meter_that_stands_where_the_old_one_did_is_cut_all_the_same(store: Store) -> None:
    """The old one went on to 115, the new one began at 118: 5 + 2 kWh flowed, not the 10 that the stands differ by."""
    store.readings.add(
        [reading(-15, 90), reading(0, 100), reading(15, 110), reading(45, 120), reading(60, 124), reading(530, 190)]
    )
    at = NOON + timedelta(minutes=33)
    done = Exchange(id="x", meter="m", at=at, old_import_kwh=115, new_import_kwh=118, reported_at=NOW, by="Ada")
    assert judge.exchange(store, done) == "Noted: no import is lost across the exchange."
    assert collected(store)[:4] == [(10, M), (3.5, S), (3.5, S), (4, M)]


def test_the_journal_says_who_and_why(store: Store) -> None:
    store.readings.add([reading(minute, 5000, ReadingQuality.SUSPECT) for minute in (1, 2, 3)])
    judge.release(store, word(1, right=False), until=NOON + timedelta(minutes=2))
    entry = store.journal.read()[0]
    assert (entry.who, entry.role, entry.what, entry.subject) == ("Ada", "energy manager", "readings rejected", "m")
    assert entry.detail == "2 from 2026-05-18 12:01:00 to 2026-05-18 12:02:00 UTC: seen"
    assert [row.reading.quality.value for row in doubt_rows(store, NOW)] == ["suspect", "rejected", "rejected"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (replace(word(1), meter="x"), "there is no meter 'x'; known: m"),
        (word(1, by=" "), "a word without a name is not kept"),
        (word(0), "is good: only doubted ones are spoken of"),
        (
            word(2),
            r"has no reading of 2026-05-18T12:02:00\+00:00; the doubted one next to it is of 2026-05-18T12:01:00",
        ),
    ],
)
def test_a_word_on_nothing_is_refused(store: Store, said: Release, told: str) -> None:
    store.readings.add([reading(0, 100), reading(1, 5000, ReadingQuality.SUSPECT)])
    with pytest.raises(LoadstoneError, match=told):
        judge.release(store, said)


def test_quarantine_shows_the_reason_and_what_lay_on_the_wire(store: Store) -> None:
    store.readings.add([reading(0, 100), reading(1, 5000, ReadingQuality.SUSPECT, '{"4": {"52": 18718, "53": 256}}')])
    (row,) = doubt_rows(store, NOW)
    assert (row.reason, row.open) == ("import counter jumped", True)
    assert row.raw == (
        RawLine(where="input register 52", what="0x491E", number=18718),
        RawLine(where="input register 53", what="0x0100", number=256),
    )
    judge.release(store, word(1))
    (row,) = doubt_rows(store, NOW, "m")
    assert (row.reason, row.open, row.words) == ("import counter jumped", False, (word(1),))
    assert doubt_rows(store, NOW, "other") == ()


def test_a_message_is_shown_as_it_came() -> None:
    assert raw_lines("") == ()
    assert raw_lines("kWh=12\nkW=3") == (RawLine(where="message", what="kWh=12"), RawLine(where="message", what="kW=3"))
    assert raw_lines('{"energy": 12}') == (RawLine(where="message", what='{"energy": 12}'),)
    assert raw_lines("[1, 2]") == (RawLine(where="message", what="[1, 2]"),)


def test_an_hour_that_the_clock_showed_twice_is_missing_in_later_rounds_too(store: Store) -> None:
    """12:00 to 13:00, then the clock is set back to 12:00 and goes on; the counter counts 1 kWh a minute."""
    first = [reading(minute, 100 + minute) for minute in range(61)]
    again = [reading(minute + 0.01, 161 + minute) for minute in range(600)]
    again[0] = replace(again[0], clock_step_seconds=-3600.0)
    store.readings.add([*first, *again])
    known = collected(store)
    assert [quality for _, quality in known[:4]] == [X] * 4
    assert known[5][0] == pytest.approx(15)
    for hours in (10, 12, 16):  # the window of a round begins in that hour or after it
        assert collected(store, NOON + timedelta(hours=hours) - timedelta(hours=3.5)) == known


# ---- a round that has nothing to do


def asked_for(store: Store, monkeypatch: pytest.MonkeyPatch, now: datetime = NOW) -> list[str]:
    """The meters whose readings a round goes through."""
    asked: list[str] = []
    of = store.readings.of

    def noted(meter: str, span: Interval) -> list[Reading]:
        asked.append(meter)
        return of(meter, span)

    with monkeypatch.context() as patched:
        patched.setattr(store.readings, "of", noted)
        collected(store, now)
    return asked


def test_a_round_goes_through_readings_only_where_something_is_new(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = NOON + timedelta(minutes=60)
    store.readings.add([reading(minute, 100 + minute / 6) for minute in range(0, 62)])
    assert asked_for(store, monkeypatch, edge + timedelta(minutes=1))
    assert not asked_for(store, monkeypatch, edge + timedelta(minutes=2))
    store.readings.add([reading(62, 112)])  # of the step that is not over yet
    assert not asked_for(store, monkeypatch, edge + timedelta(minutes=3))
    assert asked_for(store, monkeypatch, edge + timedelta(minutes=16))


def test_a_late_reading_is_taken_in_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = NOON + timedelta(minutes=61)
    store.readings.add([reading(-15, 90), reading(0, 100), reading(60, 160), reading(61, 161)])
    assert collected(store, now) == [(15, S)] * 4
    store.readings.add([reading(15, 100), reading(45, 130)])
    assert asked_for(store, monkeypatch, now)
    assert collected(store, now) == [(0, M), (15, S), (15, S), (30, M)]


def test_while_a_reading_is_doubted_what_comes_after_it_may_still_tell(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.readings.add([reading(0, 100), reading(15, 900, ReadingQuality.SUSPECT), reading(31, 110)])
    collected(store, NOON + timedelta(minutes=31))
    assert asked_for(store, monkeypatch, NOON + timedelta(minutes=32))


def test_what_is_reckoned_from_others_is_not_exchanged(store: Store) -> None:
    rest = Meter(id="rest", name="rest", role=Role.VIRTUAL, measures=Measures.OTHER, connection_kw=400)
    store.put_meters([METER, replace(rest, parts=(Part(meter="m"),))])
    with pytest.raises(LoadstoneError, match=r"rest is reckoned from others and has no counter.*of m"):
        judge.exchange(store, Exchange(id="x", meter="rest", at=NOON, reported_at=NOON, by="Ada"))


def test_readings_that_come_a_day_late_fill_their_gap_and_change_nothing_else(store: Store) -> None:
    """A meter of 100 kW in every second hour, and of none in the others; a broker brings six hours of it a day later."""
    whole = [
        reading(minute, 25.0 * min(minute % 120, 60) / 15 + minute // 120 * 100) for minute in range(-15, 2200, 15)
    ]
    away = [one for one in whole if 120 <= (one.taken_at - NOON).total_seconds() / 60 < 480]
    now = NOON + timedelta(minutes=2200)
    store.readings.add([one for one in whole if one not in away])

    def told(now: datetime) -> list[tuple[float | None, Quality]]:
        collect(store, site=SITE, now=now, raw_days=7, raw_bytes=10**9)
        span = Interval(NOON, NOON + timedelta(minutes=2190))
        return [(one.import_kwh, one.quality) for one in store.intervals.of("m", span)]

    before = told(now)
    gap = slice(7, 32)  # from the last reading before it to the first one after it
    assert {quality for _, quality in before[gap]} == {S}
    assert S not in {quality for _, quality in before[:7] + before[32:]}
    store.readings.add(away)
    told(now + timedelta(minutes=15))
    after = told(now + timedelta(hours=2))
    assert [kwh for kwh, _ in after] == pytest.approx([25.0 if k // 4 % 2 == 0 else 0.0 for k in range(146)])
    assert {quality for _, quality in after} == {M}
    assert [*after[:7], *after[32:]] == [*before[:7], *before[32:]]
    assert told(now + timedelta(hours=4)) == after


def test_where_raw_readings_are_hardly_kept_no_gap_is_looked_at(store: Store) -> None:
    store.readings.add([reading(-15, 90), reading(0, 100), reading(60, 160), reading(530, 900)])
    collect(store, site=SITE, now=NOW, raw_days=0.5, raw_bytes=10**9)
    assert store.note(GAPS_NOTE) is None
    collect(store, site=SITE, now=NOW, raw_days=7, raw_bytes=10**9)
    assert store.note(GAPS_NOTE)["at"] == NOW.isoformat()

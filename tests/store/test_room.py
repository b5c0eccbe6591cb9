"""Raw readings bounded in the store, on both databases: thinned first, dropped last, intervals unchanged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from energy.metering.intervals import intervals
from energy.model.horizon import Horizon, Interval
from energy.model.meter import IntervalEnergy, Measures, Meter, Quality, Reading, ReadingQuality, Release, Role
from energy.steps.collect import make_room
from energy.store import readings as readings_module
from energy.store.store import Store
from energy.store.thinning import Grade

T0 = datetime(2026, 5, 20, tzinfo=UTC)
STEP = timedelta(minutes=15)
METER = Meter(id="m", name="m", role=Role.SUB, measures=Measures.MACHINE, connection_kw=500.0)
QUICK = 5  # seconds between two readings
ALL = Interval(T0 - timedelta(days=1), T0 + timedelta(days=9))


def hours(count: float, start: float = 0.0) -> list[Reading]:
    """A meter asked each five seconds; one reading in a thousand is doubted."""
    return [
        Reading(
            meter="m",
            taken_at=T0 + timedelta(seconds=second),
            import_kwh=1000 + second / 60,
            power_kw=50.0 + second % 35,
            quality=ReadingQuality.SUSPECT if second % 5000 == 2500 else ReadingQuality.GOOD,
            values=(("frequency", 50.0), ("voltage_l1", 230.25)),
        )
        for second in range(int(3600 * start), int(3600 * (start + count)), QUICK)
    ]


def told(store: Store, count: float = 5) -> list[IntervalEnergy]:
    edges = Horizon.between(T0, T0 + timedelta(hours=count), 15)
    return intervals(store.readings.of("m", ALL), METER, edges)


def turned_into_intervals(store: Store, until: datetime) -> None:
    end = IntervalEnergy(
        meter="m", start=until - STEP, minutes=15, import_kwh=1.0, export_kwh=None, quality=Quality.MEASURED
    )
    store.intervals.put([end], until)


def test_thinned_readings_make_the_same_intervals_and_it_is_remembered_how_far(store: Store) -> None:
    store.readings.add(hours(5))
    before = told(store)
    doubted = store.readings.doubted("m", ALL)
    until = T0 + timedelta(hours=4)
    assert store.thinning.thin([METER], STEP, until, Grade.MINUTES, seconds=0) == 0  # no time: the next round
    went = store.thinning.thin([METER], STEP, until, Grade.MINUTES, seconds=60)
    left = store.readings.count(ALL)
    assert (went + left, told(store)) == (3600, before)
    assert 4 * 60 + 720 <= left <= 720 + 4 * 60 * 1.5
    assert store.readings.doubted("m", ALL) == doubted != []
    assert store.thinning.thin([METER], STEP, until, Grade.MINUTES, seconds=60) == 0
    assert store.thinning.thin([METER], STEP, until, Grade.EDGES, seconds=60) > 50
    assert told(store) == before
    assert store.thinning.thin([METER], STEP, T0 + timedelta(hours=5), Grade.MINUTES, seconds=60) > 500
    assert told(store) == before


def test_a_meter_of_few_words_is_left_alone(store: Store) -> None:
    said = [replace(one, quality=ReadingQuality.GOOD) for one in hours(5)[::180]]  # one a quarter of an hour
    store.readings.add(said)
    assert store.thinning.thin([METER], STEP, T0 + timedelta(hours=5), Grade.EDGES, seconds=60) == 0
    assert store.readings.of("m", ALL) == said


def test_room_is_made_by_thinning_before_anything_is_dropped(store: Store) -> None:
    store.readings.add(hours(5))
    now = T0 + timedelta(hours=6)
    turned_into_intervals(store, T0 + timedelta(hours=5))
    before, all_bytes = told(store), store.readings.estimated_bytes()
    assert make_room(store, [METER], STEP, now, 7.0, 10**9) == 0  # there is room, and all is young
    assert store.readings.count(ALL) == 3600
    assert make_room(store, [METER], STEP, now, 7.0, all_bytes // 3) > 3000
    assert store.readings.estimated_bytes() <= all_bytes // 3
    assert told(store) == before
    make_room(store, [METER], STEP, now, 7.0, all_bytes // 100)
    assert store.readings.estimated_bytes() <= all_bytes // 20  # what the next interval needs stays
    assert len(told(store)) < len(before)


def test_after_two_days_a_reading_a_minute_is_left_and_after_seven_none(store: Store) -> None:
    store.readings.add([*hours(1), *hours(3, start=5 * 24), *hours(1, start=8 * 24 - 1)])
    now = T0 + timedelta(days=8)
    turned_into_intervals(store, now)
    make_room(store, [METER], STEP, now, 7.0, 10**9)
    left = store.readings.of("m", ALL)
    assert [sum(r.taken_at.day == day for r in left) for day in (20, 27)] == [0, 720]
    assert 180 <= sum(r.taken_at.day == 25 for r in left) <= 300


def test_many_are_dropped_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_module, "AT_ONCE", 100)
    store.readings.add(hours(1))
    turned_into_intervals(store, T0 + timedelta(hours=1))
    began: list[str] = []
    sa.event.listen(store._database.engine, "begin", lambda _: began.append("begin"))
    assert store.readings.prune(T0 + timedelta(minutes=40), 10**9) == 480
    assert len(began) >= 5
    assert next(one.taken_at for one in store.readings.of("m", ALL)) == T0 + timedelta(minutes=40)


def test_the_estimate_of_what_readings_take_is_near_what_they_take(tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "plant") as store:
        for second in range(0, 3600, 60):  # as they come: all meters, minute by minute
            store.readings.add(
                [replace(one, meter=f"m{m}") for m in range(10) for one in hours(1 / 60, start=second / 3600)]
            )
        with store._database.reading() as connection:
            asked = "SELECT sum(pgsize) FROM dbstat WHERE name = 'reading'"
            try:
                taken = connection.exec_driver_sql(asked).scalar_one()
            except sa.exc.OperationalError:
                pytest.skip("NOT RUN: this SQLite was built without dbstat")
        assert taken / 1.5 <= store.readings.estimated_bytes() <= 1.5 * taken


def test_intervals_of_several_meters_are_those_of_each(store: Store) -> None:
    for meter, kwh, known in (("a", 1.0, 1), ("b", 2.0, 1), ("a", 3.0, 2)):
        said = [
            IntervalEnergy(
                meter=meter,
                start=T0 + k * STEP,
                minutes=15,
                import_kwh=kwh + k,
                export_kwh=None,
                quality=Quality.MEASURED,
            )
            for k in range(4)
        ]
        store.intervals.put(said, T0 + timedelta(days=known))
    span = Interval(T0 + STEP, T0 + 3 * STEP)
    each = store.intervals.of_each(["b", "a", "c"], span)
    assert each == {meter: store.intervals.of(meter, span) for meter in "abc"}
    assert [one.import_kwh for one in each["a"]] == [4.0, 5.0]
    store.readings.add(hours(1))
    assert store.readings.counts(Interval(T0, T0 + timedelta(minutes=5))) == {"m": 60}


def test_doubted_readings_that_nobody_spoke_of_do_not_go_without_a_word(store: Store) -> None:
    doubts = [
        replace(one, quality=ReadingQuality.SUSPECT)
        for one in (hours(1)[10], hours(1)[20], hours(1)[30], hours(1)[40], hours(1, start=24)[0])
    ]
    good = [
        one
        for one in hours(1)
        if one.quality is ReadingQuality.GOOD and one.taken_at not in {d.taken_at for d in doubts}
    ]
    store.readings.add([*good, *doubts, *hours(1, start=8 * 24 - 1)])
    store.releases.add(
        Release(meter="m", taken_at=doubts[1].taken_at, right=False, at=T0, by="Ada", role="energy manager", why="")
    )

    def told_at(now: datetime) -> list[str]:
        make_room(store, [METER], STEP, now, 7.0, 10**9)
        return [f"{e.what}, {e.subject}: {e.detail.partition(' UTC')[0]}" for e in store.journal.read()]

    first = "doubted readings dropped, m: 3 readings of 2026-05-20 00:00:50 to 2026-05-20 00:03:20"
    now = T0 + timedelta(days=7.5)
    assert told_at(now) == []  # nothing was turned into intervals yet: nothing goes
    turned_into_intervals(store, T0 + timedelta(days=8))
    assert told_at(now) == [first]
    assert told_at(now + timedelta(hours=13)) == [first]  # the fourth went, and is told a day after the first
    assert doubts[4] not in store.readings.doubted("m", ALL)
    second = "doubted readings dropped, m: 1 reading of 2026-05-21 00:00:00"
    assert told_at(now + timedelta(hours=24)) == [second, first]
    assert told_at(now + timedelta(hours=48)) == [second, first]


def test_gaps_are_stretches_of_the_newest_versions(store: Store) -> None:
    def said(meter: str, qualities: str, known: int, first: int = 0) -> None:
        words = {"m": Quality.MEASURED, "s": Quality.SPREAD, "x": Quality.MISSING, "i": Quality.IMPORTED}
        made = [
            IntervalEnergy(
                meter=meter, start=T0 + k * STEP, minutes=15, import_kwh=1.0, export_kwh=None, quality=words[word]
            )
            for k, word in enumerate(qualities, start=first)
        ]
        store.intervals.put(made, T0 + timedelta(days=known))

    said("a", "mssxmmsim", 1)
    said("b", "ssss", 1)
    said("b", "mm", 2, first=1)
    said("c", "mmmm", 1)
    span = Interval(T0, T0 + 8 * STEP)
    assert store.intervals.gaps(span) == {
        "a": [Interval(T0 + STEP, T0 + 4 * STEP), Interval(T0 + 6 * STEP, T0 + 7 * STEP)],
        "b": [Interval(T0, T0 + STEP), Interval(T0 + 3 * STEP, T0 + 4 * STEP)],
    }
    assert store.intervals.gaps(Interval(T0 + 2 * STEP, T0 + 3 * STEP)) == {
        "a": [Interval(T0 + 2 * STEP, T0 + 3 * STEP)]
    }

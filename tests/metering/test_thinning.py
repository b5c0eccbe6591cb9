"""Thinning: whatever went wrong with a meter, the intervals of what is kept are those of everything."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.metering.belief import good_stands
from energy.metering.counters import Point, point_at
from energy.metering.intervals import intervals
from energy.metering.thinning import MARGIN, needed
from energy.model.horizon import Horizon
from energy.model.meter import Exchange, Measures, Meter, Reading, ReadingQuality, Role

T0 = datetime(2026, 5, 18, 6, tzinfo=UTC)
STEP = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
METER = Meter(id="m", name="m", role=Role.SUB, measures=Measures.MACHINE, connection_kw=300.0, rollover_kwh=10_000.0)
FAULTS = (
    "silence", "gap", "doubt", "spike", "dip", "small step down", "reset", "rollover", "clock back", "clock on",
    "frozen", "frozen, then all at once", "no export", "no counters", "coarse", "idle", "twice",
)  # fmt: skip


def day(seed: int, faults: Sequence[str], *, seconds: float = 4.0, slots: int = 6) -> list[Reading]:
    """Some slots of a meter, with each of the faults somewhere in them."""
    chance = random.Random(seed)
    count = int(slots * STEP.total_seconds() / seconds)
    at, kwh, out, kw = 0.0, chance.choice([100.0, 9_990.0]), 5.0, 100.0
    shown = kwh
    of_slot = int(STEP.total_seconds() / seconds)

    def somewhere() -> int:
        """Half of the faults close to an edge, where they matter most."""
        anywhere = chance.randrange(10, count - 5)
        return anywhere if chance.random() < 0.5 else round(anywhere / of_slot) * of_slot + chance.randrange(-6, 7)

    active = {somewhere(): (fault, chance.choice([1, 2, 3, 4, 40])) for fault in faults}
    left: dict[str, int] = {}
    made: list[Reading] = []
    for i in range(count):
        if i in active:
            left[active[i][0]] = active[i][1]
            if active[i][0] == "small step down":
                kwh -= 0.3
            elif active[i][0] == "reset":
                kwh = 0.5
            elif active[i][0] == "gap":
                at += chance.choice([100.0, 700.0])
        left = {fault: rest - 1 for fault, rest in left.items() if rest > 0}
        at += seconds + chance.uniform(-0.4, 0.4)
        kw = 0.0 if "idle" in left else chance.uniform(-20.0, 280.0)
        kwh = (kwh + max(kw, 0) * seconds / 3600) % 10_000.0
        out += max(-kw, 0) * seconds / 3600
        if not {"frozen", "frozen, then all at once"} & set(left):
            shown = kwh
        elif "frozen" in left:
            kwh = shown  # it never shows what flowed
        said = Reading(
            meter="m",
            taken_at=T0 + timedelta(seconds=at),
            import_kwh=math.floor(shown) if "coarse" in left else shown,
            export_kwh=out,
            power_kw=kw,
        )
        if "silence" in left:
            said = Reading(meter="m", taken_at=said.taken_at, quality=ReadingQuality.NO_ANSWER, note="silent")
        elif "doubt" in left:
            said = replace(said, import_kwh=shown + chance.choice([0, 900.0]), quality=ReadingQuality.SUSPECT)
        elif "spike" in left and left["spike"] < 6:
            said = replace(said, import_kwh=shown + chance.choice([0.9, 400.0]))
        elif "dip" in left and left["dip"] < 3:
            said = replace(said, import_kwh=max(0.0, shown - chance.choice([0.2, 50.0])))
        elif "clock back" in left and active.get(i, ("",))[0] == "clock back":
            said = replace(said, clock_step_seconds=-60.0)
        elif "clock on" in left and active.get(i, ("",))[0] == "clock on":
            said = replace(said, clock_step_seconds=60.0)
        elif "no export" in left:
            said = replace(said, export_kwh=None)
        elif "no counters" in left:
            said = replace(said, export_kwh=None, import_kwh=None)
        made.append(said)
    return made


def edges(readings: Sequence[Reading]) -> Horizon:
    return Horizon.between(T0, T0 + timedelta(hours=2), 5)


def same(readings: Sequence[Reading], kept: Sequence[Reading]) -> None:
    assert intervals(kept, METER, edges(kept)) == intervals(readings, METER, edges(readings))


def thinned(readings: Sequence[Reading], each: timedelta | None, special: Sequence[datetime] = ()) -> list[Reading]:
    stay = needed(readings, METER, STEP, each=each, special=special)
    return [one for one in readings if one.taken_at in stay]


FAULTY = st.lists(st.sampled_from(FAULTS), max_size=4, unique=True)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 10**9),
    faults=FAULTY,
    each=st.sampled_from([None, MINUTE]),
    poll=st.sampled_from([2.0, 10.0, 60.0]),
)
def test_the_intervals_of_what_is_kept_are_those_of_everything(seed, faults, each, poll):
    readings = day(seed, faults, seconds=poll, slots=3 if poll < 5 else 10)
    same(readings, thinned(readings, each))


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), faults=FAULTY)
def test_also_when_doubted_readings_are_released_afterwards(seed, faults):
    readings = day(seed, ["doubt", *faults])
    kept = thinned(readings, None)
    chance = random.Random(seed)
    doubted = [one.taken_at for one in readings if one.quality is ReadingQuality.SUSPECT]
    words = {at: chance.choice(list(ReadingQuality)[1:4]) for at in doubted}

    def spoken(some: Sequence[Reading]) -> list[Reading]:
        return [replace(one, quality=words.get(one.taken_at, one.quality)) for one in some]

    same(spoken(readings), spoken(kept))


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), faults=FAULTY, minutes=st.floats(1, 25))
def test_also_with_an_exchange_of_the_meter(seed, faults, minutes):
    at = T0 + timedelta(minutes=minutes)
    exchange = Exchange(id="x", meter="m", at=at, old_import_kwh=120.0, new_import_kwh=0.0, reported_at=at)
    readings = day(seed, faults)
    every, thin = (points(some, exchange) for some in (readings, thinned(readings, None, special=[at])))
    assert thin == every


def points(readings: Sequence[Reading], exchange: Exchange) -> list[Point | None]:
    """The import counter at each edge, as seen from either side."""
    stands = good_stands(readings, METER, "import_kwh", [exchange])
    at = [T0 + number * STEP for number in range(12)]
    return [point_at(stands, edge, ends=ends, longest=STEP) for edge in at for ends in (False, True)]


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), faults=FAULTY, parts=st.integers(1, 5))
def test_twice_is_as_good_as_once(seed, faults, parts):
    """First to a reading a minute, later to the edges; and a stretch after the other, each with what is around it."""
    readings = day(seed, faults)
    minutes = thinned(readings, MINUTE)
    same(readings, minutes)
    same(readings, thinned(minutes, None))
    length = timedelta(minutes=30) / parts
    left = list(readings)
    for part in range(parts):
        start, end = T0 + part * length, T0 + (part + 1) * length
        around = [one for one in left if start - 2 * STEP <= one.taken_at < end + 2 * STEP]
        stay = needed(around, METER, STEP, each=MINUTE)
        left = [one for one in left if not start <= one.taken_at < end or one.taken_at in stay]
    same(readings, left)


def test_an_hour_of_seconds_becomes_a_few_readings_a_slot():
    readings = [
        Reading(meter="m", taken_at=T0 + timedelta(seconds=s), import_kwh=1000 + s / 36, power_kw=100.0 + s % 7)
        for s in range(3600)
    ]
    minutes, edges_only = thinned(readings, MINUTE), thinned(readings, None)
    assert len(minutes) <= 60 + 12 * 4 + 2 * MARGIN
    # A slot needs its two ends, the highest and the lowest power, and a reading at least each 150 s.
    assert len(edges_only) <= 12 * 6 + 2 * MARGIN
    assert {one.taken_at for one in edges_only} <= {one.taken_at for one in minutes} | {
        one.taken_at for one in readings
    }


def test_of_a_long_silence_its_ends_and_its_minutes_are_kept():
    readings = [
        Reading(meter="m", taken_at=T0 + timedelta(seconds=s), quality=ReadingQuality.NO_ANSWER, note="silent")
        for s in range(600)
    ]
    assert [(one.taken_at - T0).seconds for one in thinned(readings, None)] == [0, 299, 300, 599]
    assert [(one.taken_at - T0).seconds for one in thinned(readings, 2 * MINUTE)] == [
        0,
        120,
        240,
        299,
        300,
        360,
        480,
        599,
    ]

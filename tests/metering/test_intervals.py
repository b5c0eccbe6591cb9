import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.clock import day_bounds
from energy.metering import intervals
from energy.metering.belief import used_kwh
from energy.model.horizon import Horizon
from energy.model.meter import Quality, Reading, ReadingQuality
from tests.metering.table import NOON, meter, reading, readings, slots

M, L, S, X = Quality.MEASURED, Quality.INTERPOLATED, Quality.SPREAD, Quality.MISSING  # L: on the line between


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # stands on the edges
        ([(0, 100), (15, 125), (30, 130)], [(0, 25, M), (15, 5, M)]),
        # seconds off the edge count as on it (a line between near stands is still drawn)
        ([(0.05, 100), (15.05, 115), (30, 130)], [(0, 14.95, M), (15, 15.05, M)]),
        # the edge at 15 lies between 10 and 20: half of those 10 kWh on each side
        ([(0, 100), (10, 110), (20, 120), (30, 150)], [(0, 15, L), (15, 35, L)]),
        # half an hour without a stand: its 30 kWh are known, their shape is not
        ([(0, 100), (15, 110), (45, 140), (60, 150)], [(0, 10, M), (15, 15, S), (30, 15, S), (45, 10, M)]),
        # a gap with both ends inside of slots
        ([(0, 100), (5, 105), (55, 155), (60, 170)], [(0, 15, S), (15, 15, S), (30, 15, S), (45, 25, S)]),
        # the last slot has no stand after its end yet
        ([(0, 100), (15, 110), (29, 120)], [(0, 10, M)]),
        # before the first stand nobody was there to ask
        ([(7, 100), (15, 110), (30, 120)], [(15, 10, M)]),
        # nothing flowed: that is known, and it is zero
        ([(0, 100), (15, 100)], [(0, 0, M)]),
        # reset in the second slot: what flowed in it is unknown, before and after it is not
        ([(0, 100), (15, 110), (20, 115), (21, 0.5), (30, 4), (45, 9)], [(0, 10, M), (15, None, X), (30, 5, M)]),
        # reset between two stands on both sides of an edge
        ([(0, 100), (14.95, 110), (15.05, 0), (30, 7)], [(0, 10, M), (15, 7, M)]),
        # meter exchanged for one that stands higher: more than 400 kW can carry
        ([(0, 100), (15, 5000), (30, 5010)], [(0, None, X), (15, 10, M)]),
        ([], []),
        ([(0, 100)], []),
    ],
)
def test_intervals_a_planner_can_check(rows, expected):
    made = intervals(readings(*rows), meter(), slots(4))
    assert [((one.start - NOON) / timedelta(minutes=1), one.import_kwh, one.quality) for one in made] == [
        (minute, None if kwh is None else pytest.approx(kwh, abs=1e-3), quality) for minute, kwh, quality in expected
    ]
    assert all(one.export_kwh is None for one in made)  # this meter has no such counter


def test_the_shares_of_a_gap_are_spread_where_both_edges_are_inside_of_it():
    made = intervals(readings((0, 100), (15, 110), (60, 155), (75, 160)), meter(), slots(5))
    assert [(one.import_kwh, one.quality) for one in made] == [(10, M), (15, S), (15, S), (15, S), (5, M)]


def test_how_long_a_line_may_be_is_a_setting():
    rows = readings((0, 100), (20, 120), (45, 145))
    assert [one.quality for one in intervals(rows, meter(), slots(3))] == [S, S, S]
    assert [one.quality for one in intervals(rows, meter(), slots(3), max_gap_minutes=30)] == [L, L, L]


def test_a_counter_that_rolls_over():
    rows = readings((0, 999_990), (15, 999_999), (30, 6))
    made = intervals(rows, meter(rollover_kwh=1_000_000), slots(2))
    assert [(one.import_kwh, one.quality) for one in made] == [(9, M), (7, M)]
    assert intervals(rows, meter(), slots(2))[1].quality is X  # without the figure it could be a reset


def test_a_reset_is_not_taken_for_a_rollover():
    made = intervals(readings((0, 500), (15, 510), (30, 2)), meter(rollover_kwh=1_000_000), slots(2))
    assert [(one.import_kwh, one.quality) for one in made] == [(10, M), (None, X)]


@pytest.mark.parametrize(
    ("earlier", "later", "rollover", "most", "used"),
    [
        (10, 12, None, 5, 2),
        (10, 12, None, 1, None),  # more than the connection carries
        (12, 10, None, 5, None),
        (999, 1, 1000, 5, 2),
        (999, 1, 1000, 1, None),
        (1200, 1, 1000, 5000, None),  # stood beyond its own rollover: not this counter
    ],
)
def test_used(earlier, later, rollover, most, used):
    assert used_kwh(earlier, later, rollover_kwh=rollover, at_most_kwh=most) == used


def test_only_good_readings_make_energy():
    rows = [
        reading(0, 100),
        reading(10, 0, quality=ReadingQuality.SUSPECT),
        reading(12, None, quality=ReadingQuality.NO_ANSWER),
        reading(15, 110),
    ]
    assert [(one.import_kwh, one.quality) for one in intervals(rows, meter(), slots(1))] == [(10, M)]


def test_one_unknown_counter_makes_the_slot_unknown():
    """A net of import alone would read as if nothing had been fed in."""
    rows = [reading(0, 100, 50), reading(15, 110, 0), reading(30, 120, 2)]
    made = intervals(rows, meter(), slots(2))
    assert [(one.import_kwh, one.export_kwh, one.quality, one.net_kw) for one in made] == [
        (None, None, X, None),
        (10, 2, M, 32),
    ]


def test_a_counter_that_comes_later_or_goes_for_good_does_not_hold_up_the_other():
    later = [reading(0, 100), reading(15, 110), reading(30, 120, 5), reading(45, 130, 6)]
    assert [(one.import_kwh, one.export_kwh) for one in intervals(later, meter(), slots(4))] == [
        (10, None),
        (10, None),
        (10, 1),
    ]
    gone = [reading(0, 100, 5), reading(15, 110, 6), reading(30, 120), reading(45, 130)]
    assert [one.import_kwh for one in intervals(gone, meter(), slots(4))] == [10]  # it may still come
    for_good = [*gone, *(reading(45 + 15 * k, 130 + k) for k in range(1, 4))]
    assert [(one.import_kwh, one.export_kwh) for one in intervals(for_good, meter(), slots(4))] == [
        (10, 1),
        (10, None),
        (10, None),
        (1, None),
    ]


def test_a_counter_of_whole_kwh_is_exact_in_total():
    rows = readings(*((minute, float(int(1000 + minute * 0.7))) for minute in range(0, 121)))
    made = intervals(rows, meter(connection_kw=45), slots(8))
    assert [one.quality for one in made] == [M] * 8
    assert sum(one.import_kwh for one in made) == rows[-1].import_kwh - rows[0].import_kwh


def test_the_highest_power_is_that_of_good_readings_in_the_slot():
    rows = [
        reading(0, 100, kw=40),
        reading(5, 101, kw=90),
        reading(7, 101, kw=800, quality=ReadingQuality.SUSPECT),
        reading(15, 110, kw=30),
        reading(30, 115),
    ]
    assert [one.max_power_kw for one in intervals(rows, meter(), slots(2))] == [90, 30]


def test_a_late_reading_changes_only_what_it_touches():
    late = reading(30, 118)
    rows = [*readings((0, 100), (15, 110), (45, 140), (60, 150))]
    before = intervals(rows, meter(), slots(4))
    after = intervals([*rows, late], meter(), slots(4))
    assert [one.import_kwh for one in before] == [10, 15, 15, 10]
    assert [one.import_kwh for one in after] == [10, 8, 22, 10]
    assert (before[0], before[3]) == (after[0], after[3])


# ---- properties

steps = st.lists(
    st.tuples(st.floats(0.2, 40), st.floats(0, 300)),  # minutes since the last reading, mean power meanwhile
    min_size=2,
    max_size=25,
)


def history(rows: list[tuple[float, float]], start: float = 1000.0, rollover: float | None = None) -> list[Reading]:
    """Stands of a counter that saw these powers; the first stand is on an edge."""
    minute, kwh = 0.0, start
    made = [reading(minute, kwh if rollover is None else kwh % rollover)]
    for minutes, kw in rows:
        minute, kwh = minute + minutes, kwh + kw * minutes / 60
        made.append(reading(minute, kwh if rollover is None else kwh % rollover))
    return made


def whole(rows: list[Reading]) -> Horizon:
    return Horizon(NOON, int((rows[-1].taken_at - NOON) / timedelta(minutes=15)) + 1)


def stand_at(rows: list[Reading], edge: datetime) -> float:
    """The counter at an edge on the line between its neighbours (no rollover)."""
    for left, right in pairwise(rows):
        if left.taken_at <= edge <= right.taken_at:
            share = (edge - left.taken_at) / (right.taken_at - left.taken_at)
            return left.import_kwh + share * (right.import_kwh - left.import_kwh)
    raise AssertionError(edge)


@given(steps, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_energies_add_up_to_the_counter_in_any_order_with_gaps_and_twice(rows, order):
    straight = history(rows)
    mixed = straight + order.sample(straight, len(straight) // 2)
    order.shuffle(mixed)
    made = intervals(mixed, meter(), whole(straight))
    assert made == intervals(straight, meter(), whole(straight))
    assert all(one.import_kwh is not None and one.import_kwh >= 0 for one in made)
    if made:
        last = made[-1].start + timedelta(minutes=15)
        # A stand within 5 s of an edge before a long gap counts as the stand at the edge: at most 5 s of 300 kW.
        total = stand_at(straight, last) - straight[0].import_kwh
        assert sum(one.import_kwh for one in made) == pytest.approx(total, abs=300 * 5 / 3600 + 1e-6)


@given(steps, st.floats(0, 40))
@settings(max_examples=80, deadline=None)
def test_a_rollover_changes_nothing(rows, before):
    rollover = 1_000_000.0
    straight = history(rows, start=rollover - before)
    rolled = history(rows, start=rollover - before, rollover=rollover)
    plain = intervals(straight, meter(), whole(straight))
    made = intervals(rolled, meter(rollover_kwh=rollover), whole(straight))
    assert [one.quality for one in made] == [one.quality for one in plain]
    assert [one.import_kwh for one in made] == pytest.approx([one.import_kwh for one in plain], abs=1e-6)


@given(steps, st.integers(0, 24), st.floats(0, 500))
@settings(max_examples=80, deadline=None)
def test_nothing_is_invented_at_a_reset(rows, where, new_start):
    """After a reset the sum is at most what was really counted, and the slots that touch it are missing."""
    straight = history(rows)
    cut = 1 + where % (len(straight) - 1)
    offset = straight[cut].import_kwh - new_start
    reset = [*straight[:cut], *(reading_moved(one, -offset) for one in straight[cut:])]
    made = intervals(reset, meter(), whole(straight))
    truth = {one.start: one for one in intervals(straight, meter(), whole(straight))}
    for one in made:
        end = one.start + timedelta(minutes=15)
        touches = (
            one.start < reset[cut].taken_at - timedelta(seconds=5)
            and reset[cut - 1].taken_at + timedelta(seconds=5) < end
        )
        if touches:
            assert (one.quality, one.import_kwh) == (X, None)
        elif one.import_kwh is not None:
            assert one.import_kwh >= 0
            assert one.import_kwh <= truth[one.start].import_kwh + 300 * 10 / 3600 + 1e-6


def reading_moved(one: Reading, kwh: float) -> Reading:
    return reading((one.taken_at - NOON) / timedelta(minutes=1), one.import_kwh + kwh)


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 5, 18), 96)]
)
def test_energy_survives_a_clock_change(day, count):
    start, end = day_bounds(day, "Europe/Berlin")
    minutes = int((end - start).total_seconds() // 60)
    rows = [
        Reading(meter="m", taken_at=start + timedelta(minutes=minute), import_kwh=5000 + minute * 1.5)
        for minute in range(minutes + 1)
    ]
    made = intervals(rows, meter(), Horizon.between(start, end))
    assert len(made) == count
    assert [one.import_kwh for one in made] == pytest.approx([22.5] * count)
    assert sum(one.import_kwh for one in made) == pytest.approx(minutes * 1.5)


def test_a_month_of_minutes_is_quick():
    import time

    rng = random.Random(1)
    kwh, rows = 0.0, []
    for minute in range(60 * 24 * 30):
        kwh += rng.random()
        rows.append(Reading(meter="m", taken_at=NOON + timedelta(minutes=minute), import_kwh=kwh, power_kw=1.0))
    began = time.process_time()
    made = intervals(rows, meter(), Horizon(datetime(2026, 5, 18, 12, tzinfo=UTC), 4 * 24 * 30))
    assert len(made) == 4 * 24 * 30 - 1
    assert time.process_time() - began < 5

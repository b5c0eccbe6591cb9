"""What is believed of a meter, as rows of (seconds, kWh) and what each was taken for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy.clock import HeldClock, SpeedClock, SystemClock
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Role
from meters.plausible import Watch, steady_seconds

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
METER = Meter(id="m", name="m", role=Role.SUB, measures=Measures.MACHINE, connection_kw=360)  # 0.1 kWh a second


def reading(second: float, kwh: float | None = None, export: float | None = None, kw: float | None = None) -> Reading:
    at = NOON + timedelta(seconds=second)
    return Reading(meter="m", taken_at=at, import_kwh=kwh, export_kwh=export, power_kw=kw)


def judged(rows: list[Reading], meter: Meter = METER, seed: Reading | None = None) -> str:
    """One letter a row: g(ood) or s(uspect)."""
    watch = Watch(meter, seed)
    return "".join(watch.judge(row).quality.value[0] for row in rows)


def minutely(*stands: float, first: int = 0, kw: float | None = 60.0) -> list[Reading]:
    return [reading(60 * (first + i), kwh, kw=kw) for i, kwh in enumerate(stands)]


@pytest.mark.parametrize(
    ("stands", "expected"),
    [
        ([100, 101, 102], "ggg"),
        ([100, 150, 101, 102], "gsgg"),  # a spike
        ([100, 150, 150, 150, 101, 102], "gsssgg"),  # that lasts
        ([100, 0, 101], "gsg"),  # a dip
        ([100, -1, 101], "gsg"),
        # a reset: believed with the fifth stand from the first on that shows that it counts
        ([100, 0, 1, 2, 3, 4, 5, 6], "gsssssgg"),
        ([100, 500, 501, 502, 503, 504, 505, 506], "gsssssgg"),  # a meter that stands higher
        # the new level has to count: a device that has lost its counter says 0 for long
        ([100, *[0] * 20, 101], "g" + "s" * 20 + "g"),
        ([100, *[0] * 20, 1, 2, 3, 4, 5, 6], "g" + "s" * 24 + "gg"),  # it was a reset at a machine at rest
        ([100, *[0] * 20, 5, 5, 0, 0, 101], "g" + "s" * 24 + "g"),  # a spike does not count as counting on
        # a spike or a dip while a new level is being watched
        ([100, 0, 1, 2, 900, 4, 5, 6, 7], "gssssssgg"),
        ([100, 0, 1, 2, 0, 4, 5, 6, 7], "gssssssgg"),
    ],
)
def test_counters_that_jump(stands, expected):
    assert judged(minutely(*stands)) == expected


@pytest.mark.parametrize(
    ("stand", "expected"),
    [
        (4, "import counter rolled over from 998.00 to 4.00 kWh; believed when it has counted on"),
        (600, "import counter went down from 998.00 to 600.00 kWh"),
    ],
)
def test_a_counter_rolls_over_where_it_says_so(stand, expected):
    rows = minutely(998, stand, stand + 1, stand + 2, stand + 3, stand + 4, stand + 5)
    assert judged(rows, replace(METER, rollover_kwh=1000)) == "gsssssg"  # a counter that was lost says zero, too
    watch = Watch(replace(METER, rollover_kwh=1000))
    assert [watch.judge(row).note for row in rows][1] == expected


def test_the_reason_names_the_numbers_and_the_raw_words_stay():
    watch = Watch(METER)
    watch.judge(reading(0, 100))
    found = watch.judge(replace(reading(10, 90, kw=900), raw='{"3": {"0": 17}}'))
    assert found.note == (
        "900.0 kW is more than the connection of 360 kW can carry; import counter went down from 100.00 to 90.00 kWh"
    )
    assert found.raw == '{"3": {"0": 17}}'


def test_what_is_no_number_is_not_there():
    found = Watch(METER).judge(reading(0, float("inf"), 5, kw=float("nan")))
    assert (found.import_kwh, found.export_kwh, found.power_kw) == (None, 5, None)
    assert found.note == "import says inf, which is no number; power says nan, which is no number"
    assert found.quality is ReadingQuality.SUSPECT


def test_a_register_that_is_renewed_by_the_quarter_hour_is_believed():
    """It stands still and then shows at once what flowed: 25 kWh in 15 min are 100 kW, as the power says."""
    rows = [reading(10 * i, 100 + 25 * (i // 90), kw=100) for i in range(200)]
    assert judged(rows)[90] == judged(rows)[180] == "g"
    untold = [replace(row, power_kw=None) for row in rows]
    assert judged(untold) == "g" * 200
    at_rest = [replace(row, power_kw=0.0) for row in rows]
    assert judged(at_rest)[90] == "s"  # nothing flowed, so there was nothing to show late


def test_a_frozen_meter_is_doubted_until_it_moves_again():
    rows = [reading(60 * i, 100 if i < 20 else 100 + 2 * i, kw=120) for i in range(25)]  # 2 kWh a minute
    assert judged(rows) == "ggggg" + "s" * 15 + "g" * 5
    watch = Watch(METER)
    notes = [watch.judge(row).note for row in rows]
    assert notes[5] == "no counter has moved since 12:00:00 UTC, though the power says 120.0 kW"


@pytest.mark.parametrize(
    "rows",
    [
        [reading(60 * i, 100, kw=0) for i in range(60)],  # at rest
        [reading(60 * i, 100, kw=3) for i in range(60)],  # less than the noise of the transformers
        [reading(60 * i, 100, 5 + i, kw=-60) for i in range(60)],  # feeding in: the other counter moves
        [reading(60 * i, 100) for i in range(60)],  # nobody says a power
    ],
)
def test_a_meter_that_rests_is_not_frozen(rows):
    assert judged(rows) == "g" * 60


def test_counters_that_changed_places_are_never_believed():
    swapped = [reading(60 * i, 5 + i, 1000, kw=60) for i in range(1, 60)]
    rows = [reading(0, 1000, 5), *swapped, reading(3600, 1060, 5)]
    assert judged(rows) == "g" + "s" * 59 + "g"
    watch = Watch(METER)
    assert [watch.judge(row).note for row in rows][1] == "import and export have changed places"


def test_counters_that_roll_over_together_have_not_changed_places():
    rows = [reading(60 * i, (998 + i) % 1000, (997 + 2 * i) % 1000) for i in range(12)]
    assert judged(rows, replace(METER, rollover_kwh=1000)) == "ggsssssggggg"


def test_after_a_restart_the_first_reading_is_held_against_the_newest_that_counts():
    seed = reading(-3600, 100)
    assert judged([reading(0, 300), reading(10, 300.1)], seed=seed) == "gg"
    assert judged([reading(0, 3), reading(10, 3.1)], seed=seed) == "ss"
    assert judged([reading(0, 900), reading(10, 300)], seed=seed) == "sg"  # a spike as the very first word


def test_a_reading_that_came_late_has_to_lie_between_its_neighbours():
    rows = [*minutely(100, 101, 102), reading(90, 101.5), reading(30, 101.7), reading(-60, 99), reading(180, 103)]
    assert judged(rows) == "ggggsgg"


@pytest.mark.parametrize("step", [3600, -3600, 40])
def test_a_clock_that_is_set_is_told_from_a_gap(step):
    watch = Watch(METER)
    rows = [(10 * i, 10 * i + (step if i >= 3 else 0)) for i in range(6)]
    found = [watch.judge(reading(wall, 100 + steady / 10, kw=360), steady) for steady, wall in rows]
    assert [said.quality.value for said in found] == ["good"] * 6
    assert [said.clock_step_seconds for said in found] == [None, None, None, step, None, None]
    assert found[3].note == f"the clock was set {'forward' if step > 0 else 'back'} by {abs(step)} s"


def test_a_gap_and_a_slow_answer_are_no_clock_that_was_set():
    watch = Watch(METER)
    found = [
        watch.judge(reading(t, 100 + t / 10, kw=360), t + odd) for t, odd in ((0, 0), (14, 3), (7200, 0), (7210, 1))
    ]
    assert [(said.quality.value, said.clock_step_seconds) for said in found] == [("good", None)] * 4


def test_a_jump_is_measured_by_the_steady_clock():
    """An hour went by on the wall only: what a connection carries in an hour cannot have flowed in ten seconds."""
    watch = Watch(METER)
    watch.judge(reading(0, 100, kw=0), 0.0)
    assert watch.judge(reading(3610, 300, kw=0), 10.0).quality is ReadingQuality.SUSPECT


def test_a_clock_that_was_set_back_while_nobody_asked_is_seen_after_a_restart():
    watch = Watch(METER, seed=reading(0, 100))
    found = watch.judge(reading(-3000, 120), 5.0)
    assert (found.quality.value, found.clock_step_seconds) == ("good", -3000)


def test_the_steady_clock_runs_as_fast_as_the_plant():
    slow = steady_seconds(SystemClock())
    fast = steady_seconds(SpeedClock(NOON, NOON, 60.0))
    assert slow is not None and fast is not None
    assert fast / slow == pytest.approx(60, rel=0.01)
    assert steady_seconds(HeldClock(NOON)) is None

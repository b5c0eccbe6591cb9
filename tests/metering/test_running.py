from datetime import timedelta

import pytest

from energy.metering import running_interval
from energy.model.meter import ReadingQuality
from tests.metering.table import NOON, meter, reading

QUARTER = timedelta(minutes=15)


def running(rows, minute):
    return running_interval(rows, meter(), NOON + timedelta(minutes=minute), QUARTER)


def test_what_it_has_come_to_and_where_it_is_heading():
    # 10 kWh in 5 min are 120 kW; now 60 kW are drawn: 10 + 60 x 10/60 = 20 kWh, a mean of 80 kW
    found = running([reading(0, 100), reading(5, 110, kw=60)], 6)
    assert (found.start, found.end, found.seen_until) == (NOON, NOON + QUARTER, NOON + timedelta(minutes=5))
    assert found.mean_so_far_kw == pytest.approx(120)
    assert found.projected_kw == pytest.approx(80)


def test_without_a_power_it_goes_on_as_it_was():
    found = running([reading(0, 100), reading(5, 110)], 6)
    assert found.projected_kw == pytest.approx(found.mean_so_far_kw) == pytest.approx(120)


def test_feeding_in_does_not_lower_import():
    found = running([reading(0, 100, 0, kw=0), reading(5, 110, 0, kw=-300)], 5)
    assert found.projected_kw == pytest.approx(40)


def test_the_start_is_on_the_line_between_its_neighbours():
    found = running([reading(-5, 95), reading(5, 105), reading(10, 115)], 10)
    assert found.mean_so_far_kw == pytest.approx(15 / (10 / 60))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [reading(-5, 100)],  # nothing yet in this interval
        [reading(3, 100), reading(5, 110)],  # where it stood at the start is not known
        [reading(0, 100), reading(5, 1)],  # reset in between
        [reading(0, 100), reading(5, 110, quality=ReadingQuality.SUSPECT)],
        [reading(0, 100), reading(9, 110)],  # what comes after now does not count
    ],
)
def test_unknown_is_none(rows):
    found = running(rows, 6)
    assert (found.mean_so_far_kw, found.projected_kw) == (None, None)

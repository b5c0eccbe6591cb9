"""Similar days by hand, and on whatever a meter may have left behind."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.forecasters.days import DayKind, closed_days, kind_of, public_holidays
from energy.forecasters.similar import Depth, at_step, forecast_similar_days, last_mean
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

SUNDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # local midnight before Monday 2 March in Berlin
NAN = float("nan")


def by_days(levels: list[float]) -> Past:
    """One level a local day, hourly; the last of them is Sunday 1 March."""
    horizon = Horizon(SUNDAY - timedelta(days=len(levels)), 24 * len(levels), 60)
    return Past(target=Series(horizon, np.repeat(levels, 24), "kW"), drivers=(), known_at=SUNDAY, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("levels", "monday"),
    [
        # Mon Tue Wed Thu Fri Sat Sun
        ([10, 20, 30, 40, 50, 5, 1], 30),  # the mean of the five working days
        ([NAN, 20, 30, 40, 50, 5, 1], 35),  # of those that are known
        ([90, 90, 90, 90, 90, 5, 1, 10, 20, 30, 40, 50, 5, 1], 30),  # only the last five
        ([5, 1], 3),  # no working day yet: any day
    ],
)
def test_the_mean_of_the_last_working_days(levels: list[float], monday: float) -> None:
    forecast = forecast_similar_days(
        Target.BASE_LOAD, by_days(levels), Horizon(SUNDAY, 24, 60), Depth(alike=5), source="naive"
    )
    assert forecast.p50.values == pytest.approx(np.full(24, monday))
    assert forecast.degraded == (len(levels) < 14)


def test_each_slot_has_its_own_last_days() -> None:
    rows = np.array([[1.0, NAN], [2.0, 5.0], [3.0, NAN], [NAN, 7.0]])
    assert last_mean(rows, 2).tolist() == [2.5, 6.0]
    assert np.isnan(last_mean(np.full((3, 1), NAN), 2)).all()


def test_hours_and_quarters() -> None:
    hours = Series.of(Horizon(SUNDAY, 2, 60), [1, NAN], "kW")
    quarters = at_step(hours, Horizon(SUNDAY, 0, 15))
    assert quarters.values[:4].tolist() == [1, 1, 1, 1]
    assert not quarters.known[4:].any()
    odd = Series.of(Horizon(SUNDAY - timedelta(minutes=30), 7, 15), [9, 9, 1, 2, NAN, 3, 9], "kW")
    assert at_step(odd, Horizon(SUNDAY, 0, 60)) == Series.of(Horizon(SUNDAY, 1, 60), [2], "kW")


def test_kinds_of_days() -> None:
    closed, flags = closed_days(
        Past(target=Series.unknown(Horizon(SUNDAY, 0), "kW"), drivers=(), known_at=SUNDAY, zone="Europe/Berlin",
             country="DE-BW", holidays=("2026-12-28",)), [2026]
    )  # fmt: skip
    kinds = {day: kind_of(datetime.fromisoformat(day).date(), closed) for day in
             ("2026-01-06", "2026-05-01", "2026-12-28", "2026-03-07", "2026-03-08", "2026-03-09")}  # fmt: skip
    assert list(kinds.values()) == [DayKind.CLOSED] * 3 + [DayKind.SATURDAY, DayKind.CLOSED, DayKind.WORKING]
    assert flags == ()
    assert public_holidays("ZZ", (2026,)) is None


@settings(max_examples=80, deadline=None)
@given(
    days=st.floats(0.1, 40),
    gaps=st.floats(0, 1),
    step=st.sampled_from([15, 30, 60]),
    target=st.sampled_from(list(Target)),
    late=st.integers(0, 200),
    slots=st.integers(1, 300),
    seed=st.integers(0, 99),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_whatever_is_left_of_a_past_there_is_a_band(
    days: float, gaps: float, step: int, target: Target, late: int, slots: int, seed: int, zone: str
) -> None:
    rng = np.random.default_rng(seed)
    end = datetime(2026, 3, 29, 12, tzinfo=UTC) + timedelta(minutes=step * int(rng.integers(200)))
    count = int(days * 1440 / step) + 1
    values = rng.normal(50, 40, count) * rng.choice([1, 1, 1, 20], count)
    values[rng.random(count) < gaps] = NAN
    told = Horizon(end - timedelta(minutes=step * count), count, step)
    past = Past(target=Series(told, values, "kW"), drivers=(), known_at=end, zone=zone)
    horizon = Horizon(end + timedelta(minutes=step * late), slots, step)
    forecast = forecast_similar_days(target, past, horizon, Depth(), source="naive")
    assert forecast.horizon == horizon
    if past.target.known.any():
        low, middle, high = (series.values for series in (forecast.p10, forecast.p50, forecast.p90))
        assert np.isfinite([low, middle, high]).all()
        assert (low <= middle).all()
        assert (middle <= high).all()
        assert target in {Target.PRICE, Target.BASE_LOAD} or (low >= 0).all()
    else:
        assert forecast.degraded
        assert not forecast.p50.known.any()


def test_what_is_known_of_long_ago_is_better_than_nothing() -> None:
    forecast = forecast_similar_days(
        Target.BASE_LOAD, by_days([10.0, 20.0, 30.0, *[NAN] * 90]), Horizon(SUNDAY, 2, 60), Depth(), source="naive"
    )
    assert (forecast.p10.values[0], forecast.p50.values[0], forecast.p90.values[0]) == (10, 20, 30)
    assert any("nothing is known of the last 70 days" in flag for flag in forecast.flags)

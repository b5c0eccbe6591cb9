"""How good forecasts were, on days that one can work out by hand: a plant of 100 kW, hours, three weeks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.model.forecast import Forecast, Member, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.reports.skill import days_told, drift_of, own_error, shares_of, skill_of, worse_lately

ZONE = "Europe/Berlin"
FIRST = datetime(2026, 3, 1, 23, tzinfo=UTC)  # Monday, 2 March, 00:00 in Berlin; summer time begins on the 29th
DAY = timedelta(days=1)


def issued(start: datetime, kw: float, *, days: int = 3, half_width: float = 5.0, **members: float) -> Forecast:
    horizon = Horizon(start, 24 * days, 60)
    told = [Series.constant(horizon, value, "kW") for value in (kw - half_width, kw, kw + half_width)]
    return Forecast(
        target=Target.BASE_LOAD,
        issued_at=start - timedelta(minutes=5),
        p10=told[0],
        p50=told[1],
        p90=told[2],
        source="combined",
        members=tuple(
            Member(name=name, weight=1 / len(members), p50=Series.constant(horizon, value, "kW"))
            for name, value in members.items()
        ),
    )


def load(days: int, kw: float = 100.0) -> Series:
    return Series.constant(Horizon(FIRST, 24 * days, 60), kw, "kW")


def test_a_day_ahead_and_a_day_more() -> None:
    # 100 kW came. The word of day 8 was 103 for itself and (said on day 7) 110: 3 kW and 10 kW off.
    said = {FIRST + 6 * DAY: issued(FIRST + 6 * DAY, 110), FIRST + 7 * DAY: issued(FIRST + 7 * DAY, 103)}
    until = FIRST + 8 * DAY
    ahead = {n: days_told(load(8), said, ZONE, 60, ahead=n, until=until) for n in (1, 2)}
    one, two = skill_of(ahead[1], 1), skill_of(ahead[2], 2)
    assert one is not None and two is not None
    assert (one.days, one.mae, one.bias, one.coverage_80) == (2, 6.5, 6.5, 0.5)
    assert (two.days, two.mae, two.coverage_80) == (1, 10.0, 0.0)
    assert two.naive_mae == 0.0  # last week was alike: nothing is better than perfect, and no share can be told
    assert two.skill is None


def test_better_by_a_third() -> None:
    series = Series(load(14).horizon, np.r_[np.full(168, 106.0), np.full(168, 100.0)], "kW")
    said = {FIRST + n * DAY: issued(FIRST + n * DAY, 104) for n in range(7, 14)}
    lead = skill_of(days_told(series, said, ZONE, 60, ahead=1, until=FIRST + 14 * DAY), 1)
    assert lead is not None
    assert (lead.mae, lead.naive_mae, lead.days, lead.hours) == (4.0, 6.0, 7, 168.0)
    assert lead.skill == pytest.approx(1 / 3)


def test_a_day_of_23_hours_is_one_day() -> None:
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)  # the 29th, which has 23 hours
    said = {start: issued(start, 101)}
    series = Series.constant(Horizon(start - 8 * DAY, 24 * 10, 60), 100.0, "kW")
    (day,) = days_told(series, said, ZONE, 60, ahead=1, until=start + 2 * DAY)
    assert len(day.actual) == 23


def test_what_was_not_measured_is_not_scored() -> None:
    said = {FIRST + 7 * DAY: issued(FIRST + 7 * DAY, 101)}
    gaps = Series.unknown(load(8).horizon, "kW")
    assert days_told(gaps, said, ZONE, 60, ahead=1, until=FIRST + 8 * DAY) == []
    assert skill_of([], 1) is None


def test_members_with_their_own_errors() -> None:
    said = {FIRST + n * DAY: issued(FIRST + n * DAY, 101, trees=102.0, hourly=97.0) for n in (7, 8)}
    days = days_told(load(9), said, ZONE, 60, ahead=1, until=FIRST + 9 * DAY)
    assert own_error(days, "trees") == 2.0
    assert own_error(days, "lasso") is None
    assert [(s.name, s.mae) for s in shares_of(said[FIRST + 7 * DAY], days)] == [("trees", 2.0), ("hourly", 3.0)]


def test_worse_lately_needs_a_usual_error() -> None:
    said = {FIRST + n * DAY: issued(FIRST + n * DAY, 102 if n < 18 else 104) for n in range(25)}
    days = days_told(load(25), said, ZONE, 60, ahead=1, until=FIRST + 25 * DAY)
    assert worse_lately(days) == pytest.approx(1.0)  # 4 kW instead of 2 kW
    assert worse_lately(days[:18]) is None
    assert worse_lately(days[15:]) is None  # three usual days are none to compare with


@pytest.mark.parametrize(
    ("came", "since", "below"),
    [
        ([100, 100, 100, 100, 100, 100], None, None),
        ([100, 100, 70, 70, 70, 70], 2, True),
        ([100, 100, 100, 130, 130, 130], 3, False),
        ([100, 100, 100, 100, 70, 70], None, None),  # two hours are no drift
        ([70, 70, 70, 70, 70, 100], None, None),  # it has come back
        ([100, 100, 70, 70, 70, float("nan")], 2, True),
    ],
)
def test_drift(came: list[float], since: int | None, below: bool | None) -> None:
    horizon = Horizon(FIRST, 6, 60)
    p50 = np.full(6, 100.0)
    drift = drift_of(horizon, np.array(came, dtype=float), p50 - 10, p50, p50 + 10)
    if since is None:
        assert drift is None
        return
    assert drift is not None
    assert (drift.since, drift.below) == (horizon.time_of(since), below)
    assert drift.share == pytest.approx(-0.3 if below else 0.3)


def test_a_night_is_no_drift() -> None:
    horizon, none = Horizon(FIRST, 6, 60), np.zeros(6)
    assert drift_of(horizon, np.ones(6), none, none, none) is None

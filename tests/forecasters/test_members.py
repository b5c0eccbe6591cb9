"""What every member of the combined forecast keeps to, whatever it learns: the same tables for all that are known."""

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import Member, MemberError, NotItsKindError, known_members
from energy.model.forecast import Target

Floats = NDArray[np.float64]

MONDAY = date(2024, 1, 1).toordinal()


OF_ONE_TARGET = {"sun", "wind", "mix", "mix trees"}  # they answer for what they know alone, and have tests of their own


@pytest.fixture(params=sorted(set(known_members()) - OF_ONE_TARGET))
def member(request: pytest.FixtureRequest) -> Member:
    return known_members()[request.param]()


def market(rows: int, *, ahead: int = 1, slots: int = 24, seed: int = 3) -> Days:
    """Prices that follow load less wind, dearer on working days and at eight in the evening, with some noise."""
    draw = np.random.default_rng(seed)
    total = rows + ahead
    hour = np.arange(slots) * 24 / slots
    ordinal = np.broadcast_to(MONDAY + np.arange(total)[:, None], (total, slots)).astype(np.int64)
    weekday = (ordinal + 6) % 7
    kind = np.where(weekday == 6, 2, np.where(weekday == 5, 1, 0))
    load = 50 + 10 * np.sin((hour - 6) / 12 * np.pi) - 8 * (kind > 0) + draw.normal(0, 2, (total, 1))
    wind = np.clip(15 + draw.normal(0, 6, (total, 1)) + draw.normal(0, 1, (total, slots)), 0, None)
    y = 0.06 * (load - wind) / 50 + 0.02 * np.exp(-((hour - 20) ** 2) / 4) + draw.normal(0, 0.002, (total, slots))
    y[rows:] = np.nan
    return Days(target=Target.PRICE, y=y, drivers={"load": load, "wind": wind}, issue=rows,
                step_minutes=24 * 60 // slots, minute=np.arange(slots) * (24 * 60 // slots),
                ordinal=ordinal, kind=kind)  # fmt: skip


def changed(days: Days, *, y: Floats | None = None, drivers: dict[str, Floats] | None = None) -> Days:
    return Days(target=days.target, y=days.y if y is None else y,
                drivers=days.drivers if drivers is None else drivers, issue=days.issue,
                step_minutes=days.step_minutes, minute=days.minute, ordinal=days.ordinal, kind=days.kind)  # fmt: skip


def finite(said: Floats, days: Days, issues: int = 1) -> Floats:
    assert said.shape == (issues, days.ahead, days.slots)
    assert np.isfinite(said[-1]).all()
    return said


def test_it_says_the_same_twice_and_more_than_nothing(member: Member) -> None:
    days = market(120)
    said = finite(member.forecast(days, [days.issue]), days)
    np.testing.assert_array_equal(said, member.forecast(days, [days.issue]))


@pytest.mark.parametrize("ahead", [1, 3])
def test_it_never_sees_what_came_after_an_issue(member: Member, ahead: int) -> None:
    days = market(120, ahead=ahead)
    issues = [100, 110, 117, 120]
    said = finite(member.forecast(days, issues), days, 4)
    for place, issue in enumerate(issues[:-1]):
        y = days.y.copy()
        y[issue:120] = -3.0 * y[issue:120][::-1] + 1.0
        drivers = {name: values.copy() for name, values in days.drivers.items()}
        for values in drivers.values():
            values[issue + ahead :] = -7.0
        other = member.forecast(changed(days, y=y, drivers=drivers), issues)
        np.testing.assert_array_equal(said[: place + 1], other[: place + 1])


def test_it_leaves_what_it_was_given_as_it_was(member: Member) -> None:
    days = market(120, ahead=2)
    y, wind = days.y.copy(), days.drivers["wind"].copy()
    member.forecast(days, [110, 120])
    np.testing.assert_array_equal(days.y, y)
    np.testing.assert_array_equal(days.drivers["wind"], wind)


def test_a_week_ahead_is_told_day_by_day(member: Member) -> None:
    days = market(120, ahead=7)
    drivers = {name: values.copy() for name, values in days.drivers.items()}
    for values in drivers.values():
        values[122:] = np.nan  # nobody knows the wind of next week
    finite(member.forecast(changed(days, drivers=drivers), [118, 120]), days, 2)


def holed(days: Days) -> Floats:
    y = days.y.copy()
    y[40:44] = np.nan
    y[60, 5:9] = np.nan
    y[119, 3] = np.nan
    y[np.random.default_rng(1).random(y.shape) < 0.02] = np.nan
    return y


def spiked(days: Days) -> Floats:
    y = days.y.copy()
    y[70, 18] = 5.0
    y[90, 3] = -2.0
    return y


@pytest.mark.parametrize(
    "y",
    [
        holed,
        spiked,
        lambda days: -days.y,
        lambda days: np.where(np.isnan(days.y), np.nan, 0.1),  # never changes
        lambda days: np.where(np.isnan(days.y), np.nan, 0.0),
        lambda days: days.y * 1e6,
    ],
    ids=["gaps", "spikes", "negative", "constant", "zero", "large"],
)
def test_it_answers_whatever_the_past_looks_like(member: Member, y) -> None:
    days = market(120)
    try:
        said = member.forecast(changed(days, y=y(days)), [110, 120])
    except NotItsKindError:
        assert np.ptp(y(days)[:120]) == 0.0  # a price that never changes is nobody's model
        return
    assert np.isfinite(said[-1]).mean() > 0.9  # a copy of last week has its gaps
    said = np.where(np.isnan(said), np.nanmean(said), said)
    known = y(days)[~np.isnan(y(days))]
    reach = max(1e-6, 2.0 * float(np.ptp(known)), 0.1 * float(np.abs(known).max()))
    assert said[-1].min() >= known.min() - reach
    assert said[-1].max() <= known.max() + reach


@pytest.mark.parametrize(
    "drivers",
    [
        lambda days: {},
        lambda days: {"load": days.drivers["load"]},
        lambda days: {**days.drivers, "wind": np.full_like(days.y, np.nan)},
        lambda days: {
            **days.drivers,
            "wind": np.where(np.arange(days.rows)[:, None] < 60, np.nan, days.drivers["wind"]),
        },
        lambda days: {**days.drivers, "wind": np.ones_like(days.y)},
    ],
    ids=["none", "one", "unknown", "new", "constant"],
)
def test_it_answers_whatever_drivers_there_are(member: Member, drivers) -> None:
    days = market(120)
    finite(member.forecast(changed(days, drivers=drivers(days)), [days.issue]), days)


def test_a_member_that_needs_more_history_says_so(member: Member) -> None:
    for rows in (1, 3, 8, 20):
        days = market(rows)
        try:
            said = member.forecast(days, [days.issue])
        except MemberError as why:
            assert str(why) != ""  # noqa: PT017 - whether it raises at all is the member's own affair
        else:
            assert said.shape == (1, 1, 24)
    finite(member.forecast(market(member.least_days), [member.least_days]), market(member.least_days))


def test_all_unknown_is_no_answer(member: Member) -> None:
    days = market(60)
    try:
        said = member.forecast(changed(days, y=np.full_like(days.y, np.nan)), [days.issue])
    except MemberError:
        return
    assert np.isnan(said).all()


@pytest.mark.parametrize("name", ["kernel", "lasso", "trees"])
def test_what_learns_from_drivers_beats_the_copy_of_last_week(name: str) -> None:
    whole = market(150)
    days = whole.as_of(120)
    learner, week = known_members()[name](), known_members()["week"]()
    issues = list(range(100, 121))
    came = whole.y[100:121]
    errors = [np.abs(each.forecast(days, issues)[:, 0] - came).mean() for each in (learner, week)]
    assert errors[0] < 0.7 * errors[1]

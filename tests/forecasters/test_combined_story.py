"""The combined forecast always answers, and says what was missing: drivers, members, time, values."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.forecasters.combined import Settings, forecaster
from energy.forecasters.combined.book import opened
from energy.forecasters.combined.days import laid_out, made_on
from energy.forecasters.combined.deadline import Deadline, LateError
from energy.forecasters.combined.drivers import Driven, screened
from energy.forecasters.combined.forecaster import Combined
from energy.forecasters.combined.issued import kept_of
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.similar import SimilarDays
from energy.forecasters.combined.members.week import WeekBefore
from energy.forecasters.combined.recipes import RECIPES
from energy.forecasters.similar import at_step
from energy.model.forecast import LEVELS, Forecast, Input, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

ZONE = "Europe/Berlin"
MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # local midnight
DAY = timedelta(days=1)


def past_of(days: int = 28, *, step: int = 60, end: datetime = MONDAY, zone: str = ZONE, **more: object) -> Past:
    """So many days of a load that counts the hours of the wall clock, 100 kW at midnight."""
    horizon = Horizon.between(end - days * DAY, end, step)
    values = [100.0 + (t.hour + 1) % 24 + 0.01 * (n % 7) for n, t in enumerate(horizon.times())]
    said: dict[str, object] = {"target": Series.of(horizon, values, "kW"), "drivers": (), "known_at": end, "zone": zone}
    return Past(**(said | more))  # type: ignore[arg-type]


def driver(until: datetime, *, days: int = 28, value: Callable[[int], float] = lambda n: float(n % 24)) -> Series:
    horizon = Horizon.between(MONDAY - days * DAY, until, 60)
    return Series.of(horizon, [value(n) for n in range(horizon.slots)], "degC")


def members(patch: pytest.MonkeyPatch, **made: object) -> None:
    """Other members for the base load."""
    recipe = replace(forecaster.RECIPES[Target.BASE_LOAD], members=dict.fromkeys(made, 1.0 / len(made)))
    patch.setattr(forecaster, "RECIPES", dict.fromkeys(Target, recipe))
    patch.setattr(forecaster, "known_members", lambda: {name: (lambda it=it: it) for name, it in made.items()})


class Failing:
    name, least_days = "failing", 0

    def forecast(self, days: object, issues: Sequence[int]) -> np.ndarray:
        raise ZeroDivisionError("in a library")


class Echo:
    """Says what its first driver says, and a thousand where it has none."""

    name, least_days = "echo", 0

    def forecast(self, days, issues):
        said = np.full((len(issues), days.ahead, days.slots), 1000.0)
        for place, issue in enumerate(issues):
            for values in list(days.drivers.values())[:1]:
                part = values[issue : issue + days.ahead]
                said[place, : len(part)] = part
        return said


class Holey(SimilarDays):
    """Leaves the first six hours open."""

    def forecast(self, days, issues):
        said = super().forecast(days, issues)
        said[:, :, :6] = np.nan
        return said


def finite(forecast: Forecast) -> None:
    assert np.isfinite([forecast.at(level).values for level in LEVELS]).all()
    assert (np.diff([forecast.at(level).values for level in LEVELS], axis=0) >= -1e-9).all()


@pytest.mark.parametrize(
    ("series", "flag"),
    [
        (driver(MONDAY), "without t: unknown over the horizon, it ends at 2026-03-02 00:00"),
        (driver(MONDAY + DAY, value=lambda n: 7.0), "without t: it never changed"),
        (driver(MONDAY + DAY, value=lambda n: n if n % 3 else np.nan), "without t: 33 % of its past are gaps"),
        (driver(MONDAY + DAY, days=3), "without t: 3 days of it are known, 7 needed"),
        (driver(MONDAY + DAY, value=lambda n: np.nan), "without t: nothing is known of it"),
        (driver(MONDAY + DAY / 2), "t ends at 2026-03-02 12:00: beyond that the forecast does without it"),
    ],
)
def test_a_driver_that_cannot_be_used_is_named_with_its_reason(series: Series, flag: str) -> None:
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(drivers=(("t", series),)), Horizon(MONDAY, 24, 60))
    assert forecast.flags == (flag,)
    finite(forecast)


def test_a_whole_driver_raises_no_flag() -> None:
    past = past_of(drivers=(("t", driver(MONDAY + DAY, value=lambda n: n if n % 24 else np.nan)),))
    assert Combined().forecast(Target.BASE_LOAD, past, Horizon(MONDAY, 24, 60)).flags == ()


def test_a_driver_is_used_for_the_part_of_the_horizon_that_it_knows() -> None:
    past = past_of(drivers=(("t", driver(MONDAY + timedelta(hours=30))),))
    laid = laid_out(Target.BASE_LOAD, past, Horizon(MONDAY, 48, 60), most_days=100)
    assert laid is not None
    said = Driven(Echo(), screened(laid, past.drivers)).forecast(laid.days, [laid.days.issue])
    assert said[0].ravel().tolist() == [float(n % 24) for n in range(30)] + [1000.0] * 18


def test_a_member_that_fails_is_named_and_the_others_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    members(monkeypatch, failing=Failing(), similar=SimilarDays())
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert forecast.flags == ("without failing: it failed (ZeroDivisionError)",)
    assert [member.name for member in forecast.members] == ["similar"]
    assert forecast.source == "combined"


def test_without_any_member_similar_days_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    members(monkeypatch, failing=Failing())
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert forecast.source == "naive"
    assert forecast.flags == ("without failing: it failed (ZeroDivisionError)",)
    finite(forecast)


def test_a_failure_outside_the_members_is_survived_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecaster, "quantiles_of", lambda *args: 1 / 0)
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert forecast.source == "naive"
    assert any("the combined forecast failed (ZeroDivisionError)" in flag for flag in forecast.flags)
    finite(forecast)


def test_what_no_longer_fits_is_left_out_and_said() -> None:
    forecast = Combined(seconds=1e-9).forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert forecast.source == "naive"
    assert forecast.flags == (f"without {', '.join(RECIPES[Target.BASE_LOAD].members)}: no time was left",)
    assert Combined(seconds=1e9).forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60)).flags == ()


def test_a_member_that_would_take_too_long_is_asked_for_today_alone() -> None:
    """The clock runs out while the third issue is looked at; the forecast itself is still made."""

    class Slow(SimilarDays):
        name = "slow"

        def forecast(self, days, issues):
            for place, _ in enumerate(issues):
                if place == 2 and len(issues) > 2:
                    deadlines[0] = Deadline(-1.0)
                    list(issues)
            return super().forecast(days, issues)

    class Soon(Deadline):
        def leaves_time(self) -> bool:
            return deadlines[0].leaves_time()

    deadlines = [Deadline()]
    laid = laid_out(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60), most_days=100)
    assert laid is not None
    book = opened(laid.days, [Slow(), SimilarDays()], back=10, kept={}, deadline=Soon())
    assert book.names == ("slow",)
    assert book.silent == (("similar", "no time was left"),)
    assert book.remarks == ("no time was left to see how well slow did lately",)
    assert np.isnan(book.said[0, :-1]).all()
    assert np.isfinite(book.now).all()


def test_a_deadline_is_kept_and_no_deadline_never_comes() -> None:
    assert list(Deadline.after(1e9).watched([1, 2])) == list(Deadline.after(None).watched([1, 2])) == [1, 2]
    with pytest.raises(LateError):
        list(Deadline(-1.0).watched([1]))


def test_slots_that_no_member_knows_are_those_of_similar_days(monkeypatch: pytest.MonkeyPatch) -> None:
    members(monkeypatch, holey=Holey())
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert "similar days where no model has an answer" in forecast.flags
    assert forecast.p50.values == pytest.approx(np.arange(100, 124), abs=0.1)
    finite(forecast)


@pytest.mark.parametrize("minute", [0, 15, 30, 45])
def test_hourly_values_on_quarters_at_any_quarter_of_issue(minute: int) -> None:
    """A price is made by the hour: each hour of the clock has one value, also where the horizon begins within it."""
    issued = MONDAY + timedelta(hours=9, minutes=minute)
    past = past_of(end=MONDAY + timedelta(hours=9), known_at=issued)
    horizon = Horizon(issued, 30 * 4 + 1)
    forecast = Combined(members=("similar", "week")).forecast(Target.PRICE, past, horizon)
    hours = [100 + (t.hour + 1) % 24 for t in horizon.times()]
    assert forecast.p50.values == pytest.approx(hours, abs=0.1)
    finite(forecast)


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
@pytest.mark.parametrize("issue_hour", [0, 1, 14])
def test_days_of_23_and_25_hours(change: datetime, issue_hour: int) -> None:
    start = change - DAY + timedelta(hours=issue_hour)
    past = past_of(end=start)
    for slots in (23, 25, 60):
        horizon = Horizon(start, slots, 60)
        forecast = Combined().forecast(Target.BASE_LOAD, past, horizon)
        finite(forecast)
        assert forecast.horizon == horizon


@pytest.mark.parametrize(
    ("series", "horizon", "least", "expected"),
    [
        ((0, 15), (0, 4, 15), 0, (0, 4, 15)),
        ((0, 60), (15, 6, 15), 0, (0, 2, 60)),  # hourly values, asked for 00:15 to 01:45
        ((30, 60), (45, 4, 15), 0, (30, 2, 60)),  # hours that begin at the half
        ((0, 15), (45, 3, 15), 60, (0, 2, 60)),  # made by the hour
        ((0, 15), (30, 2, 60), 0, (30, 2, 60)),
        ((0, 20), (0, 4, 15), 0, (0, 4, 15)),
    ],
)
def test_the_step_on_which_a_forecast_is_made(series, horizon, least, expected) -> None:
    def at(minutes: int, slots: int, step: int) -> Horizon:
        return Horizon(MONDAY + timedelta(minutes=minutes), slots, step)

    assert made_on(at(series[0], 100, series[1]), at(*horizon), least) == at(*expected)


@pytest.mark.parametrize(
    ("own", "step", "values", "expected"),
    [
        (60, 15, [1, 2], [1, 1, 1, 1, 2, 2, 2, 2]),
        (15, 60, [1, 2, 3, 4], [2.5]),
        (10, 15, [1, 4, 7], [2.0, 6.0]),
        (30, 20, [1, 4], [1.0, 2.5, 4.0]),
    ],
)
def test_a_series_on_any_step(own: int, step: int, values: list[float], expected: list[float]) -> None:
    series = Series.of(Horizon(MONDAY, len(values), own), values, "kW")
    assert at_step(series, Horizon(MONDAY + DAY, 1, step)).values.tolist() == expected


def issued_at(start: datetime, *, value: float, slots: int = 96, published_to: datetime | None = None) -> Forecast:
    forecast = Combined(members=["similar"]).forecast(
        Target.BASE_LOAD, past_of(20, end=start, step=15), Horizon(start, slots)
    )
    (member,) = forecast.members
    member = replace(member, p50=Series.constant(forecast.horizon, value, "kW"))
    inputs = (Input(name="target", known_until=published_to or start, digest=""),)
    return replace(forecast, members=(member,), inputs=inputs)


@pytest.mark.parametrize(
    ("issued", "rows"),
    [
        ((issued_at(MONDAY - DAY, value=1.0),), {27: [1.0]}),
        ((issued_at(MONDAY - 2 * DAY, value=1.0), issued_at(MONDAY - DAY, value=2.0)), {26: [1.0], 27: [2.0]}),
        # two hours before the wall time of issue: what it said of the day from there on
        ((issued_at(MONDAY - DAY - DAY / 12, value=1.0, slots=110),), {27: [1.0]}),
        ((issued_at(MONDAY - DAY - DAY / 4, value=1.0, slots=120),), {}),  # six hours before: another day
        ((issued_at(MONDAY - DAY, value=1.0, slots=48),), {}),  # half a day says too little
        # the first day was published already: only the second was forecast
        ((issued_at(MONDAY - 2 * DAY, value=1.0, slots=192, published_to=MONDAY - DAY),), {27: [1.0]}),
        ((issued_at(MONDAY - 2 * DAY, value=1.0, slots=192, published_to=MONDAY - 3 * DAY),), {26: [1.0]}),
    ],
)
def test_issued_forecasts_are_kept_by_the_row_at_which_they_began(issued, rows) -> None:
    laid = laid_out(Target.BASE_LOAD, past_of(28, step=15), Horizon(MONDAY, 96), most_days=100)
    assert laid is not None
    kept = kept_of(issued, laid)
    assert {row: sorted(set(said["similar"].ravel())) for row, said in kept.items()} == rows


def test_a_published_part_is_what_was_said_of_it_before() -> None:
    """Said on Sunday of Monday and Tuesday; on Monday, Tuesday's prices are out."""
    sunday = Combined(members=("similar", "week")).forecast(
        Target.PRICE, past_of(end=MONDAY - DAY), Horizon(MONDAY - DAY, 72, 60)
    )
    flagged = replace(sunday, p50=Series.constant(sunday.horizon, 55.0, "kW"))
    past = replace(past_of(end=MONDAY + DAY), known_at=MONDAY, issued=(flagged,))
    forecast = Combined(members=("similar", "week")).forecast(Target.PRICE, past, Horizon(MONDAY, 48, 60))
    assert forecast.p50.values[:24].tolist() == [55.0] * 24
    assert forecast.p50.values[24:] == pytest.approx(np.arange(100, 124), abs=0.1)
    assert [len(level.values) for _, level in forecast.quantiles] == [48] * len(LEVELS)
    assert {member.p50.horizon.slots for member in forecast.members} == {48}


def test_a_member_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no member profet; known members: .*similar"):
        Settings(members=("profet",))


@pytest.mark.parametrize(("days", "stands_in"), [(28, True), (45, False)])
def test_similar_days_stand_in_until_every_member_could_learn(monkeypatch, days: int, stands_in: bool) -> None:
    members(monkeypatch, week=WeekBefore(), similar=SimilarDays())
    recipe = replace(forecaster.RECIPES[Target.PRICE], members={"week": 1.0})
    monkeypatch.setattr(forecaster, "RECIPES", {Target.PRICE: recipe})
    forecast = Combined().forecast(Target.PRICE, past_of(days), Horizon(MONDAY, 24, 60))
    assert [member.name for member in forecast.members] == ["week", *(["similar"] if stands_in else [])]
    assert sum(member.weight for member in forecast.members) == pytest.approx(1.0)


def test_members_that_have_no_answer_share_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        least_days = 0

        def __init__(self, name: str) -> None:
            self.name = name

        def forecast(self, days, issues):
            raise MemberError("no sun")

    members(monkeypatch, a=Silent("a"), b=Silent("b"), similar=SimilarDays())
    assert Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60)).flags == ("without a, b: no sun",)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    days=st.integers(0, 40), step=st.sampled_from([15, 30, 60]), shift=st.integers(0, 95), slots=st.integers(1, 300),
    late=st.integers(0, 200), gaps=st.floats(0, 1), zone=st.sampled_from([ZONE, "Australia/Lord_Howe", "Asia/Kolkata"]),
    kind=st.sampled_from(["noise", "constant", "zero", "spikes", "negative"]), target=st.sampled_from(Target),
    seed=st.integers(0, 9), ahead=st.integers(-50, 300),
)  # fmt: skip
def test_whatever_comes_there_are_quantiles(
    days, step, shift, slots, late, gaps, zone, kind, target, seed, ahead
) -> None:  # fmt: skip
    """Gaps, clock changes, constants, spikes, drivers that end anywhere, hours of history."""
    rng = np.random.default_rng(seed)
    start = datetime(2026, 3, 28, tzinfo=UTC) + shift * timedelta(minutes=15)
    end = datetime(2026, 3, 28, tzinfo=UTC) - late * timedelta(hours=1)
    seen = Horizon.between(end - days * DAY, end, step)
    values = {
        "noise": rng.normal(100, 10, seen.slots),
        "constant": np.full(seen.slots, 42.0),
        "zero": np.zeros(seen.slots),
        "spikes": np.where(rng.random(seen.slots) < 0.01, 1e6, 1.0),
        "negative": rng.normal(-50, 10, seen.slots),
    }[kind]
    values = np.where(rng.random(seen.slots) < gaps, np.nan, values)
    told = Horizon(seen.start, max(0, seen.slots + ahead), step)
    past = Past(
        target=Series(seen, values, "kW"),
        drivers=(("t", Series(told, rng.normal(10, 5, told.slots), "degC")),),
        known_at=start,
        zone=zone,
        country="DE",
    )
    forecast = Combined().forecast(target, past, Horizon(start, slots))
    assert not any("failed" in flag for flag in forecast.flags)
    if np.isnan(values).all():
        assert any("nothing is known" in flag for flag in forecast.flags)
        assert not forecast.p50.known.any()
    else:
        finite(forecast)
        assert days >= 14 or forecast.flags


def test_a_model_that_runs_away_is_no_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load was 100 to 124 kW; a million is the model's fault, and similar days answer."""

    class Runaway(SimilarDays):
        name = "runaway"

        def forecast(self, days, issues):
            return super().forecast(days, issues) * 1e4

    members(monkeypatch, runaway=Runaway(), similar=SimilarDays())
    forecast = Combined().forecast(Target.BASE_LOAD, past_of(), Horizon(MONDAY, 24, 60))
    assert [member.name for member in forecast.members] == ["similar"]
    assert forecast.flags == ("without runaway: it says nothing of the days ahead",)

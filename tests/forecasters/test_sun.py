"""The sun: where it stands, whether the weather's clock agrees, and what is no example."""

from datetime import date

import numpy as np
import pytest

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError, NotItsKindError
from energy.forecasters.combined.members.sun import SunnyDays, seen_at
from energy.forecasters.combined.members.wind import WindyDays
from energy.forecasters.leaks import peeks
from energy.forecasters.sun.clock import drift_of_radiation, drift_of_wind, moved
from energy.forecasters.sun.drivers import spread_out, sunny, windy
from energy.forecasters.sun.envelope import blurred, envelope
from energy.forecasters.sun.examples import long_runs, not_examples
from energy.forecasters.sun.findings import clock_words
from energy.forecasters.sun.position import clear_sky, declination, height
from energy.forecasters.sun.sky import Sky, sky_of
from energy.model.forecast import Target

SUMMER = date(2025, 5, 1).toordinal()
HOURLY = (np.arange(24) + 0.5) * 60.0


def clouds(days: int, slots: int, seed: int = 1) -> np.ndarray:
    """How open the sky is, 0.1 to 1, drifting over hours."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=days * slots)
    keep = np.exp(-24.0 / slots / 5.0)
    wave = np.zeros(days * slots)
    for at in range(1, len(wave)):
        wave[at] = keep * wave[at - 1] + np.sqrt(1 - keep**2) * steps[at]
    return (0.1 + 0.9 / (1.0 + np.exp(-1.5 * wave))).reshape(days, slots)


def plant(
    days: int = 40, slots: int = 24, ahead: int = 1, seed: int = 1, noon: float = 720.0
) -> tuple[np.ndarray, ...]:
    """(ordinal, minute, radiation, output) of a roof of 100 kW that gives what falls on it, with a little noise."""
    rows = days + ahead
    ordinal = np.repeat((SUMMER + np.arange(rows))[:, None], slots, axis=1)
    minute = np.arange(slots) * 1440 // slots
    sky = Sky(noon=noon, latitude=50.0)
    radiation = sky.irradiance(ordinal, minute[None, :] + 720.0 / slots) * clouds(rows, slots, seed)
    noise = np.random.default_rng(seed + 1).normal(1.0, 0.03, radiation.shape)
    return ordinal, minute, radiation, radiation / 10.0 * noise


def laid(y: np.ndarray, drivers: dict[str, np.ndarray], ahead: int, *, target: Target = Target.PV) -> Days:
    rows, slots = y.shape
    known = y.copy()
    known[rows - ahead :] = np.nan
    ordinal = np.repeat((SUMMER + np.arange(rows))[:, None], slots, axis=1)
    return Days(target=target, y=known, drivers=drivers, issue=rows - ahead, step_minutes=1440 // slots,
                minute=np.arange(slots) * 1440 // slots, ordinal=ordinal,
                kind=np.zeros((rows, slots), dtype=np.int64))  # fmt: skip


@pytest.mark.parametrize(
    ("day", "degrees"),
    [(date(2025, 3, 20), 0.0), (date(2025, 6, 21), 23.44), (date(2025, 9, 22), 0.0), (date(2025, 12, 21), -23.44)],
)
def test_how_far_north_the_sun_stands_at_the_turns_of_the_year(day, degrees):
    assert np.rad2deg(declination(np.array(day.toordinal()))) == pytest.approx(degrees, abs=0.7)


def test_noon_at_the_equator_of_the_spring_is_overhead_and_midnight_is_below():
    spring = np.array(date(2025, 3, 20).toordinal())
    assert height(spring, np.array([0.0, 6.0, 12.0]), 0.0) == pytest.approx([1.0, 0.0, -1.0], abs=0.01)
    assert clear_sky(np.array([1.0, 0.5, 0.0, -0.3])) == pytest.approx([1037.2, 489.9, 0.0, 0.0], abs=0.1)


def test_in_the_polar_night_nothing_comes_through_the_clear_sky():
    winter = np.full((1, 24), date(2025, 12, 21).toordinal())
    assert Sky(noon=720.0, latitude=75.0).irradiance(winter, HOURLY[None, :]).max() == 0.0


def test_the_envelope_is_what_a_fine_day_gives():
    values = np.array([[0.0, 1.0], [0.0, 3.0], [0.0, np.nan]])
    assert envelope(values, smooth=0.0, quantile=1.0) == pytest.approx([0.0, 3.0])
    assert blurred(np.array([2.0, 2.0, np.nan, 2.0]), 1.0) == pytest.approx([2.0, 2.0, np.nan, 2.0], nan_ok=True)


@pytest.mark.parametrize("noon", [690.0, 720.0, 830.0])
def test_noon_is_read_off_the_output(noon):
    ordinal, minute, _, output = plant(noon=noon)
    sky = sky_of(output, ordinal, minute + 30.0)
    assert sky is not None
    assert sky.noon == pytest.approx(noon, abs=20.0)


def test_the_latitude_is_read_off_the_seasons():
    ordinal, minute, radiation, _ = plant(days=150)
    sky = sky_of(radiation, ordinal, minute + 30.0)
    assert sky is not None
    assert sky.latitude == pytest.approx(50.0, abs=8.0)
    assert sky_of(np.zeros((5, 24)), ordinal[:5], minute + 30.0) is None


@pytest.mark.parametrize("slots", [24, 96])
@pytest.mark.parametrize("hours", [-2.0, -1.0, 1.0, 1.5, 2.0, 3.0])
def test_a_weather_clock_that_runs_wrong_is_found(hours, slots):
    _, _, radiation, output = plant(slots=slots)
    wrong = moved(radiation, -hours * slots / 24)  # stands so much too early
    found = drift_of_radiation(output, np.nan_to_num(wrong), 1440 // slots)
    assert found.slots * 24 / slots == pytest.approx(hours, abs=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_a_right_clock_is_left_alone(seed):
    _, _, radiation, output = plant(slots=96, seed=seed)
    assert drift_of_radiation(output, radiation, 15).slots == 0.0


@pytest.mark.parametrize("days", [10, 25, 40])
def test_a_roof_that_faces_west_is_no_wrong_clock(days):
    ordinal, minute, radiation, _ = plant(days=days, slots=96)
    late = Sky(noon=780.0, latitude=50.0).irradiance(ordinal, minute[None, :] + 7.5)
    level = Sky(noon=720.0, latitude=50.0).irradiance(ordinal, minute[None, :] + 7.5)
    facing_west = np.where(level > 20, radiation / np.maximum(level, 1.0), 0.3) * late
    assert drift_of_radiation(facing_west, radiation, 15).slots == 0.0


def test_three_days_are_enough_for_a_wrong_zone_and_two_are_not():
    _, _, radiation, output = plant(days=2, ahead=1, slots=96)
    wrong = np.nan_to_num(moved(radiation, -12.0))
    assert drift_of_radiation(output, wrong, 15).slots == pytest.approx(12.0, abs=2.0)
    assert drift_of_radiation(output[:2], wrong[:2], 15).slots == 0.0


def test_noise_has_no_clock():
    rng = np.random.default_rng(3)
    _, _, _, output = plant(slots=96)
    assert drift_of_radiation(output, rng.random(output.shape), 15).slots == 0.0
    assert drift_of_radiation(output, np.zeros(output.shape), 15).slots == 0.0


@pytest.mark.parametrize("hours", [-2.0, 0.0, 3.0])
def test_the_clock_of_the_wind(hours):
    blown = 12.0 * clouds(60, 24, seed=4)
    output = np.minimum(blown, 10.0) ** 3
    found = drift_of_wind(output, np.nan_to_num(moved(blown, -hours), nan=5.0), 60)
    assert found.slots == pytest.approx(hours, abs=0.25)


def test_what_was_found_is_said_in_words():
    _, _, radiation, output = plant()
    late = np.nan_to_num(moved(radiation, 1.0))
    found = drift_of_radiation(output, late, 60)
    assert clock_words("radiation", found, 60) == ("radiation runs 60 min late (whole hours: a wrong zone?): shifted",)
    assert clock_words("radiation", drift_of_radiation(output, radiation, 60), 60) == ()


def test_moving_a_series():
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert moved(table, 1.0) == pytest.approx(np.array([[np.nan, 1.0], [2.0, 3.0]]), nan_ok=True)
    assert moved(table, -0.5) == pytest.approx(np.array([[1.5, 2.5], [3.5, np.nan]]), nan_ok=True)


def test_drivers_are_known_by_name_or_by_their_nights():
    _, _, radiation, _ = plant()
    wind = 5.0 + clouds(len(radiation), 24)
    assert sunny({"windspeed_100m": wind, "x": radiation}, 40) is not None
    assert sunny({"windspeed_100m": wind}, 40) is None
    assert sunny({"radiation": np.zeros_like(wind)}, 40) is None  # constant: it tells nothing
    assert windy({"wind_direction": wind, "windspeed_100m": 2 * wind}, 40) == pytest.approx(2 * wind)


def test_radiation_that_is_summed_up_over_the_day_is_taken_apart():
    _, _, radiation, _ = plant(days=10)
    summed = np.cumsum(radiation, axis=1)
    assert spread_out(summed, 10)[1:, 1:] == pytest.approx(radiation[1:, 1:])
    assert spread_out(np.cumsum(radiation.ravel()).reshape(radiation.shape), 10).ravel()[1:] == pytest.approx(
        radiation.ravel()[1:]
    )
    assert spread_out(radiation, 10) is radiation


def test_a_run_of_marks_counts_from_two_hours():
    marks = np.array([[0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0] * 2], dtype=bool)
    assert long_runs(marks, 2.0)[0, :12].tolist() == [False, True, True, True] + [False] * 8


def test_outages_and_throttling_are_no_examples():
    _, _, radiation, output = plant(days=30, slots=96)
    output[10, 40:60] = 0.0  # broken from 10:00 to 15:00
    held = output[20, 36:64].min() + 1.0
    output[20] = np.minimum(output[20], max(held, 20.0))
    radiation[10, 40:60] = radiation[:, 40:60].max(axis=0)
    out, throttled = not_examples(output, radiation)
    assert out[10, 40:60].all()
    assert out.sum() == 20
    assert throttled[20].any()
    assert not np.delete(throttled, 20, axis=0).any()


def test_the_limit_of_the_inverter_is_learned():
    _, _, radiation, output = plant(days=40, slots=96)
    output = np.minimum(output, 60.0)
    assert not not_examples(output, radiation)[1].any()


@pytest.mark.parametrize("hours", [0.0, 3.0, -2.0])
def test_the_member_forecasts_from_radiation_whatever_its_clock(hours):
    _, _, radiation, output = plant(days=40, slots=24)
    days = laid(output, {"radiation": moved(radiation, -hours)}, 1)
    said = SunnyDays().forecast(days, [days.issue])[0, 0]
    error = np.abs(said - output[40])
    usual = np.abs(output[33:40].mean(axis=0) - output[40])
    known = ~np.isnan(said)
    assert known.all()
    assert error.mean() < 0.5 * usual.mean()


def test_an_issue_in_the_past_is_answered_as_if_the_days_after_it_were_unknown():
    _, _, radiation, output = plant(days=40)
    days = laid(output, {"radiation": radiation}, 1)
    asked = SunnyDays().forecast(days, [30, 40])
    other = output.copy()
    other[30:] *= 0.2
    blind = laid(other, {"radiation": np.where(np.arange(41)[:, None] > 30, 0.0, radiation)}, 1)
    assert SunnyDays().forecast(blind, [30, 40])[0] == pytest.approx(asked[0])


def test_throttled_days_do_not_lower_the_forecast():
    _, _, radiation, output = plant(days=40, slots=96)
    whole = SunnyDays().forecast(laid(output, {"radiation": radiation}, 1), [40])[0, 0]
    cut = output.copy()
    cut[30:38, 40:56] = np.minimum(cut[30:38, 40:56], 12.0)
    seen = seen_at(laid(cut, {"radiation": radiation}, 1), 40)
    assert seen.throttled > 30
    told = SunnyDays().forecast(laid(cut, {"radiation": radiation}, 1), [40])[0, 0]
    assert told[40:56].mean() == pytest.approx(whole[40:56].mean(), rel=0.08)


@pytest.mark.parametrize("drivers", ["none", "constant", "half", "gone"])
def test_poor_drivers_still_give_an_answer(drivers):
    _, _, radiation, output = plant(days=20, ahead=2)
    half = radiation.copy()
    half[20, 12:] = np.nan
    half[21] = np.nan
    given = {"none": {}, "constant": {"radiation": np.full_like(radiation, 3.0)}, "half": {"radiation": half},
             "gone": {"radiation": np.full_like(radiation, np.nan)}}[drivers]  # fmt: skip
    said = SunnyDays().forecast(laid(output, given, 2), [20])
    assert said.shape == (1, 2, 24)
    assert not np.isnan(said).any()
    assert said.min() >= 0.0


def test_three_days_of_history_are_enough_and_a_night_without_end_is_no_plant():
    _, _, radiation, output = plant(days=3)
    assert not np.isnan(SunnyDays().forecast(laid(output, {"radiation": radiation}, 1), [3])).any()
    with pytest.raises(MemberError, match="nothing was generated"):
        SunnyDays().forecast(laid(np.zeros_like(output), {"radiation": radiation}, 1), [3])


def test_sun_and_wind_know_each_other_by_the_night():
    _, _, radiation, output = plant()
    blown = 12.0 * clouds(41, 24, seed=4)
    power = np.minimum(blown, 10.0) ** 3
    with pytest.raises(NotItsKindError):
        SunnyDays().forecast(laid(power, {"radiation": radiation}, 1), [40])
    with pytest.raises(NotItsKindError):
        WindyDays().forecast(laid(output, {"windspeed": blown}, 1), [40])


def test_the_wind_member_learns_the_power_curve():
    blown = 12.0 * clouds(61, 24, seed=4)
    power = np.minimum(blown, 10.0) ** 3
    days = laid(power, {"windspeed_100m": moved(blown, -2.0)}, 1, target=Target.PV)
    said = WindyDays().forecast(days, [60])[0, 0]
    assert np.abs(said - power[60]).mean() < 0.35 * np.abs(power[53:60].mean(axis=0) - power[60]).mean()
    without = WindyDays().forecast(laid(power, {}, 1), [60])
    assert not np.isnan(without).any()


def test_no_member_peeks():
    _, _, radiation, output = plant(days=40)
    assert peeks(SunnyDays(), laid(output, {"radiation": moved(radiation, -3.0, hold=True)}, 1), 33) == ()
    blown = 12.0 * clouds(61, 24, seed=4)
    assert peeks(WindyDays(), laid(np.minimum(blown, 10.0) ** 3, {"windspeed": blown}, 1), 53) == ()


def test_a_person_is_told_what_was_found():
    _, _, radiation, output = plant(days=40)
    late = laid(output, {"radiation": moved(radiation, 2.0, hold=True)}, 1)
    assert SunnyDays().remarks(late) == ("radiation runs 120 min late (whole hours: a wrong zone?): shifted",)
    assert SunnyDays().remarks(laid(output, {"radiation": radiation}, 1)) == ()

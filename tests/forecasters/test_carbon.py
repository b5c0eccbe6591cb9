"""Carbon intensity: the mix of sources, and what is made of it."""

import numpy as np
import pytest

from energy.forecasters.carbon.columns import Level, Told, with_gaps_filled
from energy.forecasters.carbon.mix import intensity, shares, sources
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.mix import Mix
from energy.forecasters.combined.members.mix_trees import MixTrees
from energy.forecasters.leaks import peeks
from energy.model.forecast import Target

NAMES = [
    "avg_solar_production_forecast",
    "avg_wind_production_forecast",
    "avg_nat_gas_production_forecast",
    "avg_coal_production_forecast",
]


def waves(rows: int, slots: int, seed: int) -> np.ndarray:
    """Something that drifts over hours, around zero, with a spread of one."""
    steps = np.random.default_rng(seed).normal(size=rows * slots)
    wave = np.zeros(rows * slots)
    for at in range(1, len(wave)):
        wave[at] = 0.97 * wave[at - 1] + 0.24 * steps[at]
    return wave.reshape(rows, slots)


def grid(rows: int = 90, ahead: int = 1, seed: int = 1) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Intensity of a grid of sun, wind, gas and coal, and day-ahead forecasts of them that err, for days on end alike."""
    hours = np.arange(24)
    day = np.maximum(0.0, np.sin((hours - 6) / 12 * np.pi))
    made = {
        NAMES[0]: 4000 * day * (1 + 0.2 * waves(rows + ahead, 24, seed)),
        NAMES[1]: 2000 * np.exp(0.5 * waves(rows + ahead, 24, seed + 1)),
        NAMES[2]: 8000 - 2500 * day + 800 * waves(rows + ahead, 24, seed + 2),
        NAMES[3]: np.full((rows + ahead, 24), 500.0),
    }
    made = {name: np.maximum(values, 0.0) for name, values in made.items()}
    y = intensity(made)
    assert y is not None
    erring = 1 + 0.15 * waves(rows + ahead, 24, seed + 3)
    return y, {**made, NAMES[1]: made[NAMES[1]] * 1.3 * erring, NAMES[2]: made[NAMES[2]] * 0.9}


def laid(y: np.ndarray, drivers: dict[str, np.ndarray], ahead: int = 1) -> Days:
    rows, slots = y.shape
    known = y.copy()
    known[rows - ahead :] = np.nan
    ordinal = np.repeat((738000 + np.arange(rows))[:, None], slots, axis=1)
    return Days(target=Target.CARBON, y=known, drivers=drivers, issue=rows - ahead, step_minutes=60,
                minute=np.arange(slots) * 60, ordinal=ordinal,
                kind=np.where((ordinal + 6) % 7 >= 5, 1, 0).astype(np.int64))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("avg_nat_gas_production_forecast", "gas"),
        ("Solar generation [MW]", "solar"),
        ("coal", "coal"),
        ("wind_mw", "wind"),
        ("forecast_avg_wind_speed_wMean", None),
        ("forecast_avg_dswrf_wMean", None),
        ("solar radiation", None),
        ("gas price", None),
        ("temperature", None),
    ],
)
def test_which_driver_is_production_of_what(name, source):
    assert sources({name: np.zeros((1, 1))}) == ({} if source is None else {name: source})


def test_the_intensity_of_a_mix_is_the_mean_of_its_factors():
    drivers = {"coal": np.array([[1.0, 0.0, 0.0]]), "wind": np.array([[1.0, 2.0, 0.0]]), "x": np.array([[9.0, 9, 9]])}
    assert intensity(drivers) == pytest.approx(np.array([[380.0, 0.0, np.nan]]), nan_ok=True)
    assert shares(drivers)["wind"] == pytest.approx(np.array([[0.5, 1.0, np.nan]]), nan_ok=True)


@pytest.mark.parametrize("names", [["wind"], ["wind", "solar"], ["coal", "oil"], ["temperature"]])
def test_half_a_mix_has_no_intensity(names):
    assert intensity({name: np.ones((1, 1)) for name in names}) is None


def test_the_level_knows_the_unit():
    drivers = {"gas": np.full((3, 2), 1.0), "wind": np.full((3, 2), 1.0)}
    level = Level.of(np.full((3, 2), 0.185), drivers)  # kg/kWh beside 185 g/kWh
    assert np.exp(level.apart) == pytest.approx(0.001)
    assert Told.of(np.full((3, 2), 0.185), drivers, level).mix == pytest.approx(np.full((3, 2), np.log(0.185)))


def test_gaps_are_filled_from_the_day_before_and_never_from_later():
    table = np.array([[np.nan, 1.0], [2.0, np.nan], [3.0, np.nan]])
    assert with_gaps_filled(table) == pytest.approx(np.array([[np.nan, 1.0], [2.0, 1.0], [3.0, 1.0]]), nan_ok=True)


@pytest.mark.parametrize("member", [Mix(), MixTrees()])
def test_a_forecast_mix_that_errs_alike_for_days_is_set_right(member):
    y, drivers = grid()
    days = laid(y, drivers)
    issues = list(range(80, 91))
    said = member.forecast(days, issues)[:, 0]
    reference = intensity(drivers)
    assert reference is not None
    own, others = np.abs(said / y[80:] - 1).mean(), np.abs(reference[80:] / y[80:] - 1).mean()
    assert own < 0.6 * others


@pytest.mark.parametrize("member", [Mix(), MixTrees()])
@pytest.mark.parametrize("drivers", ["none", "weather", "half a mix", "short"])
def test_poor_drivers_still_give_an_answer(member, drivers):
    y, mix = grid(rows=50, ahead=2)
    short = {name: values.copy() for name, values in mix.items()}
    short[NAMES[1]][51] = np.nan
    given = {"none": {}, "weather": {"temperature": waves(52, 24, 5)}, "half a mix": {NAMES[1]: mix[NAMES[1]]},
             "short": short}[drivers]  # fmt: skip
    said = member.forecast(laid(y, given, 2), [50])
    assert said.shape == (1, 2, 24)
    assert np.isfinite(said).all()
    assert (said > 0).all()


def test_a_constant_intensity_and_gaps_and_zeros_are_no_trouble():
    y, drivers = grid(rows=50)
    assert Mix().forecast(laid(np.full_like(y, 42.0), drivers), [50]) == pytest.approx(42.0)
    holed = y.copy()
    holed[20:24] = np.nan
    holed[49, 12:] = np.nan
    assert np.isfinite(Mix().forecast(laid(holed, drivers), [50])).all()
    assert np.isfinite(Mix().forecast(laid(np.zeros_like(y), drivers), [50])).all()


def test_too_short_a_past_is_said():
    y, drivers = grid(rows=15)
    with pytest.raises(MemberError, match="14 needed"):
        Mix().forecast(laid(y, drivers), [15])


@pytest.mark.parametrize("member", [Mix(), MixTrees()])
def test_no_member_peeks(member):
    y, drivers = grid(rows=60)
    assert peeks(member, laid(y, drivers), 55) == ()

"""A Prophet for each hour of the day: equal to stock Prophets, blind to what came later, and never silent over a gap."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members.hourly import Hourly, by_hour, fitted, refits
from energy.forecasters.combined.members.hourly_columns import alike, before, carried, columns_of
from energy.forecasters.prophet.exact.batch import maxima, moments
from energy.model.forecast import Target

Floats = NDArray[np.float64]

MONDAY = 739_985


def days(
    *,
    rows: int = 120,
    ahead: int = 1,
    step: int = 60,
    y: Floats | None = None,
    drivers: Mapping[str, Floats] | None = None,
) -> Days:
    """Prices that follow the wind and the weekday, issued at midnight."""
    rng = np.random.default_rng(5)
    slots, total = 24 * 60 // step, rows + ahead
    wind = rng.normal(50, 10, (total, 1)) + rng.normal(0, 2, (total, slots))
    shape = 20 * np.sin(2 * np.pi * np.arange(slots) / slots)
    ordinal = (MONDAY + np.arange(total))[:, None] + np.zeros(slots, dtype=np.int64)
    weekday = (ordinal + 6) % 7
    came = 60 + shape - 0.5 * wind - 8 * (weekday >= 5) + rng.normal(0, 1, (total, slots)) if y is None else y.copy()
    came[rows:] = np.nan
    kind = np.where(weekday == 6, 2, np.where(weekday == 5, 1, 0))
    return Days(
        target=Target.PRICE,
        y=came,
        drivers={"wind": wind} if drivers is None else drivers,
        issue=rows,
        step_minutes=step,
        minute=np.arange(slots) * step,
        ordinal=ordinal,
        kind=kind,
    )


def test_it_follows_its_driver_and_the_weekday() -> None:
    seen = days(rows=120)
    said = Hourly().forecast(seen, [120])[0, 0]
    shape = 20 * np.sin(2 * np.pi * np.arange(24) / 24)
    expected = 60 + shape - 0.5 * seen.drivers["wind"][120] - 8 * (seen.weekday[120] >= 5)
    assert np.abs(said - expected).mean() < 1.0


@pytest.mark.parametrize("hour", [0, 17])
@pytest.mark.parametrize("step", [60, 30])
def test_it_says_what_stock_prophets_say(hour: int, step: int) -> None:
    """The same columns, priors and rows through Prophet's own objects; one of them with Stan."""
    import pandas as pd
    from prophet import Prophet

    from energy.forecasters.prophet.exact.backend import Exact

    seen = days(rows=110, step=step)
    columns = columns_of(seen, 0, seen=110, yearly=False)
    cells = by_hour(np.stack(columns.values, axis=-1), seen)
    (fits,) = fitted(seen, columns, cells, [110])
    ours = fits[0].of(cells[:, 110])[hour]
    y, table = by_hour(seen.y, seen)[hour, 7:110].reshape(-1), cells[hour].reshape(-1, cells.shape[-1])
    names = [f"c{place}" for place in range(len(columns.names))]
    per_hour = 60 // step
    learned = pd.DataFrame({"ds": pd.date_range("2026-01-01", periods=len(y), freq=f"{1440 // per_hour}min"), "y": y})
    learned[names] = table[7 * per_hour : 110 * per_hour]
    model = Prophet(
        growth="flat",
        yearly_seasonality=False,
        weekly_seasonality=False,
        daily_seasonality=False,
        uncertainty_samples=0,
    )
    model.stan_backend = Exact(20)
    for name, spread, standardized in zip(names, columns.spreads, columns.standardized, strict=True):
        model.add_regressor(name, prior_scale=spread, standardize=standardized)
    model.fit(learned)
    ahead = pd.DataFrame({"ds": pd.date_range("2026-09-01", periods=per_hour, freq="h")})
    ahead[names] = table[110 * per_hour :]
    assert ours == pytest.approx(model.predict(ahead)["yhat"].to_numpy(), abs=1e-3 * float(np.std(y)))


def test_rows_that_are_not_known_are_not_learned() -> None:
    full = days(rows=100)
    holed = full.y.copy()
    holed[40:45] = np.nan
    columns = columns_of(full, 0, seen=100, yearly=False)
    cells = by_hour(np.stack(columns.values, axis=-1), full)
    without = np.delete(cells, np.arange(40, 45), axis=1)
    kept = np.delete(by_hour(full.y, full), np.arange(40, 45), axis=1)
    y = by_hour(holed, full)

    def told(cells: Floats, y: Floats) -> Any:
        flat = cells[:, 7:-1].reshape(24, -1, cells.shape[-1]), y[:, 7:-1].reshape(24, -1)
        largest = np.nanmax(np.abs(flat[1]), axis=1)
        return maxima(moments(*flat), largest, np.array(columns.spreads), np.array(columns.standardized)).level

    assert told(cells, y) == pytest.approx(told(without, kept), rel=1e-6)


def test_it_sees_nothing_of_what_came_later() -> None:
    """Other values after an issue change nothing of what is said at it, in the retrace neither."""
    seen, issues = days(rows=120, ahead=2), [90, 100, 110, 120]
    said = Hourly().forecast(seen, issues)
    other, wind = seen.y.copy(), seen.drivers["wind"].copy()
    other[100:] *= -3
    wind[102:] += 1000
    again = Hourly().forecast(days(rows=120, ahead=2, y=other, drivers={"wind": wind}), issues)
    assert again[:2] == pytest.approx(said[:2], rel=1e-9)
    assert np.abs(again[3] - said[3]).max() > 1


def test_fits_are_renewed_every_fortnight_and_for_the_last_issue() -> None:
    assert refits([10, 12, 23, 24, 37, 38, 40], 14) == [10, 10, 10, 24, 24, 38, 40]


def test_gaps_and_missing_drivers_have_answers() -> None:
    holed = days(rows=120, ahead=7)
    y, wind = holed.y.copy(), holed.drivers["wind"].copy()
    y[115:] = np.nan
    y[30:60, 5:9] = np.nan
    wind[50:52] = np.nan
    said = Hourly().forecast(days(rows=120, ahead=7, y=y, drivers={"wind": wind}), [120])
    assert said.shape == (1, 7, 24)
    assert np.isfinite(said).all()
    wind[120:] = np.nan
    assert (
        np.isfinite(Hourly().forecast(days(rows=120, ahead=7, y=y, drivers={"wind": wind}), [119, 120]))
        .all(axis=(1, 2))
        .any()
    )


@pytest.mark.parametrize("level", [0.0, 7.5])
def test_a_constant_is_forecast_as_it_is(level: float) -> None:
    said = Hourly().forecast(days(rows=40, y=np.full((41, 24), level)), [40])
    assert said == pytest.approx(np.full((1, 1, 24), level), abs=1e-3)


def test_lags_by_hand() -> None:
    y = np.array([[1.0], [np.nan], [3.0], [4.0]])
    assert carried(y).ravel().tolist() == [1, 1, 3, 4]
    assert before(y, 2).ravel().tolist()[2:] == [1.0, pytest.approx(np.nan, nan_ok=True)]
    assert carried(np.full((2, 1), np.nan)).ravel().tolist() == [0, 0]


def test_days_of_the_kind_by_hand() -> None:
    """Monday 0 to Sunday 6 told by its number: before the second Tuesday the last four working days are Tue to Fri and Monday."""
    numbers = np.repeat(np.arange(15.0)[:, None], 24, axis=1)
    seen = days(rows=14, y=numbers)
    told = alike(seen, 0)[:, 0]
    assert told[8] == np.mean([2, 3, 4, 7])
    assert told[12] == 5
    assert told[13] == 6
    assert alike(seen, 1)[8, 0] == np.mean([1, 2, 3, 4])

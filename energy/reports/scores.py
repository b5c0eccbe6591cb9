"""How good the forecasts were: what was issued before each day against what came, beside the seasonal naive."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from energy.clock import day_bounds, local_date, same_wall_time
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon, Interval
from energy.model.series import BASE_LOAD, Series
from energy.model.site import Site
from energy.store import Store


def day_ahead(issued: Sequence[Forecast], start: datetime) -> Forecast | None:
    """The last forecast that was issued before a day began."""
    before = [f for f in issued if f.issued_at <= start]
    return before[-1] if before else None


def score_of_day_ahead(store: Store, site: Site, now: datetime, days: int = 7) -> dict[str, float | None]:
    """Mean absolute error, kW, of the day-ahead base load forecasts of the last whole days, and of the copy of the same
    wall time a week before on the same slots. None where nothing can be compared."""
    today = local_date(now, site.zone)
    issued = store.forecasts.issued(Target.BASE_LOAD, Interval(now - timedelta(days=days + 2), now))
    ours: list[float] = []
    naive: list[float] = []
    for back in range(days, 0, -1):
        start, end = day_bounds(today - timedelta(days=back), site.zone)
        forecast = day_ahead(issued, start)
        if forecast is None:
            continue
        horizon = Horizon.between(start, end, site.step_minutes)
        actual = store.series.get(BASE_LOAD, horizon).values
        said = Series(horizon, forecast.p50.over(horizon).values, "kW").values
        before = Horizon(same_wall_time(start, -7, site.zone), horizon.slots, site.step_minutes)
        week_ago = store.series.get(BASE_LOAD, before).values
        known = ~(np.isnan(actual) | np.isnan(said) | np.isnan(week_ago))
        ours += list(np.abs(actual - said)[known])
        naive += list(np.abs(actual - week_ago)[known])
    return {
        "prophet_mae_kw": round(float(np.mean(ours)), 2) if ours else None,
        "naive_mae_kw": round(float(np.mean(naive)), 2) if naive else None,
    }

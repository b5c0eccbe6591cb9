"""The day-ahead error of the base load forecast beside the copy of the week before, as the demo prints it."""

from datetime import datetime, timedelta

from energy.clock import day_bounds, local_date, same_wall_time
from energy.model.forecast import Target
from energy.model.horizon import Horizon
from energy.model.series import BASE_LOAD
from energy.model.site import Site
from energy.reports.skill import days_told, skill_of
from energy.store import Store


def score_of_day_ahead(store: Store, site: Site, now: datetime, days: int = 7) -> dict[str, float | None]:
    """Mean absolute error, kW, of the day-ahead base load forecasts of the last whole days, and of the copy of the same
    wall time a week before on the same slots. None where nothing can be compared."""
    today = day_bounds(local_date(now, site.zone), site.zone)[0]
    starts = [
        day_bounds(local_date(now, site.zone) - timedelta(days=back), site.zone)[0] for back in range(1, days + 1)
    ]
    issued = {
        start: forecast
        for start in starts
        if (forecast := store.forecasts.latest(Target.BASE_LOAD, as_known_at=start)) is not None
    }
    whole = Horizon.between(same_wall_time(today, -days - 8, site.zone), today, site.step_minutes)
    told = days_told(store.series.get(BASE_LOAD, whole), issued, site.zone, site.step_minutes, ahead=1, until=today)
    lead = skill_of(told, 1)
    ours, naive = (None, None) if lead is None else (lead.mae_where_naive, lead.naive_mae)
    return {
        "prophet_mae_kw": None if ours is None else round(ours, 2),
        "naive_mae_kw": None if naive is None else round(naive, 2),
    }

"""Scenarios for the risk of a plan: whole days on which forecasts erred, laid into the bands of today."""

from collections.abc import Mapping
from datetime import timedelta

from energy.clock import same_wall_time
from energy.forecasters.scenarios import Seen, issue_times, scenarios
from energy.model.calendar import Calendar
from energy.model.forecast import Target
from energy.model.horizon import Horizon
from energy.model.series import BASE_LOAD, PRICE_DAY_AHEAD, PV_POWER, Series
from energy.model.site import Site
from energy.planning.situation import Expected, Path
from energy.store import Store

LOOK_BACK_DAYS = 60
COUNT = 30
NEAR = timedelta(hours=3)  # a forecast issued so much before the wall time of now still stands for its day
KEYS = {Target.BASE_LOAD: BASE_LOAD, Target.PV: PV_POWER, Target.PRICE: PRICE_DAY_AHEAD}


def drawn(
    store: Store, site: Site, calendar: Calendar, horizon: Horizon, expected: Mapping[Target, Expected]
) -> tuple[Path, ...]:
    """How load, sun and price may come together; of each target only where it has a band. Empty where fewer days are
    known than say something. The same store at the same time gives the same paths."""
    seen = {
        target.value: found
        for target, one in expected.items()
        if one.low is not None and (found := errors_of(store, target, horizon, site.zone)) is not None
    }
    paths = scenarios(seen, horizon, zone=site.zone, count=COUNT, closed=frozenset(calendar.holidays))
    count = len(next(iter(paths.values()), ()))

    def one_of(target: Target, number: int) -> Series | None:
        if target.value not in paths:
            return None
        middle = expected[target].middle
        return Series(horizon, paths[target.value][number], middle.unit).filled_from(middle)

    return tuple(
        Path(
            base_load=one_of(Target.BASE_LOAD, number),
            pv=one_of(Target.PV, number),
            market_price=one_of(Target.PRICE, number),
        )
        for number in range(count)
    )


def errors_of(store: Store, target: Target, horizon: Horizon, zone: str) -> Seen | None:
    """What was said of a target at this wall time on the last days, and what came; None where nothing is said now."""
    latest = store.forecasts.latest(target)
    if latest is None:
        return None
    start = same_wall_time(horizon.start, -LOOK_BACK_DAYS, zone)
    issued = store.forecasts.issued_near(target, issue_times(horizon.start, zone, LOOK_BACK_DAYS), before=NEAR)
    came = store.series.get(KEYS[target], Horizon.between(start, horizon.start, horizon.step_minutes))
    return Seen(expected=latest, issued=issued, came=came)

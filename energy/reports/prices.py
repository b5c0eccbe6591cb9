"""Price and carbon of each slot, as the screens show them: what is known, else what is forecast, else unknown."""

from dataclasses import dataclass

from energy.model.forecast import Target
from energy.model.horizon import Horizon
from energy.model.series import CARBON_FORECAST, CARBON_INTENSITY, PRICE_DAY_AHEAD, Series
from energy.planning import tariff as tariffs
from energy.reports.situation import Rules
from energy.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Rows of one horizon: market price, price with fees, what export earns (currency/kWh), and carbon (kg/kWh)."""

    market: Series
    published: tuple[bool, ...]
    full: Series
    export: Series
    carbon: Series


def prices(store: Store, rules: Rules, horizon: Horizon) -> Prices:
    """What is known of the horizon, gaps filled from the latest forecast."""
    unit = f"{rules.site.currency}/kWh"
    market, published = market_price(store, rules, horizon, unit)
    zone, holidays = rules.site.zone, rules.calendar.holidays
    return Prices(
        market=market,
        published=published,
        full=tariffs.import_price(rules.tariff, market, zone, holidays),
        export=tariffs.export_price(rules.tariff, market, zone, holidays),
        carbon=carbon(store, horizon),
    )


def market_price(store: Store, rules: Rules, horizon: Horizon, unit: str) -> tuple[Series, tuple[bool, ...]]:
    if rules.tariff.fixed_per_kwh is not None:
        return Series.constant(horizon, rules.tariff.fixed_per_kwh, unit), (True,) * horizon.slots
    known = Series(horizon, store.series.get(PRICE_DAY_AHEAD, horizon).values, unit)
    published = tuple(bool(k) for k in known.known)
    return filled(store, known, Target.PRICE), published


def carbon(store: Store, horizon: Horizon) -> Series:
    """Grid carbon intensity: measured, else the feed's own forecast, else ours."""
    known = Series(horizon, store.series.get(CARBON_INTENSITY, horizon).values, "kg/kWh")
    if known.known.all():
        return known
    known = known.filled_from(Series(horizon, store.series.get(CARBON_FORECAST, horizon).values, "kg/kWh"))
    return filled(store, known, Target.CARBON)


def filled(store: Store, known: Series, target: Target) -> Series:
    """A row with its gaps taken from the latest forecast."""
    if known.known.all() or (forecast := store.forecasts.latest(target)) is None:
        return known
    return known.filled_from(Series(known.horizon, forecast.p50.over(known.horizon).values, known.unit))

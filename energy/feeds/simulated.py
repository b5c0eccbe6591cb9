"""Prices, carbon and weather of an invented market, so that the simulated plant has something to plan for.

It behaves like a real one where it matters: the next day's prices are there after the auction and not before, and
what is said of the weather to come is a forecast that gets better as the time draws near.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as wall_time

from pydantic import BaseModel, ConfigDict

from energy.clock import Clock, day_bounds, local_date, wall_to_utc
from energy.model.horizon import Horizon, Interval
from energy.model.series import (
    CARBON_FORECAST,
    CARBON_INTENSITY,
    IRRADIANCE,
    PRICE_DAY_AHEAD,
    TEMPERATURE,
    Series,
)
from energy.model.site import Site
from energy.ports import Context, FeedValues
from energy.twin import market, weather
from energy.twin.base import place
from energy.twin.noise import Floats

SOURCE = "simulated market"
PUBLISHED_AT = wall_time(12, 57)  # local: the next day's prices are there from then on
STEP_MINUTES = 15
# One standard deviation of the forecasts, a day and a half ahead.
CARBON_ERROR, TEMPERATURE_ERROR, CLOUD_ERROR = 0.025, 1.5, 0.18


class Settings(BaseModel):
    """What config.yaml says of the invented market: its seed. The same seed as the plant's gives both one weather."""

    model_config = ConfigDict(extra="forbid")

    seed: int = 7


def build(settings: Settings, context: Context) -> "SimulatedMarket":
    return SimulatedMarket(settings.seed, context.site, context.clock)


def published_until(now: datetime, zone: str) -> datetime:
    """Up to when prices are known: the end of today, or of tomorrow once the auction is over (local days)."""
    today = local_date(now, zone)
    over = now >= wall_to_utc(today, PUBLISHED_AT, zone)
    return day_bounds(today + timedelta(days=1 if over else 0), zone)[1]


@dataclass(frozen=True)
class SimulatedMarket:
    """A feed that answers from formulas."""

    seed: int
    site: Site
    clock: Clock
    name: str = "simulated"

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        """Prices as far as published, carbon as measured and as forecast for the same time, weather over the span."""
        now = self.clock.now()
        published = up_to(published_until(now, self.site.zone), span)
        measured = up_to(now, span)
        asked: list[tuple[str, Interval, str, str, Callable[[Horizon], Floats]]] = [
            (PRICE_DAY_AHEAD, published, f"{self.site.currency}/kWh", "", self._price),
            (CARBON_INTENSITY, measured, "kg CO2e/kWh", "grid average, direct", self._carbon),
            (CARBON_FORECAST, published, "kg CO2e/kWh", "grid average, direct", self._carbon_forecast),
            (TEMPERATURE, span, "degC", "", self._temperature),
            (IRRADIANCE, span, "W/m2", "", self._irradiance),
        ]
        answer = []
        for key, part, unit, basis, values in asked:
            horizon = whole_slots(part)
            if horizon.slots:
                series = Series(horizon, values(horizon), unit)
                answer.append(
                    FeedValues(
                        key=key,
                        series=series,
                        source=SOURCE,
                        licence="invented",
                        basis=basis,
                        retrieved_at=now,
                        raw_digest=series.digest,
                    )
                )
        return answer

    def _price(self, horizon: Horizon) -> Floats:
        return market.price(horizon, self.seed, self.site.zone).round(5)

    def _carbon(self, horizon: Horizon) -> Floats:
        return market.carbon(horizon, self.seed, self.site.zone).round(4)

    def _carbon_forecast(self, horizon: Horizon) -> Floats:
        guess = self._guess(self._carbon(horizon), horizon, "carbon", CARBON_ERROR)
        return guess.clip(market.CLEANEST, market.DIRTIEST).round(4)

    def _temperature(self, horizon: Horizon) -> Floats:
        truth = weather.temperature(horizon, self.seed, *place(self.site))
        return self._guess(truth, horizon, "temperature", TEMPERATURE_ERROR).round(2)

    def _irradiance(self, horizon: Horizon) -> Floats:
        truth = weather.irradiance(horizon, self.seed, *place(self.site))
        # Clouds are what a forecast gets wrong: night stays night.
        factor = self._guess(truth * 0.0 + 1.0, horizon, "clouds", CLOUD_ERROR)
        said: Floats = (truth * factor.clip(0.3, 1.7)).round(1)
        return said

    def _guess(self, truth: Floats, horizon: Horizon, name: str, error: float) -> Floats:
        now_hours = self.clock.now().timestamp() / 3600.0
        return market.believed(truth, horizon, self.seed, name, now_hours=now_hours, error=error)


def up_to(t: datetime, span: Interval) -> Interval:
    """The part of a span before an instant; an empty one at its start where there is none."""
    return Interval(span.start, max(span.start, min(span.end, t)))


def whole_slots(span: Interval) -> Horizon:
    """The quarter hours that lie wholly within a span."""
    first = -(-span.start.timestamp() // (STEP_MINUTES * 60))
    last = span.end.timestamp() // (STEP_MINUTES * 60)
    start = datetime.fromtimestamp(first * STEP_MINUTES * 60, tz=span.start.tzinfo)
    return Horizon(start, max(0, int(last - first)), STEP_MINUTES)

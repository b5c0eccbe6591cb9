"""Day-ahead prices of European bidding zones from Energy-Charts (Fraunhofer ISE); no key needed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from energy.clock import day_bounds, local_date
from energy.errors import ConfigError, FeedError, Mistake
from energy.feeds.slots import Stamp, series_of, value_of, within
from energy.model.horizon import Interval
from energy.model.series import PRICE_DAY_AHEAD
from energy.ports import Context, FeedValues
from energy.units import price_per_kwh

if TYPE_CHECKING:
    from energy.http import Client, Fetched

URL = "https://api.energy-charts.info/price"
UNIT = "EUR/MWh"
MARKET_ZONE = "Europe/Brussels"  # the market's days are CET/CEST; its step changes from one of them to the next
Zone = Literal[
    "AT", "BE", "BG", "CH", "CZ", "DE-LU", "DE-AT-LU", "DK1", "DK2", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IT-Calabria", "IT-Centre-North", "IT-Centre-South", "IT-North", "IT-SACOAC", "IT-SACODC", "IT-Sardinia",
    "IT-Sicily", "IT-South", "LT", "LV", "ME", "NL", "NO1", "NO2", "NO2NSL", "NO3", "NO4", "NO5", "PL", "PT", "RO",
    "RS", "SE1", "SE2", "SE3", "SE4", "SI", "SK",
]  # fmt: skip
OPEN_ZONES = {
    "AT", "BE", "CH", "CZ", "DE-LU", "DE-AT-LU", "DK1", "DK2", "FR", "HU", "IT-North", "NL", "NO2", "PL", "SE4", "SI",
}  # fmt: skip


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Zone = Field(description="bidding zone: `DE-LU`, `AT`, `FR`, `NL`, `DK1`, `IT-North` …")
    lowest: float = Field(-1000.0, description="EUR/MWh; a lower price is not believed")
    highest: float = Field(10_000.0, description="EUR/MWh; a higher price is not believed")
    url: str = Field(URL, description="address of the service, or of a mirror")


class EnergyCharts:
    """Asks for a span of prices. What is not published yet is missing from the answer."""

    name = "energy-charts"

    def __init__(self, settings: Settings, context: Context, client: "Client") -> None:
        self.settings = settings
        self.context = context
        self.client = client

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        answer = self._answer(span)
        if answer is None:
            return ()
        stamps = self._stamps(answer.data)
        band = (price_per_kwh(self.settings.lowest, "MWh"), price_per_kwh(self.settings.highest, "MWh"))
        made = series_of(stamps, unit="EUR/kWh", band=band, feed=self.name, market_zone=MARKET_ZONE)
        return [
            FeedValues(
                key=PRICE_DAY_AHEAD,
                series=part,
                source=f"Energy-Charts.info, {self.settings.zone}",
                licence=self._licence(answer.data),
                retrieved_at=self.context.clock.now(),
                raw_digest=answer.digest,
            )
            for series in made
            if (part := within(series, span)) is not None
        ]

    def _answer(self, span: Interval) -> "Fetched | None":
        """The answer for the whole market days of a span; where there is none, for those without the last one, which may
        not be published yet."""
        from energy.http import get_json

        start, end = whole_days(span)
        while start < end:
            params = {"bzn": self.settings.zone, "start": _iso(start), "end": _iso(end)}
            answer = get_json(self.client, self.settings.url, params, feed=self.name, absent=(204, 404))
            if answer is not None:
                return answer
            end = day_bounds(local_date(end, MARKET_ZONE) - timedelta(days=1), MARKET_ZONE)[0]
        return None

    def _stamps(self, data: Any) -> list[Stamp]:
        if not isinstance(data, dict):
            raise FeedError(f"{self.name}: the answer is {type(data).__name__}, not an object with prices")
        seconds, prices = data.get("unix_seconds") or [], data.get("price") or []
        if not isinstance(seconds, list) or not isinstance(prices, list) or len(seconds) != len(prices):
            raise FeedError(f"{self.name}: the answer does not have one price for each time")
        unit = str(data.get("unit", UNIT)).replace(" ", "")
        if unit != UNIT:
            raise FeedError(f"{self.name}: prices in {unit!r}, not {UNIT}; nothing of the answer is taken")
        return [self._stamp(at, price) for at, price in zip(seconds, prices, strict=True) if at is not None]

    def _stamp(self, at: object, price: object) -> Stamp:
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < 2**33:
            raise FeedError(f"{self.name}: {at!r} is not a time in seconds; nothing of the answer is taken")
        start = datetime.fromtimestamp(at, UTC)
        value = value_of(price, start, self.name)
        return Stamp(start, None if value is None else price_per_kwh(value, "MWh"))

    def _licence(self, data: dict[str, Any]) -> str:
        said = str(data.get("license_info") or "")
        if self.settings.zone in OPEN_ZONES:
            return said or "CC BY 4.0, Energy-Charts.info"
        return f"{said}; private and internal use only".lstrip("; ")


def whole_days(span: Interval) -> tuple[datetime, datetime]:
    """The market days that a span touches; a whole day shows its step."""
    first = local_date(span.start, MARKET_ZONE)
    last = local_date(span.end - timedelta(seconds=1), MARKET_ZONE)
    return day_bounds(first, MARKET_ZONE)[0], day_bounds(max(first, last), MARKET_ZONE)[1]


def _iso(t: datetime) -> str:
    return f"{t.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def build(settings: Settings, context: Context) -> EnergyCharts:
    from energy.http import client

    if context.site.currency != "EUR":
        said = f"energy-charts gives EUR, the site counts {context.site.currency}; use another feed (`kind: file`)"
        raise ConfigError("config.yaml", [Mistake("feeds", said)])
    return EnergyCharts(settings, context, client(proxy=context.proxy, ca_bundle=context.ca_bundle))

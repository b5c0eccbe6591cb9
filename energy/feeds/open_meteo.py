"""Weather at the site, past days and the days to come, from Open-Meteo; free without a key for non-commercial use alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from energy.errors import FeedError
from energy.feeds.slots import Stamp, series_of, value_of, within
from energy.model.horizon import Interval
from energy.model.series import CLOUD_COVER, IRRADIANCE, TEMPERATURE, WIND_SPEED, WIND_SPEED_100M, Series
from energy.ports import Context, FeedValues

if TYPE_CHECKING:
    from energy.http import Client

URL = "https://api.open-meteo.com/v1/forecast"
LICENCE = "CC BY 4.0, Open-Meteo.com; commercial use needs a subscription"
MOST_DAYS = 16  # ahead; past days are bounded by `past_days`
MOST_PAST_DAYS = 92
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A quantity as the service names it (the mean of several), and as it is kept."""

    key: str
    names: tuple[str, ...]
    unit: str
    said: str  # how the service writes that unit
    band: tuple[float, float]  # what is believed
    preceding: bool = False  # whether a value is the mean of the hour before its stamp, and not of the moment


QUANTITIES = (
    Quantity(key=TEMPERATURE, names=("temperature_2m",), unit="degC", said="°C", band=(-70.0, 60.0)),
    Quantity(
        key=IRRADIANCE, names=("shortwave_radiation",), unit="W/m2", said="W/m²", band=(0.0, 1500.0), preceding=True
    ),
    Quantity(key=WIND_SPEED, names=("wind_speed_10m",), unit="m/s", said="m/s", band=(0.0, 120.0)),
    # 100 m is not told; it lies halfway between two heights that are.
    Quantity(
        key=WIND_SPEED_100M, names=("wind_speed_80m", "wind_speed_120m"), unit="m/s", said="m/s", band=(0.0, 150.0)
    ),
    Quantity(key=CLOUD_COVER, names=("cloud_cover",), unit="%", said="%", band=(0.0, 100.0)),
)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        URL, description="address of the service; with a key `https://customer-api.open-meteo.com/v1/forecast`"
    )
    key: str = Field("", description="key of a subscription, which commercial use needs: `${OPEN_METEO_KEY}`")
    past_days: int = Field(
        MOST_PAST_DAYS, ge=1, le=MOST_PAST_DAYS, description="days back that are asked for once, at the start"
    )


class OpenMeteo:
    """Asks for whole days around a span, the first time for weeks back, to learn from. What was said of an hour is known
    from when it was retrieved on."""

    name = "open-meteo"

    def __init__(self, settings: Settings, context: Context, client: "Client") -> None:
        self.settings = settings
        self.context = context
        self.client = client
        self._begun = False

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        from energy.http import get_json

        site = self.context.site
        if site.latitude is None or site.longitude is None:
            raise FeedError(f"{self.name}: site.latitude and site.longitude say where the weather is; set both")
        if not self._begun:
            begin = self.context.clock.now() - timedelta(days=self.settings.past_days)
            span = Interval(min(span.start, begin), span.end)
        answer = get_json(self.client, self.settings.url, self._question(span), feed=self.name)
        assert answer is not None  # no status counts as absent
        found = [
            FeedValues(
                key=quantity.key,
                series=part,
                source=self.name,
                licence=LICENCE,
                retrieved_at=self.context.clock.now(),
                raw_digest=answer.digest,
            )
            for quantity in QUANTITIES
            for series in self._series(answer.data, quantity)
            if (part := within(series, span)) is not None
        ]
        self._begun = True
        return found

    def _question(self, span: Interval) -> dict[str, str]:
        """Whole UTC days; one more on either side, since a mean is stamped at its end."""
        today = self.context.clock.now().astimezone(UTC).date()
        back = (today - span.start.astimezone(UTC).date()).days + 1
        ahead = (span.end.astimezone(UTC).date() - today).days + 2
        asked = {
            "latitude": f"{self.context.site.latitude:.4f}",
            "longitude": f"{self.context.site.longitude:.4f}",
            "hourly": ",".join(name for quantity in QUANTITIES for name in quantity.names),
            "past_days": str(min(MOST_PAST_DAYS, max(0, back))),
            "forecast_days": str(min(MOST_DAYS, max(1, ahead))),
            "wind_speed_unit": "ms",
            "timezone": "GMT",  # with another one the stamps would carry no offset
            "timeformat": "unixtime",
        }
        return asked | ({"apikey": self.settings.key} if self.settings.key else {})

    def _series(self, data: Any, quantity: Quantity) -> Sequence[Series]:
        hourly, units = self._tables(data)
        rows: list[Any] = [hourly.get(name) for name in ("time", *quantity.names)]
        lengths = {len(row) if isinstance(row, list) else -1 for row in rows}
        if len(lengths) > 1 or -1 in lengths:
            raise FeedError(
                f"{self.name}: no {' or '.join(quantity.names)} for each time; nothing of the answer is taken"
            )
        for name in quantity.names:
            if units.get(name) != quantity.said:
                said = f"{name} comes in {units.get(name)!r}, not in {quantity.said}"
                raise FeedError(f"{self.name}: {said}; nothing of the answer is taken")
        stamps = [self._stamp(time, values, quantity) for time, *values in zip(*rows, strict=True)]
        if not any(stamp.value is not None for stamp in stamps):
            return []
        return series_of(stamps, unit=quantity.unit, band=quantity.band, feed=self.name)

    def _tables(self, data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The hourly columns and their units."""
        hourly, units = (data.get(key) if isinstance(data, dict) else None for key in ("hourly", "hourly_units"))
        if not isinstance(hourly, dict) or not isinstance(units, dict):
            raise FeedError(f"{self.name}: the answer has no hourly values: {str(data)[:80]!r}")
        if data.get("utc_offset_seconds", 0) != 0 or units.get("time") != "unixtime":
            raise FeedError(
                f"{self.name}: the stamps are not seconds of UTC, as was asked; nothing of the answer is taken"
            )
        return hourly, units

    def _stamp(self, time: Any, values: Sequence[Any], quantity: Quantity) -> Stamp:
        """A value from the start of its hour on: a mean is stamped at the end of the hour it is of, a moment's value stands
        for the hour that begins."""
        if not isinstance(time, int) or isinstance(time, bool):
            raise FeedError(f"{self.name}: {time!r} is no time in seconds; nothing of the answer is taken")
        try:
            stamped = datetime.fromtimestamp(time, tz=UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise FeedError(f"{self.name}: {time!r} is no time; nothing of the answer is taken") from error
        start = stamped - HOUR if quantity.preceding else stamped
        known = [value for said in values if (value := value_of(said, start, self.name)) is not None]
        return Stamp(start, sum(known) / len(known) if len(known) == len(values) else None, start + HOUR)


def build(settings: Settings, context: Context) -> OpenMeteo:
    from energy.http import client

    return OpenMeteo(settings, context, client(proxy=context.proxy, ca_bundle=context.ca_bundle))

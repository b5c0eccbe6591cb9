"""Carbon intensity of Great Britain's grid, forecast and as it was (National Energy System Operator); no key needed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from energy.clock import aware
from energy.errors import FeedError
from energy.feeds.slots import Stamp, series_of, value_of, within
from energy.model.horizon import Interval
from energy.model.series import CARBON_FORECAST, CARBON_INTENSITY, Series
from energy.ports import Context, FeedValues
from energy.units import carbon_kg_per_kwh

if TYPE_CHECKING:
    from energy.http import Client

URL = "https://api.carbonintensity.org.uk/intensity"
LICENCE = "CC BY 4.0, carbonintensity.org.uk"
BASIS = "grid average, direct"
LONGEST = timedelta(days=13)  # the service answers at most 14 days at once
BAND_KG_PER_KWH = (0.0, 3.0)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(URL, description="address of the service, or of a mirror")


class CarbonIntensityGB:
    """Asks for a span: `actual` is what was measured, `forecast` what was or is expected."""

    name = "carbon-intensity-gb"

    def __init__(self, settings: Settings, context: Context, client: "Client") -> None:
        self.settings = settings
        self.context = context
        self.client = client

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        found: list[FeedValues] = []
        start = span.start
        while start < span.end:
            end = min(start + LONGEST, span.end)
            found += self._fetch(Interval(start, end))
            start = end
        return found

    def _fetch(self, span: Interval) -> list[FeedValues]:
        from energy.http import get_json

        # the service counts a slot to the span in which it ends, so one minute later the first one is in it
        url = f"{self.settings.url}/{_iso(span.start + timedelta(minutes=1))}/{_iso(span.end)}"
        answer = get_json(self.client, url, feed=self.name, absent=(204, 404))
        if answer is None:
            return []
        rows = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(rows, list):
            raise FeedError(f"{self.name}: the answer has no list of intensities: {str(answer.data)[:80]!r}")
        return [
            FeedValues(
                key=key,
                series=part,
                source=self.name,
                licence=LICENCE,
                basis=BASIS,
                retrieved_at=self.context.clock.now(),
                raw_digest=answer.digest,
            )
            for key, what in ((CARBON_INTENSITY, "actual"), (CARBON_FORECAST, "forecast"))
            for series in self._series(rows, what)
            if (part := within(series, span)) is not None
        ]

    def _series(self, rows: list[Any], what: str) -> Sequence[Series]:
        stamps = [self._stamp(row, what) for row in rows]
        if not any(stamp.value is not None for stamp in stamps):
            return []
        return series_of(stamps, unit="kg CO2e/kWh", band=BAND_KG_PER_KWH, feed=self.name)

    def _stamp(self, row: Any, what: str) -> Stamp:
        try:
            start, end = (aware(datetime.fromisoformat(row[key])) for key in ("from", "to"))
            value = value_of(row["intensity"][what], start, self.name)
        except (KeyError, TypeError, ValueError) as error:
            raise FeedError(f"{self.name}: cannot read {str(row)[:80]!r}; nothing of the answer is taken") from error
        return Stamp(start, None if value is None else carbon_kg_per_kwh(value), end)


def _iso(t: datetime) -> str:
    return f"{t.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def build(settings: Settings, context: Context) -> CarbonIntensityGB:
    from energy.http import client

    return CarbonIntensityGB(settings, context, client(proxy=context.proxy, ca_bundle=context.ca_bundle))

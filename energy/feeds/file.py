"""A CSV of price, carbon or weather that someone puts there: columns time and value. The kind to copy."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from energy.errors import FeedError, ImportFileError
from energy.exchange.cells import instant, number
from energy.exchange.table import Column, Row, read_table
from energy.feeds.slots import Stamp, series_of, within
from energy.model.horizon import Interval
from energy.model.series import CARBON_FORECAST, CARBON_INTENSITY, IRRADIANCE, PRICE_DAY_AHEAD, TEMPERATURE
from energy.ports import Context, FeedValues

COLUMNS = (
    Column(name="time", aliases=("start", "from", "timestamp", "zeit", "beginn"), needed=True),
    Column(name="value", aliases=("price", "carbon", "temperature", "wert", "preis"), needed=True, number=True),
)
KEYS = {
    "price": PRICE_DAY_AHEAD,
    "carbon": CARBON_INTENSITY,
    "carbon_forecast": CARBON_FORECAST,
    "temperature": TEMPERATURE,
    "irradiance": IRRADIANCE,
}
# unit in the file: (what it is worth in the store's unit, the least and the most that is believed, in the file's unit)
UNITS: dict[str, tuple[float, tuple[float, float]]] = {
    "per_MWh": (1e-3, (-1000.0, 10_000.0)),
    "per_kWh": (1.0, (-1.0, 10.0)),
    "cents_per_kWh": (1e-2, (-100.0, 1000.0)),
    "g_per_kWh": (1e-3, (0.0, 3000.0)),
    "kg_per_kWh": (1.0, (0.0, 3.0)),
    "degC": (1.0, (-60.0, 60.0)),
    "W_per_m2": (1.0, (0.0, 1500.0)),
}


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="CSV or XLSX with columns time and value; time is the start of its slot")
    series: Literal["price", "carbon", "carbon_forecast", "temperature", "irradiance"] = Field(
        "price", description="what the values are"
    )
    unit: Literal["per_MWh", "per_kWh", "cents_per_kWh", "g_per_kWh", "kg_per_kWh", "degC", "W_per_m2"] = Field(
        "per_MWh", description="their unit in the file; prices in the site's currency"
    )
    zone: str | None = Field(None, description="zone of times without an offset; the site's where it is not given")
    source: str = Field("", description="whose data it is; the file's name where it is not given")
    licence: str = Field("", description="under which licence")
    basis: str = Field("", description="carbon: average or marginal, direct or life cycle")


class FileFeed:
    """Reads the file anew each time. A file that is not there yet says nothing, which is not a mistake."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self.settings = settings
        self.path = Path(context.folder) / settings.path
        self.context = context
        self.name = f"file {settings.path.name}"

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        if not self.path.exists():
            return ()
        try:
            table = read_table(self.path, COLUMNS)
            stamps = [self._stamp(row, table.decimal_comma) for row in table.rows]
        except ImportFileError as error:
            raise FeedError(f"{self.name}: {error}") from error
        factor, band = UNITS[self.settings.unit]
        stored = [Stamp(s.start, None if s.value is None else s.value * factor) for s in stamps]
        low, high = band[0] * factor, band[1] * factor
        made = series_of(stored, unit=self._unit(), band=(low, high), feed=self.name)
        digest = hashlib.blake2b(self.path.read_bytes(), digest_size=16).hexdigest()
        return [
            FeedValues(
                key=KEYS[self.settings.series],
                series=part,
                source=self.settings.source or self.name,
                licence=self.settings.licence,
                basis=self.settings.basis,
                retrieved_at=self.context.clock.now(),
                raw_digest=digest,
            )
            for series in made
            if (part := within(series, span)) is not None
        ]

    def _stamp(self, row: Row, decimal_comma: bool) -> Stamp:
        column = "time"
        try:
            start = instant(row["time"], self.settings.zone or self.context.site.zone, [])
            column = "value"
            return Stamp(start, None if row["value"].empty else number(row["value"].text, decimal_comma))
        except ValueError as error:
            raise FeedError(f"{self.name}: {row.where(column)}: {error}; nothing of the file is taken") from error

    def _unit(self) -> str:
        if self.settings.series == "price":
            return f"{self.context.site.currency}/kWh"
        return {"temperature": "degC", "irradiance": "W/m2"}.get(self.settings.series, "kg CO2e/kWh")


def build(settings: Settings, context: Context) -> FileFeed:
    return FileFeed(settings, context)

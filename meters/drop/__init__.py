"""Kind `drop`: a folder into which a gateway, a utility or a person puts CSV files."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy.clock import zone_exists
from energy.ports import Context, MeterListener
from meters.modbus import meter_of
from meters.quantities import KINDS
from meters.wanted import Wanted, mistakes_of

ENERGIES = ("total_import", "total_export")
PER_INTERVAL = ("Wh", "kWh", "MWh", "W", "kW", "MW")
Plain = ConfigDict(extra="forbid", frozen=True)


class Column(BaseModel):
    """A column that says a quantity."""

    model_config = Plain

    column: str = Field(min_length=1, description="its heading")
    unit: str = Field("kWh", description="of intervals also kW: the mean power")
    scale: float = Field(1.0, description="what the value is multiplied with first")


class Settings(BaseModel):
    """What config.yaml may say about a meter whose readings come as files. Each meter has a folder, or a pattern, of its
    own."""

    model_config = Plain

    id: str = Field("", description="which of the plant's meters this is")
    folder: str = Field(min_length=1, description="where the files are put")
    pattern: str = Field("*.csv", min_length=1, description="which files are meant")
    says: Literal["stands", "intervals"] = Field(
        "stands", description="of counters (and powers) at moments; or energy interval by interval"
    )
    columns: dict[str, Column] = Field(
        min_length=1, description="`total_import`, `total_export`; of stands also `power` …"
    )
    net: bool = Field(False, description="of intervals: the column is import less export")
    time: str = Field("", description="heading of the stamps, `Date+Time` joins two; else the first that holds times")
    time_format: str | None = Field(None, description="as strptime has it, where stamps are not understood")
    zone: str = Field("", description="of stamps without an offset; else the site's")
    stamps: Literal["start", "end", "by-row"] = Field("start", description="of intervals: what a stamp means")
    step_minutes: int | None = Field(None, ge=1, le=60, description="of intervals; else as far apart as most rows are")
    decimal: Literal[",", "."] | None = Field(None, description="else as the columns show")
    delimiter: str = Field("", max_length=1, description="else as the header shows")
    poll_seconds: float = Field(5.0, gt=0, le=3600, description="how often the folder is looked at")
    steady_seconds: float = Field(5.0, ge=0, le=3600, description="a file is whole when it has not changed for so long")
    silent_after_hours: float = Field(26.0, gt=0, description="without a file for so long it is dead")

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        mistakes = list(self._mistakes())
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _mistakes(self) -> Any:
        if self.zone and not zone_exists(self.zone):
            yield f"zone: there is no zone {self.zone!r}"
        if "/" in self.pattern or "\\" in self.pattern:
            yield "pattern: of names in the folder, without /"
        if self.says == "stands":
            yield from mistakes_of({name: Wanted(unit=c.unit, scale=c.scale) for name, c in self.columns.items()})
            if self.net:
                yield "net: counters have no sign; it is for intervals"
            return
        for name, column in self.columns.items():
            if name not in ENERGIES:
                yield (
                    f"{name}: intervals have {' and '.join(ENERGIES)}" if name in KINDS else f"{name}: no such quantity"
                )
            if column.unit not in PER_INTERVAL:
                yield f"{name}: {column.unit!r} is no energy or power; possible: {', '.join(PER_INTERVAL)}"
            if column.scale != 1.0:
                yield f"{name}.scale: is for stands"
        if "total_import" not in self.columns or len({column.unit for column in self.columns.values()}) > 1:
            yield "columns: intervals need total_import, and one unit for all"
        if self.net and "total_export" in self.columns:
            yield "net: the column is import less export, so there is no other"


def build(settings: Settings, context: Context) -> MeterListener:
    """The listener of the meter that the settings belong to."""
    from meters.drop.listener import DropListener

    return DropListener(settings, meter_of(settings.id, context), context)

"""Kind `virtual`: a meter that nobody ever mounted, the sum or difference of others."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from energy.model.meter import Meter, Part, Role
from energy.ports import Context, MeterListener
from meters.elsewhere import Elsewhere
from meters.modbus import meter_of


def _added(value: Any) -> Any:
    return dict.fromkeys(value, 1.0) if isinstance(value, list) else value


class Settings(BaseModel):
    """`parts`: the meters that it is made of, each with its sign: `{grid: 1, m-furnace-1: -1}` is what is left when the
    furnace is taken off, `[m-press-1, m-press-2]` is their sum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""  # which of the plant's meters this is
    parts: Annotated[dict[str, float], BeforeValidator(_added), Field(min_length=1)]

    def complete(self, meter: Meter, folder: str = ".") -> Meter:  # noqa: ARG002 - as every kind's
        """The meter with its parts; its role is `virtual` unless the config says that it is the settlement meter."""
        role = meter.role if meter.role is Role.SETTLEMENT else Role.VIRTUAL
        return replace(meter, role=role, parts=tuple(Part(meter=id, factor=f) for id, f in self.parts.items()))


def build(settings: Settings, context: Context) -> MeterListener:
    """The meter has no wire, so the collector hears nothing: its energy is reckoned from its parts when intervals are."""
    return Elsewhere(meter_of(settings.id, context))

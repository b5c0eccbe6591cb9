"""A small box at the machines: it asks the meters, keeps what they say on its own disk first, and hands it to the centre.

As a kind of meter (`kind: edge`, in the centre's config.yaml) it says that a meter is read by such a box.
"""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from energy.model.meter import Meter
from energy.ports import Context, MeterListener
from meters.elsewhere import Elsewhere, named
from meters.profile import load
from meters.quantities import UNITS


class Settings(BaseModel):
    """Which box reads the meter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""  # which of the plant's meters this is
    box: str = Field(min_length=1, description="name of the edge box that reads it, as in `api.boxes`")
    profile: str = ""  # the same as at the box, where its counter starts again

    def complete(self, meter: Meter, folder: str = ".") -> Meter:
        """The meter with the box that reads it and what its profile knows of it; what the config says itself counts."""
        meter = replace(meter, box=self.box)
        if not self.profile:
            return meter
        table = load(self.profile, folder)
        register = table.registers.get("total_import")
        known = replace(meter, confidence=meter.confidence or table.confidence)
        if meter.rollover_kwh is not None or register is None or register.rollover is None:
            return known
        return replace(known, rollover_kwh=register.rollover * UNITS["energy"][register.unit])


def build(settings: Settings, context: Context) -> MeterListener:
    """The place of the meter among those that the collector listens to; its readings come through the door."""
    return Elsewhere(named(settings.id, context))

"""Kind `mtconnect`: what a machine tool says of its energy and its state, from an MTConnect agent."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy.ports import Context, MeterListener
from meters.modbus import meter_of
from meters.wanted import Wanted, known_quantities, some_unit

Plain = ConfigDict(extra="forbid", frozen=True)


class Item(BaseModel):
    """One data item of a device, by its id or by what it is."""

    model_config = Plain

    id: str = Field("", description="id or name of the data item, as `probe` shows it")
    type: str = Field(
        "", pattern=r"^[A-Z0-9_:]*$", description="or its type: `WATTAGE`, `ELECTRICAL_ENERGY`, `EXECUTION`"
    )
    subtype: str = Field("", description="where several of a type differ by it: `ACTUAL`, `CONSUMED`")
    component: str = Field("", description="where several of a type differ by it: name or id of the component")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Item":
        if bool(self.id) == bool(self.type):
            raise ValueError("say its id or its type, one of the two")
        return self


class MtQuantity(Item):
    """A data item that says a quantity."""

    unit: str | None = Field(None, description="if the device does not say it itself")
    scale: float = Field(1.0, description="what the value is multiplied with first; -1 turns its sign")


class Settings(BaseModel):
    """What config.yaml may say about a machine behind an MTConnect agent."""

    model_config = Plain

    id: str = Field("", description="which of the plant's meters this is")
    url: str = Field(pattern=r"^https?://[^/?#]+(/[^?#]*)?$", description="`http://machine.example:5000`")
    device: str = Field("", description="name or uuid; needed where the server speaks for several")
    quantities: dict[str, MtQuantity] = Field({}, description="`power`, `total_import`, `voltage_l1` …")
    state: Item | None = Field(None, description="what the machine does: `{type: EXECUTION}`")
    poll_seconds: float = Field(5.0, gt=0, le=3600, description="how often it is asked for what is new")
    timeout_seconds: float = Field(5.0, gt=0, le=60)
    together_seconds: float = Field(1.0, ge=0, le=60, description="values of one reading lie at most so far apart")
    confirm_seconds: float = Field(60.0, gt=0, description="how often power that has not changed is said again")

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        known_quantities({name: Wanted(unit=q.unit or some_unit(name)) for name, q in self.quantities.items()})
        if not self.quantities and self.state is None:
            raise ValueError("name at least one of its quantities, or its state")
        return self


def build(settings: Settings, context: Context) -> MeterListener:
    """The listener of the meter that the settings belong to."""
    from meters.mtconnect.listener import listener

    return listener(settings, meter_of(settings.id, context), context)

"""Kind `sunspec`: meters, inverters and batteries that say themselves where their values lie."""

from dataclasses import replace
from typing import Literal

from pydantic import Field, field_validator

from energy.model.meter import Measures, Meter
from energy.plugins import nearest
from energy.ports import Context, MeterReader
from meters.line import LineSettings
from meters.modbus import meter_of
from meters.sunspec.tables import Device, Reads, devices, tables

BY_FLOW: dict[Measures, Reads] = {Measures.PV: "inverter", Measures.BATTERY: "storage"}  # all others: meter


class Settings(LineSettings):
    """What config.yaml may say about a SunSpec device. Which of its models is read follows from `reads`, else from the
    profile, else from what the meter measures (pv: inverter, battery: storage); `model` and `instance` pin it."""

    id: str = ""  # which of the plant's meters this is
    profile: str = "sunspec"
    reads: Literal["auto", "meter", "inverter", "storage"] = "auto"
    model: int | None = Field(default=None, ge=2, le=65534)  # only this model id
    instance: int = Field(default=1, ge=1, le=200)  # which of several models of one id
    max_registers: int = Field(default=125, ge=16, le=125)
    whole_counters: bool = False  # a float meter whose counters are whole numbers (a fault of one firmware)
    poll_seconds: float = Field(default=10.0, gt=0)
    invert: bool = False  # import and export change places, power its sign
    ct_ratio: float = Field(default=1.0, gt=0)

    @field_validator("profile")
    @classmethod
    def _known_device(cls, name: str) -> str:
        if name not in devices():
            raise ValueError(f"no SunSpec device {name!r}{nearest(name, list(devices()))}")
        return name

    @field_validator("model")
    @classmethod
    def _known_model(cls, id: int | None) -> int | None:
        known = sorted(known for table in tables().models for known in table.ids)
        if id is not None and id not in known:
            raise ValueError(f"model {id} tells nothing that a meter tells; known: {', '.join(map(str, known))}")
        return id

    @property
    def known_device(self) -> Device:
        """What is known of the device."""
        return devices()[self.profile]

    @property
    def asked_unit(self) -> int:
        """The unit that is asked: the one said, else the usual one of the device."""
        return self.unit if "unit" in self.model_fields_set else self.known_device.usual_unit

    def wanted(self, meter: Meter) -> tuple[tuple[int, ...], ...]:
        """The models that will do, the best first."""
        if self.model is not None:
            return ((self.model,),)
        reads = self.known_device.reads or BY_FLOW.get(meter.measures, "meter") if self.reads == "auto" else self.reads
        return tables().reads[reads]

    def quantities(self, meter: Meter) -> list[str]:
        """All that the models that will do can tell."""
        known = [tables().of(id) for group in self.wanted(meter) for id in group]
        return list(dict.fromkeys(name for table in known if table is not None for name in table.points))

    def complete(self, meter: Meter, folder: str = ".") -> Meter:  # noqa: ARG002 - all kinds are asked alike
        """The meter with how well it is known."""
        return replace(meter, confidence=meter.confidence or self.known_device.confidence)


def build(settings: Settings, context: Context) -> MeterReader:
    """The reader of the meter that the settings belong to."""
    from meters.sunspec.reader import SunSpecReader

    meter = settings.complete(meter_of(settings.id, context), context.folder)
    line, seed = settings.line(context.folder), context.last_good.get(meter.id)
    return SunSpecReader(meter, settings, context.clock, line, seed)

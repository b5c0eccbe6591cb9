"""The tables of SunSpec: which model says what, and what is known of devices that speak it."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from energy.model.meter import SINGLE_SOURCE
from meters.profile import Family
from meters.registers import RegisterType, Span, width

Reads = Literal["meter", "inverter", "storage"]
PointType = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "acc32", "acc64"]

FOLDER = files("meters") / "sunspec"
COUNTERS = {"acc32": RegisterType.U32, "acc64": RegisterType.U64}
# What each type says where the device has no such value; NaN for floats. A counter at exactly 0 counts nothing.
NOT_AVAILABLE: dict[str, Span] = {
    "u16": (0xFFFF, 0xFFFF),
    "s16": (0x8000, 0x8000),
    "u32": (0xFFFFFFFF, 0xFFFFFFFF),
    "s32": (0x80000000, 0x80000000),
    "u64": (2**64 - 1, 2**64 - 1),
    "s64": (2**63, 2**63),
    "acc32": (0, 0),
    "acc64": (0, 0),
}

Frozen = ConfigDict(extra="forbid", frozen=True)
Offset = Annotated[int, Field(ge=0, le=1000)]


class Point(BaseModel):
    """Where a quantity lies in a model, counted from the model's id register (in a repeated module from its start)."""

    model_config = Frozen

    at: Offset
    type: PointType
    unit: str
    scale_at: Offset | None = None  # the register with its power of ten; floats have none
    positive: Literal["import", "export"] = "import"
    module: str = ""  # how the labels of the modules begin that count
    minus_module: str = ""  # and of those that are taken off

    @property
    def register(self) -> RegisterType:
        """The type as it lies in registers."""
        return COUNTERS[self.type] if self.type in COUNTERS else RegisterType(self.type)

    @property
    def end(self) -> int:
        """The first offset behind it and its power of ten."""
        return max(self.at + width(self.register), (self.scale_at or 0) + 1)


class Modules(BaseModel):
    """How the repeated parts of a model lie, each with a label of its own."""

    model_config = Frozen

    count_at: Offset
    first: Offset
    size: Offset
    label_at: Offset
    label_registers: Offset


class Table(BaseModel):
    """One model, or several that are laid out alike."""

    model_config = Frozen

    ids: tuple[int, ...]
    name: str
    modules: Modules | None = None
    points: dict[str, Point]


class Tables(BaseModel):
    """All models, and which of them tell what, the best first."""

    model_config = Frozen

    reads: dict[Reads, tuple[tuple[int, ...], ...]]
    models: tuple[Table, ...]

    def of(self, id: int) -> Table | None:
        """The table of a model, if it tells anything that a meter tells."""
        return next((table for table in self.models if id in table.ids), None)


class Device(BaseModel):
    """What is known of a device that speaks SunSpec, beside what it says itself."""

    model_config = Frozen

    name: str
    family: Family
    reads: Reads | None = None
    manual: str
    sources: tuple[str, ...]
    note: str = ""
    usual_unit: int = 1
    usual_port: int = 502
    unit_hint: str = ""
    unsure: tuple[str, ...] = ()

    @property
    def confidence(self) -> str:
        """How well it is known, in words."""
        return f"{SINGLE_SOURCE}: verify" if len(self.sources) == 1 else f"{len(self.sources)} sources"


@cache
def tables() -> Tables:
    """The models."""
    return Tables.model_validate(_yaml("models.yaml"))


@cache
def devices() -> dict[str, Device]:
    """The known devices by name."""
    return {name: Device.model_validate(said) for name, said in _yaml("devices.yaml").items()}


def _yaml(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))

"""Kind `modbus`: meters that speak Modbus (TCP, RTU over TCP, serial, TLS), each model by its profile."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from energy.errors import ConfigError, Mistake
from energy.model.meter import Meter
from energy.ports import Context, MeterReader
from meters.line import LineSettings
from meters.profile import Profile, ProfileError, Register, load, register_mistakes
from meters.quantities import MAIN, UNITS

if TYPE_CHECKING:
    from meters.modbus_reader import ModbusReader


def _known_registers(value: Any) -> Any:
    mistakes = register_mistakes(value, "registers")
    if mistakes:
        raise ValueError("; ".join(str(mistake) for mistake in mistakes))
    return value


class Settings(LineSettings):
    """What config.yaml may say about a Modbus meter. `profile` is a built-in name or the path of your own .yaml;
    `registers` adds to a profile or replaces single entries of it (with `generic` they are all there is)."""

    id: str = ""  # which of the plant's meters this is
    profile: str = "generic"
    poll_seconds: float = Field(default=10.0, gt=0)
    invert: bool = False  # crossed current transformers: import and export change places, power its sign
    ct_ratio: float = Field(default=1.0, gt=0)  # only where the meter does not apply its current transformers itself
    registers: Annotated[dict[str, Register], BeforeValidator(_known_registers)] = Field(default={})
    function_code: Literal[3, 4] | None = None
    word_order: Literal["high first", "low first"] | None = None
    address_shift: Literal[-1, 0, 1] = 0  # where the device counts its registers one higher or lower than the profile
    max_registers: int | None = Field(default=None, ge=1, le=125)

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, name: str) -> str:
        if not name.endswith((".yaml", ".yml")):  # where those lie is known only later
            try:
                load(name)
            except ProfileError as error:
                raise ValueError("; ".join(mistake.what for mistake in error.mistakes)) from error
        return name

    def table(self, folder: str = ".") -> Profile:
        """The profile as this meter uses it."""
        table = self._table(folder)
        if not set(MAIN) & set(table.registers):
            way_out = f"give at least one of {', '.join(MAIN)}, or name a profile"
            raise ConfigError(f"profile {self.profile}", [Mistake("registers", way_out)])
        return table

    def _table(self, folder: str) -> Profile:
        profile = load(self.profile, folder)
        said = {"function_code": self.function_code, "word_order": self.word_order, "max_registers": self.max_registers}
        changes: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
        whole = profile.model_copy(update=changes | {"registers": profile.registers | self.registers})
        return shifted(whole, self.address_shift) if self.address_shift else whole

    def complete(self, meter: Meter, folder: str = ".") -> Meter:
        """The meter with what its profile knows of it; what the config says itself counts."""
        table = self._table(folder)
        known = replace(meter, confidence=meter.confidence or table.confidence)
        register = table.registers.get("total_import")
        if meter.rollover_kwh is not None or register is None or register.rollover is None:
            return known
        return replace(known, rollover_kwh=register.rollover * UNITS["energy"][register.unit] * self.ct_ratio)


ADDRESSES = ("at", "minus")
LONE_ADDRESSES = ("exponent_at",)


def shifted(profile: Profile, step: int) -> Profile:
    """The table with every address one higher or lower. ConfigError where one would fall out of what there is."""
    moved: dict[str, Register] = {}
    for name, register in profile.registers.items():
        places = {key: tuple(at + step for at in getattr(register, key, ())) for key in ADDRESSES}
        lone = {key: at + step for key in LONE_ADDRESSES if (at := getattr(register, key, None)) is not None}
        if any(not 0 <= at - profile.address_base <= 65535 for at in (*places["at"], *places["minus"], *lone.values())):
            raise ConfigError("address_shift", [Mistake(name, f"no register lies {step:+d} beside its address")])
        known = {key: value for key, value in places.items() if value}
        moved[name] = register.model_copy(update=known | lone)
    return profile.model_copy(update={"registers": moved})


def build(settings: Settings, context: Context) -> MeterReader:
    """The reader of the meter that the settings belong to."""
    return reader(settings, meter_of(settings.id, context), context)


def reader(settings: Settings, meter: Meter, context: Context) -> "ModbusReader":
    """A reader of that meter."""
    from meters.modbus_reader import ModbusReader

    known = settings.complete(meter, context.folder)
    line = settings.line(context.folder)
    seed = context.last_good.get(meter.id)
    return ModbusReader(known, settings, settings.table(context.folder), context.clock, line, seed)


def meter_of(id: str, context: Context) -> Meter:
    """The meter of that id, or the only one there is."""
    for meter in context.meters:
        if meter.id == id or (not id and len(context.meters) == 1):
            return meter
    raise ValueError(f"no meter {id!r} in the context; known: {', '.join(meter.id for meter in context.meters)}")

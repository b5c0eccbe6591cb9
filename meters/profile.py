"""A meter model as a table: which register says what. One YAML file a model, no code."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from energy.errors import Mistake, MistakesError
from energy.model.meter import SINGLE_SOURCE
from energy.plugins import nearest
from meters.batching import Batch
from meters.identify import Identify
from meters.quantities import KINDS, SIGNED, UNITS
from meters.registers import RegisterType, Span, TypeName, short_name, width

FOLDER = files("meters") / "profiles"
Family = Literal["meter", "analyser", "inverter", "battery", "grid meter"]


class ProfileError(MistakesError):
    """A meter profile says something that cannot be."""


def _several(value: object) -> object:
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, int | float) else value


def _spans(value: object) -> object:
    """A marker may be written as one number or as [first, last]."""
    items = value if isinstance(value, list) else [value]
    return tuple((item, item) if isinstance(item, int) else item for item in items)


Address = Annotated[int, Field(ge=0, le=65536)]


class Register(BaseModel):
    """Where a quantity lies and how it is said there. Several addresses are added up (tariffs, phases); those of
    `minus` are taken off (a meter that tells import and export apart). Of several scales the first counts whose result
    lies `between` (models of one family that differ); outside of it the value is not known. `positive: export` is for
    devices that count what flows out as positive. `rollover` is the value at which a counter starts again from zero, in
    its own unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Annotated[tuple[Address, ...], BeforeValidator(_several), Field(min_length=1)]
    minus: Annotated[tuple[Address, ...], BeforeValidator(_several)] = ()
    type: TypeName
    unit: str
    scale: Annotated[tuple[float, ...], BeforeValidator(_several), Field(min_length=1)] = (1.0,)
    between: tuple[float, float] | None = None
    rollover: float | None = Field(default=None, gt=0)
    function_code: Literal[3, 4] | None = None  # where it differs from the profile's
    coding: Literal["plain", "four-quadrant"] = "plain"
    positive: Literal["import", "export"] = "import"
    exponent_at: Address | None = None  # a signed register beside it: the number counts times ten to that power
    unsure: str = ""  # what of it rests on a guess or is told differently: check it on the device


class Profile(BaseModel):
    """All that is needed to read a meter model. `sources` are the independent implementations or vendor documents
    that agree: with a single one, compare with the display before you trust it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    family: Family = "meter"
    manual: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""  # what to check when commissioning
    identify: tuple[Identify, ...] = ()  # how a device of this model tells what it is
    usual_unit: int = Field(default=1, ge=0, le=255)  # the unit it has when it comes from the factory
    usual_port: int = Field(default=502, ge=1, le=65535)
    unit_hint: str = ""  # what else is known of its unit number, for a person
    function_code: Literal[3, 4] = 3
    word_order: Literal["high first", "low first"] = "high first"
    address_base: Literal[0, 1] = 0  # 1 where `at` is written as in a manual that counts from 1
    max_registers: int = Field(default=125, ge=1, le=125)
    max_hole: int = Field(default=16, ge=0)  # the most unused registers that one read reaches over
    not_available: dict[TypeName, Annotated[tuple[Span, ...], BeforeValidator(_spans)]] = {}
    registers: dict[str, Register]

    @property
    def confidence(self) -> str:
        """How well the table is known, in words."""
        if not self.sources:
            return "your own"
        return f"{SINGLE_SOURCE}: verify" if len(self.sources) == 1 else f"{len(self.sources)} sources"

    @property
    def unsure(self) -> tuple[str, ...]:
        """The quantities of which something has to be checked on the device."""
        return tuple(name for name, register in self.registers.items() if register.unsure)

    @property
    def low_word_first(self) -> bool:
        return self.word_order == "low first"

    def code_of(self, register: Register) -> int:
        """The function code that reads a register."""
        return register.function_code or self.function_code

    def place_of(self, identify: Identify) -> tuple[int, Batch]:
        """The function code and the registers on the wire by which a device tells what it is."""
        return identify.function_code or self.function_code, Batch(identify.at - self.address_base, identify.count)

    def markers(self, type: RegisterType) -> tuple[Span, ...]:
        """The bit patterns that mean "not available" in a type."""
        return self.not_available.get(type, ())


@cache
def names() -> tuple[str, ...]:
    """The built-in profiles."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in FOLDER.iterdir() if file.name.endswith(".yaml")))


def load(name: str, folder: str | Path = ".") -> Profile:
    """A built-in profile by name, or one of your own by path (ending in .yaml, relative to `folder`)."""
    if name.endswith((".yaml", ".yml")):
        path = Path(folder) / name
        if not path.is_file():
            raise ProfileError(str(path), [Mistake("profile", "there is no such file")])
        return _own(path, path.stat().st_mtime_ns)
    if name not in names():
        raise ProfileError("profile", [Mistake(name, f"no meter profile of that name{nearest(name, list(names()))}")])
    return _built_in(name)


@cache
def _own(path: Path, _changed_at: int) -> Profile:
    """A profile of a plant's own as it was written at some time: a thousand meters of a model are one file."""
    return parse(path.read_text(encoding="utf-8"), str(path))


@cache
def _built_in(name: str) -> Profile:
    return parse((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"meters/profiles/{name}.yaml")


def parse(text: str, source: str) -> Profile:
    """A profile from YAML text. ProfileError lists all its mistakes, each with its path."""
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProfileError(source, [Mistake("file", f"not YAML: {' '.join(str(error).split())}")]) from error
    if not isinstance(said, dict):
        raise ProfileError(source, [Mistake("file", "expected keys and values, such as `name: …`")])
    mistakes = register_mistakes(said.get("registers"), "registers", base=said.get("address_base", 0))
    try:
        profile = Profile.model_validate(said)
    except ValidationError as error:
        mistakes = [_mistake(problem) for problem in error.errors()] + mistakes
    if mistakes:
        raise ProfileError(source, mistakes)
    return profile


def register_mistakes(registers: object, where: str, base: object = 0) -> list[Mistake]:
    """What a table of registers says that its single entries cannot show: names, units, addresses."""
    if not isinstance(registers, dict):
        return []
    found = []
    for name, register in registers.items():
        if name not in KINDS:
            found.append(Mistake(f"{where}.{name}", f"no quantity of that name{nearest(str(name), list(KINDS))}"))
        elif isinstance(register, dict):
            units = UNITS[KINDS[name]]
            unit = register.get("unit")
            if isinstance(unit, str) and unit not in units:
                known = ", ".join(repr(unit) for unit in units)
                found.append(Mistake(f"{where}.{name}.unit", f"{unit!r} is no unit of {name}; possible: {known}"))
            if register.get("positive", "import") != "import" and KINDS[name] not in SIGNED:
                found.append(Mistake(f"{where}.{name}.positive", f"{name} has no direction; leave it out"))
            for key in ("at", "minus"):
                found += _address_mistakes(register, key, f"{where}.{name}.{key}", base)
    return found


def _address_mistakes(register: dict[str, Any], key: str, where: str, base: object) -> list[Mistake]:
    places = register.get(key)
    type = short_name(register.get("type"))
    if type not in list(RegisterType) or not isinstance(base, int):
        return []
    room = 65536 - width(RegisterType(str(type)))
    return [
        Mistake(where, f"{at} lies outside of the addresses {base} … {room + base}")
        for at in (places if isinstance(places, list) else [places])
        if isinstance(at, int) and not 0 <= at - base <= room
    ]


PARTS: dict[str, type[BaseModel]] = {"registers": Register, "identify": Identify}


def _mistake(problem: Any) -> Mistake:
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        model = PARTS.get(str(problem["loc"][0]), Profile)
        return Mistake(path, f"no such key{nearest(str(problem['loc'][-1]), list(model.model_fields))}")
    if problem["type"] == "missing":
        return Mistake(path, "is missing")
    return Mistake(path, f"{problem['msg'][0].lower()}{problem['msg'][1:]} (got {problem['input']!r})")

"""What a device says of itself: its maker, model, serial number, and what they have to be for a profile to fit."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from meters.registers import RegisterType, TypeName, decode, width

TEXT = "text"  # characters, two in a register, the first in its high byte

Span = tuple[int, int]  # numbers from … to, both included


def _named(value: object) -> object:
    """`expect` may be one value, a list, or a table that names what each value stands for."""
    if value is None:
        return ()
    table = value if isinstance(value, dict) else {"": value}
    return tuple((name, item) for name, items in table.items() for item in _each(items))


def _each(items: object) -> list[object]:
    rows: list[Any] = items if isinstance(items, list) else [items]
    return [(row, row) if isinstance(row, int) else tuple(row) if isinstance(row, list) else row for row in rows]


class Identify(BaseModel):
    """One register by which a device tells what it is. With `expect` it proves that the profile fits: numbers, [first,
    last] ranges, or what a text begins with; as a table, each under the name of the model that it stands for. Without,
    it only tells (a serial number). Read alone: such a register may overlap a measured one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tells: Literal["maker", "model", "serial", "firmware"] = "model"
    at: int = Field(ge=0, le=65536)
    type: TypeName | Literal["text"]
    registers: int = Field(default=0, ge=0, le=125)  # how long a text is
    function_code: Literal[3, 4] | None = None  # where it differs from the profile's
    expect: Annotated[tuple[tuple[str, Span | str], ...], BeforeValidator(_named)] = ()

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Identify":
        is_text = self.type == TEXT
        if is_text != (self.registers > 0):
            raise ValueError("`registers` is how long a text is: needed with `type: text`, and only there")
        if any(isinstance(what, str) != is_text for _, what in self.expect):
            raise ValueError("`expect` is the beginning of a text with `type: text`, else numbers or [first, last]")
        return self

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return self.registers if self.type == TEXT else width(RegisterType(self.type))

    @property
    def proves(self) -> bool:
        """Whether the answer decides that a device is of this profile."""
        return bool(self.expect)

    def told(self, words: Sequence[int], *, low_word_first: bool = False) -> str | None:
        """What the registers say, or the name it stands for; None where nothing is said or it is another device."""
        if self.type == TEXT:
            said = text(words)
            fits = [name or said for name, start in self.expect if isinstance(start, str) and said.startswith(start)]
        else:
            number = decode(words, RegisterType(self.type), low_word_first=low_word_first)
            said = "" if number is None else f"{number:.0f}"
            fits = [
                name or said
                for name, span in self.expect
                if number is not None and not isinstance(span, str) and span[0] <= number <= span[1]
            ]
        return next(iter(fits), None) if self.proves else said or None


def text(words: Sequence[int]) -> str:
    """Characters in registers, up to the first zero byte, without the blanks around them; "" where it is no text."""
    said = b"".join(word.to_bytes(2, "big") for word in words).split(b"\0")[0].decode("latin-1").strip()
    return said if said.isprintable() else ""

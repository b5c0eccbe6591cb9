"""What config.yaml says of one quantity on a wire that has no profile: its unit there, and what to multiply it with."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from energy.plugins import nearest
from meters.quantities import KINDS, UNITS


class Wanted(BaseModel):
    """One quantity, by the unit in which the wire says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str = Field(description="unit on the wire, such as W, kW, Wh, kWh, V, A")
    scale: float = Field(default=1.0, description="what the value is multiplied with first; -1 turns its sign")


def inside(quantity: str, wanted: Wanted, value: float | None) -> float | None:
    """A value of the wire in the unit used inside; None where it says nothing."""
    if value is None or not isfinite(value):
        return None
    said = value * wanted.scale * UNITS[KINDS[quantity]][wanted.unit]
    return said if isfinite(said) else None


def number(value: object) -> float | None:
    """A number as JSON or text may say it; None for everything else. True and false are no numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | str):
        try:
            said = float(value)
        except (ValueError, OverflowError):
            return None
        return said if isfinite(said) else None
    return None


def known_quantities(quantities: Any) -> Any:
    """The table itself. ValueError names every quantity or unit that is not known."""
    mistakes = mistakes_of(quantities) if isinstance(quantities, Mapping) else []
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return quantities


def mistakes_of(quantities: Mapping[str, Wanted]) -> list[str]:
    """What is wrong with the names and units of a table of quantities."""
    found = []
    for name, wanted in quantities.items():
        if name not in KINDS:
            found.append(f"{name}: no quantity of that name{nearest(name, list(KINDS))}")
        elif wanted.unit not in UNITS[KINDS[name]]:
            known = ", ".join(repr(unit) for unit in UNITS[KINDS[name]])
            found.append(f"{name}: {wanted.unit!r} is no unit of it; possible: {known}")
    return found


def some_unit(quantity: str) -> str:
    """A unit that a quantity may have, for tables whose unit the far end says; empty for a quantity that is not known."""
    return next(iter(UNITS[KINDS[quantity]])) if quantity in KINDS else ""


NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Checked = AfterValidator(known_quantities)

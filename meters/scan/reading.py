"""The registers of one unit as they were taken, at several moments, to be read by any table as often as one likes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from meters.image import quantities
from meters.modbus_reader import as_wired
from meters.profile import Profile
from meters.quantities import KINDS, THROUGH_CT, UNITS
from meters.registers import RegisterType
from meters.scan.counting import Poll


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What lay in the registers at one moment: (function code, address) → 16 bits."""

    at: datetime
    words: Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How registers become quantities: the table, and what the config adds."""

    profile: Profile
    ct_ratio: float = 1.0
    invert: bool = False
    shift: int = 0  # how far the addresses of the table are moved
    cabinet: Callable[[dict[str, float]], dict[str, float]] | None = None  # what a hand at the wires would change

    def values(self, words: Mapping[tuple[int, int], int]) -> dict[str, float]:
        """All quantities, in inside units."""
        said = as_wired(quantities(self.profile, words), self.ct_ratio, self.invert)
        return said if self.cabinet is None else self.cabinet(said)

    def polls(self, taken: Sequence[Taken]) -> list[Poll]:
        """What the meter said at each moment."""
        return [Poll(at=one.at, values=self.values(one.words)) for one in taken]

    def grain(self, values: Mapping[str, float]) -> dict[str, float]:
        """The step of the register of each quantity that was said, in inside units."""
        found = {}
        for name, value in values.items():
            register = self.profile.registers.get(name)
            if register is None:
                continue
            factor = abs(register.scale[0]) * UNITS[KINDS[name]][register.unit]
            if register.type is RegisterType.F32:
                step = math.ulp(abs(value) / factor) * 2.0**29 * factor if value else 0.0  # f64 keeps 29 bits more
            else:
                step = 0.0 if register.type is RegisterType.F64 else factor
            found[name] = step * (self.ct_ratio if KINDS[name] in THROUGH_CT else 1.0)
        return found

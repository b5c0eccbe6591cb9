"""A meter that was found on a wire: what it seems to be, what it says, and whether that can be right."""

from dataclasses import dataclass

from energy.model.meter import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One law that the values of a right profile obey, such as P = U·I·PF. `ok` is None where it could not be checked
    (no current flows, the meter does not tell it). `said` names the numbers, for a person."""

    name: str
    ok: bool | None
    said: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of settings under which the failed checks would hold, such as another word order."""

    said: str
    settings: tuple[tuple[str, object], ...]
    score: float  # of the values so read


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMeter:
    """Something that answers like a meter. `settings` are what config.yaml would say (kind, profile, host, port, unit …);
    `score` is the weighed share of the checks that hold, 0 to 1, None where none could be made."""

    settings: tuple[tuple[str, object], ...]
    maker: str = ""  # as it says itself
    model: str = ""
    serial: str = ""
    identified: bool = False  # it said what it is; else the profile is the one whose values fit best
    confidence: str = ""  # how well the profile is known
    reading: Reading | None = None
    checks: tuple[Check, ...] = ()
    fixes: tuple[Fix, ...] = ()
    score: float | None = None
    others: tuple[str, ...] = ()  # profiles whose values fit as well: the same registers, or a part of them
    note: str = ""

"""What came of a fault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """What came of a fault. `wrong_values` were never said by the meter; `kept_share` is that of the healthy meters."""

    name: str
    survived: bool
    wrong_values: int
    kept_share: float
    recovered: int | None  # polls from the end of the fault to the first good reading
    victim_share: float
    complaints: tuple[str, ...] = ()

"""What the floor says has happened."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FactKind(StrEnum):
    RUSH_ORDER = "rush order"
    MACHINE_DOWN = "machine down"
    MATERIAL_LATE = "material late"
    CREW_MISSING = "crew missing"
    SCRAP = "scrap"
    QUALITY_HOLD = "quality hold"
    STARTED = "started"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened. `until` is when it is expected to be over (machine back, material there, crew back);
    None is not known yet. `share` is the part of a quantity that is scrap. The id comes from the reporter, so that a
    double click is one fact."""

    id: str
    kind: FactKind
    at: datetime
    machine: str | None = None
    job: str | None = None
    crew: str | None = None
    until: datetime | None = None
    share: float | None = None
    text: str = ""
    by: str = ""
    role: str = ""
    reported_at: datetime

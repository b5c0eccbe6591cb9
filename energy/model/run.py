"""What really ran."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunSource(StrEnum):
    """Who says that it ran: a system of the floor, the machine's own meter, or nobody."""

    MES = "mes"
    METER = "meter"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job. `kwh` is the energy of the run alone, without the machine's idle power; None is unknown.
    `end` is None while it runs."""

    job: str
    machine: str
    start: datetime
    end: datetime | None
    kwh: float | None = None
    source: RunSource = RunSource.MES
    good_quantity: float | None = None
    note: str = ""

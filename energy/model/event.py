"""Demand-response events, and what the plant commits itself to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy.model.horizon import Interval


class EventKind(StrEnum):
    LIMIT = "limit"  # import at most so many kW
    REDUCTION = "reduction"  # so many kW below the baseline


class EventState(StrEnum):
    OPEN = "open"  # asked, not answered
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a grid operator, an aggregator or the energy manager asks of the plant's grid connection.

    `price_per_kwh` is paid for each kWh of agreed reduction delivered; None where the event is mandatory."""

    id: str
    kind: EventKind
    interval: Interval
    kw: float
    mandatory: bool
    price_per_kwh: float | None = None
    answer_by: datetime | None = None
    program: str = "manual"
    state: EventState = EventState.OPEN
    text: str = ""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A limit of import that the next plan keeps (mandatory) or prices (per kWh above it)."""

    event: str
    interval: Interval
    limit_kw: float
    penalty_per_kwh: float | None  # None: mandatory
    baseline_kw: tuple[float, ...] = ()  # the as-is import it was reckoned from, a value a slot; empty for a limit
    reason: str = ""

"""Offers to the planner, and what the planner says to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from energy.model.job import Planned
from energy.model.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a move gains (positive is better), marginal in the order of the offer, in the site's currency and kg CO2e.
    `peak` is what a demand charge gets smaller by; `forecast_share` the part of |energy| resting on forecast prices.

    Where a gain rests on them, `energy` and with it `money` are after the correction for choosing the hours that look
    cheapest, and `optimism` is what that took off. `low` and `high` are P10 and P90 around that; None where nothing is
    uncertain."""

    energy: float = 0.0
    export: float = 0.0
    peak: float = 0.0
    other: float = 0.0  # wear, stored energy
    carbon_kg: float = 0.0
    peak_kw: float = 0.0
    low: float | None = None
    high: float | None = None
    forecast_share: float = 0.0
    optimism: float = 0.0

    @property
    def money(self) -> float:
        return self.energy + self.export + self.peak + self.other

    @property
    def uncorrected(self) -> float:
        """The money as it was estimated before it was corrected."""
        return self.money + self.optimism

    @property
    def daily(self) -> float:
        """The part that is a daily saving; the peak part is credited once per billing period."""
        return self.energy + self.export + self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPart:
    """The slots of a gain that rest on forecast prices: by how much the site's import and export change there (kWh), and
    the prices of then. With them the same moves can be reckoned again once the prices are published."""

    import_kwh: Series
    import_price: Series
    export_kwh: Series
    export_price: Series

    def surprise(self, import_price: Series, export_price: Series) -> float | None:
        """What the same moves gain more (or less) at the prices that came; None while one of them is unknown."""
        imported, exported = self.import_kwh.values, self.export_kwh.values
        dearer = import_price.over(self.import_kwh.horizon).values - self.import_price.values
        better = export_price.over(self.export_kwh.horizon).values - self.export_price.values
        more = np.where(exported != 0, exported * better, 0.0) - np.where(imported != 0, imported * dearer, 0.0)
        return None if np.isnan(more).any() else float(more.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShift:
    """One job moved from its place in the plan in force."""

    job: str
    name: str
    old: Planned
    new: Planned
    kwh: float
    due: datetime | None = None
    quantity: float = 0.0
    unit: str = ""

    @property
    def minutes_later(self) -> int:
        """How far it moves; negative is earlier."""
        return round((self.new.start - self.old.start).total_seconds() / 60)


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"  # nobody answered in time; not the same as refused
    WITHDRAWN = "withdrawn"  # taken back: by us (a better plan, no gain left) or, after acceptance, by the planner
    OVERTAKEN = "overtaken"  # a fact made it impossible; neither refused nor failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A bundle of load shifts that are accepted or refused together. An open offer keeps its id, text and gain."""

    id: str
    site: str
    version: int
    number: int  # "Offer 2" of its day
    shifts: tuple[LoadShift, ...]
    requires: tuple[str, ...]  # ids of offers that must be accepted too
    gain: Gain
    headline: str  # "Furnace 3: coil rings 4 h 30 later"
    reason: str  # one sentence: why it gains, and what stands in the way of better
    slack_minutes: int | None
    plan: str  # the digest of the plan it comes from
    offered_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OPEN
    state_reason: str = ""
    assumed_start: bool = False  # its as-is start is assumed: a class of its own, outside the headline
    rests_on: ForecastPart | None = None  # None where every price it rests on is published

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(shift.job for shift in self.shifts)


class DecisionKind(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    EDIT = "edit"
    WITHDRAW = "withdraw"


class Scope(StrEnum):
    """How far a refusal reaches."""

    THIS_TIME = "this time"
    THIS_WEEK = "this week"
    ALWAYS_JOB = "always for this product"
    ALWAYS_MACHINE = "always for this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a planner said: append-only, with an id from the client, so that a double click is one decision.

    `version` is the version of the offer that was seen. `places` are the planner's own places in an edit."""

    id: str
    offer: str
    version: int
    kind: DecisionKind
    by: str
    role: str
    verified: bool = False  # the name was chosen in a browser, nobody checked it
    at: datetime
    reason: str = ""
    scope: Scope | None = None
    places: tuple[Planned, ...] = ()


class FloorState(StrEnum):
    """How far an accepted shift has come."""

    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    SEEN = "seen on the floor"
    STARTED = "started"
    FINISHED = "finished"
    NOT_SEEN = "not seen in time"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRule:
    """A refusal that holds on: for a product or machine, with what it costs a year and an end date."""

    id: str
    subject: str  # "product:4711" or "machine:furnace-3"
    decision: str
    reason: str
    by: str
    since: datetime
    until: datetime
    yearly_price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What the floor is told: an accepted job's new place."""

    id: str
    offer: str
    planned: Planned
    old: Planned
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a dispatcher did with an instruction."""

    instruction: str
    dispatcher: str
    at: datetime
    where: str
    ok: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOffered:
    """A move that was not offered, and why: no rostered crew, below the least gain, a standing refusal."""

    job: str
    what: str
    why: str
    gain: float | None = None

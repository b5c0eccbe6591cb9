"""What was really saved. Four words that are never shown as one another."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """How a saving is known."""

    ESTIMATED = "estimated"  # from a plan, before it ran
    VERIFIED = "verified"  # from meters and runs, at real prices
    MODELLED = "modelled"  # ran as accepted, but without a meter or run of its own
    ASSUMED_START = "assumed start"  # against an as-is start that nobody planned
    NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSaving:
    """One accepted, moved job: what was promised and what came of it. Money and kg are positive when better.
    `money` is None where it is not measurable; `counted` False where it is shown but adds nothing, with the cause."""

    job: str
    offer: str
    day: date
    kind: Kind
    promised_money: float
    promised_carbon_kg: float
    money: float | None
    carbon_kg: float | None
    counted: bool
    cause: str = ""
    as_is_start: str = ""
    accepted_start: str = ""
    real_start: str = ""
    kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPeak:
    """The highest metered mean of one demand charge on one day, as it was and as it would have been as-is."""

    charge: str
    period: str  # "2026-05" or "2026"
    real_kw: float
    as_is_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChoice:
    """What the hours of a day that looked cheapest to a forecast promised a run, and what came of it: currency/kWh that
    the chosen hours are below the mean of all that the run could have had."""

    lead_days: int  # 1: said on the day before, before its prices were published
    hours: float  # how long the run is
    estimated: float
    realised: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySavings:
    """The account of one local day. Daily savings are energy, export and carbon; peaks are per period.

    The counterfactual is what the site would have drawn with the moved jobs at their as-is starts. `known_share` is
    the part of the day's slots with a settlement value."""

    site: str
    day: date
    metered_money: float | None
    counterfactual_money: float | None
    metered_carbon_kg: float | None
    counterfactual_carbon_kg: float | None
    metered_peak_kw: float | None
    counterfactual_peak_kw: float | None
    import_kwh: float | None
    known_share: float
    estimated_money: float
    estimated_carbon_kg: float
    jobs: tuple[JobSaving, ...]
    currency: str
    carbon_basis: str
    peaks: tuple[DayPeak, ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[PriceChoice, ...] = ()

    def money(self, kind: Kind) -> float:
        """The sum of what counts of one kind."""
        return sum(j.money for j in self.jobs if j.kind is kind and j.counted and j.money is not None)

    def carbon_kg(self, kind: Kind) -> float:
        return sum(j.carbon_kg for j in self.jobs if j.kind is kind and j.counted and j.carbon_kg is not None)


class PeakState(StrEnum):
    AT_RISK = "at risk"  # the period is open and its expensive windows are still to come
    PROVISIONAL = "provisional"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakSaving:
    """The saving of one demand charge in one billing period: one figure, credited once, when the period closes."""

    site: str
    charge: str
    period: str  # "2026-05" or "2026"
    state: PeakState
    as_is_kw: float
    real_kw: float
    target_kw: float
    per_kw: float
    money: float

"""The small nouns that only the store has: what it says about what it keeps."""

from dataclasses import dataclass
from datetime import datetime

from energy.model.plan import Plan
from energy.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """What is known of a stored series: until when it reaches, when it last changed, and where it comes from."""

    key: str
    unit: str
    source: str
    basis: str
    licence: str
    assumed: bool
    first: datetime
    end: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a re-import of jobs changed: ids by what happened to them."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    same: int = 0


class PlanKind:
    AS_IS = "as-is"
    IN_FORCE = "in force"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """One planning cycle as stored: the problem and its three plans."""

    digest: str
    made_at: datetime
    problem: Problem
    as_is: Plan
    in_force: Plan
    plan: Plan
    checked: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """Who did what, when. People appear by role."""

    at: datetime
    who: str
    role: str
    what: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unspoken:
    """Doubted readings of one meter that make room before anybody released or rejected them."""

    meter: str
    count: int
    first: datetime
    last: datetime

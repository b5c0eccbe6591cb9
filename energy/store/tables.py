"""The tables. Narrow ones for what comes in bulk; for each other noun its keys and the noun itself as JSON in `body`.

In a versioned table the row marked `current` is the newest word; the older ones stay.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Not JSON on SQLite: a column so declared would turn the text "1" into a number.
BODY: Any = Text().with_variant(JSON(), "postgresql")

# Clustered by its key on SQLite: a month of one meter lies side by side.
BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False}

DOUBTED, CLOCK_SET = text("quality = 'suspect'"), text("clock_step IS NOT NULL")


class Base(SQLModel):
    """All tables of the store."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


class OfSite(Base):
    """What belongs to one site; several may share a database."""

    site: str = Field(primary_key=True)


class Versioned(OfSite):
    """A noun of which each change is a new version."""

    current: bool = True
    body: str = Field(sa_type=BODY)


def table(row: type[SQLModel]) -> Table:
    """The table of a row class, for statements that return tuples."""
    made: Table = row.__table__  # type: ignore[attr-defined]
    return made


# --- what comes in bulk ---


class ChannelRow(Base, table=True):
    """A meter or a stored series: a short number for the many rows that belong to it."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("site", "kind", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    kind: str  # "meter" or "series"
    key: str
    unit: str = ""


class BatchRow(Base, table=True):
    """One act of writing values: who said it, when it became known, and whether that time is assumed."""

    __tablename__ = "batch"
    __table_args__ = (Index(None, "channel", "known_at"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    channel: int | None = Field(default=None, foreign_key="channel.id")  # of a series; intervals come from many meters
    known_at: int = Field(sa_type=BigInteger)  # epoch microseconds
    source: str
    basis: str = ""
    licence: str = ""
    author: str = ""
    assumed: bool = False


class ReadingRow(Base, table=True):
    """A raw reading. On PostgreSQL this is the table to partition by month of `taken_at`."""

    __tablename__ = "reading"
    # The few that are doubted, or tell of a clock that was set, are found without going through all the others.
    __table_args__ = (
        Index("ix_reading_doubted", "taken_at", sqlite_where=DOUBTED, postgresql_where=DOUBTED),
        Index("ix_reading_clock_set", "taken_at", sqlite_where=CLOCK_SET, postgresql_where=CLOCK_SET),
        BY_KEY,
    )
    channel: int = Field(primary_key=True, foreign_key="channel.id")
    taken_at: int = Field(primary_key=True, sa_type=BigInteger)  # epoch microseconds
    import_kwh: float | None = None
    export_kwh: float | None = None
    power_kw: float | None = None
    quality: str
    note: str = ""
    others: str | None = None  # the machine's state, and what older versions kept there: JSON pairs
    raw: str | None = None  # of a doubted reading: what lay on the wire
    clock_step: float | None = None  # seconds by which the clock was set since the reading before
    shape: int | None = Field(default=None, sa_type=BigInteger)  # the names of `numbers`
    numbers: bytes | None = Field(default=None, sa_type=LargeBinary)  # further quantities, four or eight bytes each


class ShapeRow(Base, table=True):
    """The names of the further quantities of a kind of meter, once for all its readings."""

    __tablename__ = "reading_shape"
    id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )  # made of the names
    names: str  # JSON


class ThinnedRow(Base, table=True):
    """How far the readings of a meter were thinned."""

    __tablename__ = "reading_thinned"
    channel: int = Field(primary_key=True, foreign_key="channel.id", sa_column_kwargs={"autoincrement": False})
    minutes_until: int = Field(sa_type=BigInteger)  # epoch microseconds; one reading a minute before
    edges_until: int = Field(sa_type=BigInteger)  # only what the intervals need before


class IntervalRow(Base, table=True):
    """The energy of one interval, one version of it."""

    __tablename__ = "interval"
    __table_args__ = BY_KEY
    channel: int = Field(primary_key=True, foreign_key="channel.id")
    start: int = Field(primary_key=True, sa_type=BigInteger)  # epoch seconds
    known_at: int = Field(primary_key=True, sa_type=BigInteger)  # epoch microseconds
    batch: int = Field(primary_key=True, foreign_key="batch.id")
    minutes: int
    import_kwh: float | None = None
    export_kwh: float | None = None
    quality: str
    max_power_kw: float | None = None


class ValueRow(Base, table=True):
    """The value of one slot of a stored series, one version of it."""

    __tablename__ = "series_value"
    __table_args__ = BY_KEY
    channel: int = Field(primary_key=True, foreign_key="channel.id")
    start: int = Field(primary_key=True, sa_type=BigInteger)  # epoch seconds
    known_at: int = Field(primary_key=True, sa_type=BigInteger)  # epoch microseconds
    batch: int = Field(primary_key=True, foreign_key="batch.id")
    minutes: int
    value: float


# --- what is said of meters ---


class ReleaseRow(OfSite, table=True):
    """What people said of doubted readings; of several on one reading the newest counts."""

    __tablename__ = "reading_release"
    meter: str = Field(primary_key=True)
    taken_at: int = Field(primary_key=True, sa_type=BigInteger)  # epoch microseconds
    at: int = Field(primary_key=True, sa_type=BigInteger)  # epoch microseconds
    right: bool
    body: str = Field(sa_type=BODY)


class ExchangeRow(OfSite, table=True):
    __tablename__ = "meter_exchange"
    __table_args__ = (Index(None, "site", "meter", "at"),)
    id: str = Field(primary_key=True)
    meter: str
    at: datetime
    body: str = Field(sa_type=BODY)


class EdgeRow(OfSite, table=True):
    """An edge box as the centre knows it: the last batch that it acknowledged, and what waits there."""

    __tablename__ = "edge"
    name: str = Field(primary_key=True)
    last_batch: int = Field(sa_type=BigInteger)
    seen_at: datetime
    body: str = Field(sa_type=BODY)


class MachineDayRow(Versioned, table=True):
    """What the meter of a machine told of one local day: states, cycles, waste."""

    __tablename__ = "machine_day"
    __table_args__ = (Index(None, "site", "current", "day"),)
    machine: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime


class MachineLearnedRow(Versioned, table=True):
    """What was learned of a machine from many days: its levels, the profile of a product, its drift."""

    __tablename__ = "machine_learned"
    machine: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime


# --- what is planned and ran ---


class MeterRow(OfSite, table=True):
    __tablename__ = "meter"
    id: str = Field(primary_key=True)
    position: int
    body: str = Field(sa_type=BODY)


class ForecastRow(Base, table=True):
    __tablename__ = "forecast"
    __table_args__ = (Index(None, "site", "target", "issued_at"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    target: str
    issued_at: datetime
    inputs: str
    packed: bytes = Field(sa_type=LargeBinary)


class JobRow(Versioned, table=True):
    """`first` and `last` span all that is said of when it runs; `listed` is the state the production plan last said,
    `said` the hash of all that it said; empty for a job that the floor brought (a rush order, what makes scrap good)."""

    __tablename__ = "job"
    __table_args__ = (Index(None, "site", "current", "last"),)
    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime
    state: str
    listed: str
    said: str = ""
    first: datetime
    last: datetime


class RunRow(Versioned, table=True):
    __tablename__ = "job_run"
    __table_args__ = (Index(None, "site", "current", "start"),)
    job: str = Field(primary_key=True)
    start: datetime = Field(primary_key=True)
    version: int = Field(primary_key=True)
    end: datetime | None = None


class FactRow(OfSite, table=True):
    __tablename__ = "fact"
    __table_args__ = (Index(None, "site", "reported_at"), Index(None, "site", "answered_at"))
    id: str = Field(primary_key=True)
    reported_at: datetime
    answered_at: datetime | None = None
    plan: str = ""
    body: str = Field(sa_type=BODY)


class AsIsRow(Versioned, table=True):
    __tablename__ = "as_is"
    __table_args__ = (Index(None, "site", "current", "end"),)
    job: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    start: datetime
    end: datetime


class PlanningRow(OfSite, table=True):
    """`last_made_at` moves on when the same problem comes up again after another one."""

    __tablename__ = "planning"
    __table_args__ = (Index(None, "site", "made_at"), Index(None, "site", "last_made_at"))
    digest: str = Field(primary_key=True)
    made_at: datetime
    last_made_at: datetime
    packed: bytes = Field(sa_type=LargeBinary)


# --- what is offered and decided ---


class OfferRow(Versioned, table=True):
    __tablename__ = "offer"
    __table_args__ = (Index(None, "site", "current", "state"), Index(None, "site", "current", "offered_at"))
    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime
    state: str
    number: int
    offered_at: datetime
    first: datetime
    last: datetime


class NotOfferedRow(OfSite, table=True):
    __tablename__ = "not_offered"
    plan: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime
    bodies: str = Field(sa_type=BODY)


class DecisionRow(OfSite, table=True):
    __tablename__ = "decision"
    __table_args__ = (Index(None, "site", "offer"), Index(None, "site", "at"))
    id: str = Field(primary_key=True)
    offer: str
    at: datetime
    body: str = Field(sa_type=BODY)


class FloorRow(Base, table=True):
    __tablename__ = "floor"
    __table_args__ = (Index(None, "site", "job"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    job: str
    offer: str
    state: str
    at: datetime
    note: str


class RuleRow(OfSite, table=True):
    __tablename__ = "standing_rule"
    id: str = Field(primary_key=True)
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    body: str = Field(sa_type=BODY)


class ReceiptRow(OfSite, table=True):
    __tablename__ = "receipt"
    instruction: str = Field(primary_key=True)
    dispatcher: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    ok: bool
    body: str = Field(sa_type=BODY)


# --- events and accounts ---


class EventRow(Versioned, table=True):
    __tablename__ = "event"
    __table_args__ = (Index(None, "site", "current", "end"),)
    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime
    state: str
    start: datetime
    end: datetime


class CommitmentRow(Versioned, table=True):
    __tablename__ = "commitment"
    __table_args__ = (Index(None, "site", "current", "end"),)
    event: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime
    start: datetime
    end: datetime


class DayRow(Versioned, table=True):
    __tablename__ = "day_savings"
    day: date = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime


class PeakRow(Versioned, table=True):
    __tablename__ = "peak_saving"
    charge: str = Field(primary_key=True)
    period: str = Field(primary_key=True)  # "2026-05" or "2026"
    version: int = Field(primary_key=True)
    at: datetime


# --- what was done ---


class JournalRow(Base, table=True):
    __tablename__ = "journal"
    __table_args__ = (Index(None, "site", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    at: datetime
    who: str
    role: str
    what: str
    subject: str
    detail: str


class StepRow(Base, table=True):
    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("site", "step", "slot", "inputs"), Index(None, "site", "step", "at"))
    id: int | None = Field(default=None, primary_key=True)
    site: str
    step: str
    slot: datetime
    inputs: str
    at: datetime
    seconds: float
    note: str


class FailureRow(Base, table=True):
    """A step that failed; `cleared_at` is when the same step next succeeded."""

    __tablename__ = "step_failure"
    __table_args__ = (Index(None, "site", "cleared_at", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    site: str
    step: str
    slot: datetime
    at: datetime
    error: str
    cleared_at: datetime | None = None


class NoteRow(OfSite, table=True):
    __tablename__ = "note"
    key: str = Field(primary_key=True)
    body: str = Field(sa_type=BODY)

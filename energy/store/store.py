"""The one face of the database: a store of one site, one repository a noun."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.meter import Meter
from energy.store import keeping
from energy.store.as_is import AsIs
from energy.store.bulk import BILLED
from energy.store.decisions import Decisions
from energy.store.edges import Edges
from energy.store.engine import Database
from energy.store.events import Events
from energy.store.facts import Facts
from energy.store.floor import Floor
from energy.store.forecasts import Forecasts
from energy.store.insight import Learned, MachineDays
from energy.store.intervals import Intervals
from energy.store.jobs import Jobs
from energy.store.journal import Journal
from energy.store.ledger import Ledger
from energy.store.offers import Offers
from energy.store.opening import open_database
from energy.store.plans import Plans
from energy.store.readings import Readings
from energy.store.receipts import Receipts
from energy.store.records import JournalEntry, PlanKind, Planning, Reconciled, SeriesInfo
from energy.store.releases import Exchanges, Releases
from energy.store.repository import insert_all
from energy.store.rules import Rules
from energy.store.runs import Runs
from energy.store.series import SeriesShelf
from energy.store.steps import Steps
from energy.store.tables import MeterRow, NoteRow, table
from energy.store.thinning import Thinning

__all__ = [
    "AsIs",
    "Decisions",
    "Edges",
    "Events",
    "Exchanges",
    "Facts",
    "Floor",
    "Forecasts",
    "Intervals",
    "Jobs",
    "Journal",
    "JournalEntry",
    "Learned",
    "Ledger",
    "MachineDays",
    "Offers",
    "PlanKind",
    "Planning",
    "Plans",
    "Readings",
    "Receipts",
    "Reconciled",
    "Releases",
    "Rules",
    "Runs",
    "SeriesInfo",
    "SeriesShelf",
    "Steps",
    "Store",
    "restore",
]

meter_table = table(MeterRow)
note_table = table(NoteRow)

restore = keeping.restore


class Store:
    """The store of one site. Threads may share it; each is in a unit of work of its own."""

    def __init__(self, database: Database, site: str) -> None:
        self._database = database
        self.site = site
        self.readings = Readings(database, site)
        self.releases = Releases(database, site)
        self.exchanges = Exchanges(database, site)
        self.thinning = Thinning(database, site, self.readings, self.exchanges)
        self.intervals = Intervals(database, site)
        self.billed = Intervals(database, site, BILLED)
        self.series = SeriesShelf(database, site)
        self.forecasts = Forecasts(database, site)
        self.jobs = Jobs(database, site)
        self.runs = Runs(database, site)
        self.facts = Facts(database, site)
        self.as_is = AsIs(database, site)
        self.plans = Plans(database, site)
        self.offers = Offers(database, site)
        self.decisions = Decisions(database, site)
        self.edges = Edges(database, site)
        self.floor = Floor(database, site)
        self.rules = Rules(database, site)
        self.events = Events(database, site)
        self.ledger = Ledger(database, site)
        self.journal = Journal(database, site)
        self.machine_days = MachineDays(database, site)
        self.learned = Learned(database, site)
        self.steps = Steps(database, site)
        self.receipts = Receipts(database, site)

    @classmethod
    def open(cls, url: str, site: str) -> "Store":
        """Open (and migrate to the newest schema) the database at an SQLAlchemy URL. StoreError says what to do."""
        return cls(open_database(url), site)

    @contextmanager
    def unit(self, *, durable: bool = True) -> Iterator[None]:
        """A unit of work: everything in it is kept together or not at all. On SQLite BEGIN IMMEDIATE, so what is read
        inside it cannot change before it is written. `durable`: on disk (synchronous=FULL) when the block ends; poll
        batches may do without. A unit inside another is a part of it, and as durable as the outer one."""
        with self._database.unit(self.site, durable=durable):
            yield

    def put_meters(self, meters: Sequence[Meter]) -> None:
        """Keep the meters of the plant as they now are; what those no longer there have said stays."""
        rows = [
            {"site": self.site, "id": meter.id, "position": position, "body": dump(meter)}
            for position, meter in enumerate(meters)
        ]
        with self._database.writing(self.site) as connection:
            connection.execute(sa.delete(meter_table).where(meter_table.c.site == self.site))
            insert_all(connection, meter_table, rows)

    def meters(self) -> list[Meter]:
        """The meters of the plant, in the order of the config."""
        query = sa.select(meter_table.c.body).where(meter_table.c.site == self.site).order_by(meter_table.c.position)
        with self._database.reading() as connection:
            return [load(Meter, body) for body in connection.execute(query).scalars()]

    def note(self, key: str, value: Any = None) -> Any:
        """A small remembered value (JSON) by key: with a value, keep it; without, read it (None if there is none)."""
        that = (note_table.c.site == self.site, note_table.c.key == key)
        if value is None:
            with self._database.reading() as connection:
                body = connection.execute(sa.select(note_table.c.body).where(*that)).scalar()
            return None if body is None else json.loads(body)
        with self._database.writing(self.site) as connection:
            connection.execute(sa.delete(note_table).where(*that))
            body = json.dumps(value, allow_nan=False)
            connection.execute(sa.insert(note_table).values(site=self.site, key=key, body=body))
        return value

    def size_bytes(self) -> int:
        """What the database takes on disk; other sites in it count too."""
        if self._database.path is not None and self._database.path.exists():
            path = self._database.path
            beside = [path, path.with_name(path.name + "-wal")]
            return sum(part.stat().st_size for part in beside if part.exists())
        if self._database.is_sqlite:
            asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            asked = "SELECT pg_database_size(current_database())"
        with self._database.reading() as connection:
            return int(connection.execute(sa.text(asked)).scalar_one())

    def backup(self, path: Path) -> None:
        """A consistent copy while others write."""
        keeping.backup(self._database, path)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

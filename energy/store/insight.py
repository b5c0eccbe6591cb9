"""What meters told of machines: the record of each local day, and what was learned from many."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.insight import Drift, DriftOf, LearnedProfile, Levels, MachineDay
from energy.store.repository import Repository, put_version
from energy.store.tables import MachineDayRow, MachineLearnedRow, table

day_table = table(MachineDayRow)
learned = table(MachineLearnedRow)
T = TypeVar("T", Levels, LearnedProfile, Drift)

LEVELS, PROFILE, DRIFT = "levels", "profile", "drift"
NOTHING = "{}"  # the body of a finding that no longer holds


class MachineDays(Repository):
    """The record of each machine and local day; what comes late makes a newer version."""

    def put(self, record: MachineDay, at: datetime) -> bool:
        """Keep a record; False where it says what the latest one says."""
        key = {"site": self._site, "machine": record.machine, "day": record.day}
        return _put(self, day_table, key, dump(record), at)

    def of(self, first: date, last: date, machine: str | None = None) -> list[MachineDay]:
        """The latest records of the days first … last (inclusive), by day; of one machine, or of all."""
        within = [day_table.c.day >= first, day_table.c.day <= last]
        if machine is not None:
            within.append(day_table.c.machine == machine)
        query = sa.select(day_table.c.body).where(day_table.c.site == self._site, day_table.c.current, *within)
        return [load(MachineDay, row.body) for row in self._rows(query.order_by(day_table.c.day, day_table.c.machine))]

    def days(self, first: date, last: date) -> list[date]:
        """The days first … last (inclusive) that have a record of any machine."""
        within = (day_table.c.current, day_table.c.day >= first, day_table.c.day <= last)
        query = sa.select(day_table.c.day).distinct().where(day_table.c.site == self._site, *within)
        return [row.day for row in self._rows(query.order_by(day_table.c.day))]

    def last(self) -> date | None:
        """The newest day that has a record."""
        query = sa.select(day_table.c.day).where(day_table.c.site == self._site, day_table.c.current)
        row = self._first(query.order_by(day_table.c.day.desc()))
        return None if row is None else row.day

    def versions(self, machine: str, day: date) -> int:
        """How many versions the record of a day has."""
        that = (day_table.c.machine == machine, day_table.c.day == day)
        query = sa.select(sa.func.count()).where(day_table.c.site == self._site, *that)
        return int(self._rows(query)[0][0])


class Learned(Repository):
    """What was learned of machines from many days: levels, profiles, drift. Each change is a new version."""

    def levels(self) -> dict[str, Levels]:
        """The levels to go by, by machine."""
        return {machine: noun for (machine, _), noun in self._current(LEVELS, Levels).items()}

    def put_levels(self, machine: str, levels: Levels, at: datetime) -> bool:
        return self._put(machine, LEVELS, dump(levels), at)

    def profiles(self) -> dict[tuple[str, str, str], LearnedProfile]:
        """The profiles in force, by (machine, product, mode)."""
        found = self._current(PROFILE, LearnedProfile).values()
        return {(p.machine, p.product, p.mode): p for p in found}

    def put_profile(self, profile: LearnedProfile, at: datetime) -> bool:
        return self._put(profile.machine, f"{PROFILE}/{profile.mode}/{profile.product}", dump(profile), at)

    def drifts(self) -> list[Drift]:
        """What drifts as far as is known now, the strongest first."""
        return sorted(self._current(DRIFT, Drift).values(), key=lambda d: -d.strength)

    def put_drift(self, machine: str, of: DriftOf, drift: Drift | None, at: datetime) -> bool:
        """Keep a finding, or that there is none any more; False where that is what was known."""
        subject = f"{DRIFT}/{of.value}"
        if drift is None and (machine, subject) not in self._current(DRIFT, Drift):
            return False
        return self._put(machine, subject, NOTHING if drift is None else dump(drift), at)

    def _put(self, machine: str, subject: str, body: str, at: datetime) -> bool:
        return _put(self, learned, {"site": self._site, "machine": machine, "subject": subject}, body, at)

    def _current(self, kind: str, noun: type[T]) -> dict[tuple[str, str], T]:
        that = (learned.c.site == self._site, learned.c.current, learned.c.subject.startswith(kind, autoescape=True))
        rows = self._rows(sa.select(learned.c.machine, learned.c.subject, learned.c.body).where(*that))
        return {(row.machine, row.subject): load(noun, row.body) for row in rows if json.loads(row.body)}


def _put(shelf: Repository, where: sa.Table, key: Mapping[str, Any], body: str, at: datetime) -> bool:
    """Keep a noun as the next version of its key, unless it is what the latest version says."""
    same = [where.c[name] == value for name, value in key.items()]
    with shelf._writing() as connection:
        kept = connection.execute(sa.select(where.c.body).where(*same, where.c.current)).scalar()
        if kept is not None and json.loads(kept) == json.loads(body):
            return False
        put_version(connection, where, key, {"at": at, "body": body})
        return True

"""Raw readings made fewer, without changing what intervals are made of them (`energy.metering.thinning` says which may go)."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa

from energy.metering.thinning import CONTEXT, needed
from energy.model.horizon import Interval
from energy.model.meter import Meter
from energy.store.bulk import METER, channel
from energy.store.engine import Database
from energy.store.readings import Readings
from energy.store.releases import Exchanges
from energy.store.repository import Repository, insert_new
from energy.store.tables import ReadingRow, ThinnedRow, table
from energy.store.times import from_micros, micros

reading = table(ReadingRow)
thinned = table(ThinnedRow)

STRETCH = timedelta(hours=2)  # what is looked at in one go
DAY = timedelta(days=1)
AT_ONCE = 2_000  # readings that go in one transaction: some ten milliseconds, for which others wait


class Grade(Enum):
    """How much stays of calm readings, and how many of a day are so few that it is not worth looking."""

    MINUTES = (timedelta(minutes=1), 1_440)
    EDGES = (None, 288)


class Thinning(Repository):
    """Makes old raw readings fewer, a stretch of a meter at a time, and remembers how far it has come."""

    def __init__(self, database: Database, site: str, readings: Readings, exchanges: Exchanges) -> None:
        super().__init__(database, site)
        self._readings = readings
        self._exchanges = exchanges

    def thin(self, meters: Sequence[Meter], step: timedelta, until: datetime, grade: Grade, *, seconds: float) -> int:
        """Thin what was read before `until`, the longest unthinned first, for some seconds of work. Returns how many
        readings went; what is left is for the next round."""
        by_id = {meter.id: meter for meter in meters}
        end_at = time.monotonic() + seconds
        went = 0
        for key, number, since in self._due(grade, micros(until)):
            for day in _spans(since, until, DAY):
                few = key not in by_id or self._count(number, day) <= grade.value[1] * ((day.end - day.start) / DAY)
                for span in [day] if few else _spans(day.start, day.end, STRETCH):
                    if time.monotonic() > end_at:
                        return went
                    if not few:
                        went += self._drop(number, self._may_go(by_id[key], step, span, grade))
                    self._done(number, grade, micros(span.end))
        return went

    def _count(self, number: int, span: Interval) -> int:
        within = (reading.c.taken_at >= micros(span.start), reading.c.taken_at < micros(span.end))
        return int(self._rows(sa.select(sa.func.count()).where(reading.c.channel == number, *within))[0][0])

    def _due(self, grade: Grade, until: int) -> list[tuple[str, int, datetime]]:
        """Meters with readings that are not thinned to that grade yet, and since when."""
        first = sa.select(sa.func.min(reading.c.taken_at)).where(reading.c.channel == channel.c.id).scalar_subquery()
        mark = _mark(grade)
        query = (
            sa.select(channel.c.key, channel.c.id, sa.func.coalesce(mark, 0), first)
            .select_from(channel.outerjoin(thinned, thinned.c.channel == channel.c.id))
            .where(channel.c.site == self._site, channel.c.kind == METER)
        )
        due = [
            (max(since, oldest), key, number) for key, number, since, oldest in self._rows(query) if oldest is not None
        ]
        return [(key, number, from_micros(since)) for since, key, number in sorted(due) if since < until]

    def _may_go(self, meter: Meter, step: timedelta, span: Interval, grade: Grade) -> list[int]:
        around = Interval(span.start - CONTEXT, span.end + CONTEXT)
        readings = self._readings.of(meter.id, around)
        special = [exchange.at for exchange in self._exchanges.of(meter.id, around)]
        stay = needed(readings, meter, step, each=grade.value[0], special=special)
        return [
            micros(one.taken_at)
            for one in readings
            if span.start <= one.taken_at < span.end and one.taken_at not in stay
        ]

    def _drop(self, number: int, times: Sequence[int]) -> int:
        for first in range(0, len(times), AT_ONCE):
            rows = [{"at": at} for at in times[first : first + AT_ONCE]]
            with self._writing() as connection:
                gone = sa.delete(reading).where(reading.c.channel == number, reading.c.taken_at == sa.bindparam("at"))
                connection.execute(gone, rows)
        return len(times)

    def _done(self, number: int, grade: Grade, until: int) -> None:
        with self._writing() as connection:
            insert_new(connection, thinned, [{"channel": number, "minutes_until": 0, "edges_until": 0}])
            connection.execute(sa.update(thinned).where(thinned.c.channel == number).values({_mark(grade): until}))


def _mark(grade: Grade) -> sa.Column[int]:
    return thinned.c.edges_until if grade is Grade.EDGES else thinned.c.minutes_until


def _spans(since: datetime, until: datetime, length: timedelta) -> Iterator[Interval]:
    """A time in pieces that begin at whole multiples of their length, so that slots are whole in them."""
    whole = int(length.total_seconds()) * 1_000_000
    start = from_micros(micros(since) // whole * whole)
    while start < until:
        yield Interval(max(start, since), min(start + length, until))
        start += length

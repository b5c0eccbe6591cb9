"""Raw readings as they came from the wire, bounded in days and bytes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from energy.model.horizon import Interval
from energy.model.meter import Reading, ReadingQuality, Release
from energy.store.bulk import METER, channel, channel_id, channels_of, distinct, open_channels
from energy.store.engine import Database
from energy.store.reading_rows import COLUMNS, Shapes, keep, noun
from energy.store.records import Unspoken
from energy.store.releases import Releases, words_on
from energy.store.repository import Query, Repository, Row
from energy.store.tables import IntervalRow, ReadingRow, ReleaseRow, table
from energy.store.times import from_micros, micros

reading = table(ReadingRow)
interval = table(IntervalRow)
word = table(ReleaseRow)

DOUBTED = reading.c.quality == sa.literal_column("'suspect'")  # said as the index says it, so that it is used
LATEST = datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHAPE = [column.name for column in COLUMNS].index("shape")
ROW_BYTES = 64  # a row without its texts and further numbers, on the safe side: SQLite takes 35 with two numbers
AT_ONCE = 2_000  # readings that go in one transaction: some ten milliseconds, for which others wait


class Readings(Repository):
    """Raw readings, bounded in days and bytes. A reading is never changed once it is kept; what people said of a doubted
    one is laid over it as it is read: RELEASED or REJECTED, by whom and why."""

    def __init__(self, database: Database, site: str) -> None:
        super().__init__(database, site)
        self._releases = Releases(database, site)
        self._shapes = Shapes()

    def add(self, readings: Sequence[Reading]) -> int:
        """Keep readings; one that is already there (meter, taken_at) is not kept twice. Returns how many were new."""
        if not readings:
            return 0
        with self._writing() as connection:
            ids = open_channels(connection, self._site, METER, distinct(said.meter for said in readings))
            return keep(connection, readings, ids)

    def latest(self) -> dict[str, Reading]:
        """The newest reading of each meter, whatever its quality."""
        other = reading.alias()
        newest = sa.select(sa.func.max(other.c.taken_at)).where(other.c.channel == channel.c.id).scalar_subquery()
        query = (
            sa.select(channel.c.key, *COLUMNS)
            .select_from(channel)
            .join(reading, sa.and_(reading.c.channel == channel.c.id, reading.c.taken_at == newest))
            .where(channel.c.site == self._site, channel.c.kind == METER)
            .order_by(channel.c.key)
        )
        with self._reading() as connection:
            found = {
                meter: self._noun(connection, meter, said) for meter, *said in map(tuple, connection.execute(query))
            }
            doubted = {m: micros(r.taken_at) for m, r in found.items() if r.quality is ReadingQuality.SUSPECT}
            words = words_on(connection, self._site, doubted)
        return {meter: spoken_of(said, words.get(meter)) for meter, said in found.items()}

    def of(self, meter: str, span: Interval) -> list[Reading]:
        """The readings of a meter in a span, oldest first."""
        query = (
            sa.select(*COLUMNS)
            .where(reading.c.channel == channel_id(self._site, METER, meter), *_within(span))
            .order_by(reading.c.taken_at)
        )
        return self._as_spoken_of(meter, span, self._nouns(meter, query))

    def first_stand(self, meter: str, span: Interval) -> datetime | None:
        """When the first reading of a meter in a span was taken that says a counter; of a silent one there is none."""
        of_meter = reading.c.channel == channel_id(self._site, METER, meter)
        stand = sa.or_(reading.c.import_kwh.is_not(None), reading.c.export_kwh.is_not(None))
        query = sa.select(reading.c.taken_at).where(of_meter, stand, *_within(span)).order_by(reading.c.taken_at)
        found = self._first(query)
        return None if found is None else from_micros(found.taken_at)

    def doubted(self, meter: str, span: Interval) -> list[Reading]:
        """The readings of a meter in a span that were doubted, oldest first, whatever people said of them since."""
        query = self._rare(meter, span, DOUBTED)
        return self._as_spoken_of(meter, span, self._nouns(meter, query))

    def doubted_meters(self, span: Interval) -> frozenset[str]:
        """The meters that have doubted readings in a span: of a thousand, few."""
        doubted = sa.select(reading.c.channel + 0).where(DOUBTED, *_within(span))
        those = (channel.c.site == self._site, channel.c.kind == METER, channel.c.id.in_(doubted))
        return frozenset(row.key for row in self._rows(sa.select(channel.c.key).where(*those)))

    def clock_steps(self, meter: str, span: Interval) -> list[Reading]:
        """The readings of a meter in a span that tell that the clock which stamps them was set, oldest first."""
        query = self._rare(meter, span, reading.c.clock_step.is_not(None))
        return self._nouns(meter, query)

    def _rare(self, meter: str, span: Interval, those: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
        """Readings of a kind of which there are few, found by the index of that kind: without the sum SQLite would go
        through all readings of the meter."""
        of_meter = reading.c.channel + 0 == channel_id(self._site, METER, meter)
        return sa.select(*COLUMNS).where(of_meter, those, *_within(span)).order_by(reading.c.taken_at)

    def good_before(self, meter: str, t: datetime) -> Reading | None:
        """The newest reading taken before `t` that counts: a GOOD one, or one that a person released."""
        good, released = self._newest_good(meter, t), self._releases.right_before(meter, t)
        if released is None or (good is not None and good.taken_at >= released):
            return good
        found = [r for r in self.of(meter, Interval(released, released + MICROSECOND)) if r.quality.counts]
        return found[0] if found else good  # a word may outlive its reading

    def _as_spoken_of(self, meter: str, span: Interval, found: list[Reading]) -> list[Reading]:
        if all(said.quality is not ReadingQuality.SUSPECT for said in found):
            return found
        words = self._releases.newest(meter, span)
        return [spoken_of(said, words.get(said.taken_at)) for said in found]

    def _newest_good(self, meter: str, t: datetime) -> Reading | None:
        query = (
            sa.select(*COLUMNS)
            .where(
                reading.c.channel == channel_id(self._site, METER, meter),
                reading.c.taken_at < micros(t),
                reading.c.quality == ReadingQuality.GOOD.value,
            )
            .order_by(reading.c.taken_at.desc())
        )
        found = self._nouns(meter, query.limit(1))
        return found[0] if found else None

    def _nouns(self, meter: str, query: Query) -> list[Reading]:
        with self._reading() as connection:
            return [self._noun(connection, meter, said) for said in connection.execute(query).all()]

    def _noun(self, connection: sa.Connection, meter: str, said: Row | Sequence[Any]) -> Reading:
        number = said[SHAPE]
        return noun(meter, said, () if number is None else self._shapes.of(connection, number))

    def last_good(self) -> dict[str, Reading]:
        """The newest reading of each meter that counts: what a collector that starts again holds the first one against."""
        named = sa.select(channel.c.key).where(channel.c.site == self._site, channel.c.kind == METER)
        found = {row.key: self.good_before(row.key, LATEST) for row in self._rows(named.order_by(channel.c.key))}
        return {meter: said for meter, said in found.items() if said is not None}

    def count(self, span: Interval) -> int:
        return sum(self.counts(span).values())

    def counts(self, span: Interval) -> dict[str, int]:
        """How many readings of each meter were taken in a span; a meter without any is not there."""
        # A question for each meter, as the key is (meter, time): together they would go through all readings.
        many = sa.select(sa.func.count()).where(reading.c.channel == channel.c.id, *_within(span)).scalar_subquery()
        query = sa.select(channel.c.key, many).where(channel.c.site == self._site, channel.c.kind == METER)
        return {meter: count for meter, count in self._rows(query) if count}

    def total(self) -> int:
        """How many readings are kept of all meters and times."""
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        return int(self._rows(sa.select(sa.func.count()).where(of_site))[0][0])

    def prune(
        self, before: datetime, at_most_bytes: int, tell: Callable[[Sequence[Unspoken]], object] | None = None
    ) -> int:
        """Drop raw readings older than `before`, then the oldest until they fit; the newest GOOD one of each meter
        and whatever is not yet turned into intervals stay. Returns how many went. `tell` hears beforehand of those that
        were doubted and of which nobody spoke."""
        went = self._drop(micros(before), tell)
        if self.fits(at_most_bytes):
            return went
        cut = self._cut(at_most_bytes)
        return went if cut is None else went + self._drop(cut, tell)

    def fits(self, at_most_bytes: int) -> bool:
        """Whether the raw readings take no more than that. Where the whole database does not, they do not; else they
        are counted, which takes a second for ten million."""
        if self._database.is_sqlite:
            asked = "SELECT (page_count - freelist_count) * page_size FROM {}, {}, {}".format(
                *(f"pragma_{name}()" for name in ("page_count", "freelist_count", "page_size"))
            )
            with self._reading() as connection:
                if int(connection.exec_driver_sql(asked).scalar_one()) <= at_most_bytes:
                    return True
        return self.estimated_bytes() <= at_most_bytes

    def estimated_bytes(self) -> int:
        """What the raw readings take, worked out from how many there are and how long their texts and numbers."""
        count, long = self._measured()
        return count * ROW_BYTES + long

    def _measured(self) -> tuple[int, int]:
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        # Bytes of what is text or binary; of the numbers as bytes their length is the same on both databases.
        parts = (reading.c.note, reading.c.others, reading.c.raw, reading.c.numbers)
        long = sum((sa.func.coalesce(sa.func.length(part), 0) for part in parts), sa.literal(0))
        count, total = self._rows(sa.select(sa.func.count(), sa.func.sum(long)).where(of_site))[0]
        return int(count), int(total or 0)

    def _drop(self, before: int, tell: Callable[[Sequence[Unspoken]], object] | None) -> int:
        """Drop what may go and is older; some thousands at a time, so that nobody waits long for the write lock."""
        if tell is not None and (unspoken := self._unspoken(before)):
            tell(unspoken)
        went = 0
        for meter in self._rows(channels_of(self._site, METER)):
            that = (reading.c.channel == meter.id, *_may_go(sa.literal(meter.id)))
            until, gone = 0, 1
            while until < before and gone:
                until = self._some_before(meter.id, before)
                with self._writing() as connection:
                    gone = connection.execute(sa.delete(reading).where(*that, reading.c.taken_at < until)).rowcount
                went += gone
        return went

    def _unspoken(self, before: int) -> list[Unspoken]:
        """What may go and is older, was doubted, and nobody spoke of it."""
        spoken = (word.c.site == channel.c.site, word.c.meter == channel.c.key, word.c.taken_at == reading.c.taken_at)
        found = (sa.func.count(), sa.func.min(reading.c.taken_at), sa.func.max(reading.c.taken_at))
        query = (
            sa.select(channel.c.key, *found)
            .select_from(reading)
            .join(channel, channel.c.id == reading.c.channel + 0)  # by the index of doubted ones: see `_rare`
            .where(DOUBTED, reading.c.taken_at < before, channel.c.site == self._site, channel.c.kind == METER)
            .where(*_may_go(reading.c.channel), ~sa.exists().where(*spoken))
            .group_by(channel.c.key)
            .order_by(channel.c.key)
        )
        return [
            Unspoken(meter=meter, count=count, first=from_micros(first), last=from_micros(last))
            for meter, count, first, last in self._rows(query)
        ]

    def _some_before(self, number: int, before: int) -> int:
        """A time before which a meter has at most some thousands of readings; no later than `before`."""
        old = sa.select(reading.c.taken_at).where(reading.c.channel == number, reading.c.taken_at < before)
        found = self._rows(old.order_by(reading.c.taken_at).offset(AT_ONCE).limit(1))
        return int(found[0].taken_at) if found else before

    def _cut(self, at_most_bytes: int) -> int | None:
        """The time before which readings must go so that the rest fits; None where all fit or nothing may go."""
        count, long = self._measured()
        size = count * ROW_BYTES + long
        if size <= at_most_bytes:
            return None
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        too_many = math.ceil((size - at_most_bytes) / (size / count))
        ordered = (
            sa.select(reading.c.taken_at)
            .where(of_site, *_may_go(reading.c.channel))
            .order_by(reading.c.taken_at)
            .subquery()
        )
        oldest = sa.select(ordered.c.taken_at).order_by(ordered.c.taken_at).limit(too_many).subquery()
        last = self._rows(sa.select(sa.func.max(oldest.c.taken_at)))[0][0]
        return None if last is None else int(last) + 1


def _may_go(of: sa.ColumnElement[int]) -> tuple[sa.ColumnElement[bool], ...]:
    """Readings that were turned into intervals, and are not the newest good one of their meter. One step before the
    end of the last interval stays: the next interval may need the stand at its edge."""
    good = reading.alias()
    newest_good = (
        sa.select(sa.func.max(good.c.taken_at))
        .where(good.c.channel == of, good.c.quality == ReadingQuality.GOOD.value)
        .scalar_subquery()
    )
    # The end of the last interval less one step is its start.
    turned = sa.select(sa.func.max(interval.c.start) * 1_000_000).where(interval.c.channel == of).scalar_subquery()
    return (
        reading.c.taken_at < turned,  # never true where there is no interval yet
        sa.or_(newest_good.is_(None), reading.c.taken_at != newest_good),
    )


def _within(span: Interval) -> tuple[sa.ColumnElement[bool], ...]:
    return (reading.c.taken_at >= micros(span.start), reading.c.taken_at < micros(span.end))


def spoken_of(said: Reading, word: Release | None) -> Reading:
    """A doubted reading as people see it: RELEASED or REJECTED by the newest word on it."""
    if word is None or said.quality is not ReadingQuality.SUSPECT:
        return said
    quality = ReadingQuality.RELEASED if word.right else ReadingQuality.REJECTED
    who = f"{word.by} ({word.role})" if word.role else word.by
    told = f"{quality} by {who}" + (f": {word.why}" if word.why else "")
    return replace(said, quality=quality, note=f"{told}; was doubted: {said.note}" if said.note else told)

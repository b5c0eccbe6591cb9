"""Raw readings as they came from the wire, bounded in days and bytes."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from energy.model.horizon import Interval
from energy.model.meter import Reading, ReadingQuality
from energy.store.bulk import METER, channel, channel_id, channels_of, distinct, open_channels, unknown
from energy.store.repository import Repository, Row, insert_new
from energy.store.tables import IntervalRow, ReadingRow, table
from energy.store.times import from_micros, micros

reading = table(ReadingRow)
interval = table(IntervalRow)

ROW_BYTES = 64  # a row without its texts, on the safe side: SQLite takes 35 with two numbers, about 50 with three
STATE = "state"
COLUMNS = (
    reading.c.taken_at,
    reading.c.import_kwh,
    reading.c.export_kwh,
    reading.c.power_kw,
    reading.c.quality,
    reading.c.note,
    reading.c.others,
    reading.c.raw,
)


class Readings(Repository):
    """Raw readings, bounded in days and bytes."""

    def add(self, readings: Sequence[Reading]) -> int:
        """Keep readings; one that is already there (meter, taken_at) is not kept twice. Returns how many were new."""
        if not readings:
            return 0
        with self._writing() as connection:
            ids = open_channels(connection, self._site, METER, distinct(said.meter for said in readings))
            return insert_new(connection, reading, [_row(said, ids) for said in readings])

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
        return {meter: _noun(meter, said) for meter, *said in map(tuple, self._rows(query))}

    def of(self, meter: str, span: Interval) -> list[Reading]:
        """The readings of a meter in a span, oldest first."""
        query = (
            sa.select(*COLUMNS)
            .where(reading.c.channel == channel_id(self._site, METER, meter), *_within(span))
            .order_by(reading.c.taken_at)
        )
        return [_noun(meter, said) for said in self._rows(query)]

    def good_before(self, meter: str, t: datetime) -> Reading | None:
        """The newest GOOD reading taken before `t`."""
        query = (
            sa.select(*COLUMNS)
            .where(
                reading.c.channel == channel_id(self._site, METER, meter),
                reading.c.taken_at < micros(t),
                reading.c.quality == ReadingQuality.GOOD.value,
            )
            .order_by(reading.c.taken_at.desc())
        )
        said = self._first(query)
        return None if said is None else _noun(meter, said)

    def count(self, span: Interval) -> int:
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        return int(self._rows(sa.select(sa.func.count()).where(of_site, *_within(span)))[0][0])

    def total(self) -> int:
        """How many readings are kept of all meters and times."""
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        return int(self._rows(sa.select(sa.func.count()).where(of_site))[0][0])

    def prune(self, before: datetime, at_most_bytes: int) -> int:
        """Drop raw readings older than `before`, then the oldest until they fit; the newest GOOD one of each meter
        and whatever is not yet turned into intervals stay. Returns how many went."""
        went = self._drop(micros(before))
        cut = self._cut(at_most_bytes)
        return went if cut is None else went + self._drop(cut)

    def _drop(self, before: int) -> int:
        """Drop what may go and is older; a meter at a time, so that nobody waits long for the write lock."""
        went = 0
        for meter in self._rows(channels_of(self._site, METER)):
            with self._writing() as connection:
                statement = sa.delete(reading).where(
                    reading.c.channel == meter.id, reading.c.taken_at < before, *_may_go(sa.literal(meter.id))
                )
                went += connection.execute(statement).rowcount
        return went

    def _cut(self, at_most_bytes: int) -> int | None:
        """The time before which readings must go so that the rest fits; None where all fit or nothing may go."""
        of_site = reading.c.channel.in_(channels_of(self._site, METER))
        texts = sa.func.length(reading.c.note) + sa.func.coalesce(sa.func.length(reading.c.others), 0)
        count, long = self._rows(sa.select(sa.func.count(), sa.func.sum(texts)).where(of_site))[0]
        size = count * ROW_BYTES + (long or 0)
        if size <= at_most_bytes:
            return None
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


def _row(said: Reading, ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "channel": ids[said.meter],
        "taken_at": micros(said.taken_at),
        "import_kwh": unknown(said.import_kwh),
        "export_kwh": unknown(said.export_kwh),
        "power_kw": unknown(said.power_kw),
        "quality": said.quality.value,
        "note": said.note,
        "others": _others(said),
        "raw": said.raw or None,
    }


def _noun(meter: str, said: Row | Sequence[Any]) -> Reading:
    taken_at, import_kwh, export_kwh, power_kw, quality, note, others, raw = said
    told = json.loads(others) if others else []
    return Reading(
        meter=meter,
        taken_at=from_micros(taken_at),
        import_kwh=import_kwh,
        export_kwh=export_kwh,
        power_kw=power_kw,
        quality=ReadingQuality(quality),
        note=note,
        values=tuple((name, value) for name, value in told if name != STATE),
        raw=raw or "",
        state=next((value for name, value in told if name == STATE), ""),
    )


def _others(said: Reading) -> str | None:
    """All that has no column of its own, as pairs; the machine's state is the one that is a word."""
    told = [*said.values, *([(STATE, said.state)] if said.state else [])]
    return json.dumps(told, allow_nan=False) if told else None

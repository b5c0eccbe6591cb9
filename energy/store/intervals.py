"""Interval energy, for ever; a correction is a newer version."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from energy.model.horizon import Horizon, Interval
from energy.model.meter import IntervalEnergy, Quality
from energy.model.series import Series
from energy.store.bulk import (
    LONGEST_MINUTES,
    METER,
    channel,
    channel_id,
    distinct,
    in_slots,
    open_batch,
    open_channels,
    unknown,
)
from energy.store.engine import Database
from energy.store.repository import Repository, Row, insert_all
from energy.store.tables import IntervalRow, table
from energy.store.times import from_seconds, micros, seconds, span_second

interval = table(IntervalRow)

VALUES = (
    interval.c.minutes,
    interval.c.import_kwh,
    interval.c.export_kwh,
    interval.c.quality,
    interval.c.max_power_kw,
)


class Intervals(Repository):
    """Interval energy, for ever; a correction is a newer version. What our own meters counted, and apart from it (kind
    BILLED) what the network operator says that they did."""

    def __init__(self, database: Database, site: str, kind: str = METER) -> None:
        super().__init__(database, site)
        self._kind = kind

    def put(self, values: Sequence[IntervalEnergy], known_at: datetime, source: str = "collect") -> int:
        """Keep intervals; one that says what the latest version (known by then) says writes nothing. Returns new
        versions."""
        if not values:
            return 0
        with self._writing() as connection:
            ids = open_channels(connection, self._site, self._kind, distinct(said.meter for said in values))
            new: list[dict[str, Any]] = []
            for meter, group in groupby(sorted(values, key=_meter), key=_meter):
                said = {seconds(one.start): _said(one) for one in group}
                before = _versions(connection, ids[meter], min(said), max(said) + 1, known_at)
                new += [
                    {"channel": ids[meter], "start": start, **dict(zip(_NAMES, value, strict=True))}
                    for start, value in said.items()
                    if before.get(start) != value
                ]
            if new:
                number = open_batch(connection, self._site, known_at, source)
                known = {"known_at": micros(known_at), "batch": number}
                insert_all(connection, interval, (row | known for row in new))
            return len(new)

    def of(self, meter: str, span: Interval, as_known_at: datetime | None = None) -> list[IntervalEnergy]:
        """The intervals that start in a span, oldest first, each in its latest version (known by then)."""
        with self._reading() as connection:
            number = channel_id(self._site, self._kind, meter)
            first, end = span_second(span.start), span_second(span.end)
            said = _versions(connection, number, first, end, as_known_at)
        return [_noun(meter, start, value) for start, value in said.items()]

    def of_each(self, meters: Sequence[str], span: Interval) -> dict[str, list[IntervalEnergy]]:
        """The same of several meters at once, in one question; a meter without any has none."""
        found: dict[str, list[IntervalEnergy]] = {meter: [] for meter in meters}
        query = (
            sa.select(channel.c.key, interval.c.start, *VALUES)
            .join(channel, channel.c.id == interval.c.channel)
            .where(
                channel.c.site == self._site,
                channel.c.kind == self._kind,
                channel.c.key.in_(list(meters)),
                interval.c.start >= span_second(span.start),
                interval.c.start < span_second(span.end),
            )
            .order_by(channel.c.id, interval.c.start, interval.c.known_at, interval.c.batch)
        )
        newest = {(meter, start): value for meter, start, *value in self._rows(query)}
        for (meter, start), value in newest.items():
            found[meter].append(_noun(meter, start, tuple(value)))
        return found

    def power(self, meter: str, horizon: Horizon, as_known_at: datetime | None = None) -> tuple[Series, Series]:
        """Mean import and export power of each slot, kW; NaN where nobody knows."""
        first = seconds(horizon.start)
        query = (
            sa.select(interval.c.start, interval.c.minutes, interval.c.import_kwh, interval.c.export_kwh)
            .where(
                interval.c.channel == channel_id(self._site, self._kind, meter),
                interval.c.start > first - LONGEST_MINUTES * 60,
                interval.c.start < seconds(horizon.end),
                *_known(as_known_at),
            )
            .order_by(interval.c.known_at, interval.c.batch, interval.c.start)
        )
        rows = self._rows(query)
        taken = in_slots([(start, minutes, _kw(kwh, minutes)) for start, minutes, kwh, _ in rows], horizon)
        given = in_slots([(start, minutes, _kw(kwh, minutes)) for start, minutes, _, kwh in rows], horizon)
        return Series(horizon, taken, "kW"), Series(horizon, given, "kW")

    def gaps(self, span: Interval) -> dict[str, list[Interval]]:
        """The stretches of each meter in a span of which only the energy of the whole is known, or not even that."""
        newer = interval.alias()
        later = sa.or_(
            newer.c.known_at > interval.c.known_at,
            sa.and_(newer.c.known_at == interval.c.known_at, newer.c.batch > interval.c.batch),
        )
        same = (newer.c.channel == interval.c.channel, newer.c.start == interval.c.start)
        query = (
            sa.select(channel.c.key, interval.c.start, interval.c.minutes)
            .join(channel, channel.c.id == interval.c.channel)
            .where(
                channel.c.site == self._site,
                channel.c.kind == self._kind,
                interval.c.start >= span_second(span.start),
                interval.c.start < span_second(span.end),
                interval.c.quality.in_([Quality.SPREAD.value, Quality.MISSING.value]),
                ~sa.exists().where(*same, later),
            )
            .order_by(channel.c.key, interval.c.start)
        )
        found: dict[str, list[Interval]] = {}
        for meter, start, minutes in self._rows(query):
            own = found.setdefault(meter, [])
            first, end = from_seconds(start), from_seconds(start + minutes * 60)
            if own and own[-1].end == first:
                own[-1] = Interval(own[-1].start, end)
            else:
                own.append(Interval(first, end))
        return found

    def first_start(self, meter: str) -> datetime | None:
        """The start of the oldest interval kept of a meter."""
        of_meter = interval.c.channel == channel_id(self._site, self._kind, meter)
        first = self._rows(sa.select(sa.func.min(interval.c.start)).where(of_meter))[0][0]
        return None if first is None else from_seconds(first)

    def last_end(self, meter: str) -> datetime | None:
        """The end of the newest interval kept of a meter."""
        of_meter = interval.c.channel == channel_id(self._site, self._kind, meter)
        row = self._first(sa.select(interval.c.start, interval.c.minutes).where(of_meter).order_by(*_NEWEST))
        return None if row is None else from_seconds(row.start + row.minutes * 60)


_NAMES = tuple(column.name for column in VALUES)
_NEWEST = (interval.c.start.desc(), interval.c.known_at.desc(), interval.c.batch.desc())


def _versions(
    connection: sa.Connection, number: int | sa.ScalarSelect[int], first: int, end: int, known_at: datetime | None
) -> dict[int, tuple[Any, ...]]:
    """The latest version of each interval of a channel that starts in [first, end), by start."""
    query = (
        sa.select(interval.c.start, *VALUES)
        .where(interval.c.channel == number, interval.c.start >= first, interval.c.start < end, *_known(known_at))
        .order_by(interval.c.start, interval.c.known_at, interval.c.batch)
    )
    return {start: tuple(value) for start, *value in connection.execute(query).all()}


def _known(known_at: datetime | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if known_at is None else (interval.c.known_at <= micros(known_at),)


def _meter(said: IntervalEnergy) -> str:
    return said.meter


def _said(one: IntervalEnergy) -> tuple[Any, ...]:
    if not 0 < one.minutes <= LONGEST_MINUTES:
        raise ValueError(f"{one.meter} {one.start.isoformat()}: an interval of {one.minutes} min cannot be kept")
    known = (unknown(one.import_kwh), unknown(one.export_kwh))
    return (one.minutes, *known, one.quality.value, unknown(one.max_power_kw))


def _noun(meter: str, start: int, value: tuple[Any, ...] | Row) -> IntervalEnergy:
    minutes, import_kwh, export_kwh, quality, max_power_kw = value
    return IntervalEnergy(
        meter=meter,
        start=from_seconds(start),
        minutes=minutes,
        import_kwh=import_kwh,
        export_kwh=export_kwh,
        quality=Quality(quality),
        max_power_kw=max_power_kw,
    )


def _kw(kwh: float | None, minutes: int) -> float:
    return np.nan if kwh is None else kwh * 60.0 / minutes

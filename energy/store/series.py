"""Prices, carbon, weather and the like: every version of every value."""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import sqlalchemy as sa

from energy.errors import StoreError
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.store.bulk import (
    LONGEST_MINUTES,
    SERIES,
    Value,
    batch,
    channel,
    in_slots,
    open_batch,
    open_channels,
)
from energy.store.records import SeriesInfo
from energy.store.repository import Query, Repository, insert_all
from energy.store.tables import ValueRow, table
from energy.store.times import from_micros, from_seconds, micros, seconds

value = table(ValueRow)


class SeriesShelf(Repository):
    """Prices, carbon, weather and the like: append-only, keyed (series, time, known_at)."""

    def add(
        self,
        key: str,
        series: Series,
        *,
        known_at: datetime,
        source: str,
        basis: str = "",
        licence: str = "",
        author: str = "",
        assumed: bool = False,
    ) -> int:
        """Keep the known values (NaN is not a value). What says the same as the latest version (known by then) writes
        nothing. `assumed` marks a known_at that was set by a rule and not observed. Returns new versions."""
        minutes = series.horizon.step_minutes
        if minutes > LONGEST_MINUTES:
            raise ValueError(f"series {key}: a step of {minutes} min is longer than a day")
        if not series.known.any():
            return 0
        with self._writing() as connection:
            number = self._channel(connection, key, series.unit)
            new = np.flatnonzero(series.known & ~_says_the_same(connection, number, series, known_at))
            if len(new):
                about: dict[str, str | bool] = {
                    "basis": basis,
                    "licence": licence,
                    "author": author,
                    "assumed": assumed,
                }
                act = open_batch(connection, self._site, known_at, source, channel=number, **about)
                row = {"channel": number, "known_at": micros(known_at), "batch": act, "minutes": minutes}
                first = seconds(series.horizon.start)
                rows = ({"start": first + int(k) * minutes * 60, "value": float(series.values[k])} for k in new)
                insert_all(connection, value, (row | one for one in rows))
            return len(new)

    def get(self, key: str, horizon: Horizon, as_known_at: datetime | None = None) -> Series:
        """The latest version of each slot (or the latest known at a time). NaN where nobody knows. A series stored
        with a coarser step (an hour) gives its value to each of the finer slots; a coarser slot is the mean of what it
        holds. The unit of a series that was never stored is empty."""
        with self._reading() as connection:
            row = connection.execute(self._one(key)).first()
            if row is None:
                return Series.unknown(horizon, "")
            return Series(horizon, in_slots(_values(connection, row.id, horizon, as_known_at), horizon), row.unit)

    def info(self, key: str) -> SeriesInfo | None:
        with self._reading() as connection:
            row = connection.execute(self._one(key)).first()
            if row is None:
                return None
            of_series = value.c.channel == row.id
            first, last = connection.execute(
                sa.select(sa.func.min(value.c.start), sa.func.max(value.c.start)).where(of_series)
            ).one()
            near_end = (of_series, value.c.start > last - LONGEST_MINUTES * 60)
            end = connection.execute(sa.select(sa.func.max(value.c.start + value.c.minutes * 60)).where(*near_end))
            newest = connection.execute(
                sa.select(batch).where(batch.c.channel == row.id).order_by(batch.c.known_at.desc(), batch.c.id.desc())
            ).first()
            assert newest is not None  # a series comes into being with its first values
            return SeriesInfo(
                key=key,
                unit=row.unit,
                source=newest.source,
                basis=newest.basis,
                licence=newest.licence,
                assumed=newest.assumed,
                first=from_seconds(first),
                end=from_seconds(end.scalar_one()),
                known_at=from_micros(newest.known_at),
            )

    def keys(self) -> list[str]:
        query = sa.select(channel.c.key).where(channel.c.site == self._site, channel.c.kind == SERIES)
        return [row.key for row in self._rows(query.order_by(channel.c.key))]

    def _one(self, key: str) -> Query:
        that = (channel.c.site == self._site, channel.c.kind == SERIES, channel.c.key == key)
        return sa.select(channel.c.id, channel.c.unit).where(*that)

    def _channel(self, connection: sa.Connection, key: str, unit: str) -> int:
        number = open_channels(connection, self._site, SERIES, {key: unit})[key]
        kept = connection.execute(self._one(key)).one().unit
        if kept != unit:
            raise StoreError(f"series {key} is kept in {kept}, not in {unit}: convert it where it comes in")
        return number


def _says_the_same(
    connection: sa.Connection, number: int, series: Series, known_at: datetime
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """For each slot, whether every part of it already has this value, as known by then."""
    horizon = series.horizon
    said = _values(connection, number, horizon, known_at)
    grain = math.gcd(horizon.step_minutes, *{minutes for _, minutes, _ in said}, *_offsets(said, horizon))
    parts = horizon.step_minutes // grain
    fine = in_slots(said, Horizon(horizon.start, horizon.slots * parts, grain))
    same: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        fine.reshape(horizon.slots, parts) == series.values[:, np.newaxis]
    ).all(axis=1)
    return same


def _offsets(said: Sequence[Value], horizon: Horizon) -> set[int]:
    first = seconds(horizon.start)
    return {abs(start - first) // 60 for start, _, _ in said}


def _values(connection: sa.Connection, number: int, horizon: Horizon, as_known_at: datetime | None) -> list[Value]:
    """The latest version of every value that reaches into a horizon, in the order in which they became known. (An earlier
    version of the same stretch of time says nothing any more; weather is forecast anew each hour.)"""
    known = () if as_known_at is None else (value.c.known_at <= micros(as_known_at),)
    age = sa.func.row_number().over(
        partition_by=(value.c.start, value.c.minutes), order_by=(value.c.known_at.desc(), value.c.batch.desc())
    )
    versions = (
        sa.select(value.c.start, value.c.minutes, value.c.value, value.c.known_at, value.c.batch, age.label("age"))
        .where(
            value.c.channel == number,
            value.c.start > seconds(horizon.start) - LONGEST_MINUTES * 60,
            value.c.start < seconds(horizon.end),
            *known,
        )
        .subquery()
    )
    query = (
        sa.select(versions.c.start, versions.c.minutes, versions.c.value)
        .where(versions.c.age == 1)
        .order_by(versions.c.known_at, versions.c.batch, versions.c.start)
    )
    return [tuple(row) for row in connection.execute(query).all()]

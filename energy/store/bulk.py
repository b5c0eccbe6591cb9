"""What the narrow tables share: channels, batches, and which version of a value holds in a slot."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from energy.model.horizon import Horizon
from energy.store.repository import Query, insert_new
from energy.store.tables import BatchRow, ChannelRow, table
from energy.store.times import micros, seconds

METER = "meter"
BILLED = "billed"  # a meter as the network operator bills it
SERIES = "series"
LONGEST_MINUTES = 1440  # the longest step that is kept, so how far back a value may start that covers a slot

channel = table(ChannelRow)
batch = table(BatchRow)

Value = tuple[int, int, float]  # start (epoch s), minutes, value


def channel_id(site: str, kind: str, key: str) -> sa.ScalarSelect[int]:
    """The number of a meter or series, inside a statement; no rows match where it is unknown."""
    same = (channel.c.site == site, channel.c.kind == kind, channel.c.key == key)
    return sa.select(channel.c.id).where(*same).scalar_subquery()


def channels_of(site: str, kind: str) -> Query:
    return sa.select(channel.c.id).where(channel.c.site == site, channel.c.kind == kind)


def open_channels(connection: sa.Connection, site: str, kind: str, units: Mapping[str, str]) -> dict[str, int]:
    """The numbers of these meters or series (key → unit); those not there yet are made."""
    named = sa.select(channel.c.key, channel.c.id).where(channel.c.site == site, channel.c.kind == kind)
    there: dict[str, int] = {row.key: row.id for row in connection.execute(named)}
    missing = [key for key in units if key not in there]
    if not missing:
        return there
    insert_new(connection, channel, [{"site": site, "kind": kind, "key": key, "unit": units[key]} for key in missing])
    return {row.key: row.id for row in connection.execute(named)}


def open_batch(connection: sa.Connection, site: str, known_at: datetime, source: str, **said: str | bool | int) -> int:
    """The number of a new act of writing."""
    row = {"basis": "", "licence": "", "author": "", "assumed": False, **said}
    made = connection.execute(
        sa.insert(batch).values(site=site, known_at=micros(known_at), source=source, **row).returning(batch.c.id)
    )
    return int(made.scalar_one())


def in_slots(values: Sequence[Value], horizon: Horizon) -> NDArray[np.float64]:
    """The value of each slot, from values in the order in which they became known: a later one covers an earlier one,
    whatever their steps. A slot longer than the values is their mean, and unknown where a part of it is."""
    first, step = seconds(horizon.start), horizon.step_minutes * 60
    if values:
        starts, lengths, said = np.array(values).T
        at, rest = np.divmod(starts - first, step)
        if np.all(lengths == horizon.step_minutes) and not rest.any():  # a value a slot, as nearly always
            inside = (at >= 0) & (at < horizon.slots)
            slots = np.full(horizon.slots, np.nan)
            slots[at[inside].astype(np.intp)] = said[inside]  # of several for a slot the last one stays
            return slots
    grain = math.gcd(step, *{minutes * 60 for _, minutes, _ in values}, *{abs(start - first) for start, _, _ in values})
    fine = np.full(horizon.slots * step // grain, np.nan)
    for start, minutes, value in values:
        at = (start - first) // grain
        fine[max(at, 0) : max(at + minutes * 60 // grain, 0)] = value
    parts = fine.reshape(horizon.slots, step // grain)
    low, high = parts.min(axis=1, initial=np.inf), parts.max(axis=1, initial=-np.inf)
    # Equal parts are the value itself; their mean might be off by a last digit.
    return np.where(low == high, low, parts.mean(axis=1)) if horizon.slots else np.empty(0)


def unknown(value: float | None) -> float | None:
    """NaN is unknown, and unknown is None."""
    return None if value is None or math.isnan(value) else value


def distinct(keys: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(keys, "")

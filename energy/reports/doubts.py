"""Readings in quarantine: what came, why it is doubted, what lay on the wire, and what people said of it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.model.horizon import Interval
from energy.model.meter import Meter, Reading, Release
from energy.store import Store

KEPT = timedelta(days=62)  # raw readings are not kept for longer
AT_MOST = 500  # of a meter, the newest
TABLES = {"1": "coil", "2": "discrete input", "3": "holding register", "4": "input register"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLine:
    """One thing that lay on the wire: where ("holding register 52"), and what ("0x491E")."""

    where: str
    what: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtRow:
    """A doubted reading. `reading.quality` is SUSPECT while nobody spoke of it, then RELEASED or REJECTED; `reason` is
    why it was doubted when it came; `words` are all that was said of it, the newest last."""

    meter: Meter
    reading: Reading
    reason: str
    raw: tuple[RawLine, ...] = ()
    words: tuple[Release, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it waits for a word."""
        return not self.words


def doubt_rows(store: Store, now: datetime, meter: str | None = None) -> tuple[DoubtRow, ...]:
    """What is in quarantine, of one meter or of all, the newest first."""
    span = Interval(now - KEPT, now + timedelta(days=1))
    rows: list[DoubtRow] = []
    for one in store.meters():
        if meter is None or one.id == meter:
            rows += rows_of(store, one, span)
    return tuple(sorted(rows, key=lambda row: row.reading.taken_at, reverse=True))


def rows_of(store: Store, meter: Meter, span: Interval) -> list[DoubtRow]:
    """The newest doubted readings of a meter."""
    doubted = store.readings.doubted(meter.id, span)[-AT_MOST:]
    if not doubted:
        return []
    words = store.releases.of(meter.id, Interval(doubted[0].taken_at, span.end))
    return [
        DoubtRow(
            meter=meter,
            reading=reading,
            reason=reading.note.rpartition("; was doubted: ")[2],
            raw=raw_lines(reading.raw),
            words=tuple(word for word in words if word.taken_at == reading.taken_at),
        )
        for reading in doubted
    ]


def raw_lines(raw: str) -> tuple[RawLine, ...]:
    """What lay on the wire, line by line: registers as address and hexadecimal, anything else as it came."""
    if not raw:
        return ()
    try:
        told = json.loads(raw)
    except ValueError:
        return tuple(RawLine(where="message", what=line) for line in raw.splitlines())
    lines: list[RawLine] = []
    tables = told.items() if isinstance(told, dict) else ()
    for code, registers in tables:
        if code not in TABLES or not isinstance(registers, dict):
            return (RawLine(where="message", what=raw),)
        for address, word in registers.items():
            lines.append(RawLine(where=f"{TABLES[code]} {address}", what=f"0x{int(word):04X}", number=int(word)))
    return tuple(lines) or (RawLine(where="message", what=raw),)

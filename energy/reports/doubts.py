"""Readings in quarantine: what came, why it is doubted, what lay on the wire, and what people said of it."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.model.horizon import Interval
from energy.model.meter import Meter, Reading, Release
from energy.store import Store

KEPT = timedelta(days=62)  # raw readings are not kept for longer
AT_MOST = 500  # of a meter, the newest
ONE_EVENT = timedelta(minutes=15)  # doubted readings that lie closer together have one cause, as a rule
FIGURES = re.compile(r"[−-]?\d[\d.,:]*")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtEvent:
    """Doubted readings of one meter that follow each other with no other doubted one between them, oldest first; people
    said the same of all of them, or nothing yet. One word with `until` the last speaks of all, and of none besides."""

    rows: tuple[DoubtRow, ...]

    @property
    def meter(self) -> Meter:
        return self.rows[0].meter

    @property
    def first(self) -> datetime:
        return self.rows[0].reading.taken_at

    @property
    def last(self) -> datetime:
        return self.rows[-1].reading.taken_at

    @property
    def open(self) -> bool:
        """Whether it waits for a word."""
        return self.rows[0].open

    @property
    def word(self) -> Release | None:
        """The newest word on it."""
        return max((word for row in self.rows for word in row.words), key=lambda word: word.at, default=None)

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Why they are doubted, the commonest first. Reasons that differ in their figures alone are one, told by its
        first."""
        first: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for row in self.rows:
            kind = FIGURES.sub("#", row.reason)
            first.setdefault(kind, row.reason)
            counts[kind] += 1
        return tuple((first[kind], count) for kind, count in counts.most_common())


def doubt_events(rows: Sequence[DoubtRow]) -> tuple[DoubtEvent, ...]:
    """The rows by what happened: those that wait first, then those that were spoken of, each newest first."""
    events: list[list[DoubtRow]] = []
    for row in sorted(rows, key=lambda row: (row.meter.id, row.reading.taken_at)):
        if events and same_event(events[-1][-1], row):
            events[-1].append(row)
        else:
            events.append([row])
    made = [DoubtEvent(rows=tuple(event)) for event in events]
    newest = sorted(made, key=lambda event: event.last, reverse=True)
    return tuple(sorted(newest, key=lambda event: not event.open))


def same_event(before: DoubtRow, row: DoubtRow) -> bool:
    """Whether a doubted reading belongs to the same event as the one before it."""
    said = [(one.meter.id, one.reading.quality) for one in (before, row)]
    return said[0] == said[1] and row.reading.taken_at - before.reading.taken_at <= ONE_EVENT


def doubt_rows(store: Store, now: datetime, meter: str | None = None) -> tuple[DoubtRow, ...]:
    """What is in quarantine, of one meter or of all, the newest first."""
    span = Interval(now - KEPT, now + timedelta(days=1))
    rows: list[DoubtRow] = []
    doubted = store.readings.doubted_meters(span)
    for one in store.meters():
        if one.id in doubted and meter in (None, one.id):
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

"""Receive: what an edge box or a gateway sends is kept once, on disk, before it is acknowledged.

A reading is one by its meter and moment, so a batch that comes again stores nothing twice. The numbers of the box are there
to see that nothing is left out: a batch that begins after the next expected number is not taken, and the box is told where
to begin. Only where it says that it has no more of what came before (this store was restored from an older backup) is the
gap accepted, counted and written down.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy.errors import LoadstoneError, Mistake
from energy.exchange.batches import Batch, SentReading
from energy.model.edge import Edge
from energy.model.meter import Reading, ReadingQuality
from energy.plugins import nearest
from energy.store import Store
from energy.store.store import JournalEntry

FORMER_BUFFERS = 5
LONGEST_AGE = timedelta(days=10 * 366)  # no buffer is older
SAME_TIME = timedelta(seconds=30)  # two clocks that are kept right, and the way between them, differ by less


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of a batch: the number up to which all of it is here, and how many readings were new."""

    acknowledged: int
    new: int


class GapError(LoadstoneError):
    """A batch begins after the next number that is expected."""

    def __init__(self, box: str, first: int, expected: int) -> None:
        self.expected = expected
        super().__init__(f"box {box} begins at {first}, but {expected} is expected; send it from there")


class RefusedError(LoadstoneError):
    """Some readings of a batch cannot be taken, whatever is tried; the others can."""

    def __init__(self, refused: Sequence[tuple[SentReading, Mistake]]) -> None:
        self.refused = tuple(refused)
        reasons = dict.fromkeys(mistake.what for _, mistake in refused)
        super().__init__("; ".join(reasons))


def receive(store: Store, *, batch: Batch, meters: Collection[str], now: datetime) -> Received:
    """Keep a batch of a box whose meters these are. GapError and RefusedError say why nothing of it was kept."""
    unknown = {one.meter for one in batch.readings} - set(meters)
    why = {meter: unknown_meter(meter, batch.box, meters) for meter in unknown}  # once, not for thousands of readings
    refused = [
        (one, Mistake(f"readings[{i}].meter", why[one.meter]))
        for i, one in enumerate(batch.readings)
        if one.meter in unknown
    ]
    with store.unit():  # on disk when it ends
        before = store.edges.get(batch.box)
        expected = (before.last_of(batch.buffer) if before is not None else 0) + 1
        gap = batch.first - expected if batch.first > expected else 0
        error: LoadstoneError | None = RefusedError(refused) if refused else None
        if error is None and gap and not batch.lost_before:
            error = GapError(batch.box, batch.first, expected)
        new = 0 if error is not None else store.readings.add([in_time(one, now) for one in batch.readings])
        if error is None and gap:
            store.journal.write(gap_entry(batch, expected, now))
        store.edges.put(after(before, batch, now=now, new=new, gap=gap, trouble=error))
    if error is not None:
        raise error
    return Received(acknowledged=batch.last, new=new)


def unknown_meter(meter: str, box: str, meters: Collection[str]) -> str:
    if not meters:
        return f"box {box} has no meters here; give them `kind: edge` and `box: {box}` in the centre's config.yaml"
    return f"{meter!r} is no meter of box {box}{nearest(meter, sorted(meters))}"


def after(
    before: Edge | None, batch: Batch, *, now: datetime, new: int, gap: int, trouble: LoadstoneError | None
) -> Edge:
    """What is known of a box once its batch was dealt with."""
    buffer, last = batch.buffer, 0
    former: tuple[tuple[str, int], ...] = ()
    if before is not None:
        buffers: Mapping[str, int] = {before.buffer: before.last, **dict(before.former)}
        former = tuple((name, n) for name, n in buffers.items() if name != buffer)[:FORMER_BUFFERS]
        last = before.last_of(buffer)
    taken = trouble is None
    backlog = batch.backlog.backlog()
    lost_before = before.backlog.lost if before is not None else 0
    worse = (backlog.lost > 0 and backlog.lost != lost_before) or (gap > 0 and taken)
    return Edge(
        name=batch.box,
        buffer=buffer,
        last=max(last, batch.last) if taken else last,
        seen_at=now,
        backlog=backlog,
        ahead_seconds=(batch.sent_at - now).total_seconds(),
        received=(before.received if before is not None else 0) + new,
        missing=(before.missing if before is not None else 0) + (gap if taken else 0),
        trouble="" if trouble is None else str(trouble),
        worse_at=now if worse else before.worse_at if before is not None else None,
        former=former,
    )


def gap_entry(batch: Batch, expected: int, now: datetime) -> JournalEntry:
    """A gap that nobody can close is written down."""
    return JournalEntry(
        at=now,
        who=batch.box,
        role="edge box",
        what="readings missing",
        subject=batch.box,
        detail=f"readings {expected} to {batch.first - 1} of buffer {batch.buffer} were acknowledged once, are not in this "
        "store (was it restored from a backup?) and no longer at the box; its counters carry their energy",
    )


def in_time(sent: SentReading, now: datetime) -> Reading:
    """The reading, SUSPECT where the clock of the box was wrong when it was taken: it is kept and shown, and released by a
    person who knows better, but makes no energy in an hour to which it may not belong."""
    reading = sent.reading()
    if reading.quality is not ReadingQuality.GOOD:
        return reading
    doubt = clock_doubt(reading.taken_at, sent.age_seconds, now)
    return replace(reading, quality=ReadingQuality.SUSPECT, note=doubt) if doubt else reading


def clock_doubt(taken_at: datetime, age_seconds: float | None, now: datetime) -> str:
    """Why a time of taking cannot be right; empty where it can. A batch may lie for days, so an old time alone says
    nothing; but how long ago the reading was taken the box knows from a clock that nobody sets."""
    ahead = taken_at - now
    if ahead > SAME_TIME:
        return f"taken {ahead.total_seconds():.0f} s in the future: the clock of the box is or was wrong"
    if age_seconds is None:
        return ""
    if abs(age_seconds) > LONGEST_AGE.total_seconds():
        return f"taken {age_seconds:.0f} s before it was sent, as the box says: its clock is or was wrong"
    real = now - timedelta(seconds=age_seconds)
    off = taken_at - real
    if abs(off) <= SAME_TIME:
        return ""
    return (
        f"the clock of the box was {abs(off).total_seconds():.0f} s {'ahead' if off > timedelta(0) else 'behind'}: "
        f"it was {real:%Y-%m-%d %H:%M:%S} UTC by ours"
    )


def keep_pushed(store: Store, readings: Sequence[Reading]) -> int:
    """Keep what a gateway pushed; how many were new."""
    with store.unit():
        return store.readings.add(readings)

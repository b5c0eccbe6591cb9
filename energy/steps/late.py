"""Readings that came after their intervals were settled: the gaps that have to be reckoned again.

A broker, a gateway or a folder may bring readings of yesterday when those of today are there already. Where the intervals of
that time are measured they change nothing that counts; where there is a gap they may fill it. So the gaps are looked at now and
then, as far back as raw readings are kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from energy.model.horizon import Interval
from energy.model.meter import Meter
from energy.store import Store

GAPS_NOTE = "readings in gaps that the intervals know"
EACH = timedelta(hours=1)


def filled_gaps(
    store: Store, meters: Sequence[Meter], span: Interval, now: datetime
) -> tuple[list[tuple[str, Interval]], dict[str, Any] | None]:
    """The gaps of meters in a span in which more readings are there than when they were looked at last, and the note to keep
    when they have been reckoned again. Looked at once an hour: None in between."""
    if span.start == span.end:  # raw readings are hardly kept
        return [], None
    known: dict[str, Any] = store.note(GAPS_NOTE) or {"at": None, "readings": {}}
    if known["at"] is not None and timedelta() <= now - datetime.fromisoformat(known["at"]) < EACH:
        return [], None
    found: list[tuple[str, Interval]] = []
    there: dict[str, int] = {}
    own = {meter.id for meter in meters if not meter.parts}
    for meter, stretches in store.intervals.gaps(span).items():
        over = [gap for gap in stretches if gap.end < span.end]  # one that goes on is looked at when it is over
        for gap in over if meter in own else ():
            key = f"{meter} {gap.end.isoformat()}"  # its start goes as it grows old
            there[key] = sum(one.quality.counts for one in store.readings.of(meter, gap))
            if there[key] > known["readings"].get(key, 0):
                found.append((meter, gap))
    return found, {"at": now.isoformat(), "readings": there}

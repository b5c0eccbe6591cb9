"""What people said of meters since the intervals were last made: the times that have to be reckoned again.

A released or rejected reading and an exchanged meter change intervals of the past. They are restated as far back as raw
readings are kept; what is older stays as it was.
"""

from datetime import datetime, timedelta
from typing import Any

from energy.metering.belief import EXCHANGED_WITHIN
from energy.model.horizon import Interval
from energy.store import Store

WORDS_NOTE = "words on meters that the intervals know"
OVERLAP = timedelta(minutes=1)  # a word may be kept so much later than it was said
AROUND = timedelta(hours=1)  # before a released reading: the stand that it follows on
REACHES = timedelta(days=1)  # after it: to the next stand that counts


def spoken_of(store: Store) -> tuple[list[tuple[str, Interval]], dict[str, Any]]:
    """The meters and times of which people said something new, and what is to be noted (`WORDS_NOTE`) once they are
    reckoned again; not before, or a crash in between would leave them as they were for ever."""
    known = store.note(WORDS_NOTE) or {"until": None, "same": 0, "exchanges": []}
    since = None if known["until"] is None else datetime.fromisoformat(known["until"]) - OVERLAP
    words = store.releases.said(since)
    spans = (
        [(word.meter, Interval(word.taken_at - AROUND, word.taken_at + REACHES)) for word in words]
        if len(words) != known["same"]
        else []
    )
    exchanges = store.exchanges.said()
    told = set(known["exchanges"])
    spans += [
        (one.meter, Interval(one.at - EXCHANGED_WITHIN, one.at + EXCHANGED_WITHIN))
        for one in exchanges
        if one.id not in told
    ]
    until = max((word.at for word in words), default=None)
    news = {
        "until": known["until"] if until is None else until.isoformat(),
        "same": sum(until is not None and word.at >= until - OVERLAP for word in words),
        "exchanges": [one.id for one in exchanges],
    }
    return merged(spans), news


def merged(spans: list[tuple[str, Interval]]) -> list[tuple[str, Interval]]:
    """Each meter's spans, those that touch as one."""
    found: list[tuple[str, Interval]] = []
    for meter, span in sorted(spans, key=lambda one: (one[0], one[1].start)):
        if found and found[-1][0] == meter and span.start <= found[-1][1].end:
            before = found[-1][1]
            found[-1] = (meter, Interval(before.start, max(before.end, span.end)))
        else:
            found.append((meter, span))
    return found

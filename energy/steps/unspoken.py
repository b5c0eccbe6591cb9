"""Doubted readings that went to make room before anybody spoke of them: the journal says so, at most once a day a meter."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from energy.store import Store
from energy.store.records import Unspoken
from energy.store.store import JournalEntry

UNSPOKEN_NOTE = "doubted readings that went unspoken of"
EACH = timedelta(days=1)  # a meter that is always doubted loses some each round: one line a day is enough


class UnspokenBook:
    """What went since the journal told of it last, meter by meter; kept before the readings go."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now

    def add(self, went: Sequence[Unspoken]) -> None:
        book = self._book()
        for one in went:
            page = book.setdefault(one.meter, {"told": None, "count": 0, "first": None, "last": None})
            known = [datetime.fromisoformat(page[edge]) for edge in ("first", "last") if page[edge] is not None]
            page["count"] += one.count
            page["first"] = min([*known, one.first]).isoformat()
            page["last"] = max([*known, one.last]).isoformat()
        self._store.note(UNSPOKEN_NOTE, book)

    def tell(self) -> None:
        """Write to the journal what was not told yet, of each meter of which it told nothing within a day."""
        book = self._book()
        due = {
            meter: page
            for meter, page in book.items()
            if page["count"] and (page["told"] is None or self._now - datetime.fromisoformat(page["told"]) >= EACH)
        }
        if not due:
            return
        with self._store.unit():
            for meter, page in due.items():
                self._store.journal.write(entry(meter, page, self._now))
                book[meter] = {"told": self._now.isoformat(), "count": 0, "first": None, "last": None}
            self._store.note(UNSPOKEN_NOTE, book)

    def _book(self) -> dict[str, dict[str, Any]]:
        return self._store.note(UNSPOKEN_NOTE) or {}


def entry(meter: str, page: dict[str, Any], now: datetime) -> JournalEntry:
    first, last = (datetime.fromisoformat(page[edge]) for edge in ("first", "last"))
    many = "1 reading" if page["count"] == 1 else f"{page['count']} readings"
    span = f"{first:%Y-%m-%d %H:%M:%S}" + ("" if first == last else f" to {last:%Y-%m-%d %H:%M:%S}")
    return JournalEntry(
        at=now,
        who="Loadstone",
        role="system",
        what="doubted readings dropped",
        subject=meter,
        detail=f"{many} of {span} UTC that nobody released or rejected: older than raw readings are kept, or no room",
    )

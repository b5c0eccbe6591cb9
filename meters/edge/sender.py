"""The sender of an edge box: what waits in the buffer goes to the centre, in order, until it is acknowledged.

Only the centre's own answer to this very batch is an acknowledgement. Whatever else comes (nothing, an error, a login page of
some proxy with status 200) changes nothing: the batch waits and is sent again.
"""

import gzip
import logging
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from sqlite3 import Error as BufferFault

from energy.errors import LoadstoneError
from energy.exchange.batches import (
    VERSION,
    Batch,
    Refusal,
    read_acknowledgement,
    read_refusal,
    sent_backlog,
    sent_reading,
    written,
)
from energy.http import Answered, Client, deliver
from energy.model.edge import Backlog
from meters.edge.buffer import Buffer, Cut

log = logging.getLogger("loadstone.edge")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a batch that was not acknowledged is sent again
DENIED_PAUSE = 60.0  # a wrong token is not made right by asking often
LOOK_SECONDS = 1.0  # between two looks at an empty buffer
SIGN_OF_LIFE = 60.0  # seconds of silence after which an empty batch says that the box is well
HELD_AGAIN = 600.0  # seconds after which what is held is offered once more: the centre may know the meter by now
POISON_TRIES = 5  # answers 400 or 422 without the readings' numbers, after which a whole batch is held
AT_READING = re.compile(r"readings\[(\d+)\]")
STATUS_SECONDS = 60.0  # between two lines of the log that say what waits


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: whether the buffer has moved on, what was wrong, and how long to wait."""

    moved: bool
    trouble: str = ""
    pause: float | None = None


class Sender:
    """Sends until told to stop, from a thread of its own."""

    def __init__(
        self,
        buffer: Buffer,
        client: Client,
        *,
        name: str,
        centre: str,
        token: str,
        most_in_batch: int = 2_000,
        per_second: float = 5_000.0,
        keep: timedelta = timedelta(hours=24),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buffer = buffer
        self._client = client
        self._name = name
        self._url = f"{centre.rstrip('/')}/v1/readings"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        self._most = self._most_now = most_in_batch
        self._per_second = per_second
        self._keep = keep
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._pause = FIRST_PAUSE
        self._refused_for = ""  # what was last said of readings that are held
        self._asked: int | None = None  # where the centre last wanted us to begin
        self._poison: tuple[int, int] = (0, 0)  # (first number of the batch, how often it was refused)
        self._last_contact = self._last_told = self._last_release = monotonic()
        self.sent = 0

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Send until `stop`; what is then not acknowledged waits in the buffer for the next start."""
        log.info("%s", status_line(self._buffer.backlog(), self._buffer.clock.now()))
        while not self._stop.is_set():
            self._stop.wait(self.turn())
        if not self._buffer.trouble:
            self.turn()  # the last words of the collector

    def turn(self) -> float:
        """One batch, if there is one; how long to wait before the next."""
        try:
            return self._turn()
        except BufferFault:
            log.exception("the buffer cannot be read or written now; it is tried again")
        except Exception:
            # Our bug, whatever it is. It is said in full, and must not end the one thread that hands readings over.
            log.exception("a batch could not be sent; it is tried again")
        return self._longer()

    def _turn(self) -> float:
        self._housekeeping()
        cut = self._buffer.cut(self._most_now)
        now = self._monotonic()
        if not cut.rows and not cut.lost_before and now - self._last_contact < SIGN_OF_LIFE:
            return LOOK_SECONDS
        began = now
        outcome = self.send(cut)
        if not outcome.moved:
            self._complain(outcome.trouble)
            return outcome.pause if outcome.pause is not None else self._longer()
        self._pause = FIRST_PAUSE
        if self._buffer.trouble:
            log.info("the centre takes readings again")
            self._buffer.tell("", self._buffer.clock.now())
        if not cut.rows:
            return LOOK_SECONDS
        due = len(cut.rows) / self._per_second - (self._monotonic() - began)
        return max(0.0, due) if len(cut.rows) >= self._most_now else LOOK_SECONDS

    def send(self, cut: Cut) -> Outcome:
        """One attempt with one batch."""
        body = gzip.compress(written(self.batch(cut)), 5)
        try:
            answer = deliver(self._client, self._url, body, self._headers, what=f"edge box {self._name}")
        except LoadstoneError as error:
            return Outcome(False, str(error))
        if answer.status == 200:
            return self._acknowledged(cut, answer)
        refusal = read_refusal(answer.body)
        if refusal is None:
            return Outcome(False, f"not the centre's answer: {answer.words}")
        self._last_contact = self._monotonic()
        return self._refused(cut, answer.status, refusal)

    def batch(self, cut: Cut) -> Batch:
        """A batch as it is written down for the wire."""
        sent_at, steady, backlog = self._buffer.clock.now(), self._buffer.steady.now(), self._buffer.backlog()
        readings = tuple(
            sent_reading(row.number, row.reading, None if row.steady is None else round(steady - row.steady, 3))
            for row in cut.rows
        )
        return Batch(
            version=VERSION,
            box=self._name,
            buffer=self._buffer.id,
            first=cut.first,
            last=cut.last,
            lost_before=cut.lost_before,
            sent_at=sent_at,
            backlog=sent_backlog(after(backlog, cut)),
            readings=readings,
        )

    def _acknowledged(self, cut: Cut, answer: Answered) -> Outcome:
        said = read_acknowledgement(answer.body)
        if said is None:
            return Outcome(
                False, f"status 200, but not the centre's answer: {answer.words}; is a proxy or a login in between?"
            )
        if (said.box, said.buffer, said.acknowledged) != (self._name, self._buffer.id, cut.last):
            return Outcome(False, f"the centre acknowledged {said.box} {said.acknowledged}, not what was sent")
        self._buffer.acknowledge(cut)
        self.sent += len(cut.rows)
        self._last_contact = self._monotonic()
        self._most_now = min(self._most, self._most_now * 11 // 10 + 1)
        self._asked, self._poison = None, (0, 0)
        return Outcome(True)

    def _refused(self, cut: Cut, status: int, refusal: Refusal) -> Outcome:
        """The centre itself says no; what to do about it."""
        reasons = "; ".join(f"{m.where}: {m.what}" for m in refusal.mistakes[:3])
        why = f"{refusal.error}{f' ({reasons})' if reasons else ''}"
        if status == 409 and refusal.expected is not None:
            asked_before, self._asked = self._asked == refusal.expected, refusal.expected
            again = self._buffer.rewind(refusal.expected)
            log.warning("the centre has readings only up to %d; %d are sent again", refusal.expected - 1, again)
            return Outcome(False, "", None if asked_before else 0.0)
        if status in {401, 403}:
            return Outcome(False, f"the centre does not let this box in: {why}", DENIED_PAUSE)
        if status == 413 and len(cut.rows) > 1:
            self._most_now = max(1, len(cut.rows) // 2)
            return Outcome(
                False, f"the centre finds {len(cut.rows)} readings too many; {self._most_now} at a time now", 0.0
            )
        if status == 422 and refusal.refused:
            return self._held(cut, [(one.number, one.why) for one in refusal.refused])
        if status == 400 and (odd := not_understood(cut, refusal)):
            return self._held(cut, odd)
        if status in {400, 413, 422} and cut.rows and self._is_poison(cut):
            return self._held(cut, [(row.number, why) for row in cut.rows])
        return Outcome(False, f"the centre answered {status}: {why}")

    def _is_poison(self, cut: Cut) -> bool:
        first, tries = self._poison
        self._poison = (cut.first, tries + 1 if first == cut.first else 1)
        return self._poison[1] >= POISON_TRIES

    def _held(self, cut: Cut, refused: list[tuple[int, str]]) -> Outcome:
        """Set aside what is refused; the rest goes on at once."""
        sent = {row.number for row in cut.rows}
        refused = [(number, why) for number, why in refused if number in sent]
        if not refused:
            return Outcome(False, "the centre refuses readings that were not sent")
        self._buffer.hold(refused)
        reasons = "; ".join(dict.fromkeys(why for _, why in refused))
        if reasons == self._refused_for:  # each batch of a meter that the centre does not know is refused alike
            return Outcome(False, "", 0.0)
        self._refused_for = reasons
        log.error(
            "the centre refuses %d readings and what is like them, which is held here and offered again every %.0f minutes "
            "(`loadstone edge release`: at once): %s",
            len(refused),
            HELD_AGAIN / 60,
            reasons,
        )
        return Outcome(False, "", 0.0)  # no trouble of the way: the rest goes on, and what is held is told as held

    def _housekeeping(self) -> None:
        now = self._monotonic()
        if now - self._last_told >= STATUS_SECONDS:
            self._last_told = now
            backlog = self._buffer.backlog()
            log.log(
                logging.WARNING if backlog.trouble or backlog.held else logging.INFO,
                "%s",
                status_line(backlog, self._buffer.clock.now()),
            )
            self._buffer.tell(
                self._buffer.trouble, self._buffer.clock.now() if now - self._last_contact < STATUS_SECONDS else None
            )
            self._buffer.forget(self._buffer.clock.now() - self._keep)
        if now - self._last_release >= HELD_AGAIN:
            self._refused_for = ""
            self._last_release = now
            self._buffer.release()

    def _complain(self, trouble: str) -> None:
        if trouble and trouble != self._buffer.trouble:
            log.warning("%s", trouble)
            self._buffer.tell(trouble)

    def _longer(self) -> float:
        """Twice as long each time, and never all boxes at the same moment."""
        pause = self._pause
        self._pause = min(LONGEST_PAUSE, 2 * pause)
        return pause * random.uniform(0.7, 1.0)


def not_understood(cut: Cut, refusal: Refusal) -> list[tuple[int, str]]:
    """The readings that a centre (an older one, say) does not understand, where that is all that it finds wrong."""
    places = [(AT_READING.match(mistake.where), mistake.what) for mistake in refusal.mistakes]
    found = [(int(place[1]), what) for place, what in places if place is not None]
    if len(found) < len(places):
        return []
    return [(cut.rows[i].number, f"not understood by the centre: {what}") for i, what in found if i < len(cut.rows)]


def after(backlog: Backlog, cut: Cut) -> Backlog:
    """What will wait when this batch is acknowledged, which it is when that is read."""
    waiting = max(0, backlog.waiting - len(cut.rows))
    return replace(backlog, waiting=waiting, oldest_at=backlog.oldest_at if waiting else None)


def status_line(backlog: Backlog, now: datetime) -> str:
    """What waits, in one line."""
    parts = [f"{backlog.waiting} readings wait for the centre"]
    if backlog.oldest_at is not None:
        parts.append(f"the oldest for {age(now - backlog.oldest_at)}")
    if backlog.held:
        parts.append(f"{backlog.held} held: the centre refused them")
    if backlog.thinned or backlog.dropped:
        parts.append(f"{backlog.thinned} thinned and {backlog.dropped} dropped for want of room")
    if backlog.broken:
        parts.append(f"{backlog.broken} broken buffer files moved aside")
    if backlog.trouble:
        parts.append(backlog.trouble)
    return "; ".join(parts)


def age(span: timedelta) -> str:
    """A length of time as people say it."""
    seconds = max(0.0, span.total_seconds())
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

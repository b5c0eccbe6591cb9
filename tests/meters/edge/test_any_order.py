"""Whatever happens between an edge box and the centre, in whatever order: what was taken is there, once, as it was."""

import gzip
import itertools
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from energy.api.app import Refused, take_batch
from energy.clock import HeldClock
from energy.http import client
from energy.model.horizon import Interval
from energy.model.meter import Reading
from meters.edge import sender as sending
from meters.edge.buffer import Buffer
from meters.edge.sender import Sender
from tests.api.door import BOX, BOX_TOKEN, T0, doors, opened, reading

SPAN = Interval(T0, T0 + timedelta(days=2))
KNOWN, STRANGE = ("m-1", "m-2"), "strange"
NOW = HeldClock(T0 + timedelta(days=1))


class World:
    """A box, a centre, and a wire between them that loses answers when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: list[Reading] = []
        self.forgotten: set[tuple[str, str]] = set()
        self.restored = False
        self.meters = KNOWN
        self.lose: str = ""
        self._names = itertools.count()
        self._seconds = itertools.count(1)
        self.store = opened(folder / "centre.sqlite")
        self.backup: Path | None = None
        self.buffer: Buffer
        self.start_box()

    def start_box(self) -> None:
        """As after a kill: nothing of what the process remembered is there."""
        self.buffer = Buffer(self.folder / "edge.sqlite", max_bytes=10**8, clock=NOW)
        way = client(transport=httpx.MockTransport(self.answer))
        self.sender = Sender(
            self.buffer,
            way,
            name=BOX,
            centre="https://centre.example",
            token=BOX_TOKEN,
            most_in_batch=4,
            per_second=1e9,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The centre's answer, unless the wire swallows the question or the answer."""
        if self.lose == "question":
            raise httpx.ConnectError("no network", request=request)
        try:
            said = take_batch(self.store, NOW, doors(self.meters), BOX, gzip.decompress(request.content))
            status, body = 200, said.model_dump_json()
        except Refused as refusal:
            status, body = refusal.status, refusal.body.model_dump_json()
        if self.lose == "answer":
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(status, text=body)

    # what may happen

    def take(self, count: int) -> None:
        names = (*KNOWN, STRANGE)
        made = [reading(next(self._seconds), names[(count + i) % 3]) for i in range(count)]
        self.buffer.add(made)
        self.taken += made

    def send(self, count: int, lose: str = "") -> None:
        self.lose = lose
        for _ in range(count):
            self.sender.turn()
        self.lose = ""

    def kill_box(self) -> None:
        old = self.buffer
        self.start_box()
        old.close()

    def keep_backup(self) -> None:
        self.backup = self.folder / f"backup-{next(self._names)}.sqlite"
        self.store.backup(self.backup)

    def restore(self) -> None:
        if self.backup is not None:
            self.store.close()
            self.store, self.backup, self.restored = opened(self.backup), None, True

    def forget(self) -> None:
        """The box lets acknowledged readings go that are older than the newest few."""
        before = T0 + timedelta(seconds=max(0, len(self.taken) - 5))
        self.buffer.forget(before, keep=0)

    def learn(self) -> None:
        self.meters = (*KNOWN, STRANGE)
        self.buffer.release()

    def close(self) -> None:
        self.buffer.close()
        self.store.close()


HAPPENINGS: dict[str, Callable[[World, int], None]] = {
    "take": lambda world, n: world.take(n),
    "send": lambda world, n: world.send(n),
    "lose the question": lambda world, n: world.send(n, "question"),
    "lose the answer": lambda world, n: world.send(n, "answer"),
    "kill the box": lambda world, _: world.kill_box(),
    "back up": lambda world, _: world.keep_backup(),
    "restore": lambda world, _: world.restore(),
    "forget": lambda world, _: world.forget(),
    "learn the meter": lambda world, _: world.learn(),
}
STORIES = st.lists(
    st.tuples(st.sampled_from(["take", "send", "lose the answer", *HAPPENINGS]), st.integers(1, 4)),
    min_size=5,
    max_size=25,
)


@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])  # a story is short enough to read
@given(story=STORIES)
def test_what_was_taken_is_there_once(story: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            for what, count in story:
                HAPPENINGS[what](world, count)
            world.learn()
            world.take(1)  # so that they speak: a centre that was restored says then what it wants again
            for _ in range(10 + len(world.taken)):
                if world.sender.turn() >= sending.LOOK_SECONDS and not world.buffer.backlog().waiting:
                    break
            backlog = world.buffer.backlog()
            assert (backlog.waiting, backlog.held, backlog.trouble) == (0, 0, "")
            there = [one for meter in (*KNOWN, STRANGE) for one in world.store.readings.of(meter, SPAN)]
            missing = [one for one in world.taken if one not in there]
            assert len(there) == len(set(there)) == len(world.taken) - len(missing)
            edge = world.store.edges.get(BOX)
            if missing:  # only what the box had let go before the centre was restored, and that is told
                assert world.restored
                assert "forget" in {what for what, _ in story}
                assert edge is not None
                assert edge.missing >= len(missing)
            elif not world.restored:
                assert edge is None or (edge.missing, edge.received) == (0, len(world.taken))
        finally:
            world.close()

"""A SunSpec device on a loopback port: registers that a test wrote down, and may change while it is read."""

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.meters.wire import free_port, raw_server

FOLDER = Path(__file__).parent.parent / "captures"
END = [0xFFFF, 0]


@dataclass
class Registers:
    """What lies where; the rest of a model says 0, and beyond of the last model there is nothing."""

    words: dict[int, int] = field(default_factory=dict)
    code: int = 3
    longest: int = 125
    silent: bool = False
    asked: list[tuple[int, int, int]] = field(default_factory=list)  # unit, address, how many

    def put(self, address: int, words: list[int]) -> None:
        self.words |= dict(enumerate(words, address))

    def answer(self, request: bytes) -> bytes | None:
        transaction, _, _, unit, code, address, count = struct.unpack(">HHHBBHH", request)
        self.asked.append((unit, address, count))
        if self.silent:
            return b""
        refused = 3 if count > self.longest else 2 if not self._there(address, count) else 0
        if code != self.code or refused:
            body = struct.pack(">BBB", unit, code | 0x80, refused or 1)
        else:
            said = [self.words.get(at, 0) for at in range(address, address + count)]
            body = struct.pack(f">BBB{count}H", unit, code, 2 * count, *said)
        return struct.pack(">HHH", transaction, 0, len(body)) + body

    def _there(self, address: int, count: int) -> bool:
        return bool(self.words) and min(self.words) <= address and address + count - 1 <= max(self.words)


def chain(*models: tuple[int, int, dict[int, list[int]]], base: int = 40000) -> Registers:
    """A device with these models (id, length of the body, what lies at which offset), the common one too."""
    made = Registers()
    made.put(base, [0x5375, 0x6E53])
    address = base + 2
    for id, length, points in ((1, 66, {}), *models):
        made.put(address, [id, length])
        made.put(address + 1 + length, [0])
        for offset, words in points.items():
            made.put(address + offset, words)
        address += 2 + length
    made.put(address, END)
    return made


def capture(name: str) -> tuple[dict, Registers]:
    said = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    made = Registers()
    for address, words in said["registers"].items():
        made.put(address, words)
    return said, made


@asynccontextmanager
async def served(device: Registers) -> AsyncIterator[int]:
    """The device behind real Modbus TCP, on the port that comes out."""
    port = free_port()
    async with raw_server(port, device.answer):
        yield port


@contextmanager
def answering(device: Registers) -> Iterator[int]:
    """The device in a thread of its own, as the command runs a loop of its own."""
    port, loop, up = free_port(), asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        async with raw_server(port, device.answer):
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert up.wait(10)
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()

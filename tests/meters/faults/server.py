"""A Modbus server that lies, stalls and stutters as told. Bytes by hand: it shares no code with the client it tests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

LATENCY_SECONDS = 0.005  # a quick meter

Framing = Literal["tcp", "rtu"]
Bank = Callable[[int, int, int], "list[int] | int"]  # function code, start, count → registers, or an exception code


def crc(data: bytes) -> bytes:
    """The check sum of a serial frame, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked, and the how manieth request of that unit it was."""

    transaction: int
    unit: int
    code: int
    start: int
    count: int
    number: int


class Link:
    """One connection, seen from the server."""

    def __init__(self, framing: Framing, writer: asyncio.StreamWriter, number: int) -> None:
        self.framing = framing
        self.number = number  # the how manieth connection
        self.born = asyncio.get_running_loop().time()
        self.answered_at = -1e9
        self.kept = b""  # for the faults: what is held back
        self._writer = writer

    @property
    def age(self) -> float:
        return asyncio.get_running_loop().time() - self.born

    def frame(self, request: Request, pdu: bytes, *, transaction: int | None = None, unit: int | None = None) -> bytes:
        body = bytes([request.unit if unit is None else unit]) + pdu
        if self.framing == "rtu":
            return body + crc(body)
        number = request.transaction if transaction is None else transaction
        return number.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + body

    def write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)
            self.answered_at = asyncio.get_running_loop().time()

    def close(self) -> None:
        self._writer.close()


Play = Callable[[Link, Request, bytes], Awaitable[None]]


async def honest(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, pdu))


async def nothing(link: Link) -> bool:
    """What happens on connecting: nothing. (False: the connection is not served.)"""
    return True


@dataclass
class Server:
    """Units behind one address. While `broken`, the units in `victims` answer as `play` does."""

    framing: Framing
    units: dict[int, Bank]
    play: Play = honest
    greet: Callable[[Link], Awaitable[bool]] = nothing
    victims: frozenset[int] = frozenset()
    broken: bool = False
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    connections: int = 0
    _asked: dict[int, int] = field(default_factory=dict)
    _listening: asyncio.Server | None = None
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens, and all connections are gone."""
        if self._listening is not None:
            self._listening.close()
        self._listening = None
        self.hang_up()
        await asyncio.gather(*self._serving, return_exceptions=True)  # the last answers of those that are late

    def hang_up(self) -> None:
        for link in self.links:
            link.close()
        self.links.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        link = Link(self.framing, writer, self.connections)
        self.links.append(link)
        try:
            if not self.broken or await self.greet(link):
                while request := await self._request(reader):
                    await self._answer(link, request)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client hung up; that is its right
        finally:
            writer.close()
            self._serving.discard(task)
            if link in self.links:
                self.links.remove(link)

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        if self.framing == "tcp":
            data = await reader.readexactly(12)
            transaction, body = int.from_bytes(data[:2], "big"), data[6:]
            assert data[2:6] == b"\0\0\0\6", data.hex()
        else:
            data = await reader.readexactly(8)
            transaction, body = 0, data[:6]
            assert crc(body) == data[6:], data.hex()
        unit, code = body[0], body[1]
        self._asked[unit] = self._asked.get(unit, 0) + 1
        start, count = int.from_bytes(body[2:4], "big"), int.from_bytes(body[4:6], "big")
        made = Request(
            transaction=transaction, unit=unit, code=code, start=start, count=count, number=self._asked[unit]
        )
        self.requests.append(made)
        return made

    async def _answer(self, link: Link, request: Request) -> None:
        await asyncio.sleep(LATENCY_SECONDS)
        bank = self.units.get(request.unit)
        if bank is None:
            return
        said = bank(request.code, request.start, request.count)
        if isinstance(said, int):
            pdu = bytes([request.code | 0x80, said])
        else:
            pdu = bytes([request.code, 2 * len(said)]) + b"".join(word.to_bytes(2, "big") for word in said)
        play = self.play if self.broken and request.unit in self.victims else honest
        await play(link, request, pdu)

"""One Modbus connection, shared by all units behind it: one request at a time, in the order they were asked."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from energy.errors import MeterError
from meters.line import Line, Transport

# pymodbus logs every refused connection and dumps frames at error level; what went wrong is said in the Reading.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SILENT_REQUESTS = 3  # so many unanswered in a row mean that the connection itself may be dead

EXCEPTIONS = {
    1: "illegal function: the device does not know this function code; try the other one (3 or 4)",
    2: "illegal address: the device has no such register; is the profile the right one?",
    3: "illegal value: the device refuses a read of this length; a smaller max_registers may help",
    4: "device failure: the device cannot answer; look at its display, or is the unit number wrong?",
    5: "acknowledged, not ready: the device needs longer; poll it less often",
    6: "device busy: poll it less often",
    8: "memory error in the device",
    10: "gateway path not available: is the gateway set up for this unit?",
    11: "no answer behind the gateway: check the unit number, the wiring and the baud rate of the serial line",
}


class RefusedError(MeterError):
    """The device answered, and said no."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}, {EXCEPTIONS.get(code, 'not in the standard')}")

    @property
    def unknown_address(self) -> bool:
        return self.code in (2, 3)


class SilentError(MeterError):
    """Nothing usable came back."""


class UnreachableError(MeterError):
    """There is no connection to the host."""


class Bus:
    """A connection to (host, port) that opens when it is needed. After a failure it waits before the next attempt,
    twice as long each time; until then every request fails at once instead of waiting."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.users = 0
        self._client: AsyncModbusTcpClient | None = None
        self._turn = asyncio.Lock()  # first come, first served: fair between units
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._why = ""
        self._silent = 0

    async def read(self, unit: int, code: int, start: int, count: int, timeout: float) -> list[int]:
        """The registers start … start + count. MeterError says what happened, in words for a person."""
        async with self._turn:
            client = await self._connected(timeout)
            ask = client.read_input_registers if code == 4 else client.read_holding_registers
            return self._checked(await self._answer(ask, unit, start, count, timeout), unit, code, count)

    async def _connected(self, timeout: float) -> AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            raise UnreachableError(f"{self._why}; next attempt in {self._not_before - now:.0f} s")
        self.drop()
        framer = FramerType.RTU if self.line.transport is Transport.RTU_OVER_TCP else FramerType.SOCKET
        client = AsyncModbusTcpClient(
            self.line.host, port=self.line.port, framer=framer, timeout=timeout, retries=0, reconnect_delay=0
        )
        client.set_max_no_responses(1_000_000)  # when to give up the connection is decided here, not there
        if not await client.connect():
            client.close()
            self._why = await self._why_unreachable(timeout)
            pause = self._pause * random.uniform(0.75, 1.25)  # not all plants at once after a power cut
            self._not_before = asyncio.get_running_loop().time() + pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            raise UnreachableError(self._why)
        self._client, self._pause, self._silent = client, FIRST_PAUSE_SECONDS, 0
        return client

    async def _why_unreachable(self, timeout: float) -> str:
        """pymodbus says only that it failed; a plain connection says why."""
        there = self.line.address
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(self.line.host, self.line.port)
        except TimeoutError:
            return f"{there} does not answer: is the address right, the device on, a firewall between?"
        except ConnectionRefusedError:
            return f"{there} refused the connection: is Modbus TCP switched on there, and the port right?"
        except OSError as error:
            return f"{there} cannot be reached ({error.strerror or error}): check address and network"
        writer.close()
        return f"{there} accepted only the second attempt to connect; is another client connected?"

    async def _answer(
        self, ask: Callable[..., Awaitable[ModbusPDU]], unit: int, start: int, count: int, timeout: float
    ) -> ModbusPDU:
        try:
            async with asyncio.timeout(timeout):
                answer = await ask(start, count=count, device_id=unit)
        except (TimeoutError, ModbusException) as error:
            self._silent += 1
            lost = self._client is None or not self._client.connected
            if lost or self._silent >= SILENT_REQUESTS:
                self.drop()
            if lost:
                raise SilentError("the connection broke before an answer came") from error
            raise SilentError(
                f"unit {unit} did not answer within {timeout:g} s: is the unit number right, the meter on?"
            ) from error
        self._silent = 0
        return answer

    def _checked(self, answer: ModbusPDU, unit: int, code: int, count: int) -> list[int]:
        if answer.isError():
            raise RefusedError(int(getattr(answer, "exception_code", 0)))
        if answer.function_code != code or answer.dev_id != unit:
            self.drop()
            raise SilentError(f"unit {unit} answered something that was not asked; the answer was thrown away")
        if len(answer.registers) != count:
            self.drop()
            raise SilentError(f"unit {unit} sent {len(answer.registers)} registers instead of {count}; thrown away")
        return list(answer.registers)

    def drop(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._client is not None:
            self._client.close()
        self._client, self._silent = None, 0


_BUSES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Line, Bus]] = WeakKeyDictionary()


def join(line: Line | str, port: int = 502) -> Bus:
    """The one bus of the running loop to that line; a host and port alone are Modbus TCP."""
    if isinstance(line, str):
        line = Line(host=line, port=port)
    here = _BUSES.setdefault(asyncio.get_running_loop(), {})
    bus = here.setdefault(line, Bus(line))
    bus.users += 1
    return bus


def leave(bus: Bus) -> None:
    """Say that a reader no longer needs the bus; the last one closes it."""
    bus.users -= 1
    if bus.users <= 0:
        bus.drop()
        _BUSES.get(asyncio.get_running_loop(), {}).pop(bus.line, None)

"""One open connection to a line: sends one request, and gives its answer or says what came instead."""

import asyncio
import errno
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from pymodbus.transaction import TransactionManager
from pymodbus.transport import CommParams, CommType

from energy.errors import MeterError
from meters import tls
from meters.framing import StrictRtu, StrictSocket
from meters.line import Line, Transport

KINDS = {
    Transport.TCP: CommType.TCP,
    Transport.RTU_OVER_TCP: CommType.TCP,
    Transport.SERIAL: CommType.SERIAL,
    Transport.TLS: CommType.TLS,
}


class LostError(Exception):
    """The connection ended before the answer came."""


class Connection(TransactionManager):
    """pymodbus' transport with strict framers. Unlike its own client it knows at once when the connection is lost,
    counts its transactions on over reconnects, and keeps why it failed."""

    framer: StrictSocket | StrictRtu

    def __init__(self, line: Line, timeout: float, first_transaction: int) -> None:
        framer = StrictSocket() if line.numbers_requests else StrictRtu(self._came)
        super().__init__(_params(line, timeout), framer, 0, False, None, None, None)
        create: Callable[..., Coroutine[Any, Any, Any]] = self.call_create
        self._create = partial(create, server_hostname=line.server_name) if line.server_name else create
        self.call_create = self._remembering
        self.asked = framer.asked
        self.trouble: BaseException | None = None
        self.answers = 0
        self.heard_at = 0.0
        self.unasked: dict[int, int] = {}  # frames that nobody waited for, by unit
        self.next_tid = first_transaction
        self.response_future.cancel()  # nothing is asked yet

    async def _remembering(self) -> object:
        try:
            return await self._create()
        except Exception as error:
            self.trouble = error
            if isinstance(error, OSError):
                raise
            raise OSError(*error.args) from error  # termios and pyserial have errors of their own

    async def ask(self, unit: int, code: int, start: int, count: int, timeout: float) -> ModbusPDU:
        """The answer to one request. TimeoutError, LostError or UnusableError where there is none."""
        if self.transport is None:
            raise LostError
        kind = ReadInputRegistersRequest if code == 4 else ReadHoldingRegistersRequest
        request = kind(dev_id=unit, transaction_id=self.getNextTID(), address=start, count=count)
        asked = self.asked
        asked.unit, asked.code, asked.count = unit, code, count
        mine = self.response_future = self.loop.create_future()
        self.pdu_send(request)
        late = self.loop.call_later(timeout, self._late, mine)
        try:
            answer: ModbusPDU = await mine
        finally:
            late.cancel()
            mine.cancel()  # of no effect on what is done; after a cancellation from outside nobody waits any more
        self.answers += 1
        return answer

    def _late(self, mine: "asyncio.Future[ModbusPDU]") -> None:
        self.asked.clean = False
        if not mine.done():
            mine.set_exception(TimeoutError())

    def _came(self, unit: int) -> None:
        self.unasked[unit] = self.unasked.get(unit, 0) + 1

    def callback_data(self, data: bytes, addr: tuple[object, ...] | None = None) -> int:  # noqa: ARG002  # pymodbus' signature
        self.heard_at = self.loop.time()
        used = 0
        if not self.response_future.done():
            try:
                used, answer = self.framer.handleFrame(data, self.request_dev_id, self.request_transaction_id)
            except Exception as trouble:  # whoever waits is told; it would end the loop's own call otherwise
                self.response_future.set_exception(trouble)
                return len(data)
            if answer is None:
                return used
            self.response_future.set_result(answer)
        return used + self.framer.unasked(data[used:]) if used < len(data) else used

    def callback_connected(self) -> None:
        """Transactions count on: an answer from before a reconnect must not fit by chance."""

    @property
    def why_lost(self) -> str:
        """What is known of why the connection ended; empty where the other side just closed it."""
        if isinstance(self.trouble, ssl.SSLError):
            return tls.words(self.trouble)
        if self.comm_params.sslctx is not None and not self.answers:
            return "it was closed after the handshake; does the meter know our client certificate?"
        return str(self.trouble or "")

    def callback_disconnected(self, exc: Exception | None) -> None:
        self.trouble = exc
        if not self.response_future.done():
            self.response_future.set_exception(LostError())


def _params(line: Line, timeout: float) -> CommParams:
    return CommParams(
        comm_name=line.address,
        comm_type=KINDS[line.transport],
        reconnect_delay=0.0,
        timeout_connect=timeout,
        host=line.device or line.host,
        port=line.port,
        sslctx=tls.context(line) if line.transport is Transport.TLS else None,
        baudrate=line.baudrate,
        bytesize=8,
        parity=line.parity[0].upper(),
        stopbits=line.stop_bits,
    )


async def opened(line: Line, timeout: float, first_transaction: int) -> Connection:
    """A connection that stands. MeterError says, in words for a person, why there is none."""
    if line.transport is Transport.SERIAL:
        _need_pyserial()
    made = Connection(line, timeout, first_transaction)
    if await made.connect():
        return made
    made.close()
    raise MeterError(_why(line, made.trouble)) from made.trouble


def _need_pyserial() -> None:
    try:
        import serial  # noqa: F401  # pymodbus takes it from where it is imported
    except ImportError as error:
        raise MeterError("a serial line needs pyserial: pip install 'loadstone[serial]'") from error


def _why(line: Line, trouble: BaseException | None) -> str:
    there = line.address
    if trouble is None or isinstance(trouble, TimeoutError | asyncio.CancelledError):
        return f"{there} does not answer: is the address right, the device on, a firewall between?"
    if isinstance(trouble, ssl.SSLError):
        return f"{there}: {tls.words(trouble)}"
    if line.transport is Transport.SERIAL:
        return _why_no_device(line, trouble)
    if isinstance(trouble, ConnectionRefusedError):
        port = "Modbus TCP Security" if line.transport is Transport.TLS else "Modbus TCP"
        return f"{there} refused the connection: is {port} switched on there, and the port right?"
    if isinstance(trouble, ConnectionResetError) and line.transport is Transport.TLS:
        return f"{there} hung up during the handshake: is it TLS that answers there?"
    said = getattr(trouble, "strerror", None) or trouble
    return f"{there} cannot be reached ({said}): check address and network"


def _why_no_device(line: Line, trouble: BaseException) -> str:
    number = getattr(trouble, "errno", None)
    if number is None and trouble.args and isinstance(trouble.args[0], int):
        number = trouble.args[0]
    if number == errno.ENOENT:
        return f"there is no {line.device}: is the adapter plugged in? `ls /dev/serial/by-id` names those that are"
    if number == errno.EACCES:
        return f"{line.device} may not be opened: put the user of this service into the group that owns it (dialout)"
    if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(trouble):
        return f"{line.device} is in use by another program"
    if number == errno.EINVAL:
        return f"{line.device} does not do {line.baudrate} baud with parity {line.parity}: another adapter or setting"
    return f"{line.device} cannot be opened ({trouble})"

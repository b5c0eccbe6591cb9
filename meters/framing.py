"""Which bytes are the answer to a request: pymodbus' framers, made strict.

pymodbus takes an answer without a transaction id, skips what it does not expect in silence, believes a byte count and
reads on over what follows. Here an answer is taken only when all of it fits what was asked; what belongs to another
request is stepped over, and what cannot be an answer is said at once instead of waiting for the time-out.
"""

import struct
from collections.abc import Callable

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.exceptionresponse import ExceptionResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

NOBODY = (0, 255)  # unit numbers that some gateways answer with, whoever was asked
RECENT = 32  # so many transactions back, an answer may come a second time
LONGEST_LENGTH = 254  # what the header of a Modbus TCP frame may announce: a unit and 253 bytes


class UnusableError(Exception):
    """Something came that is no answer to what was asked."""


class OtherTransactionError(UnusableError):
    """The answer fits in all but its transaction id."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"the answer carries transaction {number}, which was not asked")


class OtherUnitError(UnusableError):
    """The answer fits in all but its unit."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        super().__init__(f"the answer says that it comes from unit {unit}")


class Answers(DecodePDU):
    """pymodbus' decoder for answers whose lengths were checked: the registers in one go."""

    def __init__(self) -> None:
        super().__init__(is_server=False)

    def decode(self, frame: bytes) -> ModbusPDU:
        if frame[0] & 0x80:
            return ExceptionResponse(frame[0] & 0x7F, frame[1])
        said = ReadHoldingRegistersResponse(registers=struct.unpack(f">{len(frame) // 2 - 1}H", frame[2:]))
        said.function_code = frame[0]
        return said


class Asked:
    """What a framer waits for, and what it may forgive."""

    def __init__(self) -> None:
        self.unit = 0
        self.code = 0
        self.count = 0
        self.clean = True  # nothing on this connection is still unanswered: what comes can only be for this request
        self.units: tuple[int, ...] = ()  # also taken for the unit
        self.transaction: int | None = None  # the one that this device always says

    def is_from(self, unit: int) -> bool:
        return unit == self.unit or unit in self.units

    def heads(self, transaction: int, unit: int) -> tuple[bytes, bytes]:
        """How the answer begins in Modbus TCP: with registers, or with an exception."""
        number = transaction.to_bytes(2, "big") + b"\0\0"
        length = (3 + 2 * self.count).to_bytes(2, "big")
        said = number + length + bytes([unit, self.code, 2 * self.count])
        return said, number + b"\0\3" + bytes([unit, self.code | 0x80])

    def misfit(self, pdu: bytes) -> str:
        """Why a PDU cannot be the answer; empty where it can."""
        if len(pdu) == 2 and pdu[0] == self.code | 0x80:
            return ""
        if pdu[0] != self.code:
            return f"function {self.code} was asked, function {pdu[0]} answered"
        if len(pdu) < 2 or pdu[1] != 2 * self.count or len(pdu) != 2 + 2 * self.count:
            said = pdu[1] if len(pdu) > 1 else 0
            return f"{2 * self.count} bytes were asked; {said} were announced and {len(pdu) - 2} came"
        return ""


class StrictSocket(FramerSocket):
    """Modbus TCP and TLS: an answer is known by its transaction id, and then checked whole."""

    MAX_SIZE = 2048

    def __init__(self) -> None:
        super().__init__(Answers())
        self.asked = Asked()

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: ARG002, N802  # pymodbus' name
        asked, used = self.asked, 0
        while len(data) - used >= self.MIN_SIZE:
            rest = data[used:] if used else data
            length = rest[4] << 8 | rest[5]
            if rest[2] or rest[3] or not 2 <= length <= LONGEST_LENGTH:
                return self._behind_noise(data, used, exp_tid)
            size, unit, transaction, pdu = self.decode(rest)
            if not size:
                return self._behind_noise(data, used, exp_tid)
            used += size
            known = transaction in (exp_tid, asked.transaction)
            if not known and (not asked.clean or 0 < exp_tid - transaction <= RECENT):
                continue  # late, for a request that is given up; or said twice
            if misfit := asked.misfit(pdu):
                if known:
                    raise UnusableError(misfit)
                continue
            if not known:
                if asked.is_from(unit):
                    raise OtherTransactionError(transaction)
                continue
            if not asked.is_from(unit):
                raise OtherUnitError(unit)
            return used, self.decoder.decode(pdu)
        return used, None

    def _behind_noise(self, data: bytes, start: int, transaction: int) -> tuple[int, ModbusPDU | None]:
        """The answer somewhere behind what is no frame: all of its header has to be there."""
        asked = self.asked
        for unit in (asked.unit, *asked.units):
            for head in asked.heads(transaction, unit):
                at = data.find(head, start + 1)
                if at >= 0:
                    size, _, _, pdu = self.decode(data[at:])
                    if size and not asked.misfit(pdu):
                        return at + size, self.decoder.decode(pdu)
        return start, None  # more may come

    def unasked(self, data: bytes) -> int:
        """What comes when nobody waits is thrown away."""
        return len(data)


class StrictRtu(FramerRTU):
    """Serial frames, also over TCP: an answer is known by its unit, function, length and check sum alone. Noise before
    it is stepped over, whole frames of others are counted for their unit."""

    MAX_SIZE = 2048

    def __init__(self, came: Callable[[int], None]) -> None:
        super().__init__(Answers())
        self.asked = Asked()
        self._came = came  # told of each whole frame that nobody waits for

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: ARG002, N802  # pymodbus' name
        used, frame = self._next_frame(data, 0)
        while frame:
            pdu = frame[1:-2]
            if self.asked.is_from(frame[0]) and not self.asked.misfit(pdu):
                return used, self.decoder.decode(pdu)
            self._came(frame[0])
            used, frame = self._next_frame(data, used)
        at = self._hunt(data, used)
        if at is not None:
            used, frame = self._next_frame(data, at)
            return used, self.decoder.decode(frame[1:-2])
        return used, None

    def unasked(self, data: bytes) -> int:
        """What comes when nobody waits: whole frames are counted, the rest may be the beginning of one."""
        used, frame = self._next_frame(data, 0)
        while frame:
            self._came(frame[0])
            used, frame = self._next_frame(data, used)
        return used

    def _next_frame(self, data: bytes, start: int) -> tuple[int, bytes]:
        """Where the frame that begins there ends, and the frame; the start and nothing where there is none (yet)."""
        if len(data) - start < 5 or data[start + 1] & 0x7F not in (3, 4):
            return start, b""
        end = start + (5 if data[start + 1] & 0x80 else 5 + data[start + 2])
        if len(data) < end or not self.check_CRC(data[start : end - 2], data[end - 2] << 8 | data[end - 1]):
            return start, b""
        return end, data[start:end]

    def _hunt(self, data: bytes, start: int) -> int | None:
        """Where, behind noise, a whole frame that is the answer begins."""
        asked = self.asked
        for unit in (asked.unit, *asked.units):
            for head in (bytes([unit, asked.code, 2 * asked.count]), bytes([unit, asked.code | 0x80])):
                at = data.find(head, start)
                while at >= 0:
                    _, frame = self._next_frame(data, at)
                    if frame and not asked.misfit(frame[1:-2]):
                        return at
                    at = data.find(head, at + 1)
        return None

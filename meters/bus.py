"""One line to meters, shared by all units on it: one request at a time, fair between units."""

import asyncio
import logging
import random
from weakref import WeakKeyDictionary

from pymodbus.pdu import ModbusPDU

from energy.errors import MeterError
from meters.connection import Connection, LostError, opened
from meters.framing import OtherTransactionError, OtherUnitError, UnusableError
from meters.habits import FIRST_SETTLING_SECONDS, LONGEST_SETTLING_SECONDS, Oddities, Pace, Unit, Units
from meters.line import Line, Transport
from meters.turns import Turns

# pymodbus logs every refused connection and dumps frames at error level; what went wrong is said in the Reading.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
log = logging.getLogger("loadstone.bus")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SILENT_REQUESTS = 3  # so many unanswered in a row mean that the connection itself may be dead
QUIET_SECONDS = 0.02  # silence that shows that no other answer follows
POLITE_SECONDS = 0.1  # a unit that was silent when asked in a hurry is asked again after such a silence
FULL = 1.0  # the share of a line's time that its meters may need

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
NOBODY_THERE = {
    False: "takes the connection and does not answer: is another client connected?",
    True: "is open and nobody answers: check baud rate, parity, and the wires A and B",
}
BUSY = (5, 6)
NOBODY_BEHIND = (10, 11)


class RefusedError(MeterError):
    """The device answered, and said no."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}, {EXCEPTIONS.get(code, 'not in the standard')}")

    @property
    def unknown_address(self) -> bool:
        return self.code in (2, 3)

    @property
    def busy(self) -> bool:
        return self.code in BUSY


class SilentError(MeterError):
    """Nothing usable came back."""


class RestingError(SilentError):
    """The unit was not asked: it was silent, and the line is the others' for now."""


class UnreachableError(MeterError):
    """There is no connection to the line."""


class Bus:
    """A line that opens when it is needed. After a failure it waits before the next attempt, twice as long each time;
    until then every request fails at once instead of waiting."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.users = 0
        self.pace = Pace(line.silence_seconds)
        self.oddities = Oddities()
        self.units = Units()
        self.needs: dict[int, float] = {}  # share of the line's time that each unit needs, by unit
        self.spent: dict[int, float] = {}  # seconds of the line since the last whole poll, by unit
        self._turns = Turns()
        self._connection: Connection | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._why = ""
        self._silent = 0
        self._barren = 0  # connections in a row on which nothing was ever answered
        self._settling = 0.0  # seconds after connecting in which this device hears nothing
        self._ended_at = 0.0
        self._doubles = False  # answers came that nobody waited for
        self._next_transaction = random.randrange(1, 60_000)
        self.overloaded = ""  # that the polls of all meters do not fit into the line's time
        self.hunting = False  # units are looked for: most are silent, and that says nothing of the line

    async def read(self, unit: int, code: int, start: int, count: int, timeout: float) -> list[int]:
        """The registers start … start + count. MeterError says what happened, in words for a person."""
        known = self.units.of(unit)
        await self._turns.take(unit)
        try:
            self._let_rest(unit, known)
            answer = await self._exchange(known, unit, code, start, count, timeout)
        finally:
            self._turns.give()
        if answer.isError():
            raise RefusedError(answer.exception_code)
        return list(answer.registers)

    def polled(self, unit: int, period_seconds: float) -> None:
        """A unit was asked all that it is asked every so many seconds: what it needs of the line's time is known."""
        needed = self.spent.pop(unit, 0.0) / period_seconds
        self.needs[unit] = 0.8 * self.needs.get(unit, needed) + 0.2 * needed
        share = sum(need for of, need in self.needs.items() if not self.units.of(of).dead)
        told, before = "", self.overloaded
        if share > FULL and len(self.needs) > 1:
            told = f"the line {self.line.address} is overloaded: what is due takes {100 * share:.0f} % of its time"
        self.overloaded = told
        if told and not before:
            log.warning("%s; poll less often, ask for fewer registers, or split the line", told)

    def drop(self) -> None:
        """Close the connection; the next request opens a new one."""
        gone, self._connection, self._silent = self._connection, None, 0
        if gone is not None:
            self._next_transaction = gone.next_tid
            gone.close()

    # ---- one request

    def _let_rest(self, unit: int, known: Unit) -> None:
        if known.dead:
            left = self.units.rest(known, asyncio.get_running_loop().time())
            if left > 0:
                raise RestingError(f"unit {unit} is silent, and others wait for the line; asked again in {left:.0f} s")

    async def _exchange(self, known: Unit, unit: int, code: int, start: int, count: int, timeout: float) -> ModbusPDU:
        """The answer to a request, asked a second time where the connection had ended unseen while nobody used it."""
        for again in (True, False):
            line = await self._connected(timeout)
            used_before = line.answers > 0
            try:
                return await self._answer(line, known, unit, code, start, count, timeout)
            except LostError as error:
                self.drop()
                if not (again and used_before):
                    self._came_to_nothing(line)
                    why = f": {line.why_lost}" if line.why_lost else ""
                    raise SilentError(f"the connection broke before an answer came{why}") from error
        raise AssertionError("the second time ends in an answer or an error")

    async def _answer(
        self, line: Connection, known: Unit, unit: int, code: int, start: int, count: int, timeout: float
    ) -> ModbusPDU:
        if len(self.units.known) > 1 and len(line.asked.units) == 1:
            self.oddities.joined_by_another()
        line.asked.units, line.asked.transaction = self.oddities.units, self.oddities.transaction
        numbered = self.line.numbers_requests and self.oddities.transaction is None
        asked = (code, start, count)
        answer = await self._ask(line, known, unit, asked, timeout, numbered)
        if not numbered:
            self._settle_accounts(line)
            if owed := known.owes(line.loop.time()):
                # An answer that only its order tells from a late one: it is thrown away, and the same asked again.
                for _ in range(owed):
                    answer = await self._ask(line, known, unit, asked, timeout, numbered)
                await self._quiet(line, min(timeout, 2 * known.slowest + QUIET_SECONDS))
                known.owed = 0  # what has not come by now, behind the answer to a later question, never comes
        return answer

    async def _quiet(self, line: Connection, seconds: float) -> None:
        """Wait until nothing was heard for so long."""
        while (left := max(line.heard_at, self._ended_at) + seconds - line.loop.time()) > 0.0001:
            await asyncio.sleep(left)
        self._settle_accounts(line)

    async def _ask(
        self, line: Connection, known: Unit, unit: int, asked: tuple[int, int, int], timeout: float, numbered: bool
    ) -> ModbusPDU:
        pause = self._ended_at - line.loop.time() + (POLITE_SECONDS if known.hurried else self.pace.seconds)
        if pause > 0:
            await asyncio.sleep(pause)
        if not numbered:
            await self._silence(line, known, asked)
        began = line.loop.time()
        waited = began - self._ended_at
        try:
            answer = await line.ask(unit, *asked, known.patience(timeout))
        except TimeoutError as error:
            self._no_answer(line, known, began, waited, numbered)
            raise SilentError(
                f"unit {unit} did not answer within {timeout:g} s: is the unit number right, the meter on?"
            ) from error
        except asyncio.CancelledError:
            if not numbered:
                known.missed(line.loop.time())  # the answer comes all the same
            raise
        except UnusableError as error:
            self._ended_at = line.loop.time()
            self._unusable(error)
            raise SilentError(f"unit {unit} answered what was not asked, it was thrown away: {error}") from error
        self._ended_at = line.loop.time()
        self._came(line, known, unit, asked, answer, self._ended_at - began, waited)
        return answer

    def _came(
        self,
        line: Connection,
        known: Unit,
        unit: int,
        asked: tuple[int, int, int],
        answer: ModbusPDU,
        seconds: float,
        waited: float,
    ) -> None:
        if line.answers == 1:  # it may have been able to answer earlier
            self._settling = self._settling / 2 if self._settling > FIRST_SETTLING_SECONDS / 2 else 0.0
        self._silent = self._barren = 0
        self._pause = FIRST_PAUSE_SECONDS
        known.last = asked
        self.spent[unit] = self.spent.get(unit, 0.0) + seconds + min(waited, self.pace.seconds)
        code = answer.exception_code
        if code in NOBODY_BEHIND:
            self.units.used_in_vain(known, seconds, self._ended_at)
            return
        if code in BUSY:
            known.answered(seconds)
            known.hurried = waited < POLITE_SECONDS
            return
        if known.hurried:  # left in peace, it answers
            self.pace.too_fast()
        else:
            self.pace.went_well()
        known.answered(seconds)
        self.oddities.right_transaction_seen()

    def _no_answer(self, line: Connection, known: Unit, began: float, waited: float, numbered: bool) -> None:
        self._ended_at = line.loop.time()
        if self.hunting:
            if not numbered:
                known.missed(self._ended_at)
            return
        known.hurried = bool(known.slowest) and not known.silent and waited < POLITE_SECONDS
        self.units.used_in_vain(known, self._ended_at - began, self._ended_at)
        self._silent += 1
        reopen = self.oddities.transaction is not None  # then a late answer dies with its connection
        if not (numbered or reopen):
            known.missed(self._ended_at)
        alone = len(self.units.known) == 1
        if reopen or self._silent >= (SILENT_REQUESTS - 1 if alone else SILENT_REQUESTS):
            if not line.answers:
                self._settling = min(2 * self._settling or FIRST_SETTLING_SECONDS, LONGEST_SETTLING_SECONDS)
            self.drop()
            self._came_to_nothing(line)

    def _unusable(self, error: UnusableError) -> None:
        """After an answer that cannot be one, only a new connection is sure to be in step."""
        if isinstance(error, OtherTransactionError):
            self.oddities.transaction_seen(error.number)
        elif isinstance(error, OtherUnitError):
            self.oddities.unit_seen(error.unit, alone=len(self.units.known) == 1)
        self.drop()

    async def _silence(self, line: Connection, known: Unit, asked: tuple[int, int, int]) -> None:
        """Where only its shape tells an answer, a second copy of the last one must not be taken for the next."""
        alike = known.last[0] == asked[0] and known.last[2] == asked[2] and known.last != asked
        if alike or self._doubles:
            await self._quiet(line, QUIET_SECONDS)

    def _settle_accounts(self, line: Connection) -> None:
        """Late answers have come, or answers that nobody is owed."""
        while line.unasked:
            unit, frames = line.unasked.popitem()
            known = self.units.of(unit) if unit in self.units.known else None
            if known is None:
                continue
            self._doubles = self._doubles or frames > known.owed
            known.owed = max(0, known.owed - frames)

    # ---- the connection

    async def _connected(self, timeout: float) -> Connection:
        if self._connection is not None and self._connection.transport is not None:
            return self._connection
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            raise UnreachableError(f"{self._why}; next attempt in {self._not_before - now:.0f} s")
        self.drop()
        try:
            made = await opened(self.line, timeout, self._next_transaction)
        except MeterError as error:
            self._why = str(error)
            self._wait_before_next()
            raise UnreachableError(self._why) from error
        self._connection = made
        if self._settling:
            await asyncio.sleep(self._settling)
        return made

    def _came_to_nothing(self, line: Connection) -> None:
        """A connection was given up. Where two in a row never brought an answer, the next one is not made at once: the
        device may take no further client."""
        if line.answers:
            return
        self._barren += 1
        if self._barren > 1:
            self._why = f"{self.line.address} {NOBODY_THERE[self.line.transport is Transport.SERIAL]}"
            self._wait_before_next()

    def _wait_before_next(self) -> None:
        pause = self._pause * random.uniform(0.6, 1.0)  # not all plants at once after a power cut
        self._not_before = asyncio.get_running_loop().time() + pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)


_BUSES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Line, Bus]] = WeakKeyDictionary()


def join(line: Line | str, port: int = 502, *, pause_ms: float | None = None, echoes_unit: bool = True) -> Bus:
    """The one bus of the running loop to that line; a host and port alone are Modbus TCP."""
    if isinstance(line, str):
        line = Line(host=line, port=port)
    here = _BUSES.setdefault(asyncio.get_running_loop(), {})
    bus = here.get(line)
    if bus is None:
        bus = here[line] = Bus(line)
    bus.users += 1
    bus.pace.say(None if pause_ms is None else pause_ms / 1000)
    if not echoes_unit:
        bus.oddities.say_units()
    return bus


def leave(bus: Bus, unit: int | None = None) -> None:
    """Say that a reader (of that unit) no longer needs the bus; the last one closes it."""
    bus.users -= 1
    if unit is not None:
        bus.units.known.pop(unit, None)
        bus.needs.pop(unit, None)
    if bus.users <= 0:
        bus.drop()
        _BUSES.get(asyncio.get_running_loop(), {}).pop(bus.line, None)

"""A line and its units: whose turn it is, how long it is left in peace, and what a silent unit may cost the others."""

import asyncio
import logging

import pytest

from meters import bus
from meters.framing import Asked, OtherTransactionError, OtherUnitError, StrictRtu, StrictSocket, UnusableError
from meters.habits import DEAD_AFTER, DEAD_SHARE, Oddities, Pace, Unit, Units
from meters.line import Line
from meters.turns import Turns
from tests.meters.faults import loop, plays
from tests.meters.faults.plant import Asked as Meter
from tests.meters.faults.plant import bank, reader, settings
from tests.meters.faults.server import Server, crc

# ---- turns


def order_of(units: str, first: str = "") -> str:
    """The order in which waiting requests of units (one letter each) are served."""

    async def test() -> str:
        turns, served = Turns(), []
        await turns.take(0)

        async def one(unit: str) -> None:
            await turns.take(ord(unit))
            served.append(unit)
            await asyncio.sleep(0)
            turns.give()

        tasks = [asyncio.create_task(one(unit)) for unit in units]
        await asyncio.sleep(0)
        for at, letter in enumerate(first):
            if letter == "x":
                tasks[at].cancel()
        turns.give()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(turns.take(0), 1)  # nobody holds it any more
        return "".join(served)

    return asyncio.run(test())


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("abc", "abc"),
        ("aaaab", "abaaa"),  # a unit with many requests does not starve another
        ("aabbcc", "abcabc"),
        ("a", "a"),
    ],
)
def test_units_go_round(asked, served):
    assert order_of(asked) == served


def test_a_request_that_is_given_up_does_not_hold_the_line():
    assert order_of("aab", "x..") == "ba"
    assert order_of("abc", "xxx") == ""


# ---- what is learned


def test_a_pause_is_learned_and_forgotten():
    pace = Pace(0.0)
    assert pace.seconds == 0
    pace.too_fast()
    pace.too_fast()
    learned = pace.seconds
    assert learned > 0
    for _ in range(250):
        pace.went_well()
    assert 0 < pace.seconds < learned
    for _ in range(10_000):
        pace.went_well()
    assert pace.seconds == 0


def test_a_pause_that_is_said_is_not_learned():
    pace = Pace(0.00175)
    pace.say(0.03)
    pace.say(0.01)  # of several meters the longest counts
    pace.too_fast()
    assert pace.seconds == 0.03


def test_a_silent_unit_is_given_its_share_and_no_more():
    units = Units()
    live, dead = units.of(1), units.of(2)
    live.answered(0.01)
    now = 0.0
    for _ in range(DEAD_AFTER):
        units.used_in_vain(dead, 1.0, now)
    assert units.rest(dead, now) == pytest.approx(1 / DEAD_SHARE - 1)
    assert units.rest(live, now) == 0
    assert units.rest(dead, now + 1 / DEAD_SHARE) == 0


def test_of_several_silent_units_the_one_that_waited_longest_is_next():
    units = Units()
    units.of(1).answered(0.01)
    first, second = units.of(2), units.of(3)
    for at, unit in enumerate((first, second)):
        for _ in range(DEAD_AFTER):
            units.used_in_vain(unit, 1.0, float(at))
    assert units.rest(first, 1.5) > 0  # it wishes to be asked
    assert units.rest(second, 40.0) == 1.0  # there is time again, but not for the one that was asked last
    assert units.rest(first, 40.0) == 0


def test_a_line_on_which_nobody_answers_needs_no_budget():
    units = Units()
    for _ in range(DEAD_AFTER + 1):
        units.used_in_vain(units.of(1), 1.0, 0.0)
    assert units.rest(units.of(1), 0.0) == 0


def test_a_unit_that_was_quick_is_not_waited_for_long_when_it_is_silent():
    quick, never = Unit(slowest=0.02, silent=DEAD_AFTER), Unit(silent=DEAD_AFTER)
    assert quick.patience(5.0) < 1
    assert never.patience(5.0) == 5.0
    assert Unit(slowest=0.02).patience(5.0) == 5.0
    assert Unit(slowest=0.02, silent=4).patience(5.0) == 5.0  # now and then with all the time


def test_habits_of_a_device_are_believed_only_as_habits():
    odd = Oddities()
    for number in (7, 9, 9):
        odd.transaction_seen(number)
    assert odd.transaction is None
    odd.right_transaction_seen()
    for _ in range(3):
        odd.transaction_seen(9)
    assert odd.transaction == 9
    odd.unit_seen(5, alone=True)
    odd.unit_seen(5, alone=True)  # neither 0 nor 255: that is another unit
    odd.unit_seen(0, alone=False)
    odd.unit_seen(0, alone=False)
    assert odd.units == ()
    odd.unit_seen(0, alone=True)
    odd.unit_seen(0, alone=True)
    assert odd.units == (0,)
    odd.joined_by_another()
    assert odd.units == ()
    odd.say_units()
    odd.joined_by_another()
    assert odd.units == (0, 255)


# ---- which bytes are an answer

PDU = bytes([4, 4, 0, 1, 0, 2])


def waiting(framer: StrictSocket | StrictRtu, unit: int = 1) -> None:
    asked: Asked = framer.asked
    asked.unit, asked.code, asked.count = unit, 4, 2


def mbap(transaction: int = 100, pdu: bytes = PDU, unit: int = 1, protocol: int = 0) -> bytes:
    head = transaction.to_bytes(2) + protocol.to_bytes(2) + (len(pdu) + 1).to_bytes(2)
    return head + bytes([unit]) + pdu


def rtu(pdu: bytes = PDU, unit: int = 1) -> bytes:
    return bytes([unit]) + pdu + crc(bytes([unit]) + pdu)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (mbap(), [1, 2]),
        (mbap()[:-1], None),  # more has to come
        (mbap(99) + mbap(), [1, 2]),  # said twice, then the answer
        (mbap() + b"\x12\x34", [1, 2]),
        (b"\xff\x00\xff" + mbap(), [1, 2]),
        (mbap(unit=2), OtherUnitError),
        (mbap(500), OtherTransactionError),
        (mbap(0), OtherTransactionError),
        (mbap(protocol=1), None),
        (mbap(pdu=bytes([4, 2, 0, 1])), UnusableError),
        (mbap(pdu=bytes([3, 4, 0, 1, 0, 2])), UnusableError),
        (mbap(pdu=bytes([0x84, 2])), 2),
        (mbap(pdu=bytes([0x83, 2])), UnusableError),
    ],
)
def test_an_answer_in_modbus_tcp(data, said):
    framer = StrictSocket()
    waiting(framer)
    if isinstance(said, type):
        with pytest.raises(said):
            framer.handleFrame(data, 1, 100)
        return
    used, answer = framer.handleFrame(data, 1, 100)
    assert used <= len(data)
    told = answer and (answer.exception_code or list(answer.registers))
    assert told == said


def test_late_answers_are_stepped_over_once_something_was_late():
    framer = StrictSocket()
    waiting(framer)
    framer.asked.clean = False
    used, answer = framer.handleFrame(mbap(7, bytes([4, 4, 9, 9, 9, 9])) + mbap(), 1, 100)
    assert answer is not None
    assert (used, list(answer.registers)) == (26, [1, 2])


@pytest.mark.parametrize(
    ("data", "said", "others"),
    [
        (rtu(), [1, 2], {}),
        (rtu()[:-1], None, {}),
        (b"\x00\xff" + rtu(), [1, 2], {}),
        (rtu(unit=2) + rtu(), [1, 2], {2: 1}),
        (rtu(bytes([4, 2, 0, 9])) + rtu(), [1, 2], {1: 1}),  # of another length: late
        (rtu(bytes([3, 4, 0, 9, 0, 9])), None, {1: 1}),
        (rtu()[:-1] + b"\x00", None, {}),  # the check sum does not fit
        (rtu(bytes([0x84, 2])), 2, {}),
    ],
)
def test_an_answer_in_serial_frames(data, said, others):
    came: dict[int, int] = {}
    framer = StrictRtu(lambda unit: came.update({unit: came.get(unit, 0) + 1}))
    waiting(framer)
    _, answer = framer.handleFrame(data, 1, 0)
    told = answer and (answer.exception_code or list(answer.registers))
    assert (told, came) == (said, others)


# ---- lines in time that jumps


def test_silent_units_cost_the_line_a_twentieth():
    async def test():
        server = Server("tcp", {1: bank(1)})
        await server.start()
        line = bus.join("127.0.0.1", server.port)
        lost = 0.0
        clock = asyncio.get_running_loop().time

        async def poll_the_dead() -> None:
            nonlocal lost
            while clock() < 300:
                began = clock()
                with pytest.raises(bus.SilentError):
                    await line.read(9, 4, 10, 8, 1.0)
                lost += clock() - began
                await asyncio.sleep(2)

        async def poll_the_living() -> None:
            while clock() < 300:
                assert len(await line.read(1, 4, 10, 8, 1.0)) == 8
                await asyncio.sleep(1)

        await asyncio.gather(poll_the_dead(), poll_the_living())
        assert 0.01 < lost / 300 < 1.3 * DEAD_SHARE
        bus.leave(line)
        await server.stop()

    loop.run(test())


def test_a_line_that_is_too_slow_for_its_meters_says_so(caplog):
    async def test():
        slow = {unit: bank(unit) for unit in (1, 2, 3)}
        server = Server("tcp", slow, play=plays.slow(0.5), victims=frozenset(slow), broken=True)
        await server.start()
        meters = [Meter(reader(settings(server, unit, "tcp")), unit) for unit in slow]
        stop = asyncio.Event()
        polls = [asyncio.create_task(one.poll_until(stop)) for one in meters]
        await asyncio.sleep(30)
        stop.set()
        await asyncio.gather(*polls)
        for one in meters:
            await one.reader.close()
            assert one.wrong == []
        await server.stop()
        return meters

    with caplog.at_level(logging.WARNING, "loadstone.bus"):
        meters = loop.run(test())
    last = meters[0].readings[-1]
    assert last.quality == "good"  # nothing is wrong with what was said
    assert "is overloaded: what is due takes 15" in last.note  # 3 meters x 2 reads x 0.5 s in 2 s
    assert len([record for record in caplog.records if "split the line" in record.message]) == 1


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_a_request_that_is_given_up_leaves_no_answer_for_the_next(framing):
    async def test():
        def numbered(code: int, start: int, count: int) -> list[int]:  # what a server asks
            return list(range(start, start + count))

        server = Server(framing, {1: numbered}, play=plays.slow(0.5), victims=frozenset({1}), broken=True)
        await server.start()
        line = bus.join(settings(server, 1, framing).line())
        given_up = asyncio.create_task(line.read(1, 4, 10, 8, 2.0))
        await asyncio.sleep(0.1)
        given_up.cancel()
        for start in (100, 10, 100):
            assert await line.read(1, 4, start, 8, 2.0) == list(range(start, start + 8))
        bus.leave(line)
        await server.stop()

    loop.run(test())


def test_the_longest_pause_that_is_said_holds_for_the_line():
    async def test():
        line = bus.join("127.0.0.1", 1, pause_ms=5)
        assert bus.join(Line(host="127.0.0.1", port=1), pause_ms=40) is line
        assert line.pace.seconds == 0.04
        bus.leave(line)
        bus.leave(line)

    asyncio.run(test())

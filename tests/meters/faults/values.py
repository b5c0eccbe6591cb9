"""Values that cannot be, or are none, said in good frames: markers, NaN, spikes, counters that start anew, meters that
hang."""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from energy.model.meter import Reading, ReadingQuality
from meters.image import image
from meters.profile import load
from tests.meters.faults import plant
from tests.meters.faults.plant import told
from tests.meters.faults.result import FaultResult
from tests.meters.faults.server import Framing, Server
from tests.meters.wire import meter

PROFILE = Path(__file__).with_name("every-type.yaml")
TABLE = load(str(PROFILE))
POLL_SECONDS = 10.0
START_KWH = 900.0  # of the export counter, which starts again at 1000
BIG_KWH = 123_456.0

Values = dict[str, float]
Words = dict[tuple[int, int], int]


def at(poll: int) -> Values:
    """What the meter measures: 36 kW exported, so 0.1 kWh a poll; and a little imported on another phase."""
    return {
        "power": -36.0 - 0.001 * (poll * 7 % 5),
        "voltage_l1": 230.0 + 0.1 * (poll * 3 % 7),
        "power_factor": 0.9 + 0.001 * (poll % 4),
        "total_import": BIG_KWH + 0.01 * poll,
        "total_export": START_KWH + 0.1 * poll,
        "reactive_power": 12.0 + 0.001 * (poll * 3 % 8),
        "frequency": 50.0 + (poll * 5 % 9) / 256,
        "voltage_l2": 231.0 + 0.125 * (poll * 5 % 11),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """What a meter says from one poll to another, and which qualities its readings may have then and at the end.
    `lacks` are the quantities that it cannot tell meanwhile."""

    name: str
    says: Callable[[int], Values] = at  # while it lasts
    words: Mapping[str, bytes] = field(default_factory=dict)  # these registers instead
    first: int = 5
    last: int = 10
    polls: int = 20
    lacks: tuple[str, ...] = ()
    during: frozenset[ReadingQuality] = frozenset({ReadingQuality.GOOD})
    after: frozenset[ReadingQuality] = frozenset({ReadingQuality.GOOD})  # of the last reading
    without: tuple[str, ...] = ()  # quantities that this meter never tells
    settles: int = 0  # polls from the first in which nothing is asked of the quality: it has to be seen first


DOUBTED = frozenset({ReadingQuality.SUSPECT})
GONE = frozenset({ReadingQuality.NO_ANSWER})


def marker(name: str, bits: str) -> Oddity:
    kind = TABLE.registers[name].type
    return Oddity(name=f"not available: {kind}", words={name: bytes.fromhex(bits)}, lacks=(name,))


def no_number(name: str, what: str, packed: bytes) -> Oddity:
    kind = TABLE.registers[name].type
    return Oddity(name=f"{what} in {kind}", words={name: packed}, lacks=(name,))


def changed(**by: Callable[[float], float]) -> Callable[[int], Values]:
    return lambda poll: {name: by.get(name, float)(value) for name, value in at(poll).items()}


COUNTERS = ("total_import", "total_export")
ODDITIES = (
    marker("voltage_l1", "ffff"),
    marker("power_factor", "8000"),
    marker("total_export", "ffffffff"),
    marker("power", "80000000"),
    marker("total_import", "ff" * 8),
    marker("reactive_power", "80" + "00" * 7),
    marker("frequency", "ffc00000"),
    marker("voltage_l2", "fff8" + "00" * 6),
    no_number("frequency", "NaN", struct.pack(">f", float("nan"))),
    no_number("voltage_l2", "NaN", struct.pack(">d", float("nan"))),
    no_number("frequency", "infinity", struct.pack(">f", float("inf"))),
    no_number("voltage_l2", "minus infinity", struct.pack(">d", float("-inf"))),
    Oddity(
        name="nothing available at all",
        words={name: b"\xff" * 8 if name != "power" else b"\x80\0\0\0" for name in ("power", *COUNTERS)},
        lacks=("power", *COUNTERS),
        during=GONE,
    ),
    Oddity(name="power beyond the connection", says=changed(power=lambda _: -2000.0), during=DOUBTED),
    Oddity(
        name="counter spike",
        says=changed(total_export=lambda kwh: kwh + 90.0),
        first=6,
        last=6,
        during=DOUBTED,
    ),
    Oddity(name="counter dip", says=changed(total_export=lambda kwh: kwh - 50.0), first=6, last=8, during=DOUBTED),
    Oddity(
        name="counter reset",
        says=changed(total_export=lambda kwh: kwh - START_KWH),
        last=80,
        polls=80,
        during=DOUBTED | {ReadingQuality.GOOD},  # it counts from there, and is believed after a while
    ),
    Oddity(
        name="meter exchanged",
        says=changed(total_export=lambda kwh: kwh - START_KWH + 345.0, total_import=lambda kwh: kwh - BIG_KWH + 7.0),
        last=100,
        polls=100,
        during=DOUBTED | {ReadingQuality.GOOD},
    ),
    Oddity(
        name="counter rollover",
        says=changed(total_export=lambda kwh: (kwh + 99.0) % 1000.0),
        first=0,
        last=80,
        polls=80,
        during=DOUBTED | {ReadingQuality.GOOD},  # a counter that was lost says zero, too: it has to count on
    ),
    Oddity(
        name="counters stand still",
        says=lambda poll: at(poll) | {name: at(5)[name] for name in COUNTERS},
        last=80,
        polls=81,
        settles=60,
        during=DOUBTED,
        after=DOUBTED,
    ),
    Oddity(
        name="everything stands still",
        says=lambda _: at(5),
        last=80,
        polls=81,
        settles=65,
        during=DOUBTED,
        after=DOUBTED,
    ),
    Oddity(
        name="everything stands still, without counters",
        says=lambda _: at(5),
        last=80,
        polls=100,
        settles=65,
        during=DOUBTED,
        without=COUNTERS,
    ),
    Oddity(
        name="everything stands still at idle",
        says=lambda _: at(5) | {"power": 0.0},
        last=100,
        polls=100,
        without=COUNTERS,
    ),
)


class Display:
    """The registers of the meter, at a poll."""

    def __init__(self, odd: Oddity) -> None:
        self.odd = odd
        self.poll = 0

    def lasts(self) -> bool:
        return self.odd.first <= self.poll <= self.odd.last

    def says(self) -> Values:
        return (self.odd.says if self.lasts() else at)(self.poll)

    def words(self) -> Words:
        lying = image(TABLE, self.says())
        for name, packed in self.odd.words.items() if self.lasts() else ():
            start = TABLE.registers[name].at[0]
            lying |= {(3, start + i): int.from_bytes(packed[2 * i : 2 * i + 2], "big") for i in range(len(packed) // 2)}
        return lying

    def bank(self, code: int, start: int, count: int) -> list[int] | int:
        lying = self.words()
        missing = {address for name in self.odd.without for address in range(*_span(name))}
        there = [lying.get((code, a)) for a in range(start, start + count) if a not in missing]
        if len(there) < count or None in there:
            return 2
        return [word for word in there if word is not None]


def _span(name: str) -> tuple[int, int]:
    register = TABLE.registers[name]
    return register.at[0], register.at[0] + {"u32": 2, "u64": 4}[register.type]


async def shown(odd: Oddity, framing: Framing) -> FaultResult:
    """The meter polled through its oddity."""
    display = Display(odd)
    server = Server(framing=framing, units={1: display.bank})
    await server.start()
    said = {"profile": str(PROFILE), "poll_seconds": POLL_SECONDS, "registers": {}, "function_code": None}
    reader = plant.reader(plant.settings(server, 1, framing, **said), meter(connection_kw=100.0, rollover_kwh=1000.0))
    complaints: list[str] = []
    wrong = 0
    reading: Reading | None = None
    for poll in range(odd.polls):
        display.poll = poll
        reading = await reader.read()
        found = _judged(odd, display, reading)
        wrong += len(found)
        complaints += found
        if display.lasts() and poll >= odd.first + odd.settles:
            complaints += _unlike(odd, reading, poll)
        await asyncio.sleep(POLL_SECONDS)
    await reader.close()
    await server.stop()
    assert reading is not None
    if reading.quality not in odd.after:
        complaints.append(f"the last reading is {reading.quality}: {reading.note}")
    return FaultResult(
        name=f"{odd.name} ({framing})",
        survived=not complaints,
        wrong_values=wrong,
        kept_share=1.0,
        recovered=0,
        victim_share=1.0,
        complaints=tuple(complaints[:3]),
    )


def _judged(odd: Oddity, display: Display, reading: Reading) -> list[str]:
    """What of a good reading is not what the meter said."""
    if reading.quality is not ReadingQuality.GOOD:
        return []
    says = display.says()
    return [
        f"{name} {value}"
        for name, value in told(reading).items()
        if abs(value - says[name]) > 1e-6 * max(1.0, abs(value))
    ] + [f"{name} was told" for name in odd.lacks if display.lasts() and name in told(reading)]


def _unlike(odd: Oddity, reading: Reading, poll: int) -> Sequence[str]:
    found = []
    if reading.quality not in odd.during:
        found.append(f"poll {poll} is {reading.quality} ({reading.note})")
    if reading.quality is ReadingQuality.SUSPECT and '"3"' not in reading.raw:
        found.append("a doubted reading without what lay on the wire")
    expected = set(at(0)) - set(odd.lacks) - set(odd.without)
    if reading.quality is ReadingQuality.GOOD and set(told(reading)) != expected:
        found.append(f"told {sorted(told(reading))}")
    return found

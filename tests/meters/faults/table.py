"""The faults of a wire, each with what is expected of its victim while it lasts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.meters.faults import plays
from tests.meters.faults.plant import HOLE
from tests.meters.faults.server import Framing, Link, Play, honest, nothing

BOTH: tuple[Framing, ...] = ("tcp", "rtu")
RIGHT, SOME, ABSENT = 0.8, 0.3, 0.0  # the least share of the victim's reads that come through all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fault: whose it is, for how long, and the least share of the victim's reads that are kept in spite of it."""

    name: str
    play: Play = honest
    greet: Callable[[Link], Awaitable[bool]] = nothing
    least: float = ABSENT
    most: float = 1.0  # absent means: not one value, as there is no right one
    framings: tuple[Framing, ...] = BOTH
    whole_gateway: bool = False  # nobody behind it can be read; the meters elsewhere must be
    alone: bool = False  # nobody else is behind it
    refuse: bool = False  # nobody listens
    ticks: int = 20
    said: Mapping[str, Any] = field(default_factory=dict)  # what config.yaml says of all meters of the gateway
    lacks: tuple[str, ...] = ()  # quantities that this meter cannot tell
    refusals: int | None = None  # the most reads that may be refused or unanswered: what was learned is remembered
    recovers_within: int = 20  # polls


def absent(name: str, play: Play, **more: Any) -> Scenario:
    return Scenario(name=name, play=play, most=0.0, **more)


TCP: tuple[Framing, ...] = ("tcp",)
RTU: tuple[Framing, ...] = ("rtu",)

SCENARIOS = (
    # ---- late and never
    absent("late reply", plays.late),
    Scenario(name="a little late, alone on the line", play=plays.slow(1.3), alone=True),
    Scenario(name="every 3rd reply late, alone on the line", play=plays.each(3, plays.late), alone=True, least=SOME),
    absent("late reply, overtaken by others", plays.overtaken),
    Scenario(name="every 3rd reply late", play=plays.each(3, plays.late), least=SOME),
    Scenario(name="every 7th reply late", play=plays.each(7, plays.late), least=SOME),
    Scenario(name="slow, but in time", play=plays.slow(0.8), least=RIGHT),
    absent("dead unit behind a gateway", plays.silent),
    absent("dead unit, said by the gateway after a while", plays.refused(11, after=0.7)),
    absent("half a frame", plays.half),
    Scenario(name="every 5th request lost", play=plays.each(5, plays.silent), least=RIGHT),
    # ---- numbers that are not those of the request
    absent("wrong transaction id", plays.wrong_transaction, framings=TCP),
    Scenario(name="answers of others on our connection", play=plays.others_first, least=ABSENT, framings=TCP),
    Scenario(
        name="constant transaction id",
        whole_gateway=True,
        play=plays.constant_transaction(1),
        least=RIGHT,
        framings=TCP,
    ),
    Scenario(
        name="transaction id always 0",
        whole_gateway=True,
        play=plays.constant_transaction(0),
        least=RIGHT,
        framings=TCP,
    ),
    Scenario(
        name="constant transaction id, some late",
        whole_gateway=True,
        play=plays.constant_some_late,
        least=SOME,
        framings=TCP,
    ),
    absent("constant transaction id, all late", plays.constant_and_late, framings=TCP, whole_gateway=True),
    Scenario(name="unit echoed as 0", play=plays.echoing(0), least=RIGHT, framings=TCP, alone=True),
    Scenario(name="unit echoed as 255", play=plays.echoing(255), least=RIGHT, framings=TCP, alone=True),
    absent("unit echoed as 0 by a gateway of many", plays.echoing(0)),
    Scenario(name="unit echoed as 0, and said so", play=plays.echoing(0), least=RIGHT, said={"echoes_unit": False}),
    absent("answer of another unit", plays.answer_of_another_unit),
    # ---- the meter says no
    *(absent(f"exception {code}", plays.refused(code), recovers_within=25) for code in (1, 2, 3, 4, 5, 6, 10, 11)),
    Scenario(name="busy when asked too soon", play=plays.busy_when_hurried, least=RIGHT),
    Scenario(name="deaf when asked too soon", play=plays.deaf_when_hurried, least=0.6),
    Scenario(
        name="deaf when asked too soon, pause said",
        play=plays.deaf_when_hurried,
        least=0.95,
        said={"pause_ms": 30},
    ),
    Scenario(name="a hole inside of a block", play=plays.hole(HOLE), least=0.95, lacks=("voltage_l2",), refusals=4),
    Scenario(
        name="a hole, refused as a wrong value",
        play=plays.hole(HOLE, code=3),
        least=0.95,
        lacks=("voltage_l2",),
        refusals=4,
    ),
    Scenario(name="at most 5 registers a read", play=plays.at_most(5, 3), least=0.95, refusals=4),
    Scenario(name="at most 5 registers, else silence", play=plays.at_most(5, None), least=RIGHT, refusals=12),
    # ---- connections
    Scenario(name="first second swallowed", play=plays.deaf_at_first, least=RIGHT, whole_gateway=True),
    Scenario(
        name="first second swallowed, often closed",
        play=plays.deaf_at_first_and_closing,
        least=SOME,
        alone=True,
    ),
    absent("half-open: takes the connection and stalls", plays.silent, whole_gateway=True),
    Scenario(name="peer gone without a word", play=plays.deaf_on_first_connection(1), least=RIGHT, whole_gateway=True),
    Scenario(name="closed after each reply", play=plays.closing, least=RIGHT, whole_gateway=True),
    absent("closed instead of a reply", plays.closing_unanswered, alone=True),
    Scenario(name="a second client kicks us out", play=plays.kicked_out, least=RIGHT, whole_gateway=True),
    absent("takes no further client", honest, greet=plays.not_served, whole_gateway=True),
    absent("connection refused for minutes", honest, refuse=True, whole_gateway=True, ticks=90),
    absent("half a frame, then closed", plays.half_then_closing, alone=True),
    # ---- bytes
    Scenario(name="byte by byte", play=plays.byte_by_byte, least=0.95),
    Scenario(name="each reply twice at once", play=plays.twice_at_once, least=0.95),
    Scenario(name="each reply twice", play=plays.twice, least=RIGHT),
    Scenario(name="each reply twice, alone on the line", play=plays.twice, least=0.95, alone=True),
    Scenario(name="garbage behind the reply", play=plays.garbage_behind, least=0.95),
    Scenario(name="garbage a moment after the reply", play=plays.garbage_later, least=0.95),
    Scenario(name="a glitch before the reply", play=plays.garbage_before, least=0.95),
    Scenario(name="check sum left behind the reply", play=plays.check_sum_behind, least=0.95, framings=TCP),
    Scenario(name="replies held back and coalesced", play=plays.coalesced, least=ABSENT),
    Scenario(name="replies held back and coalesced, alone on the line", play=plays.coalesced, alone=True),
    absent("too few bytes", plays.too_few_bytes),
    absent("too many bytes", plays.too_many_bytes),
    absent("an odd number of bytes", plays.odd_bytes),
    absent("byte count too small", plays.byte_count(-2)),
    absent("byte count too large", plays.byte_count(2)),
    absent("header length too small", plays.header_length(-2), framings=TCP),
    absent("header length too large", plays.header_length(2), framings=TCP),
    absent("another function", plays.other_function),
    absent("exception of another function", plays.exception_of_another_function),
    absent("another protocol", plays.other_protocol, framings=TCP),
    absent("check sum wrong", plays.flipped_bit, framings=RTU),
    Scenario(name="every 4th check sum wrong", play=plays.each(4, plays.flipped_bit), least=SOME, framings=RTU),
    absent("a web server", plays.web_page),
)

"""What goes wrong on a wire to a meter, each as a short play: given the request and the honest answer, what is sent."""

import asyncio

from tests.meters.faults.server import Link, Play, Request, honest

LATE_SECONDS = 1.6  # the readers here give up after one second


def refused(code: int, after: float = 0.0) -> Play:
    """An exception, after a while."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        await asyncio.sleep(after)
        link.write(link.frame(request, bytes([request.code | 0x80, code])))

    return play


def each(n: int, play: Play) -> Play:
    """Every n-th answer goes wrong."""

    async def some(link: Link, request: Request, pdu: bytes) -> None:
        await (play if request.number % n == 0 else honest)(link, request, pdu)

    return some


async def silent(link: Link, request: Request, pdu: bytes) -> None:
    """No answer."""


async def late(link: Link, request: Request, pdu: bytes) -> None:
    """An answer when nobody waits any more; whoever asks meanwhile is served afterwards, as on a serial line."""
    await asyncio.sleep(LATE_SECONDS)
    await honest(link, request, pdu)


def slow(seconds: float) -> Play:
    async def play(link: Link, request: Request, pdu: bytes) -> None:
        await asyncio.sleep(seconds)
        await honest(link, request, pdu)

    return play


async def overtaken(link: Link, request: Request, pdu: bytes) -> None:
    """A late answer that lets later ones pass."""
    asyncio.get_running_loop().call_later(LATE_SECONDS, link.write, link.frame(request, pdu))


def other_words(pdu: bytes) -> bytes:
    """An answer of the same shape that says something slightly else: no doubt of its values would find it out."""
    return pdu[:2] + bytes(byte ^ (4 if at % 4 == 3 else 0) for at, byte in enumerate(pdu[2:]))


async def wrong_transaction(link: Link, request: Request, pdu: bytes) -> None:
    """Somebody else's answer: it fits in all but its transaction."""
    link.write(link.frame(request, other_words(pdu), transaction=(request.transaction + 7) % 65536))


async def others_first(link: Link, request: Request, pdu: bytes) -> None:
    """Somebody else's answer, then ours."""
    link.write(link.frame(request, other_words(pdu), transaction=(request.transaction - 9) % 65536))
    await honest(link, request, pdu)


def constant_transaction(number: int) -> Play:
    async def play(link: Link, request: Request, pdu: bytes) -> None:
        link.write(link.frame(request, pdu, transaction=number))

    return play


async def constant_and_late(link: Link, request: Request, pdu: bytes) -> None:
    await asyncio.sleep(LATE_SECONDS)
    link.write(link.frame(request, pdu, transaction=1))


async def constant_some_late(link: Link, request: Request, pdu: bytes) -> None:
    await (constant_and_late if request.number % 5 == 0 else constant_transaction(1))(link, request, pdu)


def echoing(unit: int) -> Play:
    async def play(link: Link, request: Request, pdu: bytes) -> None:
        link.write(link.frame(request, pdu, unit=unit))

    return play


async def answer_of_another_unit(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, other_words(pdu), unit=request.unit + 1))


async def closing(link: Link, request: Request, pdu: bytes) -> None:
    await honest(link, request, pdu)
    link.close()


async def closing_unanswered(link: Link, request: Request, pdu: bytes) -> None:
    link.close()


async def half_then_closing(link: Link, request: Request, pdu: bytes) -> None:
    whole = link.frame(request, pdu)
    link.write(whole[: len(whole) // 2])
    link.close()


async def half(link: Link, request: Request, pdu: bytes) -> None:
    whole = link.frame(request, pdu)
    link.write(whole[: len(whole) // 2])


async def byte_by_byte(link: Link, request: Request, pdu: bytes) -> None:
    for byte in link.frame(request, pdu):
        link.write(bytes([byte]))
        for _ in range(4):
            await asyncio.sleep(0)  # the client reads in between


async def twice_at_once(link: Link, request: Request, pdu: bytes) -> None:
    link.write(2 * link.frame(request, pdu))


async def twice(link: Link, request: Request, pdu: bytes) -> None:
    """The same again a moment later, when the next request may be on its way."""
    link.write(link.frame(request, pdu))
    asyncio.get_running_loop().call_later(0.004, link.write, link.frame(request, pdu))


async def garbage_behind(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, pdu) + b"\xc3\x5a\x00\x01\x7f")


async def garbage_later(link: Link, request: Request, pdu: bytes) -> None:
    """Garbage that arrives when the next request is under way."""
    link.write(link.frame(request, pdu))
    asyncio.get_running_loop().call_later(0.004, link.write, b"\xc3\x5a\x00\x01\x7f")


async def garbage_before(link: Link, request: Request, pdu: bytes) -> None:
    """The glitch of a line that changes its direction."""
    link.write(b"\x00\xff\x04" + link.frame(request, pdu))


async def check_sum_behind(link: Link, request: Request, pdu: bytes) -> None:
    """A gateway that forgets to take off the check sum of the serial frame."""
    link.write(link.frame(request, pdu) + b"\x12\x34")


async def coalesced(link: Link, request: Request, pdu: bytes) -> None:
    """Every second answer is held back, and comes together with the next one."""
    if request.number % 2:
        link.kept = link.frame(request, pdu)
        return
    held, link.kept = link.kept, b""
    link.write(held + link.frame(request, pdu))


async def too_few_bytes(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, bytes([pdu[0], pdu[1] - 2]) + pdu[2:-2]))


async def too_many_bytes(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, bytes([pdu[0], pdu[1] + 2]) + b"\0\1" + pdu[2:]))


async def odd_bytes(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, bytes([pdu[0], pdu[1] - 1]) + pdu[2:-1]))


def byte_count(by: int) -> Play:
    """All bytes are there, and their count is wrong."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        link.write(link.frame(request, bytes([pdu[0], pdu[1] + by]) + pdu[2:]))

    return play


def header_length(by: int) -> Play:
    """The length in the header of Modbus TCP is wrong."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        whole = link.frame(request, pdu)
        length = int.from_bytes(whole[4:6], "big") + by
        link.write(whole[:4] + length.to_bytes(2, "big") + whole[6:])

    return play


async def other_function(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, bytes([7 - pdu[0]]) + other_words(pdu)[1:]))


async def exception_of_another_function(link: Link, request: Request, pdu: bytes) -> None:
    link.write(link.frame(request, bytes([0x86, 2])))


async def other_protocol(link: Link, request: Request, pdu: bytes) -> None:
    whole = link.frame(request, other_words(pdu))
    link.write(whole[:2] + b"\0\1" + whole[4:])


async def flipped_bit(link: Link, request: Request, pdu: bytes) -> None:
    """Noise on a serial line: the check sum no longer fits."""
    whole = bytearray(link.frame(request, pdu))
    whole[5] ^= 0x10
    link.write(bytes(whole))


async def web_page(link: Link, request: Request, pdu: bytes) -> None:
    link.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


async def busy_when_hurried(link: Link, request: Request, pdu: bytes) -> None:
    """A gateway that wants 18 ms between an answer and the next request."""
    now = asyncio.get_running_loop().time()
    hurried = now - link.answered_at < 0.023  # its own 5 ms are in it
    await (refused(6) if hurried else honest)(link, request, pdu)


async def deaf_when_hurried(link: Link, request: Request, pdu: bytes) -> None:
    now = asyncio.get_running_loop().time()
    hurried = now - link.answered_at < 0.023
    await (silent if hurried else honest)(link, request, pdu)


async def deaf_at_first(link: Link, request: Request, pdu: bytes) -> None:
    """What comes within a second of connecting is swallowed."""
    await (silent if link.age < 1.0 else honest)(link, request, pdu)


async def deaf_at_first_and_closing(link: Link, request: Request, pdu: bytes) -> None:
    """And every tenth answer is followed by a hang-up."""
    await deaf_at_first(link, request, pdu)
    if request.number % 10 == 0:
        link.close()


def deaf_on_first_connection(seen: int) -> Play:
    """The peer went away without a word; whoever connects anew is served."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        await (silent if link.number <= seen else honest)(link, request, pdu)

    return play


async def kicked_out(link: Link, request: Request, pdu: bytes) -> None:
    """Another client connects every now and then, and the device keeps only the last one."""
    if request.number % 7 == 3:
        link.close()
        return
    await honest(link, request, pdu)


async def not_served(link: Link) -> bool:
    """Too many clients: the connection is taken and closed."""
    return False


def hole(at: int, code: int = 2) -> Play:
    """A register in the middle of the block that the device does not have."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        touched = request.start <= at < request.start + request.count
        await (refused(code) if touched else honest)(link, request, pdu)

    return play


def at_most(registers: int, code: int | None) -> Play:
    """Longer reads are refused, or not answered at all."""

    async def play(link: Link, request: Request, pdu: bytes) -> None:
        too_long = silent if code is None else refused(code)
        await (too_long if request.count > registers else honest)(link, request, pdu)

    return play

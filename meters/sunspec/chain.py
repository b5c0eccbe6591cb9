"""The models that a SunSpec device has, found by walking from one to the next. Where they lie is never taken for granted."""

from dataclasses import dataclass
from typing import Protocol

from energy.errors import MeterError
from meters.bus import RefusedError
from meters.identify import text

BASES = (40000, 0, 50000)
MARK = [0x5375, 0x6E53]  # "SunS"
COMMON = 1
TEXTS = ((2, 18), (18, 34), (34, 42), (42, 50), (50, 66))  # maker, model, options, version, serial number
END = 0xFFFF
MOST_MODELS = 200
CODE = 3  # all of SunSpec lies in holding registers


class Asked(Protocol):
    """What a bus is to this file: something that reads registers."""

    async def read(self, unit: int, code: int, start: int, count: int, timeout: float) -> list[int]: ...


class NotSunSpecError(MeterError):
    """The device answers, but has no SunSpec map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a device says of itself in its common model."""

    maker: str = ""
    model: str = ""
    options: str = ""
    version: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a device: `address` is where its id lies, `length` the registers of its body, `instance` which of its
    id it is (from 1), `device` what the common model before it said."""

    id: int
    address: int
    length: int
    instance: int
    device: Device


async def discover(bus: Asked, unit: int, *, timeout: float = 1.0) -> list[Model]:
    """All models of a unit, the common one too, in their order. NotSunSpecError where it answers but has none; what the
    bus raises where it does not answer."""
    base = await _base(bus, unit, timeout)
    found: list[Model] = []
    device = Device()
    address = base + len(MARK)
    while address <= 65534 and len(found) < MOST_MODELS:
        head = await _head(bus, unit, address, timeout)
        if head is None or head[0] in (END, 0) or address + 2 + head[1] > 65536:
            break
        id, length = head
        if id == COMMON:
            device = await _device(bus, unit, address, length, timeout)
        instance = 1 + sum(model.id == id for model in found)
        found.append(Model(id=id, address=address, length=length, instance=instance, device=device))
        address += 2 + length
    return found


async def _base(bus: Asked, unit: int, timeout: float) -> int:
    refused: RefusedError | None = None
    for base in BASES:
        try:
            if await bus.read(unit, CODE, base, len(MARK), timeout) == MARK:
                return base
        except RefusedError as no:
            if not no.unknown_address and no.code != 1:
                raise
            refused = no
    places = ", ".join(map(str, BASES))
    raise NotSunSpecError(
        f"unit {unit} answers, but has no SunSpec map at {places}: is SunSpec switched on in the device, the unit right?"
    ) from refused


async def _head(bus: Asked, unit: int, address: int, timeout: float) -> list[int] | None:
    """Id and length of the model there; None where the device ends without saying so."""
    try:
        return await bus.read(unit, CODE, address, 2, timeout)
    except RefusedError as no:
        if no.unknown_address:
            return None
        raise


async def _device(bus: Asked, unit: int, address: int, length: int, timeout: float) -> Device:
    maker, model, options, version, serial = await _texts(bus, unit, address, min(length + 2, 66), timeout)
    return Device(maker=maker, model=model, options=options, version=version, serial=serial)


async def _texts(bus: Asked, unit: int, address: int, count: int, timeout: float) -> list[str]:
    """The texts of a common model, in one read; one by one where the device does not take it."""
    try:
        words = await bus.read(unit, CODE, address, count, timeout)
    except RefusedError as no:
        if not no.unknown_address:
            raise
        return [text(await bus.read(unit, CODE, address + start, end - start, timeout)) for start, end in TEXTS]
    return [text(words[start:end]) for start, end in TEXTS]

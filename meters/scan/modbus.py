"""Scanner `modbus`: what answers behind a Modbus address, which model it is, and whether its values can be right."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from energy.clock import SystemClock
from energy.errors import EnoughError, LoadstoneError, MeterError
from energy.model.commissioning import FoundMeter
from energy.model.meter import Measures
from energy.ports import Context, Scanner
from meters.line import Line, LineSettings, Transport
from meters.profile import Profile, load, names
from meters.scan.physics import Expected

if TYPE_CHECKING:
    from meters.scan.counting import Poll
    from meters.scan.reading import Taken
    from meters.scan.units import Progress

Result = TypeVar("Result")

WATCH_SECONDS = 6.0
MOST_POLLS = 300  # of one meter that are remembered for the slope of its counters
REMEMBERED = 20  # meters

# Keys of a meter in config.yaml that say what it is for, not how it is read.
PLACE = ("id", "name", "kind", "role", "measures", "machine", "connection_kw", "place", "rollover_kwh", "above")


class Settings(BaseModel):
    """What may be said about the scanner: nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for, and where."""

    line: Line
    lines: tuple[tuple[str, object], ...]  # the same as config.yaml says it
    units: tuple[int, ...] = ()
    profile: str = ""
    watch_seconds: float = WATCH_SECONDS
    timeout_seconds: float = 1.0


def build(settings: Settings, context: Context) -> Scanner:  # noqa: ARG001 - every kind is built like this
    return ModbusScanner(context)


@dataclass
class Memory:
    """What one meter said at earlier looks: its registers, or, of kinds that have none, its values."""

    taken: "deque[Taken]" = field(default_factory=lambda: deque(maxlen=MOST_POLLS))
    polls: "deque[Poll]" = field(default_factory=lambda: deque(maxlen=MOST_POLLS))


@dataclass
class ModbusScanner:
    """Plain calls; each runs a loop of its own, and leaves no connection behind. What was read at earlier looks at a
    meter is remembered, so that the slope of its counters is known the better the longer one looks."""

    context: Context
    name: str = "modbus"
    _looks: dict[tuple[object, ...], Memory] = field(default_factory=dict)

    def scan(
        self, host: str, *, units: str = "", progress: "Progress | None" = None, **more: object
    ) -> Sequence[FoundMeter]:
        wanted = wanted_at(host, units=units, **more)
        return self.search(wanted, progress=progress)

    def search(self, wanted: Wanted, *, progress: "Progress | None" = None) -> Sequence[FoundMeter]:
        """What answers there. Ended early (by Ctrl-C, or a progress that raises EnoughError) it gives what it has."""
        from meters.scan.search import Search

        search = Search(self.tables(wanted.profile), SystemClock(), progress or _quiet)
        try:
            _run(search.run(wanted))
        except (KeyboardInterrupt, EnoughError):
            search.ended_early = True
        return search.results()

    def look(self, settings: Mapping[str, object]) -> FoundMeter:
        from meters.scan.look import look

        return _run(look(settings, self.context, self._remembered(settings)))

    def tables(self, profile: str = "") -> dict[str, Profile]:
        """The tables that are tried: all built-in ones, or one."""
        chosen = (profile,) if profile else tuple(name for name in names() if name != "generic")
        return {name: load(name, self.context.folder) for name in chosen}

    def _remembered(self, settings: Mapping[str, object]) -> Memory:
        """What was taken at earlier looks at the same registers."""
        lies = ("kind", "transport", "host", "port", "device", "unit", "profile")
        if settings.get("kind", "modbus") == "modbus":  # registers are read anew in another way; values would be others
            key: tuple[object, ...] = tuple(str(settings.get(name)) for name in lies)
        else:
            key = tuple(sorted((name, str(value)) for name, value in settings.items() if name not in PLACE[3:]))
        if key not in self._looks and len(self._looks) >= REMEMBERED:
            self._looks.pop(next(iter(self._looks)))
        return self._looks.setdefault(key, Memory())


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def _quiet(share: float, what: str) -> None:
    """Nobody wants to know."""


def wanted_at(host: str, *, units: str = "", **more: Any) -> Wanted:
    """HOST, HOST:PORT, or a serial device, with what else is said about the line."""
    from meters.scan.units import units_named

    own = {key: more.pop(key) for key in ("profile", "watch_seconds", "timeout_seconds") if more.get(key) is not None}
    said = {key: value for key, value in more.items() if value not in (None, "")}
    said |= where(host)
    try:
        settings = LineSettings.model_validate(said)
    except ValueError as error:
        raise LoadstoneError(f"{host}: {in_words(error)}") from error
    return Wanted(line=settings.line(), lines=tuple(said.items()), units=units_named(units), **own)


def where(host: str) -> dict[str, object]:
    """What an address says: a serial device, or a host with its port."""
    host = host.strip()
    if host.startswith(("/dev/", "COM")):
        return {"transport": Transport.SERIAL.value, "device": host}
    if host.startswith("["):  # [fe80::1]:502
        name, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = host.partition(":") if host.count(":") == 1 else (host, "", "")
    if not name:
        raise LoadstoneError("say an address, such as 192.168.1.40 or 192.168.1.40:502")
    if port and not port.isdigit():
        raise LoadstoneError(f"{host}: {port!r} is no port; say HOST or HOST:PORT")
    return {"host": name, **({"port": int(port)} if port else {})}


def in_words(error: ValueError) -> str:
    """What pydantic found, without its form."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    told = (
        ": ".join(part for part in (".".join(str(p) for p in e["loc"]), e["msg"].removeprefix("Value error, ")) if part)
        for e in error.errors()
    )
    return "; ".join(told)


def expected_of(settings: Mapping[str, object]) -> Expected:
    """What the entry of a meter says of its place."""
    measures, kw = settings.get("measures"), settings.get("connection_kw")
    display = settings.get("display_kw")
    return Expected(
        connection_kw=float(kw) if isinstance(kw, int | float) and kw > 0 else None,
        measures=Measures(str(measures)) if measures in list(Measures) else None,
        display_kw=float(display) if isinstance(display, int | float) else None,
    )


@asynccontextmanager
async def connected(line: Line) -> AsyncIterator[Any]:
    """A bus for the time of a block."""
    from meters import bus

    joined = bus.join(line)
    joined.hunting = True
    try:
        yield joined
    finally:
        bus.leave(joined)


__all__ = ["MeterError", "ModbusScanner", "Settings", "Wanted", "build", "wanted_at"]

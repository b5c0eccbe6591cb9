"""Real Modbus servers (TCP, RTU over TCP, TLS, serial) that speak for the meters of a simulated plant."""

import asyncio
import logging
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.server.base import ModbusBaseServer
from pymodbus.simulator import DataType, SimData, SimDevice

from energy.errors import MeterError
from energy.twin.stand import Stand
from meters.image import image, places
from meters.line import Line, Transport
from meters.modbus import Settings
from meters.profile import Profile
from meters.simulator.cable import Cable
from meters.simulator.face import face

log = logging.getLogger("loadstone.simulator")


class PowerSource(Protocol):
    """What flows through the meters of a plant that is not there."""

    def stand(self, meter: str) -> Stand:
        """The counters and the power of a meter now."""
        ...


@dataclass
class Faults:
    """What goes wrong at which meter, to be changed while the servers run."""

    dead: set[str] = field(default_factory=set)  # no answer at all
    slow_seconds: dict[str, float] = field(default_factory=dict)  # answers late
    refuse: dict[str, ExcCodes] = field(default_factory=dict)  # answers with an exception


class SimulatedMeter:
    """One unit: it answers with what its plant says now, in the registers of its profile. Counters only count up."""

    def __init__(self, meter: str, settings: Settings, source: PowerSource, faults: Faults, folder: str = ".") -> None:
        self.meter = meter
        self.unit = settings.unit
        self._settings = settings
        self._profile = settings.table(folder)
        self._source = source
        self._faults = faults
        self._highest = {"import": 0.0, "export": 0.0}

    def device(self) -> SimDevice:
        """The unit as pymodbus serves it."""
        bit = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        banks = [_bank(self._profile, code) for code in (3, 4)]
        return SimDevice(self.unit, simdata=(bit, bit, banks[0], banks[1]), action=self._answer)

    async def _answer(
        self, code: int, first: int, address: int, count: int, words: list[int], written: object
    ) -> ExcCodes | None:
        if self.meter in self._faults.dead:
            raise NoSuchIdException(f"{self.meter} is dead")
        await asyncio.sleep(self._faults.slow_seconds.get(self.meter, 0.0))
        if self.meter in self._faults.refuse:
            return self._faults.refuse[self.meter]
        if written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        try:
            said = image(self._profile, face(self._now(), self._settings))
        except Exception:
            # A model that fails is a broken meter to whoever asks; the reason is in the log of the simulator.
            log.exception("the simulated meter %s has nothing to say", self.meter)
            return ExcCodes.DEVICE_FAILURE
        for (function, at), word in said.items():
            if function == code and address <= at < address + count:
                words[at - first] = word
        return None

    def _now(self) -> Stand:
        said = self._source.stand(self.meter)
        self._highest["import"] = max(self._highest["import"], said.import_kwh)
        self._highest["export"] = max(self._highest["export"], said.export_kwh)
        return Stand(self._highest["import"], self._highest["export"], said.power_kw)


def _bank(profile: Profile, code: int) -> list[SimData]:
    """The registers of a function code, from the first to the last one of the profile."""
    used = [place for r in profile.registers.values() if profile.code_of(r) == code for place in places(profile, r)]
    if not used:
        return [SimData(0, values=0, count=1, datatype=DataType.REGISTERS)]
    first = min(place.start for place in used)
    return [SimData(first, values=0, count=max(place.end for place in used) - first, datatype=DataType.REGISTERS)]


EVERY_REGISTER = SimData(0, values=0, count=65536, datatype=DataType.REGISTERS)


async def _nobody(*_: object) -> ExcCodes | None:
    """All units that are not there: they do not answer, as on a real line."""
    raise NoSuchIdException("no such unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The certificate with which simulated meters say who they are, and its key."""

    cert: str
    key: str


class Simulator:
    """All meters of a plant: one server a line, with its units behind it."""

    def __init__(
        self,
        meters: Iterable[tuple[str, Settings]],
        source: PowerSource,
        folder: str = ".",
        identity: Identity | None = None,
    ) -> None:
        self.faults = Faults()
        self._identity = identity
        self._servers: list[ModbusBaseServer] = []
        self._cables: list[Cable] = []
        self._behind: dict[Line, list[SimulatedMeter]] = {}
        for meter, settings in meters:
            units = self._behind.setdefault(settings.line(folder), [])
            units.append(SimulatedMeter(meter, settings, source, self.faults, folder))

    @property
    def addresses(self) -> Sequence[str]:
        return tuple(line.address for line in self._behind)

    async def start(self) -> None:
        """Listen. MeterError names the address that cannot be had."""
        for line, units in self._behind.items():
            devices = [unit.device() for unit in units]
            if all(unit.unit != 0 for unit in units):
                devices.append(SimDevice(0, simdata=EVERY_REGISTER, action=_nobody))
            try:
                server = self._server(line, devices)
                await server.serve_forever(background=True)
            except (RuntimeError, FileExistsError) as error:
                await self.stop()
                raise MeterError(f"cannot listen on {line.address}: is something else running there?") from error
            except MeterError:
                await self.stop()
                raise
            self._servers.append(server)

    def _server(self, line: Line, devices: list[SimDevice]) -> ModbusBaseServer:
        if line.transport is Transport.SERIAL:
            cable = Cable(line.device)
            self._cables.append(cable)
            return ModbusSerialServer(
                devices,
                port=cable.ends[1],  # a pseudo-terminal has no parity, and any baud rate
                ignore_missing_devices=True,
            )
        address = (line.host, line.port)
        if line.transport is Transport.TLS:
            return ModbusTlsServer(devices, address=address, sslctx=self._trusting(line), ignore_missing_devices=True)
        framer = FramerType.RTU if line.transport is Transport.RTU_OVER_TCP else FramerType.SOCKET
        return ModbusTcpServer(devices, address=address, framer=framer, ignore_missing_devices=True)

    def _trusting(self, line: Line) -> ssl.SSLContext:
        """TLS that lets in whom the plant's own authority signed."""
        if self._identity is None:
            raise MeterError(f"{line.address} is to speak TLS: give the simulated meters a certificate and its key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(line.ca_file)
        context.load_cert_chain(self._identity.cert, self._identity.key)
        return context

    async def stop(self) -> None:
        for server in self._servers:
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus has no annotation there
        self._servers.clear()
        for cable in self._cables:
            cable.close()
        self._cables.clear()

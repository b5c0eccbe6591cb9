"""The reader over every wire, against servers that are not ours: libmodbus in C, pyModbusTCP; and our simulator as
seen by a client that is not ours, mbpoll."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError
from pyModbusTCP.server import DataBank, ModbusServer

from energy.errors import ConfigError
from energy.model.meter import Reading, ReadingQuality
from energy.twin.stand import Stand
from meters import bus
from meters.image import image
from meters.line import Line, Transport
from meters.modbus import Settings
from meters.simulator.cable import Cable
from meters.simulator.face import face
from meters.simulator.server import Identity, Simulator
from tests.meters.wire import Fixed, free_port, meter, read_once, reader, run, settings, simulator

STAND = Stand(4321.5, 12.5, -88.0)
SOURCE = Fixed(STAND)


def is_right(reading: Reading) -> bool:
    told = (reading.quality, reading.import_kwh, reading.export_kwh, reading.power_kw)
    return told == (ReadingQuality.GOOD, STAND.import_kwh, STAND.export_kwh, STAND.power_kw)


def serial(device: str, unit: int = 1, **more: object) -> Settings:
    said = {"transport": "serial", "device": device, "unit": unit, "profile": "eastron-sdm630", "timeout_seconds": 2.0}
    said["parity"] = "none"  # a pseudo-terminal has no other
    return Settings.model_validate(said | more)


# ---- what config.yaml may say


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "transport tcp needs `host`"),
        ({"transport": "serial"}, "transport serial needs `device`, such as /dev/ttyUSB0"),
        ({"transport": "serial", "device": "/dev/x", "host": "h"}, "a serial line has a `device`, no `host`"),
        ({"host": "h", "baudrate": 9600}, "`baudrate` belong to transport serial, here it is tcp"),
        ({"host": "h", "ca_file": "a"}, "`ca_file` belong to transport tls, here it is tcp"),
        ({"host": "h", "transport": "tls", "ca_file": "a"}, "transport tls needs `client_cert` and `client_key`"),
        ({"host": "h", "transport": "udp"}, "'tcp', 'rtu-over-tcp', 'serial' or 'tls'"),
        ({"transport": "serial", "device": "d", "parity": "mark"}, "'none', 'even' or 'odd'"),
        ({"transport": "serial", "device": "d", "echoes_unit": False}, "is for gateways"),
    ],
)
def test_lines_that_cannot_be(said, told):
    with pytest.raises(ValidationError, match=told):
        Settings.model_validate(said)


def test_tls_has_a_port_of_its_own():
    said = {"host": "h", "transport": "tls", "ca_file": "a", "client_cert": "b", "client_key": "c"}
    assert Settings.model_validate(said).port == 802
    assert Settings.model_validate(said | {"port": 502}).port == 502


def test_a_certificate_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a").touch()
    said = {"host": "h", "transport": "tls", "ca_file": "a", "client_cert": "b", "client_key": "c"}
    with pytest.raises(ConfigError) as found:
        Settings.model_validate(said).line(str(tmp_path))
    assert [mistake.where for mistake in found.value.mistakes] == ["client_cert", "client_key"]


def test_what_makes_a_line_makes_a_bus():
    async def test():
        one = serial("/dev/a", 1).line()
        lines = [one, serial("/dev/a", 7).line(), serial("/dev/b").line(), serial("/dev/a", baudrate=9600).line()]
        lines += [Line(host="h"), Line(host="h", transport=Transport.RTU_OVER_TCP)]
        buses = [bus.join(line) for line in lines] + [bus.join("h", 502)]
        assert [buses.index(made) for made in buses] == [0, 0, 2, 3, 4, 5, 4]
        for made in buses:
            bus.leave(made)
        assert bus.join(one) is not buses[0]

    run(test())


def test_the_silence_of_a_line_is_that_of_its_baud_rate():
    assert serial("/dev/a", baudrate=9600, parity="even").line().silence_seconds == pytest.approx(3.5 * 11 / 9600)
    assert serial("/dev/a", baudrate=115200).line().silence_seconds == 0.00175
    assert Line(host="h").silence_seconds == 0


# ---- our client, our simulator (pymodbus), every transport


def test_rtu_over_tcp():
    async def test():
        said = [settings(free_port(), unit=unit, transport="rtu-over-tcp") for unit in (1, 2)]
        said[1] = said[1].model_copy(update={"port": said[0].port})
        async with simulator(("a", said[0]), ("b", said[1]), source=SOURCE):
            assert all(is_right(reading) for reading in await asyncio.gather(*(read_once(one) for one in said)))

    run(test())


def test_serial_units_share_a_pseudo_terminal(tmp_path):
    async def test():
        device = str(tmp_path / "line-1")
        said = [serial(device, unit) for unit in (1, 2, 3)]
        async with simulator(*((f"m{one.unit}", one) for one in said), source=SOURCE) as plant:
            assert plant.addresses == (device,)
            readers = [reader(one, meter(f"m{one.unit}")) for one in said]
            for _ in range(2):
                assert all(is_right(reading) for reading in await asyncio.gather(*(made.read() for made in readers)))
            for made in readers:
                await made.close()

    run(test())


@pytest.mark.parametrize(
    ("device", "told"),
    [("nowhere", "is the adapter plugged in"), ("plain", "cannot be opened")],
)
def test_a_device_that_is_none(tmp_path, device, told):
    async def test():
        (tmp_path / "plain").touch()
        reading = await read_once(serial(str(tmp_path / device)))
        assert reading.quality is ReadingQuality.NO_ANSWER
        assert told in reading.note

    run(test())


def test_an_adapter_that_is_pulled_and_plugged_in_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bus, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(bus, "LONGEST_PAUSE_SECONDS", 0.1)

    async def test():
        said = serial(str(tmp_path / "line"), timeout_seconds=0.5, poll_seconds=0.05)
        made = reader(said)
        for _ in range(2):
            async with simulator(("m", said), source=SOURCE), asyncio.timeout(10):
                while not is_right(await made.read()):
                    await asyncio.sleep(0.05)
            assert (await made.read()).quality is ReadingQuality.NO_ANSWER
        await made.close()

    run(test())


# ---- servers that are not ours


@pytest.fixture(scope="module")
def slave(tmp_path_factory) -> str:
    """A meter made of libmodbus."""
    made = tmp_path_factory.mktemp("slave") / "slave"
    source = Path(__file__).with_name("slave.c")
    if not shutil.which("gcc") or not Path("/usr/include/modbus/modbus.h").exists():
        pytest.skip("NOT RUN: gcc and libmodbus-dev are needed for a server that is not ours")
    subprocess.run(["gcc", "-o", made, source, "-I/usr/include/modbus", "-lmodbus"], check=True, timeout=60)
    return str(made)


@asynccontextmanager
async def running(slave: str, said: Settings, *how: str) -> AsyncIterator[int]:
    """The slave with the registers of a meter; gives its port."""
    words = image(said.table(), face(STAND, said))
    lines = "".join(f"{code} {address} {word}\n" for (code, address), word in words.items()) + ".\n"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(slave, *how, stdin=pipe, stdout=pipe)
    assert process.stdin and process.stdout
    try:
        process.stdin.write(lines.encode())
        await process.stdin.drain()
        ready, port = (await process.stdout.readline()).decode().split()
        assert ready == "ready"
        yield int(port)
    finally:
        process.terminate()
        await process.communicate()


def test_libmodbus_over_tcp(slave):
    async def test():
        async with running(slave, settings(502), "tcp") as port:
            made = reader(settings(port))
            assert [is_right(await made.read()) for _ in range(3)] == [True] * 3
            await made.close()

    run(test())


def test_libmodbus_over_a_serial_line(slave):
    async def test():
        cable = Cable()
        said = serial(cable.ends[0], unit=9)
        async with running(slave, said, "rtu", cable.ends[1], "9"):
            made = reader(said)
            assert [is_right(await made.read()) for _ in range(3)] == [True] * 3
            wrong = await read_once(serial(cable.ends[0], unit=8, timeout_seconds=0.2))
            assert "unit 8 did not answer" in wrong.note
            await made.close()
        cable.close()

    run(test())


def test_pymodbustcp_as_the_server():
    async def test():
        said = settings(free_port())
        bank = DataBank()
        for (code, address), word in image(said.table(), face(STAND, said)).items():
            (bank.set_holding_registers if code == 3 else bank.set_input_registers)(address, [word])
        server = ModbusServer(port=said.port, no_block=True, data_bank=bank)
        await asyncio.to_thread(server.start)
        try:
            made = reader(said)
            assert [is_right(await made.read()) for _ in range(3)] == [True] * 3
            await made.close()
        finally:
            await asyncio.to_thread(server.stop)

    run(test())


# ---- a client that is not ours


async def polled(*arguments: str) -> str:
    if not shutil.which("mbpoll"):
        pytest.skip("NOT RUN: mbpoll is needed for a client that is not ours")
    asking = ("mbpoll", "-1", "-q", "-0", "-r", "52", "-t", "3:float", "-B", "-a", "1", "-o", "3", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*asking, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    return said.decode()


def test_mbpoll_reads_our_simulator_over_tcp():
    async def test():
        said = settings(free_port())
        async with simulator(("m", said), source=SOURCE):
            assert "-88000" in await polled("-m", "tcp", "-p", str(said.port), "127.0.0.1")

    run(test())


def test_mbpoll_reads_our_simulator_over_a_serial_line(tmp_path):
    async def test():
        device = str(tmp_path / "line")
        async with simulator(("m", serial(device)), source=SOURCE):
            assert "-88000" in await polled("-m", "rtu", "-b", "19200", "-P", "none", device)

    run(test())


# ---- Modbus/TCP Security


class Authorities:
    """Certificates of a plant, and of a stranger, as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.own, self.strange = trustme.CA(), trustme.CA()
        for name, ca in (("own", self.own), ("strange", self.strange)):
            ca.cert_pem.write_to_path(str(folder / f"{name}-ca.pem"))
        long_ago = datetime.now(UTC) - timedelta(days=1)
        self._keep("meter", self.own.issue_cert("127.0.0.1"))
        self._keep("other-name", self.own.issue_cert("meter-7.plant.example"))
        self._keep("expired", self.own.issue_cert("127.0.0.1", not_after=long_ago))
        self._keep("us", self.own.issue_cert("loadstone@plant.example"))
        self._keep("us-expired", self.own.issue_cert("loadstone@plant.example", not_after=long_ago))
        self._keep("stranger", self.strange.issue_cert("loadstone@plant.example"))

    def _keep(self, name: str, leaf: trustme.LeafCert) -> None:
        leaf.private_key_pem.write_to_path(str(self._folder / f"{name}.key"))
        for pem in leaf.cert_chain_pems:
            pem.write_to_path(str(self._folder / f"{name}.pem"), append=True)

    def identity(self, name: str) -> Identity:
        return Identity(cert=str(self._folder / f"{name}.pem"), key=str(self._folder / f"{name}.key"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> tuple[Path, Authorities]:
    folder = tmp_path_factory.mktemp("certificates")
    return folder, Authorities(folder)


def secure(folder: Path, us: str = "us", ca: str = "own", **more: object) -> Settings:
    said = {
        "transport": "tls",
        "ca_file": str(folder / f"{ca}-ca.pem"),
        "client_cert": str(folder / f"{us}.pem"),
        "client_key": str(folder / f"{us}.key"),
    }
    return settings(free_port(), **said, **more)


@asynccontextmanager
async def guarded(said: Settings, who: Identity, trusts: str) -> AsyncIterator[None]:
    """A simulated TLS meter, which trusts its own authority whatever its client does."""
    plant = Simulator([("m", said.model_copy(update={"ca_file": trusts}))], SOURCE, identity=who)
    await plant.start()
    try:
        yield
    finally:
        await plant.stop()


@asynccontextmanager
async def strict(said: Settings, context: ssl.SSLContext, who: Identity) -> AsyncIterator[None]:
    """A TLS server that says why it refuses (asyncio's own hangs up before it has said it)."""
    context.load_cert_chain(who.cert, who.key)
    listening = socket.create_server(("127.0.0.1", said.port))

    def serve() -> None:
        with suppress(OSError):  # until nobody listens any more
            while True:
                incoming, _ = listening.accept()
                with suppress(ssl.SSLError, ConnectionError), context.wrap_socket(incoming, server_side=True) as line:
                    line.recv(100)
                incoming.close()

    serving = asyncio.create_task(asyncio.to_thread(serve))
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        await serving


@pytest.mark.parametrize(
    ("meter_is", "us", "ca", "name", "told"),
    [
        ("meter", "us", "own", "", None),
        ("other-name", "us", "own", "meter-7.plant.example", None),
        ("other-name", "us", "own", "", "for this address: say the name that stands in it as `server_name`"),
        ("meter", "us", "own", "wrong.example", "for another name"),
        ("expired", "us", "own", "", "the meter's certificate has expired"),
        ("meter", "us", "strange", "", "an authority that `ca_file` does not hold"),
        ("meter", "stranger", "own", "", "does the meter know our client certificate?"),
        ("meter", "us-expired", "own", "", "does the meter know our client certificate?"),
    ],
)
def test_both_sides_show_who_they_are(certificates, meter_is, us, ca, name, told):
    folder, authorities = certificates

    async def test():
        said = secure(folder, us, ca, server_name=name)
        async with guarded(said, authorities.identity(meter_is), str(folder / "own-ca.pem")):
            reading = await read_once(said)
        if told is None:
            assert is_right(reading)
        else:
            assert reading.quality is ReadingQuality.NO_ANSWER
            assert told in reading.note

    run(test())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("us", "told"),
    [
        ("stranger", "does not know who signed our client certificate"),
        ("us-expired", "our client certificate has expired"),
    ],
)
def test_what_the_meter_says_of_our_certificate(certificates, us, told, version):
    folder, authorities = certificates

    async def test():
        said = secure(folder, us)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(folder / "own-ca.pem"))
        async with strict(said, context, authorities.identity("meter")):
            reading = await read_once(said)
        assert told in reading.note

    run(test())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_not_spoken(certificates):
    folder, authorities = certificates

    async def test():
        said = secure(folder)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        async with strict(said, old, authorities.identity("meter")):
            reading = await read_once(said)
        assert "no TLS 1.2 or newer" in reading.note

    run(test())


def test_plain_modbus_behind_a_tls_setting_is_recognised(certificates):
    folder, _ = certificates

    async def test():
        said = secure(folder)
        plain = settings(said.port)
        async with simulator(("m", plain)):
            reading = await read_once(said.model_copy(update={"timeout_seconds": 0.5}))
        assert reading.quality is ReadingQuality.NO_ANSWER
        assert reading.note

    run(test())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ({"ca_file": "us.key"}, "cannot be read as certificates"),
        ({"client_key": "stranger.key"}, "not a certificate and its key"),
    ],
)
def test_files_that_are_something_else(certificates, spoil, told):
    folder, _ = certificates

    async def test():
        said = secure(folder).model_copy(update={key: str(folder / name) for key, name in spoil.items()})
        reading = await read_once(said)
        assert told in reading.note

    run(test())


def test_a_key_under_a_passphrase_is_not_asked_for_on_the_terminal(certificates, tmp_path):
    folder, _ = certificates
    locked = tmp_path / "locked.key"
    key = serialization.load_pem_private_key((folder / "us.key").read_bytes(), None)
    under = serialization.BestAvailableEncryption(b"x")
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    locked.write_bytes(key.private_bytes(*shape, under))

    async def test():
        reading = await read_once(secure(folder).model_copy(update={"client_key": str(locked)}))
        assert "under a passphrase" in reading.note

    run(test())


def test_a_simulated_tls_meter_needs_a_certificate(certificates):
    folder, _ = certificates

    async def test():
        with pytest.raises(bus.MeterError, match="give the simulated meters a certificate"):
            await Simulator([("m", secure(folder))], SOURCE).start()

    run(test())

"""Meters on an OPC UA server in a process of its own."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import ValidationError

from energy.model.meter import ReadingQuality
from meters.opcua import Settings, build, connection
from meters.opcua.units import unit_of
from tests.meters.listening import context, listening
from tests.meters.wire import free_port, run

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(connection, "LONGEST_PAUSE_SECONDS", 0.3)


@dataclass
class Server:
    port: int
    folder: Path
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.meters.opcua.server", str(self.port), str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def say(self, node: str, value: object, at: datetime | None = None, status: str = "Good") -> None:
        assert self.process is not None and self.process.stdin is not None
        said = {"node": node, "value": value, "status": status, "source": (at or datetime.now(UTC)).isoformat()}
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("opcua")
    certificate(folder, "server", "urn:freeopcua:python:server")
    certificate(folder, "client", "urn:plant:collector")
    certificate(folder, "other", "urn:plant:other")
    made = Server(free_port(), folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


POWER = {"node": "nsu=urn:meters.example;s=Meter.Power"}
ENERGY = {"path": "2:Meter/2:Energy"}


def settings(at: Server, **said: Any) -> Settings:
    base = {
        "endpoint": f"opc.tcp://127.0.0.1:{at.port}",
        "sample_seconds": 0.05,
        "together_seconds": 0.2,
        "quantities": {"power": POWER, "total_import": ENERGY},
    }
    return Settings.model_validate(base | said)


def told(heard: Any) -> list[tuple[float | None, float | None]]:
    return [(r.power_kw, r.import_kwh) for r in heard.good]


@pytest.mark.parametrize("subscribe", [True, False], ids=["told", "asked"])
def test_values_come_in_their_own_units_at_their_own_time(there, subscribe):
    async def test():
        at = datetime.now(UTC)
        there.say("Power", 1500.0, at)
        there.say("Energy", 42.0, at)
        async with listening(build(settings(there, subscribe=subscribe), context())) as heard:
            await heard.until(lambda h: (1.5, 42.0) in told(h))
            for step in (1, 2, 3):
                there.say("Power", 1500.0 + 1000 * step, at + timedelta(seconds=step))
                there.say("Energy", 42.0 + step, at + timedelta(seconds=step))
                await heard.until(lambda h, step=step: (1.5 + step, 42.0 + step) in told(h))
        times = {r.import_kwh: r.taken_at for r in heard.good}
        assert [times[42.0 + step] for step in (1, 2, 3)] == [at + timedelta(seconds=step) for step in (1, 2, 3)]

    run(test(), 60)


def test_bad_is_not_known_and_uncertain_is_doubted(there):
    async def test():
        there.say("Power", 1000.0)
        there.say("Energy", 100.0)
        async with listening(build(settings(there), context())) as heard:
            await heard.until(lambda h: (1.0, 100.0) in told(h))
            there.say("Power", 5.0, status="BadSensorFailure")
            there.say("Energy", 101.0)
            await heard.until(lambda h: (None, 101.0) in told(h))
            there.say("Energy", 102.0, status="UncertainLastUsableValue")
            await heard.until(lambda h: h.readings[-1].quality is ReadingQuality.SUSPECT)
            assert "not sure of total_import (UncertainLastUsableValue)" in heard.readings[-1].note
            assert json.loads(heard.readings[-1].raw)["value"] == "102.0"
            there.say("Energy", 0.0, status="BadNoCommunication")
            await heard.until(lambda h: h.notes)
            assert heard.notes == [
                "the server does not know its values (power: BadSensorFailure, total_import: BadNoCommunication)"
            ]
            there.say("Power", float("nan"))
            there.say("Energy", 103.0)
            await heard.until(lambda h: (None, 103.0) in told(h))

    run(test(), 60)


def test_what_does_not_change_is_confirmed_but_no_counter(there):
    async def test():
        there.say("Power", 2000.0)
        there.say("Energy", 200.0)
        async with listening(build(settings(there, confirm_seconds=0.3), context())) as heard:
            await heard.until(lambda h: told(h)[-2:] == [(2.0, None)] * 2)
            there.say("Power", 0.0, status="BadSensorFailure")
            await asyncio.sleep(0)
            await heard.until(lambda h: h.listener._holds == {})
            count = len(heard.readings)
            there.say("Energy", 201.0)
            await heard.until(lambda h: len(h.readings) > count)
        assert told(heard)[0] == (2.0, 200.0)
        assert told(heard)[-1] == (None, 201.0)

    run(test(), 60)


@pytest.mark.parametrize(
    ("quantities", "note"),
    [
        ({"power": {"node": "ns=2;s=Nothing", "unit": "W"}}, "the server has no node ns=2;s=Nothing for us"),
        ({"power": {"path": "2:Meter/2:Nothing", "unit": "W"}}, "no node 2:Meter/2:Nothing"),
        ({"power": {"path": "2:Meter/2:Nothing", "unit": "W"}}, "; in 2:Meter there is 2:"),
        ({"power": {"path": "3:Meter/2:Power", "unit": "W"}}, "2:Meter"),
        ({"power": {"node": "nsu=urn:other;s=Power", "unit": "W"}}, "no node nsu=urn:other;s=Power"),
        ({"voltage_l1": {"path": "2:Meter/2:Voltage"}}, "quantities.voltage_l1.unit: the server does not say it"),
        ({"total_import": {"path": "2:Meter/2:Power"}}, "quantities.total_import.unit: the server does not say it"),
    ],
)
def test_nodes_and_units_that_are_not_there(there, quantities, note):
    async def test():
        async with listening(build(settings(there, quantities=quantities), context())) as heard:
            await heard.until(lambda h: h.notes)
        assert note in heard.notes[0]

    run(test(), 60)


def test_a_unit_that_contradicts_the_server_is_doubted(there):
    async def test():
        there.say("Power", 1500.0)
        quantities = {"power": {**POWER, "unit": "kW"}}
        async with listening(build(settings(there, quantities=quantities), context())) as heard:
            await heard.until(lambda h: h.readings)
        assert heard.readings[0].quality is ReadingQuality.SUSPECT
        assert "the server says power in W, config.yaml says kW" in heard.readings[0].note

    run(test(), 60)


def test_a_server_that_starts_again(there):
    async def test():
        there.say("Energy", 1.0)
        said = settings(there, quantities={"total_import": ENERGY})
        async with listening(build(said, context())) as heard, listening(build(said, context())) as other:
            await heard.until(lambda h: (None, 1.0) in told(h))
            await other.until(lambda h: (None, 1.0) in told(h))
            assert heard.listener._source._connection is other.listener._source._connection
            there.stop()
            await heard.until(lambda h: any("refused the connection" in note for note in h.notes))
            await asyncio.to_thread(there.start)
            there.say("Energy", 2.0)
            await heard.until(lambda h: (None, 2.0) in told(h))
            await other.until(lambda h: (None, 2.0) in told(h))

    run(test(), 120)


# ---- security


def certificate(folder: Path, name: str, uri: str) -> None:
    """NAME.der and NAME-key.pem, signed by itself, as OPC UA applications have them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(True, True, True, True, False, True, False, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.der").write_bytes(made.public_bytes(serialization.Encoding.DER))
    encoding, format = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / f"{name}-key.pem").write_bytes(key.private_bytes(encoding, format, serialization.NoEncryption()))


LOGIN = {"user": "loadstone", "password": "correct horse", "quantities": {"total_import": ENERGY}}
OURS = {"cert_file": "client.der", "key_file": "client-key.pem", "server_cert_file": "server.der"}


@pytest.mark.parametrize(
    "said",
    [
        {"security": "Basic256Sha256", "mode": "sign"},
        {"security": "Basic256Sha256"},
        {"security": "Aes128Sha256RsaOaep"},
        {"security": "Aes256Sha256RsaPss"},
        {"security": "Basic256Sha256", "server_cert_file": None},
    ],
    ids=lambda said: "-".join(map(str, said.values())),
)
def test_security_policies(there, said):
    async def test():
        there.say("Energy", 7.0)
        made = build(settings(there, **LOGIN, **(OURS | said)), context(folder=str(there.folder)))
        async with listening(made) as heard:
            await heard.until(lambda h: (None, 7.0) in told(h))

    run(test(), 60)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"password": "wrong"}, "refused user loadstone: are user and password right?"),
        ({"security": "Aes128Sha256RsaOaep", "mode": "sign", **OURS, "server_cert_file": None}, "does not offer"),
        ({"security": "Basic256Sha256", **OURS, "cert_file": "missing.der"}, "there is no file"),
        ({"security": "Basic256Sha256", **OURS, "server_cert_file": "other.der"}, "does not answer|not trust|was lost"),
    ],
)
def test_a_server_that_refuses(there, said, note):
    async def test():
        made = build(settings(there, **(LOGIN | said)), context(folder=str(there.folder)))
        async with listening(made) as heard:
            await heard.until(lambda h: h.notes, 50)
        import re

        assert re.search(note, heard.notes[0]), heard.notes

    run(test(), 60)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"endpoint": "http://plc"}, "String should match pattern"),
        ({"quantities": {"power": {"unit": "W"}}}, "name its node or its path"),
        ({"quantities": {"power": {**POWER, "path": "2:a"}}}, "one of the two"),
        ({"quantities": {"powr": POWER}}, "did you mean 'power'"),
        ({"quantities": {"power": {**POWER, "unit": "V"}}}, "'V' is no unit of it"),
        ({"quantities": {"power": {"node": "Power", "unit": "W"}}}, "is no node"),
        ({"security": "Basic256Sha256"}, "needs cert_file and key_file"),
    ],
)
def test_settings_that_cannot_be(said, note):
    with pytest.raises(ValidationError, match=note):
        settings(Server(4840, Path()), **said)


@pytest.mark.parametrize(
    ("code", "name", "unit"),
    [
        (4937544, "", "kWh"),
        (0, "kW", "kW"),
        (-1, "kVAr", "kvar"),
        (5723220, "Watt", "W"),
        (0, "bananas", ""),
        (12, "", ""),
    ],
)
def test_the_units_that_a_server_names(code, name, unit):
    assert unit_of(code, name) == unit

"""`loadstone edge` and `loadstone api` as processes: over TLS, stopped in order, and what they say."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from energy.api.commands import api
from energy.model.horizon import Interval
from energy.store import Store
from meters.edge.buffer import Buffer
from meters.edge.commands import edge as command
from tests.api.door import reading
from tests.meters.wire import free_port

TOKEN = "k7Qm2Zx9" * 5
CENTRE = """
site: {{id: p, name: P, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900}}
tariff: {{fixed_per_kwh: 0.2}}
store: {{url: "sqlite:///store.sqlite"}}
api: {{port: {port}, certificate: door.pem, key: door.key, boxes: [{{name: hall-3}}]}}
meters:
  - {{id: m-1, kind: edge, box: hall-3, role: settlement, measures: grid, connection_kw: 900}}
"""
BOX = """
edge: {{name: hall-3, centre: "https://localhost:{port}", token: "${{LOADSTONE_EDGE_TOKEN}}"}}
network: {{ca_bundle: ca.pem}}
meters:
  - {{id: m-1, kind: file, path: stands.csv, poll_seconds: 0.3, connection_kw: 900}}
"""
ENVIRON = {**os.environ, "LOADSTONE_EDGE_TOKEN": TOKEN, "LOADSTONE_TOKEN_HALL_3": TOKEN}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    port, ca = free_port(), trustme.CA()
    certificate = ca.issue_cert("localhost", "127.0.0.1")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "door.key"))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(tmp_path / "door.pem"), append=True)
    (tmp_path / "config.yaml").write_text(CENTRE.format(port=port))
    (tmp_path / "edge.yaml").write_text(BOX.format(port=port))
    now = datetime.now(UTC)
    rows = [f"{(now + timedelta(seconds=n / 4)).isoformat()},{1000 + n / 100}" for n in range(-400, 2000)]
    (tmp_path / "stands.csv").write_text("\n".join(["taken_at,import_kwh", *rows]))
    return tmp_path


class Process:
    def __init__(self, folder: Path, *words: str) -> None:
        self._out = folder / f"{words[0]}.out"
        with self._out.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "energy.cli", *words], cwd=folder, env=ENVIRON, stdout=out, stderr=out
            )

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(60)

    @property
    def said(self) -> str:
        return self._out.read_text()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def begin(*words: str) -> Process:
        made.append(Process(folder, *words))
        return made[-1]

    yield begin
    for process in made:
        process.kill()


def until(holds: Callable[[], bool], *processes: Process) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline, "\n".join(process.said for process in processes)
        time.sleep(0.1)


@pytest.mark.slow
def test_a_box_hands_over_by_tls_and_both_end_in_order(folder: Path, start: Callable[..., Process]) -> None:
    box = start("edge", "--config", "edge.yaml")
    until(lambda: (folder / "var" / "edge.sqlite").exists() and "refused the connection" in box.said, box)
    door = start("api", "--config", "config.yaml")
    with closing(Store.open(f"sqlite:///{folder / 'store.sqlite'}", "p")) as store:
        always = Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        second = start("edge", "--config", "edge.yaml")  # on the same buffer
        until(lambda: len(store.readings.of("m-1", always)) > 5, box, door)
        until(lambda: "end that one first" in second.said, second)
        assert box.end() == 0, box.said
        assert door.end() == 0, door.said
        kept = len(store.readings.of("m-1", always))
    assert f"{kept} acknowledged, 0 wait, 0 lost" in box.said
    assert TOKEN not in box.said + door.said
    told = CliRunner().invoke(command, ["--config", str(folder / "edge.yaml"), "status"], env=ENVIRON)
    assert told.exit_code == 0, told.output
    assert told.output.startswith("0 readings wait for the centre\n")


def invoke(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, ["--config", str(folder / "edge.yaml"), *words], env=ENVIRON)
    return done.exit_code, done.output + (str(done.exception) if done.exit_code else "")


def test_what_status_and_release_say(folder: Path) -> None:
    assert "no buffer yet" in invoke(folder, "status")[1]
    with closing(Buffer(folder / "var" / "edge.sqlite", max_bytes=10**8)) as buffer:
        buffer.add([reading(n, "strange" if n % 2 else "m-1") for n in range(6)])
        buffer.hold([(2, "'strange' is no meter of box hall-3")])
        buffer.tell("localhost cannot be reached")
    code, said = invoke(folder, "status")
    assert code == 1
    assert "5 readings wait for the centre, the oldest for" in said
    assert "held: 1 readings of strange: 'strange' is no meter of box hall-3" in said
    assert "trouble: localhost cannot be reached" in said
    assert invoke(folder, "release", "--meter", "m-1") == (0, "0 readings are offered again\n")
    assert invoke(folder, "release") == (0, "1 readings are offered again\n")
    (folder / "var" / "edge.sqlite").write_bytes(b"nonsense" * 1000)
    assert "moves a broken one aside" in invoke(folder, "status")[1]


def test_a_port_that_is_taken_is_said(folder: Path) -> None:
    port = int((folder / "config.yaml").read_text().split("port: ")[1].split(",")[0])
    with socket.create_server(("127.0.0.1", port)):
        done = CliRunner().invoke(api, ["--config", str(folder / "config.yaml")], env=ENVIRON)
    assert "could not be opened" in str(done.exception)

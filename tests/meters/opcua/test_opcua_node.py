"""The same listener against node-opcua, a server that shares no code with it. Runs where NODE_PATH names a folder that has it:

npm install node-opcua-server && NODE_PATH=$PWD/node_modules python -m pytest tests/meters/opcua/test_opcua_node.py
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meters.opcua import build
from tests.meters.listening import context, listening
from tests.meters.opcua.test_opcua import POWER, Server, certificate, settings, told
from tests.meters.wire import free_port, run

NODE_PATH = os.environ.get("NODE_PATH", "")
there_is = bool(shutil.which("node")) and (Path(NODE_PATH) / "node-opcua-server").is_dir()
pytestmark = pytest.mark.skipif(not there_is, reason="NOT RUN: NODE_PATH names no folder with node-opcua-server")
ENERGY = {"path": "2:Meter/2:Energy", "unit": "kWh"}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("node")
    certificate(folder, "client", "urn:plant:collector")
    made = Server(free_port(), folder)
    made.process = subprocess.Popen(
        ["node", str(Path(__file__).parent / "node_server.js"), str(made.port), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert made.process.stdout is not None
        while made.process.stdout.readline() not in ("ready\n", ""):
            pass
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"subscribe": False},
        {"user": "loadstone", "password": "correct horse"},
        {"security": "Basic256Sha256", "mode": "sign"},
        {"security": "Basic256Sha256"},
        {"security": "Aes128Sha256RsaOaep"},
        {"security": "Aes256Sha256RsaPss"},
    ],
    ids=lambda said: "-".join(map(str, said.values())) or "none",
)
def test_values_units_times_and_status(there, said):
    async def test():
        files = {"cert_file": "client.der", "key_file": "client-key.pem"} if "security" in said else {}
        quantities = {"power": POWER, "total_import": ENERGY}
        made = settings(there, quantities=quantities, sample_seconds=0.1, **said, **files)
        at = datetime.now(UTC).replace(microsecond=0)
        async with listening(build(made, context(folder=str(there.folder)))) as heard:
            await heard.until(lambda h: h.readings, 60)
            for step in (1, 2):
                there.say("Power", 1000.0 * step, at + timedelta(seconds=step))
                there.say("Energy", 1.0 * step, at + timedelta(seconds=step))
                await heard.until(lambda h, step=step: (1.0 * step, 1.0 * step) in told(h))
            there.say("Power", 0.0, at + timedelta(seconds=3), status="BadSensorFailure")
            there.say("Energy", 0.0, at + timedelta(seconds=3), status="BadNoCommunication")
            await heard.until(lambda h: h.notes)
        assert re.search("BadSensorFailure.*BadNoCommunication", heard.notes[-1])
        assert {r.import_kwh: r.taken_at for r in heard.good}[2.0] == at + timedelta(seconds=2)

    run(test(), 120)


def test_a_wrong_password(there):
    async def test():
        made = settings(there, quantities={"power": POWER}, user="loadstone", password="wrong")
        async with listening(build(made, context())) as heard:
            await heard.until(lambda h: h.notes, 60)
        assert "are user and password right?" in heard.notes[0]

    run(test(), 90)

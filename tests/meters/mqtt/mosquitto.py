"""A real broker on a free port, and a client of it that is not ours."""

import asyncio
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.meters.wire import free_port

PROGRAMS = ("mosquitto", "mosquitto_pub", "mosquitto_passwd")
PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/bin"
USER, PASSWORD = "loadstone", "correct horse"

missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
needs_mosquitto = pytest.mark.skipif(bool(missing), reason=f"NOT RUN: {', '.join(missing)} is not installed")


@dataclass
class Mosquitto:
    """A broker with one user, its state in a folder; `tls`: only encrypted, and only clients with a certificate."""

    folder: Path
    tls: bool = False
    extra: str = ""
    port: int = 0
    authority: trustme.CA = field(default_factory=trustme.CA)
    _process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self.port = self.port or free_port()
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(
            [shutil.which("mosquitto_passwd", path=PATH) or "", "-b", passwords, USER, PASSWORD], check=True, timeout=20
        )
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            "allow_anonymous false",
            f"password_file {passwords}",
            "persistence true",
            f"persistence_location {self.folder}/",
            "log_dest stderr",
            *([self.extra] if self.extra else []),
        ]
        if self.tls:
            self.authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
            ours = self.authority.issue_cert("127.0.0.1", "localhost")
            ours.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "broker.pem"))
            client = self.authority.issue_cert("collector.example")
            client.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "client.pem"))
            lines += [f"cafile {self.folder}/ca.pem", f"certfile {self.folder}/broker.pem"]
            lines += [f"keyfile {self.folder}/broker.pem", "require_certificate true"]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [shutil.which("mosquitto", path=PATH) or "", "-c", self.folder / "mosquitto.conf"],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self, *, killed: bool = False) -> None:
        if self._process is not None:
            self._process.kill() if killed else self._process.terminate()
            self._process.wait(20)
            self._process = None

    async def publish(self, topic: str, payload: str | bytes, *options: str) -> None:
        """Publish with mosquitto_pub, at QoS 1."""
        said = ["--cafile", str(self.folder / "ca.pem"), "--cert", str(self.folder / "client.pem")]
        said += ["--key", str(self.folder / "client.pem")]
        process = await asyncio.create_subprocess_exec(
            *[shutil.which("mosquitto_pub", path=PATH) or "", "-h", "127.0.0.1", "-p", str(self.port)],
            *["-u", USER, "-P", PASSWORD, "-q", "1", "-t", topic, *(said if self.tls else []), *options],
            *["-s"],
            stdin=asyncio.subprocess.PIPE,
        )
        await process.communicate(payload.encode() if isinstance(payload, str) else payload)
        assert process.returncode == 0


@contextmanager
def mosquitto(folder: Path, **more: object) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, **more)  # type: ignore[arg-type]
    broker.prepare()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()

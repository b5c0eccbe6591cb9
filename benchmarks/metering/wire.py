"""The other ends of a measurement: a fast Modbus server, and C programs that are compiled when they are needed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PROFILE = HERE / "meter.yaml"
REGISTERS = 50  # of a meter of that profile

# what all meters tell: function code, address, type, value, what it grows in a second, how far it wobbles
TABLE = """\
3 0 f32 1000 0.01 0
3 2 f32 10 0 0
3 4 f32 100000 0 20000
3 6 f32 30000 0 2000
3 8 f32 30000 0 2000
3 10 f32 30000 0 2000
3 12 f32 230 0 2
3 14 f32 230 0 2
3 16 f32 230 0 2
3 18 f32 100 0 2
3 20 f32 100 0 2
3 22 f32 100 0 2
3 24 f32 0.9 0 0.02
3 26 f32 10000 0 2000
3 28 f32 100000 0 2000
3 48 f32 50 0 0.02
go
"""


class NotRunError(Exception):
    """Something that a measurement needs is not on this machine."""


def address(host: int) -> str:
    """Where the meter of a number is, as server.c listens."""
    return f"127.0.{1 + host // 200}.{1 + host % 200}"


@cache
def program(name: str, *libraries: str) -> str:
    """A C program of this folder, compiled."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotRunError("there is no C compiler; on Debian: apt-get install gcc libmodbus-dev")
    made = Path(tempfile.mkdtemp(prefix="loadstone-bench-")) / name
    command = [compiler, "-O2", "-Wall", "-o", str(made), str(HERE / f"{name}.c"), *(f"-l{one}" for one in libraries)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotRunError(f"{name}.c does not compile; on Debian: apt-get install gcc libmodbus-dev\n{done.stderr}")
    return str(made)


@contextmanager
def server(hosts: int, seconds: float) -> Iterator[int]:
    """Meters at 127.0.1.1, 127.0.1.2 … for so long at the most; the port on which all of them listen."""
    command = [program("server", "m"), str(hosts), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdin is not None
            assert running.stdout is not None
            running.stdin.write(TABLE)
            running.stdin.flush()
            port = running.stdout.readline()
            if not port:
                raise NotRunError("the server of the measurement did not start")
            yield int(port)
        finally:
            running.kill()

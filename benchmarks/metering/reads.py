"""What a read of 50 registers costs: Loadstone's reader beside plain pymodbus and a libmodbus client, all against the same
server in turn, so that a machine whose speed drifts does so for all of them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.metering.wire import REGISTERS, program, server

CONNECTIONS = 100
SECONDS = 2.0  # of one way in one round
ROUNDS = 5

# how it is told, how it is asked for
WAYS = {
    "libmodbus, one after another": ("libmodbus", "one"),
    "libmodbus, all asked at once": ("libmodbus", "all"),
    "plain pymodbus, registers only": ("python", "pymodbus"),
    "plain pymodbus on uvloop, registers only": ("python", "pymodbus-uvloop"),
    "Loadstone, from the wire to a judged reading": ("python", "loadstone"),
}
MEASURE = "libmodbus, one after another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A way to read: medians over the rounds. The ratios are to the first way, round by round."""

    way: str
    cpu_us: float
    reads_per_second: float
    cpu_ratio: float
    speed_ratio: float


def run(*, connections: int = CONNECTIONS, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Cost]:
    """All ways in turn, several times."""
    libmodbus = program("libmodbus_reads", "modbus")
    said: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with server(connections, seconds=rounds * len(WAYS) * (seconds + 10) + 30) as port:
        for _ in range(rounds):
            for way, (kind, name) in WAYS.items():
                numbers = [str(port), str(connections)]
                own = [libmodbus, name, *numbers, str(REGISTERS), str(seconds)]
                python = [sys.executable, "-m", "benchmarks.metering.client", name, *numbers, str(seconds)]
                said[way].append(one(own if kind == "libmodbus" else python))
    return [cost(way, answers, said[MEASURE]) for way, answers in said.items()]


def one(command: Sequence[str]) -> dict[str, float]:
    """One way in one round: microseconds of processor time a read, and reads a second."""
    answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout)
    reads = answer["reads"]
    return {"cpu_us": 1e6 * answer["cpu_seconds"] / reads, "reads_per_second": reads / answer["seconds"]}


def cost(way: str, answers: Sequence[dict[str, float]], measure: Sequence[dict[str, float]]) -> Cost:
    """The rounds of a way beside those of the measure."""
    pairs = list(zip(answers, measure, strict=True))
    return Cost(
        way=way,
        cpu_us=median(a["cpu_us"] for a in answers),
        reads_per_second=median(a["reads_per_second"] for a in answers),
        cpu_ratio=median(a["cpu_us"] / m["cpu_us"] for a, m in pairs),
        speed_ratio=median(a["reads_per_second"] / m["reads_per_second"] for a, m in pairs),
    )


if __name__ == "__main__":
    for row in run():
        print(row)

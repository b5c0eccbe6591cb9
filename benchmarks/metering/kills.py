"""Kill the collector, the edge box and the centre's door at random moments, and count what was lost and what is there twice.

    python -m benchmarks.metering.kills --kills 200

All parts are real: meters on Modbus TCP whose counters are a function of time, `loadstone collect`, `loadstone edge`,
`loadstone api`, a SQLite store; the kills are SIGKILL. Lost is a reading that was acknowledged (to the collector by the store,
to the edge box by its own buffer) and is not in the store at the end as it was taken. Doubled is one that is there twice.
"""

import argparse
import multiprocessing
import random
import secrets
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.metering.killed import PROFILE, ROLES, SideLog, become, simulate, stand_at

# What is killed are processes of their own; that they are forked from one that has loaded the modules only saves seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PRELOADED = ["energy.build", "energy.api.serve", "meters.modbus_reader", "meters.collector", "meters.edge.sender"]

OWN, EDGE = ("c-1", "c-2", "c-3"), ("e-1", "e-2", "e-3")
CHANCES = 10
LONGEST_LIFE = 1.5  # real seconds until a kill, at most
POLL_SECONDS = 0.25
READ_ERROR_SECONDS = 2.5  # on a busy machine a stamp is later than the counter by some of the time that a read takes

CONFIG = """
site: {{id: p, name: Plant, zone: Europe/Berlin, currency: EUR, import_limit_kw: 90000}}
tariff: {{fixed_per_kwh: 0.2}}
store: {{url: "sqlite:///store.sqlite"}}
api: {{port: {door}, boxes: [{{name: hall-3}}]}}
meters:
{own}
{edge}
"""
BOX = """
edge: {{name: hall-3, centre: "http://127.0.0.1:{door}", token: "${{LOADSTONE_EDGE_TOKEN}}", most_in_batch: 50}}
meters:
{asked}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillResult:
    """What was left after the kills. `collector` and `box` count the readings that were acknowledged there."""

    kills: int
    of: tuple[tuple[str, int], ...]  # how often each role was killed
    collector: int
    box: int
    lost: int
    doubled: int
    wrong: int  # readings whose counter is not what the meter said at that moment
    seconds: float

    @property
    def acknowledged(self) -> int:
        return self.collector + self.box

    @property
    def good(self) -> bool:
        return self.lost == self.doubled == self.wrong == 0

    def row(self) -> str:
        """A row of the table in benchmarks/README.md."""
        of = ", ".join(f"{role} {count}" for role, count in self.of)
        return f"| {self.kills} ({of}) | {self.acknowledged:,} | {self.lost} | {self.doubled} | {self.wrong} |"


HEADER = "| kills | readings acknowledged | lost | doubled | wrong |\n|---|---|---|---|---|"


class Plant:
    """The processes, each killed and started again by itself."""

    def __init__(self, folder: Path) -> None:
        PROCESSES.set_forkserver_preload(PRELOADED)
        self.folder = folder
        self.token = secrets.token_urlsafe(32)
        self.began = time.time()
        wire, door = free_ports(2)
        (folder / "config.yaml").write_text(
            CONFIG.format(
                door=door,
                own="\n".join(meter_line(meter, unit, wire) for unit, meter in enumerate(OWN, 1)),
                edge="\n".join(f"  - {{id: {meter}, kind: edge, box: hall-3, connection_kw: 9000}}" for meter in EDGE),
            )
        )
        asked = "\n".join(meter_line(meter, unit, wire) for unit, meter in enumerate(EDGE, 1 + len(OWN)))
        (folder / "edge.yaml").write_text(BOX.format(door=door, asked=asked))
        self.running: dict[str, BaseProcess] = {}
        self.meters = PROCESSES.Process(
            target=simulate, args=(folder, wire, (*OWN, *EDGE), self.began), name="meters", daemon=True
        )
        self.meters.start()
        self.until((folder / "simulated").exists)

    def start(self) -> None:
        """Start what does not run."""
        for role in ROLES:
            if role not in self.running:
                self.running[role] = PROCESSES.Process(
                    target=become, args=(role, str(self.folder), self.token), name=role, daemon=True
                )
                self.running[role].start()

    def kill(self, roles: list[str]) -> None:
        for role in roles:
            self.running[role].kill()
        for role in roles:
            self.running.pop(role).join(20)

    def must_run(self) -> None:
        for role, process in self.running.items():
            if process.exitcode is not None:
                raise RuntimeError(f"{role} ended by itself ({process.exitcode}): {self.said(role)}")

    def until(self, holds: Callable[[], bool], seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            self.must_run()
            if time.monotonic() > deadline:
                raise RuntimeError("\n".join(f"{role}: {self.said(role)}" for role in ROLES))
            time.sleep(0.05)

    def at_work(self) -> None:
        """Wait until collector and box have kept something more, and the centre has some of the box's."""
        before = [size(self.folder / name) for name in ("collector.log", "edge.log")]
        self.until(
            lambda: all(size(self.folder / n) > b for n, b in zip(("collector.log", "edge.log"), before, strict=True))
        )

    def end(self) -> None:
        """Ask all to end, as a supervisor does: the box before the door, so that its last words are heard. What still waits in
        its buffer then is not lost, so it gets more chances to hand it over."""
        for _ in range(CHANCES):
            self.ask_to_end("collector", "box")
            if not waiting(self.folder):
                self.ask_to_end("door")
                return
            self.start()
            self.at_work()
        raise RuntimeError(f"{waiting(self.folder)} readings still wait at the box: {self.said('box')}")

    def ask_to_end(self, *roles: str) -> None:
        asked = {role: self.running.pop(role) for role in roles}
        for process in asked.values():
            process.terminate()
        for role, process in asked.items():
            process.join(60)
            if process.exitcode != 0:
                raise RuntimeError(f"{role} did not end well ({process.exitcode}): {self.said(role)}")

    def close(self) -> None:
        self.kill(list(self.running))
        self.meters.kill()
        self.meters.join(10)

    def said(self, role: str) -> str:
        out = self.folder / f"{role}.out"
        return out.read_text(errors="replace")[-3000:] if out.exists() else "nothing"


def run(kills: int = 200, *, seed: int = 5, folder: Path | None = None) -> KillResult:
    """Kill so many times, let all of it catch up, and look for every reading that was acknowledged."""
    with tempfile.TemporaryDirectory(prefix="loadstone-kills-", ignore_cleanup_errors=True) as made:
        plant = Plant(folder or Path(made))
        began = time.monotonic()
        try:
            killed = killing(plant, kills, random.Random(seed))
            plant.start()
            plant.at_work()
            plant.end()
            return looked_for(plant, killed, time.monotonic() - began)
        finally:
            plant.close()


def killing(plant: Plant, kills: int, chance: random.Random) -> Counter[str]:
    """Kill one of the processes, now and then all of them at once as a power cut does, at any moment of their lives: also
    while they are still starting."""
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        plant.start()
        if killed.total() % 2:
            plant.at_work()
        time.sleep(chance.uniform(0.0, LONGEST_LIFE))
        plant.must_run()
        roles = chance.choice([["collector"], ["box"], ["box"], ["door"], [*ROLES]])
        roles = roles[: kills - killed.total()]
        plant.kill(roles)
        killed.update(roles)
    return killed


def looked_for(plant: Plant, killed: Counter[str], seconds: float) -> KillResult:
    """Every acknowledged reading, in the store."""
    folder = plant.folder
    logs = {name: SideLog.lines(folder / f"{name}.log") for name in ("collector", "edge")}
    with closing(sqlite3.connect(folder / "store.sqlite")) as store:
        sound(store)
        rows = store.execute(
            "SELECT key, taken_at, import_kwh, quality FROM reading JOIN channel ON channel.id = channel"
        ).fetchall()
    epoch = datetime.fromtimestamp(0, UTC)
    kept = Counter(
        f"{meter} {(epoch + timedelta(microseconds=at)).isoformat()} {kwh!r} {quality.upper().replace(' ', '_')}"
        for meter, at, kwh, quality in rows
    )
    same = Counter((meter, kwh) for meter, _, kwh, quality in rows if quality == "good")
    acknowledged = [line for lines in logs.values() for line in lines]
    missing = [line for line in acknowledged if kept[line] == 0]
    for line in missing[:20]:
        print(f"lost: {line}", file=sys.stderr)
    wrong = [
        (meter, at, kwh)
        for meter, at, kwh, quality in rows
        if quality == "good" and not is_right(at / 1e6 - plant.began, kwh)
    ]
    return KillResult(
        kills=killed.total(),
        of=tuple(sorted(killed.items())),
        collector=len(logs["collector"]),
        box=len(logs["edge"]),
        lost=len(missing),
        doubled=sum(count - 1 for count in kept.values()) + sum(count - 1 for count in same.values()),
        wrong=len(wrong),
        seconds=seconds,
    )


def is_right(seconds: float, kwh: float) -> bool:
    """Whether a counter can have said that at that moment: the meter was asked a little before it answered."""
    return stand_at(seconds - READ_ERROR_SECONDS) <= kwh <= stand_at(seconds + 0.1)


def sound(store: sqlite3.Connection) -> None:
    for pragma, well in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
        if (found := store.execute(f"PRAGMA {pragma}").fetchall()) != well:
            raise RuntimeError(f"{pragma}: {found}")


def waiting(folder: Path) -> int:
    """How many readings wait in the box's buffer."""
    with closing(sqlite3.connect(folder / "var" / "edge.sqlite", timeout=30.0)) as buffer:
        about = dict(buffer.execute("SELECT key, value FROM about").fetchall())
        query = "SELECT count(*) FROM reading WHERE number > ? OR state <> 0"
        return int(buffer.execute(query, (int(about.get("acknowledged", "0")),)).fetchone()[0])


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def meter_line(meter: str, unit: int, port: int) -> str:
    role = "role: settlement, measures: grid, " if meter == "c-1" else ""
    return (
        f"  - {{id: {meter}, kind: modbus, profile: {PROFILE}, host: 127.0.0.1, port: {port}, unit: {unit}, "
        f"poll_seconds: {POLL_SECONDS}, {role}connection_kw: 9000}}"
    )


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, outside of the range from which the system takes ports for clients."""
    found: set[int] = set()
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def main() -> int:
    """Print the row of the table; 1 where something was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metering.kills", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="an empty folder in which all of it is left, to look into")
    asked = parser.parse_args()
    result = run(asked.kills, seed=asked.seed, folder=asked.folder)
    print(HEADER)
    print(result.row())
    print(f"{result.seconds:.0f} s", file=sys.stderr)
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())

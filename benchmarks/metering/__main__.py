"""Metering measured, in one table: `python -m benchmarks.metering`, all of it in about half an hour on an idle machine.

    python -m benchmarks.metering                    # everything
    python -m benchmarks.metering --sample           # two minutes of it, as `make bench` does
    python -m benchmarks.metering --only reads       # one part: faults, truth, reads, fleet, queries, kills
    python -m benchmarks.metering --write            # and the table into benchmarks/README.md

All traffic is on loopback, between processes that are started here and end here. What is not on this machine (a C compiler,
libmodbus, PostgreSQL) is said in its row as NOT RUN, and the command then ends with 1.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- table of metering -->", "<!-- end of the table of metering -->"
KILLS, READINGS, SEED = 200, 1_000_000, 1
FLEET_SECONDS, SAMPLE_FLEET_SECONDS = 300.0, 45.0
MOST_MISSED, MOST_LATE_MS, MOST_CPU, MOST_PAGE_MS = 0, 150.0, 0.5, 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table; `good` is None where it was not run."""

    what: str
    found: str
    wanted: str = ""
    good: bool | None


def faults(_: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering.faults import run_all

    results = run_all()
    survived, wrong = sum(one.survived for one in results), sum(one.wrong_values for one in results)
    kept = min(one.kept_share for one in results)
    tried = len(results)
    yield Row(
        what="faults survived of faults tried", found=f"{survived} of {tried}", wanted="all", good=survived == tried
    )
    yield Row(what="wrong values admitted", found=str(wrong), wanted="0", good=wrong == 0)
    yield Row(
        what="reads that healthy meters keep, the worst fault", found=f"{kept:.1%}", wanted="≥ 95 %", good=kept >= 0.95
    )


def truth(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering.truth import LEAST_KNOWN, fuzz

    verdict = fuzz(SEED, asked.readings)
    what = f"wrong intervals over {verdict.readings:,} fuzzed readings, {verdict.slots:,} intervals"
    yield Row(what=what, found=str(len(verdict.wrong)), wanted="0", good=not verdict.wrong)
    known = verdict.known
    yield Row(
        what="intervals known of those that could be", found=f"{known:.2%}", wanted="≥ 98 %", good=known >= LEAST_KNOWN
    )


def reads(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering import reads as measured

    for cost in measured.run(rounds=2 if asked.sample else measured.ROUNDS):
        yield Row(
            what=f"50 registers over 100 connections: {cost.way}",
            found=f"{cost.cpu_us:.1f} µs CPU a read ({cost.cpu_ratio:.1f} × libmodbus), "
            f"{cost.reads_per_second:,.0f} reads/s ({cost.speed_ratio:.2f} ×)",
            good=True,
        )


def fleet(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering import fleet as measured

    few = None if asked.sample else measured.run(100, min(60.0, asked.seconds))
    many = measured.run(1_000, asked.seconds)
    each_cpu = many.cpu_share / many.per_second
    what = f"1,000 meters at 1 s in one process, stored, {many.seconds:.0f} s"
    lost = many.missed + many.lost
    found = f"{many.missed} ticks missed and {many.lost} readings lost of {many.polls:,}"
    yield Row(what=what, found=found, wanted="0", good=lost <= MOST_MISSED)
    late = f"half within {many.late_p50_ms:.0f} ms, 99 % within {many.late_p99_ms:.0f} ms, all within {many.latest_ms:.0f} ms"
    yield Row(what="… lateness", found=late, wanted="99 % ≤ 150 ms", good=many.late_p99_ms <= MOST_LATE_MS)
    yield Row(
        what="… one core, writing included",
        found=f"{many.cpu_share:.0%} for {many.per_second:,.0f} readings/s, {1e6 * each_cpu:.0f} µs each: room for "
        f"{1 / each_cpu:,.0f} such meters a core",
        wanted="≤ 50 %",
        good=many.cpu_share <= MOST_CPU,
    )
    if few is not None:
        each = (many.rss_bytes - few.rss_bytes) / (many.meters - few.meters)
        found = f"{each / 1000:.0f} kB, {many.rss_bytes / 1e6:.0f} MB in all"
        yield Row(what="… memory a meter (from 100 meters to 1,000)", found=found, good=True)


def queries(_: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering import queries as measured

    timed = measured.run()
    for database in dict.fromkeys(one.database for one in timed):
        of_it = [one for one in timed if one.database == database]
        worst = max(of_it, key=lambda one: one.median_ms)
        told = ", ".join(f"{one.page} {one.median_ms:.0f}" for one in of_it)
        yield Row(
            what=f"a year of 50 meters, any page of the dashboard, {database}",
            found=f"≤ {worst.median_ms:.0f} ms (CPU {worst.cpu_ms:.0f}); {told}",
            wanted="≤ 200 ms",
            good=worst.median_ms <= MOST_PAGE_MS,
        )


def kills(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks.metering.kills import run

    result = run(asked.kills)
    said = f"{result.kills} kills of collector, edge box and the centre's door"
    found = f"{result.lost} lost, {result.doubled} doubled of {result.collector + result.box:,} acknowledged"
    yield Row(what=said, found=found, wanted="0, 0", good=result.lost == result.doubled == 0)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "faults": faults, "truth": truth, "reads": reads, "fleet": fleet, "queries": queries, "kills": kills,
}  # fmt: skip
SAMPLE = ("reads", "fleet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure part by part and print the table; 1 where something was missed or could not be run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.metering", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", action="store_true", help="what takes two minutes")
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="a part; may be given several times")
    parser.add_argument("--seconds", type=float, help=f"of the thousand meters; by default {FLEET_SECONDS:.0f}")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--readings", type=int, default=READINGS, help="of the fuzz")
    parser.add_argument("--json", type=Path, help="keep the rows in a file too")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args(arguments)
    asked.seconds = asked.seconds or (SAMPLE_FLEET_SECONDS if asked.sample else FLEET_SECONDS)
    rows = [row for part in asked.only or (SAMPLE if asked.sample else PARTS) for row in measured(part, asked)]
    text = table(rows, command(asked))
    print(text)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")
    if asked.write:
        README.write_text(with_table(README.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0 if all(row.good for row in rows) else 1


def measured(part: str, asked: argparse.Namespace) -> list[Row]:
    """The rows of a part, or why it was not run."""
    from benchmarks.metering.wire import NotRunError

    print(f"{part} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        return list(PARTS[part](asked))
    except (NotRunError, ModuleNotFoundError) as error:
        print(f"NOT RUN: {part}: {error}", file=sys.stderr)
        return [Row(what=part, found=f"NOT RUN: {str(error).splitlines()[0]}", good=None)]
    finally:
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def command(asked: argparse.Namespace) -> str:
    """What regenerates the table."""
    options = "--sample" if asked.sample else " ".join(f"--only {part}" for part in asked.only or ())
    lasts = f"--seconds {asked.seconds:.0f} --kills {asked.kills} --readings {asked.readings}"
    return f"python -m benchmarks.metering {options} {lasts}".replace("  ", " ")


def table(rows: Sequence[Row], command: str) -> str:
    """The page: where, when and how, and a line for each row."""
    marks = {True: "yes", False: "NO", None: "NOT RUN"}
    busy = os.getloadavg()[0]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("pymodbus", "uvloop", "sqlalchemy", "numpy"))
    lines = [
        f"Measured {datetime.now(UTC):%d %B %Y, %H:%M} UTC by `{command}`, seed {SEED}.",
        f"Python {platform.python_version()}, {libraries}; {platform.machine()}, {os.cpu_count()} cores, "
        f"load {busy:.1f} at the end.",
        "",
        "| what | found | wanted | reached |",
        "|---|---|---|---|",
        *(
            f"| {row.what} | {row.found} | {row.wanted} | {marks[row.good] if row.wanted or not row.good else ''} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)


def with_table(readme: str, text: str) -> str:
    """The page of all benchmarks with the new table in the place of the old one."""
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{README} has no lines {BEGIN} and {END} between which the table stands")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())

"""All tables in one go: `python -m benchmarks` measures a fixed sample, `python -m benchmarks --all` everything.

    make bench           # the sample, at most 20 minutes
    make bench-all       # everything, about three hours; what is finished is kept, and a second call goes on from there

Results are kept in `benchmarks/results/` (JSON, a record a plan) and their tables in one Markdown page beside them. The
public instances are looked for in `$LOADSTONE_DATA/scheduling`; what is not there is said and counted, never skipped.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One measurement: a command of `benchmarks`, and the public set that it needs, if any."""

    title: str
    command: tuple[str, ...]
    needs: str = ""


def parts(*, everything: bool, results: Path, data: Path | None) -> Iterator[Part]:
    """What is measured, in order. Each keeps its records in a file of its own."""
    kept = "all" if everything else "sample"

    def file(name: str) -> tuple[str, ...]:
        return "--json", str(results / f"{kept}-{name}.json")

    def public(set: str, *folders: str, seconds: int, only: str = "") -> Part:
        folder = str(Path(data or "$LOADSTONE_DATA") / "scheduling" / set / Path(*folders))
        name = "-".join([set, *folders, *([only] if only else [])])
        command = ("benchmarks.scheduling", set, folder, "--seconds", str(seconds), "--only", only, *file(name))
        return Part(title=f"{name}, {seconds} s", command=command, needs=folder)

    yield Part(title="Metering", command=("benchmarks.metering", *(() if everything else ("--sample",))))
    yield Part(title="Handing a program over", command=("benchmarks.handover",))
    seeds = ("11", "12", "13", "1", "2", "3") if everything else ("11",)
    yield Part(title="Generated plants", command=("benchmarks.optimize", "--seeds", *seeds, *file("plants")))
    yield public("ctu", seconds=20)
    yield public("cas", "M1T1", seconds=2)
    yield public("cas", "M1T3", seconds=15)
    if everything:
        yield public("icon", seconds=300)
    else:
        yield public("icon", seconds=60, only="instance00")
        yield public("icon", seconds=120, only="instance16")
        yield public("icon", seconds=300, only="instance31")


def main() -> int:
    """Measure part by part; 1 where a part failed, a plan was refused, or a public set is not there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="everything instead of the sample")
    parser.add_argument("--again", action="store_true", help="measure also what is kept from an earlier run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    asked = parser.parse_args()
    data = os.environ.get("LOADSTONE_DATA")
    asked.results.mkdir(parents=True, exist_ok=True)
    page = asked.results / ("all.md" if asked.all else "sample.md")
    chapters = [f"# Measured {datetime.now(UTC):%d %B %Y, %H:%M} UTC\n"]
    failed = []
    began = time.monotonic()
    for part in parts(everything=asked.all, results=asked.results, data=Path(data) if data else None):
        print(f"{time.monotonic() - began:6.0f} s  {part.title}", file=sys.stderr, flush=True)
        text, good = measured(part, again=asked.again)
        chapters.append(f"## {part.title}\n\n{text}\n")
        if not good:
            failed.append(part.title)
        page.write_text("\n".join(chapters), encoding="utf-8")
    print("\n".join(chapters))
    print(f"{time.monotonic() - began:.0f} s in all; kept in {page}", file=sys.stderr)
    for title in failed:
        print(f"NOT GOOD: {title}", file=sys.stderr)
    return 1 if failed else 0


def measured(part: Part, *, again: bool) -> tuple[str, bool]:
    """The table of a part, and whether all of it is good."""
    if part.needs and not Path(part.needs).is_dir():
        return f"NOT RUN: there is no folder {part.needs}; LOADSTONE_DATA names the folder of the public data.", False
    command = [sys.executable, "-m", *part.command, *(["--again"] if again and "--json" in part.command else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    good = done.returncode == 0 and "REFUSED" not in done.stdout
    return done.stdout.strip() if done.stdout.strip() else f"FAILED with exit code {done.returncode}.", good


if __name__ == "__main__":
    sys.exit(main())

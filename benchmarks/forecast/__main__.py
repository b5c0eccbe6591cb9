"""How good the forecasts are: `python -m benchmarks.forecast` tests a fixed sample of days, `--all` every day.

    make bench-forecast        # the sample, at most 20 minutes on two cores
    make bench-forecast-all    # everything; goes on where it was stopped

Each test is `loadstone backtest` on a file of `$LOADSTONE_DATA/forecast`, two at a time, and its answer is kept in
`benchmarks/results/forecast/`. A test whose answer is there and was made with the same forecasters and libraries is not
run again; `--keep` takes every answer that is there. The tables stand in `sample.md` or `all.md` beside them, and with
`--readme` in `benchmarks/README.md` too.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.forecast import stock
from benchmarks.forecast.cases import CARBON, LOAD, PRICE, Case, cases, missing
from benchmarks.forecast.tables import page
from energy.forecasters.backtest_file import versions

RESULTS = Path(__file__).parents[1] / "results" / "forecast"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- tables of forecasts -->", "<!-- end of the tables of forecasts -->"
STOCK_EVERY = {True: 9, False: 45}  # days of a year, fewer of less


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One back-test to run, and where its answer stands."""

    case: Case
    module: str  # run with -m
    every: int
    out: Path

    @property
    def command(self) -> list[str]:
        run = "energy.cli backtest" if self.module == "energy.cli" else self.module
        return [
            sys.executable,
            "-m",
            *run.split(),
            *self.case.options,
            "--every",
            str(self.every),
            "--json",
            str(self.out),
        ]

    def done(self, *, keep: bool) -> bool:
        """Whether its answer is there, made as it would be made now."""
        if not self.out.exists():
            return False
        said = json.loads(self.out.read_text())
        settings = said["settings"]
        asked = self.case.days, self.every, list(self.case.drivers)
        same = (settings["days"], settings["every"], [d for d in settings["drivers"].split(",") if d]) == asked
        return same and (keep or said["versions"] == versions())


def jobs(found: Sequence[Case], results: Path, *, everything: bool) -> list[Job]:
    """What is to be run, the long ones first."""
    kept = "all" if everything else "sample"
    made = []
    for case in found:
        if case.only_in_full and not everything:
            continue
        every = case.every if everything else case.every_in_sample
        made.append(Job(case=case, module="energy.cli", every=every, out=results / f"{kept}-{case.key}.json"))
    for case in found:
        if case.group in (PRICE, LOAD, CARBON):
            out = results / f"{kept}-stock-{case.key}.json"
            step = case.every if everything else case.every_in_sample  # days on which the other is tested too
            every = step * max(1, STOCK_EVERY[everything] * case.days // (364 * step))
            every += step if every % 7 == 0 else 0  # not always the same day of the week
            made.append(Job(case=replace(case, drivers=()), module=stock.__name__, every=every, out=out))
    return made


def main() -> int:
    """Run what is not there yet and write the tables; 1 where a test failed or public data is not there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.forecast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every day instead of a sample")
    parser.add_argument("--keep", action="store_true", help="take every answer that is there, however it was made")
    parser.add_argument("--readme", action="store_true", help="write the tables into benchmarks/README.md too")
    parser.add_argument("--only", default="", help="only tests whose name holds this: price, steel, carbon, PJM")
    parser.add_argument("--processes", type=int, default=2, help="tests that run side by side")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the answers")
    asked = parser.parse_args()
    data = Path(os.environ.get("LOADSTONE_DATA") or "$LOADSTONE_DATA") / "forecast"
    asked.results.mkdir(parents=True, exist_ok=True)
    absent = missing(data)
    for text in absent:
        print(f"NOT RUN: {text}; LOADSTONE_DATA names the folder of the public data.", file=sys.stderr)
    wanted = [job for job in jobs(cases(data), asked.results, everything=asked.all) if asked.only in job.out.name]
    failed = run([job for job in wanted if not job.done(keep=asked.keep)], asked.processes)
    answers = [job for job in wanted if job.out.exists()]
    text = page({job.out: job.case for job in answers}, everything=asked.all, absent=[*absent, *failed])
    file = asked.results / ("all.md" if asked.all else "sample.md")
    file.write_text(text, encoding="utf-8")
    print(text)
    print(f"kept in {file}", file=sys.stderr)
    if asked.readme:
        README.write_text(with_tables(README.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 1 if absent or failed or not wanted else 0


def with_tables(readme: str, tables: str) -> str:
    """The page of all benchmarks with new tables in the place of the old ones, one heading deeper."""
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{README} has no lines {BEGIN} and {END} between which the tables stand")
    deeper = "\n".join(f"##{line}" if line.startswith("#") else line for line in tables.splitlines())
    return f"{before}{BEGIN}\n\n{deeper}\n\n{END}{after}"


def run(left: Sequence[Job], processes: int) -> list[str]:
    """Run tests side by side; which failed, and how."""
    began = time.monotonic()
    failed = []

    def one(job: Job) -> tuple[Job, int]:
        log = job.out.with_suffix(".log")
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with log.open("w") as written:
            done = subprocess.run(job.command, stdout=written, stderr=subprocess.STDOUT, check=False,
                                  env={**os.environ, **threads})  # fmt: skip
        return job, done.returncode

    with ThreadPoolExecutor(processes) as pool:
        for place, (job, code) in enumerate(pool.map(one, left), 1):
            print(
                f"{time.monotonic() - began:6.0f} s  {place} of {len(left)}  {job.out.stem}",
                file=sys.stderr,
                flush=True,
            )
            if code:
                log = job.out.with_suffix(".log")
                failed.append(f"{job.out.stem} failed with exit code {code}: see {log}")
                print(log.read_text()[-2000:], file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())

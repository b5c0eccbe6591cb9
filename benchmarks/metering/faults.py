"""Faults of a wire survived of faults tried, wrong values admitted, reads kept: `python -m benchmarks.metering.faults [word]`."""

import sys
import time

from tests.meters.faults.judge import run_table
from tests.meters.faults.result import FaultResult


def run_all(only: str = "") -> list[FaultResult]:
    """Every fault of the table in tests/meters/faults (those whose name holds a word), in time that jumps."""
    return list(run_table(only).values())


def line(result: FaultResult) -> str:
    """A result for a person."""
    mark = "ok" if result.survived else "NO"
    victim = f"victim {result.victim_share:4.0%}, again after {result.recovered} polls"
    return f"{mark} {result.name:56} wrong {result.wrong_values}, others keep {result.kept_share:4.0%}, {victim}"


def main() -> None:
    began, cpu = time.monotonic(), time.process_time()
    results = run_all(sys.argv[1] if len(sys.argv) > 1 else "")
    for result in results:
        print(line(result))
        for complaint in result.complaints:
            print(f"     {complaint}")
    survived = sum(result.survived for result in results)
    wrong = sum(result.wrong_values for result in results)
    least = min((result.kept_share for result in results), default=1.0)
    seconds = f"{time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} s of CPU"
    print(f"{survived} of {len(results)} survived, {wrong} wrong values, others keep {least:.0%} at least ({seconds})")


if __name__ == "__main__":
    main()

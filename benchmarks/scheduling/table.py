"""What a run has shown, as Markdown: one line an instance, and what came of all of them."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.scheduling.measure import OK
from benchmarks.scheduling.records import Record

PROVEN = 1e-9
SAME = 1e-6  # relative: as good as the published value


def versions() -> str:
    """What the figures hold for."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("highspy", "pulp", "numpy"))
    return f"Python {platform.python_version()}, {packages}"


def machine() -> str:
    """Processor and cores; the load says what else it did."""
    model = platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        names = [line.split(":", 1)[1].strip() for line in about.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}"


def table(title: str, records: Sequence[Record], *, seconds: float, seed: int, gap: float) -> str:
    """The whole report."""
    head = [
        f"## {title}, {datetime.now(tz=UTC):%d %B %Y}",
        "",
        f"{versions()}; {machine()}; seed {seed}; {seconds:g} s an instance, gap asked {gap:g}",
        "",
        "| instance | published | objective | bound | gap, % | seconds | how | check |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_line(record) for record in records), "", *summary(records)])


def _line(record: Record) -> str:
    published = _number(record["published"]) + ("*" if record["published_optimal"] else "")
    gap = "–" if record["gap"] is None else f"{100 * record['gap']:.3f}"
    took = "–" if record["seconds"] is None else f"{record['seconds']:.2f}"
    said = [record["instance"], published, _number(record["objective"]), _number(record["bound"]), gap, took]
    said += [record["how"], record["check"] or "–"]
    return f"| {' | '.join(text.replace('|', '/') for text in said)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".removesuffix(".00")


def good(record: Record) -> bool:
    """Whether there is a plan that every judge has let pass."""
    return record["check"] == OK and record["objective"] is not None


def summary(records: Sequence[Record]) -> list[str]:
    """What came of all of them, in words."""
    kept = [record for record in records if good(record)]
    refused = [record for record in records if record["plan"] is not None and not good(record)]
    none = [record for record in records if record["plan"] is None]
    broken = sum(record["how"].startswith("broken file") for record in none)
    said = [f"{len(records)} instances: {len(kept)} planned and checked, {len(refused)} refused, "]
    said[0] += f"{len(none) - broken} without a plan, {broken} broken."
    proven = sum(record["gap"] is not None and record["gap"] <= PROVEN for record in kept)
    gaps = [record["gap"] for record in kept if record["gap"] is not None]
    if kept:
        worst = f"; worst gap {100 * max(gaps):.3f} %" if gaps else ""
        slowest = max(kept, key=lambda record: record["seconds"])
        said.append(f"{proven} proven optimal{worst}; slowest {slowest['seconds']:.2f} s ({slowest['instance']}).")
    compared = [record for record in kept if record["published"] is not None]
    if compared:
        below, same, above = (sum(_beside(record) == side for record in compared) for side in (-1, 0, 1))
        said.append(f"Of {len(compared)} with a published value: {below} below it, {same} at it, {above} above it.")
        if any(record["published_optimal"] for record in compared):
            said.append("\\* published as proven optimal.")
    return said


def _beside(record: Record) -> int:
    """Below (−1), at (0) or above (1) the published value."""
    apart = record["objective"] - record["published"]
    near = SAME * max(1.0, abs(record["published"]))
    return 0 if abs(apart) <= near else (1 if apart > 0 else -1)

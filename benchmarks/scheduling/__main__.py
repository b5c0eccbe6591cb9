"""`python -m benchmarks.scheduling SET FOLDER --seconds S --json OUT`: plan every instance below a folder and say how."""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.scheduling import records as results
from benchmarks.scheduling.instance import Broken, Instance
from benchmarks.scheduling.measure import measure
from benchmarks.scheduling.records import Record
from benchmarks.scheduling.table import table, versions
from energy.ports import Optimizer
from optimizer.handover import QUIET
from optimizer.milp import Milp


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A public set of instances: who reads it, what it is called, and the gap at which a plan is as good as proven."""

    loader: str
    title: str
    gap: float

    def instances(self, folder: Path) -> Iterator[Instance | Broken]:
        return cast(Iterator[Instance | Broken], importlib.import_module(self.loader).instances(folder))


SETS = {
    "ctu": Set(loader="benchmarks.scheduling.ctu", title="CTU energy states, one machine", gap=0.0),
    "cas": Set(loader="benchmarks.scheduling.cas", title="CAS carbon-aware scheduling, one machine", gap=1e-4),
    "icon": Set(loader="benchmarks.scheduling.icon", title="ICON challenge, CSPLib 059", gap=1e-4),
}


def main(said: Sequence[str] | None = None) -> int:
    """Measure, print the table; 2 where there is nothing to measure."""
    asked = _asked(said)
    source = SETS[asked.set]
    if not asked.folder.is_dir():
        print(f"{asked.folder} is no folder; name the one that holds the {asked.set} instances", file=sys.stderr)
        return 2
    gap = source.gap if asked.gap is None else asked.gap
    optimizer = Milp(gap=gap)
    if optimizer.worker is not None:
        optimizer.worker.warm()  # as in a service, where it was there before the problem
    try:
        made = run(source, asked, optimizer, {"set": asked.set, "seconds": asked.seconds, "gap": gap})
    except results.UnreadableResultsError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if optimizer.worker is not None:
            optimizer.worker.end()
    if not made:
        print(f"no {asked.set} instances below {asked.folder}{_named(asked.only)}", file=sys.stderr)
        return 2
    print(table(source.title, made, seconds=asked.seconds, seed=int(QUIET["random_seed"]), gap=gap))
    return 0


def run(source: Set, asked: argparse.Namespace, optimizer: Optimizer, settings: dict[str, Any]) -> list[Record]:
    """The records of all instances, each kept in the file as soon as it is there."""
    settings |= {"seed": int(QUIET["random_seed"]), "versions": versions()}
    before = {record["instance"]: record for record in ([] if asked.json is None else results.read(asked.json))}
    made: list[Record] = []
    for instance in source.instances(asked.folder):
        if asked.only not in instance.name:
            continue
        earlier = before.pop(instance.name, None)
        kept = earlier is not None and earlier.get("settings") == settings and not asked.again
        if earlier is not None and kept and not isinstance(instance, Broken):
            made.append(earlier)
            continue
        made.append(measure(instance, optimizer, seconds=asked.seconds, settings=settings))
        print(f"{instance.name}: {made[-1]['how']}", file=sys.stderr, flush=True)
        if asked.json is not None:
            results.write(asked.json, [*made, *before.values()])
    return made


def _asked(said: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduling", description=__doc__)
    parser.add_argument("set", choices=sorted(SETS), help="which public set the folder holds")
    parser.add_argument("folder", type=Path, help="where its instances are, at any depth")
    parser.add_argument("--seconds", type=float, default=20.0, help="time for each instance, from the loaded problem")
    parser.add_argument("--json", type=Path, help="file of results; a later run with the same settings goes on from it")
    parser.add_argument("--gap", type=float, help="proven gap that is enough (default: the set's own)")
    parser.add_argument("--only", default="", help="only the instances whose name holds this")
    parser.add_argument("--again", action="store_true", help="measure also what the file of results already holds")
    return parser.parse_args(said)


def _named(only: str) -> str:
    return f" whose name holds {only!r}" if only else ""


if __name__ == "__main__":
    sys.exit(main())

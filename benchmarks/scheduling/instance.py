"""What a loader gives: an instance of a public benchmark as a problem, with the source's own formula beside it.

A loader is a module `benchmarks/scheduling/<set>.py` with

    def instances(folder: Path) -> Iterator[Instance | Broken]: ...

It finds its instances anywhere below the folder, in a stable order, reads one at a time, and gives a `Broken` for a file
that it cannot read. A folder without any gives nothing: the harness says so.

The problem's ids are the source's own as text: job "17" is the source's job 17, machine "0" its machine 0 (a machine of
a group that the source tells apart only by number carries that number). Pose it so that the bill's total is the source's
objective (`move_price=0`, `least_gain=0`), or say in `to_source` how the one becomes the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from energy.model.plan import Plan
from energy.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job of a plan as the record shows it: the source's job id, the slot it starts in (from 0), its machine."""

    job: int | str
    start: int
    machine: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance. `objective` and `faults` read the raw file's numbers and the rows alone, and share no code with
    the optimizer, the price or the check."""

    name: str  # unique below the folder: the path without its ending
    problem: Problem
    objective: Callable[[Sequence[Row]], float]  # the source's formula; called only where `faults` finds none
    faults: Callable[[Sequence[Row]], list[str]]  # the source's rules that the rows break, in words
    published: float | None = None  # the best published value, if the folder tells it
    published_optimal: bool = False  # and whether it is proven
    to_source: Callable[[float], float] = float  # a total of the bill (or a bound on it) in the source's formula
    first_slot: int = 0  # the source's slot in which the problem's slot 0 lies


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A file that should be an instance and cannot be read, and why."""

    name: str
    why: str


def rows_of(instance: Instance, plan: Plan) -> list[Row]:
    """A plan as the record shows it, in the source's ids and slots."""
    return [Row(job=_id(p.job), start=p.start + instance.first_slot, machine=_id(p.machine)) for p in plan.placements]


def _id(text: str) -> int | str:
    """A source's number is shown as one."""
    return int(text) if text.isdecimal() and str(int(text)) == text else text

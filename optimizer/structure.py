"""Which structure a problem has, and the engine that knows it. Where none does, the general program plans it.

A case is one function: it looks at a plant and gives its engine, or None where the plant says anything that the engine
does not know. What is not named by a case must be as by default (`only`), so that a rule that a problem learns later
is never overlooked.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

from energy.model.problem import Problem
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.starts import Chosen

if TYPE_CHECKING:
    from optimizer.many_machines.posed import ManyMachines

# (chosen, dispatch, cost, bound) of each better plan; without a dispatch only the bound is new
Tell = Callable[[Chosen, Dispatch | None, float, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ended:
    """An engine's last word. `bound` is one on what a plan costs in all."""

    chosen: Chosen | None
    dispatch: Dispatch | None
    bound: float | None
    optimal: bool
    status: str


class Engine(Protocol):
    """Plans one plant."""

    @property
    def name(self) -> str: ...

    def at_once(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended | None:
        """A good plan in little time, found in the process that asks; None where the search is as good."""
        ...

    def solve(self, *, first: Chosen, seconds: float, gap: float, tell: Tell) -> Ended:
        """The best plan in time, from a good one; in a child process that can be ended."""
        ...


def one_machine_separable(plant: Plant) -> Engine | None:
    """One machine, and what a job costs depends on its own start alone."""
    from optimizer.one_machine.separable import separable

    return separable(plant)


def one_machine_states(plant: Plant) -> Engine | None:
    """One machine with states, and a price for each slot."""
    from optimizer.one_machine.posed import one_machine

    return one_machine(plant)


CASES: tuple[Callable[[Plant], Engine | None], ...] = (one_machine_separable, one_machine_states)


def many_machines(problem: Problem) -> "ManyMachines | None":
    """Many jobs on machines that each hold several. Looked at before the starts are laid out, which are too many."""
    from optimizer.many_machines.posed import many_machines as posed

    return posed(problem)


def engine_of(plant: Plant) -> Engine | None:
    """The first engine that knows all that this plant says."""
    for case in CASES:
        engine = case(plant)
        if engine is not None:
            return engine
    return None


def only(noun: Any, known: frozenset[str]) -> bool:
    """Whether every field beyond the known ones is as by default."""
    return all(
        field.default is not MISSING and getattr(noun, field.name) == field.default
        for field in fields(noun)
        if field.name not in known
    )

"""A small modelling layer over PuLP: the plant's variables, requirements with names, costs with names.

Each rule of the plant is a block in `optimizer/blocks/` with one function `add(model)`; blocks meet only here, in rows
that they share: the load of the jobs, the battery, what is curtailed, what is imported and exported.
"""

from collections.abc import Iterable
from typing import Any, Literal

import pulp

from optimizer.plant import Plant
from optimizer.reckoning import LOUD_PER_KWH

Expression = Any  # a PuLP variable or affine expression, or a number
Terms = list[tuple[Any, float]]

_sum_of: Any = getattr(pulp.LpAffineExpression, "from_list", pulp.LpAffineExpression)  # PuLP 4, PuLP 3


class Model:
    """The program under construction."""

    loud_per_kwh = LOUD_PER_KWH

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.problem = plant.problem
        self.hours = plant.hours
        self.slots = range(plant.slots)
        self.program = pulp.LpProblem("plan", pulp.LpMinimize)
        self.columns: list[Any] = []
        self.requirements: list[str] = []
        self.costs: dict[str, list[Expression]] = {}
        self.start: list[list[Any]] = []  # per job, one variable per start (block jobs)
        self.job_kw: list[Terms] = [[] for _ in self.slots]
        self.charge_kw: list[Expression] = [0.0] * plant.slots
        self.discharge_kw: list[Expression] = [0.0] * plant.slots
        self.curtailed_kw: list[Expression] = [0.0] * plant.slots
        self.export_most_kw: list[float | None] = [None] * plant.slots
        self.import_kw: list[Expression] = []
        self.export_kw: list[Expression] = []

    def variable(self, at_least: float = 0.0, at_most: float | None = None, *, whole: bool = False) -> Any:
        """A new variable. Its name is only a number: what it means stands in the block that asks for it."""
        kind: Literal["Integer", "Continuous"] = "Integer" if whole else "Continuous"
        made = self.program.add_variable(f"x{len(self.columns)}", at_least, at_most, cat=kind)
        self.columns.append(made)
        return made

    def require(self, relation: Any, name: str) -> None:
        """A rule that every plan keeps; `name` in the plant's words."""
        self.program += relation, f"r{len(self.requirements)}"
        self.requirements.append(name)

    def cost(self, name: str, expression: Expression) -> None:
        """Money that the plan costs, under a name; all of it is made small."""
        self.costs.setdefault(name, []).append(expression)

    @staticmethod
    def total(terms: Iterable[tuple[Any, float]]) -> Any:
        """Σ variable · factor, of terms in which each variable stands once."""
        return _sum_of(list(terms))

    def close(self) -> pulp.LpProblem:
        """The program with its objective: to solve, or to write as LP or MPS."""
        self.program += pulp.lpSum(part for parts in self.costs.values() for part in parts)
        return self.program

"""A small modelling layer over PuLP: the plant's variables, requirements with names, costs with names.

Each rule of the plant is a block in `optimizer/blocks/` with one function `add(model)`; blocks meet only here, in rows
that they share: the load of the jobs, the battery, what is curtailed, what is imported and exported.

A rule can be said in two ways, into one store of coefficients. With a few terms, as PuLP expressions:

    over = model.variable()
    model.require(model.import_kw[k] - over <= limit_kw, "limit in slot 7")
    model.cost("limit", per_kwh * over)

With many, as arrays (row numbers count from 0 within the call):

    on = model.columns(96, 0.0, 1.0, whole=True)
    model.rows(row, on[slot], 1.0, upper=1.0, name=lambda row: f"one job in slot {row}")
    model.price("wear", on, 0.1)

`column` and `expression` lead from one way to the other.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pulp
from numpy.typing import ArrayLike, NDArray

from optimizer.plant import Plant
from optimizer.reckoning import LOUD_PER_KWH
from optimizer.starts import Rows, Whole

Expression = Any  # a PuLP variable or affine expression, or a number
Terms = list[tuple[Any, float]]
Name = str | Callable[[int], str]
Kind = Literal["stores", "states", "powers"]
Read = Callable[[Rows], Any]

_sum_of: Any = getattr(pulp.LpAffineExpression, "from_list", pulp.LpAffineExpression)  # PuLP 4, PuLP 3
_KINDS: dict[bool, Literal["Integer", "Continuous"]] = {True: "Integer", False: "Continuous"}


class Model:
    """The program under construction."""

    loud_per_kwh = LOUD_PER_KWH

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.problem = plant.problem
        self.hours = plant.hours
        self.slots = range(plant.slots)
        self.start: list[Whole] = []  # per job, the columns of its starts (block jobs)
        self.most_load_kw: Rows = np.zeros(plant.slots)  # an upper bound of all that `load` has been told of
        self.extra_kw: list[Terms] = [[] for _ in self.slots]  # further loads: (variable, factor), bounded variables
        self.charge_kw: list[Expression] = [0.0] * plant.slots
        self.discharge_kw: list[Expression] = [0.0] * plant.slots
        self.stored_kwh: list[Expression] = []  # after each slot; empty where no battery is planned
        self.curtailed_kw: list[Expression] = [0.0] * plant.slots
        self.export_most_kw: list[float | None] = [None] * plant.slots
        self.most_import_kw: Rows = np.zeros(plant.slots)  # an upper bound of the import (block site_balance)
        self.import_kw: list[Expression] = []
        self.export_kw: list[Expression] = []
        self.readings: list[tuple[Kind, str, Read]] = []
        self.costs: dict[str, tuple[array[int], array[float]]] = {}
        self.offset = 0.0
        self._words = pulp.LpProblem("words", pulp.LpMinimize)  # the owner of the variables that scalar rules speak of
        self._variables: dict[int, Any] = {}
        self._lower, self._upper, self._whole = array("d"), array("d"), array("b")
        self._row, self._column, self._factor = array("q"), array("q"), array("d")
        self._row_lower, self._row_upper = array("d"), array("d")
        self._names: list[tuple[int, Name]] = []  # (first row, name) of each call
        self._load: list[tuple[Whole, Whole, Whole, Rows]] = []

    @property
    def least_taking(self) -> Rows:
        """The least that one kWh more of import may cost in each slot: with the price of carbon, and every tier reached
        that makes it cheaper."""
        problem = self.problem
        carbon = problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh, dtype=np.float64)
        cheaper = sum(min(0.0, tier.extra_per_kwh) for tier in problem.tiers)
        return np.asarray(np.asarray(problem.import_price, dtype=np.float64) + carbon + cheaper, dtype=np.float64)

    # --- a few terms, as PuLP expressions

    def variable(self, at_least: float = 0.0, at_most: float | None = None, *, whole: bool = False) -> Any:
        """A new variable. Its name is only a number: what it means stands in the block that asks for it."""
        self._lower.append(at_least)
        self._upper.append(math.inf if at_most is None else at_most)
        self._whole.append(whole)
        return self.expression(len(self._lower) - 1)

    def require(self, relation: Any, name: str) -> None:
        """A rule that every plan keeps; `name` in the plant's words."""
        row = len(self._row_lower)
        for x, factor in relation.items():
            self._row.append(row)
            self._column.append(int(x.name[1:]))
            self._factor.append(factor)
        right = 0.0 - relation.constant
        self._row_lower.append(right if relation.sense >= 0 else -math.inf)
        self._row_upper.append(right if relation.sense <= 0 else math.inf)
        self._names.append((row, name))

    def cost(self, name: str, expression: Expression) -> None:
        """Money that the plan costs, under a name; all of it is made small."""
        columns, factors = self.costs.setdefault(name, (array("q"), array("d")))
        if isinstance(expression, int | float | np.number):
            self.offset += expression
            return
        terms = [(expression, 1.0)] if isinstance(expression, pulp.LpVariable) else expression.items()
        for x, factor in terms:
            columns.append(int(x.name[1:]))
            factors.append(factor)
        self.offset += 0.0 if isinstance(expression, pulp.LpVariable) else expression.constant

    @staticmethod
    def total(terms: Iterable[tuple[Any, float]]) -> Any:
        """Σ variable · factor, of terms in which each variable stands once."""
        return _sum_of(list(terms))

    # --- many terms, as arrays

    def columns(
        self, count: int, at_least: ArrayLike = 0.0, at_most: ArrayLike | None = None, *, whole: bool = False
    ) -> Whole:
        """So many new columns, with one bound for all or one for each."""
        first = len(self._lower)
        _append(self._lower, at_least, count)
        _append(self._upper, math.inf if at_most is None else at_most, count)
        self._whole.frombytes(np.full(count, whole, dtype=np.int8).tobytes())
        return np.arange(first, first + count, dtype=np.int64)

    def rows(
        self,
        row: ArrayLike,
        column: ArrayLike,
        factor: ArrayLike,
        *,
        lower: ArrayLike = -math.inf,
        upper: ArrayLike = math.inf,
        name: Name,
        count: int | None = None,
    ) -> None:
        """Rules that every plan keeps: lower ≤ Σ factor · column ≤ upper, in rows 0, 1, … of this call. `count` says how
        many where neither a bound nor the greatest row does. What stands twice in a row is added up."""
        rows = np.asarray(row, dtype=np.int64)
        said = [np.size(bound) for bound in (lower, upper) if np.ndim(bound)]
        number = count if count is not None else said[0] if said else int(rows.max(initial=-1)) + 1
        first = len(self._row_lower)
        self._row.frombytes((rows + first).tobytes())
        _append_whole(self._column, column, len(rows))
        _append(self._factor, factor, len(rows))
        _append(self._row_lower, lower, number)
        _append(self._row_upper, upper, number)
        if number:
            self._names.append((first, name))

    def price(self, name: str, column: ArrayLike, factor: ArrayLike) -> None:
        """Money that each unit of a column costs, under a name."""
        columns, factors = self.costs.setdefault(name, (array("q"), array("d")))
        count = np.size(column)
        _append_whole(columns, column, count)
        _append(factors, factor, count)

    # --- from one way of speaking to the other

    @staticmethod
    def column(variable: Any) -> int:
        """The column of a variable."""
        return int(variable.name[1:])

    def columns_of(self, variables: Iterable[Any]) -> Whole:
        """The columns of variables."""
        return np.array([self.column(x) for x in variables], dtype=np.int64)

    def expression(self, column: int) -> Any:
        """The variable of a column, to be used in expressions."""
        made = self._variables.get(column)
        if made is None:
            most = self._upper[column]
            made = self._words.add_variable(
                f"x{column}",
                None if self._lower[column] == -math.inf else self._lower[column],
                None if most == math.inf else most,
                cat=_KINDS[bool(self._whole[column])],
            )
            self._variables[column] = made
        return made

    def expressions(self, columns: Whole) -> list[Any]:
        """The variables of columns."""
        return [self.expression(column) for column in columns.tolist()]

    # --- the load of jobs and machines

    def load(
        self,
        machine: ArrayLike,
        slot: ArrayLike,
        column: ArrayLike,
        factor: ArrayLike,
        *,
        most_kw: Rows | None = None,
    ) -> None:
        """kW that each unit of a column draws in a slot, behind a machine (its row, or -1). `most_kw`, a value a slot, is
        the most that all of it can draw, where that is less than every column at its upper bound."""
        slots = np.asarray(slot, dtype=np.int64)
        count = len(slots)
        machines, columns = _filled(machine, count, np.int64), _filled(column, count, np.int64)
        factors = _filled(factor, count, np.float64)
        self._load.append((machines, slots, columns, factors))
        if most_kw is None:
            upper = np.frombuffer(self._upper, dtype=np.float64)[columns].copy()
            most_kw = np.zeros(len(self.slots))
            np.add.at(most_kw, slots, np.maximum(factors, 0.0) * upper)
        self.most_load_kw = self.most_load_kw + most_kw

    def loads(self) -> tuple[Whole, Whole, Whole, Rows]:
        """(machine row or -1, slot, column, kW) of all that `load` has been told of."""
        if not self._load:
            none = np.zeros(0, dtype=np.int64)
            return none, none, none, np.zeros(0)
        machine, slot, column, factor = zip(*self._load, strict=True)
        return np.concatenate(machine), np.concatenate(slot), np.concatenate(column), np.concatenate(factor)

    def extra_most_kw(self, k: int) -> float:
        """The most that the further loads of a slot can draw."""
        most = 0.0
        for x, factor in self.extra_kw[k]:
            column = self.column(x)
            most += max(factor * self._lower[column], factor * self._upper[column])
        return most

    # --- reading a solution

    def reads(self, kind: Kind, key: str, read: Read) -> None:
        """How a part of the dispatch is read from the values of a solution, one value a column: of a store its rows, of
        a machine its states, of a job its powers."""
        self.readings.append((kind, key, read))

    # --- the program as a whole

    @property
    def size(self) -> tuple[int, int, int]:
        """(columns, rows, terms)."""
        return len(self._lower), len(self._row_lower), len(self._factor)

    def bounds(self) -> tuple[Rows, Rows, NDArray[np.bool_]]:
        """(lower bound, upper bound, whole or not) of each column."""
        return (
            np.array(self._lower, dtype=np.float64),
            np.array(self._upper, dtype=np.float64),
            np.array(self._whole, dtype=np.bool_),
        )

    def matrix(self) -> tuple[Whole, Whole, Rows]:
        """(first term of each row and the end, column, factor), row by row, each column at most once in a row."""
        columns, rows, _ = self.size
        row, column = np.array(self._row, dtype=np.int64), np.array(self._column, dtype=np.int64)
        factor = np.array(self._factor, dtype=np.float64)
        key = row * max(1, columns) + column
        order = np.argsort(key, kind="stable")
        key, column, factor = key[order], column[order], factor[order]
        first = np.concatenate([[True], key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.bool_)
        if not first.all():
            factor, key, column = np.add.reduceat(factor, np.flatnonzero(first)), key[first], column[first]
        starts = np.searchsorted(key, np.arange(rows + 1, dtype=np.int64) * max(1, columns))
        return np.asarray(starts, dtype=np.int64), column, factor

    def row_bounds(self) -> tuple[Rows, Rows]:
        """(lower bound, upper bound) of each row."""
        return np.array(self._row_lower, dtype=np.float64), np.array(self._row_upper, dtype=np.float64)

    def objective(self) -> Rows:
        """What a unit of each column costs."""
        cost = np.zeros(len(self._lower))
        for columns, factors in self.costs.values():
            if len(columns):
                cost += np.bincount(np.array(columns), np.array(factors), minlength=len(cost))
        return cost

    def requirement(self, row: int) -> str:
        """A row in the plant's words."""
        first, name = next((first, name) for first, name in reversed(self._names) if first <= row)
        return name if isinstance(name, str) else name(row - first)

    def program(self) -> pulp.LpProblem:
        """The whole program for PuLP: to write as LP or MPS, or for another solver. What the plan costs in any case
        hangs on a variable that is one, since the files know no constant there."""
        made = pulp.LpProblem("plan", pulp.LpMinimize)
        lower, upper, whole = (bound.tolist() for bound in self.bounds())
        variables = [
            made.add_variable(
                f"x{c}",
                None if lower[c] == -math.inf else lower[c],
                None if upper[c] == math.inf else upper[c],
                cat=_KINDS[whole[c]],
            )
            for c in range(len(lower))
        ]
        cost = self.objective()
        always = made.add_variable("always", 1.0, 1.0)
        made += _sum_of([*((variables[c], float(cost[c])) for c in np.flatnonzero(cost)), (always, self.offset)])
        starts, column, factor = (part.tolist() for part in self.matrix())
        least, most = (bound.tolist() for bound in self.row_bounds())
        for row in range(len(least)):
            span = range(starts[row], starts[row + 1])
            total = _sum_of([(variables[column[i]], factor[i]) for i in span])
            for name, relation in _relations(row, total, least[row], most[row]):
                made += relation, name
        return made


def _relations(row: int, total: Any, least: float, most: float) -> Sequence[tuple[str, Any]]:
    if least == most:
        return [(f"r{row}", total == least)]
    found = [] if least == -math.inf else [(f"r{row}", total >= least)]
    if most != math.inf:
        found.append((f"r{row}_most" if found else f"r{row}", total <= most))
    return found


def _filled(values: ArrayLike, count: int, kind: Any) -> NDArray[Any]:
    """One value for all, or one for each."""
    return np.broadcast_to(np.asarray(values, dtype=kind), (count,))


def _append(store: "array[float]", values: ArrayLike, count: int) -> None:
    store.frombytes(_filled(values, count, np.float64).tobytes())


def _append_whole(store: "array[int]", values: ArrayLike, count: int) -> None:
    store.frombytes(_filled(values, count, np.int64).tobytes())

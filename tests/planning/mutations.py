"""Whatever is changed a little in a valid plan is found by the auditor, or is still a valid plan."""

from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

import pytest

from energy.model.plan import LineKind, Plan
from energy.model.problem import Problem
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan

Path = tuple[Any, ...]
UNSAID = {"how", "gave_way", "risk"}  # what the auditor says nothing of
ROWS = ("import_kw", "export_kw", "charge_kw", "discharge_kw", "curtailed_kw")


def leaves(value: Any, path: Path = ()) -> list[Path]:
    """The path of each plain value in a record."""
    if is_dataclass(value):
        return [leaf for f in fields(value) for leaf in leaves(getattr(value, f.name), (*path, f.name))]
    if isinstance(value, tuple):
        return [leaf for i, part in enumerate(value) for leaf in leaves(part, (*path, i))]
    return [path]


def spoken(plan: Plan) -> list[Path]:
    """The path of each value that the auditor answers for."""
    return [path for path in leaves(plan) if path[0] not in UNSAID]


def with_leaf(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The record with one plain value changed."""
    if not path:
        return change(value)
    first, *rest = path
    if isinstance(value, tuple):
        return (*value[:first], with_leaf(value[first], tuple(rest), change), *value[first + 1 :])
    return replace(value, **{first: with_leaf(getattr(value, first), tuple(rest), change)})


def changed(leaf: Any) -> Any:
    """Another value of the same kind, not far away."""
    if isinstance(leaf, LineKind):
        return LineKind.WEAR if leaf is not LineKind.WEAR else LineKind.ENERGY
    if isinstance(leaf, int):
        return leaf + 1
    if isinstance(leaf, float):
        return leaf + 0.5
    return f"{leaf}!"


def slips_through(problem: Problem, plan: Plan, path: Path, change: Callable[[Any], Any] = changed) -> bool:
    """Whether a plan that is changed there is no plan any more, and the auditor does not see it."""
    spoilt = with_leaf(plan, path, change)
    if new_violations(check(problem, plan), check(problem, spoilt)):
        return False
    again = price_plan(
        problem,
        spoilt.placements,
        charge_kw=spoilt.charge_kw,
        discharge_kw=spoilt.discharge_kw,
        curtailed_kw=spoilt.curtailed_kw,
        states={row.machine: row.states for row in spoilt.states},
        stores={row.store: row.power_kw for row in spoilt.stores},
        how=spoilt.how,
    )
    return not same_numbers(again, spoilt)


def same_numbers(one: Plan, other: Plan) -> bool:
    """Whether two plans have the same rows and bill."""
    mine, others = _numbers(one), _numbers(other)
    return len(mine) == len(others) and mine == pytest.approx(others, abs=1e-3)


def _numbers(plan: Plan) -> list[float]:
    plain = asdict(plan)
    lines = sorted((line["kind"], line["name"], line["amount"], line["quantity"]) for line in plain["bill"]["lines"])
    rows = [value for name in ROWS for value in plain[name]]
    return [*rows, *(x for line in lines for x in line[2:]), plain["bill"]["carbon_kg"], plain["bill"]["peak_kw"]]


def unheard(problem: Problem, plan: Plan) -> list[Path]:
    """Where a plan can be spoilt a little (a value a little more or less, a part left out or said twice) and the
    auditor does not see it."""
    found = [
        path
        for path in spoken(plan)
        for change in (changed, lambda leaf: leaf - 0.01 if isinstance(leaf, float) else leaf)
        if slips_through(problem, plan, path, change)
    ]
    for name in ("placements", "stores", "states"):
        parts = getattr(plan, name)
        found += [(name, i) for i in range(len(parts)) if _parts_slip_through(problem, plan, (name,), i)]
    lines = [i for i, line in enumerate(plan.bill.lines) if line.amount or line.quantity]
    return found + [("bill", "lines", i) for i in lines if _parts_slip_through(problem, plan, ("bill", "lines"), i)]


def _parts_slip_through(problem: Problem, plan: Plan, path: Path, i: int) -> bool:
    """Whether one of several parts may be left out, or said twice."""
    return any(
        slips_through(problem, plan, path, change)
        for change in (lambda parts: parts[:i] + parts[i + 1 :], lambda parts: (*parts, parts[i]))
    )

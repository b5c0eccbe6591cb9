"""The foundry example: made anew it is the committed file, nothing that a problem can say is missing in it, its as-is
keeps every rule, and what is planned for it is confirmed."""

import runpy
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from energy.exchange.problems import read_problem
from energy.model.plan import How, HowFound, LineKind, Plan
from energy.model.problem import Problem
from energy.planning.check import check
from energy.planning.price import price_plan
from optimizer.greedy import dispatched
from optimizer.milp import Milp

FOUNDRY = Path(__file__).parents[2] / "examples" / "foundry"
SECONDS = 8.0
UNSAID = {"Problem.format"}  # there is only one


@pytest.fixture(scope="module")
def foundry() -> Problem:
    return read_problem(FOUNDRY / "problem.json")


def test_made_anew_it_is_the_committed_file(tmp_path: Path) -> None:
    made = runpy.run_path(str(FOUNDRY / "make.py"), run_name="made")
    made["main"](["--out", str(tmp_path / "problem.json")])
    assert (tmp_path / "problem.json").read_text() == (FOUNDRY / "problem.json").read_text()


@pytest.mark.parametrize("which", ["as_is", "in_force"])
def test_what_production_has_planned_keeps_every_rule(foundry: Problem, which: str) -> None:
    given = price_plan(foundry, [getattr(job, which) for job in foundry.jobs], how=How(found=HowFound.AS_GIVEN))
    assert not check(foundry, given)


def test_a_plan_is_confirmed_and_costs_no_more_than_its_bound_says(foundry: Problem) -> None:
    before, plan = dispatched(foundry).plan, Milp().solve(foundry, seconds=SECONDS).plan
    assert before is not None and plan is not None
    assert not check(foundry, plan)
    assert plan.bill.total <= before.bill.total
    assert plan.how.bound is None or plan.how.bound <= plan.bill.total + 1e-6


# --- nothing is missing


def nouns(kind: Any, seen: dict[str, type]) -> dict[str, type]:
    """Every dataclass that a problem is made of, by its name."""
    if is_dataclass(kind) and isinstance(kind, type) and kind.__name__ not in seen:
        seen[kind.__name__] = kind
        for hint in get_type_hints(kind).values():
            nouns(hint, seen)
    for part in get_args(kind):
        nouns(part, seen)
    return seen


def records(value: Any) -> Iterator[Any]:
    """Every dataclass within a value, itself too."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            yield from records(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from records(part)


def said(problem: Problem) -> set[str]:
    """The fields that differ somewhere from what holds where nothing is said."""
    return {
        f"{type(record).__name__}.{field.name}"
        for record in records(problem)
        for field in fields(record)
        if field.default is MISSING or getattr(record, field.name) != field.default
    }


def test_every_field_of_every_noun_is_used_somewhere(foundry: Problem) -> None:
    every = {f"{name}.{field.name}" for name, kind in nouns(Problem, {}).items() for field in fields(kind)}
    assert len(every) > 150
    assert every - said(foundry) == UNSAID


def test_a_field_that_nobody_uses_would_be_found(foundry: Problem) -> None:
    poorer = replace(foundry, feeders=(), jobs=tuple(replace(job, accepted=False) for job in foundry.jobs))
    missing = said(foundry) - said(poorer)
    assert {"Problem.feeders", "Feeder.limit_kw", "Feeder.base_load_kw", "ProblemJob.accepted"} <= missing


# --- the README


def test_every_line_of_money_of_a_plan_can_be_met_here(foundry: Problem) -> None:
    def lines(plan: Plan) -> set[LineKind]:
        return {line.kind for line in plan.bill.lines}

    given = price_plan(foundry, [job.as_is for job in foundry.jobs], how=How(found=HowFound.AS_GIVEN))
    without = price_plan(foundry, [j.in_force for j in foundry.jobs if j.value is None], how=given.how)
    met = lines(given) | lines(without)
    assert {kind for kind in LineKind if kind.is_money} <= met
    assert {LineKind.LEFT_OUT, LineKind.LIMIT, LineKind.MOVE, LineKind.CARBON} <= met

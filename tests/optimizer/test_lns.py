"""Neighbourhoods: better plans whatever the rules are, the same for the same seed, and repeated exactly under work."""

import io
from dataclasses import replace

import pytest

from benchmarks.plants import Size
from benchmarks.plants import plant as made
from energy.model.problem import Problem
from energy.model.site import BatteryRule
from energy.planning.check import check
from optimizer.answer import candidate
from optimizer.lns import Neighbourhoods
from optimizer.milp import Milp
from optimizer.plant import Plant
from optimizer.progress import Progress
from optimizer.solve import build, dispatch_of
from tests.optimizer.plants import best, job, plant, starts


def medium(**other: object) -> Problem:
    """A day of six jobs."""
    return made(Size(jobs=6, **other), seed=3)  # type: ignore[arg-type]  # a size takes what it names


def test_neighbourhoods_better_a_plan_whose_rules_the_search_does_not_know() -> None:
    problem = medium()
    laid_out = Plant(problem)
    given = candidate(laid_out, laid_out.as_given)
    near = Neighbourhoods(build(laid_out), laid_out.as_given, seed=1)
    for _ in range(4):
        near.once()
    assert near.values is not None
    found = candidate(laid_out, near.chosen, dispatch_of(near.model, near.values))
    assert found.cost < given.cost - 1.0
    assert found.cost == pytest.approx(near.cost, abs=1e-4)  # what the small programs say is what the bill says


def test_neighbourhoods_find_the_best_of_a_small_plant() -> None:
    problem = plant([9.0, 9.0, 1.0, 2.0, 9.0], job("a", 10, start=0), job("b", 9, start=1))
    laid_out = Plant(problem)
    near = Neighbourhoods(build(laid_out), laid_out.as_given)
    near.once()
    assert near.cost == pytest.approx(best(problem).bill.total, abs=1e-6)


def test_the_same_seed_frees_the_same_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.lns.FIRST_SIZE", 3)  # of six, so that it matters which

    def costs(seed: int) -> list[float]:
        near = Neighbourhoods(build(Plant(problem)), Plant(problem).as_given, seed=seed)
        made = []
        for _ in range(4):
            near.once()
            made.append(near.cost)
        return made

    problem = medium(lumpy=True)
    assert costs(1) == costs(1)
    assert costs(1) != costs(2)


@pytest.mark.parametrize("rule", [BatteryRule.PLANNED, BatteryRule.SELF_CONSUMPTION])
def test_the_same_work_gives_the_same_plan_and_bound(rule: BatteryRule | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.solve.FEW_STARTS", 0)  # so that neighbourhoods are tried in so small a program
    problem = medium(battery=rule, lumpy=True)
    first, again = (Milp(gap=0.0, process=False, work=10, seed=7).solve(problem, seconds=600).plan for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.placements == again.placements
    assert first.charge_kw == again.charge_kw
    assert first.how.bound == again.how.bound
    assert first.how.seed == 7
    assert check(problem, first) == []


def test_a_plan_in_force_that_is_best_stays() -> None:
    problem = plant([9.0, 9.0, 1.0, 2.0, 9.0], job("a", 10, start=0), job("b", 9, start=1))
    found = starts(best(problem))
    again = replace(
        problem,
        jobs=tuple(replace(job, in_force=replace(job.in_force, start=found[job.id])) for job in problem.jobs),
    )
    assert starts(best(again)) == found


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_plain_lines_where_nobody_watches() -> None:
    now = iter([0.0, 0.0, 0.1, 1.0, 2.0, 3.0])
    said = io.StringIO()
    progress = Progress(10, "EUR", said, clock=lambda: next(now))
    progress(1000.0, None)
    progress(900.0, None)  # too soon after the first
    progress(800.0, 780.0)
    progress(790.0, 780.0)
    progress.done()
    assert said.getvalue().splitlines() == [
        "     0.0 s  1,000.00 EUR",
        "     1.0 s  800.00 EUR, at least 780.00, gap 2.50 %",
        "     2.0 s  790.00 EUR, at least 780.00, gap 1.27 %",
    ]


def test_progress_is_a_bar_on_a_terminal() -> None:
    now = iter([0.0, 5.0])
    said = Terminal()
    progress = Progress(10, "EUR", said, clock=lambda: next(now))
    progress(800.0, 780.0)
    progress.done()
    assert said.getvalue().startswith("\r[############............]    5 s  800.00 EUR, at least 780.00, gap 2.50 %")
    assert said.getvalue().endswith("\n")

"""A bound is only ever one of the whole program, also while it is solved from a plan that somebody else has found."""

import math
import time

from energy.model.problem import DemandWindow, Store
from optimizer import solve
from optimizer.handover import arrays
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.starts import Chosen
from tests.optimizer.plants import job, plant

PRICES = [9.0, 9.0, 1.0, 2.0, 9.0]


def test_what_is_told_on_the_way_is_no_bound_of_the_first_plan_alone() -> None:
    """A store that draws nothing or much: once the jobs stand, HiGHS has to branch for what goes with them."""
    slots = 16
    prices = [5.0 + 3.0 * math.sin(k) + (k * 7 % 5) for k in range(slots)]
    store = Store(
        id="cold", start=20.0, least=5.0, most=45.0, end=20.0, level_per_kwh=3.0, most_kw=12.0, least_kw=7.0,
        loss_per_hour=0.02, draw=(6.0, 9.0) * 8, as_is_kw=(0.0,) * slots,
    )  # fmt: skip
    jobs = [job(id, 30.0, 20.0, start=start) for id, start in (("a", 0), ("b", 2), ("c", 4))]
    window = DemandWindow(name="peak", per_kw=2.0, slots=tuple(range(slots)), so_far_kw=30.0)
    laid_out = Plant(plant(prices, *jobs, stores=(store,), demand=(window,)))
    model = solve.build(laid_out)
    told: list[float] = []

    def better(chosen: Chosen, dispatch: Dispatch | None, cost: float, bound: float | None) -> None:
        told.append(-math.inf if bound is None else bound)

    effort = solve._Effort(until=time.monotonic() + 60, gap=1e-4, work=None, seed=0)
    run = solve._Run(model, arrays(model), effort, better=better, meanwhile=solve.Meanwhile())
    run.first = laid_out.as_given
    given = run._completed(laid_out.as_given)
    solved = run.whole()
    assert given is not None and told and solved.cost is not None and solved.bound is not None
    assert solved.optimal and solved.cost < run._cost_of(given) - 1.0  # the first plan was far from the best
    assert all(bound <= solved.cost + 1e-6 for bound in told)
    assert solved.cost - solved.bound <= 1e-4 * abs(solved.cost) + 1e-6


def test_all_that_goes_with_chosen_starts_is_worked_out_before_the_solver_hears_of_them() -> None:
    laid_out = Plant(plant(PRICES, job("a", 10, start=0), job("b", 9, start=1, machine="press")))
    model = solve.build(laid_out)
    effort = solve._Effort(until=time.monotonic() + 60, gap=0.0, work=None, seed=0)
    run = solve._Run(model, arrays(model), effort, better=None, meanwhile=solve.Meanwhile())
    before = list(run.lp.col_upper_)
    values = run._completed(laid_out.as_given)
    assert values is not None
    assert list(values[run._columns_of(laid_out.as_given)]) == [1.0, 1.0]
    assert list(run.lp.col_upper_) == before  # and nothing is forbidden by it

"""The yardstick of the search agrees with the bill, and its quick way with its thorough one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.model.plan import How, HowFound
from energy.model.problem import Problem
from energy.planning.price import price_plan
from optimizer.answer import cost_of
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch, Reckoning, at_rest
from tests.optimizer.test_properties import FEW, clean, plants


@FEW
@given(plants().filter(clean), st.booleans())
def test_a_plan_costs_what_its_bill_says(problem: Problem, curtailable: bool) -> None:
    problem = replace(problem, curtailable=curtailable)
    plant = Plant(problem)
    reckoning = Reckoning(plant)
    curtailed = reckoning.dispatch_of(plant.as_given).curtailed_kw
    plan = price_plan(
        problem,
        plant.placements(plant.as_given),
        curtailed_kw=tuple(curtailed.tolist()) if curtailable else None,
        how=How(found=HowFound.AS_GIVEN),
    )
    assert reckoning.total(plant.as_given) == pytest.approx(plan.bill.total, abs=1e-6)


@FEW
@given(plants(own_rule=False), st.booleans(), st.integers(1, 3))
def test_the_quick_cost_of_a_start_is_the_cost_of_the_whole_plan(
    problem: Problem, curtailable: bool, length: int
) -> None:
    plant = Plant(replace(problem, curtailable=curtailable))
    steady = at_rest(plant)
    moving = Dispatch(np.full(plant.slots, 0.5), steady.discharge_kw, steady.curtailed_kw)
    for dispatch in (None, moving) if problem.battery is None else (steady, moving):
        reckoning = Reckoning(plant, dispatch)
        assert reckoning.is_local
        load, slot = plant.load_kw(plant.as_given), np.arange(plant.slots - length + 1)
        power = np.linspace(1.0, 4.0, length)
        rows = np.tile(load, (len(slot), 1))
        for row, first in enumerate(slot.tolist()):
            rows[row, first : first + length] += power
        assert reckoning.beside(load, slot, power) == pytest.approx(reckoning.costs(rows), abs=1e-9)


@FEW
@given(plants().filter(clean))
def test_a_plan_costs_the_same_by_its_bill_where_the_yardstick_does_not_know_a_rule(problem: Problem) -> None:
    class Odd(Plant):
        search_knows = False

    plant, odd = Plant(problem), Odd(problem)
    for number in range(min(len(starts) for starts in plant.starts)):
        chosen = np.full(len(plant.starts), number)
        assert cost_of(odd, chosen, None) == pytest.approx(cost_of(plant, chosen, None), abs=1e-6)

"""The released week as planning sees it: no conflict of its own, and hours worth moving to that are no gold mine."""

from datetime import date, timedelta

import numpy as np
import pytest

from energy.clock import day_bounds
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job
from energy.model.problem import Placement, Problem
from energy.model.series import Series
from energy.model.tariff import EnergyRate, Tariff
from energy.planning.as_is import conflicts
from energy.planning.check import check_placements
from energy.planning.pose import pose
from energy.planning.situation import Expected, Situation
from energy.twin import market
from energy.twin.base import buildings_kw
from energy.twin.production import production_week
from energy.twin.roster import Roster
from tests.twin.hallmoor import CALENDAR, SITE, ZONE

FEES = 0.0482
MONDAYS = [date(2026, 5, 18), date(2026, 11, 23)]


def posed(jobs: list[Job], price: np.ndarray, horizon: Horizon) -> Problem:
    flat = Series.constant(horizon, 380.0, "kW")
    return pose(
        Situation(
            site=SITE,
            calendar=CALENDAR,
            tariff=Tariff(currency="EUR", rates=(EnergyRate(name="fees", per_kwh=FEES),)),
            horizon=horizon,
            now=horizon.start,
            jobs=tuple(jobs),
            runs=(),
            as_is={},
            accepted={},
            offered={},
            untouchable={},
            facts=(),
            market_price=Expected(middle=Series(horizon, price, "EUR/kWh")),
            published=(True,) * horizon.slots,
            carbon=Series.constant(horizon, 0.3, "kg CO2e/kWh"),
            carbon_basis="grid average, direct",
            base_load=Expected(middle=flat),
            pv=Expected(middle=Series.constant(horizon, 0.0, "kW")),
            peaks_so_far={},
            commitments=(),
            battery_kwh=43.0,
            movable=Interval(horizon.start, horizon.end),
        )
    ).problem


def week(monday: date) -> tuple[Problem, np.ndarray]:
    start = day_bounds(monday, ZONE)[0]
    horizon = Horizon.between(start, start + timedelta(days=6))
    price = market.price(horizon, 7, ZONE)
    return posed(production_week(SITE, CALENDAR, monday, ZONE, 7), price, horizon), price


@pytest.mark.parametrize("monday", MONDAYS)
def test_the_released_week_has_no_conflict(monday: date) -> None:
    problem, _ = week(monday)
    assert len(problem.jobs) > 50
    assert conflicts(problem) == []


@pytest.mark.parametrize("monday", MONDAYS)
def test_moving_jobs_saves_some_percent_and_not_a_third(monday: date) -> None:
    """One job after the other to its cheapest feasible start: less than an optimizer finds, enough to be worth it."""
    problem, price = week(monday)
    paid = price + FEES
    places = {job.id: job.as_is for job in problem.jobs}

    def cost(place: Placement) -> float:
        powers = problem.job(place.job).option(place.machine, place.mode).power_kw
        return float(np.dot(powers, paid[place.start : place.start + len(powers)])) / 4

    as_is = sum(cost(place) for place in places.values())
    for job in problem.jobs:
        if job.fixed is not None:
            continue
        here = places[job.id]
        length = job.option(here.machine).slots
        last = min(job.due or problem.slots, problem.slots) - length
        starts = [Placement(job=job.id, machine=here.machine, start=k) for k in range(job.earliest, last + 1)]
        for there in sorted(starts, key=cost)[:12]:
            if cost(there) < cost(here) - 2 and not check_placements(problem, [*({**places, job.id: there}).values()]):
                places[job.id] = there
                break
    saved = as_is - sum(cost(place) for place in places.values())
    assert 0.01 < saved / (as_is + buildings_cost(problem, paid)) < 0.08


def buildings_cost(problem: Problem, paid: np.ndarray) -> float:
    """What the buildings of the same days cost, hour by hour alike in both plans."""
    first, roster = int(problem.start.timestamp() // 86400), Roster(CALENDAR, ZONE)
    days = [buildings_kw(first + n, SITE, roster, 7).reshape(96, 15).mean(axis=1) for n in range(problem.slots // 96)]
    return float(np.dot(np.concatenate(days), paid)) / 4

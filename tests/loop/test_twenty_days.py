"""Twenty equal days: the daily savings plus the peak line equal the difference of the month's bills."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from energy.clock import day_bounds, local
from energy.model.savings import Kind
from tests.loop.plant import (
    BASE_KW,
    OVEN_IDLE_KW,
    OVEN_KW,
    PRESS_IDLE_KW,
    PRESS_KW,
    ZONE,
    SmallPlant,
    at,
    oven_job,
    press_job,
    price_at,
)

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 27)  # twenty working days
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
WORKING = [day for day in DAYS if day.weekday() < 5]


def bill(starts: dict[date, tuple[int, int]]) -> tuple[float, float]:
    """(energy, peak charge) of the month, reckoned hour by hour without any of the project's code: the oven and the press
    run two hours from the given hours of each day; a kW above 400 costs 5 EUR."""
    energy, peak = 0.0, 0.0
    for day in DAYS:
        for hour in range(24):
            kw = BASE_KW + OVEN_IDLE_KW + PRESS_IDLE_KW
            if day in starts:
                oven, press = starts[day]
                kw += OVEN_KW * (oven <= hour < oven + 2) + PRESS_KW * (press <= hour < press + 2)
            energy += kw * price_at(local(at(day, hour), ZONE))
            peak = max(peak, kw)
    return energy, max(0.0, peak - 400) * 5


def test_daily_savings_and_the_peak_line_are_the_bill_difference(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path, start=FIRST)
    plant.publish(FIRST - timedelta(days=2), LAST + timedelta(days=3))
    real: dict[date, tuple[int, int]] = {}
    as_is = dict.fromkeys(WORKING, (8, 9))
    for day in DAYS:
        if day in WORKING and day != FIRST:
            plant.ran(f"oven-{day:%d}", "oven", at(day, real[day][0]))
            plant.ran(f"press-{day:%d}", "press", at(day, real[day][1]))
        elif day == FIRST:  # no offer could be made for the first day: it runs as released
            plant.order(oven_job(day), press_job(day))
            real[day] = as_is[day] = (8, 12)
            plant.ran(f"oven-{day:%d}", "oven", at(day, 8))
            plant.ran(f"press-{day:%d}", "press", at(day, 12))
        ahead = day + timedelta(days=1)
        if ahead in WORKING:
            plant.order(oven_job(ahead), press_job(ahead))
            plant.live_to(at(day, 13, 16))
            plant.service.heartbeat()
            for offer in plant.offers():
                plant.accept(offer)
            real[ahead] = hours_of(plant, ahead)
        plant.live_to(day_bounds(day, ZONE)[1])
    plant.live_to(at(LAST + timedelta(days=1), 3))
    plant.service.verify_due()
    accounts = plant.store.ledger.days(FIRST, LAST)
    daily = sum(a.money(kind) for a in accounts for kind in Kind)
    peaks = [p for a in accounts for p in a.peaks]
    peak_line = 5 * (max(400, *(p.as_is_kw for p in peaks)) - max(400, *(p.real_kw for p in peaks)))
    before, after = bill(as_is), bill(real)
    assert daily == pytest.approx(before[0] - after[0])
    assert peak_line == pytest.approx(before[1] - after[1])
    assert daily + peak_line == pytest.approx(sum(before) - sum(after))
    assert daily > 19 * 80 - 1e-6  # the oven alone gains 80 EUR on each of nineteen days


def hours_of(plant: SmallPlant, day: date) -> tuple[int, int]:
    """The accepted whole hours of a day's two jobs; where a job was not offered it stays."""
    found = []
    for job, released in ((f"oven-{day:%d}", 8), (f"press-{day:%d}", 9)):
        moved = any(job in o.jobs and o.state == "accepted" for o in plant.store.offers.offered(span(day)))
        found.append(local(plant.accepted_start(job), ZONE).hour if moved else released)
    return found[0], found[1]


def span(day: date):  # type: ignore[no-untyped-def]
    from energy.model.horizon import Interval

    return Interval(at(day - timedelta(days=2), 0), at(day + timedelta(days=1), 0))

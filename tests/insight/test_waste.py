"""Cycles and waste: what is work, what could have been switched off, and what not."""

from datetime import date, timedelta

import numpy as np
import pytest

from energy.clock import day_bounds
from energy.insight.cycles import cycles
from energy.insight.day import Watched, machine_day
from energy.insight.levels import Told
from energy.insight.states import states
from energy.insight.waste import Restart, advice, wasted
from energy.model.horizon import Horizon, Interval
from energy.model.insight import MachineDay, PowerState, WasteSpan
from energy.model.job import Job, Mode
from energy.model.run import JobRun
from energy.model.series import Series
from tests.insight.machine import MONDAY, fine, levels, truth

IDLE, HOLDING, RUNNING, UNKNOWN = list(PowerState)[1:]
DAY = [(6, 0.4), (1, 9.0), (3, 95.0), (1, 9.0), (4, 88.0), (2, 9.0), (7, 0.4)]


def at(hours: float):
    return MONDAY + timedelta(hours=hours)


def run(job: str, start: float, end: float) -> JobRun:
    return JobRun(job=job, machine="press", start=at(start), end=at(end))


def job(id: str, product: str = "covers", kw: float = 85.0, minutes: int = 180) -> Job:
    ways = (Mode(machine="press", minutes=minutes, power_kw=(kw,)),)
    return Job(id=id, order=id, product=product, quantity=300, unit="pcs", modes=ways, due=at(24))


def the_waste(row, *, runs=(), restart=Restart(minutes=30), price=0.2, within=None):  # noqa: B008
    told = fine(row)
    found = levels(fine(truth(DAY)))
    within = within or Interval(told.start, told.end)
    return wasted(told, states(told, found), runs, found, restart, np.full(len(told.kw), price), within)


def test_waste_of_a_day_by_hand():
    spans = the_waste(truth(DAY, noise=0.0))
    # The hour before the first run and the hour between the runs: half an hour each is the restart before the run. The
    # two hours after the last run count in full. Each at 9.0 − 0.4 kW, the price 0.20.
    assert [(s.state, round((s.end - s.start).total_seconds() / 3600, 2)) for s in spans] == [
        (IDLE, 0.5),
        (IDLE, 0.5),
        (IDLE, 2.0),
    ]
    assert sum(s.kwh for s in spans) == pytest.approx(8.6 * 3.0, rel=0.01)
    assert sum(s.money or 0 for s in spans) == pytest.approx(8.6 * 3.0 * 0.2, rel=0.01)


@pytest.mark.parametrize(
    ("restart", "kwh"),
    [
        (Restart(minutes=90), 17.2),  # the hours are shorter than coming up again: only the two hours at the end
        (Restart(minutes=180), 0.0),
        (Restart(minutes=30, kwh=4.0), 8.6 * 3 - 3 * 4.0),  # each switching off costs a restart
        (Restart(minutes=30, kwh=9.0), 17.2 - 9.0),  # and does not pay where it costs more than it spares
        (Restart(), 8.6 * 3),  # nothing said: half an hour
    ],
)
def test_what_coming_up_again_takes_is_no_waste(restart, kwh):
    assert sum(s.kwh for s in the_waste(truth(DAY, noise=0.0), restart=restart)) == pytest.approx(kwh, abs=0.3)


def test_idle_within_a_run_belongs_to_the_job():
    spans = the_waste(truth(DAY, noise=0.0), runs=[run("1", 6.0, 11.0), run("2", 11.0, 15.0)])
    assert sum(s.kwh for s in spans) == pytest.approx(17.2, rel=0.01)  # setup and the pause are the jobs' own


def test_a_slot_without_a_price_has_no_money_but_its_energy():
    spans = the_waste(truth(DAY, noise=0.0), price=float("nan"))
    assert sum(s.kwh for s in spans) > 20 and all(s.money is None for s in spans)


def test_a_gap_is_no_waste():
    row = truth(DAY, noise=0.0)
    row[360 * 15 : 360 * 17] = np.nan
    assert sum(s.kwh for s in the_waste(row)) == pytest.approx(8.6, rel=0.01)


def test_a_wait_over_midnight_is_judged_whole_and_counted_by_day():
    row = truth([(20, 95.0), (4.4, 9.0), (19.6, 0.4)], noise=0.0)
    today, tomorrow = (Interval(at(0), at(24)), Interval(at(24), at(44)))
    assert sum(s.kwh for s in the_waste(row, within=today)) == pytest.approx(8.6 * 4.0, rel=0.01)
    assert sum(s.kwh for s in the_waste(row, within=tomorrow)) == pytest.approx(
        8.6 * 0.4, rel=0.03
    )  # 24 min: still waste


def test_cycles_with_energy_and_job():
    told = fine(truth(DAY, noise=0.0))
    spans = states(told, levels(told))
    found = cycles(told, spans, [run("1", 6.9, 10.1), run("2", 11.0, 15.0)], {"1": job("1"), "2": job("2", "clamps")})
    assert [(c.job, c.product, round(c.minutes), round(c.kwh), round(c.peak_kw)) for c in found] == [
        ("1", "covers", 180, 285, 95),
        ("2", "clamps", 240, 352, 88),
    ]
    assert all(c.whole for c in found)


def test_jobs_that_follow_without_a_pause_are_two_cycles():
    told = fine(truth([(8, 0.4), (3, 95.0), (2, 80.0), (11, 0.4)], noise=0.0))
    found = cycles(told, states(told, levels(told)), [run("1", 8, 11), run("2", 11, 13)], {})
    assert [(c.job, round(c.kwh)) for c in found] == [("1", 285), ("2", 160)]


def test_strokes_of_a_press_are_counted_and_steady_work_has_none():
    stroke = lambda seconds: np.where(seconds % 80 < 40, 90.0, 30.0)  # noqa: E731
    told = fine(truth([(8, 2.0), (2, stroke), (2, 2.0), (2, 85.0), (10, 2.0)], noise=0.01))
    found = cycles(told, states(told, levels(told)), [], {})
    assert [c.strokes for c in found] == [pytest.approx(90, abs=1), 0]


def test_a_machine_day_adds_up_and_tells_its_runs():
    start, end = day_bounds(date(2026, 5, 12), "Europe/Berlin")
    assert start == MONDAY
    row = np.concatenate([truth([(24, 0.4)]), truth(DAY), truth([(24, 0.4)])])
    told = fine(row, start=at(-24))
    price = Series.constant(Horizon.between(at(-24), at(48)), 0.1, "EUR/kWh")
    watched = Watched(machine="press", meter="m", told=Told(idle_kw=9.0), restart=Restart(), currency="EUR")
    made = machine_day(
        watched, date(2026, 5, 12), Interval(start, end), told, levels(fine(truth(DAY))),
        [run("1", 7, 10), run("2", 11, 15)], {"1": job("1"), "2": job("2")}, price, temperature=12.0,
    )  # fmt: skip
    assert made.known_share == 1.0 and made.notes == ()
    assert sum(e.hours for e in made.energy) == pytest.approx(24)
    assert sum(e.kwh for e in made.energy) == pytest.approx(made.kwh, abs=0.01)
    assert sum(e.money or 0 for e in made.energy) == pytest.approx(0.1 * made.kwh, abs=0.01)
    assert made.quiet_kw == pytest.approx(0.4, rel=0.02) and made.idle_kw == pytest.approx(9.0, rel=0.02)
    first = made.runs[0]
    assert (first.product, round(first.kwh), len(first.power_kw)) == ("covers", 258, 12)  # 95 − 9 kW for three hours
    assert first.typed_kwh == pytest.approx(255)
    assert np.mean(first.power_kw) * 3 == pytest.approx(first.kwh, rel=1e-3)


def waste_of(days, since, until, kwh=10.0):
    """A week in which a machine wasted energy on some local days (offset from Monday 11 May) between two hours."""
    made = []
    for n in days:
        day = date(2026, 5, 11) + timedelta(days=n)
        midnight = day_bounds(day, "Europe/Berlin")[0]
        start, end = midnight + timedelta(hours=since), midnight + timedelta(hours=until)
        spans = (WasteSpan(state=IDLE, start=start, end=end, kwh=kwh, money=kwh / 4),)
        made.append(
            MachineDay(
                machine="press", meter="m", day=day, detail="readings", known_share=1.0, levels=None, waste=spans
            )
        )
    return made


def test_what_would_help_by_hand():
    """On four nights from 22 to 05 o'clock: 40 kWh, 10 EUR."""
    (found,) = advice("press", waste_of(range(4), 22, 29), "Europe/Berlin")
    assert (found.weekdays, found.since / 4, found.until / 4) == (True, 22, 29)
    assert (found.kwh, found.money) == (pytest.approx(40), pytest.approx(10))


def test_what_was_wasted_once_is_no_habit():
    assert advice("press", waste_of([2], 9, 12), "Europe/Berlin") == []
    found = advice("press", [*waste_of(range(5), 22, 24), *waste_of([1], 9, 12)], "Europe/Berlin")
    assert [(a.since / 4, a.until / 4) for a in found] == [(22, 24)]


def test_weekends_are_a_habit_of_their_own():
    (found,) = advice("press", waste_of([5, 6], 0, 24), "Europe/Berlin")
    assert not found.weekdays and found.kwh == pytest.approx(20)

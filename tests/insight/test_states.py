"""States from power: levels that are learned, steady states, gaps that stay gaps."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.insight import states as stating
from energy.insight.levels import Told, histogram, learn_levels, renewed
from energy.insight.states import states
from energy.insight.trace import sharpened, trace
from energy.model.horizon import Interval
from energy.model.insight import Detail, PowerState
from tests.insight.machine import MONDAY, coarse, fine, intervals, levels, readings, thermostat, truth

OFF, IDLE, HOLDING, RUNNING, UNKNOWN = PowerState
DAY = [(6, 0.4), (1, 9.0), (3, 95.0), (1, 9.0), (4, 88.0), (2, 9.0), (7, 0.4)]  # hours, kW of a press


def hours_of(trace_, found):
    hours = dict.fromkeys(PowerState, 0.0)
    for span in states(trace_, found):
        hours[span.state] += span.hours
    return hours


def told_of(trace_, found):
    return [(s.state, round(s.hours, 2)) for s in states(trace_, found)]


def test_a_day_of_a_press_from_readings():
    told = fine(truth(DAY))
    found = levels(told)
    assert told.detail is Detail.READINGS
    assert told_of(told, found) == [(OFF, 6), (IDLE, 1), (RUNNING, 3), (IDLE, 1), (RUNNING, 4), (IDLE, 2), (OFF, 7)]
    assert found.off_kw == pytest.approx(0.4, rel=0.05)
    assert found.idle_kw == pytest.approx(9.0, rel=0.05)
    assert 0.6 < found.on_above_kw < 8 and 12 < found.running_above_kw < 80


def test_the_same_day_from_counters_alone_says_so_and_finds_the_same():
    told = coarse(truth(DAY))
    assert told.detail is Detail.INTERVALS
    assert told_of(told, levels(told)) == told_of(fine(truth(DAY)), levels(fine(truth(DAY))))


def test_a_run_that_begins_within_an_interval_begins_where_its_mean_says():
    row = truth([(6.1, 9.0), (3, 95.0), (14.9, 9.0)], noise=0.0)
    told = sharpened(coarse(row), 900)
    run = next(s for s in states(told, levels(told)) if s.state is RUNNING)
    assert (run.start - MONDAY).total_seconds() / 3600 == pytest.approx(6.1, abs=0.02)
    assert run.hours == pytest.approx(3.0, abs=0.04)
    assert told.kwh(0, len(told.kw)) == pytest.approx(row.sum() / 360, rel=1e-9)


@pytest.mark.parametrize(
    ("holding", "said"),
    [
        (38.0, None),  # a third power between idle and work
        (45.0, 45.0),  # one that the plant has said
    ],
)
def test_a_furnace_that_holds_at_a_power_of_its_own(holding, said):
    told = fine(truth([(5, 0.5), (3, 6.0), (4, 120.0), (6, holding), (4, 115.0), (2, 6.0)]))
    found = levels(told, Told(holding_kw=said))
    assert (HOLDING, 6.0) in told_of(told, found)
    assert found.holding_kw == pytest.approx(holding, rel=0.05)


def test_a_thermostat_that_switches_full_power_holds_and_does_not_work():
    row = truth([(4, 120.0), (8, thermostat(120.0, 300.0, 0.25)), (4, 118.0), (8, 0.2)], noise=0.005)
    told = fine(row)
    regions = stating.toggling(told, 118.0)
    assert sum(r.end - r.first for r in regions) * told.step_hours == pytest.approx(8.0, abs=0.1)
    assert regions[0].period_seconds == pytest.approx(300, abs=10)
    assert stating.long_on_hours(told, 118.0) == pytest.approx(8.0, abs=0.1)
    calm = stating.calmed(told, regions)
    found = levels(calm, holding_mean_kw=regions[0].mean_kw)
    hours = hours_of(calm, found)
    assert hours[HOLDING] == pytest.approx(8.0, abs=0.15)
    assert hours[RUNNING] == pytest.approx(8.0, abs=0.15)
    assert np.nansum(calm.kw) == pytest.approx(np.nansum(told.kw))  # calm, but of the same energy


def test_a_compressor_that_unloads_waits():
    """Load and unload: full power against a third of it; the third is idle, as its people call it."""
    row = truth([(8, lambda at: np.where(at % 400 < 200, 90.0, 30.0)), (8, 30.0), (8, 0.3)])
    told = fine(row)
    assert stating.toggling(told, 90.0) == []  # it never goes down to nothing: no thermostat
    found = levels(told)
    assert found.idle_kw == pytest.approx(30.0, rel=0.05)
    assert found.running_kw == pytest.approx(90.0, rel=0.05)
    hours = hours_of(told, found)
    assert hours[OFF] == pytest.approx(8, abs=0.05)
    assert hours[IDLE] == pytest.approx(12, abs=0.3)


def test_a_gap_is_unknown_and_never_off():
    row = truth(DAY)
    row[360 * 10 : 360 * 12] = np.nan  # two hours in the middle of work
    told = fine(row)
    found = told_of(told, levels(told))
    assert (UNKNOWN, 2.0) in found
    assert sum(h for s, h in found if s is OFF) == 13
    unknown = next(s for s in states(told, levels(told)) if s.state is UNKNOWN)
    assert unknown.kwh is None


def test_one_missed_reading_is_no_gap():
    row = truth(DAY)
    row[5000:5004] = np.nan
    span = Interval(MONDAY, MONDAY + timedelta(hours=24))
    told = trace(readings(row), [], span)
    assert told.known.all()


def test_states_do_not_flutter_at_a_threshold():
    dice = np.random.default_rng(3)
    told = fine(truth(DAY))
    found = levels(told)
    near = found.running_above_kw * (1.0 + 0.05 * dice.standard_normal(8640))
    assert len(states(fine(near), found)) <= 3


def test_a_pause_of_two_minutes_belongs_to_the_work_and_an_inrush_is_none():
    row = truth([(8, 9.0), (2, 95.0), (2 / 60, 9.0), (2, 95.0), (3, 9.0), (20 / 3600, 95.0), (8.9, 9.0)])
    told = fine(row)
    assert [s for s, _ in told_of(told, levels(told))] == [IDLE, RUNNING, IDLE]


def test_less_than_a_day_says_nothing():
    assert learn_levels({MONDAY.date(): [(100, 8.0), (200, 4.0)]}, Told()) is None


def test_one_power_all_along_says_nothing_unless_the_plant_has_said_what_it_is():
    told = fine(truth([(24, 9.0)]))
    days = {MONDAY.date(): histogram(told.kw, told.step_hours)}
    assert learn_levels(days, Told()) is None
    found = learn_levels(days, Told(idle_kw=9.0, rated_kw=100.0))
    assert found is not None and told_of(told, found) == [(IDLE, 24.0)]


def test_levels_stay_until_something_has_clearly_changed():
    old = levels(fine(truth(DAY)))
    same = levels(fine(truth(DAY, seed=2, noise=0.02)))
    assert renewed(old, same) is old
    holiday = levels(fine(truth([(20, 0.4), (4, 9.0)])))  # nothing seen of work: that is no news of where work begins
    assert renewed(old, holiday) is old
    rebuilt = levels(fine(truth([(h, kw * 2 if kw > 1 else kw) for h, kw in DAY])))
    assert renewed(old, rebuilt) is rebuilt


def test_the_counter_is_believed_where_readings_say_something_else():
    row = truth(DAY, noise=0.0)
    span = Interval(MONDAY, MONDAY + timedelta(hours=24))
    told = trace(readings(row * 1.05), intervals(row), span)  # a transducer that shows 5 % too much
    assert told.kwh(0, len(told.kw)) == pytest.approx(row.sum() / 360, rel=1e-9)
    wrong = trace(readings(row * 3.0), intervals(row), span)
    assert wrong.detail is Detail.INTERVALS
    assert wrong.kwh(0, len(wrong.kw)) == pytest.approx(row.sum() / 360, rel=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(0.1, 3.0), st.sampled_from([0.4, 9.0, 30.0, 60.0, 95.0, float("nan")])), max_size=8)
)
def test_states_are_gapless_and_their_energy_adds_up(parts):
    found = levels(fine(truth(DAY)))
    told = fine(truth([*parts, (0.5, 9.0)]))
    spans = states(told, found)
    assert spans[0].start == told.start and spans[-1].end == told.end
    assert all(a.end == b.start and a.state is not b.state for a, b in pairwise(spans))
    assert sum(s.kwh or 0.0 for s in spans) == pytest.approx(told.kwh(0, len(told.kw)) or 0.0)
    gap = sum(s.hours for s in spans if s.state is UNKNOWN)
    assert gap == pytest.approx(float((~told.known).sum()) * told.step_hours)

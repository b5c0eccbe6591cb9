"""The laws, by numbers that one can work out by hand; and that no rightly read load is ever accused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.commissioning import Check
from energy.model.meter import Measures
from meters.profile import load
from meters.scan.counting import Poll
from meters.scan.fixes import fixes, judged
from meters.scan.physics import Expected, evidence, judge, score
from meters.scan.reading import How, Taken
from tests.meters.scan.plant import IDLE, NOON, Device, Load

MACHINE = Expected(connection_kw=160.0, measures=Measures.MACHINE)

# 230 V · 100 A · 0.9 = 20.7 kW a phase
EVEN = {
    **{f"voltage_l{p}": 230.0 for p in (1, 2, 3)},
    **{f"current_l{p}": 100.0 for p in (1, 2, 3)},
    **{f"power_l{p}": 20.7 for p in (1, 2, 3)},
    "power": 62.1,
    "apparent_power": 69.0,
    "reactive_power": 30.08,
    "power_factor": 0.9,
    "frequency": 50.0,
}


def verdicts(expected: Expected = MACHINE, **changes: float) -> dict[str, bool | None]:
    return {c.name: c.ok for c in judge([Poll(at=NOON, values=EVEN | changes)], expected)}


def test_a_right_meter_obeys_every_law():
    assert set(verdicts().values()) == {True}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"voltage_l1": 23.0, "voltage_l2": 23.0, "voltage_l3": 23.0}, {"voltage", "P = U·I·PF"}),
        ({"voltage_l1": 57.7, "voltage_l2": 57.7, "voltage_l3": 57.7}, {"voltage", "P = U·I·PF"}),
        ({"frequency": 500.0}, {"frequency"}),
        ({"power": 41.4}, {"phases add up", "P = U·I·PF", "S² = P² + Q²", "PF = P / S"}),
        ({"power_l2": -20.7, "power": 20.7}, {"phases alike", "S² = P² + Q²", "PF = P / S"}),
        ({"power_factor": 90.0}, {"PF = P / S", "P = U·I·PF", "size"}),
        ({"total_import": 1e-40}, {"size"}),
        ({"power": -62.1, "power_l1": -20.7, "power_l2": -20.7, "power_l3": -20.7}, {"direction"}),
    ],
)
def test_each_mistake_breaks_its_laws(changes, broken):
    assert {name for name, ok in verdicts(**changes).items() if ok is False} == broken


def test_what_cannot_be_tried_is_open_not_passed():
    said = judge([Poll(at=NOON, values=IDLE.values())], MACHINE)
    still = {check.name for check in said if check.ok is None}
    assert {"phases add up", "P = U·I·PF", "S² = P² + Q²", "counter follows power", "direction"} <= still
    assert not [check for check in said if check.ok is False]


def test_more_than_the_connection_and_other_than_the_display():
    assert verdicts(Expected(connection_kw=50.0))["within the connection"] is False
    assert verdicts(Expected(display_kw=2484.0))["as displayed"] is False
    assert verdicts(Expected(display_kw=60.0))["as displayed"] is True


def test_the_score_is_the_weighed_share_of_what_could_be_tried():
    checks = [
        Check(name="a", ok=True, said="", weight=3.0),
        Check(name="b", ok=False, said="", weight=1.0),
        Check(name="c", ok=None, said="", weight=9.0),
    ]
    assert score(checks) == 0.75
    assert evidence(checks) == 1.0
    assert score(checks[2:]) is None


@pytest.mark.parametrize(
    ("seconds", "gained", "step", "ok"),
    [
        (60, 1.0, 0.01, True),  # 60 kW for a minute are 1 kWh
        (60, 1.05, 0.01, True),  # power between two polls is not known
        (60, 10.0, 0.01, False),
        (60, 0.0, 0.01, False),  # it stands still
        (60, 1.0, 1.0, None),  # one step of a kWh counter proves nothing
        (60, 0.0, 1.0, None),
        (1, 0.0, 0.01, None),  # not watched yet
    ],
)
def test_a_counter_against_its_power(seconds, gained, step, ok):
    polls = [
        Poll(at=NOON, values={"power": 60.0, "total_import": 500.0}),
        Poll(at=NOON + timedelta(seconds=seconds), values={"power": 60.0, "total_import": 500.0 + gained}),
    ]
    said = {c.name: c for c in judge(polls, Expected(grain={"total_import": step}))}
    assert said["counter follows power"].ok is ok, said["counter follows power"].said


def test_a_counter_that_runs_the_wrong_way_and_one_that_goes_down():
    first = Poll(at=NOON, values={"power": 60.0, "total_import": 500.0, "total_export": 10.0})
    wrong = Poll(at=NOON + timedelta(minutes=1), values={"power": 60.0, "total_import": 500.0, "total_export": 11.0})
    said = {c.name: c for c in judge([first, wrong])}
    assert "the export counter runs" in said["counter follows power"].said
    down = Poll(at=NOON + timedelta(minutes=1), values={"power": 60.0, "total_import": 499.0})
    assert {c.name: c.ok for c in judge([first, down])}["counters only count up"] is False


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    table=st.sampled_from(["eastron-sdm630", "schneider-iem3000", "lovato-dmg", "abb-b23", "shelly-pro-3em"]),
    volts=st.tuples(*[st.floats(222, 242)] * 3),
    amps=st.tuples(*[st.just(0.0) | st.floats(0.02, 400)] * 3),
    lags=st.tuples(*[st.integers(-20, 55)] * 3),
    hz=st.floats(49.8, 50.2),
)
def test_no_rightly_read_load_is_accused(table, volts, amps, lags, hz):
    """Whatever flows, on one phase or three: through the registers of a table, watched for a minute."""
    device = Device(load(table), Load(volts=volts, amps=amps, lags=lags, hz=hz))
    taken = []
    for _ in range(4):
        taken.append(Taken(at=device.clock.now(), words=device.words()))
        device.wait(20)
    made = judged(How(profile=device.profile), taken, replace(MACHINE, connection_kw=400.0))
    assert not made.failed, [f"{check.name}: {check.said}" for check in made.failed]
    assert fixes(made, taken, MACHINE) == ()

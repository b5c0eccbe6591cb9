"""Values told one by one become readings: tables that can be checked by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.meter import ReadingQuality
from meters.gathering import Gathering, Said
from tests.meters.wire import meter

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def told(*said: tuple[float, dict[str, float]], window: float = 2.0, wanted=("power", "total_import")):
    """(second, power, import) of each reading that is made, the last one closed by hand."""
    gathering = Gathering(meter(connection_kw=1e6), wanted, window)
    made = [g for second, values in said for g in gathering.take(Said(at=at(second), values=values))]
    made += gathering.close()
    return [((g.reading.taken_at - NOON).total_seconds(), g.reading.power_kw, g.reading.import_kwh) for g in made]


@pytest.mark.parametrize(
    ("said", "readings"),
    [
        ([(0, {"power": 1, "total_import": 10})], [(0, 1, 10)]),  # all at once
        ([(0, {"power": 1}), (1, {"total_import": 10})], [(1, 1, 10)]),  # one after the other: at the counter's time
        ([(0, {"power": 1}), (3, {"total_import": 10})], [(0, 1, None), (3, None, 10)]),  # too far apart
        ([(0, {"power": 1}), (1, {"power": 2}), (1, {"total_import": 9})], [(0, 1, None), (1, 2, 9)]),  # said anew
        ([(0, {"power": 1}), (0, {"power": 1})], [(0, 1, None)]),  # said twice
        ([(5, {"power": 1, "total_import": 9}), (2, {"power": 3})], [(5, 1, 9), (2, 3, None)]),  # late: its own time
        ([(0, {"power": 1, "total_import": 9}), (0, {"power": 2})], [(0, 1, 9), (1e-6, 2, None)]),  # no two of a moment
    ],
)
def test_what_belongs_together(said, readings):
    assert told(*said) == readings


def test_a_message_is_done_when_nothing_depends_on_it():
    called: list[str] = []
    gathering = Gathering(meter(), ("power", "total_import"), 2.0)

    def take(second: float, values: dict[str, float], name: str):
        return gathering.take(Said(at=at(second), values=values, done=lambda: called.append(name)))

    assert take(0, {"power": 1}, "a") == [] and called == []
    assert take(0, {"power": 1}, "again") == [] and called == ["again"]
    (made,) = take(1, {"total_import": 5}, "b")
    assert called == ["again"]
    for done in made.dones:
        done()
    assert called == ["again", "a", "b"]


def test_what_the_far_end_doubts_is_doubted():
    gathering = Gathering(meter(), ("power",), 2.0)
    (made,) = gathering.take(Said(at=at(0), values={"power": 1}, doubt="its sensor is not calibrated", raw="{}"))
    assert made.reading.quality is ReadingQuality.SUSPECT
    assert (made.reading.note, made.reading.raw) == ("its sensor is not calibrated", "{}")


values = st.dictionaries(st.sampled_from(["power", "total_import", "voltage_l1"]), st.floats(0, 1e3), min_size=1)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), values), max_size=20))
def test_no_value_is_lost_none_is_said_twice_and_no_two_readings_are_of_one_moment(said):
    gathering = Gathering(meter(connection_kw=1e9), ("power", "total_import", "voltage_l1"), 2.0)
    made = [g.reading for s, v in said for g in gathering.take(Said(at=at(s), values=v))]
    made += [g.reading for g in gathering.close()]
    times = [r.taken_at for r in made]
    assert len(set(times)) == len(times)
    given_back = sorted(
        value for r in made for value in (r.power_kw, r.import_kwh, *dict(r.values).values()) if value is not None
    )
    latest: dict[tuple[str, int], float] = {}
    distinct = 0.0
    count = 0
    for second, values in said:
        for name, value in values.items():
            if latest.get((name, second)) != value:
                latest[name, second] = value
                count += 1
                distinct += value
    assert len(given_back) == count
    assert sum(given_back) == pytest.approx(distinct)

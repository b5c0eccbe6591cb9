"""Every noun that is stored comes back from its text as it was."""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.exchange.codec import dump, load, pack, unpack
from energy.model.event import Commitment, Event, EventKind
from energy.model.fact import Fact
from energy.model.forecast import Forecast
from energy.model.horizon import Horizon, Interval
from energy.model.job import AsIsEntry, Job
from energy.model.meter import Meter
from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.model.proposal import Decision, Instruction, NotOffered, Offer, Receipt, StandingRule
from energy.model.run import JobRun
from energy.model.savings import DaySavings, PeakSaving
from energy.model.series import Series
from energy.model.site import Site
from energy.model.tariff import Tariff

STORED = [
    AsIsEntry,
    Commitment,
    DaySavings,
    Decision,
    Event,
    Fact,
    Forecast,
    Instruction,
    Job,
    JobRun,
    Meter,
    NotOffered,
    Offer,
    PeakSaving,
    Plan,
    Problem,
    Receipt,
    Site,
    StandingRule,
    Tariff,
]

times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
horizons = st.builds(Horizon, times, st.integers(0, 4), st.sampled_from([5, 15, 60]))
spans = st.builds(lambda start, minutes: Interval(start, start + timedelta(minutes=minutes)), times, st.integers(0, 99))


@st.composite
def series(draw: st.DrawFn) -> Series:
    horizon = draw(horizons)
    values = st.lists(st.floats(allow_infinity=False), min_size=horizon.slots, max_size=horizon.slots)
    return Series(horizon, np.array(draw(values), dtype=np.float64), draw(st.text(max_size=5)))


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(-(10**6), 10**6),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: times,
    date: st.dates(),
    time: st.times(),
    NoneType: st.none(),
    Horizon: horizons,
    Interval: spans,
    Series: series(),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of a noun may have."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in SIMPLE:
        return SIMPLE[hint]
    if origin in (Union, UnionType):
        return st.one_of([anything(one) for one in inner])
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(anything(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*[anything(one) for one in inner])
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    assert is_dataclass(hint), hint
    hints = get_type_hints(hint)
    return st.builds(hint, **{one.name: anything(hints[one.name]) for one in fields(hint) if one.init})


@pytest.mark.parametrize("noun", STORED, ids=lambda noun: noun.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_noun_comes_back_as_it_was(noun: type[Any], data: st.DataObject) -> None:
    value = data.draw(anything(noun))
    assert load(noun, dump(value)) == value
    assert unpack(noun, pack(value)) == value


START = datetime(2026, 5, 20, 8, 30, 0, 250_001, tzinfo=UTC)
EVENT = Event(
    id="e", kind=EventKind.LIMIT, interval=Interval(START, START), kw=200.0, mandatory=True, received_at=START
)


def test_a_gap_in_a_series_is_written_as_null_and_comes_back_as_a_gap() -> None:
    gap = Series.of(Horizon(START, 3), [1.5, float("nan"), -2], "kW")
    assert '"values":[1.5,null,-2.0]' in dump(gap)
    assert load(Series, dump(gap)) == gap


def test_times_come_back_in_utc_and_enums_by_value() -> None:
    there = replace(EVENT, received_at=START.astimezone(tz=None))
    text = dump(there)
    assert '"kind":"limit"' in text
    assert '"received_at":"2026-05-20T08:30:00.250001+00:00"' in text
    assert load(Event, text).received_at.tzinfo is UTC


@pytest.mark.parametrize(
    "wrong",
    [
        replace(EVENT, kw=float("nan")),
        replace(EVENT, kw=float("inf")),
        replace(EVENT, received_at=START.replace(tzinfo=None)),
        Series.of(Horizon(START, 1), [float("inf")], "kW"),
    ],
    ids=["nan", "infinity", "naive time", "infinity in a series"],
)
def test_what_could_not_come_back_is_not_written(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"is not a number|has no time zone"):
        dump(wrong)


def test_the_word_nan_in_a_text_is_only_a_word() -> None:
    said = replace(EVENT, text='NaN, "Infinity" and so on')
    assert load(Event, dump(said)) == said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kw":200.0', '"kW":200.0'),  # an unknown field
        ('"kw":200.0', '"kw":"200"'),  # a text for a number
        ('"kind":"limit"', '"kind":"LIMIT"'),
        ('"mandatory":true,', ""),
        ("+00:00", ""),  # a time without a zone
    ],
)
def test_what_is_wrong_is_not_read(old: str, new: str) -> None:
    text = dump(EVENT)
    assert old in text
    with pytest.raises(ValueError):
        load(Event, text.replace(old, new))

"""Readings in the store, on both databases: what they say besides power and counters comes back to the last bit."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from energy.model.horizon import Interval
from energy.model.meter import Reading
from energy.store.reading_rows import packed, unpacked
from energy.store.store import Store
from energy.store.tables import ReadingRow, table

T0 = datetime(2026, 5, 20, tzinfo=UTC)
DAY = Interval(T0, T0 + timedelta(days=1))


def reading(hours: float) -> Reading:
    return Reading(meter="grid", taken_at=T0 + timedelta(hours=hours), import_kwh=100 + hours)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (("frequency", 50.0),),
        (("frequency", 49.98), ("voltage_l1", 230.1)),  # no such floats of four bytes
        (("power_l1", 1e300), ("power_l2", -0.0)),  # too large for four
        (("power_l2", 1.0), ("power_l1", 2.0)),  # the same names in another order
    ],
)
def test_further_quantities_come_back_to_the_last_bit(store: Store, values: tuple[tuple[str, float], ...]) -> None:
    said = [replace(reading(hours), values=values, state="ACTIVE" if hours else "") for hours in (0, 1)]
    store.readings.add(said)
    found = store.readings.of("grid", DAY)
    assert found == said
    assert [repr(one.values) for one in found] == [repr(values)] * 2
    assert store.readings.latest() == {"grid": said[1]}


def test_meters_of_several_kinds_in_one_batch(store: Store) -> None:
    said = [
        replace(reading(hour), meter=meter, values=values, power_kw=2)  # a whole number among floats
        for hour in (0, 1)
        for meter, values in (
            ("a", (("frequency", 50.0),)),
            ("b", (("voltage_l1", 230.0), ("frequency", 50.0))),
            ("c", ()),
        )
    ]
    assert store.readings.add(said) == 6
    assert store.readings.add(said) == 0
    assert [store.readings.of(meter, DAY) for meter in "abc"] == [[r for r in said if r.meter == m] for m in "abc"]


def test_what_is_no_number_is_not_known_and_keeps_no_batch_out(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    odd = replace(reading(0), values=(("frequency", math.nan), ("voltage_l1", 230.0), ("voltage_l2", math.inf)))
    whole = replace(reading(1), values=(("frequency", 50.0),))
    assert store.readings.add([odd, whole]) == 2
    assert store.readings.of("grid", DAY) == [replace(odd, values=(("voltage_l1", 230.0),)), whole]
    assert "what is no number" in caplog.text
    with pytest.raises(ValueError, match="what is no number"):
        packed((math.nan,))


def test_a_sign_that_no_text_may_hold_keeps_no_batch_out(store: Store) -> None:
    odd = replace(reading(0), note="said \0 what", raw="\0", state="A\0B")
    assert store.readings.add([odd, reading(1)]) == 2
    assert store.readings.of("grid", DAY)[0] == replace(odd, note="said \ufffd what", raw="\ufffd")


def test_readings_of_an_older_store_are_read_as_they_were_written(store: Store) -> None:
    store.readings.add([reading(0)])
    old = json.dumps([["voltage_l1", 230.4], ["state", "STOPPED"]])
    with store._database.writing("plant") as connection:
        connection.execute(sa.update(table(ReadingRow)).values(others=old))
    assert store.readings.of("grid", DAY) == [replace(reading(0), values=(("voltage_l1", 230.4),), state="STOPPED")]


@given(
    numbers=st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False, allow_infinity=False)
        ),
        min_size=1,
        max_size=20,
    ).map(tuple)
)
def test_packing_loses_nothing(numbers: tuple[float, ...]) -> None:
    assert repr(unpacked(packed(numbers), len(numbers))) == repr(numbers)


def test_what_a_meter_says_in_floats_of_its_own_takes_four_bytes_a_number() -> None:
    assert len(packed((230.0, 0.5, 49.97999954223633))) == 12
    assert len(packed((230.0, 0.5, 49.98))) == 24

"""What is stored, held against what really flowed (benchmarks/metering/truth.py plays the same over a million readings)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.metering.field import Field
from benchmarks.metering.truth import (
    LEAST_KNOWN,
    SLOT,
    START,
    Verdict,
    at,
    exchanges_of,
    fuzz,
    judged,
    kept,
    meter_of,
    told_of,
)
from energy.metering import intervals
from energy.model.horizon import Horizon, Interval
from energy.model.meter import IntervalEnergy
from energy.model.site import Site
from energy.steps.collect import collect
from energy.store import Store

SITE = Site(id="plant", name="Plant", zone="Europe/Berlin", currency="EUR", import_limit_kw=500, export_limit_kw=500)


def test_not_one_wh_is_invented_and_what_is_not_known_is_labelled() -> None:
    verdict = fuzz(seed=1, readings=20_000, each=2_000)
    assert verdict.wrong == []
    assert verdict.known >= LEAST_KNOWN, told_of(verdict)
    assert verdict.known_kwh == pytest.approx(verdict.true_kwh, rel=0.01)
    assert len(verdict.faults) > 15, "a sample in which little goes wrong shows little"


def measured_with(change: float, *, slot: int | None = None) -> Verdict:
    """A plant whose intervals somebody tampered with."""
    plant = Field(5, 1_500)
    readings, answers = kept(plant)
    slots = int(max(told.wall for told in answers) // SLOT) + 1
    made = intervals(readings, meter_of(plant), Horizon(START, slots), exchanges=exchanges_of(plant))
    known = [i for i, one in enumerate(made) if one.import_kwh]
    chosen = known if slot is None else [known[slot]]
    tampered = [tampered_with(one, change) if i in chosen else one for i, one in enumerate(made)]
    return judged(plant, readings, answers, tampered, (0, slots))


def tampered_with(one: IntervalEnergy, change: float) -> IntervalEnergy:
    assert one.import_kwh is not None
    return replace(one, import_kwh=one.import_kwh * change)


def test_the_judge_finds_what_was_tampered_with() -> None:
    assert measured_with(1.0).wrong == []
    assert any("intervals, true" in said for said in measured_with(1.01).wrong)
    assert any("intervals, true" in said for said in measured_with(0.99).wrong)
    assert measured_with(1.3, slot=3).wrong


@pytest.mark.parametrize("seed", [10, 32])
def test_round_by_round_through_the_store_it_is_the_same_truth(seed: int) -> None:
    """What the rounds of `collect` left in the store in the end, with restarts, late readings and reported exchanges."""
    plant = Field(seed, 1_200)
    readings, answers = kept(plant)
    with Store.open("sqlite://", "plant") as store:
        store.put_meters([meter_of(plant)])
        share = len(readings) // 12 + 1
        for first in range(0, len(readings), share):
            some = readings[first : first + share]
            store.readings.add(some)
            newest = max(reading.taken_at for reading in readings[: first + share])
            for exchange in exchanges_of(plant):
                if exchange.at <= newest:
                    store.exchanges.add(exchange)
            collect(store, site=SITE, now=newest, raw_days=60, raw_bytes=10**9)
        slots = int(max(told.wall for told in answers) // SLOT) + 1
        made = store.intervals.of("m", Interval(START, at(slots * SLOT) + timedelta(days=1)))
    verdict = judged(plant, readings, answers, made, (0, slots))
    assert verdict.wrong == []
    assert verdict.known > 0.9, told_of(verdict)

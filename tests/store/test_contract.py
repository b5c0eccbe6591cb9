"""What the store promises, the same on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from energy.clock import day_bounds
from energy.errors import StoreError
from energy.model.event import Commitment, Event, EventKind, EventState
from energy.model.fact import Fact, FactKind
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon, Interval
from energy.model.insight import Basis, Detail, Drift, DriftOf, LearnedProfile, Levels, MachineDay
from energy.model.job import AsIsEntry, Cause, Job, JobState, Mode, Planned
from energy.model.meter import IntervalEnergy, Measures, Meter, Quality, Reading, ReadingQuality, Role
from energy.model.proposal import (
    Decision,
    DecisionKind,
    FloorState,
    Gain,
    LoadShift,
    NotOffered,
    Offer,
    OfferState,
    Receipt,
    StandingRule,
)
from energy.model.run import JobRun
from energy.model.savings import DaySavings, PeakSaving, PeakState
from energy.model.series import Series
from energy.store.store import JournalEntry, Store

T0 = datetime(2026, 5, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DAY = Interval(T0, T0 + 24 * HOUR)
NAN = float("nan")

OpenStore = Callable[..., Store]


def at(hours: float) -> datetime:
    return T0 + hours * HOUR


# --- readings ---


def reading(hours: float, meter: str = "grid", quality: ReadingQuality = ReadingQuality.GOOD) -> Reading:
    good = quality is ReadingQuality.GOOD
    return Reading(meter=meter, taken_at=at(hours), import_kwh=100 + hours if good else None, quality=quality)


def test_a_reading_is_kept_once_and_comes_back_as_it_was(store: Store) -> None:
    full = Reading(
        meter="grid",
        taken_at=at(1) + timedelta(microseconds=250_001),
        import_kwh=1.5,
        power_kw=-3.25,
        quality=ReadingQuality.SUSPECT,
        note="beyond 1800 kW",
        values=(("voltage_l1", 230.4), ("current_l1", 12.0)),
        state="ACTIVE",
    )
    assert store.readings.add([reading(0), full]) == 2
    assert store.readings.add([full, reading(2)]) == 1
    assert store.readings.of("grid", DAY) == [reading(0), full, reading(2)]
    assert store.readings.count(DAY) == 3
    assert store.readings.add([]) == 0


def test_the_newest_and_the_newest_good_reading(store: Store) -> None:
    silent = reading(3, quality=ReadingQuality.NO_ANSWER)
    store.readings.add([reading(0), reading(1), silent, reading(2, meter="pv")])
    assert store.readings.latest() == {"grid": silent, "pv": reading(2, meter="pv")}
    assert store.readings.good_before("grid", at(9)) == reading(1)
    assert store.readings.good_before("grid", at(1)) == reading(0)
    assert store.readings.good_before("grid", at(0)) is None
    assert store.readings.good_before("nobody", at(9)) is None


def energy(
    hours: float, kwh: float | None, meter: str = "grid", minutes: int = 15, quality: Quality = Quality.MEASURED
) -> IntervalEnergy:
    return IntervalEnergy(
        meter=meter, start=at(hours), minutes=minutes, import_kwh=kwh, export_kwh=None, quality=quality
    )


def taken(store: Store, meter: str = "grid") -> list[float]:
    return [(said.taken_at - T0) / HOUR for said in store.readings.of(meter, Interval(T0, at(1000)))]


def test_pruning_by_age_keeps_what_is_still_needed(store: Store) -> None:
    store.readings.add([reading(hour) for hour in range(10)])
    store.readings.add([reading(0, meter="fresh")])  # nothing of it was turned into intervals yet
    store.readings.add([reading(0, meter="dead"), reading(1, meter="dead", quality=ReadingQuality.NO_ANSWER)])
    store.intervals.put([energy(6, 1.0, minutes=60), energy(9, 1.0, meter="dead", minutes=60)], at(7))
    # grid: the last interval is [6, 7), so what was taken from 6 on stays; dead: its newest good one stays
    assert store.readings.prune(at(8), 10**9) == 6 + 1
    assert taken(store) == [6, 7, 8, 9]
    assert taken(store, "fresh") == [0]
    assert taken(store, "dead") == [0]


def test_pruning_by_size_drops_the_oldest_first(store: Store) -> None:
    store.readings.add([reading(hour) for hour in range(10)])
    store.readings.add([reading(hour + 0.5, meter="pv") for hour in range(10)])
    store.intervals.put([energy(9, 1.0), energy(9, 1.0, meter="pv")], at(10))
    one = 64
    assert store.readings.prune(T0, 20 * one) == 0
    assert store.readings.prune(T0, 17 * one) == 3
    assert taken(store) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert taken(store, "pv") == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    assert store.readings.prune(T0, 0) == 7 + 8  # what is needed stays, however small the store should be
    assert taken(store) == [9]
    assert taken(store, "pv") == [9.5]


# --- intervals ---


def test_an_interval_that_says_the_same_writes_nothing(store: Store) -> None:
    values = [energy(0, 1.0), energy(0.25, None, quality=Quality.MISSING)]
    assert store.intervals.put(values, at(1)) == 2
    assert store.intervals.put(values, at(2)) == 0
    assert store.intervals.put([energy(0, 1.0), energy(0.25, 2.0)], at(3)) == 1
    assert store.intervals.of("grid", DAY) == [energy(0, 1.0), energy(0.25, 2.0)]
    assert store.intervals.of("grid", DAY, at(2)) == values
    assert store.intervals.of("grid", DAY, at(0.5)) == []


def test_a_correction_known_at_the_same_moment_is_the_newer_one(store: Store) -> None:
    store.intervals.put([energy(0, 1.0)], at(1))
    assert store.intervals.put([energy(0, 2.0)], at(1)) == 1
    assert store.intervals.of("grid", DAY, at(1)) == [energy(0, 2.0)]


def test_power_is_the_mean_of_each_slot(store: Store) -> None:
    both = IntervalEnergy(
        meter="grid", start=at(0), minutes=15, import_kwh=2.5, export_kwh=0.5, quality=Quality.MEASURED
    )
    store.intervals.put([both, energy(0.25, 5.0), energy(0.75, None, quality=Quality.MISSING)], at(1))
    taken, given = store.intervals.power("grid", Horizon(T0, 5))
    assert taken == Series.of(Horizon(T0, 5), [10, 20, NAN, NAN, NAN], "kW")
    assert given == Series.of(Horizon(T0, 5), [2, NAN, NAN, NAN, NAN], "kW")


def test_hourly_energy_fills_its_four_quarters_until_a_quarter_is_known_better(store: Store) -> None:
    store.intervals.put([energy(0, 40.0, minutes=60)], at(1))
    store.intervals.put([energy(0.5, 4.0)], at(2))
    taken, _ = store.intervals.power("grid", Horizon(at(0.25), 3))
    assert taken.values.tolist() == [40.0, 16.0, 40.0]


def test_the_end_of_the_newest_interval(store: Store) -> None:
    assert store.intervals.last_end("grid") is None
    store.intervals.put([energy(0, 1.0), energy(1, 1.0), energy(0.5, 1.0)], at(2))
    assert store.intervals.last_end("grid") == at(1.25)


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2026, 3, 29), 92), (date(2026, 3, 30), 96), (date(2026, 10, 25), 100)]
)
def test_a_day_with_a_clock_change_keeps_all_its_energy(store: Store, day: date, slots: int) -> None:
    start, end = day_bounds(day, "Europe/Berlin")
    horizon = Horizon.between(start, end)
    day_energy = [
        IntervalEnergy(meter="grid", start=t, minutes=15, import_kwh=float(k), export_kwh=0.0, quality=Quality.MEASURED)
        for k, t in enumerate(horizon.times())
    ]
    assert store.intervals.put(day_energy, end) == slots
    taken, _ = store.intervals.power("grid", horizon)
    assert taken.values.sum() / 4 == sum(range(slots))
    assert store.intervals.of("grid", Interval(start, end)) == day_energy


# --- series ---


def series(hours: float, *values: float, step: int = 15) -> Series:
    return Series.of(Horizon(at(hours), len(values), step), values, "EUR/kWh")


def read(store: Store, hours: float, slots: int, known: float | None = None, step: int = 15) -> list[float | None]:
    said = store.series.get("price", Horizon(at(hours), slots, step), None if known is None else at(known))
    return [None if np.isnan(value) else float(value) for value in said.values]


def test_a_series_is_read_as_known_at(store: Store) -> None:
    add = store.series.add
    assert add("price", series(0, 1, 2, NAN), known_at=at(-2), source="market") == 2
    assert add("price", series(0, 1, 5, 6), known_at=at(-1), source="market") == 2
    assert add("price", series(0, 1, 5, NAN), known_at=at(0), source="market") == 0
    assert read(store, 0, 4) == [1, 5, 6, None]
    assert read(store, 0, 4, known=-1) == [1, 5, 6, None]
    assert read(store, 0, 4, known=-1.5) == [1, 2, None, None]
    assert read(store, 0, 4, known=-3) == [None] * 4


def test_an_import_of_old_days_does_not_hide_what_was_known_later(store: Store) -> None:
    store.series.add("price", series(0, 2), known_at=at(2), source="corrected")
    assert store.series.add("price", series(0, 1), known_at=at(1), source="import", assumed=True) == 1
    assert store.series.add("price", series(0, 1), known_at=at(1), source="import", assumed=True) == 0
    assert read(store, 0, 1) == [2]
    assert read(store, 0, 1, known=1) == [1]


def test_an_hourly_series_gives_its_value_to_each_quarter(store: Store) -> None:
    store.series.add("price", series(0, 0.1, 0.2, step=60), known_at=at(-1), source="market")
    assert read(store, 0.5, 6) == [0.1, 0.1, 0.2, 0.2, 0.2, 0.2]
    assert read(store, 0, 2, step=60) == [0.1, 0.2]
    assert read(store, 0, 1, step=120) == [pytest.approx(0.15)]
    assert read(store, 0, 2, step=120) == [pytest.approx(0.15), None]


def test_a_market_that_switched_to_quarters(store: Store) -> None:
    add = store.series.add
    add("price", series(0, 10, 20, step=60), known_at=at(-2), source="market")
    assert add("price", series(1, 20, 20, 20, 21), known_at=at(-1), source="market") == 1  # three say the same
    assert read(store, 0, 8) == [10, 10, 10, 10, 20, 20, 20, 21]
    assert add("price", series(1, 20, step=60), known_at=at(0), source="market") == 1  # a newer hour covers all of it
    assert read(store, 1, 4) == [20] * 4
    assert read(store, 1, 4, known=-1) == [20, 20, 20, 21]
    assert add("price", series(0, 10, 20, step=60), known_at=at(1), source="market") == 0


def test_what_is_known_of_a_series(store: Store) -> None:
    assert store.series.info("price") is None
    assert store.series.add("price", series(0, NAN, NAN), known_at=at(0), source="nobody") == 0
    assert store.series.info("price") is None
    store.series.add("price", series(0, NAN, 1, 2), known_at=at(-2), source="market", licence="CC BY 4.0")
    store.series.add("price", series(1, 3, step=60), known_at=at(-1), source="rule", basis="day", assumed=True)
    info = store.series.info("price")
    assert info is not None
    assert (info.first, info.end, info.known_at) == (at(0.25), at(2), at(-1))
    assert (info.unit, info.source, info.basis, info.licence, info.assumed) == ("EUR/kWh", "rule", "day", "", True)
    assert store.series.keys() == ["price"]


def test_a_series_has_one_unit(store: Store) -> None:
    store.series.add("price", series(0, 1), known_at=at(0), source="market")
    with pytest.raises(StoreError, match="price is kept in EUR/kWh, not in EUR/MWh"):
        store.series.add("price", Series.of(Horizon(T0, 1), [1], "EUR/MWh"), known_at=at(0), source="market")


# --- forecasts ---


def forecast(issued: float, middle: float, source: str = "naive") -> Forecast:
    p50 = Series.of(Horizon(at(12), 3), [middle, NAN, middle], "kW")
    return Forecast(
        target=Target.BASE_LOAD, issued_at=at(issued), p10=p50, p50=p50, p90=p50, source=source, flags=("no weather",)
    )


def test_forecasts_as_issued(store: Store) -> None:
    assert store.forecasts.latest(Target.BASE_LOAD) is None
    for said in (forecast(1, 10), forecast(2, 20), forecast(2, 20)):
        store.forecasts.add(said, inputs="abc")
    assert store.forecasts.latest(Target.BASE_LOAD) == forecast(2, 20)
    assert store.forecasts.latest(Target.BASE_LOAD, at(1.5)) == forecast(1, 10)
    assert store.forecasts.latest(Target.PV) is None
    assert store.forecasts.issued(Target.BASE_LOAD, DAY) == [forecast(1, 10), forecast(2, 20)]
    store.forecasts.add(forecast(2, 30))  # made again at the same moment: the later word
    assert store.forecasts.latest(Target.BASE_LOAD) == forecast(2, 30)


# --- jobs and runs ---


def job(id: str, start: float | None = 8, state: JobState = JobState.RELEASED, quantity: float = 1.0) -> Job:
    return Job(
        id=id,
        order=f"order-{id}",
        product="ring",
        quantity=quantity,
        unit="pcs",
        modes=(Mode(machine="furnace-1", minutes=120, power_kw=(200.0, 100.0)),),
        due=at(20),
        planned_start=None if start is None else at(start),
        planned_machine="furnace-1",
        state=state,
    )


def test_a_reimport_says_what_changed(store: Store) -> None:
    first = store.jobs.reconcile([job("a"), job("b"), job("c")], at(0), complete=True)
    assert (first.new, first.changed, first.gone, first.same) == (("a", "b", "c"), (), (), 0)
    again = store.jobs.reconcile([job("a"), job("b"), job("c")], at(1), complete=True)
    assert (again.new, again.changed, again.gone, again.same) == ((), (), (), 3)
    third = store.jobs.reconcile([job("a"), replace(job("b"), quantity=9.0), job("d")], at(2), complete=True)
    assert (third.new, third.changed, third.gone, third.same) == (("d",), ("b",), ("c",), 1)
    assert [(one.id, one.revision, one.state) for one in store.jobs.all()] == [
        ("a", 1, JobState.RELEASED),
        ("b", 2, JobState.RELEASED),
        ("c", 2, JobState.GONE),
        ("d", 1, JobState.RELEASED),
    ]
    back = store.jobs.reconcile([job("c")], at(3), complete=False)
    assert back.changed == ("c",)
    assert store.jobs.get("c") == replace(job("c"), revision=3)


def test_a_partial_list_makes_nothing_gone_and_a_span_bounds_what_may_be(store: Store) -> None:
    store.jobs.reconcile([job("a"), replace(job("b", start=30), due=at(40))], at(0), complete=True)
    assert store.jobs.reconcile([], at(1), complete=False).gone == ()
    assert store.jobs.reconcile([], at(1), complete=True, span=DAY).gone == ("a",)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FINISHED, JobState.CANCELLED, JobState.HELD])
def test_a_reimport_does_not_undo_what_the_floor_said(store: Store, state: JobState) -> None:
    store.jobs.reconcile([job("a")], at(0), complete=True)
    store.jobs.set_state("a", state, at(1))
    assert store.jobs.reconcile([job("a")], at(2), complete=True).same == 1
    changed = store.jobs.reconcile([job("a", quantity=2.0)], at(3), complete=True)
    assert changed.changed == ("a",)
    assert store.jobs.get("a") == replace(job("a", state=state, quantity=2.0), revision=3)
    assert store.jobs.reconcile([], at(4), complete=True).gone == ()  # only what is released can be gone


def test_the_plan_may_lift_the_hold_that_it_set(store: Store) -> None:
    store.jobs.reconcile([job("a", state=JobState.HELD)], at(0), complete=True)
    assert store.jobs.reconcile([job("a")], at(1), complete=True).changed == ("a",)
    assert store.jobs.reconcile([job("a", state=JobState.FINISHED)], at(2), complete=True).changed == ("a",)


def test_a_put_job_gets_the_next_revision(store: Store) -> None:
    assert store.jobs.put(replace(job("rush"), revision=7), at(0)) == job("rush")
    assert store.jobs.put(job("rush"), at(1)) == job("rush")
    assert store.jobs.put(job("rush", quantity=2.0), at(2)).revision == 2
    assert store.jobs.get("nothing") is None
    with pytest.raises(KeyError, match="nothing"):
        store.jobs.set_state("nothing", JobState.HELD, at(0))


def test_jobs_of_a_span_are_planned_due_or_running_in_it(store: Store) -> None:
    due_later = replace(job("due-later"), due=at(40))
    no_start = replace(job("no-start", start=None), earliest=at(5))
    store.jobs.reconcile([job("planned"), due_later, no_start, job("ran", start=2)], at(0), complete=True)
    store.runs.put([JobRun(job="ran", machine="furnace-1", start=at(14), end=None)])

    def ids(first: float, end: float) -> list[str]:
        return [one.id for one in store.jobs.all(Interval(at(first), at(end)))]

    assert ids(9, 10) == ["due-later", "no-start", "planned"]
    assert ids(10, 11) == ["no-start"]
    assert ids(15, 16) == ["no-start", "ran"]
    assert ids(20, 21) == ["no-start", "planned", "ran"]
    assert ids(30, 41) == ["due-later", "ran"]


def test_a_later_word_on_a_run_is_a_new_version(store: Store) -> None:
    begun = JobRun(job="a", machine="furnace-1", start=at(8), end=None)
    ended = replace(begun, end=at(10), kwh=300.0)
    other = replace(ended, job="b", start=at(6), end=at(7))
    assert store.runs.put([begun, other]) == 2
    assert store.runs.put([ended, other]) == 1
    assert store.runs.put([ended]) == 0
    assert store.runs.of(DAY) == [other, ended]
    assert store.runs.of(Interval(at(7), at(8))) == []
    assert store.runs.of_job("a") == [ended]


def test_a_fact_is_one_however_often_it_is_sent(store: Store) -> None:
    down = Fact(id="f1", kind=FactKind.MACHINE_DOWN, at=at(1), machine="press-1", reported_at=at(1.1), share=None)
    scrap = Fact(id="f2", kind=FactKind.SCRAP, at=at(0), job="a", share=0.25, reported_at=at(2))
    assert store.facts.add(down)
    assert store.facts.add(scrap)
    assert not store.facts.add(replace(down, text="second click"))
    assert store.facts.of(DAY) == [down, scrap]
    assert store.facts.unanswered() == [down, scrap]
    store.facts.mark_answered(["f1"], at(2), "digest")
    assert store.facts.unanswered() == [scrap]
    store.facts.mark_answered([], at(2), "digest")


def test_as_is_keeps_every_entry_of_a_job(store: Store) -> None:
    place = Planned(job="a", machine="furnace-1", start=at(8), end=at(10))
    first = AsIsEntry(planned=place, revision=1, cause=Cause.RELEASED, frozen_at=at(0))
    moved = replace(first, planned=replace(place, start=at(12), end=at(14)), cause=Cause.BREAKDOWN, frozen_at=at(7))
    store.as_is.add([first])
    store.as_is.add([first])
    store.as_is.add([moved])
    assert store.as_is.history("a") == [first, moved]
    assert store.as_is.current() == {"a": moved}
    assert store.as_is.current(Interval(at(8), at(12))) == {}
    assert store.as_is.current(Interval(at(13), at(13.5))) == {"a": moved}


# --- offers and decisions ---


def offer(id: str = "o1", number: int = 1, state: OfferState = OfferState.OPEN) -> Offer:
    old = Planned(job="a", machine="furnace-1", start=at(8), end=at(10))
    shift = LoadShift(job="a", name="ring", old=old, new=replace(old, start=at(14), end=at(16)), kwh=300.0)
    return Offer(
        id=id,
        site="plant",
        version=1,
        number=number,
        shifts=(shift,),
        requires=(),
        gain=Gain(energy=12.5, low=8.0),
        headline="Furnace 1: ring 6 h later",
        reason="cheaper",
        slack_minutes=30,
        plan="digest",
        offered_at=at(1),
        expires_at=at(7),
        state=state,
    )


def test_each_change_of_an_offer_is_a_new_version(store: Store) -> None:
    assert store.offers.put(offer(), at(1)) == offer()
    assert store.offers.put(offer(), at(1.5)).version == 1  # nothing changed: what the planner sees stays the newest
    accepted = store.offers.put(offer(state=OfferState.ACCEPTED), at(2))
    assert accepted == replace(offer(state=OfferState.ACCEPTED), version=2)
    assert store.offers.get("o1") == accepted
    assert store.offers.get("nothing") is None
    store.offers.put(offer("o2", number=0), at(2))
    assert [one.id for one in store.offers.in_state(OfferState.OPEN, OfferState.ACCEPTED)] == ["o2", "o1"]
    assert [one.id for one in store.offers.in_state(OfferState.OPEN)] == ["o2"]
    assert store.offers.in_state(OfferState.OPEN, span=Interval(at(16), at(20))) == []
    assert len(store.offers.in_state(OfferState.OPEN, span=Interval(at(15), at(20)))) == 1
    assert [one.id for one in store.offers.offered(DAY)] == ["o2", "o1"]


def test_what_was_not_offered(store: Store) -> None:
    items = [NotOffered(job="a", what="a later", why="no crew", gain=3.0), NotOffered(job="b", what="b", why="small")]
    store.offers.put_not_offered("digest", items, at(1))
    assert store.offers.not_offered("digest") == items
    store.offers.put_not_offered("digest", [], at(2))
    assert store.offers.not_offered("digest") == []
    assert store.offers.not_offered("another") == []


def test_a_double_click_is_one_decision(store: Store) -> None:
    said = Decision(id="click", offer="o1", version=1, kind=DecisionKind.ACCEPT, by="Kim", role="planner", at=at(2))
    assert store.decisions.add(said)
    assert not store.decisions.add(replace(said, at=at(3)))
    assert store.decisions.get("click") == said
    assert store.decisions.get("nothing") is None
    assert store.decisions.of_offer("o1") == store.decisions.made(DAY) == [said]


def test_how_far_a_job_has_come(store: Store) -> None:
    assert store.floor.state("a") is None
    store.floor.put("a", "o1", FloorState.ACCEPTED, at(1))
    store.floor.put("a", "o1", FloorState.ACCEPTED, at(2))
    store.floor.put("a", "o1", FloorState.NOT_SEEN, at(3), "nobody looked")
    assert store.floor.state("a") == (FloorState.NOT_SEEN, at(3), "nobody looked")
    assert store.floor.history("a") == [
        (FloorState.ACCEPTED, at(1), ""),
        (FloorState.NOT_SEEN, at(3), "nobody looked"),
    ]


def test_a_standing_rule_holds_until_its_end(store: Store) -> None:
    rule = StandingRule(
        id="r", subject="machine:press-1", decision="d", reason="noise", by="Kim", since=at(1), until=at(9)
    )
    store.rules.add(rule)
    store.rules.add(rule)
    assert [store.rules.in_force(at(hour)) for hour in (0, 1, 9)] == [[], [rule], []]
    store.rules.end("r", at(5))
    store.rules.end("r", at(8))
    assert [store.rules.in_force(at(hour)) for hour in (4, 5)] == [[rule], []]


def test_receipts_tell_what_was_sent(store: Store) -> None:
    failed = Receipt(instruction="i", dispatcher="file", at=at(1), where="", ok=False, note="disk full")
    sent = Receipt(instruction="i", dispatcher="file", at=at(2), where="jobs.csv", ok=True)
    assert store.receipts.add(failed)
    assert not store.receipts.has("i")
    assert store.receipts.add(sent)
    assert not store.receipts.add(sent)
    assert store.receipts.has("i")
    assert store.receipts.of("i") == [failed, sent]


# --- machines ---


def learned_profile(runs: int = 5) -> LearnedProfile:
    return LearnedProfile(
        machine="press",
        product="50% covers/left",
        mode="eco",
        basis=Basis.POWER,
        p10=(80.0,),
        p50=(85.0,),
        p90=(90.0,),
        runs=runs,
        left_out=0,
        first=date(2026, 5, 1),
        last=date(2026, 5, 20),
        minutes=180.0,
        spread=0.03,
    )


def test_machine_days_are_kept_as_versions(store: Store) -> None:
    day = MachineDay(machine="press", meter="m", day=T0.date(), detail=Detail.READINGS, known_share=1.0, levels=None)
    later = replace(day, kwh=12.5, histogram=((3, 1.5),))
    assert store.machine_days.last() is None
    assert store.machine_days.put(day, at(1)) and not store.machine_days.put(day, at(2))
    assert store.machine_days.put(later, at(3))
    other = replace(day, machine="oven", day=T0.date() + timedelta(days=1))
    assert store.machine_days.put(other, at(3))
    assert store.machine_days.of(T0.date(), other.day) == [later, other]
    assert store.machine_days.of(T0.date(), other.day, "press") == [later]
    assert store.machine_days.last() == other.day
    assert store.machine_days.versions("press", day.day) == 2


def test_what_was_learned_of_machines(store: Store) -> None:
    levels = Levels(
        off_kw=None, idle_kw=9.0, holding_kw=None, running_kw=90.0, on_above_kw=4.5, holding_above_kw=None,
        running_above_kw=30.0,
    )  # fmt: skip
    assert store.learned.put_levels("press", levels, at(1)) and not store.learned.put_levels("press", levels, at(2))
    assert store.learned.levels() == {"press": levels}
    assert store.learned.put_profile(learned_profile(), at(1))
    assert store.learned.put_profile(learned_profile(runs=9), at(2))
    assert store.learned.profiles() == {("press", "50% covers/left", "eco"): learned_profile(runs=9)}
    drift = Drift(
        machine="press", of=DriftOf.WORK, size=0.05, size_low=0.04, size_high=0.06, since=at(3), since_first=at(2),
        since_last=at(4), ramp=False, confidence=0.99, strength=6.0, before=40, after=9, unit="energy",
    )  # fmt: skip
    assert not store.learned.put_drift("press", DriftOf.WORK, None, at(5))
    assert store.learned.put_drift("press", DriftOf.WORK, drift, at(5))
    assert store.learned.drifts() == [drift]
    assert store.learned.put_drift("press", DriftOf.WORK, None, at(6))
    assert store.learned.drifts() == []
    assert not store.learned.put_drift("press", DriftOf.WORK, None, at(7))


# --- events and accounts ---


def event(state: EventState = EventState.OPEN, kw: float = 200.0, received: float = 0) -> Event:
    return Event(
        id="e",
        kind=EventKind.REDUCTION,
        interval=Interval(at(17), at(19)),
        kw=kw,
        mandatory=False,
        price_per_kwh=0.3,
        state=state,
        received_at=at(received),
    )


def test_a_program_that_lists_an_event_again_does_not_undo_the_answer(store: Store) -> None:
    assert store.events.put(event())
    assert not store.events.put(event(received=1))
    store.events.set_state("e", EventState.ACCEPTED, at(1))
    assert not store.events.put(event(received=2))
    assert store.events.get("e") == event(EventState.ACCEPTED)
    assert store.events.put(event(EventState.CANCELLED, received=3))
    assert store.events.touching(DAY) == [event(EventState.CANCELLED)]
    assert store.events.touching(Interval(at(19), at(20))) == []
    assert store.events.put(event(kw=100.0))  # other terms are to be answered anew
    assert store.events.get("e") == event(kw=100.0)
    with pytest.raises(KeyError, match="nothing"):
        store.events.set_state("nothing", EventState.OPEN, at(0))


def test_commitments_are_in_force_while_their_event_is_accepted(store: Store) -> None:
    store.events.put(event(EventState.ACCEPTED))
    first = Commitment(event="e", interval=Interval(at(17), at(19)), limit_kw=900.0, penalty_per_kwh=0.3)
    better = replace(first, limit_kw=850.0, baseline_kw=(1000.0, 1010.0))
    store.events.commit(first, at(1))
    store.events.commit(better, at(2))
    assert store.events.commitments(DAY) == [better]
    assert store.events.commitments(Interval(at(19), at(20))) == []
    store.events.set_state("e", EventState.DECLINED, at(3))
    assert store.events.commitments(DAY) == []


def test_the_ledger_shows_the_latest_account(store: Store) -> None:
    account = DaySavings(
        site="plant",
        day=date(2026, 5, 20),
        metered_money=100.0,
        counterfactual_money=110.0,
        metered_carbon_kg=None,
        counterfactual_carbon_kg=None,
        metered_peak_kw=1000.0,
        counterfactual_peak_kw=1000.0,
        import_kwh=9000.0,
        known_share=0.5,
        estimated_money=12.0,
        estimated_carbon_kg=0.0,
        jobs=(),
        currency="EUR",
        carbon_basis="grid average, direct",
    )
    assert store.ledger.put_day(account, at(26))
    assert not store.ledger.put_day(account, at(27))
    late = replace(account, known_share=1.0, metered_money=101.0)
    assert store.ledger.put_day(late, at(30))
    assert store.ledger.days(date(2026, 5, 20), date(2026, 5, 20)) == [late]
    assert store.ledger.days(date(2026, 5, 21), date(2026, 5, 31)) == []
    peak = PeakSaving(
        site="plant",
        charge="annual peak",
        period="2026",
        state=PeakState.AT_RISK,
        as_is_kw=1300.0,
        real_kw=1250.0,
        target_kw=1240.0,
        per_kw=118.0,
        money=5900.0,
    )
    month = replace(peak, charge="month", period="2026-05")
    assert store.ledger.put_peak(peak, at(1))
    assert store.ledger.put_peak(month, at(1))
    assert not store.ledger.put_peak(month, at(2))
    assert store.ledger.put_peak(replace(month, state=PeakState.CLOSED), at(3))
    assert store.ledger.peaks(2026) == [peak, replace(month, state=PeakState.CLOSED)]
    assert store.ledger.peaks(2025) == store.ledger.peaks(2027) == []


# --- what was done ---


def test_the_journal_reads_backwards(store: Store) -> None:
    entries = [JournalEntry(at=at(hour), who="Kim", role="planner", what=f"did {hour}") for hour in (0, 1, 1, 2)]
    for entry in entries:
        store.journal.write(entry)
    assert store.journal.read() == entries[::-1]
    assert store.journal.read(limit=1, before=at(2)) == [entries[2]]


def test_a_step_is_recorded_once(store: Store) -> None:
    assert store.steps.last("plan") is None
    assert not store.steps.done("plan", at(0), "abc")
    assert store.steps.record("plan", at(0), "abc", at(0.1), 1.5, "optimal")
    assert not store.steps.record("plan", at(0), "abc", at(0.2), 1.5)
    assert store.steps.record("plan", at(0), "abd", at(0.3), 1.5, "again")
    assert store.steps.done("plan", at(0), "abc")
    assert store.steps.last("plan") == (at(0), at(0.3), "again")


def test_a_failure_is_over_with_the_next_success(store: Store) -> None:
    store.steps.record("fetch", at(0), "same", at(0), 1.0)
    store.steps.failed("fetch", at(1), at(1), "no answer")
    store.steps.failed("plan", at(1), at(1), "no prices")
    assert store.steps.failures(at(0)) == [("fetch", at(1), "no answer"), ("plan", at(1), "no prices")]
    assert store.steps.failures(at(1.5)) == []
    assert not store.steps.record("fetch", at(0), "same", at(2), 1.0)  # nothing new, yet it worked
    assert store.steps.failures(at(0)) == [("plan", at(1), "no prices")]


def test_notes_and_meters(store: Store) -> None:
    assert store.note("cursor") is None
    store.note("cursor", {"page": 3})
    store.note("cursor", [1, "two"])
    assert store.note("cursor") == [1, "two"]
    grid = Meter(id="grid", name="Grid", role=Role.SETTLEMENT, measures=Measures.GRID, connection_kw=1800.0)
    pv = Meter(id="a-pv", name="PV", role=Role.SUB, measures=Measures.PV, connection_kw=420.0, rollover_kwh=999999.9)
    store.put_meters([grid, pv])
    store.put_meters([grid, pv])
    assert store.meters() == [grid, pv]
    store.put_meters([pv])
    assert store.meters() == [pv]
    assert store.size_bytes() > 0


def test_sites_share_a_database_and_nothing_else(open_store: OpenStore) -> None:
    here, there = open_store("here"), open_store("there")
    here.readings.add([reading(1)])
    here.intervals.put([energy(0, 1.0)], at(1))
    here.series.add("price", series(0, 1), known_at=at(0), source="market")
    here.jobs.put(job("a"), at(0))
    here.note("cursor", 1)
    assert there.readings.latest() == {}
    assert there.readings.count(DAY) == 0
    assert there.intervals.of("grid", DAY) == []
    assert there.series.keys() == []
    assert there.jobs.all() == []
    assert there.note("cursor") is None
    assert there.readings.add([reading(1)]) == 1
    there.put_meters([])
    assert here.readings.count(DAY) == 1

"""Drift: known drift is found with its size and time, and where there is none nothing is said."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from benchmarks.metering.drift import LEARNED_DAYS, MONDAY, Wear, life, watch
from energy.insight.drift import Observation, alike, as_normal, change
from energy.insight.drift_odds import BELOW, confidence
from energy.insight.work import drifts, kinds_of, run_ways
from energy.model.insight import Cycle, Detail, DriftOf, MachineDay, PowerState, RunSample, StateEnergy, StateSpan

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def observations(values, *, a_day=4, groups=("covers",), start=T0):
    """Works in the order of time, so many a day, products in turn."""
    return [
        Observation(at=start + timedelta(days=k // a_day, hours=6 + k % a_day), group=groups[k % len(groups)], value=v)
        for k, v in enumerate(values)
    ]


def noise(n, scatter=0.02, seed=1):
    return scatter * np.random.default_rng(seed).standard_normal(n)


def test_a_step_is_found_with_its_size_and_day():
    values = noise(160)
    values[120:] += math.log(1.05)  # from the 31st day on
    found = change(observations(values))
    assert found is not None and not found.ramp
    assert found.size == pytest.approx(0.05, abs=0.01)
    assert found.low < 0.05 < found.high
    assert abs((found.since - T0).days - 30) <= 1
    assert found.since_first <= T0 + timedelta(days=30, hours=6) <= found.since_last + timedelta(days=1)
    assert (found.before, found.after) == (120, 40)


def test_a_ramp_is_told_as_one_with_its_size_of_today():
    values = noise(240, seed=4)
    values[120:] += np.log1p(0.10 * np.arange(120) / 120)  # 10 % over 30 days
    found = change(observations(values))
    assert found is not None and found.ramp
    assert found.size == pytest.approx(0.10, abs=0.025)
    assert abs((found.since - T0).days - 30) <= 7


def test_less_energy_is_a_change_too_and_has_its_sign():
    values = noise(160, seed=2)
    values[100:] -= 0.06
    found = change(observations(values))
    assert found is not None and found.size < -0.04


@pytest.mark.parametrize("bad", [1.6, 0.4])
def test_a_bad_run_is_no_drift(bad):
    values = noise(120, seed=3)
    values[-3] += math.log(bad)
    assert change(observations(values)) is None


def test_another_mix_of_products_is_no_drift():
    """Heavy parts from the 31st day on: each product takes what it took."""
    light = observations(noise(120, seed=5), groups=("light", "heavy", "light", "light"))
    heavy = observations(noise(80, seed=6), groups=("heavy", "heavy", "light", "heavy"), start=T0 + timedelta(days=30))
    both = [replace(o, value=o.value + (0.5 if o.group == "heavy" else 0.0)) for o in light + heavy]
    assert change(both) is None


def test_a_new_product_is_no_drift():
    values = noise(160, seed=7)
    rows = [replace(o, group="new", value=o.value + 0.2) if k >= 120 else o for k, o in enumerate(observations(values))]
    assert change(rows) is None


def test_a_cold_spell_explains_what_it_takes():
    """3 % more for 10 degrees less, and 15 degrees colder for the last ten days."""
    warm = np.where(np.arange(160) < 120, 15.0 + noise(160, 8.0, seed=8), 0.0 + noise(160, 2.0, seed=9))
    values = noise(160, 0.01, seed=10) - 0.003 * (warm - 10.0)
    rows = observations(values)
    assert change(rows) is not None  # without a thermometer
    assert change([replace(o, temperature=float(t)) for o, t in zip(rows, warm, strict=True)]) is None


def test_too_little_says_nothing():
    assert change(observations(noise(20))) is None
    assert change([]) is None


def test_works_of_one_day_that_go_together_are_no_independent_witnesses():
    of_day = np.repeat(noise(40, 0.02, seed=11), 10)
    own = noise(400, 0.02, seed=12)
    days = np.repeat(np.arange(40.0), 10)
    assert alike(own, days) < 1.6
    # Half of the variance is of the day: ten of a day weigh 0.5 · 10 + 0.5, drawn towards what is usual by few days.
    assert 2.5 < alike(of_day + own, days) < 5.5


def test_students_deviates_as_normal_ones():
    # t = 2.086 with 20 degrees of freedom and t = 2.571 with 5 are both exceeded by 2.5 % a side: 1.96.
    assert as_normal(np.array([2.086]), 20)[0] == pytest.approx(1.96, abs=0.01)
    assert as_normal(np.array([2.571]), 5)[0] == pytest.approx(1.96, abs=0.03)


def test_confidence_grows_with_strength_and_is_never_certain():
    strengths = [s for s, _ in BELOW]
    assert strengths == sorted(strengths)
    assert confidence(3.0) < confidence(5.0) <= confidence(9.0) < 1.0


# A small sample of `python -m benchmarks.metering.drift`: seeds of its own, neither tuned nor reported on.
SAMPLE = range(50_000, 50_006)


@pytest.mark.parametrize("seed", SAMPLE)
def test_five_percent_is_found_within_a_week_and_not_before_it_is_there(seed):
    seen = watch(*life(seed, Wear(size=0.05), jobs_a_day=6, scatter=0.015))
    assert not seen.false_before
    assert seen.after_days is not None and seen.after_days <= 7.0


@pytest.mark.parametrize("seed", SAMPLE)
def test_a_quiet_quarter_stays_quiet(seed):
    assert watch(*life(seed, Wear())).found is None


def test_the_invented_machine_wears_when_it_says():
    worn, begins = life(1, Wear(size=0.2))
    fresh, _ = life(1, Wear())
    assert LEARNED_DAYS + 7 <= begins <= LEARNED_DAYS + 42
    more = [a.value - b.value for a, b in zip(worn, fresh, strict=True)]
    late = [(a.at - MONDAY) / timedelta(days=1) >= begins for a in worn]
    assert more == pytest.approx([math.log(1.2) if is_late else 0.0 for is_late in late])


# --- from the records of a machine ---


def day(n, *, runs=(), cycles=(), idle=9.0, quiet=2.0, kwh=200.0):
    the_day = date(2026, 3, 2) + timedelta(days=n)
    end = T0 + timedelta(days=n + 1)
    spans = (StateSpan(state=PowerState.IDLE, start=end - timedelta(days=1), end=end, kwh=kwh),)
    energy = (StateEnergy(state=PowerState.RUNNING, hours=8, kwh=kwh, money=0.2 * kwh),)
    return MachineDay(
        machine="press", meter="m", day=the_day, detail=Detail.READINGS, known_share=1.0, levels=None, spans=spans,
        energy=energy, runs=tuple(runs), cycles=tuple(cycles), kwh=kwh, idle_kw=idle, quiet_kw=quiet,
    )  # fmt: skip


def sample(n, k, kwh, *, typed_kw=85.0, quantity=300.0):
    end = T0 + timedelta(days=n, hours=8 + 3 * k)
    return RunSample(
        job=f"{n}-{k}", product="covers", mode="", start=end - timedelta(hours=3), end=end, kwh=kwh,
        power_kw=(kwh / 3,) * 12, quantity=quantity, typed_kw=(typed_kw,), typed_minutes=180,
    )  # fmt: skip


def worn_days(factor_of, *, typed_of=lambda _: 85.0, seed=1):
    dice = np.random.default_rng(seed)
    return [
        day(n, runs=[sample(n, k, 255.0 * factor_of(n) * (1 + 0.015 * dice.standard_normal()), typed_kw=typed_of(n))
                     for k in range(4)])
        for n in range(45)
    ]  # fmt: skip


def test_drift_of_work_as_the_plant_reads_it():
    found = drifts(worn_days(lambda n: 1.06 if n >= 38 else 1.0), (), T0 + timedelta(days=45))
    work = found[DriftOf.WORK]
    assert work is not None
    assert work.size == pytest.approx(0.06, abs=0.015)
    assert abs((work.since - T0).days - 38) <= 1
    # 200 kWh a day at 0.20 at work: a week takes 1,400 kWh, of which 0.06 / 1.06 are the drift
    assert work.extra_kwh_per_week == pytest.approx(1400 * work.size / (1 + work.size), rel=0.01)
    assert work.extra_money_per_week == pytest.approx(0.2 * work.extra_kwh_per_week, rel=0.01)
    assert work.found_at == T0 + timedelta(days=45)
    assert found[DriftOf.IDLE] is None and found[DriftOf.QUIET] is None


def test_new_typed_in_figures_are_no_drift_of_the_machine():
    days = worn_days(lambda _: 1.0, typed_of=lambda n: 85.0 if n < 38 else 78.0)
    ways = dict(run_ways(days))
    assert change(ways["energy against the typed-in"]) is not None  # that alone would look like one
    assert drifts(days, (), T0 + timedelta(days=45))[DriftOf.WORK] is None


def test_leaks_show_at_rest():
    dice = np.random.default_rng(2)
    days = [
        day(n, quiet=(14.0 if n % 7 < 5 else 11.0) * (1.08 if n >= 50 else 1.0) * (1 + 0.012 * dice.standard_normal()))
        for n in range(63)
    ]
    found = drifts(days, (), T0 + timedelta(days=63))
    quiet = found[DriftOf.QUIET]
    assert quiet is not None and quiet.size == pytest.approx(0.08, abs=0.02)
    assert found[DriftOf.WORK] is None


def test_without_jobs_cycles_of_a_kind_are_compared():
    dice = np.random.default_rng(3)
    days = []
    for n in range(45):
        cycles = []
        for k in range(4):
            hours = (1.0, 2.5)[k % 2]
            end = T0 + timedelta(days=n, hours=4 + 4 * k)
            kwh = 80.0 * hours * (1.06 if n >= 36 else 1.0) * (1 + 0.01 * dice.standard_normal())
            cycles.append(Cycle(start=end - timedelta(hours=hours), end=end, kwh=kwh, peak_kw=90.0))
        days.append(day(n, cycles=cycles))
    work = drifts(days, (), T0 + timedelta(days=45))[DriftOf.WORK]
    assert work is not None and work.size == pytest.approx(0.06, abs=0.015)
    assert work.unit in {"energy per cycle", "power while running"}


def test_kinds_of_cycles():
    assert kinds_of([math.log(m) for m in (60, 62, 150, 58, 155)]) == [0, 0, 1, 0, 1]


def test_what_was_told_stays_until_it_is_clearly_weaker():
    days = worn_days(lambda n: 1.06 if n >= 38 else 1.0)
    now = T0 + timedelta(days=45)
    first = drifts(days, (), now)[DriftOf.WORK]
    assert first is not None
    again = drifts(days, [first], now + timedelta(days=1))[DriftOf.WORK]
    assert again == first  # and was found when it was found first

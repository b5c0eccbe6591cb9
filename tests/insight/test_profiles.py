"""Learned power profiles: the middle and spread of real runs, robust, still, and used in plans where the plant wants it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.insight.profiles import LEAST_RUNS, learned_profiles, renewed
from energy.insight.runs import parts_of, sample
from energy.model.insight import Basis, RunSample
from energy.model.job import Job, Mode
from energy.model.run import JobRun
from energy.model.site import LearnedProfiles, Machine, Site
from energy.planning.learned import with_learned_power
from tests.insight.machine import MONDAY, fine, truth

NOW = datetime(2026, 5, 20, tzinfo=UTC)
SHAPE = np.array([1.2, 1.1, 1.0, 0.7] * 3)[[0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]]


def runs(n, *, level=80.0, spread=0.02, seed=1, typed=(85.0,), product="covers", every_hours=12):
    dice = np.random.default_rng(seed)
    made = []
    for k in range(n):
        end = NOW - timedelta(hours=every_hours * (n - k))
        power = level * SHAPE * (1 + spread * dice.standard_normal())
        made.append(
            RunSample(
                job=f"{k}", product=product, mode="", start=end - timedelta(hours=3), end=end,
                kwh=float(power.mean()) * 3, power_kw=tuple(power), typed_kw=typed, typed_minutes=180,
            )
        )  # fmt: skip
    return made


def learned(samples, **more):
    (found,) = learned_profiles("press", samples, now=NOW, **more)
    return found


def test_the_shape_of_a_product_with_its_spread():
    found = learned(runs(20))
    assert found.basis is Basis.POWER
    assert np.array(found.p50) == pytest.approx(80 * SHAPE, rel=0.02)
    assert np.mean(found.p10) < np.mean(found.p50) < np.mean(found.p90)
    assert found.spread == pytest.approx(0.02, abs=0.012)
    assert (found.runs, found.left_out) == (20, 0)


def test_a_bad_run_is_left_out_and_too_few_say_nothing():
    bad = [replace(s, power_kw=tuple(1.8 * v for v in s.power_kw), kwh=1.8 * s.kwh) for s in runs(1, seed=9)]
    found = learned([*runs(12), *bad])
    assert (found.runs, found.left_out) == (12, 1)
    assert np.mean(found.p50) == pytest.approx(80, rel=0.02)
    assert learned_profiles("press", runs(LEAST_RUNS - 1), now=NOW) == []


def test_orders_with_a_power_of_their_own_are_learned_as_multiples():
    made = []
    for k, typed in enumerate((60.0, 75.0, 90.0, 70.0, 85.0, 65.0, 80.0, 95.0)):
        made += [replace(s, typed_kw=(typed,)) for s in runs(1, level=1.04 * typed, spread=0.01, seed=k)]
    found = learned(made)
    assert found.basis is Basis.TYPED
    assert np.mean(found.p50) == pytest.approx(1.04, rel=0.01)


def test_runs_of_different_length_lie_on_each_other():
    rows = [truth([(h / 2, 100.0), (h / 2, 60.0)], noise=0.0) for h in (1.0, 2.3)]
    short, long = (parts_of(row, 12) for row in rows)
    assert short == pytest.approx(long, abs=1.0)
    assert long.mean() == pytest.approx(rows[1].mean())


def test_after_a_drift_only_what_came_since_counts():
    worn = [replace(s, power_kw=tuple(1.1 * v for v in s.power_kw)) for s in runs(8, seed=3)]
    old = [replace(s, start=s.start - timedelta(days=20), end=s.end - timedelta(days=20)) for s in runs(20)]
    found = learned([*old, *worn], since=worn[0].start)
    assert (found.runs, found.drifting) == (8, True)
    assert np.mean(found.p50) == pytest.approx(88, rel=0.02)


def test_a_profile_is_renewed_only_beyond_its_spread():
    old = learned(runs(20))
    assert renewed(old, learned(runs(22, seed=5))) is old  # another middle of the same work
    moved = learned(runs(20, level=85.0, seed=6))
    assert renewed(old, moved) is moved
    assert renewed(None, old) is old
    few = learned(runs(6, seed=7))
    assert renewed(few, old) is old  # rests on more than twice as many


def job(power=85.0, machine="press", product="covers"):
    ways = (Mode(machine=machine, minutes=180, power_kw=(power,)), Mode(machine="other", minutes=200, power_kw=(70.0,)))
    return Job(id="1", order="1", product=product, quantity=300, unit="pcs", modes=ways, due=NOW)


def site(setting):
    machines = (Machine(id="press", name="Press", group="presses", learned_profiles=setting),)
    return Site(
        id="s",
        name="s",
        zone="Europe/Berlin",
        currency="EUR",
        import_limit_kw=1000,
        export_limit_kw=0,
        machines=machines,
    )


@pytest.mark.parametrize("setting", [LearnedProfiles.OFF, LearnedProfiles.SHOWN])
def test_plans_take_the_typed_in_power_unless_the_plant_wants_the_learned(setting):
    found = {("press", "covers", ""): learned(runs(20))}
    assert with_learned_power([job()], found, site(setting)) == ((job(),), ())


def test_plans_with_learned_power_say_so():
    found = {("press", "covers", ""): learned(runs(20))}
    (made,), notes = with_learned_power([job()], found, site(LearnedProfiles.USED))
    assert made.modes[0].minutes == 180 and made.modes[1] == job().modes[1]
    assert made.modes[0].energy_kwh == pytest.approx(240, rel=0.02)  # 80 kW for 3 h
    assert notes == ("1 learned power profile is used in place of typed-in ones, each from 20 metered runs",)
    other = with_learned_power([job(product="clamps")], found, site(LearnedProfiles.USED))
    assert other == ((job(product="clamps"),), ())


def test_a_learned_power_that_cannot_be_the_same_job_is_not_used_and_said():
    found = {("press", "covers", ""): learned(runs(20))}
    (made,), notes = with_learned_power([job(power=20.0)], found, site(LearnedProfiles.USED))
    assert made == job(power=20.0)
    assert "covers on press" in notes[0] and "not used" in notes[0]


def test_a_run_that_the_meter_did_not_see_is_no_sample():
    row = truth([(6, 9.0), (3, 95.0), (3, 9.0)], noise=0.0)
    told, end = fine(row), MONDAY + timedelta(hours=9)
    run = JobRun(job="1", machine="press", start=MONDAY + timedelta(hours=6), end=end)
    seen = sample(told, run, job(), 9.0)
    assert seen is not None and seen.kwh == pytest.approx(86 * 3, rel=0.01)
    idle = replace(run, start=MONDAY + timedelta(hours=1), end=MONDAY + timedelta(hours=4))
    assert sample(told, idle, job(), 9.0) is None  # nothing ran then: the booking is wrong
    row[360 * 7 : 360 * 8] = np.nan
    assert sample(fine(row), run, job(), 9.0) is None  # an hour of it is unknown
    assert sample(told, replace(run, end=None), job(), 9.0) is None

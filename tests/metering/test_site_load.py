"""The base load: what the plant draws without its job runs; unknown where a meter is, never zero."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.metering.site import SiteMeters, base_load, job_loads, only_shares, shaped, site_load
from energy.model.horizon import Horizon
from energy.model.job import Mode
from energy.model.meter import IntervalEnergy, Quality
from energy.model.run import JobRun
from energy.model.series import Series

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOURS = Horizon(START, 4, 60)
X = float("nan")


def row(*values: float) -> Series:
    return Series.of(HOURS, values, "kW")


def run(start: float, end: float | None, *, kwh: float | None = None, machine: str = "oven") -> JobRun:
    ends = None if end is None else START + timedelta(hours=end)
    return JobRun(job="j", machine=machine, start=START + timedelta(hours=start), end=ends, kwh=kwh)


def same(found: object, expected: list[float]) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("meters", "load"),
    [
        ({"imported": (100, 90, 80, 70), "exported": (0, 0, 5, 0)}, [100, 90, 75, 70]),
        ({"imported": (100, X, 80, 70), "exported": (0, X, 0, 0)}, [100, X, 80, 70]),
        ({"imported": (100, 90, 80, 70), "exported": (X, X, X, X)}, [100, 90, 80, 70]),  # a meter that counts one way
        ({"imported": (10, 10, 10, 10), "exported": (0, 0, 0, 0), "generation": (5, X, 0, 1)}, [15, X, 10, 11]),
        ({"imported": (10, 10, 10, 10), "exported": (0, 0, 0, 0), "charge": (4, 0, X, 0), "discharge": (0, 3, 0, 0)},
         [6, 13, X, 10]),
    ],
)  # fmt: skip
def test_the_balance_of_the_site(meters: dict[str, tuple[float, ...]], load: list[float]) -> None:
    same(site_load(SiteMeters(**{name: row(*values) for name, values in meters.items()})).values, load)


OVEN = Mode(machine="oven", minutes=120, power_kw=(60.0, 20.0))


@pytest.mark.parametrize(
    ("runs", "machine_kw", "modes", "load"),
    [
        # metered: the meter's word less 10 kW of idling, only while a run lasts; the idle power stays
        ([run(1, 3)], (10, 70, 40, 10), {}, [100, 40, 70, 100]),
        # the meter is silent in the second hour of the run: the job's profile stands in
        ([run(1, 3)], (10, 70, X, 10), {("j", "oven"): OVEN}, [100, 40, 80, 100]),
        # no meter at all: the profile, at the run's own energy where that is known
        ([run(1, 3)], None, {("j", "oven"): OVEN}, [100, 40, 80, 100]),
        ([run(1, 3, kwh=40)], None, {("j", "oven"): OVEN}, [100, 70, 90, 100]),
        ([run(1, 3, kwh=40)], None, {}, [100, 80, 80, 100]),
        # nobody knows what it drew: the base load is unknown there, not the whole load and not zero
        ([run(1, 3)], None, {}, [100, X, X, 100]),
        # it still runs
        ([run(2, None)], (10, 10, 60, 60), {}, [100, 100, 50, 50]),
        # unplanned running without a run stays in the base load
        ([], (10, 70, 40, 10), {}, [100, 100, 100, 100]),
    ],
)
def test_job_runs_are_taken_off_the_load(runs, machine_kw, modes, load) -> None:
    metered = {} if machine_kw is None else {"oven": row(*machine_kw)}
    loads = job_loads(runs, HOURS, machine_kw=metered, idle_kw={"oven": 10.0}, modes=modes)
    same(base_load(row(100, 100, 100, 100), loads).values, load)


def test_an_unknown_load_stays_unknown_and_a_small_one_does_not_fall_below_zero() -> None:
    loads = job_loads([run(0, 4)], HOURS, machine_kw={"oven": row(60, 60, 60, 60)}, idle_kw={}, modes={})
    same(base_load(row(100, X, 50, 60), loads).values, [40, X, 0, 0])


def test_two_runs_that_meet_in_a_slot_share_what_the_meter_says() -> None:
    loads = job_loads([run(0, 1.5), run(1.5, 3)], HOURS, machine_kw={"oven": row(60, 60, 60, 0)}, idle_kw={}, modes={})
    same(loads, [[60, 30, 0, 0], [0, 30, 60, 0]])


def test_a_slot_that_is_a_share_of_a_gap_says_nothing_of_its_shape() -> None:
    def interval(hour: int, quality: Quality, kwh: float | None = 5.0) -> IntervalEnergy:
        return IntervalEnergy(meter="m", start=START + timedelta(hours=hour), minutes=60, import_kwh=kwh,
                              export_kwh=0.0, quality=quality)  # fmt: skip

    values = [interval(0, Quality.MEASURED), interval(1, Quality.SPREAD), interval(2, Quality.MISSING, None)]
    same(shaped(values, HOURS).values, [5, X, X, X])
    assert only_shares(values, HOURS).tolist() == [False, True, False, False]

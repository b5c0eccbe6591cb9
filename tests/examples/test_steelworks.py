"""The steelworks example: on an invented file of the same format everywhere, on the public data where it is at hand."""

import csv
import gzip
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy.build import service_of
from energy.clock import HeldClock
from energy.config import load_settings
from energy.model.horizon import Horizon
from energy.model.series import BASE_LOAD, SITE_IMPORT
from energy.store import Store

ROOT = Path(__file__).parents[2]
RUN = ROOT / "examples" / "steelworks" / "run.py"
STEEL = "forecast/steel/steel_2018-01-01_2018-09-30.csv.gz"
FIRST, DAYS = datetime(2018, 8, 7), 38  # noqa: DTZ001 - wall time, as in the file
TUESDAY = datetime(2018, 9, 10, 15, tzinfo=UTC)  # 11 September in Seoul: planned the day before, run and accounted
SUMMARY = {"readings", "forecast", "as_is", "plan", "savings", "bundles", "how", "gap", "check", "seconds"}


def example(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "LOADSTONE_DATA"}
    return subprocess.run(
        [sys.executable, str(RUN), "--folder", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=220,
        env=clean | environ,
        check=False,
    )


def short(folder: Path, data: Path) -> dict:
    """A week lived, the last two days of it planned; then the summary."""
    done = example(folder, {"LOADSTONE_DATA": str(data)}, "--weeks", "1", "--planned-days", "2", "--readings", "60")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def store_of(folder: Path, data: Path) -> Store:
    settings = load_settings(folder / "config.yaml", {"LOADSTONE_DATA": str(data)})
    return Store.open(settings.store.url, settings.site.id)


def usage_kwh(day: int, quarter: int) -> float:
    """An invented plant: two shifts on working days, 240 kW with a swing, else 12 kW."""
    working = (FIRST + timedelta(days=day)).weekday() < 5 and 32 <= quarter < 80
    return round((240 + 30 * math.sin(quarter / 3) if working else 12.0) / 4, 2)


def write(path: Path, header: list[str], rows: Iterable[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in the formats of the public files: midnight last in its day, names with stray spaces."""
    data = tmp_path_factory.mktemp("data")
    load: list[list[object]] = []
    for day in range(DAYS):
        for quarter in range(96):
            stamp = FIRST + timedelta(days=day, minutes=15 * ((quarter + 1) % 96))
            load.append([f"{stamp:%d-%m-%Y %H:%M}", usage_kwh(day, quarter), 1.0])
    write(data / STEEL, ["date", "Usage_kWh", "NSM"], load)
    hours = [FIRST - timedelta(weeks=104) + timedelta(hours=hour) for hour in range(24 * DAYS)]
    prices = [[f"{at.year}/{at.month}/{at.day} {at.hour}:00", 1, 60 if 6 <= at.hour < 22 else 20] for at in hours]
    write(data / "forecast/epf/NP.csv.gz", ["date", " Grid load forecast", "OT"], prices)
    hours = [FIRST + timedelta(weeks=104, hours=hour - 12) for hour in range(24 * DAYS)]
    carbon = [[k, f"{at:%Y-%m-%d %H:%M:%S}", 40 + at.hour] for k, at in enumerate(hours)]
    write(
        data / "forecast/carbon/SE_direct_emissions_to_2021-06-30.csv.gz",
        ["Unnamed: 0", "UTC time", "carbon_intensity"],
        carbon,
    )
    return data


@pytest.fixture(scope="module")
def lived(invented: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("plant")
    return folder, short(folder, invented)


def test_the_invented_plant_runs_the_whole_loop(lived: tuple[Path, dict]) -> None:
    _, summary = lived
    assert set(summary) == SUMMARY
    assert summary["readings"] >= 60
    assert summary["check"] is True
    assert summary["forecast"]["prophet_mae_kw"] < 30  # of a plant that does the same every working day
    assert summary["plan"]["cost"] <= summary["as_is"]["cost"] + 0.01
    savings = summary["savings"]
    assert savings["estimated"]["money"] > 1  # 40 EUR/MWh between night and day, and furnaces that may run at night
    assert savings["verified"]["money"] == pytest.approx(savings["estimated"]["money"], rel=0.3)


def test_what_was_imported_and_what_was_replayed_is_the_file(lived: tuple[Path, dict], invented: Path) -> None:
    folder, _ = lived
    store = store_of(folder, invented)
    try:
        imported = Horizon(datetime(2018, 8, 20, 15, tzinfo=UTC), 96, 15)  # 21 August, before the plant's life began
        in_file = [4 * usage_kwh(14, quarter) for quarter in range(96)]
        assert store.series.get(BASE_LOAD, imported).values == pytest.approx(in_file)
        assert store.series.get(SITE_IMPORT, imported).values == pytest.approx(in_file)
        replayed, _ = store.intervals.power("steel", Horizon(TUESDAY, 96, 15))
        assert replayed.values == pytest.approx([4 * usage_kwh(35, quarter) for quarter in range(96)], abs=0.5)
    finally:
        store.close()


def test_nothing_is_known_before_its_time(lived: tuple[Path, dict], invented: Path) -> None:
    """The whole past lies in the store from the start; a plan of Tuesday noon knows the prices of Wednesday, not of Thursday."""
    folder, _ = lived
    store = store_of(folder, invented)
    try:
        ahead = Horizon(TUESDAY, 3 * 96, 15)
        at_noon = TUESDAY + timedelta(hours=13)
        prices = store.series.get("price.day_ahead", ahead, as_known_at=at_noon)
        carbon = store.series.get("carbon.intensity", ahead, as_known_at=at_noon)
        assert prices.known.tolist() == [True] * 192 + [False] * 96
        assert not carbon.known.any()
        assert np.isfinite(store.series.get("price.day_ahead", ahead).values).all()
    finally:
        store.close()
    settings = load_settings(folder / "config.yaml", {"LOADSTONE_DATA": str(invented)})
    service = service_of(settings, HeldClock(at_noon))
    try:
        problem = service.problem_now()
        known_slots = (TUESDAY + timedelta(days=2) - at_noon) // timedelta(minutes=15)
        assert sum(problem.price_published) == known_slots < len(problem.price_published)
    finally:
        service.house.store.close()


def test_without_the_data_it_says_what_to_do(tmp_path: Path) -> None:
    unset = example(tmp_path / "a", {})
    assert unset.returncode == 1
    assert "LOADSTONE_DATA=/path python" in unset.stderr
    empty = example(tmp_path / "b", {"LOADSTONE_DATA": str(tmp_path)})
    assert empty.returncode == 1
    assert STEEL in empty.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.data
def test_the_public_data(tmp_path: Path) -> None:
    said = os.environ.get("LOADSTONE_DATA")
    if not said:
        pytest.skip("NOT RUN: LOADSTONE_DATA is not set, so the steelworks was not tried on the public data")
    summary = short(tmp_path / "plant", Path(said))
    assert set(summary) == SUMMARY
    assert summary["readings"] >= 60
    assert summary["check"] is True
    assert summary["forecast"]["prophet_mae_kw"] < summary["forecast"]["naive_mae_kw"] * 2
    assert summary["plan"]["cost"] <= summary["as_is"]["cost"] + 0.01
    # Tuesday's accepted moves: by what the meters say, near what was promised.
    savings = summary["savings"]
    assert savings["estimated"]["money"] > 0
    assert savings["verified"]["money"] == pytest.approx(savings["estimated"]["money"], rel=0.5)

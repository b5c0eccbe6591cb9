"""The forecast benchmark: which tests a folder gives, and figures that can be checked by hand."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast.__main__ import BEGIN, END, README, jobs, main, with_tables
from benchmarks.forecast.answers import Answer
from benchmarks.forecast.carbon import by_production
from benchmarks.forecast.cases import CARBON, PLANNED, PRICE, PV, WIND, Case, cases, missing
from benchmarks.forecast.markdown import markdown
from benchmarks.forecast.plain import compared, plain
from benchmarks.forecast.tables import page

LEVELS = ("0.1", "0.5", "0.9")


def write(file: Path, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt") as text:
        text.write("\n".join(rows) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "epf" / "XX.csv.gz", "date, Some forecast, Wind forecast,OT", "2015/1/1 0:00,1,2,3")
    write(tmp_path / "steel" / "mill_2018.csv.gz", "date,Usage_kWh,Load_Type", "01-01-2018 00:15,3.2,Light_Load")
    write(tmp_path / "openstef" / "pv_A.csv.gz", ",datetime,radiation,windspeed_100m,solar_on,wind_on",
          "0,2021-07-31 00:15:00+00:00,1,2,1,0")  # fmt: skip
    write(tmp_path / "openstef" / "pv_B.csv.gz", ",datetime,radiation,windspeed_100m,solar_on,wind_on",
          "0,2021-07-31 00:15:00+00:00,1,2,0,1")  # fmt: skip
    return tmp_path


def test_each_file_of_a_known_kind_is_a_test(folder: Path) -> None:
    found = {(case.group, case.name): case for case in cases(folder)}
    assert found[PRICE, "XX"].drivers == ("Some forecast", "Wind forecast")
    assert found[PLANNED, "mill"].drivers == ("Load_Type",)
    assert found[PV, "pv_A"].options[1:] == ("--target", "pv", "--column", "total_solar_part", "--drivers", "radiation",
                                             "--days", "28", "--horizon", "24h")  # fmt: skip
    assert (found[WIND, "pv_B"].column, found[WIND, "pv_B"].drivers) == ("total_wind_part", ("windspeed_100m",))
    assert missing(folder) == [f"{folder / 'carbon'} is not there or empty"]
    assert (
        len({job.out for job in jobs(cases(folder), folder, everything=True)}) == len(found) + 2
    )  # and stock Prophet twice


def test_without_data_it_says_so_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOADSTONE_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["forecast", "--results", str(tmp_path / "results")])
    assert main() == 1
    assert "NOT RUN" in capsys.readouterr().err
    assert "NOT RUN" in (tmp_path / "results" / "sample.md").read_text()


def answer(
    case: Case, came: np.ndarray, middle: np.ndarray, half_band: float = 10.0, start: str = "2021-01-01T00:00:00"
) -> Answer:
    """What a back-test would have written, of days of 24 hours."""
    issued = []
    for day in range(len(came)):
        quantiles = dict(zip(LEVELS, ((middle[day] + add).tolist() for add in (-half_band, 0, half_band)), strict=True))
        at = (datetime.fromisoformat(start) + timedelta(days=day)).isoformat()
        issued.append({"issue_time": at, "start": at, "step_minutes": 60, "quantiles": quantiles, "flags": [],
                       "actual": came[day].tolist(), "weights": {"week": 1.0},
                       "yardsticks": dict.fromkeys(("naive", "copy of last week"), (middle[day] + 5).tolist())})  # fmt: skip
    error = np.abs(came - middle)
    figures = {"mae": error.mean(), "rmae_week": 0.5, "crps": 3.0, "coverage_80": 0.8, "seconds": 12.0, "mape": 0.1,
               "pct_of_peak": 4.0, "coverage_by_hour": [0.8] * 24, "by_lead_day": [],
               "daily_mae": error.mean(axis=1).tolist()}  # fmt: skip
    yardsticks = dict.fromkeys(("naive", "copy of last week"), figures)
    said = {**figures, "days": len(came), "issued": issued, "weights": {"week": 1.0}, "versions": {"python": "3"},
            "settings": {"forecaster": "combined"}, "yardsticks": yardsticks}  # fmt: skip
    return Answer(case=case, said=json.loads(json.dumps(said)))


CASE = Case(name="XX", group=PRICE, file=Path("XX.csv.gz"), target="price", column="OT", days=40)


def test_plain_bands_are_sorted_errors() -> None:
    """Nine issued days erred by 1 … 9 at each hour: the median error is 5, and the tenth from below the lowest of them."""
    came = np.repeat(np.arange(1.0, 31.0)[:, None], 24, axis=1)
    told = plain(np.zeros_like(came), came, np.arange(24), (0.1, 0.5, 0.9))
    assert np.isnan(told[:, 19]).all()
    assert told[:, 20, 0] == pytest.approx([2.1, 10.5, 18.9])  # of 20 errors, 0.1 · 21 = the 2.1st
    assert told[1, 29, 5] == pytest.approx(15)


def test_bands_are_compared_on_the_same_days() -> None:
    rng = np.random.default_rng(2)
    came = rng.normal(0, 10, (80, 24))
    good = compared(answer(CASE, came, np.zeros_like(came), half_band=12.8))
    wide = compared(answer(CASE, came, np.zeros_like(came), half_band=60))
    assert good.days == 60
    assert good.plain_crps == wide.plain_crps
    assert good.plain_coverage == pytest.approx(0.8, abs=0.03)
    assert wide.lead < good.lead < 0.05


def test_carbon_intensity_of_production_forecasts(tmp_path: Path) -> None:
    """Half coal, half wind is 380 g/kWh; all of it unknown is 575."""
    rows = [f"2021-01-{1 + k // 24:02} {k % 24:02}:00:00,{k},{50 if k < 24 else 0},{50 if k < 24 else 0},{0 if k < 24 else 9}"
            for k in range(48)]  # fmt: skip
    names = [f"avg_{name}_production_forecast" for name in ("coal", "wind", "unknown")]
    write(tmp_path / "X.csv.gz", ",".join(["UTC time", "carbon_intensity", *names]), *rows)
    case = Case(name="X", group=CARBON, file=tmp_path / "X.csv.gz", target="carbon", column="carbon_intensity",
                drivers=tuple(names), days=2)  # fmt: skip
    found = by_production(answer(case, np.zeros((2, 24)), np.zeros((2, 24))))
    assert found[0] == pytest.approx([380.0] * 24)
    assert found[1] == pytest.approx([575.0] * 24)


def test_the_page_says_what_was_reached_and_what_not(tmp_path: Path) -> None:
    came = np.random.default_rng(3).normal(50, 10, (40, 24))
    made = answer(CASE, came, came + 1)
    (tmp_path / "x.json").write_text(json.dumps(made.said))
    (tmp_path / "fleet.json").write_text(json.dumps(
        {"minutes": 9.0, "peak_mb": 300.0, "sites": 50, "processes": 2}))  # fmt: skip
    text = page({tmp_path / "x.json": CASE}, everything=False, absent=["nothing of steel"])
    assert "| 0.500 | **no** |" in text
    assert "9.0 min, 300 MB | **no** |" in text
    assert "not measured here" in text  # the fuzz
    assert "**NOT RUN: nothing of steel**" in text
    assert "| XX | combined | 100.0 % | 100.0 % | 100.0 % |" in text  # one too high everywhere: the same hours
    for line in text.splitlines():
        assert "nan" not in line


def test_a_table_without_rows_is_none() -> None:
    assert markdown("a | b", []) == ""
    assert markdown("a | b", [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_new_tables_take_the_place_of_old_ones() -> None:
    page = f"# Benchmarks\n\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_tables(page, "# New\n\n| a |") == f"# Benchmarks\n\n{BEGIN}\n\n### New\n\n| a |\n\n{END}\nafter\n"
    assert "### New" in with_tables(README.read_text(encoding="utf-8"), "# New")
    with pytest.raises(ValueError, match="between which"):
        with_tables("# Benchmarks", "# New")

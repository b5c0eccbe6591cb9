"""The rolling-origin test: what is known when, that a leak is found, and that a stopped run goes on."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from click.testing import CliRunner

from energy.clock import HeldClock
from energy.commands.backtest import backtest, flags_summary
from energy.errors import ImportFileError
from energy.forecasters.backtest import WEEK, LastWeek, LeakError, Trial, issue, results
from energy.forecasters.backtest_file import Partial, Sheet
from energy.forecasters.naive import Settings, build
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.ports import Context, Forecaster

START = datetime(2026, 3, 2, tzinfo=UTC)
SITE = Site(id="a", name="A", zone="UTC", currency="EUR", import_limit_kw=1000, export_limit_kw=0)


def naive() -> Forecaster:
    return build(Settings(), Context(site=SITE, clock=HeldClock(START)))


def hourly(values: np.ndarray) -> Series:
    return Series(Horizon(START, len(values), 60), values, "kW")


def trial(values: np.ndarray | None = None, **more: object) -> Trial:
    noise = np.random.default_rng(3).normal(100, 20, 24 * 40) if values is None else values
    given = {"target": Target.BASE_LOAD, "actual": hourly(noise), "days": 5, "slots_ahead": 24, **more}
    return Trial(**given)  # type: ignore[arg-type] - a table of settings


class Peeking:
    """A forecaster with a back door: it was handed the whole series when it was built."""

    name = "peeking"

    def __init__(self, whole: Series) -> None:
        self._whole = whole

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        seen = self._whole.over(horizon)
        return Forecast(
            target=target, issued_at=past.known_at, p10=seen, p50=seen, p90=seen, source=self.name
        )  # fmt: skip

    def components(self, target: Target) -> Sequence[Component]:
        return ()


class Reaching(Peeking):
    """A forecaster that tries to read past the end of what it was given, by every way that numpy leaves open."""

    name = "reaching"

    def __init__(self) -> None:
        pass

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        beyond = past.target.over(horizon)
        assert not beyond.known.any()
        assert past.target.horizon.end == horizon.start
        assert past.target.values.base is None  # no view of a longer array
        assert all(series.horizon.end == horizon.end and series.values.base is None for _, series in past.drivers)
        return Forecast(target=target, issued_at=past.known_at, p10=beyond, p50=beyond, p90=beyond, source=self.name)


def test_each_day_is_issued_from_what_was_known_before_it() -> None:
    drivers = (("weather", hourly(np.arange(24.0 * 40))),)
    for at in trial().issue_times():
        issue(trial(drivers=drivers), [Reaching()], at)


def test_a_past_that_reaches_beyond_the_issue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    t = trial()
    whole = Past(target=t.actual, drivers=(), known_at=START, zone="UTC")
    monkeypatch.setattr(Trial, "past_at", lambda self, at: whole)
    with pytest.raises(LeakError, match="reaches beyond"):
        issue(t, [naive()], t.issue_times()[0])


def test_forecasts_of_later_days_are_not_given_back() -> None:
    t = trial()
    first, *_, last = t.issue_times()
    later = issue(t, [naive()], last)
    seen: list[int] = []

    class Counting(Peeking):
        name = "naive"

        def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
            seen.append(len(past.issued))
            return super().forecast(target, past, horizon)

    issue(t, [Counting(t.actual)], first, [later])
    issue(t, [Counting(t.actual)], last, [issue(t, [naive()], first), later])
    assert seen == [0, 1]


def test_an_answer_for_another_time_is_refused() -> None:
    class Elsewhere(Peeking):
        def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
            return super().forecast(target, past, Horizon(horizon.start, 3, 60))

    t = trial()
    with pytest.raises(LeakError, match="asked was"):
        issue(t, [Elsewhere(t.actual)], t.issue_times()[0])


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        ({}, datetime(2026, 4, 6, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)),
        ({"slots_ahead": 48}, datetime(2026, 4, 5, tzinfo=UTC), datetime(2026, 4, 9, tzinfo=UTC)),
        ({"issue": time(12)}, datetime(2026, 4, 5, 12, tzinfo=UTC), datetime(2026, 4, 9, 12, tzinfo=UTC)),
        ({"zone": "Europe/Berlin"}, datetime(2026, 4, 5, 22, tzinfo=UTC), datetime(2026, 4, 9, 22, tzinfo=UTC)),
        ({"days": 99}, datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)),
    ],
)
def test_when_forecasts_are_issued(more: dict[str, object], first: datetime, last: datetime) -> None:
    times = trial(**more).issue_times()
    assert (times[0], times[-1]) == (first, last)
    assert len(times) == more.get("days", 5) or len(times) == 39


def test_a_sample_of_the_days_counts_from_the_last() -> None:
    assert trial(days=10, every=3).issue_times() == trial(days=10).issue_times()[::3]
    assert trial(days=10, every=4).issue_times() == trial(days=10).issue_times()[1::4]


def test_days_of_which_nothing_came_are_not_tested() -> None:
    values = np.append(np.arange(24.0 * 39), np.full(24, np.nan))
    assert trial(values).issue_times()[-1] == datetime(2026, 4, 9, tzinfo=UTC)


def test_the_figures_of_a_week_that_repeats_but_for_one_day() -> None:
    """Each week is 10 kW higher than the one before: the copy is 10 kW too low, every hour."""
    week = np.tile(np.arange(24.0), 7)
    t = trial(np.concatenate([week + 10.0 * k for k in range(6)]))
    days = [issue(t, [naive(), LastWeek()], at) for at in t.issue_times()]
    found = results(t, days)[WEEK]
    assert found.score.mae == pytest.approx(10)
    assert found.score.bias == pytest.approx(-10)
    assert found.rmae_week == pytest.approx(1)
    assert found.score.slots == 5 * 24
    assert results(t, days)["naive"].rmae_week == pytest.approx(results(t, days)["naive"].score.mae / 10)


def test_figures_by_day_by_hour_and_by_day_ahead() -> None:
    """Each week is 10 kW higher than the one before, and on the last five days 100 kW more come at six."""
    values = np.concatenate([np.tile(np.arange(24.0), 7) + 10.0 * k for k in range(6)])
    values[24 * 37 + 6 :: 24] += 100
    t = trial(values, slots_ahead=48)
    days = [issue(t, [LastWeek()], at) for at in t.issue_times()]
    found = results(t, days)[WEEK]
    assert found.daily_mae == pytest.approx([10 + 50 / 24, *[10 + 100 / 24] * 4])
    assert found.coverage_by_hour == pytest.approx([1.0] * 6 + [0.1] + [1.0] * 17)
    assert [score.slots for score in found.by_lead_day] == [5 * 24, 5 * 24]
    assert np.mean([score.mae for score in found.by_lead_day]) == pytest.approx(found.score.mae)


def test_the_copy_of_last_week_looks_back_far_enough() -> None:
    t = trial(np.arange(24.0 * 40), slots_ahead=24 * 9, days=1)
    forecast = issue(t, [LastWeek()], t.issue_times()[0]).forecasts[WEEK]
    came = t.actual.over(forecast.horizon).values
    assert (came - forecast.p50.values == 14 * 24).all()


def write_csv(path: Path, days: int = 30) -> None:
    rng = np.random.default_rng(5)
    rows = ["date, load ,wind"]
    for k in range(days * 24):
        at = START + timedelta(hours=k)
        rows.append(f"{at:%Y-%m-%d %H:%M},{100 + 50 * (8 <= at.hour < 18) + rng.normal(0, 3):.2f},{k % 37}")
    path.write_text("\n".join(rows))


def run(*words: str) -> str:
    result = CliRunner().invoke(backtest, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_and_its_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    out = tmp_path / "out.json"
    said = run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--drivers", "wind", "--days", "3",
               "--forecaster", "naive", "--json", str(out))  # fmt: skip
    assert "copy of last week" in said
    answer = json.loads(out.read_text())
    for row in (answer, *answer["yardsticks"].values()):
        assert {"mae", "rmae_week", "crps", "coverage_80", "seconds"} <= set(row)
    assert set(answer["yardsticks"]) == {"naive", "copy of last week"}
    assert answer["yardsticks"]["copy of last week"]["rmae_week"] == 1
    assert 0 < answer["mae"] < 6
    assert [day["issue_time"] for day in answer["issued"]] == [f"2026-03-{d}T00:00:00" for d in (29, 30, 31)]
    for day in answer["issued"]:
        low, middle, high = (np.array(day["quantiles"][level]) for level in ("0.1", "0.5", "0.9"))
        assert len(middle) == 24
        assert (low <= middle).all()
        assert (middle <= high).all()
    error = [
        abs(a - b) for day in answer["issued"] for a, b in zip(day["actual"], day["quantiles"]["0.5"], strict=True)
    ]
    assert answer["mae"] == pytest.approx(np.mean(error))
    assert not out.with_name("out.json.partial").exists()


def test_stamps_in_utc_and_a_calendar_elsewhere(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--days", "2", "--forecaster", "naive",
        "--stamps-zone", "UTC", "--zone", "Europe/Berlin", "--json", str(tmp_path / "o"))  # fmt: skip
    answer = json.loads((tmp_path / "o").read_text())
    assert [day["issue_time"] for day in answer["issued"]] == ["2026-03-29T22:00:00+00:00", "2026-03-30T22:00:00+00:00"]
    assert not any("skip" in note for note in answer["notes"])


def without_seconds(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_seconds(item) for key, item in value.items() if key != "seconds"}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value


def test_a_killed_run_ends_in_the_same_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv", days=35)
    words = [sys.executable, "-m", "energy.cli", "backtest", "load.csv", "--target", "load", "--column", "load",
             "--drivers", " wind ", "--days", "5", "--json"]  # fmt: skip
    partial = tmp_path / "killed.json.partial"
    run = subprocess.Popen([*words, "killed.json"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while run.poll() is None and (not partial.exists() or partial.read_text().count("\n") < 3):
        sleep(0.05)
    run.kill()
    run.wait()
    assert partial.exists(), "it was over before it could be killed"
    assert not (tmp_path / "killed.json").exists()
    for name in ("killed.json", "whole.json"):
        subprocess.run([*words, name], cwd=tmp_path, check=True, capture_output=True)
    killed, whole = (json.loads((tmp_path / name).read_text()) for name in ("killed.json", "whole.json"))
    assert without_seconds(killed) == without_seconds(whole)
    assert {"0.05", "0.1", "0.5", "0.9", "0.95"} <= set(whole["issued"][0]["quantiles"])
    assert sum(whole["weights"].values()) == pytest.approx(1)


def test_more_days_than_there_are(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv", days=9)
    run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--days", "99", "--forecaster", "naive",
        "--json", str(tmp_path / "new folder" / "o"))  # fmt: skip
    answer = json.loads((tmp_path / "new folder" / "o").read_text())
    assert answer["days"] == 8
    assert any("99 days were asked for; 8 can be tested" in note for note in answer["notes"])
    assert all(day["flags"] for day in answer["issued"])  # so short a history is said


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    t = trial()
    sheet = Sheet(trial=t, tested="naive", settings={"days": 5})
    partial = Partial(tmp_path / "x.partial", sheet)
    assert partial.read() == []
    days = [issue(t, [naive(), LastWeek()], at) for at in t.issue_times()]
    for day in days[:3]:
        partial.add(day)
    with partial.path.open("a") as file:
        file.write('{"at": "2026-')  # stopped in the middle of a line
    again = Partial(partial.path, sheet).read()
    assert [day.at for day in again] == t.issue_times()[:3]
    partial.add(days[3])
    assert [day.at for day in Partial(partial.path, sheet).read()] == t.issue_times()[:4]
    assert sheet.answer([*again, *days[3:]])["mae"] == sheet.answer(days)["mae"]
    other = Sheet(trial=t, tested="naive", settings={"days": 6})
    assert Partial(partial.path, other).read() == []


def test_a_driver_that_is_the_target_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    text = (tmp_path / "load.csv").read_text().splitlines()
    copied = [text[0] + ",twin", *(f"{row},{2 * float(row.split(',')[1]):.3f}" for row in text[1:])]
    (tmp_path / "load.csv").write_text("\n".join(copied))
    for drivers in ("load", "twin"):
        words = [str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--drivers", drivers,
                 "--json", str(tmp_path / "o")]  # fmt: skip
        result = CliRunner().invoke(backtest, words)
        assert result.exit_code == 2
        assert "future" in result.output


def test_generation_written_as_negative(tmp_path: Path) -> None:
    rows = [f"{START + timedelta(hours=k):%Y-%m-%d %H:%M}+00:00,{-max(0.0, 8 - abs(k % 24 - 12)) * 10 or 0.1}"
            for k in range(24 * 30)]  # fmt: skip
    (tmp_path / "pv.csv").write_text("\n".join(["when,pv", *rows]))
    run(str(tmp_path / "pv.csv"), "--target", "pv", "--column", "pv", "--days", "2", "--forecaster", "naive",
        "--json", str(tmp_path / "o"))  # fmt: skip
    answer = json.loads((tmp_path / "o").read_text())
    first = answer["issued"][0]
    assert first["issue_time"].endswith("+00:00")
    assert min(first["quantiles"]["0.5"]) == pytest.approx(-80)
    assert max(first["quantiles"]["0.9"]) == 0
    assert all(a <= b for a, b in zip(first["quantiles"]["0.1"], first["quantiles"]["0.9"], strict=True))
    assert answer["mae"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "dates",
    [
        lambda k: f"{START + timedelta(hours=k):%d-%m-%Y %H:%M}",
        lambda k: f"{START + timedelta(hours=k):%m/%d/%Y %H:%M}",
        lambda k: f"{START + timedelta(hours=k):%Y/%-m/%-d %-H:%M}",
        lambda k: (
            f"{START + timedelta(hours=k + 1 if (k + 1) % 24 else k - 23):%d-%m-%Y %H:%M}"
        ),  # midnight stands last
    ],
)
def test_stamps_in_any_order_of_day_and_month(tmp_path: Path, dates: Callable[[int], str]) -> None:
    rows = [f"{dates(k)},{k % 24}" for k in range(24 * 35)]
    with gzip.open(tmp_path / "load.csv.gz", "wt") as file:
        file.write("\n".join(["date, load ", *rows]))
    run(str(tmp_path / "load.csv.gz"), "--target", "load", "--column", " load ", "--days", "2", "--forecaster", "naive",
        "--json", str(tmp_path / "o"))  # fmt: skip
    answer = json.loads((tmp_path / "o").read_text())
    assert [day["issue_time"] for day in answer["issued"]] == ["2026-04-04T00:00:00", "2026-04-05T00:00:00"]
    assert answer["issued"][0]["actual"] == list(range(24))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--horizon", "a day"], "not a span"),
        (["--issue", "noon"], "not a time of day"),
        (["--zone", "Berlin"], "no zone"),
        (["--horizon", "90d"], "too short"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, words: list[str], why: str) -> None:
    write_csv(tmp_path / "load.csv")
    result = CliRunner().invoke(
        backtest, [str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--json", "o", *words]
    )
    assert result.exit_code == 2
    assert why in result.output


def test_an_issue_within_a_slot_is_one_at_its_begin(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--days", "2", "--issue", "14:37",
        "--forecaster", "naive", "--json", str(tmp_path / "o"))  # fmt: skip
    answer = json.loads((tmp_path / "o").read_text())
    assert [day["issue_time"][11:16] for day in answer["issued"]] == ["14:00", "14:00"]
    assert any("14:37 is within a slot of 60 min" in note for note in answer["notes"])


def test_a_column_without_a_number_is_said(tmp_path: Path) -> None:
    rows = [f"{START + timedelta(hours=k):%Y-%m-%d %H:%M},n/a" for k in range(24 * 30)]
    (tmp_path / "load.csv").write_text("\n".join(["when,load", *rows]))
    result = CliRunner().invoke(
        backtest, [str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--json", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "column load holds no number" in result.output


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text("")
    with pytest.raises(ImportFileError, match="file: is empty"):
        run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--json", str(tmp_path / "o"))


def test_what_was_only_noticed_is_told_apart_from_what_was_missing() -> None:
    flags = [["radiation runs 60 min late: shifted"], ["without lasso: it failed (ValueError)"], []]
    assert flags_summary({"days": 3, "issued": [{"flags": each} for each in flags]}) == (
        "3 days; 1 forecast carries a flag; in 1 something was noticed and dealt with"
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    with pytest.raises(ImportFileError, match="did you mean 'load'"):
        run(str(tmp_path / "load.csv"), "--target", "load", "--column", "laod", "--json", str(tmp_path / "o"))
    with pytest.raises(ImportFileError, match="did you mean 'wind'"):
        run(str(tmp_path / "load.csv"), "--target", "load", "--column", "load", "--drivers", "widn",
            "--json", str(tmp_path / "o"))  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "words", "at_most"),
    [
        ("steel/steel_2018-01-01_2018-09-30.csv.gz", ["--target", "load", "--column", "Usage_kWh"], 1.0),
        ("epf/DE.csv.gz", ["--target", "price", "--column", "OT", "--drivers", ""], 1.0),
    ],
)
def test_real_plants_and_markets(tmp_path: Path, file: str, words: list[str], at_most: float) -> None:
    folder = os.environ.get("LOADSTONE_DATA")
    if not folder or not (Path(folder) / "forecast" / file).exists():
        pytest.skip(f"NOT RUN: LOADSTONE_DATA names no folder with forecast/{file}")
    run(str(Path(folder) / "forecast" / file), *words, "--days", "7", "--json", str(tmp_path / "o"))
    answer = json.loads((tmp_path / "o").read_text())
    assert answer["rmae_week"] < at_most
    assert answer["days"] == 7

"""`loadstone import readings`: from a file into the store, and what it says and returns."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from energy.commands.imports import imports
from energy.exchange.imported import KnownAt, as_intervals, as_series, by_known_at, known_at, stored_unit
from energy.exchange.readings import ReadResult, ReadRow
from energy.model.horizon import Horizon, Interval
from energy.model.meter import Measures, Meter, Quality, Role
from energy.model.series import BASE_LOAD, PRICE_DAY_AHEAD, SITE_IMPORT, Series
from energy.store.store import Store

CONFIG = Path(__file__).parents[2] / "config.yaml"
GRID = Meter(id="grid", name="Grid", role=Role.SETTLEMENT, measures=Measures.GRID, connection_kw=400)
MONDAY = datetime(2026, 5, 4, tzinfo=UTC)


def rows(*values: tuple[float | None, ...]) -> ReadResult:
    read = [ReadRow(line=k + 2, start=MONDAY + timedelta(minutes=15 * k), values=v) for k, v in enumerate(values)]
    return ReadResult(rows=tuple(read), bad=(), notes=(), step_minutes=15, zoned=True)


@pytest.mark.parametrize(
    ("values", "unit", "net", "energies"),
    [
        ([(50.0,), (None,), (0.0,)], "kWh", False, [(50, None), (0, None)]),  # an empty row stays a gap
        ([(200.0,), (0.1,)], "kW", False, [(50, None), (0.025, None)]),
        ([(0.2, 0.0), (0.0, 0.1)], "MW", False, [(50, 0), (0, 25)]),
        ([(30.0,), (-20.0,)], "kWh", True, [(30, 0), (0, 20)]),
    ],
)
def test_rows_become_interval_energy(
    values: list[tuple[float | None, ...]], unit: str, net: bool, energies: list[tuple[float, float | None]]
) -> None:
    made = as_intervals(rows(*values), GRID, unit=unit, columns=("kWh",), net=net)
    assert made.bad == ()
    assert [(i.import_kwh, i.export_kwh) for i in made.intervals] == [pytest.approx(e) for e in energies]
    assert {i.quality for i in made.intervals} == {Quality.IMPORTED}


def test_what_cannot_flow_is_not_kept() -> None:
    made = as_intervals(rows((50.0,), (-1.0,), (5000.0,)), GRID, unit="kWh", columns=("kWh",), net=False)
    assert [bad.where for bad in made.bad] == ["line 3, column kWh", "line 4, column kWh"]
    assert "--net" in made.bad[0].what
    assert "is the unit right" in made.bad[1].what
    assert len(made.intervals) == 1


def test_a_series_in_the_unit_in_which_it_is_kept() -> None:
    series = as_series(rows((31.0,), (None,), (-5.0,)), unit="EUR/MWh", kept_unit=stored_unit("price.x", "EUR", ""))
    assert series == Series.of(Horizon(MONDAY, 3), [0.031, float("nan"), -0.005], "EUR/kWh")
    with pytest.raises(ValueError, match="cannot be turned"):
        as_series(rows((31.0,)), unit="USD/MWh", kept_unit="EUR/kWh")


@pytest.mark.parametrize(
    ("day", "rule", "at"),
    [
        (date(2026, 5, 4), KnownAt.DAY_AHEAD, datetime(2026, 5, 3, 10, 45, tzinfo=UTC)),
        (date(2026, 3, 29), KnownAt.DAY_AHEAD, datetime(2026, 3, 28, 11, 45, tzinfo=UTC)),  # still winter time
        (date(2026, 3, 29), KnownAt.DAY_END, datetime(2026, 3, 29, 22, tzinfo=UTC)),
    ],
)
def test_when_values_were_known(day: date, rule: KnownAt, at: datetime) -> None:
    assert known_at(day, rule, "Europe/Berlin") == at


def test_parts_that_were_known_together_are_local_days() -> None:
    series = Series(Horizon(datetime(2026, 3, 28, tzinfo=UTC), 72, 60), np.arange(72.0), "EUR/kWh")
    parts = list(by_known_at(series, KnownAt.DAY_AHEAD, "Europe/Berlin", MONDAY))
    assert [part.horizon.slots for part, _ in parts] == [23, 23, 24, 2]
    assert np.concatenate([part.values for part, _ in parts]).tolist() == list(range(72))
    assert list(by_known_at(series, KnownAt.NOW, "Europe/Berlin", MONDAY)) == [(series, MONDAY)]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    url = f"sqlite:///{tmp_path / 'plant.sqlite'}"
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.read_text().replace("sqlite:///var/loadstone.sqlite", url))
    return path


def run(plant: Path, text: str, *words: str) -> Result:
    file = plant.with_name("data.csv")
    file.write_text(text)
    return CliRunner().invoke(imports, ["readings", str(file), "--config", str(plant), *words], catch_exceptions=False)


def store_of(plant: Path) -> Store:
    return Store.open(f"sqlite:///{plant.with_name('plant.sqlite')}", "plant-2")


def test_a_second_import_changes_nothing(plant: Path) -> None:
    text = "Zeit;kWh\n04.05.2026 00:15;1,5\n04.05.2026 00:30;2,5\n04.05.2026 00:45;3,5\n"
    words = ("--meter", "grid", "--column", "kWh", "--stamps", "end")
    first, second = run(plant, text, *words), run(plant, text, *words)
    assert "3 new, 0 as before" in first.output
    assert "0 new, 3 as before" in second.output
    assert (first.exit_code, second.exit_code) == (0, 0)
    store = store_of(plant)
    start = datetime(2026, 5, 3, 22, tzinfo=UTC)
    kept = store.intervals.of("grid", Interval(start, start + timedelta(hours=1)))
    store.close()
    assert [(i.start, i.import_kwh, i.quality) for i in kept] == [
        (start + timedelta(minutes=15 * k), 1.5 + k, Quality.IMPORTED) for k in range(3)
    ]


def test_prices_are_known_the_day_before(plant: Path) -> None:
    text = "when,OT\n" + "".join(f"2026-05-04 {h:02d}:00,{h}\n" for h in range(24))
    words = ("--series", "price.day_ahead", "--column", "OT", "--unit", "EUR/MWh")
    assert run(plant, text, *words).exit_code == 0
    assert "0 new, 24 as before" in run(plant, text, *words).output
    store = store_of(plant)
    day = Horizon(datetime(2026, 5, 3, 22, tzinfo=UTC), 24, 60)
    published = datetime(2026, 5, 3, 10, 45, tzinfo=UTC)
    known = store.series.get(PRICE_DAY_AHEAD, day, as_known_at=published)
    before = store.series.get(PRICE_DAY_AHEAD, day, as_known_at=published - timedelta(seconds=1))
    info = store.series.info(PRICE_DAY_AHEAD)
    store.close()
    assert known.values == pytest.approx(np.arange(24) / 1000)
    assert not before.known.any()
    assert info is not None
    assert info.assumed


@pytest.mark.parametrize(
    ("text", "words", "code", "said"),
    [
        ("t,kWh\n2026-05-04 00:00,1\n2026-05-04 00:15,x\n2026-05-04 00:30,2\n", [], 2, "line 3, column kWh"),
        ("t,kWh\n2026-05-04 00:00,x\n2026-05-04 00:15,y\n", [], 1, "line 3, column kWh"),
        ("t,kWh\n2026-05-04 00:00,1\n2026-05-04 00:15,2\n", ["--unit", "EUR/MWh"], 2, "no energy or power"),
        ("t,kWh\n2026-05-04 00:00,1\n2026-05-04 00:15,2\n", ["--series", "price.x"], 2, "either --meter"),
    ],
)
def test_what_it_returns(plant: Path, text: str, words: list[str], code: int, said: str) -> None:
    result = run(plant, text, "--meter", "grid", "--column", "kWh", *words)
    assert result.exit_code == code
    assert said in result.output


def test_an_unknown_meter_gets_the_nearest_known(plant: Path) -> None:
    result = run(plant, "t,kWh\n2026-05-04 00:00,1\n2026-05-04 00:15,1\n", "--meter", "gird", "--column", "kWh")
    assert (result.exit_code, "did you mean 'grid'" in result.output) == (2, True)


def test_a_dry_run_shows_and_keeps_nothing(plant: Path) -> None:
    text = "t,kWh\n2026-05-04 00:00,1\n2026-05-04 00:15,2\n"
    result = run(plant, text, "--meter", "grid", "--column", "kWh", "--dry-run")
    assert "2026-05-03 22:15 UTC  import 2.0 kWh" in result.output
    assert not plant.with_name("plant.sqlite").exists()


def test_its_sisters_are_found() -> None:
    said = CliRunner().invoke(imports, ["--help"]).output
    assert all(name in said for name in ("readings", "jobs", "runs"))
    assert "--partial" in CliRunner().invoke(imports, ["jobs", "--help"]).output


def test_the_past_of_a_meter_becomes_load_and_ends_where_the_meter_is_read(plant: Path) -> None:
    days = [datetime(2026, 5, day) for day in (4, 5)]  # noqa: DTZ001 - wall time, as in the file
    stamps = [day + timedelta(minutes=15 * k) for day in days for k in range(96)]
    text = "\n".join(["time,kWh", *(f"{at:%Y-%m-%d %H:%M},{10 + at.day}" for at in stamps)])
    words = ("--meter", "grid", "--column", "kWh", "--before", "2026-05-05")
    done = run(plant, text, *words)
    assert "96 new" in done.output
    assert "0 new, 96 as before" in run(plant, text, *words).output
    store = store_of(plant)
    berlin = Horizon(datetime(2026, 5, 3, 22, tzinfo=UTC), 192, 15)
    assert store.series.get(SITE_IMPORT, berlin).known.tolist() == [True] * 96 + [False] * 96
    assert store.series.get(SITE_IMPORT, berlin).values[0] == pytest.approx(56.0)
    assert not store.series.get(BASE_LOAD, berlin).known.any()  # the plant has PV and battery, of which nobody told yet
    for meter in ("pv", "battery"):
        run(plant, text.replace(",14", ",1"), "--meter", meter, "--column", "kWh", "--export-column", "kWh", *words[4:])
    base = store.series.get(BASE_LOAD, berlin)
    assert base.known.tolist() == [True] * 96 + [False] * 96
    assert base.values[0] == pytest.approx(56.0 + 4.0)  # charge and discharge are alike; PV gave 1 kWh
    store.close()

"""A measured load drawn again: minute by minute what the file says, and nothing where it says nothing."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from energy.config.settings import TwinSettings
from energy.errors import ImportFileError, LoadstoneError
from energy.exchange.readings import FileMapping
from energy.exchange.stamps import Stamps
from energy.model.calendar import Calendar
from energy.twin.life import works
from energy.twin.measured import MeasuredLoad
from energy.twin.plant import BUILDINGS, COMPRESSORS, Twin
from energy.twin.production import production_week
from energy.twin.tables import WORK, Work
from tests.twin.hallmoor import CALENDAR, METERS, SITE

DAY = (date(2026, 5, 5) - date(1970, 1, 1)).days
HOURLY = FileMapping(columns=("kWh",), zone="UTC", stamps=Stamps.START)


def load(tmp_path: Path, first: str = "2026-05-05 00:00", hours: int = 48, gap: int | None = None) -> MeasuredLoad:
    """So many hours from the first one on: 100 kWh in the first, 101 in the second …"""
    start = datetime.fromisoformat(first)
    rows = [
        f"{start.replace(day=start.day + (start.hour + k) // 24, hour=(start.hour + k) % 24)},{'' if k == gap else 100 + k}"
        for k in range(hours)
    ]
    path = tmp_path / "load.csv"
    path.write_text("\n".join(["time,kWh", *rows]))
    return MeasuredLoad.read(path, HOURLY, "kWh")


def test_every_minute_of_an_hour_has_its_mean_power(tmp_path: Path) -> None:
    kw = load(tmp_path)(DAY)
    assert kw.shape == (1440,)
    assert kw[:60].tolist() == [100.0] * 60
    assert kw[-1] == 123.0
    assert load(tmp_path)(DAY + 1)[0] == 124.0


@pytest.mark.parametrize(
    ("made", "day"),
    [
        ({"first": "2026-05-05 01:00"}, DAY),  # begins too late
        ({"hours": 30}, DAY + 1),  # ends too early
        ({"gap": 7}, DAY),
        ({}, DAY + 20),
    ],
)
def test_a_day_that_nobody_measured_whole_is_not_made_up(tmp_path: Path, made: dict, day: int) -> None:
    with pytest.raises(LoadstoneError, match="nobody measured all of 2026-05-"):
        load(tmp_path, **made)(day)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadstoneError, match="there is no file"):
        MeasuredLoad.read(tmp_path / "none.csv", HOURLY, "kWh")
    path = tmp_path / "bad.csv"
    path.write_text("time,kWh\n2026-05-05 00:00,1\n2026-05-05 01:00,much\n2026-05-05 02:00,1\n")
    with pytest.raises(ImportFileError, match="line 3, column kWh"):
        MeasuredLoad.read(path, HOURLY, "kWh")
    path.write_text(path.read_text().replace("much", "1"))
    with pytest.raises(ImportFileError, match="no power in degC"):
        MeasuredLoad.read(path, HOURLY, "degC")


def test_it_stands_for_all_that_is_no_machine(tmp_path: Path) -> None:
    start = datetime(2026, 5, 5, 3, tzinfo=UTC)
    parts = Twin(SITE, METERS, CALENDAR, seed=7, start=start, others=load(tmp_path)).parts_kw()
    assert (parts[BUILDINGS], parts[COMPRESSORS]) == (103.0, 0.0)


def test_the_machines_make_what_the_config_says() -> None:
    assert works(TwinSettings(seed=7)) == WORK
    only = Work(
        **{
            **{f: getattr(WORK[0], f) for f in WORK[0].__dataclass_fields__},
            "products": ("Billets",),
            "move_price": 0.5,
        }
    )
    jobs = production_week(SITE, CALENDAR, date(2026, 5, 4), SITE.zone, 7, (only,))
    assert jobs
    assert {job.product for job in jobs} == {"Billets"}
    assert {job.move_price for job in jobs} == {0.5}
    assert not production_week(SITE, Calendar(shifts=()), date(2026, 5, 4), SITE.zone, 7, (only,))
    assert np.all([job.modes[0].machine.startswith("furnace") for job in jobs])

"""The tests: one for each public series that is there, all series of a kind tested alike.

The folder is that of `LOADSTONE_DATA/forecast`; another market, plant or grid in the same format becomes a test when its
file is laid beside the others.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One back-test: a file, what is forecast of it, and from what."""

    name: str
    group: str  # the row of the table that it belongs to
    file: Path
    target: str
    column: str
    drivers: tuple[str, ...] = ()
    days: int
    every: int = 1  # of the days, in the whole test
    every_in_sample: int = 1  # of the days, in the sample
    horizon: str = "24h"
    only_in_full: bool = False

    @property
    def key(self) -> str:
        """The name of its file of results."""
        return f"{self.group} {self.name}".replace(",", "").replace(" ", "-")

    @property
    def options(self) -> tuple[str, ...]:
        """What `loadstone backtest` is told."""
        drivers = ("--drivers", ",".join(self.drivers)) if self.drivers else ()
        return (str(self.file), "--target", self.target, "--column", self.column, *drivers, "--days", str(self.days),
                    "--horizon", self.horizon)  # fmt: skip


T = TypeVar("T")

PRICE, PRICE_WEEK = "price", "price, a week ahead"
LOAD, PLANNED, LOAD_WEEK = "load of a plant", "load of a plant, shift plan known", "load of a plant, a week ahead"
CARBON, PV, WIND, NET = "carbon intensity", "PV", "wind", "net load of a grid customer"
GROUPS = (PRICE, LOAD, PLANNED, CARBON, PV, WIND, NET, PRICE_WEEK, LOAD_WEEK)
NEEDED = ("epf", "steel", "carbon", "openstef")  # folders


def cases(folder: Path) -> list[Case]:
    """All tests that a folder gives, the long ones first."""
    return [case for made in (_prices, _steel, _carbon, _net_loads, _sun_and_wind) for case in made(folder)]


def missing(folder: Path) -> list[str]:
    """What is not there, said."""
    return [f"{folder / name} is not there or empty" for name in NEEDED if not list((folder / name).glob("*.csv*"))]


def _prices(folder: Path) -> Iterator[Case]:
    """The last 364 days, each market with its two day-ahead forecasts; and a week ahead, of which none are known."""
    for file, name, columns in _files(folder, "epf/*.csv*"):
        drivers = _matching(columns, "*", but=("date", "OT"))
        yield Case(
            name=name, group=PRICE, file=file, target="price", column="OT", drivers=drivers, days=364, every_in_sample=5
        )
        yield Case(name=name, group=PRICE_WEEK, file=file, target="price", column="OT", days=364, every=13, horizon="168h",
                   only_in_full=True)  # fmt: skip


def _steel(folder: Path) -> Iterator[Case]:
    """The last 60 days, without and with what is planned for each quarter of an hour."""
    for file, name, _ in _files(folder, "steel/*.csv*"):
        plain = Case(name=name.split("_")[0], group=LOAD, file=file, target="load", column="Usage_kWh", days=60)
        yield plain
        yield replace(plain, group=PLANNED, drivers=("Load_Type",))
        yield replace(plain, group=LOAD_WEEK, every=4, horizon="168h", only_in_full=True)


def _carbon(folder: Path) -> Iterator[Case]:
    """The last 181 days, with the day-ahead forecasts of weather and production."""
    for file, name, columns in _files(folder, "carbon/*.csv*"):
        drivers = _matching(columns, "forecast_avg_*", "avg_*_production_forecast")
        yield Case(name=name.split("_")[0], group=CARBON, file=file, target="carbon", column="carbon_intensity",
                   drivers=drivers, days=181, every_in_sample=4)  # fmt: skip


def _net_loads(folder: Path) -> Iterator[Case]:
    """The last 42 days, with the weather forecast."""
    for file, name, columns in _files(folder, "openstef/pid_*.csv*"):
        drivers = _matching(columns, "radiation", "temp", "windspeed_100m", "clouds", "humidity")
        yield Case(name=name, group=NET, file=file, target="load", column="load", drivers=drivers, days=42)


def _sun_and_wind(folder: Path) -> Iterator[Case]:
    """The last 28 days of each substation's solar or wind part, with the forecast radiation or wind as it is."""
    for file, name, columns in _files(folder, "openstef/pv_*.csv*"):
        sunny = _column(file, columns, "solar_on") == "1"
        group, part, driver = (PV, "solar", "radiation") if sunny else (WIND, "wind", "windspeed_100m")
        yield Case(name=name, group=group, file=file, target="pv", column=f"total_{part}_part",
                   drivers=_matching(columns, driver), days=28)  # fmt: skip


def _files(folder: Path, pattern: str) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    for file in sorted(folder.glob(pattern)):
        yield file, file.name.split(".")[0], _rows(file, lambda rows: tuple(cell.strip() for cell in next(rows)))


def _column(file: Path, columns: Sequence[str], name: str) -> str:
    """The first value of a column."""
    return _rows(file, lambda rows: (next(rows), next(rows))[1][columns.index(name)])


def _rows(file: Path, read: Callable[[Iterator[list[str]]], T]) -> T:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as text:
        return read(csv.reader(text))


def _matching(columns: Sequence[str], *patterns: str, but: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in but and any(fnmatchcase(name, p) for p in patterns))

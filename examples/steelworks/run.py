"""A real plant's load and a real market's prices, with simulated furnaces on top: the whole loop, then its summary.

    LOADSTONE_DATA=/path/to/data python examples/steelworks/run.py

README.md beside this file says what is real, what is not, and where the data can be had.
"""

import csv
import gzip
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from energy import demo
from energy.commands.imports import imports
from energy.errors import LoadstoneError
from meters.simulator.wire import wired

HERE = Path(__file__).parent
DAY = date(2018, 9, 12)  # the live day, a Wednesday: early in the month, so that its peak is still open
SPAN = (date(2018, 1, 1), date(2018, 10, 1))  # the nine months of load; nothing else is laid over
LIVE_SPEED = 60.0  # a minute is an hour, so that whole quarter hours come over the wire
LIVE_READINGS = 500  # of five meters, each every quarter of a second: half an hour of the plant's time

LOAD = "forecast/steel/steel_2018-01-01_2018-09-30.csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOver:
    """A series of another year, laid over the plant's year weekday by weekday: each local wall hour is given the value
    of the same local wall hour a whole number of weeks away."""

    file: str
    columns: tuple[str, ...]  # names of the value, as one or the other edition of the file has it
    later: timedelta
    zone: str | None = None  # where the file is in UTC: whose wall hours are meant

    def rows(self, folder: Path) -> Iterator[tuple[str, str]]:
        with gzip.open(folder / self.file, "rt", encoding="utf-8") as file:
            lines = csv.reader(file)
            names = [name.strip() for name in next(lines)]
            time = next(i for i, name in enumerate(names) if "date" in name.lower() or "time" in name.lower())
            value = next(i for i, name in enumerate(names) if name in self.columns)
            for cells in lines:
                at = self.wall(cells[time]) + self.later
                if SPAN[0] <= at.date() < SPAN[1]:
                    yield f"{at:%Y-%m-%d %H:%M}", cells[value]

    def wall(self, said: str) -> datetime:
        """The local wall hour of a stamp."""
        at = datetime(*(int(part) for part in said.replace("/", " ").replace("-", " ").replace(":", " ").split()))  # type: ignore[arg-type]  # noqa: DTZ001
        return at if self.zone is None else at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def write(self, data: Path, target: Path) -> Path:
        with target.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["time", "value"])
            out.writerows(self.rows(data))
        return target


PRICES = LaidOver(file="forecast/epf/NP.csv.gz", columns=("OT", "Price"), later=timedelta(weeks=104))  # 2016 over 2018
CARBON = LaidOver(
    file="forecast/carbon/SE_direct_emissions_to_2021-06-30.csv.gz",
    columns=("carbon_intensity",),
    later=timedelta(weeks=-104),  # 2020 over 2018
    zone="Europe/Stockholm",
)


def data_folder() -> Path:
    """The folder of public data, with everything in it that is needed; else a message that says what to do."""
    said = os.environ.get("LOADSTONE_DATA", "")
    if not said:
        raise click.ClickException(
            "this example runs on public data that is not part of the repository. Get the three files that "
            f"{HERE / 'README.md'} names, then say where they are: LOADSTONE_DATA=/path python {Path(sys.argv[0])}"
        )
    missing = [name for name in (LOAD, PRICES.file, CARBON.file) if not (Path(said) / name).is_file()]
    if missing:
        raise click.ClickException(
            f"LOADSTONE_DATA={said} lacks {', '.join(missing)}; {HERE / 'README.md'} says where to get it"
        )
    return Path(said)


def import_past(data: Path, config: Path, first: date) -> None:
    """What a new user of Loadstone does: nine months of load and prices from files, with the project's own command."""
    laid = config.parent / "var"
    prices, carbon = PRICES.write(data, laid / "prices.csv"), CARBON.write(data, laid / "carbon.csv")
    load = ["--meter", "grid", "--column", "Usage_kWh", "--unit", "kWh", "--stamps", "by-row", "--before", str(first)]
    imported(config, data / LOAD, *load)
    hourly = ["--column", "value", "--step", "60"]
    imported(config, prices, "--series", "price.day_ahead", "--unit", "EUR/MWh", "--known-at", "day-ahead", *hourly)
    basis = ["--basis", "grid average, direct (Sweden 2020)"]
    imported(
        config, carbon, "--series", "carbon.intensity", "--unit", "g/kWh", "--known-at", "day-end", *hourly, *basis
    )


def imported(config: Path, file: Path, *words: str) -> None:
    """`loadstone import readings`. Rows that cannot be kept are named and left out (exit code 2); all else ends here."""
    command = ["readings", str(file), "--config", str(config), *words]
    click.echo(f"loadstone import {shlex.join(command)}")
    try:
        imports.main(command, prog_name="loadstone import", standalone_mode=False)
    except SystemExit as done:
        if done.code != 2:
            raise click.ClickException(f"the import of {file.name} ended with {done.code}") from done


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/steelworks"), show_default=True,
              help="Where it keeps its files; made anew each time.")  # fmt: skip
@click.option(
    "--weeks", type=click.IntRange(1, 26), default=3, show_default=True, help="Weeks lived before the live day."
)
@click.option(
    "--planned-days", type=click.IntRange(1, 7), default=7, show_default=True, help="The last of them, planned."
)
@click.option("--readings", type=click.IntRange(1), default=LIVE_READINGS, show_default=True,
              help="So many at least are collected over Modbus on the live day.")  # fmt: skip
@click.option("--live", is_flag=True, help="Go on with dashboard and scheduler instead of ending with the summary.")
def steelworks(folder: Path, weeks: int, planned_days: int, readings: int, live: bool) -> None:
    """Import nine months, live three weeks of which the last is planned daily, collect over Modbus, plan, verify."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    data = data_folder()
    plant = demo.prepare(
        HERE / "config.yaml",
        folder,
        weeks=weeks,
        port=None,
        say=click.echo,
        day=DAY,
        planned_days=planned_days,
        before=lambda config, first: import_past(data, config, first),
        wire=wired,
    )
    if live:
        raise SystemExit(demo.run(plant, speed=LIVE_SPEED, say=click.echo))
    click.echo(demo.headless(plant, say=click.echo, speed=LIVE_SPEED, least=readings))


if __name__ == "__main__":
    try:
        steelworks()
    except LoadstoneError as error:
        raise SystemExit(str(error)) from error

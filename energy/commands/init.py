"""`loadstone init`: a first config.yaml, by asking or from a table of machines and meters."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from energy.commands.first_config import Answers, PlantRow

T = TypeVar("T")


@click.command()
@click.option(
    "--from", "table", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV or XLSX table."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="Where to write the config.",
)
@click.option("--force", is_flag=True, help="Overwrite a config that is there; the old one is kept as *.old.")
def init(table: Path | None, config: Path, force: bool) -> None:
    """Write a first config.yaml, by asking for what Loadstone cannot know.

    With --from, machines and meters come from a table, one row each, and only the rest is asked. Columns: type
    (machine; or grid, pv, battery, other for a meter), id, name, group, rated_kw, idle_kw, connection_kw, machine,
    profile, host, port, unit. A machine with a host gets a meter of its own. Enter takes what is suggested.

    \b
    Example:
      loadstone init --from machines.csv
      loadstone doctor
    """
    from energy.commands.first_config import Answers, read_table_of_plant, text_of
    from energy.config import load_settings
    from energy.errors import ConfigError

    if config.exists() and not force:
        raise click.ClickException(
            f"{config} is there already; --force writes a new one and keeps the old one as *.old"
        )
    answers = Answers(rows=() if table is None else read_table_of_plant(table))
    ask(answers)
    if table is None:
        answers.rows = ask_rows(answers)
    write(config, text_of(answers))
    try:
        settings = load_settings(config)
    except ConfigError as error:
        click.echo(f"\n{config} is written, but needs your hand:", err=True)
        for mistake in error.mistakes:
            click.echo(f"  {mistake}", err=True)
        raise SystemExit(1) from error
    click.echo(f"\n{config}: {len(settings.site.machines)} machines, {len(settings.meters)} meters.")
    click.echo("Next: look through it, put your orders into var/orders/jobs.csv, and run `loadstone doctor`.")


def write(config: Path, text: str) -> None:
    """Writes the config; one that was there is kept beside it."""
    config.parent.mkdir(parents=True, exist_ok=True)
    if config.exists():
        config.replace(config.with_name(f"{config.name}.old"))
    config.write_text(text, encoding="utf-8")


def ask(answers: "Answers") -> None:
    """The plant, its connection, crews and price; every question has an answer to start from."""
    answers.id = _ask("Short name of the plant (letters, digits, dashes)", answers.id, _id)
    answers.name = _ask("Name of the plant", answers.id, str)
    answers.zone = _ask("Time zone", answers.zone, _zone)
    answers.country = _ask("Country for public holidays (DE, or DE-BW for a part of it)", answers.country, _country)
    answers.currency = _ask("Currency", answers.currency, _currency)
    answers.import_limit_kw = _ask("What the grid connection may draw, kW", answers.import_limit_kw, _above_zero)
    answers.export_limit_kw = _ask("What it may feed in, kW", answers.export_limit_kw, _not_below_zero)
    answers.pv_peak_kw = _ask("Peak power of PV, kW (0: none)", answers.pv_peak_kw, _not_below_zero)
    answers.battery_kwh = _ask("Capacity of the battery, kWh (0: none)", answers.battery_kwh, _not_below_zero)
    if answers.battery_kwh:
        answers.battery_kw = _ask("Its power, kW", answers.battery_kwh / 2, _above_zero)
    answers.crews = click.prompt("How many shifts a day", default=answers.crews, type=click.IntRange(1, 3))
    if click.confirm("Does the price follow the day-ahead market?", default=True):
        answers.market_zone = _ask("Bidding zone", answers.market_zone, str)
    else:
        answers.market_zone = ""
        answers.fixed_per_kwh = _ask("Fixed price per kWh", answers.fixed_per_kwh, _not_below_zero)
    answers.fees_per_kwh = _ask("Grid fees and taxes per kWh", answers.fees_per_kwh, _not_below_zero)
    answers.demand_per_kw = _ask("Demand charge per kW (0: none)", answers.demand_per_kw, _not_below_zero)
    if answers.demand_per_kw:
        periods = click.Choice(["month", "year"])
        answers.demand_period = click.prompt(
            "For the highest mean of each", type=periods, default=answers.demand_period
        )


def ask_rows(answers: "Answers") -> "tuple[PlantRow, ...]":
    """The grid meter and the machines, one after the other."""
    from energy.commands.first_config import PlantRow

    rows = []
    if click.confirm("Is there a Modbus meter at the grid connection?", default=True):
        host, profile = ask_meter("siemens-pac")
        connection_kw = answers.import_limit_kw * 1.25
        grid = PlantRow(
            type="grid", id="grid", name="Grid connection", connection_kw=connection_kw, host=host, profile=profile
        )
        rows.append(grid)
    metered = bool(rows)
    while click.confirm("Add a machine that runs energy-intensive jobs?", default=len(rows) < 1 + metered):
        id = _ask("  Short name", f"machine-{len(rows) + 1 - metered}", _id)
        rated_kw = _ask("  Rated power, kW", 100.0, _above_zero)
        host, profile = "", ""
        if metered and click.confirm("  Has it a Modbus meter of its own?", default=False):
            host, profile = ask_meter("eastron-sdm630")
        rows.append(PlantRow(type="machine", id=id, rated_kw=rated_kw, host=host, profile=profile))
    return tuple(rows)


def ask_meter(likely: str) -> tuple[str, str]:
    return _ask("  Its address", "192.168.1.40", str), _ask("  Its model (`loadstone meters list`)", likely, str)


def _ask(question: str, likely: T, read: Callable[[str], T]) -> T:
    """An answer that can be; one that cannot is asked for again, with the reason."""
    shown = f"{likely:g}" if isinstance(likely, float) else likely

    def checked(said: object) -> T:
        try:
            return read(str(said).strip())
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    answer: T = click.prompt(question, default=shown, value_proc=checked)
    return answer


def _id(said: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", said):
        raise ValueError(f"{said!r}: letters, digits, dots and dashes only")
    return said


def _zone(said: str) -> str:
    from energy.clock import zone_exists

    if not zone_exists(said):
        raise ValueError(f"no time zone {said!r}; write it like Europe/Berlin")
    return said


def _country(said: str) -> str:
    from energy.config.assemble import public_holidays

    public_holidays(said, [2026])
    return said


def _currency(said: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", said.upper()):
        raise ValueError(f"{said!r}: three letters, like EUR")
    return said.upper()


def _not_below_zero(said: str) -> float:
    value = float(said.replace(",", "."))
    if not 0 <= value <= 1e6:
        raise ValueError(f"{said!r} is not between 0 and 1 000 000")
    return value


def _above_zero(said: str) -> float:
    value = _not_below_zero(said)
    if value == 0:
        raise ValueError("it has to be more than 0")
    return value

"""`loadstone doctor`: is everything that the config names well, and what to do where it is not."""

import logging
import shutil
import textwrap
from pathlib import Path

import click


@click.command(short_help="Check all that the config names, and say what to do.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.",
)
def doctor(config: Path) -> None:
    """Check config, store, meters, feeds, orders, forecasters and solver, and say what to do about each fault.

    Reads every meter and feed once, forecasts a day from invented data, solves a small problem, and changes nothing
    but a note in the store. Ends with 1 where there is a fault.

    \b
    Example:
      loadstone doctor --config /etc/loadstone/config.yaml
    """
    from energy.commands.checkup import checkup
    from energy.config import load_settings
    from energy.errors import ConfigError

    try:
        settings = load_settings(config)
    except ConfigError as error:
        for mistake in error.mistakes:
            show(ok=False, what=mistake.where, says=mistake.what, to_do="")
        count, file = _count(len(error.mistakes), "mistake"), config if error.source == config.name else error.source
        click.echo(f"\n{count} in {file}; the rest can only be checked without them.")
        raise SystemExit(1) from error
    site = settings.site
    says = f"{site.name}: {_count(len(site.machines), 'machine')}, {_count(len(settings.meters), 'meter')}"
    show(ok=True, what="config", says=says, to_do="")
    logging.getLogger("loadstone").addHandler(logging.NullHandler())  # what they log is what the rows below say
    faults, told = 0, ""
    for found in checkup(settings):
        show(ok=found.ok, what=found.what, says=found.says, to_do="" if found.to_do == told else found.to_do)
        faults, told = faults + (not found.ok), found.to_do
    if faults:
        click.echo(f"\n{_count(faults, 'fault')}.")
        raise SystemExit(1)
    click.echo("\nAll well.")


def show(*, ok: bool, what: str, says: str, to_do: str) -> None:
    """A row of the table: state, what, what it says; below it what to do."""
    state = click.style("ok   ", fg="green") if ok else click.style("FAULT", fg="red", bold=True)
    width = max(40, min(120, shutil.get_terminal_size((100, 24)).columns) - 32)
    lines = textwrap.wrap(" ".join(says.split()), width) or [""]
    lines += textwrap.wrap(f"→ {to_do}", width, subsequent_indent="  ") if to_do else []
    click.echo(f"{state} {what:<24} {lines[0]}")
    for line in lines[1:]:
        click.echo(f"{'':<31}{line}")


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

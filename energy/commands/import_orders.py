"""`loadstone import jobs` and `loadstone import runs`: production orders, and what really ran, from files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from energy.config import Settings
    from energy.errors import Mistake
    from energy.store.store import Store

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.",
)
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
SHEET = click.option("--sheet", help="Sheet of an XLSX file; the first one if not given.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Read and report, keep nothing.")


@click.command()
@FILE
@CONFIG
@SHEET
@DRY_RUN
@click.option("--partial", is_flag=True, help="The file is not the whole production plan: jobs not in it stay.")
def jobs(file: Path, config: Path, sheet: str | None, dry_run: bool, partial: bool) -> None:
    """Import production orders from a CSV or XLSX FILE.

    Orders are matched by their number: changed ones get a new revision, and ones that are no longer listed are marked
    gone (unless --partial, or while some row cannot be read). Bad rows are named with line and column, the good ones
    are kept, and importing the same file again changes nothing. docs/orders.md shows the columns.

    \b
    Example:
      loadstone import jobs orders.xlsx --sheet "Week 21"
    """
    from energy.config import load_settings
    from energy.exchange.orders import read_jobs

    settings = load_settings(config)
    machines = [machine.id for machine in settings.site.machines]
    read = read_jobs(file, settings.site.zone, machines=machines, sheet=sheet)
    click.echo(f"{file.name}: {_count(len(read.jobs), 'job')} read, {_count(len(read.bad), 'mistake')}")
    if not dry_run and read.jobs:
        store = _open(settings)
        try:
            at = settings.clock().now()
            changed = store.jobs.reconcile(read.jobs, at, complete=read.complete and not partial)
        finally:
            store.close()
        counts = (len(changed.new), len(changed.changed), len(changed.gone), changed.same)
        click.echo("{} new, {} changed, {} gone, {} as before".format(*counts))
    if not read.complete and not partial:
        click.echo("Not every row could be read, so no job was marked gone.")
    _report(read.bad, read.notes)


@click.command()
@FILE
@CONFIG
@SHEET
@DRY_RUN
def runs(file: Path, config: Path, sheet: str | None, dry_run: bool) -> None:
    """Import what really ran from a CSV or XLSX FILE.

    A run is known by its job and start; a later word on it (its end, its energy) replaces the earlier one. Bad rows are
    named with line and column, the good ones are kept, and importing the same file again changes nothing.

    \b
    Example:
      loadstone import runs mes-export.csv
    """
    from energy.config import load_settings
    from energy.exchange.runs import read_runs

    settings = load_settings(config)
    machines = [machine.id for machine in settings.site.machines]
    read = read_runs(file, settings.site.zone, machines=machines, sheet=sheet)
    click.echo(f"{file.name}: {_count(len(read.runs), 'run')} read, {_count(len(read.bad), 'mistake')}")
    if not dry_run and read.runs:
        store = _open(settings)
        try:
            changed = store.runs.put(read.runs)
        finally:
            store.close()
        click.echo(f"{changed} new or changed, {len(read.runs) - changed} as before")
    _report(read.bad, read.notes)


def _open(settings: "Settings") -> "Store":
    from energy.store.store import Store

    return Store.open(settings.store.url, settings.site.id)


def _report(bad: "Sequence[Mistake]", notes: "Sequence[str]") -> None:
    """What was noticed, and the rows that could not be read; with such rows the command ends with 1."""
    for note in notes:
        click.echo(f"note: {note}")
    for mistake in bad:
        click.echo(f"not read: {mistake}", err=True)
    if bad:
        raise SystemExit(1)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

"""`loadstone import …`: readings, production orders and runs from files."""

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from energy.config import Settings
    from energy.errors import Mistake
    from energy.exchange.readings import ReadResult
    from energy.model.meter import IntervalEnergy
    from energy.store.store import Store

ORDERS = "energy.commands.import_orders"  # jobs and runs
SHOWN_MISTAKES = 50


class Imports(click.Group):
    """Its own command, and those of production orders, found when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(("jobs", "runs") if find_spec(ORDERS) else ())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ("jobs", "runs") and find_spec(ORDERS):
            from importlib import import_module

            command = getattr(import_module(ORDERS), cmd_name)
            return command if isinstance(command, click.Command) else None
        return super().get_command(ctx, cmd_name)


@click.command(cls=Imports, name="import")
def imports() -> None:
    """Import readings, production orders or runs from files."""


@imports.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--meter", default="", help="Keep the rows as interval energy of this meter of config.yaml.")
@click.option("--billing", is_flag=True, help="Of the settlement meter: the file is what the network operator bills "
              "(D+1 values). It becomes what accounts are made of; what the meter itself counted stays beside it.")  # fmt: skip
@click.option("--series", "key", default="", help="Keep them as a stored series: price.day_ahead, carbon.intensity, "
              "weather.temperature, load.base …")  # fmt: skip
@click.option("--column", required=True, help="The column of values (of a meter: import).")
@click.option("--export-column", default="", help="Of a meter: the column of export (of PV: generation).")
@click.option("--net", is_flag=True, help="Of a meter: the column is import less export.")
@click.option("--time", default="", help="The column of stamps, or two joined: Date+Time. Without: the first that "
              "holds times.")  # fmt: skip
@click.option("--unit", default="kWh", show_default=True, help="Wh, kWh, MWh per interval; W, kW, MW its mean; of a "
              "series also EUR/MWh, g/kWh, degC …")  # fmt: skip
@click.option("--zone", default="", help="Zone of stamps that name none. Without: the site's.")
@click.option("--stamps", type=click.Choice(["start", "end", "by-row"]), default="start", show_default=True,
              help="Whether a stamp is the start or the end of its interval; by-row: only the first one counts.")  # fmt: skip
@click.option("--step", type=click.IntRange(1, 60), default=None, help="Minutes of an interval. Without: as most rows.")
@click.option("--decimal", type=click.Choice([",", "."]), default=None, help="Without: as the column shows.")
@click.option("--delimiter", default="", help="Between columns. Without: as the header shows.")
@click.option("--format", "pattern", default=None, help="How stamps are written, as %d/%m/%y %H%M.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Only rows before this local day: from "
              "then on the meter itself is read.")  # fmt: skip
@click.option("--known-at", type=click.Choice(["day-ahead", "day-end", "now"]), default=None, help="When values of a "
              "series are taken to have been known: 12:45 local on the day before, at the end of their day, or now. "
              "Without: day-ahead for prices, day-end for all others.")  # fmt: skip
@click.option("--source", default="", help="Where the file comes from. Without: its name.")
@click.option("--basis", default="", help="Of carbon: grid average, direct …")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True)
@click.option("--dry-run", is_flag=True, help="Show the first rows as understood, and keep nothing.")
def readings(file: Path, config: Path, dry_run: bool, **options: Any) -> None:
    """Interval data of a utility or historian, from a CSV file (also .csv.gz).

    Bad rows are named by line and column with the reason, and the good ones are kept; importing the same file again
    changes nothing. Days of a clock change are understood: what comes twice by its order, what is skipped is an error.
    Exit code 0: all rows kept; 2: some were bad; 1: nothing could be read.

    \b
    loadstone import readings load.csv --meter grid --column kWh --stamps end
    loadstone import readings d1.csv --meter grid --billing --column kWh
    loadstone import readings prices.csv --series price.day_ahead --column OT --unit EUR/MWh --dry-run
    """
    from energy.config import load_settings
    from energy.exchange.readings import FileMapping, read_intervals
    from energy.exchange.stamps import Stamps

    if bool(options["meter"]) == bool(options["key"]):
        raise click.UsageError("say where the rows go: either --meter ID or --series KEY")
    if options["billing"] and not options["meter"]:
        raise click.UsageError("--billing belongs to the settlement meter: --meter ID")
    settings = load_settings(config)
    columns = (options["column"], *([options["export_column"]] if options["export_column"] else []))
    mapping = FileMapping(
        columns=columns,
        time=options["time"],
        zone=options["zone"] or settings.site.zone,
        stamps=Stamps(options["stamps"]),
        step_minutes=options["step"],
        decimal=options["decimal"] or "",
        delimiter=options["delimiter"],
        pattern=options["pattern"],
    )
    read = read_intervals(file, mapping)
    if options["before"]:
        read = rows_before(read, options["before"].date(), settings.site.zone)
    click.echo(f"{file.name}: {len(read.rows)} rows of {read.step_minutes} min understood, {len(read.bad)} not")
    for note in read.notes:
        click.echo(f"note: {note}")
    options["source"] = options["source"] or file.name
    keep = to_meter if options["meter"] else to_series
    keep(settings, read, columns, options, dry_run)


def rows_before(read: "ReadResult", day: "date", zone: str) -> "ReadResult":
    """What a file says of the time before a local day."""
    from dataclasses import replace

    from energy.clock import day_bounds

    until = day_bounds(day, zone)[0]
    return replace(read, rows=tuple(row for row in read.rows if row.start < until))


def to_meter(
    settings: "Settings", read: "ReadResult", columns: tuple[str, ...], options: dict[str, Any], dry_run: bool
) -> None:
    from energy.exchange.imported import as_intervals
    from energy.metering.tree import settlement
    from energy.plugins import nearest

    known = {said.meter.id: said.meter for said in settings.meters}
    if options["meter"] not in known:
        raise click.BadParameter(f"no meter {options['meter']!r}{nearest(options['meter'], list(known))}",
                                 param_hint="--meter")  # fmt: skip
    billed = settlement(list(known.values()))
    if options["billing"] and (billed is None or billed.id != options["meter"]):
        way_out = f"only the settlement meter is billed; that is {billed.id!r}" if billed else "there is no grid meter"
        raise click.BadParameter(way_out, param_hint="--billing")
    try:
        rows = as_intervals(read, known[options["meter"]], unit=options["unit"], columns=columns, net=options["net"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--unit") from error
    if dry_run:
        for interval in rows.intervals[:5]:
            click.echo(f"  {interval.start:%Y-%m-%d %H:%M} UTC  import {interval.import_kwh} kWh  "
                       f"export {interval.export_kwh} kWh")  # fmt: skip
    elif rows.intervals:
        new = keep_intervals(settings, rows.intervals, options["source"], billing=options["billing"])
        click.echo(f"{new} new, {len(rows.intervals) - new} as before")
        if options["billing"]:
            tell_difference(settings, rows.intervals)
    finish([*read.bad, *rows.bad], bool(rows.intervals))


def keep_intervals(
    settings: "Settings", intervals: "Sequence[IntervalEnergy]", source: str, *, billing: bool = False
) -> int:
    """Keep what a meter counted, or what the network operator says that it did, and reckon the plant's load of that time
    anew: the forecasters learn from it, and accounts of that time are made again."""
    from datetime import timedelta

    from energy.build import open_store
    from energy.model.horizon import Interval
    from energy.steps.collect import collect_virtual, renew_loads
    from energy.steps.verify import account_again

    now = settings.clock().now()
    with closing(open_store(settings)) as store:
        new = (store.billed if billing else store.intervals).put(intervals, now, source=source)
        if new:
            last = intervals[-1]
            span = Interval(intervals[0].start, last.start + timedelta(minutes=last.minutes))
            collect_virtual(store, settings.site, store.meters(), span, now)
            renew_loads(store, settings.site, store.meters(), span, now)
            account_again(store, span.start)
    return new


def tell_difference(settings: "Settings", intervals: "Sequence[IntervalEnergy]") -> None:
    """Our own meter beside the file, day by day."""
    from energy.build import open_store
    from energy.clock import local_date
    from energy.reports.billing import billed_days

    zone = settings.site.zone
    first, last = (local_date(one.start, zone) for one in (intervals[0], intervals[-1]))
    with closing(open_store(settings)) as store:
        for day in billed_days(store, store.meters(), zone, first, last):
            mark = "  differs: look at the ratio of the transformers, and at gaps" if day.differs else ""
            missed = (
                f"; {day.only_billed} more intervals, missed by our meter, filled by the bill"
                if day.only_billed
                else ""
            )
            if not day.compared:
                click.echo(f"  {day.day}  nothing to compare{missed.replace(' more', '')}")
                continue
            click.echo(
                f"  {day.day}  billed {day.billed_kwh:,.1f} kWh, own meter {day.own_kwh:,.1f} kWh, "
                f"difference {day.difference_kwh:+,.1f} kWh over {day.compared} intervals{missed}{mark}"
            )


def to_series(
    settings: "Settings", read: "ReadResult", columns: tuple[str, ...], options: dict[str, Any], dry_run: bool
) -> None:
    from energy.exchange.imported import KnownAt, as_series, by_known_at, stored_unit

    if len(columns) > 1 or options["net"]:
        raise click.UsageError("--export-column and --net belong to a meter")
    if not read.rows:
        finish(list(read.bad), False)
        return
    key, site = options["key"], settings.site
    rule = KnownAt(options["known_at"] or ("day-ahead" if key.startswith("price.") else "day-end"))
    try:
        series = as_series(read, unit=options["unit"], kept_unit=stored_unit(key, site.currency, options["unit"]))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--unit") from error
    parts = list(by_known_at(series, rule, site.zone, settings.clock().now()))
    if dry_run:
        for t, value in list(zip(series.horizon.times(), series.values, strict=True))[:5]:
            click.echo(f"  {t:%Y-%m-%d %H:%M} UTC  {value:g} {series.unit}  known at {parts[0][1]:%Y-%m-%d %H:%M} UTC")
    else:
        with closing(open_store(settings)) as store, store.unit():
            new = sum(
                store.series.add(key, part, known_at=at, source=options["source"], basis=options["basis"],
                                 assumed=rule is not KnownAt.NOW)
                for part, at in parts
            )  # fmt: skip
        click.echo(f"{new} new, {int(series.known.sum()) - new} as before; known at: {rule}")
    finish(list(read.bad), bool(series.known.any()))


def open_store(settings: "Settings") -> "Store":
    from energy.store.store import Store

    return Store.open(settings.store.url, settings.site.id)


def finish(bad: "list[Mistake]", some_kept: bool) -> None:
    """Name the bad rows; they show in the exit code too."""
    for mistake in bad[:SHOWN_MISTAKES]:
        click.echo(f"not kept: {mistake}", err=True)
    if len(bad) > SHOWN_MISTAKES:
        click.echo(f"… and {len(bad) - SHOWN_MISTAKES} more", err=True)
    if bad or not some_kept:
        raise SystemExit(2 if some_kept else 1)

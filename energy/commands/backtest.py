"""`loadstone backtest`: how good would the forecasts have been?"""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from energy.exchange.readings import ReadResult
    from energy.forecasters.backtest import Trial
    from energy.forecasters.backtest_file import Sheet
    from energy.model.series import Series
    from energy.ports import Forecaster

UNHURRIED_SECONDS = 3600.0  # a forecast of a test may take so long
TARGETS = {
    "price": "price",
    "load": "base_load",
    "carbon": "carbon",
    "pv": "pv",
    "wind": "pv",
}  # what the wind makes is told from PV by its nights


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", type=click.Choice(list(TARGETS)), required=True, help="What the column holds.")
@click.option("--column", required=True, help="The column that is forecast.")
@click.option("--drivers", default="", help="Columns known ahead (day-ahead forecasts, weather, shifts in numbers or "
              "words), with commas.")  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), default=28, show_default=True, help="The last so many days.")
@click.option("--horizon", default="24h", show_default=True, help="How far ahead: 24h, 36h, 7d.")
@click.option("--issue", default="00:00", show_default=True, help="Wall-clock time at which each is issued.")
@click.option("--zone", default=None, help="Zone of the calendar, and of stamps that name none. Without: such stamps "
              "are a regular series as they stand, 24 hours every day.")  # fmt: skip
@click.option("--stamps-zone", default=None, help="Zone of stamps that name none, where it is not that of the calendar: "
              "UTC.")  # fmt: skip
@click.option("--country", default="", help="Country or part of it for public holidays: DE, DE-BW, KR.")
@click.option("--step", type=click.Choice(["15min", "30min", "1h"]), default=None, help="Step of the test, if not the "
              "file's own: finer rows are averaged.")  # fmt: skip
@click.option("--stamps", type=click.Choice(["auto", "start", "end", "by-row"]), default="auto", show_default=True,
              help="What a stamp means. auto: the start; by row where midnight stands last in its day.")  # fmt: skip
@click.option("--time", default="", help="The column of stamps, if it is not the first that holds times.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="Only each K-th of these days: "
              "a sample.")  # fmt: skip
@click.option("--forecaster", default="combined", show_default=True, help="A kind of forecaster, as in config.yaml.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write.")
def backtest(file: Path, out: Path, **options: Any) -> None:
    """How good would the forecasts have been? Forecast each of the last days again from what was known before it.

    Rolling origin with a fit each day. The forecaster gets only rows before its issue time, and its own forecasts of the
    days before; drivers reach over the horizon. Beside it run two yardsticks: similar days (naive) and the copy of last
    week. An interrupted run goes on where it stopped. The result is one JSON object.

    \b
    loadstone backtest load.csv.gz --target load --column Usage_kWh --days 28 --json out.json
    loadstone backtest NP.csv.gz --target price --column OT --days 28 \\
        --drivers "Grid load forecast,Wind power forecast" --json np.json
    """
    sheet = prepare(file, options)
    answer = tested(sheet, built(options["forecaster"], sheet.trial), out)
    for line in summary(answer):
        click.echo(line)


def tested(sheet: "Sheet", forecasters: "list[Forecaster]", out: Path) -> dict[str, Any]:
    """The answer of a test, written to its file; days that an interrupted run has done are not done again."""
    from energy.forecasters.backtest import issue
    from energy.forecasters.backtest_file import Partial, write

    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Partial(out.with_name(out.name + ".partial"), sheet)
    done = sorted(partial.read(), key=lambda day: day.at)
    already = {day.at for day in done}
    left = [at for at in sheet.trial.issue_times() if at not in already]
    if done:
        click.echo(f"{len(done)} days were already done; {len(left)} are left.", err=True)
    with click.progressbar(left, label=f"{sheet.tested} on {sheet.settings['file']}", file=sys.stderr) as days:
        for at in days:
            day = issue(sheet.trial, forecasters, at, done)
            partial.add(day)
            done.append(day)
    answer = sheet.answer(done)
    write(out, answer)
    partial.remove()
    return answer


def prepare(file: Path, options: dict[str, Any]) -> "Sheet":
    """Read the file and set up the test."""
    from dataclasses import replace
    from datetime import time as wall_time

    from energy.exchange.readings import FileMapping, read_intervals
    from energy.exchange.stamps import Stamps
    from energy.forecasters.backtest import Trial
    from energy.forecasters.backtest_file import Sheet
    from energy.model.forecast import Target

    drivers = tuple(dict.fromkeys(name.strip() for name in options["drivers"].split(",") if name.strip()))
    if options["column"].strip() in drivers:
        raise click.UsageError("the column that is forecast cannot be its own driver: that would be the future")
    zone = options["zone"] or "UTC"
    check_zone(zone)
    check_zone(options["stamps_zone"] or zone)
    mapping = FileMapping(
        columns=(options["column"], *drivers),
        time=options["time"],
        zone=options["stamps_zone"] or zone,
        stamps=Stamps(options["stamps"]),
        wordy=drivers,
    )
    read = read_intervals(file, mapping)
    target = Target(TARGETS[options["target"]])
    series = [on_step(series, options["step"]) for series in series_of(read, len(mapping.columns))]
    turned = target is Target.PV and mostly_negative(series[0])
    notes = [*read.notes, *(f"bad: {mistake}" for mistake in read.bad[:20])]
    if len(read.bad) > 20:
        notes.append(f"… and {len(read.bad) - 20} more bad rows")
    if turned:
        series[0] = negative(series[0])
        notes.append("generation is negative in the file: turned for the forecaster, written here as in the file")
    if target is Target.PV and (series[0].values < 0).any():
        series[0] = not_below_zero(series[0])
        notes.append("what inverters draw at night is no generation: counted as zero")
    check_drivers(series[0], dict(zip(drivers, series[1:], strict=True)))
    try:
        issue = wall_time.fromisoformat(options["issue"])
    except ValueError as error:
        raise click.BadParameter(
            f"{options['issue']!r} is not a time of day like 00:00", param_hint="--issue"
        ) from error
    trial = Trial(
        target=target,
        actual=series[0],
        drivers=tuple(zip(drivers, series[1:], strict=True)),
        days=options["days"],
        every=options["every"],
        slots_ahead=slots_of(options["horizon"], series[0].horizon.step_minutes),
        issue=issue,
        zone=zone,
        country=options["country"],
    )
    if not trial.actual.known.any():
        raise click.ClickException(
            f"{file.name}: column {options['column'].strip()} holds no number; is it the right one?"
        )
    if not trial.issue_times():
        there = length_words(trial.actual)
        raise click.UsageError(f"{file.name} is too short for a horizon of {options['horizon']}: it holds {there}")
    if (whole := on_slots(trial)) != trial:
        notes.append(f"{options['issue']} is within a slot of {series[0].horizon.step_minutes} min: issued at its begin, "
                     f"{whole.issue:%H:%M}")  # fmt: skip
        trial = whole
    possible = len(replace(trial, every=1).issue_times())
    if possible < options["days"]:
        notes.append(f"{options['days']} days were asked for; {possible} can be tested: all that the file holds")
    for note in notes:
        click.echo(note, err=True)
    settings = {**options, "file": file.name, "step_minutes": series[0].horizon.step_minutes}
    return Sheet(
        trial=trial,
        tested=options["forecaster"],
        settings=settings,
        notes=tuple(notes),
        zoned=read.zoned or options["zone"] is not None or options["stamps_zone"] is not None,
        turned=turned,
    )


def length_words(series: "Series") -> str:
    hours = series.horizon.slots * series.horizon.step_hours
    return f"{hours / 24:.4g} days" if hours >= 48 else f"{hours:.4g} hours"


def on_slots(trial: "Trial") -> "Trial":
    """The same test issued where a slot of the file begins: within one, a part of it would have been known."""
    from dataclasses import replace
    from datetime import time as wall_time

    beyond = (trial.issue_times()[0] - trial.actual.horizon.start) % trial.actual.horizon.step
    minute = (trial.issue.hour * 60 + trial.issue.minute - int(beyond.total_seconds() // 60)) % (24 * 60)
    return replace(trial, issue=wall_time(minute // 60, minute % 60)) if beyond else trial


def check_zone(zone: str) -> None:
    from energy.clock import zone_exists

    if not zone_exists(zone):
        raise click.BadParameter(f"no zone {zone!r}; write it as Europe/Berlin", param_hint="--zone")


def series_of(read: "ReadResult", columns: int) -> "list[Series]":
    """The columns of a file as series over its whole span; what no row says is a gap."""
    import numpy as np

    from energy.model.horizon import Horizon
    from energy.model.series import Series

    if not read.rows:
        raise click.ClickException("no row of the file can be read: " + "; ".join(str(bad) for bad in read.bad[:3]))
    first, last = read.rows[0].start, read.rows[-1].start
    slots = int((last - first).total_seconds() / 60) // read.step_minutes + 1
    horizon = Horizon(first, slots, read.step_minutes)
    values = np.full((columns, slots), np.nan)
    for row in read.rows:
        values[:, horizon.slot_of(row.start)] = [math.nan if value is None else value for value in row.values]
    return [Series(horizon, column, "") for column in values]  # the file names no unit


def on_step(series: "Series", step: str | None) -> "Series":
    from energy.forecasters.similar import at_step
    from energy.model.horizon import Horizon

    minutes = {"15min": 15, "30min": 30, "1h": 60}.get(step or "", series.horizon.step_minutes)
    start = series.horizon.start.replace(minute=0)
    return at_step(series, Horizon(start, 0, minutes))


def mostly_negative(series: "Series") -> bool:
    moving = series.values[series.known & (series.values != 0)]
    return bool((moving < 0).mean() > 0.5) if len(moving) else False


def negative(series: "Series") -> "Series":
    from energy.model.series import Series

    return Series(series.horizon, -series.values, series.unit)


def not_below_zero(series: "Series") -> "Series":
    import numpy as np

    from energy.model.series import Series

    return Series(series.horizon, np.maximum(series.values, 0.0), series.unit)


def check_drivers(target: "Series", drivers: "dict[str, Series]") -> None:
    """A driver that is the target under another name would be the future."""
    import numpy as np

    for name, series in drivers.items():
        both = target.known & series.known
        a, b = target.values[both], series.values[both]
        if len(a) > 100 and a.std() > 0 and b.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) > 0.99999:
            raise click.UsageError(f"driver {name!r} is the forecast column itself: that would be the future")


def slots_of(horizon: str, step_minutes: int) -> int:
    import re

    match = re.fullmatch(r"(\d+)\s*(h|d)", horizon.strip())
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(f"{horizon!r} is not a span like 24h or 7d", param_hint="--horizon")
    return int(match[1]) * (24 if match[2] == "d" else 1) * 60 // step_minutes


def built(name: str, trial: "Trial") -> "list[Forecaster]":
    """The tested forecaster, and the yardsticks beside it."""
    from energy.clock import HeldClock
    from energy.forecasters.backtest import LastWeek
    from energy.model.site import Site
    from energy.plugins import kind
    from energy.ports import Context

    site = Site(id="backtest", name="Back-test", zone=trial.zone, currency="", import_limit_kw=math.inf,
                export_limit_kw=math.inf, country=trial.country)  # fmt: skip
    context = Context(site=site, clock=HeldClock(trial.actual.horizon.start))
    modules = [kind("forecasters", each, "--forecaster") for each in dict.fromkeys((name, "naive"))]
    return [*(module.build(unhurried(module.Settings), context) for module in modules), LastWeek()]


def unhurried(settings: Any) -> Any:
    """A kind's settings without a limit in time, where it has one: a test must not depend on a machine's load."""
    return settings(seconds=UNHURRIED_SECONDS) if "seconds" in settings.model_fields else settings()


def summary(answer: dict[str, Any]) -> list[str]:
    """The figures as a small table."""
    rows = {answer["settings"]["forecaster"]: answer, **answer["yardsticks"]}
    lines = [f"{'':20}{'MAE':>10}{'of week':>9}{'CRPS':>10}{'in band':>9}{'seconds':>9}"]
    for name, row in rows.items():
        cells = [cell(row["mae"], "10.4g"), cell(row["rmae_week"], "9.3f"), cell(row["crps"], "10.4g"),
                 cell(row["coverage_80"], "9.1%"), cell(row["seconds"], "9.1f")]  # fmt: skip
        lines.append(f"{name:20}{''.join(cells)}")
    return [*lines, flags_summary(answer)]


def cell(value: float, shape: str) -> str:
    """A figure in its column; what is not known is a dash."""
    return f"{value:{shape}}" if math.isfinite(value) else f"{'–':>{shape.split('.', maxsplit=1)[0]}}"


def flags_summary(answer: dict[str, Any]) -> str:
    """How many forecasts lacked something; what was only noticed and dealt with is told apart."""
    from energy.reports.models import remarks, troubles
    from energy.reports.words import counted

    flagged = [day["flags"] for day in answer["issued"]]
    lacking, noticed = sum(bool(troubles(flags)) for flags in flagged), sum(bool(remarks(flags)) for flags in flagged)
    also = f"; in {noticed} something was noticed and dealt with" if noticed else ""
    return f"{answer['days']} days; {counted(lacking, 'forecast carries', 'forecasts carry')} a flag{also}"

"""`loadstone meters scan` and `loadstone meters try`: from an address to a meter that can be trusted."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from energy.model.commissioning import Check, Fix, FoundMeter

SIGNS = {True: "✓", False: "✗", None: "–"}
FEW = 2  # so many units are told with every check, without being asked to
SHOWN = ("power", "total_import", "total_export", "voltage_l1", "current_l1", "power_factor", "frequency")


@click.command(short_help="Find the meters behind an address, and check them by physics.")
@click.argument("address", metavar="HOST[:PORT]")
@click.option("--units", default="", help="ask these alone: 1-32, or 1,2,5; without, every one from 1 to 247")
@click.option(
    "--transport", type=click.Choice(["tcp", "rtu-over-tcp", "tls"]), help="how Modbus travels; tcp if not said"
)
@click.option("--profile", default="", help="try this model alone: a name of `meters list`, or your own .yaml")
@click.option("--watch", default=6.0, show_default=True, type=click.FloatRange(0, 600), help="seconds for the counters")
@click.option(
    "--timeout", default=1.0, show_default=True, type=click.FloatRange(0.05, 30), help="of the first questions"
)
@click.option("--baudrate", type=int, help="of a serial line; 19200 if not said")
@click.option("--parity", type=click.Choice(["none", "even", "odd"]), help="of a serial line; even if not said")
@click.option("--ca-file", help="tls: who signed the certificate of the meter")
@click.option("--client-cert", help="tls: our certificate")
@click.option("--client-key", help="tls: its key")
@click.option("--details", is_flag=True, help="every check of every unit, also where many answer")
@click.option("--json", "as_json", is_flag=True, help="for a program to read")
def scan(*, address: str, details: bool, as_json: bool, watch: float, timeout: float, **more: Any) -> None:
    """Find the meters behind an address, say which model each is, and whether its values can be right.

    Only reads, one question at a time; at most 400 to a unit, each of them a register of a known model. A serial line
    is named by its device (/dev/ttyUSB0). Ctrl-C ends it and shows what was found.

    \b
    Example:
      loadstone meters scan 192.168.1.40
      loadstone meters scan 192.168.1.40:1502 --units 1-32 --profile eastron-sdm630
    """
    from meters.scan.modbus import ModbusScanner, wanted_at

    scanner = ModbusScanner(nowhere())
    wanted = wanted_at(address, watch_seconds=watch, timeout_seconds=timeout, **more)
    with progress(quiet=as_json) as tell:
        found = scanner.search(wanted, progress=tell)
    if as_json:
        click.echo(json.dumps([as_data(one) for one in found], ensure_ascii=False, indent=2))
        return
    count = "1 unit answers" if len(found) == 1 else f"{len(found)} units answer"
    click.echo(f"{wanted.line.address}: {count}.")
    for one in found:
        click.echo("\n" + "\n".join(lines_of(one, whole=details or len(found) <= FEW, named=bool(more["profile"]))))


@click.command("try", short_help="Watch one meter, and hold what it says against physics.")
@click.option("--profile", required=True, help="a name of `meters list`, or the path of your own .yaml")
@click.option("--host", required=True, help="address of the meter or its gateway")
@click.option("--port", type=click.IntRange(1, 65535), help="502 if not said")
@click.option("--unit", default=1, show_default=True, type=click.IntRange(0, 255), help="Modbus unit (slave) number")
@click.option("--measures", type=click.Choice(["grid", "pv", "battery", "machine", "other"]), help="what flows there")
@click.option("--connection-kw", type=float, help="the most that its connection can carry")
@click.option("--display-kw", type=float, help="what its display, or a clamp, says right now")
@click.option(
    "--set", "more", multiple=True, metavar="KEY=VALUE", help="any other key of its entry: word_order=low first"
)
@click.option(
    "--for", "seconds", default=10.0, show_default=True, type=click.FloatRange(0, 3600), help="how long to watch"
)
@click.option("--json", "as_json", is_flag=True, help="for a program to read")
def try_settings(*, more: "Sequence[str]", seconds: float, as_json: bool, **said: Any) -> None:
    """Watch a meter for some seconds and hold what it says against physics; what fails comes with the likely fix.

    \b
    Example:
      loadstone meters try --profile eastron-sdm630 --host 192.168.1.40 --unit 3 --measures machine --connection-kw 350
    """
    import time

    import yaml

    from energy.errors import LoadstoneError
    from meters.scan.modbus import ModbusScanner

    settings = {"kind": "modbus", **{key: value for key, value in said.items() if value is not None}}
    for pair in more:
        key, is_there, value = pair.partition("=")
        if not is_there:
            raise LoadstoneError(f"--set {pair}: say KEY=VALUE, such as word_order=low first")
        settings[key.strip()] = yaml.safe_load(value)
    scanner = ModbusScanner(nowhere())
    until = time.monotonic() + seconds
    with progress(quiet=as_json) as tell:
        found = scanner.look(settings)
        while (left := until - time.monotonic()) > 0:
            tell(1 - left / seconds, "counters against power")
            time.sleep(min(1.0, left))
            found = scanner.look(settings)
    click.echo(
        json.dumps(as_data(found), ensure_ascii=False, indent=2) if as_json else "\n".join(lines_of(found, named=True))
    )


def nowhere() -> Any:
    """What a scanner may know where there is no plant yet."""
    from energy.clock import SystemClock
    from energy.model.site import Site
    from energy.ports import Context

    site = Site(id="scan", name="", zone="UTC", currency="EUR", import_limit_kw=1.0, export_limit_kw=0.0)
    return Context(site=site, clock=SystemClock(), folder=str(Path.cwd()))


class progress:  # noqa: N801 - used as a function, like those of contextlib
    """A bar on the terminal while something takes its time; nothing where nobody looks."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet or not sys.stderr.isatty()

    def __enter__(self) -> "Callable[[float, str], None]":
        return self.tell

    def tell(self, share: float, what: str) -> None:
        if not self._quiet:
            filled = round(30 * share)
            click.echo(f"\r[{'#' * filled}{'.' * (30 - filled)}] {share:4.0%}  {what:32.32}", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            click.echo(f"\r{'':72}\r", nl=False, err=True)


def lines_of(found: "FoundMeter", *, whole: bool = True, named: bool = False) -> list[str]:
    """What is to be said of one meter on a terminal; where many are told, of the checks that hold only how many.
    `named`: its profile was given, and not looked for."""
    said = dict(found.settings)
    head = f"unit {said.get('unit', '–')}: {found.model or 'unknown'}"
    if found.serial:
        head += f", serial number {found.serial}"
    if found.score is None and not found.checks:
        return [head, f"  {found.note}"]
    how = "it says so itself" if found.identified else "as named" if named else "the one whose values fit best"
    also = f"; as good: {', '.join(found.others)}" if found.others else ""
    score = "no check could be made" if found.score is None else f"score {found.score:.2f}"
    holding = [check for check in found.checks if check.ok]
    told = found.checks if whole else [check for check in found.checks if not check.ok]
    return [
        head,
        f"  profile {said.get('profile')} ({how}; {found.confidence}{also}), {score}",
        f"  {values_line(found)}",
        *([] if whole or not holding else [f"  ✓ {len(holding)} checks hold"]),
        *(check_line(check) for check in told),
        *(line for number, fix in enumerate(found.fixes) for line in fix_lines(fix, number)),
        *([f"  {found.note}"] if found.note else []),
        *([] if "id" in said or not whole else ["  in config.yaml:", *entry_lines(said)]),
    ]


def values_line(found: "FoundMeter") -> str:
    from meters.quantities import inside_unit
    from meters.scan.sunspec import poll_of

    values = poll_of(found.reading).values if found.reading is not None else {}
    told = [
        f"{name.replace('total_', '').replace('_', ' ').replace(' l1', ' L1')} {values[name]:,.2f} {inside_unit(name)}".rstrip()
        for name in SHOWN
        if name in values
    ]
    return ", ".join(told)


def check_line(check: "Check") -> str:
    return f"  {SIGNS[check.ok]} {check.name:24} {check.said}"


def fix_lines(fix: "Fix", number: int) -> list[str]:
    import yaml

    first = "likely fix" if number == 0 else "or"
    lines = [f"  → {first}: {fix.said} (score {fix.score:.2f} with it)"]
    if fix.settings:
        text = yaml.safe_dump(dict(fix.settings), sort_keys=False, allow_unicode=True, default_flow_style=None)
        lines += [f"      {line}" for line in text.rstrip().splitlines()]
    return lines


def entry_lines(said: dict[str, object]) -> list[str]:
    """The entry under `meters:` that keeps it; the words in capitals are the integrator's, so that none is taken over
    unseen: config.yaml refuses a connection of KW."""
    import yaml

    told: dict[str, object] = {"role": "sub", "measures": "other", "connection_kw": "KW", **said}
    told.pop("display_kw", None)  # of this moment alone
    place: dict[str, object] = {
        key: told.pop(key) for key in ("role", "measures", "machine", "connection_kw") if key in told
    }
    if place["measures"] == "machine":
        place.setdefault("machine", "MACHINE")
    entry = {"id": "NAME", "name": "NAME", **told, **place}
    text = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True)
    return [f"    {line}" for line in text.rstrip().splitlines()]


def as_data(found: "FoundMeter") -> dict[str, Any]:
    """A found meter as JSON says it."""
    from meters.scan.sunspec import poll_of

    return {
        "settings": dict(found.settings),
        "maker": found.maker,
        "model": found.model,
        "serial": found.serial,
        "identified": found.identified,
        "confidence": found.confidence,
        "score": found.score,
        "also_fit": list(found.others),
        "values": dict(poll_of(found.reading).values) if found.reading is not None else {},
        "checks": [{"name": c.name, "ok": c.ok, "said": c.said, "weight": c.weight} for c in found.checks],
        "fixes": [{"said": f.said, "settings": dict(f.settings), "score": f.score} for f in found.fixes],
        "note": found.note,
    }

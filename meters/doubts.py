"""`loadstone meters doubted`, `release`, `reject` and `exchanged`: what people say of what meters said."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from energy.reports.doubts import DoubtRow
    from energy.service import LoadstoneService

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True, help="the plant"
)
BY = click.option("--by", required=True, help="who says so")
ROLE = click.option("--role", default="", help="in which role")
WHY = click.option("--why", default="", help="why, for whoever looks at the journal later")
UNTIL = click.option("--until", default=None, metavar="TIME", help="all that were doubted from TIME to this one")


@click.command(short_help="List the readings in quarantine, and why they are there.")
@click.option("--meter", default=None, help="of this one alone")
@click.option("--all", "everything", is_flag=True, help="also those of which somebody has spoken")
@CONFIG
def doubted(meter: str | None, everything: bool, config: Path) -> None:
    """List the readings in quarantine: what came, why it is doubted, and what lay on the wire.

    They are kept, shown and not used. `loadstone meters release` lets one count, `reject` closes it.

    \b
    Example:
      loadstone meters doubted --meter m-furnace-1
    """
    from energy.errors import LoadstoneError

    service = _service(config)
    known = [one.id for one in service.house.store.meters()]
    if meter is not None and meter not in known:
        raise LoadstoneError(f"there is no meter {meter!r}; known: {', '.join(known) or 'none'}")
    rows = [row for row in service.doubted(meter) if everything or row.open]
    for row in rows:
        for line in lines(row):
            click.echo(line)
    waiting = sum(row.open for row in rows)
    click.echo("1 reading waits for a word" if waiting == 1 else f"{waiting or 'no'} readings wait for a word")


def lines(row: "DoubtRow") -> list[str]:
    """A doubted reading in a few lines."""
    said = row.reading
    named = {"import": said.import_kwh, "export": said.export_kwh}
    values = [f"{name} {kwh:.2f} kWh" for name, kwh in named.items() if kwh is not None]
    values += [f"power {said.power_kw:.2f} kW"] if said.power_kw is not None else []
    told = [f"{said.meter} {said.taken_at.isoformat()}  {said.quality}: {', '.join(values) or 'no value'}"]
    told += [f"  {row.reason}"]
    told += [f"  {one.where}: {one.what}" for one in row.raw]
    for word in row.words:
        done = "released" if word.right else "rejected"
        told.append(
            f"  {done} by {word.by}{f' ({word.role})' if word.role else ''} at {word.at.isoformat()}: {word.why}"
        )
    return told


def _word(name: str, *, right: bool, short: str, text: str) -> click.Command:
    """`release` or `reject`."""

    @click.command(name, help=text, short_help=short)
    @click.argument("meter")
    @click.argument("time")
    @UNTIL
    @BY
    @ROLE
    @WHY
    @CONFIG
    def command(*, meter: str, time: str, until: str | None, by: str, role: str, why: str, config: Path) -> None:
        from energy.errors import LoadstoneError
        from energy.model.meter import Release

        service = _service(config)
        moment = _moments(service)
        word = Release(
            meter=meter, taken_at=moment(time), right=right, at=service.house.clock.now(), by=by, role=role, why=why
        )
        done = service.release(word, None if until is None else moment(until))
        if not done.ok:
            raise LoadstoneError(done.text)
        click.echo(done.text)

    return command


release = _word(
    "release",
    right=True,
    short="Say that a doubted reading is right: it counts from now on.",
    text="""Say that a doubted reading is right: it counts from now on, and its intervals are restated.

    TIME as `doubted` shows it. What you say is kept beside the reading and in the journal; the newest word counts.

    \b
    Example:
      loadstone meters release m-furnace-1 2026-05-18T12:00:10+00:00 --by Ada --why "new meter, stand seen"
    """,
)
reject = _word(
    "reject",
    right=False,
    short="Say that a doubted reading is wrong: it will never count.",
    text="""Say that a doubted reading is wrong: it will never count.

    \b
    Example:
      loadstone meters reject m-furnace-1 2026-05-18T12:00:10+00:00 --by Ada --why "gateway restarted"
    """,
)


@click.command()
@click.argument("meter")
@click.option("--at", "at", required=True, metavar="TIME", help="when it was replaced")
@click.option("--old-import", type=float, help="last stand of the old meter, kWh")
@click.option("--new-import", type=float, help="first stand of the new meter, kWh")
@click.option("--old-export", type=float, help="the same, of the counter away from the plant")
@click.option("--new-export", type=float)
@BY
@WHY
@CONFIG
def exchanged(
    *,
    meter: str,
    at: str,
    old_import: float | None,
    new_import: float | None,
    old_export: float | None,
    new_export: float | None,
    by: str,
    why: str,
    config: Path,
) -> None:
    """Say that a meter was replaced. With both stands nothing is lost between the old one and the new one.

    The stands as Loadstone would have read them (kWh, after the transformers). The time need not be exact: where the
    counter itself shows the exchange within a day of it, that is where it was.

    \b
    Example:
      loadstone meters exchanged m-furnace-1 --at 2026-05-18T09:40 --old-import 48211.6 --new-import 0.2 --by Ada
    """
    from energy.errors import LoadstoneError
    from energy.model.meter import Exchange

    service = _service(config)
    then, now = _moments(service)(at), service.house.clock.now()
    done = service.exchange(
        Exchange(
            id=f"{meter} {then.isoformat()} {now.isoformat()}",
            meter=meter,
            at=then,
            old_import_kwh=old_import,
            new_import_kwh=new_import,
            old_export_kwh=old_export,
            new_export_kwh=new_export,
            reported_at=now,
            by=by,
            why=why,
        )
    )
    if not done.ok:
        raise LoadstoneError(done.text)
    click.echo(done.text)


def _service(config: Path) -> "LoadstoneService":
    from energy.build import build_service

    return build_service(config)


def _moments(service: "LoadstoneService") -> "Callable[[str], datetime]":
    """Reads a time that a person wrote; without a zone it is the plant's local time."""
    from energy.clock import aware, wall_to_utc
    from energy.errors import LoadstoneError

    def moment(text: str) -> datetime:
        try:
            said = datetime.fromisoformat(text)
        except ValueError as error:
            raise LoadstoneError(f"{text!r} is no time: write it like 2026-05-18T12:00:10+00:00") from error
        return aware(said) if said.tzinfo else wall_to_utc(said.date(), said.time(), service.house.site.zone)

    return moment

"""`loadstone edge`: the collector on a small box, its buffer, and what waits there."""

import asyncio
import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from energy.config.edge import EdgeSettings
    from meters.edge.buffer import Buffer
    from meters.edge.sender import Sender

log = logging.getLogger("loadstone.edge")

LAST_WORDS = 5.0  # seconds that the sender has to end its batch when the box is stopped


@click.group(invoke_without_command=True, short_help="Ask meters from a box beside them, and hand on what they say.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("edge.yaml"),
    show_default=True,
    help="What this box reads, and where it sends it.",
)
@click.pass_context
def edge(context: click.Context, config: Path) -> None:
    """Ask the meters from a small box beside them, and hand what they say to the centre.

    Readings go to the box's own disk first and to the centre when it can be reached: in order, none twice, none lost. Runs
    until Ctrl-C or SIGTERM.

    Example: loadstone edge --config edge.yaml
    """
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from energy.config.edge import load_edge
    from meters.commands import quick_loop

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one line for each batch would hide all else
    settings = load_edge(config)
    with alone(settings.buffer), asyncio.Runner(loop_factory=quick_loop()) as runner:
        runner.run(run(settings))


@contextmanager
def alone(buffer: Path) -> "Iterator[None]":
    """One process for one buffer: a second would number and send the same readings."""
    import fcntl

    from energy.errors import LoadstoneError

    buffer.parent.mkdir(parents=True, exist_ok=True)
    with buffer.with_name(f"{buffer.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LoadstoneError(f"another `loadstone edge` runs on {buffer}; end that one first") from error
        yield


async def run(settings: "EdgeSettings") -> None:
    """Collect into the buffer and send from it, until told to stop."""
    import threading
    from dataclasses import replace

    from energy.clock import SystemClock
    from energy.plugins import build
    from meters.collector import Collector, of_kind

    clock = SystemClock()
    buffer = buffer_of(settings)
    context = replace(settings.context(clock), last_good=buffer.last_good())
    asked = [
        of_kind(build("meters", said.kind, said.options, context), getattr(said.options, "poll_seconds", 10.0))
        for said in settings.meters
    ]
    sender = sender_of(settings, buffer)
    collector = Collector(asked, buffer.add, clock)
    collector.stop_on_signals()
    thread = threading.Thread(target=sender.run, name="sender", daemon=True)
    thread.start()
    click.echo(f"edge box {settings.name}: {len(asked)} meters, to {settings.centre}")
    try:
        await collector.run()
    finally:
        sender.stop()
        await asyncio.to_thread(thread.join, LAST_WORDS)
    waiting = buffer.backlog().waiting
    lost = collector.waiting + collector.dropped
    if not thread.is_alive():
        buffer.close()
    click.echo(f"stopped: {collector.kept} readings kept, {sender.sent} acknowledged, {waiting} wait, {lost} lost")


def buffer_of(settings: "EdgeSettings") -> "Buffer":
    """The buffer of a box, held by this process alone."""
    from meters.edge.buffer import Buffer

    return Buffer(settings.buffer, max_bytes=settings.max_bytes, keep_minutes=settings.keep_minutes)


def sender_of(settings: "EdgeSettings", buffer: "Buffer") -> "Sender":
    from datetime import timedelta

    from energy.http import client
    from meters.edge.sender import Sender

    network = settings.network
    made = client(proxy=network.proxy, ca_bundle=network.ca_bundle, read_seconds=settings.timeout_seconds)
    return Sender(
        buffer,
        made,
        name=settings.name,
        centre=settings.centre,
        token=settings.token,
        most_in_batch=settings.most_in_batch,
        per_second=settings.catch_up_per_second,
        keep=timedelta(hours=settings.keep_hours),
    )


@edge.command()
@click.pass_obj
def status(config: Path) -> None:
    """Say what waits in this box's buffer, how old it is, and what went wrong.

    Ends with 1 where something is wrong, for a timer or a monitoring system. The box may be running.

    Example: loadstone edge --config edge.yaml status
    """
    import sys

    from energy.config.edge import load_edge
    from meters.edge.status import look

    told = look(load_edge(config, secrets=False).buffer)
    for line in told.lines:
        click.echo(line)
    sys.exit(0 if told.well else 1)


@edge.command()
@click.option("--meter", default="", help="Only those of this meter.")
@click.pass_obj
def release(config: Path, meter: str) -> None:
    """Offer the centre again what it refused and this box holds, before all newer readings.

    The box does so by itself every ten minutes; this is for who has just told the centre of a new meter.

    Example: loadstone edge --config edge.yaml release --meter m-press-1
    """
    from energy.config.edge import load_edge
    from meters.edge.status import release_held

    count = release_held(load_edge(config, secrets=False).buffer, meter)
    click.echo(f"{count} readings are offered again")

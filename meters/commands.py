"""The commands of the wire: what a meter says, the collector, and the simulated meters."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meters.doubts import doubted, exchanged, reject, release
from meters.scan.commands import scan, try_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from energy.clock import Clock
    from energy.config import Settings
    from energy.model.meter import Reading
    from energy.ports import MeterReader
    from energy.store import Store
    from energy.twin.floor import LivingPlant
    from meters.collector import Polled, Told

LOOK_SECONDS = 2.0  # real seconds between two looks at whether other meters are written down
TICK_SECONDS = 1.0  # real seconds between two looks of the simulated floor at its instructions

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True, help="the plant"
)


@click.group(short_help="Find, try, read and judge meters; list the known models.")
def meters() -> None:
    """Find meters, try and read them, judge what is doubted of them, and list the models that are known.

    The meters of a plant stand in its config.yaml and in `meters.d/`; `loadstone doctor` reads each of them once.
    """


meters.add_command(scan)
meters.add_command(try_settings)
for command in (doubted, release, reject, exchanged):
    meters.add_command(command)


@meters.command("list", short_help="List the meter models that are known.")
@click.argument("words", nargs=-1)
def list_profiles(words: tuple[str, ...]) -> None:
    """List the meter models that can be read without any work; with WORDS only those that have them in their name.

    "1 source: verify" means that only one description of the registers was found: compare with the display first.
    "2 unsure" means that something of two quantities rests on a guess: `loadstone meters show NAME` says what.
    A model that is missing is one YAML file: see meters/profiles/README.md.

    Example: loadstone meters list schneider
    """
    from energy.errors import LoadstoneError
    from meters.catalogue import found, listed

    groups = found(words)
    if not groups:
        raise LoadstoneError(
            f"no profile has {' and '.join(map(repr, words))} in its name; `loadstone meters list` names all. A model "
            "that is missing is one YAML file: see meters/profiles/README.md"
        )
    for line in listed(groups):
        click.echo(line)


@meters.command(short_help="Show all that is known of a meter model.")
@click.argument("name")
def show(name: str) -> None:
    """Show all that is known of a meter model: registers, sources, what is unsure, what to check.

    NAME is one of `loadstone meters list`, or the path of your own .yaml. Addresses stand as they are on the wire
    (from 0) and as manuals number them (3xxxx input, 4xxxx holding registers, from 1).

    Example: loadstone meters show schneider-iem3000
    """
    from meters.catalogue import known_by, told

    for line in told(name, known_by(name)):
        click.echo(line)


@meters.command()
@click.option("--profile", required=True, help="a name of `loadstone meters list`, or the path of your own .yaml")
@click.option("--host", help="address of the meter or its gateway")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 502]")
@click.option("--device", help="in place of a host: a serial line, such as /dev/ttyUSB0")
@click.option("--baudrate", type=int, help="of the serial line  [default: 19200]")
@click.option("--parity", type=click.Choice(["none", "even", "odd"]), help="of the serial line  [default: even]")
@click.option("--raw-gateway", is_flag=True, help="the gateway passes serial frames on (RTU over TCP)")
@click.option(
    "--unit", type=click.IntRange(0, 255), help="Modbus unit (slave) number  [default: the model's usual one]"
)
@click.option("--timeout", default=2.0, show_default=True, help="seconds to wait for an answer")
@click.option("--ct-ratio", default=1.0, show_default=True, help="where the meter does not know its transformers")
@click.option("--invert", is_flag=True, help="crossed current transformers: change the direction")
def read(
    *,
    profile: str,
    host: str | None,
    port: int | None,
    device: str | None,
    baudrate: int | None,
    parity: str | None,
    raw_gateway: bool,
    unit: int | None,
    timeout: float,
    ct_ratio: float,
    invert: bool,
) -> None:
    """Print what a meter says right now; what it does not say is –.

    Example: loadstone meters read --profile eastron-sdm630 --host 192.168.1.40 --unit 3
    """
    from energy.errors import LoadstoneError, MeterError
    from energy.model.meter import ReadingQuality
    from meters.catalogue import known_by

    known = known_by(profile)
    unit = known.usual_unit if unit is None else unit
    if not host and not device:
        raise LoadstoneError("say where the meter is: --host ADDRESS, or --device /dev/ttyUSB0 for a serial line")
    if host and device:
        raise LoadstoneError("--host and --device are two ways to one meter: say one of them")
    transport = "serial" if device else "rtu-over-tcp" if raw_gateway else "tcp"
    way = {"host": host, "port": port, "device": device, "baudrate": baudrate, "parity": parity}
    said = {"transport": transport, "unit": unit, "profile": profile} | {k: v for k, v in way.items() if v is not None}
    reader, quantities = _reader_of(said | {"timeout_seconds": timeout, "ct_ratio": ct_ratio, "invert": invert})
    reading = asyncio.run(_read_once(reader))
    if reading.quality is ReadingQuality.NO_ANSWER:
        raise MeterError(f"{reading.note} (profile {profile}, unit {unit})")
    where = device or f"{host}:{port or 502}"
    click.echo(f"{known.name}, {where} unit {unit}, {reading.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    for line in reading_lines(quantities, reading):
        click.echo(line)
    if known.note:
        click.echo(f"Note: {known.note}")


def _reader_of(said: dict[str, object]) -> tuple["MeterReader", list[str]]:
    """What reads a meter of which nothing is known but how to reach it, and the quantities that it may tell."""
    from pydantic import ValidationError

    from energy.clock import SystemClock
    from energy.errors import LoadstoneError
    from energy.model.meter import Measures, Meter, Role
    from meters import modbus, sunspec
    from meters.modbus_reader import ModbusReader
    from meters.sunspec.reader import SunSpecReader
    from meters.sunspec.tables import devices

    unlimited = Meter(id="meter", name="meter", role=Role.SUB, measures=Measures.OTHER, connection_kw=float("inf"))
    try:
        if said["profile"] in devices():
            asked = sunspec.Settings.model_validate(said)
            return SunSpecReader(unlimited, asked, SystemClock()), asked.quantities(unlimited)
        settings = modbus.Settings.model_validate(said)
    except ValidationError as error:
        told = "; ".join(str(p["msg"]).removeprefix("Value error, ") for p in error.errors())
        raise LoadstoneError(told) from error
    table = settings.table()
    return ModbusReader(unlimited, settings, table, SystemClock()), list(table.registers)


async def _read_once(reader: "MeterReader") -> "Reading":
    try:
        return await reader.read()
    finally:
        await reader.close()


def reading_lines(quantities: Sequence[str], reading: "Reading") -> list[str]:
    """One line a quantity that the meter may tell, with its unit; – where it has nothing to say."""
    from meters.quantities import inside_unit

    main = {"power": reading.power_kw, "total_import": reading.import_kwh, "total_export": reading.export_kwh}
    said = dict(reading.values) | {name: value for name, value in main.items() if value is not None}
    named = (*main, *(name for name in quantities if name not in main))
    return [
        f"  {name:16} {format(said[name], '14,.3f') if name in said else '–':>14} {inside_unit(name)}".rstrip()
        for name in named
        if name in quantities
    ]


@click.command(short_help="Ask all meters of the plant, and keep what they say.")
@CONFIG
def collect(config: Path) -> None:
    """Ask all meters of the plant, each at its own pace, and keep what they say.

    Runs until Ctrl-C or SIGTERM, and writes what it still holds before it ends. `loadstone run` starts it for you.

    Example: loadstone collect --config plant.yaml
    """
    from energy.config import load_settings
    from energy.errors import LoadstoneError

    settings = load_settings(config)
    if not settings.meters:
        raise LoadstoneError(f"{config}: there are no meters to ask; add them under `meters:`")
    _log_to_screen()
    with asyncio.Runner(loop_factory=quick_loop()) as runner:
        runner.run(_collect(settings))


def commit_seconds(meters: "Sequence[Polled | Told]") -> float:
    """How often readings are written: each second while they are few. Each commit touches a page of every meter, so a
    thousand a second are written each five seconds, which is a third of the bytes on the disk. What a crash can take
    is the readings of that time; the counters carry on counting."""
    per_second = sum(1 / one.seconds for one in meters if hasattr(one, "seconds"))
    return min(max(per_second / 200, 1.0), 5.0)


def quick_loop() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop where there is one: a thousand meters cost it half of what they cost Python's own loop."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


def _log_to_screen() -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


async def _collect(settings: "Settings") -> None:
    """Collects until told to stop; with other meters from where config.yaml or `meters.d/` says so."""
    from energy.build import open_store

    store = open_store(settings)
    ending = asyncio.Event()
    wanted: Settings | None = settings
    while wanted is not None:
        wanted = await _collect_from(wanted, store, ending)


async def _collect_from(settings: "Settings", store: "Store", ending: asyncio.Event) -> "Settings | None":
    """Collects from the meters of some settings; returns the new ones when these are no longer what is written down,
    and None when `ending` was set by SIGTERM or Ctrl-C."""
    import signal
    from collections.abc import Sequence
    from dataclasses import replace
    from functools import partial

    from energy.commands.imports import keep_intervals
    from energy.model.collector import COLLECTOR_NOTE
    from energy.model.meter import Reading
    from energy.plugins import build
    from energy.ports import IntervalTelling
    from meters.collector import Collector, Standing, as_note, of_kind

    clock = settings.clock()
    context = replace(settings.context(clock), last_good=store.readings.last_good())

    def keep(readings: Sequence[Reading]) -> None:
        with store.unit(durable=True):
            store.readings.add(readings)

    def tell(standing: Standing) -> None:
        store.note(COLLECTOR_NOTE, as_note(standing))

    made = [build("meters", said.kind, said.options, context) for said in settings.meters]
    for meter in made:
        if isinstance(meter, IntervalTelling):
            meter.keep_intervals = partial(keep_intervals, settings)
    asked = [
        of_kind(meter, getattr(said.options, "poll_seconds", 10.0))
        for meter, said in zip(made, settings.meters, strict=True)
    ]
    collector = Collector(asked, keep, clock, report=tell, batch_seconds=commit_seconds(asked), most_in_batch=10_000)

    def end() -> None:
        ending.set()
        collector.stop()

    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, end)
    click.echo(f"collecting from {len(asked)} meters")
    watching = asyncio.create_task(_changed(settings, collector.stop))
    await collector.run()
    lost = collector.waiting + collector.dropped
    click.echo(f"stopped: {collector.kept} readings kept, {lost} lost")
    if ending.is_set() or not watching.done():
        watching.cancel()
        return None
    store.put_meters([said.meter for said in watching.result().meters])
    return watching.result()


async def _changed(settings: "Settings", tell: "Callable[[], None]") -> "Settings":
    """Waits until other meters are written down than in these settings, and tells. What cannot be read is said in the
    log, and the meters that are known are asked on."""
    import logging

    from energy.config import load_settings
    from energy.config.kept import stamp
    from energy.errors import LoadstoneError

    seen = stamp(settings.path)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = stamp(settings.path)
        if now == seen:
            continue
        seen = now
        try:
            said = await asyncio.to_thread(load_settings, settings.path, settings.environ)
        except LoadstoneError as error:
            logging.getLogger("loadstone.collector").error("the meters stay as they were: %s", error)
            continue
        if said.meters != settings.meters:
            tell()
            return said


@click.command(short_help="Run a simulated plant whose meters answer over real Modbus.")
@CONFIG
@click.option("--speed", default=None, type=click.FloatRange(min=0.01), help="plant seconds in a real second")
@click.option("--cert", default=None, type=click.Path(exists=True), help="certificate of its TLS meters")
@click.option("--key", default=None, type=click.Path(exists=True), help="the key of that certificate")
def simulate(config: Path, speed: float | None, cert: str | None, key: str | None) -> None:
    """Run the simulated plant: its meters answer over real Modbus, where the config says they are.

    For the demo and for trying things out; a real plant never needs it. With `--speed 60` a minute is an hour: the
    config has to name a `schedule.clock`, so that all processes of the plant go by the same one. Runs until Ctrl-C or
    SIGTERM. A serial meter's `device` is made for the time: a pseudo-terminal under that path.

    Example: loadstone simulate --config config.yaml
    """
    from energy.config import load_settings
    from energy.errors import LoadstoneError

    if (cert is None) != (key is None):
        raise LoadstoneError("--cert and --key belong together")
    _log_to_screen()
    settings = load_settings(config)
    asyncio.run(_simulate(settings, _clock(settings, speed), (cert, key) if cert and key else None))


def _clock(settings: "Settings", speed: float | None) -> "Clock":
    """The plant's clock; at another speed it goes on from where it is, for all processes."""
    from datetime import UTC, datetime

    from energy.clock import SpeedClock, SystemClock
    from energy.errors import LoadstoneError

    if speed is None:
        return settings.clock()
    path = settings.schedule.clock
    if path is None:
        raise LoadstoneError(f"{settings.path.name}: --speed needs `schedule: {{clock: var/clock.json}}`")
    now = settings.clock().now() if path.exists() else SystemClock().now()
    clock = SpeedClock(now, datetime.now(UTC), speed)
    path.parent.mkdir(parents=True, exist_ok=True)
    clock.save(path)
    return clock


async def _simulate(settings: "Settings", clock: "Clock", identity: tuple[str, str] | None = None) -> None:
    import signal

    from energy.twin.life import living_plant
    from meters.modbus import Settings as ModbusSettings
    from meters.simulator.server import Identity, Simulator

    plant = living_plant(settings, clock)
    spoken = [(m.meter.id, m.options) for m in settings.meters if isinstance(m.options, ModbusSettings)]
    shown = Identity(cert=identity[0], key=identity[1]) if identity else None
    simulator = Simulator(spoken, plant, str(settings.folder), shown)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await asyncio.to_thread(plant.tick)
    await simulator.start()
    where = ", ".join(simulator.addresses)
    click.echo(f"{len(spoken)} simulated meters answer on {where}; the plant's clock runs {clock.speed:g} times")
    try:
        await _live(settings, clock, plant, stop)
    finally:
        await simulator.stop()


async def _live(settings: "Settings", clock: "Clock", plant: "LivingPlant", stop: asyncio.Event) -> None:
    """Let the floor live, and report by itself what happens there, until told to stop."""
    import logging
    from contextlib import suppress

    from energy.build import open_store
    from energy.errors import LoadstoneError
    from energy.steps.report import report

    store = open_store(settings)
    log = logging.getLogger("loadstone.simulator")
    while not stop.is_set():
        await asyncio.to_thread(plant.tick)
        for fact in plant.new_facts():
            try:
                told = await asyncio.to_thread(report, store, fact=fact, site=settings.site, now=clock.now())
                if not told.again:
                    log.info("%s %s: %s", fact.kind, fact.machine or fact.job, told.text)
            except LoadstoneError as error:
                log.warning("the floor could not report: %s", error)  # as a person would be told; the plant lives on
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TICK_SECONDS)

"""What `loadstone doctor` looks at, one function an area; each says what it found and what to do about a fault."""

import asyncio
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from energy.clock import day_bounds, floor_to, local, local_date
from energy.config import KindSettings, MeterSettings, Settings
from energy.errors import LoadstoneError, MeterError, MistakesError
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon, Interval
from energy.model.meter import Reading, ReadingQuality
from energy.model.problem import Option, Placement, Problem, ProblemJob, ProblemMachine
from energy.model.series import Series
from energy.planning.check import check
from energy.plugins import build
from energy.ports import Context, Feed, Forecaster, MeterListener, MeterReader, Optimizer, OrderSource, Program
from energy.store.store import Store

METER_SECONDS = 15.0
FEED_SECONDS = 60.0
SOLVE_SECONDS = 5.0
LEAST_FREE_GB = 1.0
SAME_CLOCK = timedelta(minutes=5)
BY_MODBUS = ("modbus", "sunspec")  # kinds that `loadstone meters scan` finds
BY_THE_DOOR = ("edge", "push")  # kinds of meters whose readings come by themselves, over HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: whether it is well, what it says, and what to do where it is not."""

    what: str
    ok: bool
    says: str
    to_do: str = ""


def checkup(settings: Settings) -> Iterator[Finding]:
    """Everything that the config names, area by area, each finding as soon as it is known."""
    yield clock(settings)
    try:
        context = settings.context()
    except LoadstoneError:
        return  # said by the clock
    yield disk(settings)
    yield store(settings)
    yield from meters(settings, context)
    yield from feeds(settings.feeds, context)
    if settings.orders is not None:
        yield orders(settings.orders, context)
    for kind in {kind.kind: kind for kind in settings.forecasters.values()}.values():
        yield forecaster(kind, context)
    yield optimizer(settings, context)
    for kind in settings.programs:
        yield program(kind, context)
    for kind in (*settings.dispatchers, *settings.notifiers):
        yield built(kind, context)


def clock(settings: Settings) -> Finding:
    """Whether it can be the time that the machine says it is."""
    try:
        now = settings.clock().now()
    except (LoadstoneError, ValueError, KeyError, OSError) as error:
        return Finding(
            what="clock", ok=False, says=str(error), to_do="Start the demo again, or leave schedule.clock out."
        )
    shown = f"{local(now, settings.site.zone):%Y-%m-%d %H:%M} in {settings.site.zone}"
    if settings.schedule.clock is not None:
        return Finding(what="clock", ok=True, says=f"{shown}, {settings.clock().speed:g} times as fast as real time")
    if now < datetime(2025, 1, 1, tzinfo=UTC):
        return Finding(
            what="clock", ok=False, says=f"the machine says {shown}", to_do="Set its time and switch on NTP."
        )
    return Finding(what="clock", ok=True, says=shown)


def disk(settings: Settings) -> Finding:
    """Whether there is room for the raw readings and for what is kept for ever."""
    folder = settings.folder
    free_gb = shutil.disk_usage(folder).free / 1e9
    needed_gb = LEAST_FREE_GB + (settings.store.raw_gb if settings.store.url.startswith("sqlite") else 0.0)
    says = f"{free_gb:.1f} GB free where config.yaml lies"
    if free_gb >= needed_gb:
        return Finding(what="disk", ok=True, says=says)
    to_do = f"Make room: {needed_gb:g} GB may be needed, or set store.raw_gb lower."
    return Finding(what="disk", ok=False, says=says, to_do=to_do)


def store(settings: Settings) -> Finding:
    """Whether the store opens at the newest schema, takes a write, and holds nothing from the future."""
    try:
        opened = Store.open(settings.store.url, settings.site.id)
    except LoadstoneError as error:
        return Finding(what="store", ok=False, says=str(error), to_do="Check store.url, and who may write there.")
    try:
        now = settings.clock().now()
        with opened.unit():
            opened.note("doctor", now.isoformat())
        says = f"{opened.size_bytes() / 1e6:.1f} MB, writable"
        newest = max((reading.taken_at for reading in opened.readings.latest().values()), default=None)
        if newest is not None and newest > now + SAME_CLOCK:
            says = f"its newest reading is of {newest:%Y-%m-%d %H:%M} UTC, which is still to come"
            to_do = "Check the machine's time, or whether a demo wrote into this store: `store.url`."
            return Finding(what="store", ok=False, says=says, to_do=to_do)
        return Finding(
            what="store", ok=True, says=says if newest is None else f"{says}, newest reading {newest:%H:%M} UTC"
        )
    except LoadstoneError as error:
        return Finding(what="store", ok=False, says=str(error), to_do="Check who may write there, and the room left.")
    finally:
        opened.close()


def meters(settings: Settings, context: Context) -> list[Finding]:
    """Each meter read once; those behind one gateway one after the other, all gateways at the same time."""
    behind: dict[object, list[MeterSettings]] = {}
    for meter in settings.meters:
        if meter.meter.parts:
            continue  # nobody mounted it: see _reckoned
        address = (getattr(meter.options, "host", meter.meter.id), getattr(meter.options, "port", None))
        behind.setdefault(address, []).append(meter)

    async def all_of_them() -> list[list[Finding]]:
        return await asyncio.gather(*(_gateway(group, context, settings) for group in behind.values()))

    found = {finding.what: finding for group in asyncio.run(all_of_them()) for finding in group}
    return [found.get(f"meter {meter.meter.id}") or _reckoned(meter, found) for meter in settings.meters]


def _reckoned(meter: MeterSettings, found: Mapping[str, Finding]) -> Finding:
    """A virtual meter is as well as its parts; it has no wire of its own."""
    parts = meter.meter.parts
    made_of = " ".join(f"{part.factor:+g} × {part.meter}" for part in parts)
    silent = [part.meter for part in parts if (one := found.get(f"meter {part.meter}")) is not None and not one.ok]
    return Finding(
        what=f"meter {meter.meter.id}",
        ok=not silent,
        says=f"reckoned from its parts: {made_of}" + (f"; not well: {', '.join(silent)}" if silent else ""),
        to_do="Mend its parts first; until then they are modelled from the last four weeks." if silent else "",
    )


async def _gateway(group: Sequence[MeterSettings], context: Context, settings: Settings) -> list[Finding]:
    return [await _meter(meter, context, settings) for meter in group]


async def _meter(meter: MeterSettings, context: Context, settings: Settings) -> Finding:
    what = f"meter {meter.meter.id}"
    if meter.kind in BY_THE_DOOR:
        return _came(what, meter, settings)
    address = ":".join(str(v) for v in (getattr(meter.options, k, None) for k in ("host", "port")) if v is not None)
    to_do = f"Is it on, and is {address or 'its address'} right? See docs/meters.md for its kind."
    if address and meter.kind in BY_MODBUS:
        to_do = f"Is it on, and is {address} right? Look from here: `loadstone meters scan {address}`."
    if settings.twin is not None:
        to_do = "The simulated meters answer while `loadstone demo` or `loadstone simulate` runs."
    try:
        made: MeterReader | MeterListener = build("meters", meter.kind, meter.options, context)
    except LoadstoneError as error:
        return Finding(what=what, ok=False, says=str(error), to_do="Mend this meter in config.yaml.")
    try:
        reading = await asyncio.wait_for(_first_word(made), METER_SECONDS)
    except TimeoutError:
        says = f"no answer within {METER_SECONDS:.0f} s"
        if isinstance(made, MeterListener):
            says = (
                getattr(made, "trouble", "") or f"it said nothing within {METER_SECONDS:.0f} s; it may speak less often"
            )
            to_do = "Mend what it names."
            if not getattr(made, "trouble", ""):
                to_do = "It is not asked, but speaks by itself: see docs/meters.md for its kind."
        return Finding(what=what, ok=False, says=says, to_do=to_do)
    except LoadstoneError as error:
        return Finding(what=what, ok=False, says=str(error), to_do="Mend what it names.")
    finally:
        await made.close()
    if reading.quality is ReadingQuality.NO_ANSWER:
        return Finding(what=what, ok=False, says=reading.note or "no answer", to_do=to_do)
    if reading.quality is ReadingQuality.SUSPECT:
        to_do = "Compare with its display; check profile, ct_ratio, word_order, connection_kw."
        return Finding(what=what, ok=False, says=f"cannot be: {reading.note}", to_do=to_do)
    return Finding(what=what, ok=True, says=_said(reading))


def _came(what: str, meter: MeterSettings, settings: Settings) -> Finding:
    """What came last of a meter that is not asked from here, but read by an edge box or pushed by a gateway."""
    gateways = settings.api.gateways if settings.api is not None else ()
    if meter.kind == "push" and not any(meter.meter.id in gateway.meters for gateway in gateways):
        return Finding(
            what=what,
            ok=False,
            says="no gateway may speak for it",
            to_do=f"List {meter.meter.id} with one under api.gateways: see docs/how-to/push-readings.md.",
        )
    with Store.open(settings.store.url, settings.site.id) as opened:
        newest = opened.readings.latest().get(meter.meter.id)
    page = "push-readings.md" if meter.kind == "push" else "edge-box.md"
    to_do = f"Is `loadstone api` running, and its edge box or gateway? See docs/how-to/{page}."
    if newest is None:
        return Finding(what=what, ok=False, says="nothing has come yet", to_do=to_do)
    old = settings.clock().now() - newest.taken_at
    says = f"{_said(newest)}, {old.total_seconds():.0f} s ago"
    return Finding(what=what, ok=old <= SAME_CLOCK, says=says, to_do="" if old <= SAME_CLOCK else to_do)


async def _first_word(made: MeterReader | MeterListener) -> Reading:
    """What a meter answers when asked, or the first that it says by itself."""
    if not isinstance(made, MeterListener):
        return await made.read()
    heard: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()

    def give(reading: Reading) -> None:
        if not heard.done():
            heard.set_result(reading)

    listening = asyncio.create_task(made.listen(give))
    either: list[asyncio.Future[Reading] | asyncio.Task[None]] = [heard, listening]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if heard.done():
            return heard.result()
        listening.result()  # what it failed with
        raise MeterError("its listener ended before it heard anything")
    finally:
        listening.cancel()


def _said(reading: Reading) -> str:
    values = (("kW", reading.power_kw), ("kWh import", reading.import_kwh), ("kWh export", reading.export_kwh))
    return (
        ", ".join(f"{value:,.1f} {unit}" for unit, value in values if value is not None) or "answers, but says nothing"
    )


def feeds(kinds: Sequence[KindSettings], context: Context) -> list[Finding]:
    """Each feed asked for the rest of today and tomorrow, all at the same time."""
    now = context.clock.now()
    end = day_bounds(local_date(now, context.site.zone) + timedelta(days=1), context.site.zone)[1]
    span = Interval(floor_to(now, timedelta(hours=1)), end)
    pool = ThreadPoolExecutor(max_workers=max(1, len(kinds)))
    asked = [(kind, pool.submit(_feed, kind, context, span)) for kind in kinds]
    found, until = [], time.monotonic() + FEED_SECONDS
    for kind, future in asked:
        try:
            found.append(future.result(timeout=max(0.0, until - time.monotonic())))
        except FuturesTimeoutError:
            says = f"no answer within {FEED_SECONDS:.0f} s"
            found.append(Finding(what=f"feed {kind.kind}", ok=False, says=says, to_do=FEED_TO_DO))
    pool.shutdown(wait=False, cancel_futures=True)
    return found


FEED_TO_DO = "Check the way out (network.proxy, network.ca_bundle); until then the last good values are used."


def _feed(kind: KindSettings, context: Context, span: Interval) -> Finding:
    what = f"feed {kind.kind}"
    try:
        feed: Feed = build(kind.group, kind.kind, kind.options, context)
        answers = feed.fetch(span)
    except LoadstoneError as error:
        return Finding(what=what, ok=False, says=str(error), to_do=FEED_TO_DO)
    if not answers:
        return Finding(what=what, ok=True, says="answers; nothing is published yet for today and tomorrow")
    zone = context.site.zone
    ends: dict[str, datetime] = {}
    for answer in answers:
        ends[answer.key] = max(ends.get(answer.key, answer.series.horizon.end), answer.series.horizon.end)
    return Finding(what=what, ok=True, says=", ".join(f"{k} to {local(t, zone):%d.%m. %H:%M}" for k, t in ends.items()))


def orders(kind: KindSettings, context: Context) -> Finding:
    """The production plan read once."""
    what = f"orders {kind.kind}"
    to_do = "docs/orders.md shows the columns; `loadstone import jobs FILE --dry-run` names every row."
    try:
        source: OrderSource = build(kind.group, kind.kind, kind.options, context)
        jobs, runs = source.jobs(), source.runs()
    except MistakesError as error:
        return Finding(what=what, ok=False, says="; ".join(map(str, error.mistakes)), to_do=to_do)
    except LoadstoneError as error:
        return Finding(what=what, ok=False, says=str(error), to_do=to_do)
    bad = [*getattr(source, "bad", ()), *getattr(source, "bad_runs", ())]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return Finding(what=what, ok=False, says=f"{bad[0]}{more}", to_do=to_do)
    return Finding(
        what=what, ok=True, says=f"{len(jobs)} jobs, {len(runs)} runs" if jobs or runs else "nothing there yet"
    )


def forecaster(kind: KindSettings, context: Context) -> Finding:
    """A day forecast from three invented weeks: what is missing shows as a fallback or an error."""
    what = f"forecaster {kind.kind}"
    to_do = "Install the package again; until then similar days are used."
    start = datetime(2026, 3, 2, tzinfo=UTC)
    slots = np.arange(22 * 96)
    load_kw = 300 + 100 * np.sin(2 * math.pi * slots / 96) + np.random.default_rng(1).normal(0, 5, len(slots))
    past = Past(
        target=Series(Horizon(start, 21 * 96), load_kw[: 21 * 96], "kW"),
        drivers=(),
        known_at=start + timedelta(days=21),
        zone=context.site.zone,
    )
    began = time.monotonic()
    try:
        made: Forecaster = build(kind.group, kind.kind, kind.options, context)
        forecast = made.forecast(Target.BASE_LOAD, past, Horizon(start + timedelta(days=21), 96))
    except (LoadstoneError, ImportError) as error:
        return Finding(what=what, ok=False, says=str(error), to_do=to_do)
    off = float(np.nanmean(np.abs(forecast.p50.values - load_kw[21 * 96 :])))
    if forecast.source != made.name or math.isnan(off):
        flags = "; ".join(forecast.flags) or "no values"
        return Finding(what=what, ok=False, says=f"{forecast.source} answered instead: {flags}", to_do=to_do)
    says = f"an invented day of 200 to 400 kW forecast within {off:.0f} kW in {time.monotonic() - began:.1f} s"
    return Finding(what=what, ok=True, says=says)


def optimizer(settings: Settings, context: Context) -> Finding:
    """Two jobs of an hour, one machine, one cheap stretch: both belong there, one after the other."""
    kind = settings.optimizer
    what, to_do = f"solver {kind.kind}", "Install the package again, or take `optimizer: {kind: greedy}` until then."
    problem = two_jobs(settings)
    began = time.monotonic()
    try:
        made: Optimizer = build("optimizers", kind.kind, kind.options, context)
        answer = made.solve(problem, seconds=min(kind.seconds, SOLVE_SECONDS))
    except (LoadstoneError, ImportError, OSError) as error:
        return Finding(what=what, ok=False, says=str(error), to_do=to_do)
    if answer.plan is None:
        return Finding(what=what, ok=False, says="; ".join(answer.contradictions) or "found no plan", to_do=to_do)
    wrong = check(problem, answer.plan)
    starts = sorted(placement.start for placement in answer.plan.placements)
    if wrong or starts != CHEAP_STARTS:
        says = wrong[0].what if wrong else f"two jobs start in slots {starts}, not in {CHEAP_STARTS}"
        return Finding(what=what, ok=False, says=f"its plan is wrong: {says}", to_do=to_do)
    says = f"two jobs placed in {time.monotonic() - began:.1f} s: {answer.plan.how}"
    return Finding(what=what, ok=True, says=says)


CHEAP_STARTS = [8, 12]


def two_jobs(settings: Settings) -> Problem:
    """16 slots, the last eight cheap; two jobs of four slots at 100 kW that stand in the dear ones."""
    power = (100.0, 100.0, 100.0, 100.0)
    jobs = tuple(
        ProblemJob(
            id=id,
            options=(Option(machine="m", power_kw=power),),
            as_is=Placement(job=id, machine="m", start=start),
            in_force=Placement(job=id, machine="m", start=start),
            must_end=16,
        )
        for id, start in (("a", 0), ("b", 4))
    )
    return Problem(
        site=settings.site.id,
        currency=settings.site.currency,
        zone=settings.site.zone,
        start=datetime(2026, 1, 1, tzinfo=UTC),
        step_minutes=15,
        slots=16,
        machines=(ProblemMachine(id="m"),),
        jobs=jobs,
        base_load_kw=(50.0,) * 16,
        pv_kw=(0.0,) * 16,
        import_limit_kw=1000.0,
        export_limit_kw=0.0,
        import_price=(1.0,) * 8 + (0.1,) * 8,
        export_price=(0.0,) * 16,
        price_published=(True,) * 16,
        carbon_kg_per_kwh=(0.3,) * 16,
    )


def program(kind: KindSettings, context: Context) -> Finding:
    """The events asked for once."""
    what, to_do = f"program {kind.kind}", "Mend what it names; the other events count all the same."
    try:
        made: Program = build(kind.group, kind.kind, kind.options, context)
        events = made.events()
    except LoadstoneError as error:
        return Finding(what=what, ok=False, says=str(error), to_do=to_do)
    bad = getattr(made, "bad", ())
    if bad:
        return Finding(what=what, ok=False, says="; ".join(map(str, bad)), to_do=to_do)
    return Finding(what=what, ok=True, says=f"{len(events)} events of its own")


def built(kind: KindSettings, context: Context) -> Finding:
    """Made from its settings; nothing is sent."""
    what = f"{kind.group.removesuffix('s')} {kind.kind}"
    try:
        build(kind.group, kind.kind, kind.options, context)
    except (LoadstoneError, ImportError, OSError) as error:
        return Finding(what=what, ok=False, says=str(error), to_do="Mend its settings in config.yaml.")
    return Finding(what=what, ok=True, says="ready (nothing was sent)")

"""One look at one meter as config.yaml would name it: its values now, the checks, and what would mend what fails."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from energy.clock import SystemClock
from energy.errors import ConfigError, LoadstoneError, MeterError
from energy.model.commissioning import FoundMeter
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Role
from energy.plugins import build, kind
from energy.ports import Context, MeterReader
from meters.modbus import Settings
from meters.quantities import MAIN
from meters.scan.counting import Poll
from meters.scan.fixes import Judged, fixes, judged
from meters.scan.modbus import PLACE, connected, expected_of, in_words
from meters.scan.physics import Expected, judge, score
from meters.scan.reading import How, Taken
from meters.scan.search import noted, patient, reading_of
from meters.scan.unit import Unit
from meters.scan.variants import elsewhere

TIMEOUT_SECONDS = 2.0
APART, LONG_AGO = timedelta(seconds=1), timedelta(minutes=10)


async def look(settings: Mapping[str, object], context: Context, before: deque[Taken]) -> FoundMeter:
    """What it says now. MeterError where it does not answer, LoadstoneError where the settings cannot be."""
    named = str(settings.get("kind", "modbus"))
    options = options_of(named, settings)
    if not isinstance(options, Settings):
        return await _by_reader(named, options, settings, context)
    how = How(
        profile=options.table(context.folder),
        ct_ratio=options.ct_ratio,
        invert=options.invert,
        shift=options.address_shift,
    )
    expected = expected_of(settings)
    async with connected(options.line(context.folder)) as bus:
        timeout = max(options.timeout_seconds, TIMEOUT_SECONDS)
        unit = Unit(patient(bus.read), options.unit, SystemClock(), timeout)
        made, taken = await looked(unit, how, expected, before)
    remember(before, taken)
    values = made.polls[-1].values
    return FoundMeter(
        settings=tuple(settings.items()),
        model=how.profile.name,
        confidence=how.profile.confidence,
        reading=reading_of(str(settings.get("id", "")), made.polls[-1]),
        checks=made.checks,
        fixes=fixes(made, list(before), expected),
        score=made.score,
        note=noted(made, how.profile) if values else "it answers, but has none of the registers of this table",
    )


async def looked(unit: Unit, how: How, expected: Expected, before: Sequence[Taken]) -> tuple[Judged, Taken]:
    """What a unit says in one way of reading; where that fails, the registers beside are taken too."""
    taken = await unit.take([how.profile])
    if not taken.words and unit.exhausted:
        raise MeterError(f"unit {unit.number} does not answer: is the unit number right, the meter on?")
    made = judged(how, [*before, taken], expected)
    if not made.failed and made.polls[-1].values:
        return made, taken
    beside = await unit.take(variant.how.profile for variant in elsewhere(how))
    taken = replace(taken, words={**beside.words, **taken.words})
    return judged(how, [*before, taken], expected), taken


def remember(before: deque[Taken], taken: Taken) -> None:
    """Keep what was taken, at most one in a second, and nothing of long ago: it may have been another load."""
    if len(before) > 1 and taken.at - before[-2].at < APART:
        before.pop()
    before.append(taken)
    while taken.at - before[0].at > LONG_AGO:
        before.popleft()


def options_of(named: str, settings: Mapping[str, object]) -> Any:
    """The settings of a kind; what says where the meter hangs is left out. LoadstoneError says what is wrong."""
    model = kind("meters", named).Settings
    own = {
        key: value
        for key, value in settings.items()
        if key != "display_kw" and (key in model.model_fields or key not in PLACE) and value is not None
    }
    try:
        return model.model_validate(own)
    except ValueError as error:
        raise LoadstoneError(in_words(error)) from error


async def _by_reader(named: str, options: Any, settings: Mapping[str, object], context: Context) -> FoundMeter:
    """A meter of another kind: what its reader says, held against the same laws."""
    meter = Meter(
        id=str(settings.get("id") or "meter"),
        name="",
        role=Role.SUB,
        measures=Measures.OTHER,
        connection_kw=float("inf"),
    )
    reader = build("meters", named, options, replace(context, meters=(meter,)))
    if not isinstance(reader, MeterReader):
        raise LoadstoneError(
            f"a meter of kind {named} tells by itself: keep it, and watch what comes on the Meters page"
        )
    try:
        reading = await reader.read()
        if reading.quality is ReadingQuality.NO_ANSWER:
            raise MeterError(reading.note)
        first = poll_of(reading)
        await asyncio.sleep(1.0)
        polls = [first, poll_of(await reader.read())]
    finally:
        await reader.close()
    checks = judge(polls, expected_of(settings))
    return FoundMeter(
        settings=tuple(settings.items()), reading=reading, checks=checks, score=score(checks), confidence=""
    )


def poll_of(reading: Reading) -> Poll:
    main = {"power": reading.power_kw, "total_import": reading.import_kwh, "total_export": reading.export_kwh}
    values = {name: value for name, value in main.items() if value is not None} | dict(reading.values)
    return Poll(at=reading.taken_at, values={name: values[name] for name in sorted(values, key=_main_first)})


def _main_first(name: str) -> tuple[bool, str]:
    return (name not in MAIN, name)


__all__ = ["ConfigError", "look"]

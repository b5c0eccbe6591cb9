"""One look at one meter as config.yaml would name it: its values now, the checks, and what would mend what fails."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from energy.clock import SystemClock
from energy.errors import LoadstoneError, MeterError
from energy.model.commissioning import FoundMeter
from energy.model.meter import Measures, ReadingQuality
from energy.plugins import build, kind
from energy.ports import Context, MeterReader
from meters.modbus import Settings
from meters.scan.counting import Poll
from meters.scan.fixes import Judged, fixes, judged
from meters.scan.modbus import PLACE, Memory, connected, expected_of, in_words
from meters.scan.physics import Expected, judge, score
from meters.scan.reading import How, Taken
from meters.scan.search import noted, patient, reading_of
from meters.scan.sunspec import poll_of, unknown
from meters.scan.unit import Unit
from meters.scan.variants import elsewhere

Moment = TypeVar("Moment", Taken, Poll)

TIMEOUT_SECONDS = 2.0
APART, LONG_AGO = timedelta(seconds=1), timedelta(minutes=10)


async def look(settings: Mapping[str, object], context: Context, memory: Memory) -> FoundMeter:
    """What it says now. MeterError where it does not answer, LoadstoneError where the settings cannot be."""
    named = str(settings.get("kind", "modbus"))
    options = options_of(named, settings)
    if not isinstance(options, Settings):
        return await _by_reader(named, options, settings, context, memory.polls)
    before = memory.taken
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


def remember(before: deque[Moment], taken: Moment) -> None:
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


async def _by_reader(
    named: str, options: Any, settings: Mapping[str, object], context: Context, before: deque[Poll]
) -> FoundMeter:
    """A meter of another kind: what its reader says, held against the same laws."""
    expected = expected_of(settings)
    meter = unknown(expected.measures or Measures.OTHER)
    reader = build("meters", named, options, replace(context, meters=(meter,)))
    if not isinstance(reader, MeterReader):
        raise LoadstoneError(
            f"a meter of kind {named} tells by itself: keep it, and watch what comes on the Meters page"
        )
    try:
        reading = await reader.read()
        if reading.quality is ReadingQuality.NO_ANSWER:
            raise MeterError(reading.note)
    finally:
        await reader.close()
    remember(before, poll_of(reading))
    checks = judge(before, expected)
    return FoundMeter(
        settings=tuple(settings.items()), reading=reading, checks=checks, score=score(checks), confidence=""
    )

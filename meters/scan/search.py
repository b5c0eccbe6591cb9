"""The search behind one address: units, then their models, then some seconds of watching, all on one connection."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from energy.clock import Clock
from energy.errors import MeterError
from energy.model.commissioning import FoundMeter
from energy.model.meter import Reading
from energy.model.meter import ReadingQuality as Q
from meters.bus import UnreachableError
from meters.profile import Profile
from meters.quantities import MAIN
from meters.scan.candidates import MOST_WATCHED, Candidate, Told, candidates, introduced, judged_as, ranked, twins
from meters.scan.counting import Poll
from meters.scan.fixes import Judged, fixes
from meters.scan.modbus import Wanted, connected
from meters.scan.physics import Expected
from meters.scan.reading import Taken
from meters.scan.sunspec import Speaker, speakers
from meters.scan.unit import Unit
from meters.scan.units import Ask, Hunt, Progress
from meters.sunspec.chain import Asked
from meters.sunspec.tables import devices

POLL_SECONDS = 1.0  # between two polls of a meter that is watched
PATIENT = 2.0  # times the pace of the hunt: the first answer to a long read takes longer
HUNTING = 0.85  # share of the progress; the rest is watching


@dataclass
class Suspect:
    """A unit that answers: what is known of it so far."""

    unit: Unit
    told: Told = field(default_factory=Told)
    taken: list[Taken] = field(default_factory=list)
    found: list[Candidate] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)  # where it speaks SunSpec: it says itself what lies where


class Search:
    """Finds, identifies, watches. `results` gives what is known at any time, also where it was ended early."""

    def __init__(self, tables: Mapping[str, Profile], clock: Clock, progress: Progress) -> None:
        self._tables = tables
        self._clock = clock
        self._progress = progress
        self._wanted: Wanted | None = None
        self._suspects: list[Suspect] = []
        self.hunt: Hunt | None = None
        self.ended_early = False

    async def run(self, wanted: Wanted) -> None:
        self._wanted = wanted
        usual = sorted({t.usual_unit for t in self._tables.values()} | {d.usual_unit for d in devices().values()})
        async with connected(wanted.line) as bus:
            self.hunt = Hunt(patient(bus.read), wanted.units, usual, wanted.timeout_seconds)
            async for number in self.hunt.run(lambda share, what: self._progress(HUNTING * share, what)):
                timeout = max(PATIENT * self.hunt.pace.timeout, wanted.timeout_seconds)
                suspect = Suspect(unit=Unit(patient(bus.read), number, self._clock, timeout))
                self._suspects.append(suspect)
                await self._name(suspect, bus, timeout)
            if not self._suspects:
                asked = f"no unit answered ({self.hunt.asked} asked)"
                raise MeterError(f"{wanted.line.address} can be reached, but {asked}: {HELP}")
            await self._watch(wanted.watch_seconds)
            for suspect in self._suspects:
                for speaker in suspect.speakers:
                    await speaker.reader.close()
            self._progress(1.0, "done")

    async def _name(self, suspect: Suspect, bus: Asked, timeout: float) -> None:
        wanted, number = self._wanted, suspect.unit.number
        if wanted is not None and not wanted.profile:
            suspect.speakers = await speakers(bus, number, wanted.line, self._where(number), self._clock, timeout)
        for speaker in suspect.speakers:
            await speaker.listen()
        if suspect.speakers:
            return
        suspect.told = await introduced(suspect.unit, self._tables)
        tables = {name: self._tables[name] for name in suspect.told.proven} or self._tables
        suspect.found, taken = await candidates(suspect.unit, tables, Expected())
        suspect.taken.append(taken)

    async def _watch(self, seconds: float) -> None:
        """Polls the best candidates of all units in turn, so that counters can be held against power."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        watched = [suspect for suspect in self._suspects if suspect.found or suspect.speakers]
        while watched and (gone := loop.time() - began) < seconds:
            self._progress(HUNTING + (1 - HUNTING) * gone / seconds, "counters against power")
            due = loop.time() + min(POLL_SECONDS, seconds)
            for suspect in watched:
                for speaker in suspect.speakers:
                    await speaker.listen()
                if suspect.found:
                    suspect.taken.append(await suspect.unit.take(c.profile for c in suspect.found[:MOST_WATCHED]))
            await asyncio.sleep(max(0.0, due - loop.time()))

    def results(self) -> list[FoundMeter]:
        """Everything that answered; what could be told apart first."""
        made = [found for suspect in self._suspects for found in self._results(suspect)]
        return sorted(made, key=lambda found: -1.0 if found.score is None else found.score, reverse=True)

    def _results(self, suspect: Suspect) -> list[FoundMeter]:
        if suspect.speakers:
            return [speaker.found(self._where(suspect.unit.number)) for speaker in suspect.speakers]
        return [self._result(suspect)]

    def _result(self, suspect: Suspect) -> FoundMeter:
        number = suspect.unit.number
        if not suspect.taken:
            return self._nameless(number, "the scan was ended before it was looked at")
        if not suspect.found:
            return self._nameless(number, "it answers, but none of the known tables fits: " + NO_TABLE, suspect.told)
        again = suspect.found[:MOST_WATCHED]
        best, *others = ranked([judged_as(c.name, c.profile, suspect.taken, Expected()) for c in again])
        if not best.judged.checks:
            return self._nameless(number, "it answers, but none of the known tables fits: " + NO_TABLE, suspect.told)
        return FoundMeter(
            settings=(*self._where(number), ("profile", best.name)),
            maker=suspect.told.maker or best.profile.name.split(" ", maxsplit=1)[0],
            model=suspect.told.model or best.profile.name,
            serial=suspect.told.serial,
            identified=best.name in suspect.told.proven,
            confidence=best.profile.confidence,
            reading=reading_of(str(number), best.judged.polls[-1]),
            checks=best.judged.checks,
            fixes=fixes(best.judged, suspect.taken, Expected()),
            score=best.judged.score,
            others=twins(best, [*others, *suspect.found[MOST_WATCHED:]]),
            note=noted(best.judged, best.profile, self._any_unit),
        )

    @property
    def _any_unit(self) -> bool:
        return self.hunt is not None and self.hunt.any_unit

    def _where(self, unit: int) -> tuple[tuple[str, object], ...]:
        lines = self._wanted.lines if self._wanted is not None else ()
        return (("kind", "modbus"), *lines, ("unit", unit))

    def _nameless(self, unit: int, note: str, told: Told | None = None) -> FoundMeter:
        said = told or Told()
        return FoundMeter(settings=self._where(unit), maker=said.maker, model=said.model, serial=said.serial, note=note)


HELP = (
    "is Modbus switched on in the device, the unit number outside of the range, "
    "the serial line behind the gateway wired and set up?"
)
NO_TABLE = "write one from the list of its registers, in ten minutes and without code (meters/profiles/README.md)"


def reading_of(meter: str, poll: Poll) -> Reading:
    """What a poll said, as a reading."""
    said = poll.values
    return Reading(
        meter=meter,
        taken_at=poll.at,
        power_kw=said.get("power"),
        import_kwh=said.get("total_import"),
        export_kwh=said.get("total_export"),
        quality=Q.GOOD if said else Q.NO_ANSWER,
        values=tuple((name, value) for name, value in said.items() if name not in MAIN),
    )


def noted(judged: Judged, profile: Profile, any_unit: bool = False) -> str:
    """What else one has to know: how much could not be tried, and what the table itself warns of."""
    still = [check.name for check in judged.checks if check.ok is None]
    parts = []
    if still:
        parts.append(f"{len(still)} of {len(judged.checks)} checks could not be made ({', '.join(still)})")
    if any_unit:
        parts.append("it answers whatever unit is asked")
    if profile.note:
        parts.append(profile.note)
    return ". ".join(part[0].upper() + part[1:].rstrip(".") for part in parts) + "." if parts else ""


def patient(ask: Ask) -> Ask:
    """The same question after the pause of a connection that broke; a host that refuses twice is not there."""

    async def again(unit: int, code: int, start: int, count: int, timeout: float) -> list[int]:
        for pause in (0.7, 1.5):
            try:
                return await ask(unit, code, start, count, timeout)
            except UnreachableError:
                await asyncio.sleep(pause)
        return await ask(unit, code, start, count, timeout)

    return again

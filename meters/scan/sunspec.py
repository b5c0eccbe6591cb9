"""Devices that say themselves where their values lie: found by their chain of models, and held against the same laws."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from energy.clock import Clock
from energy.errors import MeterError
from energy.model.commissioning import FoundMeter
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Role
from energy.ports import MeterReader
from meters.line import Line
from meters.quantities import MAIN
from meters.scan.counting import Poll
from meters.scan.physics import Expected, judge, score
from meters.sunspec import Settings
from meters.sunspec.chain import Asked, Model, discover
from meters.sunspec.reader import SunSpecReader
from meters.sunspec.tables import Reads, tables

FLOWS: dict[Reads, Measures] = {"meter": Measures.OTHER, "inverter": Measures.PV, "storage": Measures.BATTERY}
SETTLES = timedelta(milliseconds=900)


@dataclass
class Speaker:
    """One of the things that a SunSpec device tells of: its meter, its inverter, its battery."""

    reads: Reads
    model: Model
    reader: MeterReader
    polls: list[Poll] = field(default_factory=list)
    last: Reading | None = None

    async def listen(self) -> None:
        """Ask once more."""
        reading = await self.reader.read()
        if reading.quality is ReadingQuality.NO_ANSWER:
            return
        if len(self.polls) > 1 and reading.taken_at - self.polls[-1].at < SETTLES:
            return
        self.last = reading
        self.polls.append(poll_of(reading))

    def found(self, where: Sequence[tuple[str, object]]) -> FoundMeter:
        checks = judge(self.polls, Expected(measures=FLOWS[self.reads]))
        device = self.model.device
        table = tables().of(self.model.id)
        kind = table.name if table is not None else self.reads
        lines = [(key, value) for key, value in where if key not in ("kind", "profile")]
        return FoundMeter(
            settings=(("kind", "sunspec"), *lines, ("profile", "sunspec"), ("reads", self.reads)),
            maker=device.maker,
            model=" ".join(word for word in (device.maker, device.model) if word) or f"SunSpec {kind}",
            serial=device.serial,
            identified=True,
            confidence=f"SunSpec model {self.model.id}, {kind}",
            reading=self.last,
            checks=checks,
            score=score(checks),
            note="" if self.polls else "it has this model, but tells neither power nor counters now",
        )


async def speakers(
    bus: Asked, unit: int, line: Line, where: Sequence[tuple[str, object]], clock: Clock, timeout: float
) -> list[Speaker]:
    """What a unit tells of, if it speaks SunSpec; nothing where it does not."""
    try:
        models = await discover(bus, unit, timeout=timeout)
    except MeterError:
        return []
    there = {model.id: model for model in reversed(models)}
    made = []
    for reads, groups in tables().reads.items():
        group = next((ids for ids in groups if all(id in there for id in ids)), None)
        if group is not None:
            said = {key: value for key, value in where if key != "kind"} | {"unit": unit, "reads": reads}
            settings = Settings.model_validate(said | {"timeout_seconds": max(timeout, 1.0)})
            flows = FLOWS[reads]
            reader = SunSpecReader(unknown(flows), settings, clock, line)
            made.append(Speaker(reads=reads, model=there[group[0]], reader=reader))
    return made


def unknown(measures: Measures = Measures.OTHER) -> Meter:
    """A meter of which nothing is known but what flows through it."""
    return Meter(id="meter", name="", role=Role.SUB, measures=measures, connection_kw=float("inf"))


def poll_of(reading: Reading) -> Poll:
    """What a reading says, by the names of the quantities."""
    main = {"power": reading.power_kw, "total_import": reading.import_kwh, "total_export": reading.export_kwh}
    values = {name: value for name, value in main.items() if value is not None} | dict(reading.values)
    return Poll(at=reading.taken_at, values={name: values[name] for name in sorted(values, key=_main_first)})


def _main_first(name: str) -> tuple[bool, str]:
    return (name not in MAIN, name)

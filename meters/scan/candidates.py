"""Which table fits a unit: what it says of itself where it does, else the one whose values obey the most laws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meters.batching import Batch
from meters.profile import Profile
from meters.scan.fixes import Judged, judged, mended
from meters.scan.physics import Expected, evidence
from meters.scan.reading import How, Taken
from meters.scan.unit import Probe, Unit, probes
from meters.scan.variants import elsewhere

MOST_TRIED = 8  # tables that are read in full
MOST_WATCHED = 3  # of these, how many are polled again for their counters
MISTAKE = 2.0  # what a table loses that needs a fix to fit
CLOSE = 0.5  # evidence by which two tables are told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a device said of itself. `proven` are the tables that it fits by its own word, with its model."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    proven: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A table, and what its values say of it."""

    name: str
    profile: Profile
    judged: Judged
    worth: float  # the evidence for it, or, where that is more, what it would be with one usual mistake mended


async def introduced(unit: Unit, tables: Mapping[str, Profile]) -> Told:
    """Asks for what devices tell of themselves; each register once, alone."""
    said: dict[tuple[int, Batch], list[int] | None] = {}
    proven: list[str] = []
    found: dict[str, str] = {}
    for name, profile in tables.items():
        for mark in (mark for mark in profile.identify if mark.proves):
            code, batch = profile.place_of(mark)
            if (code, batch) not in said:
                said[code, batch] = await unit.registers(code, batch)
            words = said[code, batch]
            told = mark.told(words, low_word_first=profile.low_word_first) if words else None
            if told is not None:
                proven += [name] if name not in proven else []
                found.setdefault(mark.tells, told)
    for name in proven:
        for mark in (mark for mark in tables[name].identify if not mark.proves):
            code, batch = tables[name].place_of(mark)
            words = await unit.registers(code, batch) if mark.tells not in found else None
            told = mark.told(words, low_word_first=tables[name].low_word_first) if words else None
            if told is not None:
                found[mark.tells] = told
    kept = {key: found.get(key, "") for key in ("maker", "model", "serial")}
    return Told(proven=tuple(proven), **kept)


async def candidates(unit: Unit, tables: Mapping[str, Profile], expected: Expected) -> tuple[list[Candidate], Taken]:
    """The tables that may fit, best first, after one poll. Where none does, tables that are one register off."""
    likely = await _likely(unit, tables)
    found, taken = await _tried(unit, {name: tables[name] for name in likely}, expected)
    if any(candidate.judged.checks and not candidate.judged.failed for candidate in found):
        return found, taken
    moved = {(name, v.settings): v.how.profile for name, table in tables.items() for v in elsewhere(How(profile=table))}
    beside = await _likely(unit, {f"{name} {settings}": table for (name, settings), table in moved.items()})
    names = list(dict.fromkeys(text.split(" ", 1)[0] for text in beside))
    known = {c.name for c in found}
    more, again = await _tried(unit, {name: tables[name] for name in names if name not in known}, expected)
    return ranked([*found, *more]), Taken(at=taken.at, words={**taken.words, **again.words})


async def _likely(unit: Unit, tables: Mapping[str, Profile]) -> list[str]:
    """The tables whose first number can be one, however its words lie; those that prove more first."""
    said: dict[tuple[int, Batch], list[int] | None] = {}
    points: dict[str, float] = {}
    for name, profile in tables.items():
        for probe in probes(profile):
            at = (probe.code, probe.batch)
            if at not in said:
                said[at] = await unit.registers(*at)
            words = said[at]
            if words and _can_be(profile, probe, words):
                points[name] = points.get(name, 0.0) + _worth(probe)
    return sorted(points, key=lambda name: (-points[name], -len(tables[name].registers)))[:MOST_TRIED]


def _can_be(profile: Profile, probe: Probe, words: Sequence[int]) -> bool:
    lying = {(probe.code, probe.batch.start + i): word for i, word in enumerate(words)}
    orders = ("high first", "low first") if len(words) > 1 else (profile.word_order,)
    for order in orders:
        value = How(profile=profile.model_copy(update={"word_order": order})).values(lying).get(probe.name)
        if value is not None and _plausible(probe.name, value):
            return True
    return False


def _plausible(name: str, value: float) -> bool:
    if name == "frequency":
        return any(abs(value * ten - net) <= 2 for ten in (0.1, 1, 10, 100) for net in (50, 60))
    if name == "voltage_l1":
        return any(80 <= value * ten <= 530 for ten in (0.1, 1, 10)) or 3_000 <= value <= 40_000
    if name == "power":
        return 1e-3 < abs(value) < 1e5
    return 1e-2 < value < 1e8


def _worth(probe: Probe) -> float:
    return {"frequency": 2.0, "voltage_l1": 2.0, "power": 0.6, "total_import": 0.5}[probe.name]


async def _tried(unit: Unit, tables: Mapping[str, Profile], expected: Expected) -> tuple[list[Candidate], Taken]:
    taken = await unit.take(tables.values())
    return ranked([judged_as(name, table, [taken], expected) for name, table in tables.items()]), taken


def judged_as(name: str, table: Profile, taken: Sequence[Taken], expected: Expected) -> Candidate:
    made = judged(How(profile=table), taken, expected)
    worth = evidence(made.checks)
    if made.failed:
        worth = max([worth, *(at_best - MISTAKE for at_best in mended(made, taken, expected))])
    return Candidate(name=name, profile=table, judged=made, worth=worth)


def ranked(found: Sequence[Candidate]) -> list[Candidate]:
    """Best first: the more laws hold, the more quantities are there, the more sources the table has."""

    def rank(one: Candidate) -> tuple[float, float, float]:
        values = one.judged.polls[-1].values if one.judged.polls else {}
        share = len(values) / max(len(one.profile.registers), 1)
        return (-one.worth, -(len(values) if share > 0.5 else 0), -len(one.profile.sources))

    said = [one for one in found if one.judged.polls and one.judged.polls[-1].values]
    return sorted(said, key=rank)


def twins(best: Candidate, others: Sequence[Candidate]) -> tuple[str, ...]:
    """Tables that fit as well: the same registers, or a part of them."""
    return tuple(c.name for c in others if c.name != best.name and c.worth > best.worth - CLOSE)

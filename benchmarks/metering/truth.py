"""Whether intervals tell the truth: `python -m benchmarks.metering.truth --readings 1000000 --seed 1`.

Many small plants (benchmarks/metering/field.py) are metered with all the faults of the field; what the watch and the
intervals make of it is held against what really flowed. A value is an error if it is further off than a step of the counter
and what flowed between the true stands around its edges; the sums over neighbouring known intervals likewise. Ends with 1
where a value is wrong, or where less was known than could be.
"""

import argparse
import sys
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from benchmarks.metering.field import HOUR, Field, Told
from energy.metering import intervals
from energy.model.horizon import Horizon
from energy.model.meter import Exchange, IntervalEnergy, Measures, Meter, Quality, Reading, ReadingQuality, Role
from meters.plausible import Watch

START = datetime(2026, 3, 28, tzinfo=UTC)
SLOT = 900.0
LEAST_KNOWN = 0.98  # of the intervals that could be known
NEAR = 6  # true stands to each side of an edge, from which a careful reader may have worked it out


@dataclass
class Verdict:
    """What came out of one run, or of many."""

    readings: int = 0
    slots: int = 0
    knowable: int = 0
    known_of_knowable: int = 0
    known_kwh: float = 0.0
    true_kwh: float = 0.0  # of the same intervals
    wrong: list[str] = field(default_factory=list)
    qualities: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    suspect: int = 0
    suspect_true: int = 0  # of them, answers that were right

    @property
    def known(self) -> float:
        return self.known_of_knowable / self.knowable if self.knowable else 1.0

    def add(self, other: "Verdict") -> None:
        for name in (
            "readings",
            "slots",
            "knowable",
            "known_of_knowable",
            "known_kwh",
            "true_kwh",
            "suspect",
            "suspect_true",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong
        self.qualities += other.qualities
        self.faults += other.faults


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def meter_of(plant: Field) -> Meter:
    return Meter(
        id="m",
        name="m",
        role=Role.SUB,
        measures=Measures.MACHINE,
        connection_kw=plant.connection_kw,
        rollover_kwh=plant.width,
    )


def reading_of(told: Told) -> Reading:
    quality = ReadingQuality.GOOD if told.answered else ReadingQuality.NO_ANSWER
    if not told.answered:
        return Reading(meter="m", taken_at=at(told.wall), quality=quality)
    return Reading(
        meter="m",
        taken_at=at(told.wall),
        import_kwh=told.stands.get("import"),
        export_kwh=told.stands.get("export"),
        power_kw=told.kw,
        quality=quality,
    )


def exchanges_of(plant: Field) -> list[Exchange]:
    return [
        Exchange(
            id=str(number),
            meter="m",
            at=at(change.reported),
            old_import_kwh=change.before["import"],
            new_import_kwh=change.after["import"],
            old_export_kwh=change.before.get("export"),
            new_export_kwh=change.after.get("export"),
            reported_at=at(change.reported + HOUR),
        )
        for number, change in enumerate(plant.changes)
        if change.written
    ]


def kept(plant: Field) -> tuple[list[Reading], list[Told]]:
    """What the store has of a plant, and the answers behind it, in the order in which they came."""
    watch = Watch(meter_of(plant))
    store: dict[datetime, Reading] = {}
    answers: list[Told] = []
    newest: Reading | None = None
    for told in plant.told():
        answers.append(told)
        if told.restart:
            watch = Watch(meter_of(plant), newest)
        reading = watch.judge(reading_of(told), told.steady)
        if reading.taken_at not in store:
            store[reading.taken_at] = reading
            if reading.quality.counts and (newest is None or reading.taken_at > newest.taken_at):
                newest = reading
    return list(store.values()), answers


def measured(plant: Field) -> Verdict:
    """One plant, all its readings at once."""
    readings, answers = kept(plant)
    slots = int(max(told.wall for told in answers) // SLOT) + 2
    first = int(min(told.wall for told in answers) // SLOT) - 1
    horizon = Horizon(at(first * SLOT), slots - first)
    made = intervals(readings, meter_of(plant), horizon, exchanges=exchanges_of(plant))
    return judged(plant, readings, answers, made, (first, slots))


def judged(
    plant: Field,
    readings: Sequence[Reading],
    answers: Sequence[Told],
    made: Iterable[IntervalEnergy],
    span: tuple[int, int],
) -> Verdict:
    """What was made, held against what flowed."""
    verdict = Verdict(readings=len(answers), faults=plant.faults, slots=span[1] - span[0])
    doubted = {r.taken_at for r in readings if r.quality is ReadingQuality.SUSPECT}
    verdict.suspect = len(doubted)
    verdict.suspect_true = sum(told.true and at(told.wall) in doubted for told in answers)
    found = {round((one.start - START).total_seconds() / SLOT): one for one in made}
    verdict.qualities.update(str(one.quality) for one in found.values())
    for name in plant.curves:
        Truth(plant, name, answers).hold(found, verdict, span)
    return verdict


class Truth:
    """One counter of a plant as nobody in the plant can know it."""

    def __init__(self, plant: Field, name: str, answers: Sequence[Told]) -> None:
        self._plant, self._name = plant, name
        self._curve = plant.curves[name]
        right = [t for t in answers if t.true and t.answered and t.stands.get(name) is not None]
        self._shown = {told.real: told.stands[name] or 0.0 for told in right}
        self._stands = sorted(self._shown)
        self._moves = [b for a, b in pairwise(self._stands) if self._shown[a] != self._shown[b]]
        self._decided = min(self._moves[-10], self._stands[-1] - 600) if len(self._moves) > 10 else 0.0
        self._possible = sorted(self._misleading(answers))
        self._edges = [real for real, _ in plant.offsets]
        written = {c.real for c in plant.changes if c.written}
        self._breaks = sorted({c.real for c in plant.changes} - written)
        self._steps = plant.twice_or_never

    def _misleading(self, answers: Sequence[Told]) -> Iterable[float]:
        """When answers were wrong in a way that nobody can see: between the true stands before and after."""
        for told in answers:
            stand = told.stands.get(self._name)
            if told.true or not told.answered or stand is None:
                continue
            i = bisect_left(self._stands, told.real)
            if 0 < i < len(self._stands):
                before, after = self._shown[self._stands[i - 1]], self._shown[self._stands[i]]
                if before <= stand <= after or (after < before and not after < stand < before):
                    yield told.real

    def hold(self, found: dict[int, IntervalEnergy], verdict: Verdict, span: tuple[int, int]) -> None:
        run: list[tuple[int, float, Quality]] = []
        for slot in range(*span):
            one = found.get(slot)
            kwh = None if one is None else (one.import_kwh if self._name == "import" else one.export_kwh)
            if one is not None and (kwh is None) != (one.quality is Quality.MISSING) and self._name == "import":
                verdict.wrong.append(self._say(slot, f"is {one.quality} with {kwh} kWh"))
            if self._knowable(slot):
                verdict.knowable += 1
                verdict.known_of_knowable += kwh is not None
            if self._real(slot * SLOT + SLOT) > self._decided:
                kwh = None  # a meter that froze at no power is seen when it has moved again for a while
            if kwh is None or one is None:
                self._sum(run, verdict)
                run = []
                continue
            if self._shown_oddly(slot):
                verdict.wrong.append(self._say(slot, f"{kwh:.3f} kWh in a time that the clock showed twice or never"))
                continue
            self._one(slot, kwh, one.quality, verdict)
            if run and self._real(run[-1][0] * SLOT + SLOT) != self._real(slot * SLOT):
                self._sum(run, verdict)
                run = []
            run.append((slot, kwh, one.quality))
        self._sum(run, verdict)

    def _one(self, slot: int, kwh: float, quality: Quality, verdict: Verdict) -> None:
        true = self._true(slot, slot + 1)
        verdict.known_kwh += kwh
        verdict.true_kwh += true
        if quality in (Quality.MEASURED, Quality.INTERPOLATED):
            most = self._off(slot, quality) + self._off(slot + 1, quality)
            if abs(kwh - true) > most:
                verdict.wrong.append(
                    self._say(slot, f"{kwh:.4f} kWh {quality}, true {true:.4f}, may be off {most:.4f}")
                )

    def _sum(self, run: list[tuple[int, float, Quality]], verdict: Verdict) -> None:
        """Neighbouring intervals add up to what flowed, whatever the shape."""
        if not run:
            return
        first, last = run[0][0], run[-1][0] + 1
        total, true = sum(kwh for _, kwh, _ in run), self._true(first, last)
        most = self._off(first, run[0][2]) + self._off(last, run[-1][2]) + 1e-6 * len(run)
        # People write down whole steps as the meter shows them: each exchange may cost one.
        most += self._plant.step * sum(first * SLOT - 600 <= c.wall <= last * SLOT + 600 for c in self._plant.changes)
        if abs(total - true) > most:
            said = f"{total:.4f} kWh in {len(run)} intervals, true {true:.4f}, may be off {most:.4f}"
            verdict.wrong.append(self._say(first, said))

    def _off(self, edge: int, quality: Quality) -> float:
        """How far off the counter at an edge may be: a step, and what flowed near it (within 5 s of a stand at the edge;
        between the true stands next to it else)."""
        real, step = self._real(edge * SLOT), self._plant.step
        if quality is Quality.MEASURED and not self._near_misleading(real):
            left, right = real - 5.5, real + 5.5
            near = self._flow(*self._around(self._stands, real, 2))
            return self._most(left, real, right) + step + near
        left, right = self._around(self._moves, real, NEAR)
        return self._most(min(left, real - SLOT), real, max(right, real + SLOT)) + step

    def _around(self, stands: list[float], real: float, count: int) -> tuple[float, float]:
        """The stands so many to each side of a moment."""
        i = bisect_left(stands, real)
        left, right = i - count, i + count - 1
        return (stands[left] if left >= 0 else 0.0), (stands[right] if right < len(stands) else self._stands[-1])

    def _flow(self, left: float, right: float) -> float:
        """What the line between two stands may be off within 5.5 s of one of them (or between their neighbours, where
        one of the two was not believed)."""
        return (self._curve.kwh(right) - self._curve.kwh(left)) * min(1.0, 5.5 / self._plant.every)

    def _most(self, left: float, real: float, right: float) -> float:
        return max(
            self._curve.kwh(right) - self._curve.kwh(real), self._curve.kwh(real) - self._curve.kwh(max(0.0, left))
        )

    def _near_misleading(self, real: float) -> bool:
        i = bisect_left(self._possible, real - 5.5)
        return i < len(self._possible) and self._possible[i] <= real + 5.5

    def _true(self, first: int, last: int) -> float:
        return self._curve.kwh(self._real(last * SLOT)) - self._curve.kwh(self._real(first * SLOT))

    def _real(self, wall: float) -> float:
        """When it was that the host's clock showed a time (outside of what it showed twice or never)."""
        for real, offset in reversed(self._plant.offsets):
            if wall - offset >= real:
                return max(0.0, wall - offset)
        return max(0.0, wall)

    def _shown_oddly(self, slot: int) -> bool:
        start, end = slot * SLOT, (slot + 1) * SLOT
        every = self._plant.every
        return any(start < b - every - 5.5 and a + every + 5.5 < end for a, b in self._steps)  # to the nearest answer

    def _knowable(self, slot: int) -> bool:
        """Whether true answers stand around it with no break between them that nobody wrote down."""
        start, end = slot * SLOT, (slot + 1) * SLOT
        if any(start < b + SLOT and a - SLOT < end for a, b in self._steps):
            return False
        left = bisect_right(self._stands, self._real(start) + 5) - 1
        right = bisect_left(self._stands, self._real(end) - 5)
        if left < 0 or right >= len(self._stands) or self._stands[right] > self._decided:
            return False
        a, b = self._stands[left], self._stands[right]
        return not any(a <= change <= b for change in self._breaks) and not any(
            a <= real <= b for real in self._edges[1:]
        )

    def _say(self, slot: int, what: str) -> str:
        return f"seed {self._plant.seed}, {self._name}, {at(slot * SLOT):%m-%d %H:%M}: {what}"


def fuzz(seed: int, readings: int, each: int = 20_000) -> Verdict:
    """So many readings, a new plant every `each`."""
    total = Verdict()
    while total.readings < readings:
        total.add(measured(Field(seed, min(each, readings))))
        seed += 1
    return total


def told_of(verdict: Verdict) -> list[str]:
    lines = [
        f"{verdict.readings:,} readings, {verdict.slots:,} intervals",
        f"wrong values: {len(verdict.wrong)}",
        f"known: {100 * verdict.known:.2f} % of {verdict.knowable:,} that could be known",
        f"their energy: {verdict.known_kwh:,.1f} kWh, true {verdict.true_kwh:,.1f} kWh",
        f"quarantined: {verdict.suspect:,} readings, of them {verdict.suspect_true:,} right",
        "qualities: " + ", ".join(f"{name} {count:,}" for name, count in verdict.qualities.most_common()),
        "faults: " + ", ".join(f"{name} {count:,}" for name, count in sorted(verdict.faults.items())),
    ]
    return lines + verdict.wrong[:30]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20_000, help="readings of a plant")
    said = parser.parse_args()
    began = time.process_time()
    verdict = fuzz(said.seed, said.readings, said.each)
    for line in told_of(verdict):
        print(line)
    print(f"{time.process_time() - began:.0f} s CPU")
    return 1 if verdict.wrong or verdict.known < LEAST_KNOWN else 0


if __name__ == "__main__":
    sys.exit(main())

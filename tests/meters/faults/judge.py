"""Plays a fault on a plant, and judges what the readers made of it."""

import asyncio
from collections.abc import Sequence

from energy.model.meter import ReadingQuality
from tests.meters.faults import loop
from tests.meters.faults.plant import POLL_SECONDS, VICTIM, Asked, bank, reader, settings, tick, told
from tests.meters.faults.result import FaultResult
from tests.meters.faults.server import Framing, Server
from tests.meters.faults.table import SCENARIOS, Scenario
from tests.meters.faults.values import ODDITIES, shown

WELL_TICKS = 3  # before the fault
KEPT_SHARE = 0.95  # of the reads of healthy meters


async def played(scenario: Scenario, framing: Framing) -> FaultResult:
    """The fault, from the first good readings to those after it."""
    victims = frozenset({1, 2, 3} if scenario.whole_gateway else {VICTIM})
    units = (VICTIM,) if scenario.alone else (1, 2, 3)
    gateway = Server(
        framing=framing,
        units={unit: bank(unit) for unit in units},
        play=scenario.play,
        greet=scenario.greet,
        victims=victims,
    )
    elsewhere = Server(framing=framing, units={7: bank(7)})
    await gateway.start()
    await elsewhere.start()
    asked = [Asked(reader(settings(gateway, unit, framing, **scenario.said)), unit) for unit in units] + [
        Asked(reader(settings(elsewhere, 7, framing)), 7)
    ]
    stop = asyncio.Event()
    polls = [asyncio.create_task(one.poll_until(stop)) for one in asked]
    try:
        return await _watched(scenario, framing, gateway, asked)
    finally:
        stop.set()
        await asyncio.gather(*polls)
        await asyncio.gather(*(one.reader.close() for one in asked))
        await gateway.stop()
        await elsewhere.stop()


async def _watched(scenario: Scenario, framing: Framing, gateway: Server, asked: Sequence[Asked]) -> FaultResult:
    victim = asked[0]
    sick = [one for one in asked if (scenario.whole_gateway and one.unit != 7) or one is victim]
    healthy = [one for one in asked if one not in sick]
    await _end_of(tick() + WELL_TICKS)
    well = all(reading.quality is ReadingQuality.GOOD for one in asked for reading in one.readings)
    for one in asked:
        one.due = one.kept = 0
        one.readings.clear()
    gateway.requests.clear()
    gateway.broken = True
    if scenario.refuse:
        await gateway.stop()
    if scenario.greet is not Scenario.__dataclass_fields__["greet"].default:
        gateway.hang_up()
    await _end_of(tick() + scenario.ticks)
    share = victim.kept / max(1, victim.due)
    during = list(victim.readings)
    refused = sum(
        not _served(scenario, request.count, request.start) for request in gateway.requests if request.unit == VICTIM
    )
    gateway.broken = False
    if scenario.refuse:
        await gateway.start()
    ended = tick()
    recovered: int | None = None
    while tick() < ended + scenario.recovers_within + 5:
        await _end_of(tick() + 1)
        if all(one.readings and one.readings[-1].quality is ReadingQuality.GOOD for one in sick):
            recovered = tick() - ended
            break
    await _end_of(tick() + 3)
    kept = sum(one.kept for one in healthy) / max(1, sum(one.due for one in healthy))
    wrong = [value for one in asked for value in one.wrong]
    complaints = _complaints(scenario, share, kept, recovered, wrong, refused)
    if not well:
        complaints.insert(0, "not well before the fault")
    notes = [r.note for r in during if r.quality is not ReadingQuality.GOOD]
    complaints += [f"notes: {sorted(set(notes))[:3]}"] if complaints and notes else []
    lacking = [q for q in scenario.lacks if any(q in told(r) for r in during[2:] if r.quality is ReadingQuality.GOOD)]
    complaints += [f"{quantity} was told" for quantity in lacking]
    return FaultResult(
        name=f"{scenario.name} ({framing})",
        survived=not complaints,
        wrong_values=len(wrong),
        kept_share=kept,
        recovered=recovered,
        victim_share=share,
        complaints=tuple(complaints),
    )


def _served(scenario: Scenario, count: int, start: int) -> bool:
    """Whether a meter with a hole or a short breath could serve a read."""
    if "at most" in scenario.name:
        return count <= 5
    return not (scenario.lacks and start <= 14 < start + count)


def _complaints(
    scenario: Scenario, share: float, kept: float, recovered: int | None, wrong: Sequence[str], refused: int
) -> list[str]:
    found = [f"wrong: {value}" for value in wrong[:3]]
    if not scenario.least <= share <= scenario.most:
        found.append(f"{share:.0%} of the victim's reads, expected {scenario.least:.0%} to {scenario.most:.0%}")
    if kept < KEPT_SHARE:
        found.append(f"healthy meters keep only {kept:.0%}")
    if recovered is None or recovered > scenario.recovers_within:
        found.append(f"recovered after {recovered} polls, allowed are {scenario.recovers_within}")
    if scenario.refusals is not None and refused > scenario.refusals:
        found.append(f"{refused} reads that it had refused before, allowed are {scenario.refusals}")
    return found


async def _end_of(wanted: int) -> None:
    """The last moment of a tick: all that was due in it is done."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(max(0.0, (wanted + 1) * POLL_SECONDS - now - 0.01))


def run_table(only: str = "") -> dict[str, FaultResult]:
    """All faults at once, each on a plant of its own."""

    async def all_of_them() -> list[FaultResult]:
        chosen = [(s, framing) for s in SCENARIOS for framing in s.framings if only in s.name]
        plays = [played(scenario, framing) for scenario, framing in chosen]
        shows = [shown(odd, "tcp") for odd in ODDITIES if only in odd.name]
        return list(await asyncio.gather(*plays, *shows))

    return {result.name: result for result in loop.run(all_of_them())}

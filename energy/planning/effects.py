"""What the facts from the floor mean for a plan: closures, later starts, missing people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from energy.model.calendar import Closure
from energy.model.fact import Fact, FactKind
from energy.model.horizon import Interval
from energy.model.job import Cause

UNKNOWN_FOR = timedelta(hours=4)  # how long something of unknown length is taken to last, said aloud in the notes

CAUSES = {
    FactKind.MACHINE_DOWN: Cause.BREAKDOWN,
    FactKind.MATERIAL_LATE: Cause.MATERIAL,
    FactKind.CREW_MISSING: Cause.CREW,
    FactKind.RUSH_ORDER: Cause.RUSH_ORDER,
    FactKind.SCRAP: Cause.QUALITY,
    FactKind.QUALITY_HOLD: Cause.QUALITY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The facts of now, as limits of a plan. `earliest` maps a job to when its material is there."""

    closures: tuple[Closure, ...] = ()
    earliest: dict[str, datetime] = field(default_factory=dict)
    crews: tuple[tuple[str, Interval], ...] = ()  # (crew, when): the whole crew is missing
    notes: tuple[str, ...] = ()

    def closed(self, machine: str) -> tuple[Closure, ...]:
        return tuple(c for c in self.closures if c.machine == machine)


def until_of(fact: Fact, now: datetime) -> datetime:
    """When a fact is over: as reported, else some hours after now or its report, whichever is later."""
    return fact.until or max(fact.at, now) + UNKNOWN_FOR


def effects(facts: Sequence[Fact], now: datetime) -> Effects:
    """The facts as limits. A later fact on the same machine, job or crew takes the place of an earlier one; a "started"
    on a machine ends its breakdown."""
    down: dict[str, Fact] = {}
    material: dict[str, Fact] = {}
    crews: dict[str, Fact] = {}
    for fact in sorted(facts, key=lambda f: (f.at, f.reported_at)):
        match fact.kind:
            case FactKind.MACHINE_DOWN if fact.machine:
                down[fact.machine] = fact
            case FactKind.STARTED if fact.machine:
                down.pop(fact.machine, None)
            case FactKind.MATERIAL_LATE if fact.job:
                material[fact.job] = fact
            case FactKind.CREW_MISSING if fact.crew:
                crews[fact.crew] = fact
            case _:
                pass
    open_ended = [f for f in (*down.values(), *material.values(), *crews.values()) if f.until is None]
    return Effects(
        closures=tuple(
            Closure(machine=machine, interval=Interval(fact.at, max(fact.at, until_of(fact, now))), why="breakdown")
            for machine, fact in sorted(down.items())
            if until_of(fact, now) > now
        ),
        earliest={job: until_of(fact, now) for job, fact in sorted(material.items()) if until_of(fact, now) > now},
        crews=tuple(
            (crew, Interval(fact.at, max(fact.at, until_of(fact, now))))
            for crew, fact in sorted(crews.items())
            if until_of(fact, now) > now
        ),
        notes=tuple(
            f"{fact.kind} ({fact.machine or fact.job or fact.crew}): no end reported, taken as "
            f"{UNKNOWN_FOR.total_seconds() / 3600:.0f} h"
            for fact in open_ended
            if until_of(fact, now) > now
        ),
    )

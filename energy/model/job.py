"""Jobs: pieces of production orders that draw power on a machine, and when production plans them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy.model.calendar import Attended
from energy.model.horizon import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to run a job: on a machine, for so long, at a power. `power_kw` are the mean powers of equal parts of
    the run, the load of the job alone (above the machine's idle power)."""

    machine: str
    minutes: int
    power_kw: tuple[float, ...]
    name: str = ""  # tells two ways on one machine apart ("eco")

    @property
    def energy_kwh(self) -> float:
        return sum(self.power_kw) / len(self.power_kw) * self.minutes / 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """People that a job needs: so many with a skill, the whole run or at its ends."""

    skill: str
    people: int = 1
    attended: Attended = Attended.RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """A job may start only so long after another has ended, and no later than `at_most` after it."""

    job: str
    at_least_minutes: int = 0
    at_most_minutes: int | None = None


class JobState(StrEnum):
    RELEASED = "released"
    RUNNING = "running"
    FINISHED = "finished"
    HELD = "held"  # quality hold: may not start until lifted
    CANCELLED = "cancelled"
    GONE = "gone"  # no longer in the production plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the production plan says it, one revision of it. Times are UTC.

    `planned_start` and `planned_machine` are production's own; None where production does not say.
    `earliest` is when material and predecessors are there at the soonest, `due` when it must have ended.
    """

    id: str
    order: str
    product: str
    quantity: float
    unit: str
    modes: tuple[Mode, ...]
    due: datetime
    earliest: datetime | None = None
    planned_start: datetime | None = None
    planned_machine: str | None = None
    needs: tuple[Need, ...] = ()
    follows: tuple[Follows, ...] = ()
    flexible: bool = True  # False: production alone decides when it runs
    priority: int = 0  # higher is more urgent
    late_price_per_hour: float = 500.0
    move_price: float = 2.0
    state: JobState = JobState.RELEASED
    revision: int = 1

    def mode(self, machine: str, name: str = "") -> Mode:
        """The way to run on a machine; KeyError names what there is."""
        for mode in self.modes:
            if mode.machine == machine and mode.name == name:
                return mode
        raise KeyError(f"job {self.id} cannot run on {machine} {name}".rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A job's place in a plan: machine, way and time."""

    job: str
    machine: str
    start: datetime
    end: datetime
    mode: str = ""

    @property
    def interval(self) -> Interval:
        return Interval(self.start, self.end)


class Cause(StrEnum):
    """Why production (never Loadstone) put a job where as-is has it."""

    RELEASED = "released"  # as first planned
    ASSUMED = (
        "assumed"  # the order had no start: what the plant would do by itself; savings against it are a class apart
    )
    REPLANNED = "replanned by production"
    RUSH_ORDER = "rush order"
    BREAKDOWN = "breakdown"
    MATERIAL = "material late"
    CREW = "crew missing"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsIsEntry:
    """One job of the as-is plan, frozen: only production changes it, with the cause, by a new entry."""

    planned: Planned
    revision: int
    cause: Cause
    frozen_at: datetime

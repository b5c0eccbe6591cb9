"""The problem that a plan answers: everything it depends on, as plain numbers over the slots of one horizon.

A problem needs no calendar, no database and no network: windows, crews, prices and closures are already resolved to
slots. Slot k is [start + k·step, start + (k+1)·step). It is the body of a problem file (`docs/problem.schema.json`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from energy.model.calendar import Attended
from energy.model.horizon import Horizon
from energy.model.site import BatteryRule

FORMAT = "loadstone-problem/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to run a job: on a machine, drawing `power_kw[i]` (mean) in the i-th slot of the run. The number of
    powers is the duration in slots."""

    machine: str
    power_kw: tuple[float, ...]
    mode: str = ""

    @property
    def slots(self) -> int:
        return len(self.power_kw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a plan puts a job: machine, mode, and the slot it starts in (negative: it began before the horizon)."""

    job: str
    machine: str
    start: int
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """The job may start at the earliest `min_slots` after the end of another, and at the latest `max_slots` after."""

    job: str
    min_slots: int = 0
    max_slots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewNeed:
    """So many people with a skill, during the run or at its ends."""

    skill: str
    people: int = 1
    attended: Attended = Attended.RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemJob:
    """A job to place. A start is allowed in [earliest, latest_start]; the job must end by `must_end` (hard, exclusive
    slot) and should end by `due` (each hour later costs `late_per_hour`). With `fixed` it stays where it is: running,
    frozen, or production's alone."""

    id: str
    name: str = ""
    options: tuple[Option, ...]
    as_is: Placement
    in_force: Placement
    offered: Placement | None = None
    fixed: Placement | None = None
    earliest: int = 0
    must_end: int | None = None
    due: int | None = None
    late_per_hour: float = 500.0
    after: tuple[Precedence, ...] = ()
    needs: tuple[CrewNeed, ...] = ()
    move_price: float = 2.0  # for leaving `in_force`: ties move nothing
    change_offer_price: float = 2.0  # for leaving `offered`
    accepted: bool = False  # `in_force` is a planner's accepted shift: leaving it costs `break_accepted_price` more
    break_accepted_price: float = 1000.0

    def option(self, machine: str, mode: str = "") -> Option:
        """The option of a machine and mode; KeyError where there is none."""
        for option in self.options:
            if option.machine == machine and option.mode == mode:
                return option
        raise KeyError(f"job {self.id} has no option on {machine} {mode}".rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Slots [start, end) in which a machine cannot run anything, and why."""

    start: int
    end: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemMachine:
    """A machine: one job at a time, outside its closed slots."""

    id: str
    name: str = ""
    group: str = ""
    closed: tuple[Closed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """How many people with a skill are there, a number a slot. `shift` names the crew shift of each slot ("" for
    nobody), for limits on moves per shift."""

    skill: str
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemBattery:
    """The battery over the horizon (see `energy.model.site.Battery`). A planned battery must end with at least
    `end_kwh`; where it ends with more or less than as-is, each kWh is priced at `end_value_per_kwh`."""

    capacity_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    min_kwh: float
    start_kwh: float
    end_kwh: float
    end_value_per_kwh: float
    wear_per_kwh: float = 0.0
    rule: BatteryRule = BatteryRule.SELF_CONSUMPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandWindow:
    """One demand charge within one billing period: the highest import mean in `slots` (runs of `interval_slots` whole
    slots make one metered interval) is paid at `per_kw` above what is already reached or agreed.

    `so_far_kw` is the real peak of the period so far, `as_is_so_far_kw` the same of the as-is chain; a plan's peak
    starts from max(so_far_kw, target_kw), as-is' from max(as_is_so_far_kw, target_kw)."""

    name: str
    per_kw: float
    slots: tuple[int, ...]
    interval_slots: int = 1
    so_far_kw: float = 0.0
    as_is_so_far_kw: float = 0.0
    target_kw: float = 0.0

    @property
    def floor_kw(self) -> float:
        return max(self.so_far_kw, self.target_kw)

    @property
    def as_is_floor_kw(self) -> float:
        return max(self.as_is_so_far_kw, self.target_kw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Import at most `limit_kw` in slots [start, end): hard where `penalty_per_kwh` is None, else priced per kWh."""

    name: str
    start: int
    end: int
    limit_kw: float
    penalty_per_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """P10 and P90 of a row of values, beside its P50 elsewhere in the problem."""

    p10: tuple[float, ...]
    p90: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftHours:
    """A crew shift as slots [start, end) of the horizon; at most `max_moves` jobs may be moved into or out of it."""

    name: str
    start: int
    end: int
    max_moves: int | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything a plan depends on. All rows have one value a slot.

    Site balance: import − export = base load + jobs + charge − discharge − PV + curtailed.
    """

    format: str = FORMAT
    site: str
    currency: str
    zone: str
    start: datetime
    step_minutes: int
    slots: int
    machines: tuple[ProblemMachine, ...]
    jobs: tuple[ProblemJob, ...]
    rosters: tuple[Roster, ...] = ()
    shifts: tuple[ShiftHours, ...] = ()
    base_load_kw: tuple[float, ...]
    pv_kw: tuple[float, ...]
    import_limit_kw: float
    export_limit_kw: float
    import_price: tuple[float, ...]  # currency/kWh, all fees in it
    export_price: tuple[float, ...]  # currency/kWh paid to the plant
    price_published: tuple[bool, ...]  # False: a forecast
    carbon_kg_per_kwh: tuple[float, ...]
    carbon_basis: str = "grid average, direct"
    carbon_price_per_kg: float = 0.0
    battery: ProblemBattery | None = None
    demand: tuple[DemandWindow, ...] = ()
    limits: tuple[Limit, ...] = ()
    least_gain: float = 0.0
    base_load_band: Band | None = None
    pv_band: Band | None = None
    import_price_band: Band | None = None
    curtailable: bool = False
    notes: tuple[str, ...] = ()  # what was missing or assumed, in words

    @property
    def horizon(self) -> Horizon:
        return Horizon(self.start, self.slots, self.step_minutes)

    @property
    def step_hours(self) -> float:
        return self.step_minutes / 60.0

    def job(self, id: str) -> ProblemJob:
        """The job of that id; KeyError where there is none."""
        for job in self.jobs:
            if job.id == id:
                return job
        raise KeyError(f"no job {id!r} in the problem")

    @cached_property
    def digest(self) -> str:
        """A stable hash of the content: the same inputs give the stored plan."""
        return digest_of(asdict(self))


def digest_of(plain: Any) -> str:
    """A stable hash of plain data (dicts, lists, numbers, texts, times): 2 and 2.0 are the same, and so is an instant
    in two zones, so that a problem keeps its hash through a file."""
    text = json.dumps(_canonical(plain), sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _canonical(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _canonical(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_canonical(value) for value in plain]
    if isinstance(plain, datetime) and plain.tzinfo is not None:
        return plain.astimezone(UTC).isoformat()
    if isinstance(plain, int | float) and not isinstance(plain, bool):
        return float(plain) + 0.0  # the 0.0 makes -0.0 a plain 0.0
    return plain

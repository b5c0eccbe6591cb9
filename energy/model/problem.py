"""The problem that a plan answers: everything it depends on, as plain numbers over the slots of one horizon.

A problem needs no calendar, no database and no network: windows, crews, prices and closures are already resolved to
slots. Slot k is [start + k·step, start + (k+1)·step). It is the body of a problem file (`docs/problem.schema.json`).
"""

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from energy.model.horizon import Horizon
from energy.model.problem_jobs import (
    Adjustable,
    CrewNeed,
    Flow,
    Interruptible,
    Option,
    Peg,
    Placement,
    Precedence,
    ProblemJob,
    ProblemOrder,
    Recurring,
    SameOrder,
    Use,
)
from energy.model.problem_money import (
    Band,
    DemandWindow,
    Limit,
    Ratchet,
    Reduction,
    Scenario,
    SoberPrice,
    Tier,
)
from energy.model.problem_plant import (
    Batch,
    Buffer,
    Closed,
    Feeder,
    MachineState,
    MachineStates,
    ProblemBattery,
    ProblemMachine,
    Recipe,
    Reserve,
    Resource,
    Roster,
    Setup,
    ShiftHours,
    Store,
    Transition,
)

FORMAT = "loadstone-problem/1"

__all__ = [
    "FORMAT",
    "Adjustable",
    "Band",
    "Batch",
    "Buffer",
    "Closed",
    "CrewNeed",
    "DemandWindow",
    "Feeder",
    "Flow",
    "Interruptible",
    "Limit",
    "MachineState",
    "MachineStates",
    "Option",
    "Peg",
    "Placement",
    "Precedence",
    "Problem",
    "ProblemBattery",
    "ProblemJob",
    "ProblemMachine",
    "ProblemOrder",
    "Ratchet",
    "Recipe",
    "Recurring",
    "Reduction",
    "Reserve",
    "Resource",
    "Roster",
    "SameOrder",
    "Scenario",
    "Setup",
    "ShiftHours",
    "SoberPrice",
    "Store",
    "Tier",
    "Transition",
    "Use",
    "digest_of",
]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything a plan depends on. All rows have one value a slot.

    Site balance: import − export = base load + jobs + machine states, transitions, setups, batches and holding + stores
    + charge − discharge − PV + curtailed.
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
    orders: tuple[ProblemOrder, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    same_order: tuple[SameOrder, ...] = ()
    rosters: tuple[Roster, ...] = ()
    shifts: tuple[ShiftHours, ...] = ()
    resources: tuple[Resource, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    feeders: tuple[Feeder, ...] = ()
    stores: tuple[Store, ...] = ()
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
    carbon_limit_kg: float | None = None  # the import of the whole horizon emits at most that much
    battery: ProblemBattery | None = None
    demand: tuple[DemandWindow, ...] = ()
    tiers: tuple[Tier, ...] = ()
    limits: tuple[Limit, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    least_gain: float = 0.0
    base_load_band: Band | None = None
    pv_band: Band | None = None
    import_price_band: Band | None = None
    scenarios: tuple[Scenario, ...] = ()
    sober_prices: tuple[SoberPrice, ...] = ()  # by rising hours; none where every price is published
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
        return digest_of(_said(self))


def _said(noun: Any) -> Any:
    """A noun as plain data, without the fields that are as by default: a noun that learns a new field keeps its hash."""
    if is_dataclass(noun):
        return {
            field.name: _said(value)
            for field in fields(noun)
            if (value := getattr(noun, field.name)) is not field.default and value != field.default
        }
    if isinstance(noun, tuple):
        return [_said(part) for part in noun]
    return noun


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

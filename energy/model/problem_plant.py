"""What a problem says of the plant: machines and their states, people, resources, buffers, feeders, battery, stores."""

from dataclasses import dataclass

from energy.model.site import BatteryRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Slots [start, end) in which a machine cannot run anything, and why. A run that may pause may pause there."""

    start: int
    end: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """A state in which a machine may stand: off, standby, idle. It draws `power_kw` in each slot, also while it runs a
    job (whose powers come on top); only in a state that `runs_jobs` it may."""

    name: str
    power_kw: float = 0.0
    runs_jobs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """How a machine comes from one state into another: in `slots` slots that draw `power_kw` each, at a cost (wear, gas).
    Without slots it happens between two slots."""

    from_state: str
    to_state: str
    slots: int = 0
    power_kw: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStates:
    """The states of a machine that Loadstone may switch. It stands in `at_start` before slot 0, and in `at_end` after
    the last one (None: in any). Unless a plan says otherwise the plant's own rule holds: it comes up just in time for
    its first run, stays up, and goes down after the last one."""

    states: tuple[MachineState, ...]
    transitions: tuple[Transition, ...] = ()
    at_start: str
    at_end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a machine needs between a job of one family and the next of another: the `slots` just before the next one
    starts, drawing `power_kw`, at a cost. "" as `from_family` is any other, and how it stands at the start."""

    from_family: str
    to_family: str
    slots: int = 0
    power_kw: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a batch machine does with a batch: so many slots, drawing these powers whatever is in it."""

    name: str
    power_kw: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A machine that treats several jobs at once: those that start together by the same recipe are a batch. Together
    they have at least `least_fill` and at most `capacity` (quantities of their options); a batch is not interrupted,
    and the next waits for its end."""

    recipes: tuple[Recipe, ...]
    capacity: float
    least_fill: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something of which there is only so much in each slot: a crane, moulds, floor power, memory. `amount` has one
    value a slot, or a single one that always holds."""

    name: str
    amount: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemMachine:
    """A machine: `capacity` jobs at a time (None: as many as its resources bear), outside its closed slots."""

    id: str
    name: str = ""
    group: str = ""
    closed: tuple[Closed, ...] = ()
    capacity: int | None = 1
    resources: tuple[Resource, ...] = ()
    states: MachineStates | None = None
    setups: tuple[Setup, ...] = ()
    family_at_start: str = ""
    batch: Batch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """How many people with a skill are there, a number a slot; `premium_per_hour` (empty: none) is what an hour of one
    of them costs more in that slot than at any other time, for those whom jobs need."""

    skill: str
    people: tuple[int, ...]
    premium_per_hour: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftHours:
    """A crew shift as slots [start, end) of the horizon; at most `max_moves` jobs may be moved into or out of it."""

    name: str
    start: int
    end: int
    max_moves: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """A place between stages (ladles, racks, returns of scrap): its level stays within [least, most]. `draw` is what
    else leaves it in each slot (empty: nothing; negative: comes in)."""

    id: str
    name: str = ""
    unit: str = "pieces"
    start: float = 0.0
    least: float = 0.0
    most: float
    draw: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """A cable, transformer or converter below the grid connection, shared by some machines: what they draw together (and
    `base_load_kw` behind it, which is part of the site's) stays within `limit_kw`."""

    id: str
    name: str = ""
    machines: tuple[str, ...]
    limit_kw: float
    base_load_kw: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What the battery holds ready for a program in slots [start, end): so much energy above its least from the first
    to the last moment (but for what it holds as slot 0 begins, which is a fact), and so much power that it could
    discharge more. Several at once add up."""

    name: str
    start: int
    end: int
    kwh: float = 0.0
    kw: float = 0.0


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
    reserves: tuple[Reserve, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store of heat, cold, air or product that a load fills: `level_per_kwh` units for each kWh drawn, `draw` units
    leave in each slot, and `loss_per_hour` of the level is lost in an hour.

    level[k] = level[k−1] · (1 − loss_per_hour · h) + level_per_kwh · h · power[k] − draw[k]      least ≤ level ≤ most

    It draws nothing, or between `least_kw` and `most_kw`, and ends at `end` or above. `as_is_kw` is what its own
    controller would do, and does unless a plan says otherwise; it is not part of the base load."""

    id: str
    name: str = ""
    unit: str = "kWh"
    start: float
    least: float
    most: float
    end: float
    level_per_kwh: float
    most_kw: float
    least_kw: float = 0.0
    loss_per_hour: float = 0.0
    draw: tuple[float, ...]
    as_is_kw: tuple[float, ...]

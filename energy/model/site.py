"""The plant as it stands: its grid connection, machines, battery and PV."""

from dataclasses import dataclass
from enum import StrEnum


class LearnedProfiles(StrEnum):
    """What is done with power profiles that meters taught."""

    OFF = "off"
    SHOWN = "shown"  # beside the typed-in ones
    USED = "used"  # plans are made with them


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that runs jobs, one at a time. `idle_kw` is what it draws when it waits; that stays in base load.

    `holding_kw` is what it draws to keep itself ready (temperature, pressure); `restart_*` what coming up again after
    it was switched off takes. None: nobody said."""

    id: str
    name: str
    group: str  # machines of one kind, as the plant calls it: furnaces, presses, galvanic
    idle_kw: float = 0.0
    rated_kw: float = 0.0
    holding_kw: float | None = None
    restart_minutes: int | None = None
    restart_kwh: float = 0.0
    learned_profiles: LearnedProfiles = LearnedProfiles.SHOWN


class BatteryRule(StrEnum):
    """Who steers the battery: Loadstone, or the plant's own controller by a stated rule."""

    PLANNED = "planned"
    SELF_CONSUMPTION = "self_consumption"  # charge from surplus PV, discharge whenever the plant would import


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery behind the grid connection. Powers are at its terminals towards the plant; efficiencies are one way:
    stored = charge · charge_efficiency, discharge = taken out · discharge_efficiency."""

    capacity_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float = 0.96
    discharge_efficiency: float = 0.96
    min_kwh: float = 0.0
    wear_per_kwh: float = 0.0  # currency per kWh discharged
    rule: BatteryRule = BatteryRule.SELF_CONSUMPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A plant at one grid connection point."""

    id: str
    name: str
    zone: str
    currency: str
    import_limit_kw: float
    export_limit_kw: float
    machines: tuple[Machine, ...] = ()
    battery: Battery | None = None
    pv_peak_kw: float = 0.0
    step_minutes: int = 15
    latitude: float | None = None
    longitude: float | None = None
    branch: str = ""  # what kind of plant it is, for the profile of its first days; empty: by its crews
    yearly_kwh: float | None = None  # as its bills say, for the level of its first days
    country: str = ""  # ISO 3166 code, optionally with a subdivision ("DE-BW"), for public holidays

    def machine(self, id: str) -> Machine:
        """The machine of that id; KeyError names the known ones."""
        for machine in self.machines:
            if machine.id == id:
                return machine
        raise KeyError(f"no machine {id!r}; known: {', '.join(m.id for m in self.machines)}")

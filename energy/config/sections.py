"""What may stand in config.yaml: one model a section, with unit and meaning of each key. `docs/config.md` is made
from it."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from energy.clock import zone_exists
from energy.model.calendar import Attended
from energy.model.forecast import Target
from energy.model.meter import Measures, Role
from energy.model.site import BatteryRule, LearnedProfiles
from energy.model.tariff import Period
from energy.plugins import nearest

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _weekday(said: Any) -> Any:
    word = str(said).lower()
    for names in (WEEKDAYS, LONG_WEEKDAYS):
        if word in names:
            return names.index(word)
    raise ValueError(f"{said!r} is not a weekday{nearest(word, [*WEEKDAYS, *LONG_WEEKDAYS])}")


def _wall_time(said: Any) -> Any:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", str(said))
    if match and (int(match[1]) < 24 and int(match[2]) < 60):
        return time(int(match[1]), int(match[2]))
    if str(said) == "24:00":
        return time(0, 0)
    raise ValueError(f"{said!r} is not a time of day; write it as HH:MM")


def _zone(said: str) -> str:
    if not zone_exists(said):
        close = nearest(said, sorted(available_timezones()))
        raise ValueError(f"no time zone {said!r}{close if 'mean' in close else '; write it like Europe/Berlin'}")
    return said


def _or_list(said: Any) -> Any:
    return said if isinstance(said, list | tuple) else [said]


Weekday = Annotated[int, BeforeValidator(_weekday)]
Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(_or_list)]
WallTime = Annotated[time, BeforeValidator(_wall_time)]
Zone = Annotated[str, AfterValidator(_zone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Months = tuple[Annotated[int, Field(ge=1, le=12)], ...]
Power = Annotated[float, Field(ge=0, le=1e6)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A part of config.yaml: unknown keys are mistakes, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


class MachineSection(Section):
    id: Id = Field(description="short name, used by orders, meters and closures")
    name: str = Field("", description="as people call it; the id where it is not given")
    group: str = Field("", description="machines of one kind: furnaces, presses")
    rated_kw: Power = Field(0.0, description="rated power, kW")
    idle_kw: Power = Field(0.0, description="what it draws when it waits, kW; stays in base load")
    holding_kw: Power | None = Field(
        None, description="what it draws to keep itself ready, kW; learned from its meter where it is not given"
    )
    restart_minutes: int | None = Field(
        None, ge=0, le=7 * 1440, description="what coming up again takes: waits up to that long are no waste"
    )
    restart_kwh: float = Field(0.0, ge=0, le=1e6, description="energy that coming up again takes, kWh")
    learned_profiles: LearnedProfiles | None = Field(
        None, description="as for the site, for this machine; none given: as the site"
    )

    @model_validator(mode="after")
    def _idle_below_rated(self) -> Self:
        if self.rated_kw and self.idle_kw > self.rated_kw:
            raise ValueError(f"idle_kw {self.idle_kw:g} is more than rated_kw {self.rated_kw:g}")
        return self


class BatterySection(Section):
    capacity_kwh: float = Field(gt=0, le=1e6, description="usable capacity, kWh")
    charge_kw: Power = Field(description="most it can charge, kW at its terminals")
    discharge_kw: Power = Field(description="most it can discharge, kW at its terminals")
    charge_efficiency: float = Field(0.96, gt=0, le=1, description="stored / charged, one way")
    discharge_efficiency: float = Field(0.96, gt=0, le=1, description="given / taken out, one way")
    min_kwh: float = Field(0.0, ge=0, description="reserve that is never used, kWh")
    wear_per_kwh: float = Field(0.0, ge=0, description="wear, currency per kWh discharged")
    rule: BatteryRule = Field(
        BatteryRule.SELF_CONSUMPTION,
        description="`self_consumption`: the plant's own controller; `planned`: Loadstone steers it",
    )

    @model_validator(mode="after")
    def _reserve_below_capacity(self) -> Self:
        if self.min_kwh >= self.capacity_kwh:
            raise ValueError(f"min_kwh {self.min_kwh:g} leaves nothing of capacity_kwh {self.capacity_kwh:g}")
        return self


class SiteSection(Section):
    """The plant at one grid connection point."""

    id: Id = Field(description="short name of the site, used in the store and in files")
    name: str = Field("", description="as people call it")
    zone: Zone = Field(description="time zone, like `Europe/Berlin`; all wall times in this file are of it")
    currency: Currency = Field(description="ISO code of all money in this file, like `EUR`")
    country: str = Field(
        "", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$", description="ISO code for public holidays: `DE`, `DE-BW`"
    )
    latitude: float | None = Field(None, ge=-90, le=90, description="degrees, for weather and PV")
    longitude: float | None = Field(None, ge=-180, le=180, description="degrees, for weather and PV")
    import_limit_kw: float = Field(gt=0, le=1e6, description="what the grid connection may draw, kW")
    export_limit_kw: Power = Field(0.0, description="what it may feed in, kW")
    pv_peak_kw: Power = Field(0.0, description="peak power of the PV, kW")
    branch: Literal[
        "", "one-shift", "two-shift", "three-shift", "continuous", "office", "retail", "bakery", "cold-store"
    ] = Field("", description="whose profile its load has until it was metered for a week; none given: by its crews")
    yearly_kwh: float | None = Field(None, gt=0, le=1e10, description="energy of a year, for that profile, kWh")
    step_minutes: Literal[5, 10, 15, 30, 60] = Field(15, description="step of plans and interval energy, minutes")
    battery: BatterySection | None = Field(None, description="the battery, where there is one")
    machines: tuple[MachineSection, ...] = Field((), description="machines that run jobs, one at a time")
    learned_profiles: LearnedProfiles = Field(
        LearnedProfiles.SHOWN,
        description="power profiles learned from meters: `off`, `shown` beside the typed-in ones, `used` in plans",
    )


class ShiftSection(Section):
    crew: str = Field(min_length=1, description="name of the crew")
    weekdays: Weekdays = Field(min_length=1, description="days on which it starts: `[mon, tue]`")
    start: WallTime = Field(description="HH:MM")
    end: WallTime = Field(description="HH:MM; at or before the start means the next morning")
    people: dict[str, Annotated[int, Field(ge=0, le=10_000)]] = Field(description="skill: how many have it")


def _check_span(said: Any) -> None:
    for year in (said.start.year, said.end.year):
        if not 1990 <= year <= 2199:
            raise ValueError(f"{year} is not a year of our time")
    if (said.start.tzinfo is None) != (said.end.tzinfo is None):
        raise ValueError("start and end should both have an offset, or none of them")
    if said.end <= said.start:
        raise ValueError(f"ends {said.end:%Y-%m-%d %H:%M}, not after it starts {said.start:%Y-%m-%d %H:%M}")


class OpeningSection(Section):
    crew: str = Field(description="the crew that is there, with its usual people")
    start: datetime = Field(description="local time, `2026-05-23 06:00`")
    end: datetime = Field(description="local time")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        _check_span(self)
        return self


class DatedClosureSection(Section):
    machine: str = Field(description="id of the machine")
    start: datetime = Field(description="local time, `2026-05-23 06:00`")
    end: datetime = Field(description="local time")
    why: str = Field("", description="shown to the planner")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        _check_span(self)
        return self


class WeeklyClosureSection(Section):
    machine: str = Field(description="id of the machine")
    weekday: Weekdays = Field(min_length=1, description="`wed`, or several: `[mon, wed]`")
    start: WallTime = Field(description="HH:MM")
    end: WallTime = Field(description="HH:MM; at or before the start means the next day")
    why: str = Field("", description="shown to the planner")


def _closure_tag(said: Any) -> str:
    weekly = "weekday" in said if isinstance(said, dict) else isinstance(said, WeeklyClosureSection)
    return "<weekly>" if weekly else "<dated>"


ClosureSection = Annotated[
    Annotated[DatedClosureSection, Tag("<dated>")] | Annotated[WeeklyClosureSection, Tag("<weekly>")],
    Discriminator(_closure_tag),
]


class OffersSection(Section):
    cut_off: WallTime = Field(time(12, 0), description="HH:MM; as-is for the next day is frozen then")
    opens: WallTime = Field(time(13, 15), description="HH:MM; offers for the next day open (its prices are published)")
    closes: WallTime = Field(time(15, 0), description="HH:MM; the plant fixes the next day's plan")
    notice_minutes: int = Field(60, ge=0, le=7 * 1440, description="nothing moves that starts sooner than this")
    least_gain: float = Field(15.0, ge=0, description="currency; below it a bundle is not worth a question")
    at_most_open: int = Field(3, ge=0, le=100, description="open offers at one time")
    moves_per_shift: int = Field(2, ge=0, le=1000, description="moved jobs per crew shift")
    least_slack_minutes: int = Field(
        30, ge=0, le=7 * 1440, description="a moved job must end this long before its due time"
    )
    better_by: float = Field(
        10.0, ge=0, description="currency; a better plan replaces an open offer only beyond this gain"
    )

    @model_validator(mode="after")
    def _opens_before_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"opens {self.opens:%H:%M} is not before closes {self.closes:%H:%M}")
        return self


class CalendarSection(Section):
    """Who works when, and when planners are asked."""

    shifts: tuple[ShiftSection, ...] = Field((), description="crews' working hours; all other hours are closed")
    public_holidays: bool = Field(True, description="whether the public holidays of `site.country` are closed")
    holidays: tuple[date, ...] = Field((), description="the plant's own closed days, besides the public ones")
    openings: tuple[OpeningSection, ...] = Field((), description="extra hours of a crew")
    closures: tuple[ClosureSection, ...] = Field((), description="times in which a machine cannot be used")
    offers: OffersSection = Field(
        default_factory=lambda: OffersSection.model_validate({}), description="when planners are asked for what"
    )


class WindowSection(Section):
    start: WallTime = Field(time(0, 0), description="HH:MM, inclusive")
    end: WallTime = Field(time(0, 0), description="HH:MM, exclusive; 00:00 is midnight")
    weekdays: Weekdays = Field((), description="none given: all")
    months: Months = Field((), description="1 to 12; none given: all")
    on_holidays: bool = Field(True, description="whether it holds on holidays too")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end != time(0, 0) and self.end <= self.start:
            raise ValueError(f"ends {self.end:%H:%M} before it starts {self.start:%H:%M}; split it at midnight")
        return self


class RateSection(Section):
    name: str = Field(description="as on the bill")
    per_kwh: float = Field(ge=-10, le=10_000, description="currency per kWh of import")
    windows: tuple[WindowSection, ...] = Field((), description="when it holds; none given: always")


class DemandSection(Section):
    name: str = Field(description="as on the bill")
    per_kw: float = Field(ge=0, le=1e6, description="currency per kW of the highest mean in a period")
    period: Period = Field(description="`month` or `year`")
    windows: tuple[WindowSection, ...] = Field((), description="high-load windows; none given: always")
    minutes: Literal[5, 10, 15, 30, 60] = Field(15, description="length of the metered mean")
    target_kw: Power = Field(0.0, description="agreed peak, kW; a kW below it is worth nothing")


class TariffSection(Section):
    """What a kWh costs besides its market price, and what a kW of peak costs."""

    market: Literal["day_ahead"] | None = Field(None, description="`day_ahead`: the market price of the feed")
    fixed_per_kwh: float | None = Field(
        None, ge=-10, le=10_000, description="currency/kWh where the contract has a fixed price"
    )
    market_factor: float = Field(1.0, gt=0, le=10, description="supplier's factor on the market price")
    export_per_kwh: float | Literal["market"] = Field(
        0.0, description="currency/kWh paid to the plant, or `market`: the market price without fees"
    )
    carbon_price_per_kg: float = Field(
        0.0, ge=0, le=10_000, description="what the plant puts on a kg CO2e when planning"
    )
    rates: tuple[RateSection, ...] = Field((), description="fees and taxes added to each imported kWh")
    demand: tuple[DemandSection, ...] = Field((), description="demand charges")
    valid_from: date | None = Field(None, description="first day of the contract")
    source: str = Field("", description="contract or price sheet this is from")

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.market is None) == (self.fixed_per_kwh is None):
            raise ValueError("say either `market: day_ahead` or `fixed_per_kwh: …`, one of the two")
        return self


class StoreSection(Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///var/loadstone.sqlite",
        pattern=r"^(sqlite|postgresql)(\+[a-z0-9]+)?://",
        description="`sqlite:///file` (relative to this file) or `postgresql+psycopg://user:${PASSWORD}@host/name`",
    )
    raw_days: float = Field(7.0, gt=0, le=3660, description="how long raw readings are kept, days")
    raw_gb: float = Field(2.0, gt=0, le=10_000, description="how much room they may take, GB")


class MeterSection(Section):
    """A meter; what its kind needs besides stands beside these keys."""

    id: Id = Field(description="short name, used in the store")
    name: str = Field("", description="as people call it")
    kind: str = Field(description="how it is read; its own keys are below")
    role: Role = Field(Role.SUB, description="`settlement`: what the bill is made of; `check`, `sub`, `virtual`")
    measures: Measures = Field(Measures.OTHER, description="what flows through it")
    machine: str | None = Field(None, description="id of the machine it belongs to")
    connection_kw: float = Field(gt=0, le=1e6, description="most that its connection can carry either way, kW")
    place: str = Field("", description="where it hangs")
    profile: str = Field("", description="which table of registers or columns it speaks")
    rollover_kwh: float | None = Field(None, gt=0, description="where its counter starts again, if not in the profile")
    above: str | None = Field(
        None, description="id of the meter that it hangs below, such as that of the grid connection"
    )
    watched: bool = Field(
        False, description="learn states, waste and drift of what hangs on it, though it runs no jobs (compressors)"
    )


class HistorySection(Section):
    """What stands in `forecasters` beside the targets."""

    history_days: int = Field(
        1096, ge=14, le=3660, description="how far back forecasters look, days; years help, above all with prices"
    )


class OptimizerSection(Section):
    """Who makes plans."""

    kind: str = Field("milp", description="which optimizer")
    seconds: float = Field(20.0, gt=0, le=3600, description="wall-clock limit of a plan")
    gap: float = Field(0.005, ge=0, lt=1, description="good enough: relative distance from the proven bound")


class SavingsSection(Section):
    """How savings are accounted."""

    settle_after_hours: float = Field(
        2.0, ge=0, le=24 * 31, description="a day is accounted this long after it ended, and again when late data comes"
    )


class ScheduleSection(Section):
    """When steps run."""

    heartbeat_minutes: int = Field(60, ge=1, le=1440, description="forecast, re-plan, watch this often")
    collect_seconds: int = Field(60, ge=1, le=3600, description="readings become interval energy this often")
    replan_within_seconds: int = Field(60, ge=1, le=3600, description="how soon a fact from the floor is answered")
    clock: str | None = Field(None, description="a saved clock (of the demo) instead of the machine's: a file")


class DashboardSection(Section):
    """The screens."""

    address: str = Field("127.0.0.1", description="address to listen on; loopback unless you mean otherwise")
    port: Port = Field(8501, description="port to listen on")
    roles: tuple[str, ...] = Field(
        ("planner", "energy manager", "shift lead"), min_length=1, description="to choose from"
    )
    call: dict[str, str] = Field({}, description="whom to call (role: number), on the shift sheet")


class NetworkSection(Section):
    """The way out of the plant's network."""

    proxy: str | None = Field(
        None, pattern=r"^https?://", description="proxy for feeds and webhooks, `http://host:port`"
    )
    ca_bundle: str | None = Field(None, description="the company's CA certificates: a PEM file")


class TwinLoadSection(Section):
    file: str = Field(min_length=1, description="interval data of a real plant: CSV (also .csv.gz)")
    column: str = Field(min_length=1, description="the column of values")
    time: str = Field("", description="the column of stamps; the first that holds times where it is not given")
    unit: Literal["Wh", "kWh", "MWh", "W", "kW", "MW"] = Field(
        "kWh", description="energy of an interval, or its mean power"
    )
    stamps: Literal["start", "end", "by-row"] = Field("start", description="what a stamp is of its interval")
    zone: Zone | None = Field(None, description="zone of the stamps; the site's where it is not given")


Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0, le=1_000)]
Hours = Annotated[float, Field(gt=0, le=48)]
HourOfDay = Annotated[float, Field(ge=0, lt=24)]


class TwinWorkSection(Section):
    group: str = Field(description="machines that do it")
    skill: str = Field(description="of the people it needs")
    attended: Attended = Field(description="when they are at it")
    products: tuple[str, ...] = Field(min_length=1, description="what is made")
    a_day: tuple[Whole, Whole] = Field(description="jobs a working day on all machines of the group: least, most")
    hours: tuple[Hours, Hours] = Field(description="how long a job takes: least, most")
    power_share: tuple[Share, Share] = Field(description="mean power of a job / (rated - idle): least, most")
    shape: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field(
        (1.0,), min_length=1, description="power of equal parts of a run against its mean"
    )
    pieces_an_hour: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] = Field(description="least, most")
    elsewhere: Share = Field(0.0, description="share of the jobs that another machine of the group can run too")
    move_price: float = Field(2.0, ge=0, le=1e6, description="what moving a job is taken to cost a planner, currency")
    starts: tuple[HourOfDay, ...] = Field(
        min_length=1, description="local hours at which a planner sets the first, second … job of a day"
    )

    @model_validator(mode="after")
    def _least_first(self) -> Self:
        for name in ("a_day", "hours", "power_share", "pieces_an_hour"):
            least, most = getattr(self, name)
            if most < least:
                raise ValueError(f"{name}: {least:g} is more than {most:g}; the least comes first")
        return self


class TwinSection(Section):
    """The simulated plant, for the demo; leave the section out in a real one."""

    seed: int = Field(7, ge=0, description="the same seed is the same plant, day by day")
    load: TwinLoadSection | None = Field(
        None, description="the measured load of a real plant, in place of invented buildings and compressors"
    )
    work: tuple[TwinWorkSection, ...] = Field(
        (), description="what its machines make; the metal parts of the demo where it is not given"
    )


TARGETS = tuple(str(target) for target in Target)

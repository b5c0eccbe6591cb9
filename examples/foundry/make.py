"""An iron foundry from Sunday evening to Monday midnight, as a problem file: everything that a plant can say, in one plant.

    python examples/foundry/make.py                  # writes problem.json beside this file
    python examples/foundry/make.py --out other.json

README.md beside this file tells the plant in the words of a foundry, and where each figure is from.
"""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from math import exp, pi, sin
from pathlib import Path

from energy.exchange.problems import write_problem
from energy.model.calendar import Attended
from energy.model.problem import (
    Adjustable,
    Band,
    Batch,
    Buffer,
    Closed,
    CrewNeed,
    DemandWindow,
    Feeder,
    Flow,
    Interruptible,
    Limit,
    MachineState,
    MachineStates,
    Option,
    Peg,
    Placement,
    Precedence,
    Problem,
    ProblemBattery,
    ProblemJob,
    ProblemMachine,
    ProblemOrder,
    Ratchet,
    Recipe,
    Recurring,
    Reduction,
    Reserve,
    Resource,
    Roster,
    SameOrder,
    Scenario,
    Setup,
    ShiftHours,
    SoberPrice,
    Store,
    Tier,
    Transition,
    Use,
)
from energy.model.site import BatteryRule

HERE = Path(__file__).parent
STEP = 15
BEGINS = 18  # the horizon begins on Sunday at 18:00, local time
SLOTS = 30 * 60 // STEP


def slot(wall: str) -> int:
    """The slot that begins at a wall time: "Sun 22:00", "Mon 06:15"; "Tue 00:00" is the end of the horizon."""
    day, time = wall.split()
    hours, minutes = (int(part) for part in time.split(":"))
    return (["Sun", "Mon", "Tue"].index(day) * 1440 + (hours - BEGINS) * 60 + minutes) // STEP


def hour(k: int) -> float:
    """The local hour of the day in the middle of a slot."""
    return (BEGINS + (k + 0.5) * STEP / 60) % 24


def row(*spans: tuple[str, str, float], others: float = 0.0) -> tuple[float, ...]:
    """One value a slot: that of the span it lies in (from, to, value), else that of all others."""
    values = [others] * SLOTS
    for first, end, value in spans:
        values[slot(first) : slot(end)] = [value] * (slot(end) - slot(first))
    return tuple(values)


# --- the week begins: crews, prices, sun, base load

NIGHT, EARLY, LATE, NIGHT_2 = (
    ("Sun 22:00", "Mon 06:00"), ("Mon 06:00", "Mon 14:00"), ("Mon 14:00", "Mon 22:00"), ("Mon 22:00", "Tue 00:00"),
)  # fmt: skip
SHIFTS = (
    ShiftHours(name="night to Monday", start=slot(NIGHT[0]), end=slot(NIGHT[1]), max_moves=12),
    ShiftHours(name="early", start=slot(EARLY[0]), end=slot(EARLY[1]), max_moves=16),
    ShiftHours(name="late", start=slot(LATE[0]), end=slot(LATE[1]), max_moves=16),
    ShiftHours(name="night to Tuesday", start=slot(NIGHT_2[0]), end=SLOTS),
)
PEOPLE = {  # skill: night, early, late; on Sunday until 22:00 nobody is there
    "melter": (1, 2, 2), "caster": (2, 3, 3), "moulder": (2, 2, 2),
    "fettler": (1, 2, 2), "heat treater": (2, 3, 3), "fitter": (0, 1, 1),
}  # fmt: skip
SUNDAY_NIGHT, NIGHT_PREMIUM = 16.0, 7.0  # EUR an hour above the day's wage


def rosters() -> tuple[Roster, ...]:
    premium = row(("Sun 22:00", "Mon 00:00", SUNDAY_NIGHT), ("Mon 00:00", "Mon 06:00", NIGHT_PREMIUM),
                  ("Mon 22:00", "Tue 00:00", NIGHT_PREMIUM))  # fmt: skip
    made = []
    for skill, (night, early, late) in PEOPLE.items():
        there = row((*NIGHT, night), (*EARLY, early), (*LATE, late), (*NIGHT_2, night))
        made.append(Roster(skill=skill, people=tuple(int(n) for n in there), premium_per_hour=premium))
    return tuple(made)


SPOT = {  # EUR/MWh of the day-ahead market, by hour: Sunday from 18:00, then Monday
    "Sun": (92, 108, 96, 82, 74, 66),
    "Mon": (58, 52, 48, 46, 50, 68, 112, 148, 139, 98, 66, 38, 4, -9, -6, 32, 84, 128, 162, 155, 124, 102, 88, 76),
}
FEES = 0.058  # EUR/kWh: grid fee, levies, tax
SPOT_ROW = tuple(price / 1000 for day in SPOT.values() for price in day for _ in range(4))
IMPORT_PRICE = tuple(round(FEES + spot, 4) for spot in SPOT_ROW)
EXPORT_PRICE = tuple(round(spot - 0.004, 4) for spot in SPOT_ROW)
PV_KW = tuple(round(1350 * max(0.0, sin(pi * (hour(k) - 6.3) / 12.3)) ** 1.3 if 6.3 < hour(k) < 18.6 else 0.0, 1)
              for k in range(SLOTS))  # fmt: skip
BASE_KW = tuple(
    round(kw + 25 * sin(2 * pi * hour(k) / 24) + 12 * sin(k * 1.7), 1)
    for k, kw in enumerate(row((*NIGHT, 520), (*EARLY, 760), (*LATE, 720), (*NIGHT_2, 520), others=290))
)
CARBON = tuple(round(0.36 - 0.20 * exp(-(((hour(k) - 13) / 3.4) ** 2)) + 0.05 * exp(-(((hour(k) - 19) / 2) ** 2)), 4)
               for k in range(SLOTS))  # fmt: skip


def band(values: tuple[float, ...], share: float, beside: tuple[float, ...] | None = None) -> Band:
    """P10 and P90 as far from the forecast as a share of it (or of another row)."""
    wide = [share * abs(v) for v in (beside or values)]
    return Band(
        p10=tuple(round(v - w, 4) for v, w in zip(values, wide, strict=True)),
        p90=tuple(round(v + w, 4) for v, w in zip(values, wide, strict=True)),
    )


def scaled(values: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(round(value * by, 4) for value in values)


def sober(up_to_hours: float, kept: float, published: tuple[bool, ...]) -> SoberPrice:
    """Forecast prices drawn back to their mean, as far as choosing the hours that look cheapest has cost before."""

    def drawn(prices: tuple[float, ...]) -> tuple[float, ...]:
        guessed = [price for price, sure in zip(prices, published, strict=True) if not sure]
        mean = sum(guessed) / len(guessed)
        return tuple(
            price if sure else round(mean + kept * (price - mean), 4)
            for price, sure in zip(prices, published, strict=True)
        )

    return SoberPrice(
        up_to_hours=up_to_hours, kept=kept, import_price=drawn(IMPORT_PRICE), export_price=drawn(EXPORT_PRICE)
    )


SCENARIOS = (
    Scenario(weight=5),  # as forecast
    Scenario(weight=2, pv_kw=scaled(PV_KW, 0.45), import_price=scaled(IMPORT_PRICE, 1.12)),  # clouds
    Scenario(weight=2, pv_kw=scaled(PV_KW, 1.12), import_price=scaled(IMPORT_PRICE, 0.93)),  # a clear sky
    Scenario(weight=1, base_load_kw=scaled(BASE_KW, 1.08)),  # a cold night: heating and compressors run longer
)

# --- machines

CONVERTER_PUMPS_KW = 40.0
FURNACE_STATES = MachineStates(
    states=(
        MachineState(name="off"),
        MachineState(name="warm", power_kw=40.0),
        MachineState(name="hot", power_kw=85.0, runs_jobs=True),
    ),
    transitions=(
        Transition(from_state="off", to_state="hot", slots=10, power_kw=260.0, cost=30.0),
        Transition(from_state="warm", to_state="hot", slots=3, power_kw=230.0, cost=4.0),
        Transition(from_state="hot", to_state="warm", slots=1, power_kw=40.0),
        Transition(from_state="hot", to_state="off"),
    ),
    at_start="off",
    at_end="warm",
)
NORMALISE = Recipe(name="normalise", power_kw=(340.0,) * 4 + (210.0,) * 4 + (80.0,) * 4)
STRESS_RELIEF = Recipe(name="stress relief", power_kw=(230.0,) * 4 + (110.0,) * 6 + (40.0,) * 4)
RECIPES = {recipe.name: recipe for recipe in (NORMALISE, STRESS_RELIEF)}
BREAK = Closed(start=slot("Mon 10:00"), end=slot("Mon 10:30"), why="break of the early shift")
MACHINES = (
    ProblemMachine(id="F1", name="Furnace 1", group="melting"),
    ProblemMachine(id="F2", name="Furnace 2", group="melting"),
    ProblemMachine(
        id="moulding", name="Moulding line", group="moulding", closed=(BREAK,), family_at_start="GJL",
        setups=(
            Setup(from_family="", to_family="GJS", slots=2, power_kw=15.0, cost=45.0),
            Setup(from_family="GJS", to_family="GJL", slots=1, power_kw=15.0, cost=30.0),
        ),
    ),
    ProblemMachine(
        id="pouring", name="Pouring bay", group="casting", capacity=None,
        resources=(Resource(name="mould places", amount=(24.0,)),),
    ),
    ProblemMachine(
        id="annealing", name="Annealing furnace", group="heat treatment", states=FURNACE_STATES,
        batch=Batch(recipes=(NORMALISE, STRESS_RELIEF), capacity=5.0, least_fill=3.0),
    ),
    ProblemMachine(id="blasting", name="Shot-blasting", group="fettling"),
    ProblemMachine(id="sand", name="Sand dryer", group="sand"),
    ProblemMachine(id="ladles", name="Ladle stands", group="casting", capacity=2),
    ProblemMachine(id="ageing", name="Ageing oven", group="heat treatment"),
)  # fmt: skip
CRANES = Resource(name="crane", amount=row((*NIGHT, 1), (*EARLY, 2), (*LATE, 2), (*NIGHT_2, 1), others=1))
CONVERTER = Feeder(
    id="converter", name="Converter", machines=("F1", "F2"), limit_kw=3050.0, base_load_kw=(CONVERTER_PUMPS_KW,) * SLOTS
)
BUFFERS = (
    Buffer(id="returns", name="Returns bay", unit="t", start=7.0, least=1.0, most=11.0,
           draw=row((*EARLY, -0.05))),  # turnings from the machine shop come in
    Buffer(id="hot ladles", name="Hot ladles", unit="ladles", start=2.0, most=4.0),
)  # fmt: skip

# --- jobs


def job(
    id: str, name: str, option: Option, starts: str | int, *, in_force: Placement | None = None, **other
) -> ProblemJob:
    """A job of one option, as production has released it: on the option's first machine from a wall time on."""
    as_is = Placement(
        job=id, machine=option.machine, mode=option.mode, start=starts if isinstance(starts, int) else slot(starts)
    )
    return ProblemJob(id=id, name=name, options=(option,), as_is=as_is, in_force=in_force or as_is, **other)


MELT_KW = (1800.0, 2700.0, 2700.0, 1600.0)  # 2,200 kWh for 4 t
HOLDING_KW = 200.0
HEATS = (  # number, alloy, furnace, moulding from, melting from; cores are there from, poured by
    (1, "GJL", "F1", "Mon 04:30", "Mon 06:00", "Mon 03:00", "Mon 09:00"),
    (2, "GJL", "F2", "Mon 05:45", "Mon 08:00", "Mon 03:00", "Mon 13:00"),
    (3, "GJS", "F1", "Mon 07:30", "Mon 10:00", "Mon 06:00", "Mon 15:00"),
    (4, "GJS", "F2", "Mon 10:30", "Mon 12:15", "Mon 08:00", "Mon 15:00"),
    (5, "GJS", "F1", "Mon 12:45", "Mon 14:30", "Mon 10:00", "Mon 20:00"),
    (6, "GJL", "F2", "Mon 15:00", "Mon 16:30", "Mon 13:00", "Mon 22:00"),
)
FROM = slot("Sun 22:00")  # before that nobody is there


def heat(
    number: int, alloy: str, furnace: str, moulded: str, melted: str, cores: str, by: str
) -> tuple[ProblemJob, ...]:
    """Mould, melt, pour: the iron waits in its furnace until it is poured, and the furnace with it."""
    other = "F2" if furnace == "F1" else "F1"
    first, last = slot(cores), slot(by)
    mould = Option(machine="moulding", power_kw=(95.0,) * 5)
    melt = Option(
        machine=furnace, also=(other,), power_kw=MELT_KW, uses=(Use(resource="crane", attended=Attended.START),)
    )
    pour = Option(
        machine="pouring", power_kw=(20.0,) * 3, quantity=3.2,
        uses=(Use(resource="mould places", amount=8.0, after_slots=16), Use(resource="crane")),
    )  # fmt: skip
    return (
        job(f"mould {number}", f"Moulds of heat {number}", mould, moulded, earliest=first, must_end=last - 4, family=alloy,
            needs=(CrewNeed(skill="moulder", people=2),)),
        job(f"melt {number}", f"Heat {number} ({alloy})", melt, melted, earliest=first + 2, must_end=last - 3,
            needs=(CrewNeed(skill="melter"),), flows=(Flow(buffer="returns", quantity=-1.6, at_end=False),)),
        job(f"pour {number}", f"Pouring of heat {number}", pour, slot(melted) + len(MELT_KW), earliest=first + 6, must_end=last,
            after=(Precedence(job=f"mould {number}", min_slots=1, max_slots=24),
                   Precedence(job=f"melt {number}", max_slots=2, holding_kw=HOLDING_KW, keeps_machine=True)),
            needs=(CrewNeed(skill="caster", people=2),),
            flows=(Flow(buffer="hot ladles", quantity=-1.0, at_end=False),)),
    )  # fmt: skip


LOTS = (  # lot, recipe, tonnes, loaded; not before, out by
    ("L31", "normalise", 1.8, "Mon 06:00", "Sun 22:00", "Mon 12:00"),
    ("L32", "normalise", 1.6, "Mon 06:00", "Sun 22:00", "Mon 12:00"),
    ("L33", "stress relief", 1.6, "Mon 09:15", "Mon 06:00", "Mon 20:00"),
    ("L34", "stress relief", 1.4, "Mon 09:15", "Mon 06:00", "Mon 20:00"),
    ("L35", "stress relief", 1.2, "Mon 09:15", "Mon 06:00", "Mon 20:00"),
    ("L36", "normalise", 2.0, "Mon 16:15", "Mon 12:00", "Mon 23:00"),
    ("L37", "normalise", 1.4, "Mon 16:15", "Mon 12:00", "Mon 23:00"),
)


def lot(id: str, recipe: str, tonnes: float, loaded: str, first: str, by: str, **other) -> ProblemJob:
    """A lot for the annealing furnace: people load it and take it out, in between nobody has to be there."""
    powers = tuple(25.0 * tonnes if k < 4 else 0.0 for k in range(len(RECIPES[recipe].power_kw)))
    option = Option(machine="annealing", mode=recipe, power_kw=powers, quantity=tonnes)
    need = CrewNeed(skill="heat treater", attended=Attended.ENDS)
    return job(id, f"Lot {id}, {recipe}", option, loaded, earliest=slot(first), must_end=slot(by),
               needs=(need,), **other)  # fmt: skip


PAUSES = Interruptible(least_run_slots=2, longest_pause_slots=2, most_pauses=2, restart_cost=3.0)


def blast(id: str, name: str, starts: str, earliest: str, pauses: Interruptible | None = None, **other) -> ProblemJob:
    """Castings are blasted, gates and risers come off and go back to the furnaces. The drum may be stopped."""
    option = Option(machine="blasting", power_kw=(75.0,) * 6, interruptible=pauses)
    return job(id, name, option, starts, earliest=slot(earliest), needs=(CrewNeed(skill="fettler"),),
               flows=(Flow(buffer="returns", quantity=1.5),), **other)  # fmt: skip


def dry(id: str, starts: str, **other) -> ProblemJob:
    """Sand for a shift: so many kWh, at a power that the burner's controller may be told."""
    option = Option(machine="sand", power_kw=(140.0,) * 12, adjustable=Adjustable(least_kw=40.0, most_kw=240.0))
    return job(id, f"Drying of sand {id[-1]}", option, starts, **other)


def preheat(number: int, starts: str, first: str, last: str) -> ProblemJob:
    """Two ladles are cleaned and heated."""
    option = Option(machine="ladles", power_kw=(70.0,) * 4)
    return job(f"ladles {number}", f"Ladles {number}, cleaned and heated", option, starts, earliest=slot(first),
               latest_start=slot(last), needs=(CrewNeed(skill="caster", attended=Attended.START),),
               flows=(Flow(buffer="hot ladles", quantity=2.0),))  # fmt: skip


def beside_the_heats() -> tuple[ProblemJob, ...]:
    """What a foundry does beside melting: fettling, sand, ladles, maintenance, pigs, ageing."""
    pigs = Option(machine="F1", also=("F2",), power_kw=(1700.0, 2600.0, 2600.0, 1600.0, 200.0), quantity=3.5,
                  uses=(Use(resource="crane", attended=Attended.ENDS),))  # fmt: skip
    inspection = Option(machine="F2", power_kw=(0.0,) * 6)
    age = Option(machine="ageing", power_kw=(45.0,) * 40)
    paused = Placement(job="blast 11", machine="blasting", start=slot("Mon 02:00"),
                       power_kw=(75.0,) * 3 + (0.0,) * 2 + (75.0,) * 3)  # fmt: skip
    running = Placement(job="ageing", machine="ageing", start=-24)
    offered = Placement(job="sand 2", machine="sand", start=slot("Mon 11:30"))
    return (
        blast("blast 11", "Blasting of Saturday's castings", "Mon 06:30", "Mon 01:00", PAUSES, in_force=paused, accepted=True,
              break_accepted_price=400.0, must_end=slot("Mon 08:00")),
        blast("blast 12", "Blasting of the rolls", "Mon 09:00", "Mon 08:00", PAUSES, latest_start=slot("Mon 13:00"),
              due=slot("Mon 13:00"), late_per_hour=30.0, priority=2.0),
        blast("blast 1", "Blasting of heat 1", "Mon 12:00", "Mon 08:30", after=(Precedence(job="pour 1", min_slots=16),)),
        blast("blast 2", "Blasting of heat 2", "Mon 14:00", "Mon 09:30", after=(Precedence(job="pour 2", min_slots=16),)),
        dry("sand 1", "Mon 03:00", must_end=slot("Mon 08:00"), earliest=slot("Mon 00:00")),
        dry("sand 2", "Mon 14:00", earliest=slot("Mon 06:00"), offered=offered, change_offer_price=6.0),
        preheat(1, "Mon 07:00", "Mon 03:00", "Mon 09:00"),
        preheat(2, "Mon 12:00", "Mon 09:00", "Mon 14:00"),
        preheat(3, "Mon 17:00", "Mon 14:00", "Mon 18:00"),
        job("inspection", "Inspection of furnace 2", inspection, "Mon 10:00", earliest=slot("Mon 06:00"),
            must_end=slot("Mon 16:00"), needs=(CrewNeed(skill="fitter"),)),
        job("pigs", "Returns melted into pigs", pigs, "Mon 18:00", earliest=FROM, value=520.0, move_price=5.0,
            needs=(CrewNeed(skill="melter"),), flows=(Flow(buffer="returns", quantity=-3.7, at_end=False),)),
        ProblemJob(id="ageing", name="Ageing of the rolls", options=(age,), as_is=running, in_force=running,
                   fixed=running),
    )  # fmt: skip


def jobs() -> tuple[ProblemJob, ...]:
    heats = tuple(part for said in HEATS for part in heat(*said))
    cooled = (Precedence(job="blast 1"),)  # of heat 1: blasted first
    lots = tuple(lot(*said, after=cooled if said[0] == "L37" else ()) for said in LOTS)
    return (*heats, *lots, *beside_the_heats())


COOLED = 16  # slots in the mould after pouring
ORDERS = (
    ProblemOrder(id="4711", name="Pump housings", quantity=2.4, due=slot("Mon 16:00"), rest_slots=COOLED,
                 late_per_hour=90.0, priority=2.0, pegs=(Peg(job="pour 1", share=0.75),)),
    ProblemOrder(id="4712", name="Bearing caps", quantity=3.9, due=slot("Mon 18:00"), rest_slots=COOLED,
                 pegs=(Peg(job="pour 1", share=0.25), Peg(job="pour 2"))),
    ProblemOrder(id="4713", name="Wind hubs", quantity=6.4, due=slot("Mon 20:00"), must_end=SLOTS + 8,
                 rest_slots=COOLED, late_per_hour=150.0, pegs=(Peg(job="pour 3"), Peg(job="pour 4"))),
    ProblemOrder(id="4714", name="Brackets", quantity=1.6, due=slot("Tue 00:00"), rest_slots=COOLED,
                 pegs=(Peg(job="pour 5", share=0.5),)),
    ProblemOrder(id="4715", name="Covers", quantity=1.5, due=slot("Tue 02:00"), rest_slots=COOLED,
                 pegs=(Peg(job="pour 5", share=0.5),)),
    ProblemOrder(id="4716", name="Counterweights", quantity=3.2, due=slot("Tue 04:00"), rest_slots=COOLED,
                 late_per_hour=40.0, pegs=(Peg(job="pour 6"),)),
)  # fmt: skip

# --- the site: battery, hot water, money, commitments

BATTERY = ProblemBattery(
    capacity_kwh=1200.0, charge_kw=500.0, discharge_kw=500.0, charge_efficiency=0.96, discharge_efficiency=0.96,
    min_kwh=120.0, start_kwh=400.0, end_kwh=400.0, end_value_per_kwh=0.10, wear_per_kwh=0.015, rule=BatteryRule.PLANNED,
    reserves=(Reserve(name="secondary control", start=slot("Mon 00:00"), end=slot("Mon 04:00"), kwh=150.0, kw=150.0),),
)  # fmt: skip


def hot_water() -> Store:
    """Showers and core washing from one tank, which a heat pump fills; its thermostat goes on at 350 kWh and off at
    520."""
    draw = row(("Sun 22:00", "Mon 06:00", 9.0), ("Mon 06:00", "Mon 07:00", 32.0), ("Mon 07:00", "Mon 14:00", 14.0),
               ("Mon 14:00", "Mon 15:00", 36.0), ("Mon 15:00", "Mon 22:00", 13.0), ("Mon 22:00", "Mon 23:00", 30.0),
               others=2.0)  # fmt: skip
    store = Store(id="hot water", name="Hot water", unit="kWh of heat", start=430.0, least=150.0, most=600.0, end=350.0,
                  level_per_kwh=3.2, most_kw=40.0, least_kw=15.0, loss_per_hour=0.004, draw=draw,
                  as_is_kw=(0.0,) * SLOTS)  # fmt: skip
    level, on, powers = store.start, False, []
    for much in draw:
        on = level < 350.0 or (on and level < 520.0)
        powers.append(store.most_kw if on else 0.0)
        level = level * (1 - store.loss_per_hour / 4) + store.level_per_kwh * powers[-1] / 4 - much
    return Store(**{name: getattr(store, name) for name in Store.__slots__} | {"as_is_kw": tuple(powers)})


MONTH = DemandWindow(
    name="monthly peak", per_kw=9.0, slots=tuple(range(SLOTS)), so_far_kw=4050.0, as_is_so_far_kw=4100.0,
    target_kw=4000.0, least_billed_kw=3300.0, ratchet=Ratchet(highest_kw=4150.0, per_kw=6.0), guard=0.8,
)  # fmt: skip
HIGH_LOAD = DemandWindow(
    name="high-load window", per_kw=6.0, slots=tuple(range(slot("Mon 17:00"), slot("Mon 20:00"))), interval_slots=2,
    so_far_kw=2600.0, as_is_so_far_kw=2700.0,
)  # fmt: skip
LIMITS = (
    Limit(name="works on the line", start=slot("Sun 18:00"), end=slot("Sun 22:00"), limit_kw=900.0),
    Limit(name="call of the grid operator", start=slot("Mon 07:00"), end=slot("Mon 09:00"), limit_kw=2500.0,
          penalty_per_kwh=0.6),
)  # fmt: skip
CALL = Reduction(
    name="evening reduction", start=slot("Mon 18:00"), end=slot("Mon 19:00"), baseline_kw=(2400.0,) * 4,
    pay_per_kwh=0.12, most_kw=1500.0,
)  # fmt: skip


def problem() -> Problem:
    """The foundry."""
    published = tuple(k < slot("Mon 00:00") for k in range(SLOTS))
    return Problem(
        site="foundry",
        currency="EUR",
        zone="Europe/Berlin",
        start=datetime(2026, 3, 22, BEGINS, tzinfo=UTC) - timedelta(hours=1),  # 18:00 in winter time
        step_minutes=STEP,
        slots=SLOTS,
        machines=MACHINES,
        jobs=jobs(),
        orders=ORDERS,
        recurring=(Recurring(name="ladles", jobs=("ladles 1", "ladles 2", "ladles 3"), least_slots=12, most_slots=40),),
        same_order=(
            SameOrder(
                name="moulds in the order of pouring", pieces=tuple((f"mould {n}", f"pour {n}") for n in range(1, 7))
            ),
        ),
        rosters=rosters(),
        shifts=SHIFTS,
        resources=(CRANES,),
        buffers=BUFFERS,
        feeders=(CONVERTER,),
        stores=(hot_water(),),
        base_load_kw=BASE_KW,
        pv_kw=PV_KW,
        import_limit_kw=4600.0,
        export_limit_kw=300.0,
        import_price=IMPORT_PRICE,
        export_price=EXPORT_PRICE,
        price_published=published,
        carbon_kg_per_kwh=CARBON,
        carbon_basis="grid average, direct (assumed)",
        carbon_price_per_kg=0.07,
        carbon_limit_kg=14_000.0,
        battery=BATTERY,
        demand=(MONTH, HIGH_LOAD),
        tiers=(Tier(name="beyond 800 MWh", above_kwh=800_000.0, extra_per_kwh=0.004, so_far_kwh=775_000.0),),
        limits=LIMITS,
        reductions=(CALL,),
        least_gain=25.0,
        base_load_band=band(BASE_KW, 0.06),
        pv_band=Band(p10=scaled(PV_KW, 0.55), p90=scaled(PV_KW, 1.12)),
        import_price_band=band(
            IMPORT_PRICE, 0.10, tuple(0.0 if sure else p for sure, p in zip(published, IMPORT_PRICE, strict=True))
        ),
        scenarios=SCENARIOS,
        sober_prices=(sober(2.0, 0.75, published), sober(24.0, 0.9, published)),
        curtailable=True,
        notes=("an invented plant: README.md says what each figure rests on",),
    )


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "problem.json")
    write_problem(problem(), parser.parse_args(words).out)


if __name__ == "__main__":
    main(sys.argv[1:])

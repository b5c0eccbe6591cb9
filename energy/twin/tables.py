"""The invented plant in figures: what it makes, how its machines draw power, and its base load over a day."""

from dataclasses import dataclass

from energy.model.calendar import Attended


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the machines of one group do. `power_share` is the mean power of a job as a part of what the machine has
    above idle; `shape` the powers of equal parts of a run against that mean (they average to 1)."""

    group: str
    skill: str
    attended: Attended
    products: tuple[str, ...]
    a_day: tuple[int, int]  # jobs a working day, on all machines of the group
    hours: tuple[float, float]
    power_share: tuple[float, float]
    shape: tuple[float, ...]
    pieces_an_hour: tuple[int, int]
    elsewhere: float  # the part of the jobs that can run on another machine of the group too
    starts: tuple[float, ...]  # the local hours at which a planner sets the first, second … job of a day
    move_price: float = 2.0  # what moving one is taken to cost a planner


WORK = (
    Work(
        group="furnaces",
        skill="furnace",
        attended=Attended.ENDS,  # loading and unloading
        products=("Pinions", "Shafts", "Coil rings", "Flanges"),
        a_day=(5, 6),
        hours=(2.0, 4.0),
        power_share=(0.84, 0.98),
        shape=(1.09, 1.05, 0.95, 0.91),  # heat-up, then hold
        pieces_an_hour=(60, 140),
        elsewhere=0.7,
        starts=(6.0, 6.75, 8.5, 10.75, 13.75, 16.5),
    ),
    Work(
        group="presses",
        skill="press",
        attended=Attended.RUN,
        products=("Covers", "Brackets", "Clamps", "Hinges"),
        a_day=(3, 4),
        hours=(2.0, 5.0),
        power_share=(0.70, 0.98),
        shape=(1.0,),
        pieces_an_hour=(400, 900),
        elsewhere=0.5,
        starts=(6.25, 7.5, 11.5, 14.25),
    ),
    Work(
        group="galvanic",
        skill="galvanic",
        attended=Attended.RUN,
        products=("Covers", "Clamps", "Hinges"),
        a_day=(1, 2),
        hours=(2.0, 3.0),
        power_share=(0.82, 1.0),
        shape=(1.06, 0.97, 0.97),  # the baths come to temperature first
        pieces_an_hour=(500, 900),
        elsewhere=0.0,
        starts=(9.0, 13.25),
    ),
    Work(
        group="blasting",
        skill="blasting",
        attended=Attended.ENDS,
        products=("Flanges", "Pinions", "Shafts"),
        a_day=(2, 2),
        hours=(1.5, 3.0),
        power_share=(0.72, 0.97),
        shape=(1.0,),
        pieces_an_hour=(150, 300),
        elsewhere=0.0,
        starts=(9.5, 15.0),
    ),
)

# Buildings, ovens of the canteen, lighting, IT, coolant pumps: kW at the local hours 0, 1 … 23, without compressors
# and idle machines.
WORKDAY_KW = (
    176, 174, 172, 172, 176, 194, 226, 240, 246, 250, 252, 250,
    240, 246, 242, 236, 228, 222, 218, 214, 208, 196, 184, 178,
)  # fmt: skip
SATURDAY_KW = (
    174, 172, 170, 169, 169, 171, 176, 184, 190, 192, 192, 190,
    186, 182, 178, 175, 173, 172, 172, 172, 171, 170, 169, 168,
)  # fmt: skip
SUNDAY_KW = (
    167, 166, 165, 164, 164, 164, 164, 165, 166, 168, 170, 170,
    170, 169, 168, 167, 166, 166, 168, 169, 169, 169, 169, 169,
)  # fmt: skip

HEATING_KW_PER_DEGREE = 2.6  # below HEATED_BELOW: fans, pumps, trace heating
HEATED_BELOW = 13.0
COOLING_KW_PER_DEGREE = 4.5  # above COOLED_ABOVE
COOLED_ABOVE = 19.0
EMPTY_SHARE = 0.45  # of heating and cooling, when nobody is there

COMPRESSOR_IDLE_KW = 14.0  # leaks, with nobody there
COMPRESSOR_CREW_KW = 34.0  # with a crew there
COMPRESSOR_PER_PRESS_KW = 19.0  # presses and blasting run on air
COMPRESSOR_PER_BLASTING_KW = 24.0

STANDBY_SHARE = 0.35  # of the idle power, of a machine that waits while nobody is there
DOWN_SHARE = 0.15  # of a machine that is down

# Starting late (minutes), and how often.
LATENESS = ((0.45, (0, 2)), (0.35, (2, 7)), (0.14, (7, 12)), (0.06, (12, 30)))
DURATION_SPREAD = 0.016  # one standard deviation; never beyond 2.5 of them: ±4 %
POWER_SPREAD = 0.012  # the same: ±3 %
BREAKDOWNS_A_WORKDAY = 0.1  # about one in two weeks

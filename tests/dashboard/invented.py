"""The plant that never was: its clock, machines and jobs, and the curves that everything invented is made of."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy.model.horizon import Horizon
from energy.model.site import Machine
from energy.reports import pages as p

ZONE = "Europe/Berlin"
HERE = ZoneInfo(ZONE)
BASIS = "grid average, direct"


def at(text: str, day: int = 19, month: int = 5) -> datetime:
    """A local time of May 2026 in UTC."""
    hour, minute = (int(part) for part in text.split(":"))
    return (datetime(2026, month, day, tzinfo=HERE) + timedelta(hours=hour, minutes=minute)).astimezone(UTC)


NOW = at("14:07")
HEADER = p.Header(site="plant-2", name="Hallmoor Metal Parts, plant 2", zone=ZONE, currency="EUR", now=NOW)
MACHINES = (
    Machine(id="furnace-1", name="Furnace 1", group="furnaces", rated_kw=260),
    Machine(id="furnace-2", name="Furnace 2", group="furnaces", rated_kw=260),
    Machine(id="furnace-3", name="Furnace 3", group="furnaces", rated_kw=320),
    Machine(id="press-1", name="Press 1", group="presses", rated_kw=110),
    Machine(id="press-2", name="Press 2", group="presses", rated_kw=110),
    Machine(id="galvanic", name="Galvanic line", group="galvanic", rated_kw=150),
    Machine(id="blasting", name="Shot blasting", group="blasting", rated_kw=75),
)
GROUP = {machine.id: machine.group for machine in MACHINES}
DAYS = Horizon(at("0:00"), 192)
PLAN = Horizon(at("12:00"), 144)

# job, product, machine, day, start, end, kW, quantity, unit
JOBS = (
    ("2021", "Shafts", "furnace-1", 19, "6:00", "12:00", 262, 620, "pcs"),
    ("2022", "Rings", "furnace-2", 19, "6:30", "13:15", 250, 5.2, "t"),
    ("2024", "Bar stock", "furnace-3", 19, "7:00", "10:15", 290, 6.1, "t"),
    ("2025", "Covers", "press-1", 19, "6:15", "12:30", 92, 2400, "pcs"),
    ("2026", "Clamps", "press-2", 19, "6:30", "13:00", 88, 3100, "pcs"),
    ("2027", "Zinc clamps", "galvanic", 19, "10:15", "13:30", 150, 1700, "pcs"),
    ("2029", "Rings", "blasting", 19, "10:30", "13:00", 62, 1.9, "t"),
    ("2033", "Shafts", "furnace-1", 19, "12:30", "16:30", 265, 640, "pcs"),
    ("2034", "Shafts", "furnace-2", 19, "13:45", "16:45", 245, 640, "pcs"),
    ("2056", "Clamps", "furnace-2", 19, "17:30", "20:00", 235, 5600, "pcs"),
    ("2038", "Bar stock", "furnace-3", 19, "22:30", "26:30", 300, 9.2, "t"),
    ("2036", "Pinions", "furnace-1", 19, "23:00", "27:00", 245, 410, "pcs"),
    ("2035", "Covers", "press-1", 19, "13:30", "20:00", 96, 2600, "pcs"),
    ("2037", "Hinges", "press-2", 19, "13:45", "19:45", 90, 4100, "pcs"),
    ("2039", "Zinc clamps", "galvanic", 19, "13:45", "18:15", 152, 2100, "pcs"),
    ("2057", "Zinc covers", "galvanic", 19, "18:45", "21:45", 146, 2400, "pcs"),
    ("2054", "Rings", "blasting", 19, "13:15", "16:15", 64, 2.2, "t"),
    ("2055", "Shafts", "blasting", 19, "17:00", "19:30", 60, 640, "pcs"),
    ("2041", "Gears", "furnace-1", 20, "6:30", "10:30", 262, 380, "pcs"),
    ("2042", "Rings", "furnace-2", 20, "11:00", "14:00", 246, 4.8, "t"),
    ("2051", "Coil rings", "furnace-3", 20, "11:15", "14:45", 262, 8.4, "t"),
    ("2047", "Shafts", "furnace-1", 20, "14:45", "18:15", 258, 560, "pcs"),
    ("2048", "Pinions", "furnace-2", 20, "18:45", "21:45", 240, 300, "pcs"),
    ("2044", "Brackets", "press-1", 20, "6:15", "11:30", 94, 1900, "pcs"),
    ("2045", "Clamps", "press-2", 20, "6:30", "12:30", 90, 3300, "pcs"),
    ("2052", "Flanges", "press-1", 20, "14:30", "20:30", 97, 1250, "pcs"),
    ("2053", "Hinges", "press-2", 20, "16:15", "21:15", 89, 3900, "pcs"),
    ("2043", "Zinc covers", "galvanic", 20, "7:00", "11:30", 148, 2200, "pcs"),
    ("2049", "Brackets", "galvanic", 20, "12:45", "14:45", 142, 1900, "pcs"),
    ("2050", "Rings", "blasting", 20, "14:30", "17:30", 62, 2.4, "t"),
)
OLD = {  # as-is places of moved jobs
    "2038": (at("18:00"), at("22:00")),
    "2051": (at("6:45", 20), at("10:15", 20)),
    "2049": (at("18:15", 20), at("20:15", 20)),
}
DUE = {"2051": at("16:55", 20), "2049": at("6:00", 21), "2038": at("6:00", 20)}
OFFERED = {"2051": "offer-1", "2049": "offer-2"}


def bell(hours: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-(((hours - middle) / width) ** 2))


def local_hours(horizon: Horizon) -> np.ndarray:
    """Hours of local time since the first midnight."""
    start = horizon.start.astimezone(HERE)
    return start.hour + start.minute / 60 + (np.arange(horizon.slots) + 0.5) * horizon.step_hours


def price(horizon: Horizon) -> np.ndarray:
    h = local_hours(horizon) % 24
    return 0.001 * (84 + 22 * bell(h, 7.5, 2) - 48 * bell(h, 14, 3.4) + 48 * bell(h, 20, 2.2) + 3 * np.sin(9 * h))


def carbon(horizon: Horizon) -> np.ndarray:
    h = local_hours(horizon) % 24
    return 0.001 * (346 - 136 * bell(h, 13.7, 4) + 34 * bell(h, 20.5, 2.5))


def base(horizon: Horizon) -> np.ndarray:
    h = local_hours(horizon) % 24
    day = 1 / (1 + np.exp(-(h - 5.6) * 2.6)) - 1 / (1 + np.exp(-(h - 21.6) * 1.7))
    return 242 + 185 * day - 38 * bell(h, 18, 3.5) + 9 * np.sin(2.3 * h)


def pv(horizon: Horizon) -> np.ndarray:
    h = local_hours(horizon)
    size = np.where(h < 24, 140, 305)
    return size * np.clip(np.sin(np.pi * ((h % 24) - 5.7) / 15.3), 0, None) ** 1.5 * ((h % 24 > 5.7) & (h % 24 < 21))


def job_load(horizon: Horizon, jobs: list[str] | None = None, *, as_is: bool = False, group: str = "") -> np.ndarray:
    total = np.zeros(horizon.slots)
    for job, _, machine, day, start, end, kw, *_ in JOBS:
        if (jobs is not None and job not in jobs) or (group and GROUP[machine] != group):
            continue
        a, b = (at(start, day), at(end, day)) if not (as_is and job in OLD) else OLD[job]
        for slot in range(horizon.slots):
            if a <= horizon.time_of(slot) < b:
                total[slot] += kw
    return total


def battery(horizon: Horizon) -> np.ndarray:
    """Discharge positive; charges at noon, gives in the evening."""
    h = local_hours(horizon) % 24
    first = local_hours(horizon) < 24
    charge = ((h > 10.5) & (h < 11.8) & first) * 95 + ((h > 12) & (h < 12.4) & first) * 90
    charge = charge + ((h > 11) & (h < 14.5) & ~first) * 125
    give = ((h > 19) & (h < 21) & first) * 135 + ((h > 18.75) & (h < 21) & ~first) * 170
    return give - charge

"""The plant of config.yaml, built by hand: site, meters and calendar for the tests of the twin."""

from datetime import date, time

from energy.model.calendar import Calendar, RecurringClosure, Shift
from energy.model.meter import Measures, Meter, Role
from energy.model.site import Battery, Machine, Site

ZONE = "Europe/Berlin"
MACHINES = (
    ("furnace-1", "Furnace 1", "furnaces", 260, 18),
    ("furnace-2", "Furnace 2", "furnaces", 260, 18),
    ("furnace-3", "Furnace 3", "furnaces", 320, 22),
    ("press-1", "Press 1", "presses", 110, 9),
    ("press-2", "Press 2", "presses", 110, 9),
    ("galvanic", "Galvanic line", "galvanic", 150, 14),
    ("blasting", "Shot blasting", "blasting", 75, 4),
)
SITE = Site(
    id="plant-2",
    name="Hallmoor Metal Parts, plant 2",
    zone=ZONE,
    currency="EUR",
    import_limit_kw=1440,
    export_limit_kw=400,
    pv_peak_kw=380,
    latitude=48.7,
    longitude=9.2,
    country="DE-BW",
    battery=Battery(capacity_kwh=430, charge_kw=200, discharge_kw=200, min_kwh=43, wear_per_kwh=0.04),
    machines=tuple(
        Machine(id=id, name=name, group=group, rated_kw=rated, idle_kw=idle)
        for id, name, group, rated, idle in MACHINES
    ),
)
METERS = (
    Meter(id="grid", name="Grid connection", role=Role.SETTLEMENT, measures=Measures.GRID, connection_kw=1800),
    Meter(id="pv", name="PV roof", role=Role.SUB, measures=Measures.PV, connection_kw=420),
    Meter(id="battery", name="Battery", role=Role.SUB, measures=Measures.BATTERY, connection_kw=250),
    *(
        Meter(id=f"m-{m.id}", name=m.name, role=Role.SUB, measures=Measures.MACHINE, machine=m.id, connection_kw=420)
        for m in SITE.machines
    ),
    Meter(id="m-compressors", name="Compressors", role=Role.SUB, measures=Measures.OTHER, connection_kw=180),
)
DAY_CREW = (("furnace", 3), ("press", 2), ("galvanic", 1), ("blasting", 1))
SHIFTS = (
    Shift(crew="early", weekdays=(0, 1, 2, 3, 4), start=time(6), end=time(14), people=DAY_CREW),
    Shift(crew="late", weekdays=(0, 1, 2, 3, 4), start=time(14), end=time(22), people=DAY_CREW),
    Shift(crew="night", weekdays=(0, 1, 2, 3), start=time(22), end=time(6), people=(("furnace", 1),)),
)


MAINTENANCE = RecurringClosure(machine="press-2", weekdays=(2,), start=time(13), end=time(16), why="maintenance")
CALENDAR = Calendar(shifts=SHIFTS, holidays=(date(2026, 5, 25),), recurring=(MAINTENANCE,))

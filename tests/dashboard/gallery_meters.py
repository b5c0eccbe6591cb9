"""All that metering knows of the invented plant: meters, the tree, doubts, the bill, edge boxes, collector, exchanges."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from energy.errors import LoadstoneError
from energy.model.collector import CollectorState, PollPace
from energy.model.edge import Backlog, Edge, EdgeState
from energy.model.horizon import Horizon
from energy.model.meter import Exchange, Measures, Meter, Part, Quality, Reading, ReadingQuality, Release, Role
from energy.model.series import Series
from energy.reports import pages as p
from energy.reports.billing import BilledDay
from energy.reports.doubts import DoubtRow, RawLine
from energy.reports.tree import Node
from tests.dashboard.invented import HEADER, NOW, at, base, job_load, local_hours, pv

SUB, MACHINE, OTHER = Role.SUB, Measures.MACHINE, Measures.OTHER
METERS = (
    # id, name, place, role, measures, power, energy today, shape
    ("m-compressor-2", "Compressor 2", "Utilities", SUB, OTHER, None, 1109, "flat"),
    ("m-blasting", "Shot blasting", "Hall C", SUB, MACHINE, None, None, "blocks"),
    ("m-galvanic", "Galvanic line", "Hall C", SUB, MACHINE, 156, 718, "blocks"),
    ("grid", "Grid connection", "Transformer station", Role.SETTLEMENT, Measures.GRID, 1142, 9917, "site"),
    ("busbar", "Main busbar", "Low-voltage room", Role.CHECK, Measures.GRID, 1139, 9877, "site"),
    ("feeder-a", "Feeder hall A", "Low-voltage room", SUB, OTHER, 481, 3631, "site"),
    ("m-furnace-1", "Furnace 1", "Hall A", SUB, MACHINE, 280, 1796, "blocks"),
    ("m-furnace-2", "Furnace 2", "Hall A", SUB, MACHINE, 189, 718, "blocks"),
    ("m-furnace-3", "Furnace 3", "Hall A", SUB, MACHINE, 6, 981, "blocks"),
    ("m-press-1", "Press 1", "Hall B", SUB, MACHINE, 105, 688, "blocks"),
    ("m-press-2", "Press 2", "Hall B", SUB, MACHINE, 87, 599, "blocks"),
    ("m-compressor-1", "Compressor 1", "Utilities", SUB, OTHER, 103, 1259, "flat"),
    ("m-light", "Hall lighting, HVAC", "Roof", SUB, OTHER, 190, 1185, "flat"),
    ("pv", "PV plant", "Roof, 400 kWp", SUB, Measures.PV, -131, 662, "pv"),
    ("battery", "Battery", "Container, 300 kW", SUB, Measures.BATTERY, 0, 200, "pulse"),
    ("offices", "Offices, rest", "", Role.VIRTUAL, OTHER, 71, 842, "flat"),
)
BELOW = {"m-furnace-1": "feeder-a", "m-furnace-2": "feeder-a", "m-furnace-3": "feeder-a"}
BOXES = {"m-press-1": "hall-b", "m-press-2": "hall-b", "m-galvanic": "hall-c", "m-blasting": "hall-c"}
CONFIDENCE = {"m-light": "1 source: verify", "m-compressor-2": "1 source: verify"}
PROFILES = {"m-light": "inepro-pro380", "grid": "janitza-umg96rm", "m-compressor-2": "carlo-gavazzi-em24"}


def meter(id: str) -> Meter:
    row = next(row for row in METERS if row[0] == id)
    virtual = row[3] is Role.VIRTUAL
    return Meter(
        id=id,
        name=row[1],
        role=row[3],
        measures=row[4],
        connection_kw=1600 if row[4] is Measures.GRID else 350,
        place=row[2],
        profile="" if virtual else PROFILES.get(id, "eastron-sdm630"),
        confidence="" if virtual else CONFIDENCE.get(id, "manual and 2 other sources"),
        above=BELOW.get(id),
        box=BOXES.get(id, ""),
        parts=(Part(meter="busbar"), Part(meter="feeder-a", factor=-1), Part(meter="m-light", factor=-1))
        if virtual
        else (),
    )


def meter_row(row: tuple[Any, ...], place: int) -> p.MeterRow:
    id, _, _, _, _, power, energy, shape = row
    span = Horizon(at("14:00", 18), 96)
    h = local_hours(span)
    shapes = {
        "flat": 90 + 12 * np.sin(h / 3) + 3 * np.sin(5 * h),
        "site": base(span) + job_load(Horizon(at("0:00"), 96))[::-1] * 0.6,
        "blocks": 180.0 * ((h + place) % 13 > 7) + 6,
        "pv": pv(Horizon(at("14:00"), 96)),
        "pulse": 90.0 * ((h % 24 > 10) & (h % 24 < 12)),
    }
    values = shapes[shape].copy()
    silent = power is None
    if silent:
        values[95 if shape == "flat" else 33 :] = np.nan
    last = NOW - (timedelta(minutes=25) if shape == "flat" else timedelta(hours=15, minutes=57))
    good = Reading(
        meter=id,
        taken_at=last if silent else NOW - timedelta(seconds=2),
        power_kw=power,
        import_kwh=None if id == "offices" else 184_220.4,
        export_kwh=58_114.7 if id == "pv" else None,
        values=() if id == "offices" else (("voltage_l1", 231.2), ("current_l1", 240.1), ("power_factor", 0.94)),
        state="ACTIVE" if id == "m-press-1" else "",
    )
    reading = Reading(meter=id, taken_at=NOW, quality=ReadingQuality.NO_ANSWER, note="timed out") if silent else good
    doubtful = id == "m-galvanic"
    told = "no data since 13:42 (timed out)" if shape == "flat" else "no data since Mon 22:10 (timed out)"
    return p.MeterRow(
        meter=meter(id),
        reading=reading,
        last_good=good,
        age_seconds=(NOW - good.taken_at).total_seconds(),
        silent=silent,
        state="silent" if silent else "suspect" if doubtful else "good",
        detail=told if silent else "newest value not used (import went back by 212.4 kWh)" if doubtful else "",
        energy_today_kwh=energy,
        day_kw=Series(span, values, "kW"),
        qualities=((Quality.MEASURED, 54), (Quality.INTERPOLATED, 2)),
        reads_per_minute=84.0,
        source=f"{meter(id).profile} · {meter(id).confidence}",
        single_source=id in CONFIDENCE,
    )


def rows() -> tuple[p.MeterRow, ...]:
    return tuple(meter_row(row, k) for k, row in enumerate(METERS))


def tree(*, over: bool = False) -> tuple[Node, ...]:
    """The grid connection with the feeder and all else below it; hall A's furnaces hang below its feeder."""
    energy = {row[0]: row[6] for row in METERS}
    energy["pv"] = -energy["pv"]
    furnaces = sum(energy[id] for id in BELOW)
    if over:
        energy["m-furnace-1"] += 640
        furnaces += 640
    direct = [row[0] for row in METERS if row[0] not in BELOW and row[0] not in ("grid", "busbar", "offices")]
    below = sum(energy[id] or 0 for id in direct)

    def node(id: str, depth: int, **more: Any) -> Node:
        return Node(meter=meter(id), depth=depth, net_kwh=energy[id], slots=56, **more)

    nodes = [node("grid", 0, below_kwh=below, silent=("Shot blasting",))]
    for id in direct:
        nodes.append(node(id, 1, below_kwh=furnaces) if id == "feeder-a" else node(id, 1))
        if id == "feeder-a":
            nodes += [node(lower, 2) for lower in BELOW]
    return (*nodes, node("busbar", 0), node("offices", 0, modelled=True))


def registers(*words: int, at: int = 52) -> tuple[RawLine, ...]:
    return tuple(
        RawLine(where=f"input register {at + place}", what=f"0x{word:04X}", number=word)
        for place, word in enumerate(words)
    )


def doubt(
    id: str, when: Any, why: str, raw: tuple[RawLine, ...], said: Release | None = None, **values: float
) -> DoubtRow:
    quality = ReadingQuality.SUSPECT
    if said is not None:
        quality = ReadingQuality.RELEASED if said.right else ReadingQuality.REJECTED
    return DoubtRow(
        meter=meter(id),
        reading=Reading(meter=id, taken_at=when, quality=quality, note=why, **values),
        reason=why,
        raw=raw,
        words=() if said is None else (said,),
    )


def doubts() -> tuple[DoubtRow, ...]:
    """An event of 38 readings, one reading alone, and one that was rejected; newest first."""
    back = [
        doubt(
            "m-galvanic",
            at("13:48") + timedelta(seconds=30 * k),
            f"import counter went back by {212.4 - 0.6 * k:.1f} kWh",
            registers(0x431C, 0x2000, 0x0000, 0x0000, at=52) + registers(0x4833, 0xF1A3, at=72),
            import_kwh=184_008.0 + 0.6 * k,
            power_kw=156.0 + k % 3,
        )
        for k in range(38)
    ]
    surge = doubt(
        "m-furnace-2",
        at("9:31"),
        "4913.0 kW is more than the connection of 350 kW can carry",
        registers(0x4598, 0x8800, at=52),
        import_kwh=183_960.2,
        power_kw=4913.0,
    )
    word = Release(
        meter="busbar",
        taken_at=at("6:12", 18),
        right=False,
        at=at("7:05", 18),
        by="R. Adler",
        role="energy manager",
        why="gateway answered for another meter",
    )
    told = doubt(
        "busbar", at("6:12", 18), "import and export have changed places", (), word, import_kwh=12.4, power_kw=880.0
    )
    return (*reversed(back), surge, told)


def full() -> tuple[DoubtRow, ...]:
    """A quarantine as it looks after a bad night: 240 readings of one meter, and single ones of many others."""
    night = [
        doubt(
            "m-light",
            at("1:00") + timedelta(seconds=60 * k),
            "no counter has moved since 00:41:10 UTC, though the power says 190.0 kW"
            if k % 8
            else "1900.0 kW is more than the connection of 350 kW can carry",
            registers(0x4598, 0x8800),
            import_kwh=90_114.0,
            power_kw=190.0 if k % 8 else 1900.0,
        )
        for k in range(240)
    ]
    single = [
        doubt(
            row[0],
            at(f"{n}:{7 * n % 60:02d}"),
            "import counter says -4.00 kWh; no counter is below zero",
            (),
            import_kwh=-4.0,
        )
        for n, row in enumerate(METERS[5:15])
    ]
    return tuple(sorted((*night, *single, *doubts()), key=lambda row: row.reading.taken_at, reverse=True))


def billed() -> tuple[BilledDay, ...]:
    """Two weeks, newest first; one day differs, one has a gap of ours."""

    def one(day: int) -> BilledDay:
        own = (23_140.5, 22_870.0, 24_020.8, 22_410.6, 23_377.9, 9_310.4, 8_870.2)[date(2026, 5, day).weekday()]
        off = {12: 0.041, 15: 0.0021}.get(day, 0.0031 if day % 2 else -0.0017)
        return BilledDay(
            day=date(2026, 5, day),
            own_kwh=own,
            billed_kwh=own * (1 + off),
            compared=90 if day == 15 else 96,
            only_billed=6 if day == 15 else 0,
            not_billed=0,
            worst=at(f"{6 + 5 * day % 13}:{15 * (day % 4):02d}", day),
            worst_kwh=own * off / (4 if day == 12 else 40),
        )

    return tuple(one(day) for day in range(18, 4, -1))


def edge(name: str, **more: Any) -> Edge:
    known: dict[str, Any] = {
        "buffer": "b1",
        "last": 412_882,
        "seen_at": NOW - timedelta(seconds=24),
        "backlog": Backlog(),
        "ahead_seconds": 0.3,
        "received": 412_880,
    }
    return Edge(name=name, **(known | more))


WELL = (
    EdgeState(name="hall-b", edge=edge("hall-b"), silent_for=None, oldest_for=None),
    EdgeState(name="hall-c", edge=edge("hall-c", last=98_114, received=98_112), silent_for=None, oldest_for=None),
)


def behind() -> tuple[EdgeState, ...]:
    """One box is behind with a broken line and a wrong clock, one is well, one has never spoken."""
    backlog = Backlog(
        waiting=18_420, oldest_at=at("9:52"), trouble="no answer from energy.hallmoor.example:8502: timed out"
    )
    late = edge("hall-c", seen_at=NOW - timedelta(seconds=51), backlog=backlog, ahead_seconds=64.0)
    return (
        WELL[0],
        EdgeState(
            name="hall-c",
            edge=late,
            silent_for=None,
            oldest_for=NOW - at("9:52"),
            troubles=(
                "is behind: 18420 readings wait, the oldest of 09:52",
                "has a wrong clock: 64 s ahead; its readings are doubted",
            ),
        ),
        EdgeState(name="yard", edge=None, silent_for=None, oldest_for=None, troubles=("has not spoken yet",)),
    )


def pace(polls: int, missed: int) -> PollPace:
    return PollPace(polls=polls, missed=missed, late_p50_seconds=0.031, late_p99_seconds=0.42, latest_seconds=2.1)


COLLECTOR = CollectorState(
    at=NOW - timedelta(seconds=41),
    meters=11,
    waiting=0,
    kept=1_684_220,
    dropped=0,
    lately=pace(66, 2),
    in_all=pace(1_684_220, 3_140),
)
EXCHANGED = Exchange(
    id="x-1",
    meter="m-press-1",
    at=at("9:40", 4),
    old_import_kwh=81_204.61,
    new_import_kwh=0.0,
    reported_at=at("10:02", 4),
    by="R. Adler",
    why="calibration was due",
)


def meters_page() -> p.MetersPage:
    return p.MetersPage(
        header=HEADER,
        rows=rows(),
        readings_last_hour=70_800,
        balance_kwh=(9917, 8727),
        tree=tree(),
        billed=billed(),
        edges=WELL,
        collector=COLLECTOR,
    )


def meter_page(id: str, page: p.MetersPage) -> p.MeterPage:
    row = next((row for row in page.rows if row.meter.id == id), None)
    if row is None:
        raise LoadstoneError(f"there is no meter {id!r}; known: {', '.join(row.meter.id for row in page.rows)}")
    readings = tuple(
        Reading(
            meter=id,
            taken_at=NOW - timedelta(seconds=10 * k),
            import_kwh=None if row.silent else 184_220.4 - 0.5 * k,
            power_kw=None if row.silent else 156.0 + k % 3,
            quality=ReadingQuality.NO_ANSWER if row.silent else ReadingQuality.GOOD,
            note="timed out" if row.silent else "",
        )
        for k in range(12)
    )
    lately = Horizon(at("11:00"), 12)
    register = Series(lately, 156.0 + 18 * np.sin(np.arange(12) / 1.7), "kW")
    counter = Series(lately, register.values * (0.97 if id == "m-galvanic" else 0.999), "kW")
    return p.MeterPage(
        header=page.header,
        row=row,
        readings=readings,
        faults=(("timed out", 14), ("bad checksum", 1)),
        power=None if row.silent else register,
        counter_power=None if row.silent else counter,
    )


# --- the states of the page -------------------------------------------------------------------------------------


def all_well(page: p.MetersPage) -> p.MetersPage:
    """Every meter answers, the bill agrees, the boxes have handed over."""

    def well(row: p.MeterRow, place: int) -> p.MeterRow:
        if row.state == "good":
            return row
        power = (104, 62, 156)[place % 3]
        reading = Reading(meter=row.meter.id, taken_at=NOW - timedelta(seconds=3), power_kw=power, import_kwh=41_906.2)
        return replace(
            row,
            reading=reading,
            last_good=reading,
            age_seconds=3.0,
            silent=False,
            state="good",
            detail="",
            energy_today_kwh=row.energy_today_kwh or 480,
            day_kw=None
            if row.day_kw is None
            else Series(row.day_kw.horizon, np.nan_to_num(row.day_kw.values, nan=70.0), "kW"),
        )

    return replace(
        page,
        rows=tuple(well(row, k) for k, row in enumerate(page.rows)),
        balance_kwh=(9917, 9680),
        tree=tuple(
            replace(node, silent=(), modelled=False, net_kwh=480 if node.net_kwh is None else node.net_kwh)
            for node in page.tree
        ),
        billed=tuple(day for day in page.billed if not day.differs),
    )


def settlement_dead(page: p.MetersPage) -> p.MetersPage:
    """The settlement meter itself is silent, a ratio is wrong, and there is neither a bill nor a box."""
    return replace(
        page,
        rows=tuple(dead_since_1351(row) if row.meter.id == "grid" else row for row in page.rows),
        balance_kwh=None,
        edges=(),
        billed=(),
        collector=replace(COLLECTOR, waiting=38, dropped=12),
        tree=tree(over=True),
    )


def collector_stopped(page: p.MetersPage) -> p.MetersPage:
    """The collector is gone, and every meter that it asks is silent; those over boxes go on."""
    return replace(
        page,
        rows=tuple(row if row.meter.box else dead_since_1351(row) for row in page.rows),
        balance_kwh=None,
        collector=replace(COLLECTOR, at=at("13:51"), stopped=True),
    )


def dead_since_1351(row: p.MeterRow) -> p.MeterRow:
    """The row of a meter that has said nothing since 13:51, or for longer."""
    if row.silent:
        return row
    last = replace(row.last_good, taken_at=at("13:51")) if row.last_good is not None else None
    silence = Reading(meter=row.meter.id, taken_at=NOW, quality=ReadingQuality.NO_ANSWER, note="timed out")
    told = "no data since 13:51 (timed out)"
    return replace(row, reading=silence, last_good=last, age_seconds=960.0, silent=True, state="silent", detail=told)

"""Invented meters that answer behind an address: one that reads right, one with its words the other way, one unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from energy.errors import MeterError
from energy.model.commissioning import Check, Fix, FoundMeter
from energy.model.meter import Reading
from energy.reports import pages as p

AT = (("kind", "modbus"), ("host", "192.168.1.40"))
READING = Reading(
    meter="",
    taken_at=datetime(2026, 5, 19, 12, 7, tzinfo=UTC),
    power_kw=87.0,
    import_kwh=5_001.43,
    export_kwh=20.0,
    values=(
        *((f"voltage_l{n}", 231.7) for n in (1, 2, 3)),
        *((f"current_l{n}", amps) for n, amps in enumerate((134.4, 130.5, 130.5), 1)),
        *((f"power_l{n}", kw) for n, kw in enumerate((29.58, 28.71, 28.71), 1)),
        ("power_factor", 0.95),
        ("frequency", 50.0),
    ),
)
HOLDS = (
    Check(name="voltage", ok=True, said="231.7 / 231.7 / 231.7 V"),
    Check(name="phases add up", ok=True, said="29.58 + 28.71 + 28.71 = 87.00 kW, total 87.00 kW", weight=2.0),
    Check(name="counter follows power", ok=None, said="not watched yet: this needs some seconds"),
)
FAILS = (
    Check(name="voltage", ok=False, said="1.6e-15 V is the voltage of no usual network"),
    Check(name="phases add up", ok=False, said="0.000 + 33,627 + 33,627 = 67,254 kW, total -6.2e+23 kW", weight=2.0),
    Check(name="counters only count up", ok=True, said="over 2 polls", weight=0.25),
)
FIX = Fix(said="the words of its numbers come low word first", settings=(("word_order", "low first"),), score=1.0)

RIGHT = FoundMeter(
    settings=(*AT, ("unit", 1), ("profile", "siemens-pac")),
    maker="Siemens",
    model="Siemens SENTRON PAC2200",
    confidence="6 sources",
    reading=READING,
    checks=HOLDS,
    score=1.0,
    note="1 of 3 checks could not be made (counter follows power).",
)
WRONG = FoundMeter(
    settings=(*AT, ("unit", 2), ("profile", "eastron-sdm630")),
    maker="Eastron",
    model="Eastron SDM630",
    confidence="5 sources",
    reading=replace(READING, power_kw=-6.2e23),
    checks=FAILS,
    fixes=(FIX, replace(FIX, said="all registers lie one higher", settings=(("address_shift", 1),), score=0.9)),
    score=0.08,
)
NAMELESS = FoundMeter(settings=(*AT, ("unit", 3)), note="It answers, but none of the known tables fits.")


class Commissioning:
    """The part of the gallery that finds and keeps meters."""

    calls: list[tuple[Any, ...]]
    broken: tuple[str, ...]

    def scan_meters(self, host: str, *, units: str = "", progress: Any = None) -> Sequence[FoundMeter]:
        self.calls.append(("scan", host, units))
        if progress is not None:
            progress(0.5, "unit 2")
        if host == "10.0.0.9":
            raise MeterError("10.0.0.9:502 does not answer: is the address right, the device on, a firewall between?")
        return (RIGHT, WRONG, NAMELESS)

    def look_at_meter(self, settings: Mapping[str, object]) -> FoundMeter:
        self.calls.append(("look", dict(settings)))
        if "mute" in self.broken:
            raise MeterError("unit 1 did not answer within 2 s")
        right = settings.get("unit") != 2 or settings.get("word_order") == "low first"
        return replace(RIGHT if right else WRONG, settings=tuple(settings.items()))

    def machines(self) -> tuple[tuple[str, str], ...]:
        return (("furnace-1", "Furnace 1"), ("press-2", "Press 2"))

    def kept_meters(self) -> tuple[str, ...]:
        return ("m-kept",)

    def keep_meter(self, settings: Mapping[str, object], by: str, role: str) -> p.Done:
        if "keep" in self.broken:
            return p.Done(ok=False, text="meters.d/x.yaml: id: 'x' is the id of meters[0] already; ids are unique")
        self.calls.append(("keep", dict(settings), by, role))
        return p.Done(ok=True, text=f"{settings['name']} is kept in meters.d/{settings['id']}.yaml.")

    def drop_meter(self, meter: str, by: str, role: str) -> p.Done:
        self.calls.append(("drop", meter, by, role))
        return p.Done(ok=True, text=f"{meter} is no longer read. What it said stays.")

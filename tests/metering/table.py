"""Readings and intervals as small tables of minutes and kWh."""

from datetime import UTC, datetime, timedelta

from energy.model.horizon import Horizon
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Role

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)


def meter(connection_kw: float = 400.0, rollover_kwh: float | None = None) -> Meter:
    return Meter(
        id="m",
        name="m",
        role=Role.SUB,
        measures=Measures.MACHINE,
        connection_kw=connection_kw,
        rollover_kwh=rollover_kwh,
    )


def reading(
    minute: float,
    kwh: float | None,
    export: float | None = None,
    kw: float | None = None,
    quality: ReadingQuality = ReadingQuality.GOOD,
) -> Reading:
    at = NOON + timedelta(minutes=minute)
    return Reading(meter="m", taken_at=at, import_kwh=kwh, export_kwh=export, power_kw=kw, quality=quality)


def readings(*rows: tuple[float, float]) -> list[Reading]:
    return [reading(minute, kwh) for minute, kwh in rows]


def slots(count: int, first: int = 0) -> Horizon:
    return Horizon(NOON + timedelta(minutes=15 * first), count)

"""The interval that runs now: what it has come to so far, and where it is heading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import floor_to
from energy.metering.belief import good_stands
from energy.metering.counters import newest_before, point_at
from energy.model.meter import Meter, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInterval:
    """The quarter hour (or other step) that is not over yet. `seen_until` is the newest stand in it; the means are of
    import, kW; None is not known. `projected_kw` is the mean of the whole interval if the power stays as it is."""

    meter: str
    start: datetime
    end: datetime
    seen_until: datetime | None = None
    mean_so_far_kw: float | None = None
    projected_kw: float | None = None


def running_interval(readings: Sequence[Reading], meter: Meter, now: datetime, step: timedelta) -> RunningInterval:
    """The running interval of a meter at `now`, from the readings so far (also from before its start)."""
    start = floor_to(now, step)
    span = RunningInterval(meter=meter.id, start=start, end=start + step)
    so_far = [reading for reading in readings if reading.taken_at <= now]
    counter = good_stands(so_far, meter, "import_kwh")
    began = point_at(counter, start, ends=False, longest=step)
    newest = newest_before(counter, now)
    if began is None or newest is None or newest.at <= start or newest.piece != began.piece:
        return span
    used_kwh = newest.kwh - began.kwh
    mean_kw = used_kwh / ((newest.at - start).total_seconds() / 3600)
    power_kw = _newest_power(so_far, start)
    rest_kw = mean_kw if power_kw is None else max(power_kw, 0.0)
    rest_kwh = rest_kw * (span.end - newest.at).total_seconds() / 3600
    return RunningInterval(
        meter=meter.id,
        start=start,
        end=span.end,
        seen_until=newest.at,
        mean_so_far_kw=mean_kw,
        projected_kw=(used_kwh + rest_kwh) / (step.total_seconds() / 3600),
    )


def _newest_power(readings: Sequence[Reading], since: datetime) -> float | None:
    said = [
        (reading.taken_at, reading.power_kw)
        for reading in readings
        if reading.quality.counts and reading.power_kw is not None and reading.taken_at >= since
    ]
    return max(said)[1] if said else None

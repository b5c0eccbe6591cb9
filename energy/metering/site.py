"""From meters to the load of the plant: site balance, the load of job runs, and the base load that is forecast.

    site load = import − export + generation + discharge − charge
    base load = site load − load of job runs

A run's load is what the machine's own meter says within the run less the machine's idle power; without a meter it is the
run's energy, or the job's profile. Idle, holding and unplanned running stay in the base load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.horizon import Horizon
from energy.model.job import Mode
from energy.model.meter import IntervalEnergy, Quality
from energy.model.run import JobRun
from energy.model.series import Series

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMeters:
    """Mean power of each slot, kW, by what flows; None where the plant has no such meter."""

    imported: Series
    exported: Series
    generation: Series | None = None
    charge: Series | None = None
    discharge: Series | None = None


def site_load(meters: SiteMeters) -> Series:
    """What the plant's consumers drew, kW; unknown where any meter of the balance is unknown."""
    load = meters.imported.values - np.nan_to_num(meters.exported.values)
    for plus, sign in ((meters.generation, 1.0), (meters.discharge, 1.0), (meters.charge, -1.0)):
        if plus is not None:
            load = load + sign * plus.values
    return Series(meters.imported.horizon, load, "kW")


def share_of_slots(run: JobRun, horizon: Horizon) -> Row:
    """The part of each slot that a run covers, 0 to 1. A run that still runs covers all that is left."""
    starts = np.arange(horizon.slots) * float(horizon.step_minutes)
    begin = (run.start - horizon.start).total_seconds() / 60.0
    end = (run.end - horizon.start).total_seconds() / 60.0 if run.end else np.inf
    covered = np.minimum(end, starts + horizon.step_minutes) - np.maximum(begin, starts)
    return np.asarray(np.clip(covered, 0.0, horizon.step_minutes) / horizon.step_minutes)


def profile_over_slots(run: JobRun, mode: Mode, horizon: Horizon) -> Row:
    """The mean load of each slot, kW, that a job's profile gives for the time the run took (stretched or squeezed), at
    the run's own energy where it is known."""
    end = run.end
    minutes = mode.minutes if end is None else max(1.0, (end - run.start).total_seconds() / 60.0)
    begin = (run.start - horizon.start).total_seconds() / 60.0
    edges = np.arange(horizon.slots + 1) * float(horizon.step_minutes) - begin
    parts = np.concatenate([[0.0], np.cumsum(np.array(mode.power_kw) / len(mode.power_kw))])
    done = np.interp(edges / minutes, np.linspace(0.0, 1.0, len(parts)), parts)  # mean kW so far times share of the run
    kwh = np.diff(done) * minutes / 60.0
    if run.kwh is not None and mode.energy_kwh > 0:
        full = parts[-1] * minutes / 60.0
        kwh *= run.kwh / full if full > 0 else 0.0
    return np.asarray(kwh * 60.0 / horizon.step_minutes)


def run_load(run: JobRun, horizon: Horizon, *, machine_kw: Series | None, idle_kw: float, mode: Mode | None) -> Row:
    """The load of one run in each slot, kW, without the machine's idle power.

    The meter's word where it is known; a slot that the run only touches gets the part above idle, since one machine
    runs one job at a time. Elsewhere the run's energy or the job's profile; NaN where nobody knows.
    """
    share = share_of_slots(run, horizon)
    if mode is not None:
        modelled = profile_over_slots(run, mode, horizon)
    elif run.kwh is not None and share.sum() > 0:
        modelled = share / share.sum() * run.kwh / horizon.step_hours
    else:
        modelled = np.where(share > 0, np.nan, 0.0)
    if machine_kw is None:
        return np.where(share > 0, modelled, 0.0)
    metered = np.maximum(0.0, machine_kw.values - idle_kw)
    return np.where(share > 0, np.where(np.isnan(metered), modelled, metered), 0.0)


def shaped(values: Sequence[IntervalEnergy], horizon: Horizon) -> Series:
    """Mean import power of each slot, kW, where the shape is known: a slot that only has its share of a longer gap, or
    what a dead meter usually says, tells nothing of when a machine ran."""
    kw = np.full(horizon.slots, np.nan)
    for value in values:
        slot = horizon.slot_of(value.start)
        known = value.import_kwh is not None and value.quality not in {
            Quality.SPREAD,
            Quality.MODELLED,
            Quality.MISSING,
        }
        if known and value.import_kwh is not None and 0 <= slot < horizon.slots:
            kw[slot] = value.import_kwh * 60.0 / value.minutes
    return Series(horizon, kw, "kW")


def only_shares(values: Sequence[IntervalEnergy], horizon: Horizon) -> NDArray[np.bool_]:
    """The slots that only have their share of a longer gap: right in sum, but flat where the plant was not."""
    found = np.zeros(horizon.slots, dtype=np.bool_)
    for value in values:
        if value.quality is Quality.SPREAD:
            first = horizon.slot_of(value.start)
            found[max(0, first) : max(0, first + max(1, value.minutes // horizon.step_minutes))] = True
    return found


def split_shared_slots(loads: Sequence[Row], shares: Sequence[Row]) -> list[Row]:
    """Loads of runs on one machine where a slot holds the end of one and the start of the next: the slot's metered load
    is shared out by time, so that it is not counted twice."""
    total = np.sum(shares, axis=0) if shares else np.zeros(0)
    return [
        np.where(
            (share > 0) & (total > share),
            load * np.divide(share, total, where=total > 0, out=np.ones_like(total)),
            load,
        )
        for load, share in zip(loads, shares, strict=True)
    ]


def job_loads(
    runs: Sequence[JobRun],
    horizon: Horizon,
    *,
    machine_kw: Mapping[str, Series],
    idle_kw: Mapping[str, float],
    modes: Mapping[tuple[str, str], Mode],
) -> list[Row]:
    """The load of each run in each slot, kW, in the order of `runs`. `modes` are found by (job, machine)."""
    loads: list[Row] = []
    for run in runs:
        mode = modes.get((run.job, run.machine))
        meter = machine_kw.get(run.machine)
        loads.append(run_load(run, horizon, machine_kw=meter, idle_kw=idle_kw.get(run.machine, 0.0), mode=mode))
    by_machine: dict[str, list[int]] = {}
    for index, run in enumerate(runs):
        if run.machine in machine_kw:
            by_machine.setdefault(run.machine, []).append(index)
    for indices in by_machine.values():
        shares = [share_of_slots(runs[i], horizon) for i in indices]
        for i, load in zip(indices, split_shared_slots([loads[i] for i in indices], shares), strict=True):
            loads[i] = load
    return loads


def base_load(load: Series, runs: Sequence[Row]) -> Series:
    """Site load less the load of all job runs, kW, not below zero; unknown where either is."""
    total = np.sum(runs, axis=0) if len(runs) else np.zeros(load.horizon.slots)
    return Series(load.horizon, np.maximum(0.0, load.values - total), "kW")


def state_of_charge(
    charge: Series, discharge: Series, *, capacity_kwh: float, min_kwh: float, charge_efficiency: float,
    discharge_efficiency: float, start_kwh: float | None = None,
) -> float:  # fmt: skip
    """The energy in a battery that shows no state of its own, kWh, reckoned from what its meter counted.

    The bounds correct the reckoning each time that the battery runs full or empty; unknown slots count as rest.
    """
    stored = min_kwh if start_kwh is None else start_kwh
    hours = charge.horizon.step_hours
    moved = np.nan_to_num(charge.values) * charge_efficiency - np.nan_to_num(discharge.values) / discharge_efficiency
    for kw in moved:
        stored = min(capacity_kwh, max(min_kwh, stored + float(kw) * hours))
    return stored

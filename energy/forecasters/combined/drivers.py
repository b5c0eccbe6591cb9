"""Which drivers can be used, for which part of the horizon, and what there is to say of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy.clock import local
from energy.forecasters.combined.days import Days, Laid
from energy.forecasters.combined.members import Member, MemberError, Remarks
from energy.model.series import Series

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_DAYS = 7  # of a driver's past, to learn from
KNOWN_BEHIND = 0.8  # of the slots since its first one, or a driver has too many gaps
KNOWN_AHEAD = 0.9  # of the horizon, or it counts as known for a part of it only
LOOKED_AT_DAYS = 365  # of its past, for gaps


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Screened:
    """The drivers that can be used, small gaps filled from the day before."""

    lasting: dict[str, Floats] = field(default_factory=dict)  # known over the whole horizon
    passing: dict[str, Floats] = field(default_factory=dict)  # known for a part of it
    known: Bools  # (rows ahead, slots a day): the cells ahead in which all the passing ones are known
    flags: tuple[str, ...] = ()


def screened(laid: Laid, drivers: Sequence[tuple[str, Series]]) -> Screened:
    """The drivers of a forecast, each held against its past and the horizon."""
    days, asked = laid.days, laid.asked
    lasting: dict[str, Floats] = {}
    passing: dict[str, Floats] = {}
    known, flags = np.ones_like(asked), []
    for name, series in drivers:
        values = days.drivers[name]
        ahead = ~np.isnan(values[days.issue :])
        share = float(ahead[asked].mean())
        why = useless(days, values, series, share, laid.zone)
        if why:
            flags.append(f"without {name}: {why}")
        elif share >= KNOWN_AHEAD:
            lasting[name] = filled(values)
        else:
            passing[name] = filled(values)
            known &= ahead
            flags.append(f"{name} {ends(series, laid.zone)}: beyond that the forecast does without it")
    return Screened(lasting=lasting, passing=passing, known=known, flags=tuple(flags))


def useless(days: Days, values: Floats, series: Series, share_ahead: float, zone: str) -> str:
    """Why a driver cannot be used; empty where it can."""
    if not series.known.any():
        return "nothing is known of it"
    if share_ahead == 0:
        return f"unknown over the horizon, it {ends(series, zone)}"
    past = values[max(0, days.issue - LOOKED_AT_DAYS) : days.issue]
    known = ~np.isnan(past)
    rows = np.flatnonzero(known.any(axis=1))
    if len(rows) < LEAST_DAYS:
        return f"{len(rows)} days of it are known, {LEAST_DAYS} needed"
    gaps = 1.0 - float(known[rows[0] :].mean())
    if gaps > 1.0 - KNOWN_BEHIND:
        return f"{100 * gaps:.0f} % of its past are gaps"
    if np.nanmax(past) == np.nanmin(past):
        return "it never changed"
    return ""


def ends(series: Series, zone: str) -> str:
    last = int(np.flatnonzero(series.known)[-1])
    return f"ends at {moment(series.horizon.time_of(last + 1), zone)}"


def moment(t: datetime, zone: str) -> str:
    return f"{local(t, zone):%Y-%m-%d %H:%M}"


def filled(values: Floats) -> Floats:
    """Values (rows, slots a day) with each gap filled by the last day that knows that time; what was before its first
    day stays unknown. Nothing is filled from later."""
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], 0), axis=0)
    taken: Floats = np.take_along_axis(values, last, axis=0)
    return taken


class Driven:
    """A member with drivers of which some are known for a part of the horizon: there it speaks with them, beyond without."""

    def __init__(self, member: Member, drivers: Screened) -> None:
        self.name, self.least_days = member.name, member.least_days
        self._member, self._drivers = member, drivers

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        lasting = replace(days, drivers=self._drivers.lasting)
        if not self._drivers.passing or not self._drivers.known.any():
            return self._member.forecast(lasting, issues)
        every = replace(days, drivers={**self._drivers.lasting, **self._drivers.passing})
        try:
            with_all = self._member.forecast(every, issues)
        except MemberError:
            return self._member.forecast(lasting, issues)
        try:
            without = self._member.forecast(lasting, issues)
        except MemberError:
            without = np.full_like(with_all, np.nan)
        return np.where(self._drivers.known, with_all, without)

    def remarks(self, days: Days) -> tuple[str, ...]:
        """What the member found out, with the same drivers."""
        every = replace(days, drivers={**self._drivers.lasting, **self._drivers.passing})
        return self._member.remarks(every) if isinstance(self._member, Remarks) else ()

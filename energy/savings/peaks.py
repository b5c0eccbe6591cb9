"""What moving jobs saved in demand charges: one figure for each charge and billing period.

    money = per_kw · (max(highest as-is mean, target) − max(highest real mean, target))

A charge looks at the highest metered mean of the whole period, so days add nothing: the figure is at risk until the last
window of the period has passed, and it is credited once.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from energy.clock import local_date, wall_to_utc
from energy.model.savings import DaySavings, PeakSaving, PeakState
from energy.model.tariff import DemandRate, Tariff
from energy.planning.tariff import MIDNIGHT, in_window, period_bounds


def peak_savings(
    accounts: Sequence[DaySavings], tariff: Tariff, today: date, zone: str, holidays: Collection[date] = ()
) -> tuple[PeakSaving, ...]:
    """The saving of each demand charge in each billing period that the accounts say something of, by period."""
    last = max((account.day for account in accounts), default=None)
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for account in accounts:
        for peak in account.peaks:
            as_is, real = found.get((peak.charge, peak.period), (0.0, 0.0))
            found[peak.charge, peak.period] = (max(as_is, peak.as_is_kw), max(real, peak.real_kw))
    rates = {rate.name: rate for rate in tariff.demand}
    return tuple(
        PeakSaving(
            site=accounts[0].site,
            charge=charge,
            period=period,
            state=state_of(rates[charge], period, today, last, zone, holidays),
            as_is_kw=as_is,
            real_kw=real,
            target_kw=rates[charge].target_kw,
            per_kw=rates[charge].per_kw,
            money=rates[charge].per_kw * (max(as_is, rates[charge].target_kw) - max(real, rates[charge].target_kw)),
        )
        for (charge, period), (as_is, real) in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
        if charge in rates
    )


def state_of(
    rate: DemandRate, period: str, today: date, accounted: date | None, zone: str, holidays: Collection[date]
) -> PeakState:
    """At risk while a window of the period is still to come, closed when its last day has passed and is accounted, and
    provisional in between."""
    first, last = days_of(rate, period, zone)
    if any(has_window(rate, day, holidays) for day in days(max(today, first), last)):
        return PeakState.AT_RISK
    return PeakState.CLOSED if today > last and accounted is not None and accounted >= last else PeakState.PROVISIONAL


def days_of(rate: DemandRate, period: str, zone: str) -> tuple[date, date]:
    """The first and last local day of a billing period: "2026-05" or "2026"."""
    first = date.fromisoformat(f"{period}-01" if len(period) == 7 else f"{period}-01-01")
    after = period_bounds(rate, wall_to_utc(first, MIDNIGHT, zone), zone).end
    return first, local_date(after - timedelta(hours=12), zone)  # noon of the last day


def days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def has_window(rate: DemandRate, day: date, holidays: Collection[date]) -> bool:
    """Whether a charge looks at any hour of a local day."""
    return not rate.windows or any(
        in_window(window, datetime.combine(day, window.start), holidays) for window in rate.windows
    )

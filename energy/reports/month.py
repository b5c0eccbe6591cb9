"""The savings of a month so far, each kind apart: verified, modelled, assumed start, estimated, peak."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from energy.clock import day_bounds, local_date
from energy.model.horizon import Interval
from energy.model.proposal import Offer, OfferState
from energy.model.savings import DaySavings, Kind
from energy.reports.pages import MonthFigures
from energy.reports.situation import Rules, carbon_basis
from energy.savings.peaks import peak_savings
from energy.store import Store


def month_of(now: datetime, zone: str) -> str:
    return f"{local_date(now, zone):%Y-%m}"


def days_of_month(month: str) -> tuple[date, date]:
    """The first and last day of "2026-05"."""
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return first, after - timedelta(days=1)


def month_figures(store: Store, rules: Rules, now: datetime, month: str, year: Sequence[DaySavings]) -> MonthFigures:
    """The figures of a month; `year` are the accounts of its year up to now (a demand charge may look at all of it)."""
    first, last = days_of_month(month)
    accounts = [account for account in year if first <= account.day <= last]
    zone, today = rules.site.zone, local_date(now, rules.site.zone)
    money, kg = estimated(store, zone, first, last)
    peaks = peak_savings(year, rules.tariff, today, zone, rules.calendar.holidays)
    return MonthFigures(
        month=month,
        verified=total(accounts, Kind.VERIFIED),
        modelled=total(accounts, Kind.MODELLED),
        assumed_start=total(accounts, Kind.ASSUMED_START),
        estimated=money,
        peak=tuple(peak for peak in peaks if peak.period in {month, month[:4]}),
        carbon_kg_verified=sum(account.carbon_kg(Kind.VERIFIED) for account in accounts),
        carbon_kg_estimated=kg,
        carbon_basis=carbon_basis(store),
    )


def total(accounts: Sequence[DaySavings], kind: Kind) -> float:
    return sum(account.money(kind) for account in accounts)


def estimated(store: Store, zone: str, first: date, last: date) -> tuple[float, float]:
    """(money, kg) promised by accepted shifts of these days that are not accounted yet. Offers against an assumed start
    are a class of their own and stay out."""
    noted = store.note("accounted-until")
    start, end = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    since = start if noted is None else max(start, datetime.fromisoformat(noted))
    if since >= end:
        return 0.0, 0.0
    span = Interval(since, end)
    parts = [
        promised(offer, shift.kwh)
        for offer in store.offers.in_state(OfferState.ACCEPTED, span=span)
        if not offer.assumed_start
        for shift in offer.shifts
        if span.holds(shift.new.start)
    ]
    return sum(money for money, _ in parts), sum(kg for _, kg in parts)


def promised(offer: Offer, kwh: float) -> tuple[float, float]:
    """(money, kg) of an offer's daily gain that falls to one of its jobs: by energy, as in its account."""
    whole = sum(shift.kwh for shift in offer.shifts)
    share = kwh / whole if whole > 0 else 1.0 / len(offer.shifts)
    return offer.gain.daily * share, offer.gain.carbon_kg * share


def accounts_of_year(store: Store, year: int, until: date) -> list[DaySavings]:
    """The accounts of a year, up to a day."""
    return store.ledger.days(date(year, 1, 1), min(until, date(year, 12, 31)))

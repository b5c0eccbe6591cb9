"""Savings and carbon of a month: by kind, by day, by job; the carbon accounts side by side, never added."""

from collections.abc import Sequence

from energy.clock import local_date
from energy.model.savings import DaySavings, Kind
from energy.reports.month import accounts_of_year, days_of_month, month_figures, month_of
from energy.reports.pages import Header, SavingsPage
from energy.reports.promises import promises
from energy.reports.situation import Rules
from energy.store import Store


def savings_page(store: Store, rules: Rules, header: Header, month: str | None = None) -> SavingsPage:
    """A month's page; without a month, this one, or the last that has accounts."""
    now, zone = header.now, rules.site.zone
    today = local_date(now, zone)
    this_year = accounts_of_year(store, today.year, today)
    last_year = accounts_of_year(store, today.year - 1, today)
    months = tuple(dict.fromkeys(f"{account.day:%Y-%m}" for account in (*last_year, *this_year)))
    chosen = month or (months[-1] if months else month_of(now, zone))
    year = int(chosen[:4])
    accounts = this_year if year == today.year else last_year if year == today.year - 1 else []
    if not accounts and month is not None:
        accounts = accounts_of_year(store, year, today)
    first, last = days_of_month(chosen)
    days = tuple(account for account in accounts if first <= account.day <= last)
    figures = month_figures(store, rules, now, chosen, accounts)
    return SavingsPage(
        header=header,
        month=figures,
        days=days,
        months=months,
        as_is_money=total(days, "counterfactual_money"),
        real_money=total(days, "metered_money"),
        interval=None,  # an interval needs the error of every meter, which nobody has told
        carbon_accounts=carbon_accounts(days, figures.carbon_basis),
        promised=promises(store, rules, first, last, days),
    )


def total(days: Sequence[DaySavings], field: str) -> float | None:
    """The sum over the days on which both the real and the as-is figure are known; None where there is none."""
    known = [day for day in days if day.metered_money is not None and day.counterfactual_money is not None]
    return sum(getattr(day, field) for day in known) if known else None


def carbon_accounts(days: Sequence[DaySavings], basis: str) -> tuple[tuple[str, float | None, str], ...]:
    """(account, kg CO2e, what it is): what moving avoided (negative is less), twice, and the inventory of the import."""
    if not days:
        return ()
    moved = -sum(day.carbon_kg(Kind.VERIFIED) for day in days)
    inventory = [day.metered_carbon_kg for day in days if day.metered_carbon_kg is not None]
    return (
        (f"Moved energy, {basis}", moved, "verified"),
        ("Moved energy, marginal", None, "no marginal series"),
        (f"Inventory of the import, {basis}", sum(inventory) if inventory else None, "measured"),
    )

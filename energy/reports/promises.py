"""What offers promised on forecast prices, and what the same moves gain at the prices that came."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from energy.clock import day_bounds, local_date
from energy.model.horizon import Horizon, Interval
from energy.model.proposal import ForecastPart, Offer, OfferState
from energy.model.savings import DaySavings, Kind
from energy.model.series import PRICE_DAY_AHEAD, Series
from energy.planning import tariff as tariffs
from energy.planning.optimism import Kept
from energy.reports.pages import Promise, PromiseSum
from energy.reports.situation import Rules
from energy.reports.words import counted, money, number
from energy.store import Store

BEFORE = timedelta(days=3)  # an offer is made at most so long before the moves that it is about


def promises(
    store: Store, rules: Rules, first: date, last: date, accounts: Iterable[DaySavings]
) -> tuple[Promise, ...]:
    """The offers about the local days first … last that rested on forecast prices, however they were answered; one that
    was replaced by a better plan is not held against anything."""
    zone = rules.site.zone
    asked = Interval(day_bounds(first, zone)[0] - BEFORE, day_bounds(last, zone)[1])
    offers = [offer for offer in store.offers.offered(asked) if first <= day_of(offer, zone) <= last]
    verified = verified_by_offer(accounts)
    return tuple(
        Promise(offer=offer, came=came(store, rules, offer, offer.rests_on), verified=verified.get(offer.id))
        for offer in sorted(offers, key=lambda o: (day_of(o, zone), o.offered_at, o.number))
        if offer.rests_on is not None and offer.state is not OfferState.WITHDRAWN
    )


def day_of(offer: Offer, zone: str) -> date:
    """The local day that an offer is about."""
    return local_date(min(shift.new.start for shift in offer.shifts), zone)


def came(store: Store, rules: Rules, offer: Offer, part: ForecastPart) -> float | None:
    """What the moves of an offer gain with the forecast prices replaced by what was published, all else as estimated;
    None until all of them are."""
    imported, exported = published(store, rules, part.import_kwh.horizon)
    surprise = part.surprise(imported, exported)
    return None if surprise is None else offer.gain.uncorrected + surprise


def published(store: Store, rules: Rules, horizon: Horizon) -> tuple[Series, Series]:
    """The price of import with fees and that of export, at published market prices alone."""
    market = store.series.get(PRICE_DAY_AHEAD, horizon)
    zone, holidays = rules.site.zone, rules.calendar.holidays
    return (
        tariffs.import_price(rules.tariff, market, zone, holidays),
        tariffs.export_price(rules.tariff, market, zone, holidays),
    )


def verified_by_offer(accounts: Iterable[DaySavings]) -> dict[str, float]:
    """Offer → what was verified of its jobs, where any of it was."""
    found: dict[str, float] = {}
    for account in accounts:
        for job in account.jobs:
            if job.kind is Kind.VERIFIED and job.counted and job.money is not None:
                found[job.offer] = found.get(job.offer, 0.0) + job.money
    return found


def held_against(promises: Sequence[Promise], currency: str) -> str:
    """As "12 offers rested on forecast prices: 640 EUR by the forecast alone, 520 EUR estimated, 505 EUR at the published
    prices; 10 of 12 within P10 to P90."; empty where there were none."""
    total = PromiseSum.of(promises)
    if not total.offers:
        return f"The prices that {counted(len(promises), 'offer')} rested on are not published yet." if promises else ""
    inside = f"; {total.inside} of {total.banded} within P10 to P90" if total.banded else ""
    return (
        f"{counted(total.offers, 'offer')} rested on forecast prices: {money(total.before, currency)} by the forecast "
        f"alone, {money(total.estimated, currency)} estimated, {money(total.came, currency)} at the published "
        f"prices{inside}."
    )


def told_at(kept: Iterable[Kept]) -> str:
    """At which share of themselves price differences are told that are forecast a day ahead."""
    day_ahead = [one for one in kept if one.lead_days == 1]
    days = max((one.days for one in day_ahead), default=0)
    low, high = (edge((100 * one.share for one in day_ahead), default=0.0) for edge in (min, max))
    share = f"{number(low)} %" if high - low < 1 else f"{number(low)} to {number(high)} %"
    how = f"by what came on {counted(days, 'day')}" if days else "since nothing is known yet of how they come true"
    return f"Price differences that are forecast a day ahead are promised at {share}, {how}."

"""The nouns of the model, made from sections without mistakes."""

from collections.abc import Iterable
from datetime import date, datetime

from energy.clock import aware, wall_to_utc
from energy.config import sections as s
from energy.model.calendar import Calendar, Closure, OfferRules, RecurringClosure, Shift
from energy.model.horizon import Interval
from energy.model.meter import Meter
from energy.model.site import Battery, Machine, Site
from energy.model.tariff import DemandRate, EnergyRate, Tariff, Window


def site(said: s.SiteSection) -> Site:
    return Site(
        id=said.id,
        name=said.name or said.id,
        zone=said.zone,
        currency=said.currency,
        import_limit_kw=said.import_limit_kw,
        export_limit_kw=said.export_limit_kw,
        machines=tuple(
            Machine(
                id=m.id,
                name=m.name or m.id,
                group=m.group or m.id,
                idle_kw=m.idle_kw,
                rated_kw=m.rated_kw,
                holding_kw=m.holding_kw,
                restart_minutes=m.restart_minutes,
                restart_kwh=m.restart_kwh,
                learned_profiles=m.learned_profiles or said.learned_profiles,
            )
            for m in said.machines
        ),
        battery=None if said.battery is None else Battery(**dict(said.battery)),
        pv_peak_kw=said.pv_peak_kw,
        step_minutes=said.step_minutes,
        latitude=said.latitude,
        longitude=said.longitude,
        branch=said.branch,
        yearly_kwh=said.yearly_kwh,
        country=said.country,
    )


def instant(said: datetime, zone: str) -> datetime:
    """A time in the file: with an offset that instant, without one the plant's wall time."""
    return aware(said) if said.tzinfo else wall_to_utc(said.date(), said.time(), zone)


def calendar(said: s.CalendarSection, zone: str, public_holidays: Iterable[date]) -> Calendar:
    dated = [c for c in said.closures if isinstance(c, s.DatedClosureSection)]
    weekly = [c for c in said.closures if isinstance(c, s.WeeklyClosureSection)]
    return Calendar(
        shifts=tuple(
            Shift(crew=x.crew, weekdays=x.weekdays, start=x.start, end=x.end, people=tuple(sorted(x.people.items())))
            for x in said.shifts
        ),
        holidays=tuple(sorted({*said.holidays, *public_holidays})),
        openings=tuple((o.crew, Interval(instant(o.start, zone), instant(o.end, zone))) for o in said.openings),
        closures=tuple(
            Closure(machine=c.machine, interval=Interval(instant(c.start, zone), instant(c.end, zone)), why=c.why)
            for c in dated
        ),
        recurring=tuple(
            RecurringClosure(machine=c.machine, weekdays=c.weekday, start=c.start, end=c.end, why=c.why) for c in weekly
        ),
        rules=OfferRules(**dict(said.offers)),
    )


def public_holidays(country: str, years: Iterable[int]) -> set[date]:
    """The public holidays of a country (`DE`) or a part of it (`DE-BW`); ValueError where it is not known."""
    if not country:
        return set()
    import holidays  # half a second on a cold start: only where it is needed

    land, _, part = country.partition("-")
    try:
        return set(holidays.country_holidays(land, subdiv=part or None, years=list(years)))
    except NotImplementedError as error:
        known = holidays.list_supported_countries()
        parts = f"; known parts: {', '.join(known[land])}" if known.get(land) else ""
        raise ValueError(f"no public holidays known for {country!r}{parts}; leave it out and list them") from error


def tariff(said: s.TariffSection, currency: str) -> Tariff:
    return Tariff(
        currency=currency,
        rates=tuple(EnergyRate(name=r.name, per_kwh=r.per_kwh, windows=_windows(r.windows)) for r in said.rates),
        demand=tuple(
            DemandRate(
                name=d.name,
                per_kw=d.per_kw,
                period=d.period,
                windows=_windows(d.windows),
                minutes=d.minutes,
                target_kw=d.target_kw,
            )
            for d in said.demand
        ),
        fixed_per_kwh=said.fixed_per_kwh,
        export_per_kwh=None if said.export_per_kwh == "market" else float(said.export_per_kwh),
        market_factor=said.market_factor,
        carbon_price_per_kg=said.carbon_price_per_kg,
        valid_from=said.valid_from,
        source=said.source,
    )


def _windows(said: Iterable[s.WindowSection]) -> tuple[Window, ...]:
    return tuple(Window(**dict(window)) for window in said)


def meter(said: s.MeterSection) -> Meter:
    return Meter(
        id=said.id,
        name=said.name or said.id,
        role=said.role,
        measures=said.measures,
        connection_kw=said.connection_kw,
        place=said.place,
        machine=said.machine,
        profile=said.profile,
        rollover_kwh=said.rollover_kwh,
        above=said.above,
        watched=said.watched,
    )

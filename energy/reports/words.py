"""How the reports speak: local times, spans, money and names, the same on every page."""

from collections.abc import Sequence
from datetime import datetime

from energy.clock import local
from energy.model.proposal import Offer
from energy.model.site import Site

MINUS = "−"


def clock_time(t: datetime, zone: str) -> str:
    """Local wall time, "14:05"."""
    return f"{local(t, zone):%H:%M}"


def moment(t: datetime, zone: str, now: datetime) -> str:
    """A time as one says it: "14:05" today, "Wed 06:00" within a week, else with the date."""
    there, here = local(t, zone), local(now, zone)
    away = (there.date() - here.date()).days
    if away == 0:
        return f"{there:%H:%M}"
    return f"{there:%a %H:%M}" if abs(away) < 7 else f"{there:%a} {there.day} {there:%b %H:%M}"


def span(minutes: float) -> str:
    """ "4 h 30 min", "45 min", "2 h", "3 d 4 h"."""
    whole = round(abs(minutes))
    days, hours, rest = whole // 1440, whole % 1440 // 60, whole % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


def number(value: float, decimals: int = 0) -> str:
    """Thousands commas and a true minus."""
    text = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{text}" if value < 0 and any(digit in "123456789" for digit in text) else text


def money(value: float, currency: str) -> str:
    """Whole units from 10 on, else two decimals: "57 EUR", "4.20 EUR"."""
    return f"{number(value, 0 if abs(value) >= 10 else 2)} {currency}"


def kw(value: float) -> str:
    return f"{number(value)} kW"


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def counted(n: int, one: str, many: str = "") -> str:
    """ "1 offer", "3 offers"."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def machine_name(site: Site, id: str) -> str:
    """The plant's name of a machine; its id where it has none."""
    return next((m.name for m in site.machines if m.id == id), id)


def offer_name(offer: Offer) -> str:
    return f"offer {offer.number}"

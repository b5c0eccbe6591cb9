"""How numbers, times and states are written: with their unit, in the plant's zone, unknown as an en dash."""

from datetime import date, datetime, timedelta
from html import escape
from math import isfinite

from energy.clock import local

NBSP = "\u00a0"
MINUS = "\u2212"
UNKNOWN = "–"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS_LONG = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS_LONG = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(value: float | None, decimals: int = 0, *, sign: bool = False) -> str:
    """A number with thousands commas and a true minus; an en dash where nobody knows."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{decimals}f}"
    if value < 0 and any(digit in "123456789" for digit in text):
        return MINUS + text
    return f"+{text}" if sign and value > 0 else text


def quantity(value: float | None, unit: str, decimals: int = 0, *, sign: bool = False) -> str:
    """A number and its unit, kept on one line; unknown is a dash alone."""
    text = number(value, decimals, sign=sign)
    return f"{text}{NBSP}{unit}" if unit and text != UNKNOWN else text


def sensible(value: float | None, unit: str) -> str:
    """A quantity of goods: decimals only where it is small."""
    return quantity(value, unit, 1 if value is not None and abs(value) < 100 and value % 1 else 0)


def percent(share: float | None, decimals: int = 0) -> str:
    return quantity(None if share is None else 100.0 * share, "%", decimals)


def per_mwh(per_kwh: float | None) -> float | None:
    """A price per kWh as one per MWh, or kg/kWh as g/kWh: the same factor."""
    return None if per_kwh is None else 1000.0 * per_kwh


def clock_time(t: datetime, zone: str) -> str:
    """Local wall time, "14:05"."""
    return f"{local(t, zone):%H:%M}"


def day(d: date | datetime, *, year: bool = False) -> str:
    """As "Tue 19 May", with the year where it matters."""
    text = f"{WEEKDAYS[d.weekday()]}{NBSP}{d.day}{NBSP}{MONTHS[d.month - 1]}"
    return f"{text} {d.year}" if year else text


def moment(t: datetime, zone: str, now: datetime) -> str:
    """A time as one says it: "14:05" today, "Wed 06:00" within a week, else with the date."""
    there, today = local(t, zone), local(now, zone).date()
    away = (there.date() - today).days
    if away == 0:
        return f"{there:%H:%M}"
    if abs(away) < 7:
        return f"{WEEKDAYS[there.weekday()]}{NBSP}{there:%H:%M}"
    return f"{day(there)} {there:%H:%M}"


def day_word(t: datetime, zone: str, now: datetime) -> str:
    """As "today", "tomorrow", "yesterday", else the day."""
    away = (local(t, zone).date() - local(now, zone).date()).days
    return {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away, day(local(t, zone)))


def span(start: datetime, end: datetime, zone: str) -> str:
    return f"{clock_time(start, zone)} to {clock_time(end, zone)}"


def duration(minutes: float | None) -> str:
    """As "53 min", "2 h 10 min", "3 d 4 h"."""
    if minutes is None or not isfinite(minutes):
        return UNKNOWN
    whole = round(abs(minutes))
    days, hours, rest = whole // 1440, whole % 1440 // 60, whole % 60
    if days:
        return f"{days}{NBSP}d {hours}{NBSP}h" if hours else f"{days}{NBSP}d"
    if hours:
        return f"{hours}{NBSP}h{NBSP}{rest}{NBSP}min" if rest else f"{hours}{NBSP}h"
    return f"{rest}{NBSP}min"


def shifted(minutes: int) -> str:
    """How far a job moves: "4 h 30 min later"."""
    return f"{duration(minutes)} {'later' if minutes > 0 else 'earlier'}"


def until(t: datetime, now: datetime) -> str:
    """As "in 53 min", or "passed" when the time is over."""
    left = (t - now).total_seconds() / 60.0
    return "passed" if left < 0 else f"in {duration(left)}"


def age(seconds: float | None) -> str:
    """As "4 s", "25 min", "15 h 57 min"."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    return f"{seconds:.0f}{NBSP}s" if seconds < 100 else duration(seconds / 60.0)


def small(n: int) -> str:
    """A small number in a word."""
    return SMALL[n] if n < len(SMALL) else number(n)


def count(n: int, one: str, many: str | None = None, *, capital: bool = False) -> str:
    """As "two offers", "no offer": small numbers in words."""
    word = small(n)
    text = f"{word} {one if n == 1 else many or one + 's'}"
    return text[0].upper() + text[1:] if capital else text


def month_name(month: str, *, year: bool = True) -> str:
    """As "2026-05" as "May 2026"."""
    y, m = month.split("-")
    return f"{MONTHS_LONG[int(m) - 1]} {y}" if year else MONTHS_LONG[int(m) - 1]


def listed(words: list[str] | tuple[str, ...]) -> str:
    """As "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def kind(word: str) -> str:
    """The word that says what kind of figure it is, small and outlined."""
    return f'<span class="kind">{escape(word)}</span>'


def text(words: str) -> str:
    """Words for HTML: escaped, with **bold** as key numbers and `code` as something to type."""
    marked = escape(words)
    for mark, tag in (("**", "b"), ("`", "code")):
        parts = marked.split(mark)
        marked = "".join(f"<{tag}>{part}</{tag}>" if place % 2 else part for place, part in enumerate(parts))
    return marked


def is_today(t: datetime, zone: str, now: datetime) -> bool:
    return local(t, zone).date() == local(now, zone).date()


def minutes_between(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(minutes=1)

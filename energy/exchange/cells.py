"""What people write into cells: numbers, times, yes and no. Each reader returns the value or raises ValueError with the
reason; nothing is guessed that could mean two things."""

import math
import re
from datetime import date, datetime, timedelta
from datetime import time as wall_time

from energy.clock import aware, day_bounds, local, wall_to_utc
from energy.exchange.table import Cell

YES = {"yes", "y", "true", "1", "x", "ja", "j", "wahr"}
NO = {"no", "n", "false", "0", "nein", "falsch"}
GROUPED = re.compile(r"[-+]?\d{1,3}([.,' \u00a0\u202f]\d{3})+")
FIRST_YEAR, LAST_YEAR = 1990, 2199  # what lies outside is a slip of the pen
DATE = re.compile(r"(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>\d{4}))")


def number(text: str, decimal_comma: bool) -> float:
    """A finite number. `1,234` in a file without a sure decimal comma could mean two things and is refused."""
    bare = text.strip()
    mark, other = (",", ".") if decimal_comma else (".", ",")
    plain = bare
    if other in bare:
        whole = bare.partition(mark)[0]
        if not GROUPED.fullmatch(whole) or (other == "," and mark not in bare):
            raise ValueError(f"{bare!r} could mean two numbers; write it without thousands marks")
        plain = bare.replace(other, "")
    plain = re.sub(r"(?<=\d)[' \u00a0\u202f](?=\d{3})", "", plain).replace(mark, ".")
    try:
        value = float(plain) if re.fullmatch(r"[-+0-9.eE]+", plain) else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{bare!r} is not a number")
    return value


def whole(text: str, decimal_comma: bool) -> int:
    """A whole number."""
    value = number(text, decimal_comma)
    if not value.is_integer():
        raise ValueError(f"{text.strip()!r} is not a whole number")
    return int(value)


def duration_minutes(text: str, decimal_comma: bool) -> int:
    """Minutes, as a whole number or as h:mm."""
    clock = re.fullmatch(r"\s*(\d{1,3}):([0-5]\d)\s*", text)
    minutes = int(clock[1]) * 60 + int(clock[2]) if clock else whole(text, decimal_comma)
    if not 0 < minutes <= 30 * 1440:
        raise ValueError(f"{text.strip()!r} is not a duration in minutes between 1 and {30 * 1440}")
    return minutes


def yes(text: str) -> bool:
    word = text.strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError(f"{text.strip()!r} is neither yes nor no")


def day(cell: Cell) -> date | None:
    """The day of a cell that names a day without a time of day; None for all others."""
    if isinstance(cell.value, datetime):
        return None
    if isinstance(cell.value, date):
        return _of_our_time(cell.value)
    match = DATE.fullmatch(cell.text)
    return _date(match) if match else None


def instant(cell: Cell, zone: str, notes: list[str]) -> datetime:
    """A time in UTC: with an offset that instant, without one the wall time of the zone. A wall time that a clock
    change skips is refused; one that it repeats is the first, and noted."""
    said = cell.value if isinstance(cell.value, datetime) else _written(cell.text)
    _of_our_time(said.date())
    if said.tzinfo is not None:
        return aware(said)
    at = wall_to_utc(said.date(), said.time(), zone)
    if local(at, zone).replace(tzinfo=None) != said:
        raise ValueError(f"{cell.text} does not exist in {zone}: the clocks skip it; write it with its offset")
    if any(local(at + timedelta(minutes=m), zone).replace(tzinfo=None) == said for m in (30, 60)):
        notes.append(f"{cell.where}: {cell.text} comes twice on that day; the first is taken")
    return at


def end_of(cell: Cell, zone: str, notes: list[str]) -> datetime:
    """A time by which something ends; a day alone means its end."""
    found = day(cell)
    return instant(cell, zone, notes) if found is None else day_bounds(found, zone)[1]


def start_of(cell: Cell, zone: str, notes: list[str]) -> datetime:
    """A time from which something can be; a day alone means its start."""
    found = day(cell)
    return instant(cell, zone, notes) if found is None else day_bounds(found, zone)[0]


def _written(text: str) -> datetime:
    match = DATE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time; write it as 2026-05-18 06:00 or 18.05.2026 06:00")
    rest = text[match.end() :].lstrip("T ").strip()
    if not rest:
        raise ValueError(f"{text!r} has no time of day")
    try:
        at = wall_time.fromisoformat(re.sub(r"\s*(Uhr|h)$", "", rest).replace(" ", "").rjust(5, "0"))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; write it as 2026-05-18 06:00 or 18.05.2026 06:00") from error
    return datetime.combine(_date(match), at)


def _date(match: re.Match[str]) -> date:
    year, month, of_month = (int(match[a] or match[b]) for a, b in (("y", "y2"), ("m", "m2"), ("d", "d2")))
    try:
        return _of_our_time(date(year, month, of_month))
    except ValueError as error:
        raise ValueError(f"{match[0]!r} is not a day of the calendar") from error


def _of_our_time(said: date) -> date:
    if not FIRST_YEAR <= said.year <= LAST_YEAR:
        raise ValueError(f"{said:%d.%m.}{said.year} is not a day of our time")
    return said

"""What gateways and data loggers push: JSON, or the form and query values that simple ones send, as readings."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from energy.clock import aware
from energy.errors import Mistake
from energy.model.meter import Reading
from energy.plugins import nearest
from energy.units import ENERGY_TO_KWH, POWER_TO_KW

TIME_NAMES = ("time", "timestamp", "taken_at")
# What a value may be called → (field of a reading, unit). A unit at the name, or `unit_…`, says otherwise.
NAMES: dict[str, tuple[str, str]] = {
    **{f"import_{unit.lower()}": ("import_kwh", unit) for unit in ENERGY_TO_KWH},
    **{f"export_{unit.lower()}": ("export_kwh", unit) for unit in ENERGY_TO_KWH},
    **{f"power_{unit.lower()}": ("power_kw", unit) for unit in POWER_TO_KW},
}
FACTORS = {**ENERGY_TO_KWH, **POWER_TO_KW}
MOST_READINGS = 10_000
MOST_NAMES = 200  # in one reading
MOST_MISTAKES = 100


class PushError(Exception):
    """What was pushed cannot be read: all the mistakes."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, mistakes)))


def pushed(
    meter: str, body: bytes, content_type: str, query: Sequence[tuple[str, str]], now: datetime
) -> list[Reading]:
    """The readings of one push, oldest first. One without a time was taken now."""
    rows = _rows(body, content_type, query)
    mistakes: list[Mistake] = []
    readings = []
    for i, row in enumerate(rows):
        readings.append(_reading(meter, row, f"[{i}]" if len(rows) > 1 else "", now, mistakes))
        if len(mistakes) >= MOST_MISTAKES:  # nobody reads more, and each takes time
            break
    if mistakes:
        raise PushError(mistakes)
    return sorted((one for one in readings if one is not None), key=lambda one: one.taken_at)


def _rows(body: bytes, content_type: str, query: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """The objects of a push: query values stand beside each of them."""
    kind = content_type.partition(";")[0].strip().lower()
    beside = _once(query)
    if not body.strip():
        return [beside] if beside else _nothing()
    if kind == "application/x-www-form-urlencoded":
        try:
            form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_NAMES)
        except ValueError as error:
            raise PushError([Mistake("body", f"says more than {MOST_NAMES} things of one moment")]) from error
        return [beside | _once(form)]
    try:
        said = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise PushError([Mistake("body", f"is neither JSON nor a form: {error}")]) from error
    rows = said if isinstance(said, list) else [said]
    if not rows:
        return _nothing()
    if len(rows) > MOST_READINGS:
        raise PushError([Mistake("body", f"{len(rows)} readings; {MOST_READINGS} at most in one push")])
    odd = [Mistake(f"[{i}]", "should be an object") for i, row in enumerate(rows) if not isinstance(row, dict)]
    if odd:
        raise PushError(odd)
    return [beside | row for row in rows]


def _nothing() -> list[Mapping[str, Any]]:
    raise PushError([Mistake("body", f"is empty; say time and one of {', '.join(sorted(NAMES))}")])


def _once(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PushError([Mistake(name, "stands twice") for name in twice])
    return dict(pairs)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number; leave out what is not known")


def _reading(meter: str, row: Mapping[str, Any], where: str, now: datetime, mistakes: list[Mistake]) -> Reading | None:
    before = len(mistakes)
    said: dict[str, float | None] = {}
    taken_at, times = now, 0
    if len(row) > MOST_NAMES:
        mistakes.append(Mistake(where or "body", f"says {len(row)} things; {MOST_NAMES} at most of one moment"))
        return None
    for key, value in row.items():
        name = key.strip().lower()
        place = f"{where}.{key}" if where else key
        if name in TIME_NAMES:
            times += 1
            taken_at = _time(value, place, mistakes) or now
        elif name in NAMES:
            field, unit = NAMES[name]
            if field in said:
                mistakes.append(Mistake(place, f"{field} is said twice"))
            said[field] = _number(value, FACTORS[unit], place, mistakes)
        else:
            mistakes.append(Mistake(place, f"unknown{nearest(name, [*NAMES, *TIME_NAMES])}"))
    if times > 1:
        mistakes.append(Mistake(where or "time", "the time is said twice"))
    if len(mistakes) == before and not any(value is not None for value in said.values()):
        mistakes.append(Mistake(where or "body", f"says no value; one of {', '.join(sorted(NAMES))} is needed"))
    if len(mistakes) > before:
        return None
    return Reading(
        meter=meter,
        taken_at=taken_at,
        import_kwh=said.get("import_kwh"),
        export_kwh=said.get("export_kwh"),
        power_kw=said.get("power_kw"),
    )


def _time(value: Any, place: str, mistakes: list[Mistake]) -> datetime | None:
    """ISO 8601 with a zone, or seconds (or milliseconds) since 1970."""
    try:
        if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
            return aware(datetime.fromisoformat(value.strip()))
        if isinstance(value, bool):
            raise ValueError("true is no time")
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000.0 if seconds > 1e11 else seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        said = f"{value!r:.60} is no time with a zone ({error}); write 2026-05-20T12:00:00Z, or seconds since 1970"
        mistakes.append(Mistake(place, said))
        return None


def _number(value: Any, factor: float, place: str, mistakes: list[Mistake]) -> float | None:
    """A number in the unit of the house; nothing, or an empty text, is not known."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise ValueError("a truth value")
        number = float(value) * factor
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        mistakes.append(Mistake(place, f"{value!r:.60} is no number; leave it out where it is not known"))
        return None
    return number

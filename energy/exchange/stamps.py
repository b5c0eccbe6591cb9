"""The stamps of interval data: what people and systems write for the time of a row, and the instant that it means."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from energy.clock import local, wall_to_utc


class Stamps(StrEnum):
    """What the stamp of a row means."""

    START = "start"  # the start of its interval
    END = "end"  # its end
    BY_ROW = "by-row"  # nothing but its place: row after row from the first stamp on, one step each
    AUTO = "auto"  # its start; by row where stamps of regular data run backwards at each midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where each row lies in time: its start (None where nobody can say), and why not."""

    starts: tuple[datetime | None, ...]
    wrong: dict[int, str]  # by row index
    twin_of: dict[int, int]  # rows that say again what an earlier row (by index) said of the same interval
    step_minutes: int
    notes: tuple[str, ...] = ()


WRITTEN = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-./])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})\.?"
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?\s*(?P<half>[AaPp][Mm])?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)  # minutes: whole parts of an hour
LIKE = "2026-05-18 06:15, 18.05.2026 06:15 or 2026-05-18T06:15+02:00"


class StepError(ValueError):
    """The stamps do not show what step the rows have."""


def read_stamps(texts: Sequence[str], pattern: str | None = None) -> tuple[list[datetime | str], list[str]]:
    """The stamps as written (with or without a zone), or why one cannot be read; and notes. `pattern` is a strptime
    format. Day and month are told apart by the whole column, never row by row."""
    if pattern:
        return [_by_pattern(text, pattern) for text in texts], []
    found = [WRITTEN.fullmatch(text.strip()) for text in texts]
    short = [m for m in found if m and len(m["a"]) < 4]
    day_first, notes = True, []
    if short:
        first, second = max(int(m["a"]) for m in short), max(int(m["b"]) for m in short)
        day_first = first > 12 or (second <= 12 and not _closer_month_first(short))
        if first <= 12 and second <= 12 and short[0]["mark"] != ".":
            notes.append(f"{short[0][0]!r} could be two dates; read with the {'day' if day_first else 'month'} first")
    return [_stamp(m, day_first) if m else f"{text.strip()!r} is not a time; write it as {LIKE}"
            for m, text in zip(found, texts, strict=True)], notes  # fmt: skip


def _by_pattern(text: str, pattern: str) -> datetime | str:
    try:
        return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - the zone comes later
    except ValueError:
        return f"{text.strip()!r} is not a time as {pattern!r} says"


def _closer_month_first(matches: Sequence[re.Match[str]]) -> bool:
    """Whether the rows lie closer together when the month is read first (and the mark is not a dot)."""
    if matches[0]["mark"] == ".":
        return False
    spans = []
    for day_first in (True, False):
        times = [t for m in matches if isinstance(t := _stamp(m, day_first), datetime)]
        naive = [t.replace(tzinfo=None) for t in times]
        spans.append(sum((abs(b - a) for a, b in pairwise(naive)), timedelta(0)))
    return spans[1] < spans[0]


def _stamp(m: re.Match[str], day_first: bool) -> datetime | str:
    a, b, c = int(m["a"]), int(m["b"]), int(m["c"])
    year, month, day = (a, b, c) if len(m["a"]) == 4 else (c, b, a) if day_first else (c, a, b)
    hour = int(m["hour"] or 0)
    if m["half"]:
        hour = hour % 12 + (12 if m["half"].lower() == "pm" else 0)
    try:
        at = datetime(year + (2000 if year < 100 else 0), month, day)  # noqa: DTZ001 - the zone comes below or later
        late = timedelta(days=1) if hour == 24 else timedelta(0)  # 24:00 is the end of the day
        at = at.replace(hour=hour % 24, minute=int(m["minute"] or 0), second=int(m["second"] or 0)) + late
    except ValueError:
        return f"{m[0].strip()!r} is not in the calendar"
    if m["zone"]:
        zone = "+00:00" if m["zone"] in ("Z", "UTC") else m["zone"]
        return datetime.fromisoformat(f"{at.isoformat()}{zone}").astimezone(UTC)
    return at


def place(said: Sequence[datetime | str], *, zone: str, stamps: Stamps, step_minutes: int | None = None) -> Placed:
    """The start of each row's interval. StepError where the rows do not show their step."""
    step = timedelta(minutes=step_minutes or usual_step(said))
    if stamps is Stamps.BY_ROW or (stamps is Stamps.AUTO and midnight_stands_last(said)):
        return _by_row(said, zone, step)
    placed = _placed(said, zone, stamps, step)
    if placed.wrong and midnight_stands_last(said):
        return replace(placed, notes=(*placed.notes, "midnight stands last in its day: --stamps by-row reads all rows"))
    return placed


def _placed(said: Sequence[datetime | str], zone: str, stamps: Stamps, step: timedelta) -> Placed:
    if stamps is not Stamps.END:
        return _in_order([_candidates(t, zone) for t in said], step)
    # The end of the last interval before a clock change is written in the old time by some and in the new by others.
    as_instants = _in_order([_earlier(_candidates(t, zone), step) for t in said], step)
    as_written = _in_order([_candidates(t if isinstance(t, str) else t - step, zone) for t in said], step)
    return as_written if len(as_written.wrong) < len(as_instants.wrong) else as_instants


def moments(said: Sequence[datetime | str], zone: str) -> tuple[list[datetime | None], dict[int, str]]:
    """The instants of rows that lie anywhere in time, oldest first; and by row index why one has none. What a clock
    change repeats is told apart by the order of the rows."""
    times: list[datetime | None] = []
    wrong: dict[int, str] = {}
    latest: datetime | None = None
    for i, one in enumerate(said):
        means = _candidates(one, zone)
        at = None
        if isinstance(means, str):
            wrong[i] = means
        else:
            at = next((t for t in means if latest is None or t >= latest), None)
            if at is None:
                wrong[i] = f"time runs backwards: {means[-1]:%Y-%m-%d %H:%M} UTC after {latest:%Y-%m-%d %H:%M} UTC"
            latest = at or latest
        times.append(at)
    return times, wrong


def usual_step(said: Sequence[datetime | str]) -> int:
    """The most common distance of two rows, in minutes."""
    times = [t.replace(tzinfo=None) for t in said if isinstance(t, datetime)]
    apart = Counter(abs((b - a).total_seconds()) / 60 for a, b in pairwise(times) if a != b)
    fitting = [minutes for minutes, _ in apart.most_common() if minutes in STEPS]
    if not fitting:
        usual = (
            f"are {apart.most_common(1)[0][0]:g} min apart" if apart else "are too few to show how far apart they are"
        )
        raise StepError(
            f"the rows {usual}; an interval must be a whole part of an hour. If it is, say which with --step"
        )
    return int(fitting[0])


def midnight_stands_last(said: Sequence[datetime | str]) -> bool:
    """Whether the row of midnight stands at the end of the day that it begins, as in some exports: then stamps are
    ends, and the date of that one row is a day behind."""
    times = [t.replace(tzinfo=None) for t in said if isinstance(t, datetime)]
    return any(b < a and b.date() == a.date() and (b.hour, b.minute) == (0, 0)
               for a, b in pairwise(times))  # fmt: skip


def _by_row(said: Sequence[datetime | str], zone: str, step: timedelta) -> Placed:
    first = said[0] if said else "there is no row"
    if isinstance(first, str):
        raise StepError(f"the first row must say when it is: {first}")
    instants = _candidates(first, zone)
    if isinstance(instants, str):
        raise StepError(f"the first row must say when it is: {instants}")
    start, note = instants[0], "the first stamp is the start of its interval"
    if midnight_stands_last(said):
        start, note = start - step, "stamps are ends, since midnight stands last in its day"
    starts = tuple(start + k * step for k in range(len(said)))
    return Placed(starts=starts, wrong={}, twin_of={}, step_minutes=int(step.total_seconds() / 60),
                  notes=(f"rows counted from the first stamp; {note}",))  # fmt: skip


Candidates = list[datetime] | str


def _candidates(said: datetime | str, zone: str) -> Candidates:
    """The instants that a stamp can mean: two where a clock change repeats it, and why not where it skips it."""
    if isinstance(said, str):
        return said
    if said.tzinfo is not None:
        return [said]
    first = wall_to_utc(said.date(), said.time(), zone)
    if local(first, zone).replace(tzinfo=None) != said:
        return f"{said:%Y-%m-%d %H:%M} does not exist in {zone}: the clocks skip it"
    later = [first + timedelta(minutes=m) for m in (30, 60, 120)]
    return [first, *(t for t in later if local(t, zone).replace(tzinfo=None) == said)]


def _earlier(candidates: Candidates, step: timedelta) -> Candidates:
    return candidates if isinstance(candidates, str) else [t - step for t in candidates]


def _in_order(rows: Sequence[Candidates], step: timedelta) -> Placed:
    """Rows in the order of time; what a clock change repeats is told apart by that order."""
    firsts = [row[0] for row in rows if not isinstance(row, str)]
    if len(firsts) > 2 and all(b < a for a, b in pairwise(firsts)):
        turned = _in_order(rows[::-1], step)
        last = len(rows) - 1
        return Placed(
            starts=turned.starts[::-1],
            wrong={last - i: why for i, why in turned.wrong.items()},
            twin_of={last - i: last - j for i, j in turned.twin_of.items()},
            step_minutes=turned.step_minutes,
            notes=(*turned.notes, "the newest row comes first; read from the last row on"),
        )
    starts: list[datetime | None] = []
    wrong: dict[int, str] = {}
    twin_of: dict[int, int] = {}
    seen: dict[datetime, int] = {}
    latest: datetime | None = None
    for i, row in enumerate(rows):
        start = None
        if isinstance(row, str):
            wrong[i] = row
        elif int(row[0].timestamp()) % int(step.total_seconds()):
            wrong[i] = f"{row[0]:%H:%M:%S} UTC is not the start of a {step.total_seconds() / 60:g} min interval"
        elif (ahead := next((t for t in row if latest is None or t > latest), None)) is not None:
            if latest is not None and _leaps(ahead, latest, rows[i + 1 : i + 3]):
                wrong[i] = f"{ahead:%Y-%m-%d %H:%M} UTC is later than the rows after it: time runs backwards there"
            else:
                start = latest = ahead
                seen[start] = i
        elif (twin := next((seen[t] for t in row if t in seen), None)) is not None:
            twin_of[i] = twin
        else:
            wrong[i] = f"time runs backwards: {row[-1]:%Y-%m-%d %H:%M} UTC after {latest:%Y-%m-%d %H:%M} UTC"
        starts.append(start)
    return Placed(starts=tuple(starts), wrong=wrong, twin_of=twin_of,
                  step_minutes=int(step.total_seconds() / 60))  # fmt: skip


def _leaps(t: datetime, latest: datetime, following: Sequence[Candidates]) -> bool:
    """Whether one row stands ahead of its time: the next two rows go on from before it."""
    nexts = [row[-1] for row in following if not isinstance(row, str)]
    return len(nexts) == 2 and latest < nexts[0] < nexts[1] and nexts[1] < t

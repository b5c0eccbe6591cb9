"""The plan as a calendar file (RFC 5545): one event a job, the same UID for as long as the job lives."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from energy.model.proposal import Instruction
from energy.model.site import Site

LONGEST_LINE = 75  # octets, without the line break (RFC 5545, 3.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """A job in the calendar. `sequence` counts how often it was moved since it was first told."""

    uid: str
    instruction: str
    stamp: datetime
    sequence: int
    start: datetime
    end: datetime
    summary: str
    description: str
    location: str


def updated(
    events: Mapping[str, CalendarEvent], instructions: Sequence[Instruction], site: Site, at: datetime
) -> dict[str, CalendarEvent]:
    """The events after these instructions; one that is already there stays as it is."""
    after = dict(events)
    for instruction in instructions:
        new = instruction.planned
        uid = f"{new.job}@{site.id}.loadstone"
        known = after.get(uid)
        if known is not None and known.instruction == instruction.id:
            continue
        after[uid] = CalendarEvent(
            uid=uid,
            instruction=instruction.id,
            stamp=at.replace(microsecond=0),
            sequence=0 if known is None else known.sequence + 1,
            start=new.start,
            end=new.end,
            summary=f"{_machine(site, new.machine)}: {new.job}{f' ({new.mode})' if new.mode else ''}",
            description=instruction.text,
            location=_machine(site, new.machine),
        )
    return after


def _machine(site: Site, id: str) -> str:
    return next((machine.name for machine in site.machines if machine.id == id), "") or id


def calendar_text(events: Mapping[str, CalendarEvent]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Loadstone//Plan//EN", "CALSCALE:GREGORIAN"]
    for event in sorted(events.values(), key=lambda e: (e.start, e.uid)):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{escaped(event.uid)}",
            f"DTSTAMP:{_utc(event.stamp)}",
            f"SEQUENCE:{event.sequence}",
            f"DTSTART:{_utc(event.start)}",
            f"DTEND:{_utc(event.end)}",
            f"SUMMARY:{escaped(event.summary)}",
            f"DESCRIPTION:{escaped(event.description)}",
            f"LOCATION:{escaped(event.location)}",
            f"X-LOADSTONE-INSTRUCTION:{escaped(event.instruction)}",
            "END:VEVENT",
        ]
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def read_events(text: str) -> dict[str, CalendarEvent]:
    """The events of a calendar that `calendar_text` wrote; what others put into it is left out."""
    found: dict[str, CalendarEvent] = {}
    for block in re.findall(r"BEGIN:VEVENT\r?\n(.*?)END:VEVENT", re.sub(r"\r?\n[ \t]", "", text), flags=re.DOTALL):
        said = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        if "X-LOADSTONE-INSTRUCTION" not in said:
            continue
        event = CalendarEvent(
            uid=_plain(said["UID"]),
            instruction=_plain(said["X-LOADSTONE-INSTRUCTION"]),
            stamp=_time(said["DTSTAMP"]),
            sequence=int(said["SEQUENCE"]),
            start=_time(said["DTSTART"]),
            end=_time(said["DTEND"]),
            summary=_plain(said["SUMMARY"]),
            description=_plain(said["DESCRIPTION"]),
            location=_plain(said["LOCATION"]),
        )
        found[event.uid] = event
    return found


def escaped(text: str) -> str:
    """TEXT as RFC 5545, 3.3.11 writes it; control characters have no place in it."""
    marked = re.sub(r"([\\;,])", r"\\\1", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", re.sub(r"\r\n|\r|\n", r"\\n", marked))


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], text)


def folded(line: str) -> str:
    """A content line cut into parts of at most 75 octets, never within a character."""
    parts: list[str] = []
    part, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LONGEST_LINE:
            parts.append(part)
            part, size = " ", 1
        part += character
        size += width
    return "\r\n".join([*parts, part])


def _utc(t: datetime) -> str:
    return f"{t.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

"""The small notations in order files: power profiles, alternatives, people, and what a job follows.

power_kw       240/210/180            mean powers of three equal parts of the run
alternatives   furnace-2:195:250/220; furnace-3[eco]:220:200
follows        2031+30..240           30 to 240 minutes after the end of job 2031
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from energy.exchange.cells import duration_minutes, number, whole
from energy.exchange.rows import RowReader
from energy.model.calendar import Attended
from energy.model.job import Follows, Mode, Need
from energy.plugins import nearest

T = TypeVar("T")

ALTERNATIVE = re.compile(
    r"(?P<machine>[^:\[\]]+)(?:\[(?P<name>[^\]]*)\])?:(?P<minutes>[^:]+(?::[0-5]\d)?):(?P<power>[^:]+)"
)
FOLLOWS = re.compile(r"(?P<job>.+?)(?:\+(?P<least>\d+)(?:\.\.(?P<most>\d+))?)?")
ATTENDED = {
    "lauf": "run",
    "immer": "run",
    "all": "run",
    "anfang": "start",
    "beginn": "start",
    "anfang_und_ende": "ends",
}


def parts(text: str) -> list[str]:
    """What stands between semicolons or line breaks."""
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


def powers(text: str, decimal_comma: bool) -> tuple[float, ...]:
    values = tuple(number(part, decimal_comma) for part in text.split("/"))
    if any(value < 0 or value > 1e6 for value in values):
        raise ValueError(f"{text!r}: a job draws between 0 and 1 000 000 kW")
    return values


def modes_of(read: RowReader) -> tuple[Mode, ...]:
    """The ways to run a job: its own machine first, then the alternatives. What is wrong is noted in the row."""
    comma = read.decimal_comma
    machine = read.value("machine", lambda text: read.known_machine(text.strip()), needed=True)
    minutes = read.value("minutes", lambda text: duration_minutes(text, comma), needed=True)
    power_kw = read.value("power_kw", lambda text: powers(text, comma), needed=True)
    others = read.value("alternatives", lambda text: [_alternative(read, part) for part in parts(text)])
    if machine is None or minutes is None or power_kw is None:
        return ()
    modes = (Mode(machine=machine, minutes=minutes, power_kw=power_kw, name=read.text("mode")), *(others or ()))
    ways = [(mode.machine, mode.name) for mode in modes]
    if len(set(ways)) < len(ways):
        read.wrong("alternatives", "names one machine twice; tell them apart: furnace-2[eco]:…")
    return modes


def _alternative(read: RowReader, text: str) -> Mode:
    match = ALTERNATIVE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not machine:minutes:kW, like furnace-2:195:250/220")
    return Mode(
        machine=read.known_machine(match["machine"].strip()),
        minutes=duration_minutes(match["minutes"], read.decimal_comma),
        power_kw=powers(match["power"], read.decimal_comma),
        name=(match["name"] or "").strip(),
    )


def needs_of(read: RowReader) -> tuple[Need, ...]:
    """The people a job needs: skills, with one number and one kind of presence each, or one for all."""
    skills = parts(read.text("skill"))
    people = read.value("people", lambda text: _for_each(parts(text), skills, _people), default=[1] * len(skills))
    attended = read.value(
        "attended", lambda text: _for_each(parts(text), skills, _attended), default=[Attended.RUN] * len(skills)
    )
    if not skills and people:
        read.wrong("skill", "is empty, though people are needed; name their skill")
    if people is None or attended is None:
        return ()
    return tuple(
        Need(skill=skill, people=n, attended=when)
        for skill, n, when in zip(skills, people, attended, strict=False)
        if n > 0
    )


def _for_each(said: Sequence[str], skills: Sequence[str], read: Callable[[str], T]) -> list[T]:
    values = [read(part) for part in said]
    if len(values) == 1 and len(skills) > 1:
        return values * len(skills)
    if skills and len(values) != len(skills):
        raise ValueError(f"says {len(values)} for {len(skills)} skills; give one each, or one for all")
    return values


def _people(text: str) -> int:
    n = whole(text, False)
    if not 0 <= n <= 1000:
        raise ValueError(f"{text!r} is not a number of people")
    return n


def _attended(text: str) -> Attended:
    word = re.sub(r"\s+", "_", text.strip().lower())
    word = ATTENDED.get(word, word)
    if word not in set(Attended):
        raise ValueError(f"{text!r} is not when people must be there{nearest(word, [str(when) for when in Attended])}")
    return Attended(word)


def follows_of(text: str) -> tuple[Follows, ...]:
    return tuple(_follows(part) for part in parts(text))


def _follows(text: str) -> Follows:
    match = FOLLOWS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a job with its waiting time, like 2031+30..240")
    least, most = int(match["least"] or 0), None if match["most"] is None else int(match["most"])
    if most is not None and most < least:
        raise ValueError(f"{text!r}: at most {most} min is less than at least {least} min")
    return Follows(job=match["job"].strip(), at_least_minutes=least, at_most_minutes=most)


def written_powers(power_kw: Sequence[float]) -> str:
    return "/".join(repr(float(power)) for power in power_kw)


def without(text: str, marks: str) -> str:
    """A text that can stand in a notation; one that holds the notation's own marks would be read as another."""
    if any(mark in text for mark in marks):
        raise ValueError(f"{text!r} cannot be written into an order file: it holds one of {' '.join(marks)}")
    return text


def written_mode(mode: Mode) -> str:
    name = f"[{without(mode.name, '[];')}]" if mode.name else ""
    return f"{without(mode.machine, ':[];')}{name}:{mode.minutes}:{written_powers(mode.power_kw)}"


def written_follows(follows: Follows) -> str:
    """Always with its waiting time, so that a job number that holds a plus sign stays one."""
    most = "" if follows.at_most_minutes is None else f"..{follows.at_most_minutes}"
    return f"{without(follows.job, ';')}+{follows.at_least_minutes}{most}"

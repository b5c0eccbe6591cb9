"""Where in a JSON text a value stands: `data.power[0].value`, `["a name.with dots"]`, `meters[id=7].kwh`."""

import re
from dataclasses import dataclass
from functools import cache

PART = re.compile(
    r"""(?:^|\.)(?P<name>[^.\[\]"=]+)          # a name
      | \[(?P<index>-?\d+)\]                   # a place in a list; -1 is the last
      | (?:^|\.)?\["(?P<quoted>[^"]*)"\]       # a name with dots or brackets in it
      | \[(?P<key>[^\]="]+)=(?P<equals>[^\]]*)\]  # the first entry of a list that says so
    """,
    re.X,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """The first entry of a list whose key says that text."""

    key: str
    equals: str


Step = str | int | Entry


@cache
def parse(path: str) -> tuple[Step, ...]:
    """The steps of a path; none for an empty one, the whole text. ValueError shows where it cannot be read."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = PART.match(path, at)
        if match is None:
            raise ValueError(f"cannot be read from {path[at:]!r} on; write it like data.power[0].value")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        elif match["key"] is not None:
            steps.append(Entry(match["key"], match["equals"]))
        else:
            steps.append(match["name"] if match["name"] is not None else match["quoted"])
        at = match.end()
    return tuple(steps)


def find(data: object, path: str) -> object:
    """What stands there; None where nothing does."""
    for step in parse(path):
        if isinstance(step, Entry):
            entries = data if isinstance(data, list) else []
            said = (e for e in entries if isinstance(e, dict) and step.key in e and _text(e[step.key]) == step.equals)
            data = next(said, None)
        elif isinstance(step, int):
            data = data[step] if isinstance(data, list) and -len(data) <= step < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

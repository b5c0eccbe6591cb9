"""How mistakes of a problem are found and said: numbers that are none, rows too short, names that nobody knows."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from math import isfinite

Say = Callable[[str, str], None]


def span(start: int, end: int, at: str, say: Say) -> None:
    if end <= start:
        say(at, f"ends in slot {end}, not after its start in slot {start}")


def length(row: Sequence[object], slots: int, at: str, say: Say) -> None:
    if len(row) != slots:
        say(at, f"has {len(row)} values; the horizon has {slots} slots")


def finite(value: float | None, at: str, say: Say) -> bool:
    if value is not None and not isfinite(value):
        say(at, f"{value} is not a number that can be planned with; fill the gap first")
        return False
    return True


def at_least_zero(value: float | None, at: str, say: Say) -> None:
    if finite(value, at, say) and value is not None and value < 0:
        say(at, f"{value:g} is negative")


def known(name: str, names: Iterable[str], what: str, at: str, say: Say) -> None:
    every = list(names)
    if name not in every:
        near = get_close_matches(name, every, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(every) or 'none'}"
        say(at, f"no {what} {name!r}; {hint}")


def unique(names: Sequence[str], at: str, what: str, say: Say) -> None:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            say(f"{at}[{i}]", f"same {what} {name!r} as {at}[{seen[name]}]")
        seen.setdefault(name, i)

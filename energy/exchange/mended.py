"""A problem whose wrong values are set aside, so that the rest of it can be looked through too: a file gets all its
mistakes at once, also where a text stands for a number in one place and a name is unknown in another."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args, get_type_hints

Where = tuple[int | str, ...]
FRAME = ("slots", "step_minutes", "start", "format")  # without these nothing else can be judged
NUMBERS = ("float_type", "float_parsing")
WHOLE_NUMBERS = ("int_type", "int_from_float", "int_parsing", "int_parsing_size")


def mended(
    kind: type[Any], plain: dict[str, Any], errors: Sequence[tuple[Where, str]]
) -> tuple[Any, tuple[Where, ...]] | None:
    """The plain data with something harmless in each wrong place, and the places of which nothing can be said now;
    None where that would be guessing."""
    new, unsure = deepcopy(plain), []
    for where, error in errors:
        exact = _mend(kind, new, where, error) if where and where[0] not in FRAME else None
        if exact is None:
            return None
        noun = where[:2] if len(where) > 2 and isinstance(where[1], int) else where[:1]
        unsure.append(where if exact else noun)  # of a noun that is as by default in one place, nothing more is said
    return new, tuple(unsure)


def _mend(kind: type[Any], plain: Any, where: Where, error: str) -> bool | None:
    """Put something harmless there: True where it touches nothing else of the noun, None where there is no such thing."""
    holder = plain
    for part in where[:-1]:
        holder = holder[part]
    last = where[-1]
    wrong = None if error == "missing" else holder[last]
    if error in NUMBERS:
        holder[last] = float("nan")  # as a gap: it is neither too small nor too large for anything
        return True
    if error == "string_type" and isinstance(wrong, int | float) and not isinstance(wrong, bool):
        holder[last] = str(wrong)  # an order number
        return True
    if isinstance(last, int) and (error in WHOLE_NUMBERS or error == "bool_type"):  # one of a row
        holder[last] = 0 if error in WHOLE_NUMBERS else False
        return True
    if not isinstance(last, str):
        return None
    noun = _noun(kind, where)
    if last in holder and any(field.name == last and field.default is not MISSING for field in fields(noun)):
        del holder[last]
        return False
    hint = get_type_hints(noun)[last]
    if error in {"tuple_type", "missing"} and (hint is float or _inner(hint) in {float, int, bool} - {hint}):
        holder[last] = float("nan") if hint is float else []
        return False
    return None


def _noun(kind: Any, where: Where) -> Any:
    """The class of the noun that a field belongs to."""
    for part in where[:-1]:
        kind = get_type_hints(_inner(kind))[part] if isinstance(part, str) else _inner(kind)
    noun = _inner(kind)
    assert is_dataclass(noun)
    return noun


def _inner(kind: Any) -> Any:
    """X of X, of X | None, and of tuple[X, ...]."""
    parts = [part for part in get_args(kind) if part not in {type(None), Ellipsis}]
    return parts[0] if parts else kind

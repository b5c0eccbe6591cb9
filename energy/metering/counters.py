"""Counter stands in time, and the counter at an edge between them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Two stands within so much of an edge are taken as the stand at the edge.
AT_THE_EDGE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Stand:
    """What a counter said at a moment. Between stands of one `piece` all energy is known; from one piece to the next
    nobody knows what flowed (a reset, a meter exchange). `kwh` counts on within a piece, rollovers taken out; `said` is
    the counter's own word."""

    at: datetime
    kwh: float
    piece: int
    said: float


@dataclass(frozen=True, slots=True)
class Point:
    """The counter at an edge. `apart` is the distance of the two stands that it was worked out from; zero where a
    stand is at the edge itself."""

    kwh: float
    piece: int
    apart: timedelta


def point_at(counter: Sequence[Stand], edge: datetime, *, ends: bool, longest: timedelta) -> Point | None:
    """The counter at an edge, as seen from the slot that ends (or starts) there; None where nobody knows.

    Between two stands not further apart than `longest` it is on the line from one to the other. Else the stand at
    the edge counts if there is one. Else it is on the long line. Across a cut it is unknown, unless the stand on this
    slot's own side is at the edge.
    """
    after = bisect_left(counter, edge, key=lambda stand: stand.at)
    if after < len(counter) and counter[after].at == edge:
        return Point(counter[after].kwh, counter[after].piece, timedelta(0))
    left = counter[after - 1] if after > 0 else None
    right = counter[after] if after < len(counter) else None
    if left is not None and right is not None and left.piece == right.piece:
        return _between(left, right, edge, longest)
    own = left if ends else right
    if own is not None and abs(own.at - edge) <= AT_THE_EDGE:
        return Point(own.kwh, own.piece, timedelta(0))
    return None


def _between(left: Stand, right: Stand, edge: datetime, longest: timedelta) -> Point:
    near = min((left, right), key=lambda stand: abs(stand.at - edge))
    at_edge = abs(near.at - edge) <= AT_THE_EDGE
    apart = right.at - left.at
    if at_edge and apart > longest:
        return Point(near.kwh, near.piece, timedelta(0))
    share = (edge - left.at) / apart
    return Point(left.kwh + share * (right.kwh - left.kwh), left.piece, timedelta(0) if at_edge else apart)


def newest_before(counter: Sequence[Stand], t: datetime) -> Stand | None:
    """The newest stand that is not after `t`."""
    position = bisect_right(counter, t, key=lambda stand: stand.at)
    return counter[position - 1] if position else None

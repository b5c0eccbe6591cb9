"""Counter stands in time, and how much flowed between two of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.model.meter import Meter, Reading, ReadingQuality

# Two stands within so much of an edge are taken as the stand at the edge.
AT_THE_EDGE = timedelta(seconds=5)
# A counter counts in steps (the coarsest in use: whole kWh), so two stands may differ by a step more than what flowed.
STEP_KWH = 1.0


@dataclass(frozen=True, slots=True)
class Stand:
    """What a counter said at a moment. Between stands of one `piece` all energy is known; from one piece to the next
    nobody knows what flowed (a reset, a meter exchange). `kwh` counts on within a piece, rollovers taken out."""

    at: datetime
    kwh: float
    piece: int


def used_kwh(earlier: float, later: float, *, rollover_kwh: float | None, at_most_kwh: float) -> float | None:
    """Energy between two stands of a counter that only counts up.

    None means unknown: the meter was replaced or reset, and nobody can say what flowed in between. `at_most_kwh` is
    what the connection can carry in that time; more than that was never used, wrapped or not.
    """
    used = later - earlier
    if used < 0 and rollover_kwh is not None and earlier <= rollover_kwh:
        used += rollover_kwh
    return used if 0 <= used <= at_most_kwh else None


def stands(times_kwh: Sequence[tuple[datetime, float]], meter: Meter) -> list[Stand]:
    """The stands of one counter, oldest first, with rollovers taken out and cut where nobody knows what flowed.
    Of several stands at one moment the highest counts."""
    made: list[Stand] = []
    before = 0.0
    for at, kwh in sorted(dict(sorted(times_kwh)).items()):
        if not made:
            made.append(Stand(at, kwh, 0))
        else:
            last = made[-1]
            hours = (at - last.at).total_seconds() / 3600
            most = meter.connection_kw * hours + STEP_KWH
            used = used_kwh(before, kwh, rollover_kwh=meter.rollover_kwh, at_most_kwh=most)
            made.append(Stand(at, kwh, last.piece + 1) if used is None else Stand(at, last.kwh + used, last.piece))
        before = kwh
    return made


def good_stands(readings: Sequence[Reading], meter: Meter, counter: str) -> list[Stand]:
    """The stands of one counter ("import_kwh" or "export_kwh") from readings in any order; only GOOD ones count."""
    said = [
        (reading.taken_at, kwh)
        for reading in readings
        if reading.quality is ReadingQuality.GOOD and (kwh := getattr(reading, counter)) is not None
    ]
    return stands(said, meter)


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

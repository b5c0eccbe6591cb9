"""Edge boxes: when each last spoke, what waits there, and what is wrong with it, in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from energy.model.edge import Edge, EdgeState
from energy.reports.situation import Rules
from energy.reports.words import counted, moment, span
from energy.store import Store

SILENT_AFTER = timedelta(minutes=5)  # a box gives a sign of life each minute
OLD_BACKLOG = timedelta(minutes=15)
CLOCK_OFF_SECONDS = 30.0
REMEMBERED = timedelta(days=1)  # how long a loss stays on the list of what needs a hand


def edge_states(store: Store, rules: Rules, now: datetime) -> tuple[EdgeState, ...]:
    """Every box that the config names or that has spoken, by name."""
    known = {edge.name: edge for edge in store.edges.all()}
    return tuple(edge_state(name, known.get(name), rules.site.zone, now) for name in sorted({*rules.boxes, *known}))


def edge_state(name: str, edge: Edge | None, zone: str, now: datetime) -> EdgeState:
    if edge is None:
        return EdgeState(name=name, edge=None, silent_for=None, oldest_for=None, troubles=("has not spoken yet",))
    quiet, oldest = now - edge.seen_at, edge.backlog.oldest_at
    return EdgeState(
        name=name,
        edge=edge,
        silent_for=quiet if quiet > SILENT_AFTER else None,
        oldest_for=None if oldest is None else now - oldest,
        troubles=tuple(troubles(edge, zone, now)),
    )


def troubles(edge: Edge, zone: str, now: datetime) -> Iterator[str]:
    """What is wrong with a box, worst first; each goes on after its name."""
    waits, oldest = edge.backlog.waiting, edge.backlog.oldest_at
    readings = f"{counted(waits, 'reading')} {'waits' if waits == 1 else 'wait'}"
    if now - edge.seen_at > SILENT_AFTER:
        yield f"silent since {moment(edge.seen_at, zone, now)}" + (f"; {readings} there" if waits else "")
    elif oldest is not None and now - oldest > OLD_BACKLOG:
        yield f"is behind: {readings}, the oldest of {moment(oldest, zone, now)}"
    if edge.trouble:
        yield f"sends what cannot be taken: {edge.trouble}"
    if edge.backlog.held:
        yield f"holds {counted(edge.backlog.held, 'reading')} that were refused here"
    ahead = edge.ahead_seconds or 0.0
    if abs(ahead) > CLOCK_OFF_SECONDS:
        yield f"has a wrong clock: {span_of(ahead)} {'ahead' if ahead > 0 else 'behind'}; its readings are doubted"
    if edge.worse_at is not None and now - edge.worse_at <= REMEMBERED:
        yield from losses(edge, zone, now)


def losses(edge: Edge, zone: str, now: datetime) -> Iterator[str]:
    """What it had to let go; counters carry the energy of all of it."""
    backlog = edge.backlog
    parts = [
        (backlog.thinned + backlog.dropped, "let go for want of room"),
        (edge.missing, "acknowledged once and not here any more (was the store restored?)"),
    ]
    said = [f"{counted(count, 'reading')} {words}" for count, words in parts if count]
    if backlog.broken:
        said.append(f"{counted(backlog.broken, 'buffer file')} broken and moved aside")
    if said and edge.worse_at is not None:
        yield f"had losses, last told {moment(edge.worse_at, zone, now)}: {', '.join(said)}"


def span_of(seconds: float) -> str:
    return f"{abs(seconds):.0f} s" if abs(seconds) < 120 else span(seconds / 60.0)

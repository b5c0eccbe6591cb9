"""The collector, by the note that it keeps: nothing where it never ran, stopped where it and all its meters are silent."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from energy.model.collector import COLLECTOR_NOTE, CollectorState, PollPace
from energy.reports.meter_state import MeterState
from energy.store import Store

SILENT_AFTER = timedelta(minutes=5)  # it speaks each minute; of a simulated plant's time that may be an hour


def collector_state(store: Store, states: Sequence[MeterState], now: datetime) -> CollectorState | None:
    """What the collector last said of itself; None where it has never said anything."""
    note = store.note(COLLECTOR_NOTE)
    if note is None:
        return None
    at = datetime.fromisoformat(note["at"])
    own = [state for state in states if not state.meter.box and not state.meter.parts]
    return CollectorState(
        at=at,
        meters=note["meters"],
        waiting=note["waiting"],
        kept=note["kept"],
        dropped=note["dropped"],
        lately=pace(note["lately"]),
        in_all=pace(note["in_all"]),
        stopped=now - at > SILENT_AFTER and all(state.silent for state in own),
    )


def pace(said: Mapping[str, Any]) -> PollPace:
    """The polls of a while."""
    polls = int(said["polls"])
    return PollPace(
        polls=polls,
        missed=int(said["missed"]),
        late_p50_seconds=said["late_p50_seconds"],
        late_p99_seconds=said["late_p99_seconds"],
        latest_seconds=said["latest_seconds"] if polls else None,
    )

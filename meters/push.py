"""Kind `push`: a meter whose gateway or data logger sends its readings by itself, over HTTP (`POST /v1/push/ID`)."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from energy.model.meter import Meter, Reading, ReadingQuality
from energy.ports import Context
from meters.elsewhere import Elsewhere, named
from meters.plausible import Watch

SAME_TIME = timedelta(seconds=30)  # two clocks that are kept right differ by less


class Settings(BaseModel):
    """Nothing but the meter: what its gateway may send stands in docs/api.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""  # which of the plant's meters this is


def build(settings: Settings, context: Context) -> "Pushed":
    """The meter as the collector sees it (it hears nothing), and as the door asks it to judge what was pushed."""
    return Pushed(named(settings.id, context), context.last_good.get(settings.id))


class Pushed(Elsewhere):
    """Judges what is pushed for a meter against what was pushed before, from whichever thread it comes."""

    def __init__(self, meter: Meter, seed: Reading | None = None) -> None:
        super().__init__(meter)
        self._watch = Watch(meter, seed)
        self._one_at_a_time = threading.Lock()

    def judge(self, readings: Sequence[Reading], now: datetime) -> list[Reading]:
        """The readings, oldest first; SUSPECT where they say what cannot be, or lie in the future."""
        with self._one_at_a_time:
            return [self._judged(reading, now) for reading in readings]

    def _judged(self, reading: Reading, now: datetime) -> Reading:
        ahead = reading.taken_at - now
        if ahead > SAME_TIME:  # its order among the others is not known, so the watch is not told of it
            note = f"taken {ahead.total_seconds():.0f} s in the future: the clock of the gateway is wrong"
            return replace(reading, quality=ReadingQuality.SUSPECT, note=note)
        return self._watch.judge(reading)

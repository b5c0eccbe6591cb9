"""A day without network at fifty meters: all of it arrives, in order and once, and becomes whole intervals."""

from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from energy.clock import HeldClock
from energy.http import client
from energy.model.horizon import Interval
from energy.model.meter import Meter, Quality, Reading
from energy.model.site import Site
from energy.steps.collect import collect
from energy.store import Store
from meters.edge.buffer import Buffer
from meters.edge.sender import Sender
from tests.api.door import BOX, BOX_TOKEN, T0, Steadied, app, doors, meter, served

METERS = [f"m-{n}" for n in range(50)]
HOUR, STEP = timedelta(hours=1), timedelta(minutes=15)
SITE = Site(id="plant", name="P", zone="UTC", currency="EUR", import_limit_kw=900, export_limit_kw=0)


def stands(meters: list[Meter], begin: float, end: float) -> list[Reading]:
    """What the meters say every quarter of an hour; each draws a power of its own."""
    steps = int((end - begin) * 4)
    return [
        Reading(meter=one.id, taken_at=T0 + begin * HOUR + n * STEP, import_kwh=(n + begin * 4) * (1 + i) / 4)
        for n in range(steps)
        for i, one in enumerate(meters)
    ]


def test_a_day_offline(tmp_path: Path) -> None:
    meters = [meter(name) for name in METERS]
    clock = HeldClock(T0)
    with (
        closing(Store.open(f"sqlite:///{tmp_path / 'centre.sqlite'}", "plant")) as store,
        closing(Buffer(tmp_path / "edge.sqlite", max_bytes=10**8, clock=clock, steady=Steadied(clock))) as buffer,
        served(app(store, clock, doors(METERS))) as centre,
        closing(client()) as way,
    ):
        store.put_meters(meters)
        sender = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, per_second=1e6)

        def send_all() -> None:
            for _ in range(50):
                if buffer.backlog().waiting:
                    sender.turn()
            assert buffer.backlog().waiting == 0

        def account(hours: float) -> None:
            collect(store, site=SITE, now=T0 + hours * HOUR, raw_days=7, raw_bytes=10**9)

        buffer.add(stands(meters, 0, 1))
        clock.move_to(T0 + HOUR)
        send_all()
        for hour in range(1, 26):  # the centre goes on reckoning; nothing comes
            clock.move_to(T0 + hour * HOUR)
            if hour % 8 == 1:
                account(hour)
            if hour < 25:
                buffer.add(stands(meters, hour, hour + 1))
        assert buffer.backlog().oldest_at == T0 + HOUR
        send_all()
        account(25)
        day = Interval(T0, T0 + 25 * HOUR)
        assert store.readings.total() == 25 * 4 * 50
        for i, one in enumerate(METERS):
            made = store.intervals.of(one, day)
            assert Counter(energy.quality for energy in made) == {Quality.MEASURED: len(made)}
            assert (made[0].start, made[-1].start) == (T0 + STEP, T0 + 24.5 * HOUR)
            assert sum(energy.import_kwh or 0.0 for energy in made) == pytest.approx(24.5 * (1 + i))

"""A plant on a held clock behind real Modbus TCP."""

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.clock import HeldClock
from energy.config import load_settings
from energy.errors import MeterError
from energy.model.meter import ReadingQuality
from energy.twin.stand import Stand
from meters.simulator.wire import wired

CONFIG = Path(__file__).parents[2] / "config.yaml"
START = datetime(2026, 5, 4, tzinfo=UTC)


class Steady:
    """Every meter draws 60 kW from the start on."""

    def __init__(self, clock: HeldClock) -> None:
        self.clock = clock

    def stand(self, meter: str) -> Stand:
        return Stand(1000.0 + (self.clock.now() - START) / timedelta(minutes=1), 0.0, 60.0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def two_meters():
    settings = load_settings(CONFIG, {})
    port = free_port()
    meters = [m for m in settings.meters if m.meter.id in {"grid", "m-furnace-1"}]
    moved = [
        replace(m, options=m.options.model_copy(update={"port": port, "unit": unit}))
        for unit, m in enumerate(meters, 1)
    ]
    return replace(settings, meters=tuple(moved)), port


def test_what_the_plant_says_at_an_instant_comes_over_the_wire() -> None:
    settings, _ = two_meters()
    clock = HeldClock(START)
    with wired(settings, Steady(clock), clock) as read:
        first = read()
        clock.advance(timedelta(minutes=15))
        second = read()
    assert [r.meter for r in first] == ["grid", "m-furnace-1"]
    assert {r.quality for r in [*first, *second]} == {ReadingQuality.GOOD}
    assert {r.taken_at for r in second} == {START + timedelta(minutes=15)}
    assert [r.import_kwh for r in second] == pytest.approx([1015.0, 1015.0])
    assert [r.power_kw for r in second] == pytest.approx([60.0, 60.0])


def test_the_port_is_free_again_afterwards_and_a_taken_one_is_named() -> None:
    settings, port = two_meters()
    clock = HeldClock(START)
    for _ in range(2):
        with wired(settings, Steady(clock), clock) as read:
            assert len(read()) == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with (
            pytest.raises(MeterError, match=f"cannot listen on 127.0.0.1:{port}"),
            wired(settings, Steady(clock), clock),
        ):
            pass

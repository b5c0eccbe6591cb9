"""The scan over real Modbus TCP: what a person at a terminal gets."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import pytest
from click.testing import CliRunner

from energy.errors import EnoughError, MeterError
from energy.twin.stand import Stand
from meters.commands import meters
from meters.modbus import Settings
from meters.scan.commands import nowhere
from meters.scan.modbus import ModbusScanner
from meters.simulator.server import Simulator
from tests.meters.sunspec_device import answering, capture
from tests.meters.wire import free_port, settings


@dataclass
class Running:
    """A load of 87 kW, its counter by the wall clock: a rushed test sees less of it, never something else."""

    began: float = field(default_factory=monotonic)

    def stand(self, meter: str) -> Stand:
        return Stand(5_000.0 + (monotonic() - self.began) / 3600 * 87.0, 20.0, 87.0)


@contextmanager
def served(*said: Settings) -> Iterator[None]:
    """Simulated meters in a thread of their own, so that plain calls can be made to them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    simulator = Simulator([(f"m{one.unit}", one) for one in said], Running())
    try:
        asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(10)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def command(*words: str) -> str:
    done = CliRunner().invoke(meters, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_units_and_their_models_behind_one_address():
    port = free_port()
    with served(settings(port, unit=2), settings(port, unit=12, profile="janitza-umg96")):
        said = json.loads(command("scan", f"127.0.0.1:{port}", "--units", "1-12", "--watch", "0.5", "--json"))
    assert sorted((one["settings"]["unit"], one["settings"]["profile"]) for one in said) == [
        (2, "eastron-sdm630"),
        (12, "janitza-umg96"),
    ]
    assert all(one["score"] == 1.0 and one["values"]["power"] == pytest.approx(87.0) for one in said)


def test_what_a_person_reads():
    port = free_port()
    with served(settings(port, unit=1, profile="lovato-dmg")):
        said = command("scan", f"127.0.0.1:{port}", "--units", "1", "--watch", "0")
    for line in ("1 unit answers", "profile lovato-dmg", "score 1.00", "✓ phases add up", "power 87.00 kW", "unit: 1"):
        assert line in said


def test_a_wrong_setting_is_told_with_its_fix_and_the_fix_holds():
    port = free_port()
    with served(settings(port)):
        at = ("--profile", "eastron-sdm630", "--host", "127.0.0.1", "--port", str(port), "--for", "0")
        wrong = command("try", *at, "--set", "word_order=low first")
        assert "→ likely fix: the words of its numbers come high word first" in wrong
        assert "word_order: high first" in wrong
        assert "✗" not in command("try", *at, "--set", "word_order=high first")


def test_looks_at_the_same_meter_add_up():
    """What was seen at earlier looks is remembered for the slope of the counters."""
    port = free_port()
    scanner = ModbusScanner(nowhere())
    said = {"kind": "modbus", "profile": "siemens-pac", "host": "127.0.0.1", "port": port}
    with served(settings(port, profile="siemens-pac")):
        first = scanner.look(said)
        assert {c.name: c.ok for c in first.checks}["counter follows power"] is None
        until = monotonic() + 30
        while monotonic() < until:
            if {c.name: c.ok for c in scanner.look(said).checks}["counter follows power"]:
                break
        else:
            pytest.fail("the counter was never held against the power")


def test_whoever_has_enough_gets_what_was_found():
    port = free_port()

    def enough(share: float, what: str) -> None:
        if what == "unit 4":
            raise EnoughError("enough")

    with served(settings(port, unit=2), settings(port, unit=5)):
        found = ModbusScanner(nowhere()).scan(f"127.0.0.1:{port}", units="2-9", progress=enough)
    assert [dict(one.settings)["unit"] for one in found] == [2]


def test_nobody_there_is_said_with_what_to_try():
    with pytest.raises(MeterError, match="refused the connection"):
        ModbusScanner(nowhere()).scan(f"127.0.0.1:{free_port()}", units="1")
    port = free_port()
    with served(settings(port, unit=9)), pytest.raises(MeterError, match="no unit answered"):
        ModbusScanner(nowhere()).scan(f"127.0.0.1:{port}", units="1", timeout_seconds=0.3)


@pytest.mark.parametrize(
    ("capture_of", "reads"),
    [("fronius-gen24", "inverter"), ("fronius-smart-meter", "meter"), ("fronius-battery", "storage")],
)
def test_a_device_that_says_itself_where_its_values_lie(capture_of, reads):
    """SunSpec: its settings come out as they are kept, and a look by them is held against the same laws."""
    said, registers = capture(capture_of)
    scanner = ModbusScanner(nowhere())
    with answering(registers) as port:
        found = scanner.scan(f"127.0.0.1:{port}", units=str(said.get("unit", 1)), watch_seconds=0.0)
        one = next(one for one in found if dict(one.settings)["reads"] == reads)
        looked = scanner.look(dict(one.settings))
    assert (dict(one.settings)["kind"], one.identified) == ("sunspec", True)
    assert one.confidence.startswith("SunSpec model")
    assert looked.reading is not None and one.reading is not None
    assert looked.reading.power_kw == one.reading.power_kw
    assert not [check for check in looked.checks if check.ok is False]

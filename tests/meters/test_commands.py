import asyncio
import threading

import pytest
from click.testing import CliRunner

from energy.errors import LoadstoneError
from energy.twin.stand import Stand
from meters.commands import meters
from tests.meters.wire import Fixed, free_port, settings, simulator


class Served:
    """A simulated meter in a thread, as a command runs a loop of its own."""

    def __init__(self, said, stand: Stand) -> None:
        self._said, self._stand = said, stand
        self._up, self._loop = threading.Event(), asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))

    async def _serve(self) -> None:
        async with simulator(("m", self._said), source=Fixed(self._stand)):
            self._up.set()
            await self._stop.wait()

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._up.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        self._loop.close()


def read(*words: str) -> str:
    result = CliRunner().invoke(meters, ["read", "--host", "127.0.0.1", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_read_prints_every_quantity_with_its_unit():
    said = settings(free_port(), unit=3, profile="carlo-gavazzi-em340")
    with Served(said, Stand(1234.5, 0.0, 42.0)):
        output = read("--profile", "carlo-gavazzi-em340", "--port", str(said.port), "--unit", "3")
    lines = [line.split() for line in output.splitlines()]
    assert lines[0][:4] == ["Carlo", "Gavazzi", "EM330,", "EM340,"]
    assert ["power", "42.000", "kW"] in lines
    assert ["total_import", "1,234.500", "kWh"] in lines
    assert ["power_factor", "0.950"] in lines
    assert ["voltage_l1", "231.800", "V"] in lines


def test_what_is_not_said_is_a_dash(tmp_path):
    (tmp_path / "acme.yaml").write_text("""
name: Acme
function_code: 4
registers:
  power: {at: 0x0034, type: f32, unit: W}
  total_export: {at: 0x0048, type: f32, unit: kWh}
  frequency: {at: 0x0046, type: f32, unit: Hz, between: [55, 65]}
""")
    said = settings(free_port())
    with Served(said, Stand(5.0, 0.0, 1.0)):
        output = read("--profile", str(tmp_path / "acme.yaml"), "--port", str(said.port))
    lines = [line.split() for line in output.splitlines()]
    assert ["frequency", "–", "Hz"] in lines
    assert ["total_export", "5.000", "kWh"] in lines


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile", "abb-b32"], "did you mean 'abb-b23'"),
        (["--profile", "generic"], "registers: give at least one of power"),
        (["--profile", "nowhere.yaml"], "there is no such file"),
    ],
)
def test_what_cannot_be_asked(words, told):
    with pytest.raises(LoadstoneError, match=told):
        read(*words)


def test_nobody_there_and_what_to_try():
    with pytest.raises(LoadstoneError, match=r"refused the connection: is Modbus TCP switched on there"):
        read("--profile", "siemens-pac", "--port", str(free_port()))


def test_the_wrong_unit_and_what_to_try():
    said = settings(free_port(), unit=3)
    with Served(said, Stand(1.0, 0.0, 1.0)), pytest.raises(LoadstoneError, match="is the unit number right"):
        read("--profile", "eastron-sdm630", "--port", str(said.port), "--unit", "4", "--timeout", "0.2")


def test_list_names_the_profiles_and_how_well_they_are_known():
    output = CliRunner().invoke(meters, ["list"], catch_exceptions=False).output
    lines = {line.split()[0]: line for line in output.splitlines()}
    assert "6 sources" in lines["siemens-pac"]
    assert "your own" in lines["generic"]

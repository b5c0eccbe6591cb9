import asyncio
import threading

import pytest
import yaml
from click.testing import CliRunner

from energy.errors import LoadstoneError
from energy.twin.stand import Stand
from meters.catalogue import FAMILIES, known_by, manual_number
from meters.commands import meters
from meters.modbus import Settings
from meters.profile import load, names
from tests.meters.sunspec_device import answering, capture
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


@pytest.mark.parametrize("transport", ["rtu-over-tcp", "serial"])
def test_read_goes_over_other_lines(tmp_path, transport):
    device = str(tmp_path / "line")
    if transport == "serial":
        way = {"transport": transport, "device": device, "parity": "none", "baudrate": 9600}
        said = Settings.model_validate({"profile": "eastron-sdm630", **way})
        words = ["--device", device, "--parity", "none", "--baudrate", "9600"]
    else:
        said = settings(free_port(), transport=transport)
        words = ["--host", "127.0.0.1", "--port", str(said.port), "--raw-gateway"]
    with Served(said, Stand(1234.5, 0.0, 42.0)):
        result = CliRunner().invoke(meters, ["read", "--profile", "eastron-sdm630", *words], catch_exceptions=False)
    assert result.exit_code == 0
    assert ["power", "42.000", "kW"] in [line.split() for line in result.output.splitlines()]


def test_a_meter_without_an_address_is_not_read():
    with pytest.raises(LoadstoneError, match="say where the meter is: --host ADDRESS, or --device"):
        CliRunner().invoke(meters, ["read", "--profile", "eastron-sdm630"], catch_exceptions=False)


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


def test_read_asks_a_sunspec_device_at_its_usual_unit():
    _, device = capture("fronius-smart-meter")
    with answering(device) as port:
        output = read("--profile", "fronius-smart-meter", "--port", str(port))
    lines = [line.split() for line in output.splitlines()]
    assert lines[0][-6:-3] == [f"127.0.0.1:{port}", "unit", "200,"]
    assert ["power", "8.250", "kW"] in lines
    assert ["reactive_power", "–", "kvar"] in lines
    assert {unit for unit, _, _ in device.asked} == {200}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile", "abb-b32"], "did you mean abb-b23"),
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


def lines(*words: str) -> list[str]:
    result = CliRunner().invoke(meters, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output.splitlines()


def test_list_names_the_profiles_and_how_well_they_are_known():
    said = {line.split()[0]: line for line in lines("list")}
    assert "6 sources" in said["siemens-pac"]
    assert "your own" in said["generic"]
    assert "1 source: verify" in said["acrel-adw300"]
    assert "2 unsure" in said["carlo-gavazzi-em24"]


def test_list_is_in_families():
    said = lines("list")
    heads = [line for line in said if line.endswith(":") and not line.startswith(" ")]
    assert heads == [f"{family}:" for family in FAMILIES.values()]
    battery = said.index("Batteries:")
    assert known_by(said[battery + 1].split()[0]).family == "battery"


def test_list_looks_for_words():
    said = [line.split()[0] for line in lines("list", "Schneider", "pm5000") if line.startswith(" ")]
    assert said == ["schneider-pm5000"]
    with pytest.raises(LoadstoneError, match=r"no profile has 'acme' in its name.*README"):
        lines("list", "acme")


def test_show_tells_the_wire_and_the_manual_and_what_is_unsure():
    said = "\n".join(lines("show", "carlo-gavazzi-em24"))
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.startswith("  total_import ")}
    assert rows["total_import"] == ["total_import", "66", "30067", "s32", "x0.1", "kWh"]
    assert "unsure: address inferred from a sister model" in said
    assert "0x005C" in said  # how to switch the doubtful counter on
    assert "apparent_power: address inferred" in said  # among the checks
    assert "s32: 0x7FFF0000–0x7FFFFFFF" in said


def test_show_says_how_a_device_names_itself_and_which_way_is_positive():
    said = "\n".join(lines("show", "carlo-gavazzi-em540"))
    assert "EM530 1744–1749, EM530 1856, EM540 1760–1766" in said
    said = "\n".join(lines("show", "huawei-sun2000"))
    assert "positive is export" in said and "power is negative while the sun shines" in said


@pytest.mark.parametrize(
    ("code", "address", "number"), [(3, 3059, 43060), (4, 0, 30001), (3, 9998, 49999), (3, 0x5B00, 423297)]
)
def test_the_number_in_the_manual(code, address, number):
    assert manual_number(code, address) == number


@pytest.mark.parametrize("name", names())
def test_show_has_every_register_of_every_profile(name):
    said = "\n".join(lines("show", name))
    assert all(f"  {quantity} " in said for quantity in load(name).registers)


def test_show_tells_of_a_device_that_says_itself_where_its_values_lie():
    said = "\n".join(lines("show", "fronius-battery"))
    assert "the first of the models 160 + 124, 701 + 713" in said
    assert "modules StCha less StDisCha" in said
    listed = next(line for line in lines("list", "fronius", "meter") if "kind: sunspec" in line)
    assert listed.split()[0] == "fronius-smart-meter"
    assert "unit 200" in "\n".join(lines("show", "fronius-smart-meter"))


def test_two_ways_to_one_meter_are_one_too_many():
    words = ["read", "--profile", "eastron-sdm630", "--host", "a", "--device", "/dev/ttyUSB0"]
    with pytest.raises(LoadstoneError, match="--host and --device are two ways"):
        CliRunner().invoke(meters, words, catch_exceptions=False)


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ({"unit": 3}, {"unit": 3, "role": "sub", "measures": "other", "connection_kw": "KW"}),
        (
            {"unit": 3, "measures": "machine", "connection_kw": 160.0, "display_kw": 12.0},
            {"unit": 3, "role": "sub", "measures": "machine", "machine": "MACHINE", "connection_kw": 160.0},
        ),
    ],
)
def test_the_entry_to_paste_holds_what_was_said_and_nothing_made_up(said, entry):
    from meters.scan.commands import entry_lines

    assert yaml.safe_load("\n".join(entry_lines(said))) == [{"id": "NAME", "name": "NAME"} | entry]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fronius", "did you mean fronius-gen24 or "),
        ("siemens-pack", "siemens-pac"),
        ("zzz", "`loadstone meters list`"),
    ],
)
def test_an_unknown_model_is_answered_with_the_near_ones(name, hint):
    with pytest.raises(LoadstoneError, match=hint):
        CliRunner().invoke(meters, ["show", name], catch_exceptions=False)

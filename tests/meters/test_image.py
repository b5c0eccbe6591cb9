"""What a profile says of a register's place, sign and sum; and every profile played and read back."""

import pytest

from energy.twin.stand import Stand
from meters.image import image, places, quantities
from meters.modbus import Settings
from meters.profile import Profile, load, names, parse
from meters.registers import RegisterType
from meters.simulator.face import face


def profile(*registers: str) -> Profile:
    return parse("name: x\nregisters:\n" + "\n".join(f"  {register}" for register in registers), "x")


def read(made: Profile, words: dict[int, int]) -> dict[str, float]:
    return quantities(made, {(3, at): word for at, word in words.items()})


@pytest.mark.parametrize(("word", "kw"), [(4200, -4.2), (0, 0.0), (0x10000 - 300, 0.3)])
def test_what_flows_out_may_be_positive_on_the_wire(word, kw):
    made = profile("power: {at: 1, type: s16, unit: W, positive: export}")
    assert read(made, {1: word}) == {"power": pytest.approx(kw)}
    assert str(read(made, {1: 0})["power"]) == "0.0"


@pytest.mark.parametrize(("words", "kw"), [({1: 500, 2: 0}, 0.5), ({1: 0, 2: 700}, -0.7), ({1: 500}, None)])
def test_a_meter_that_tells_import_and_export_apart(words, kw):
    made = profile("power: {at: 1, minus: 2, type: u16, unit: W}")
    assert read(made, words).get("power") == (kw if kw is None else pytest.approx(kw))


@pytest.mark.parametrize(("exponent", "kwh"), [(0, 1.234), (3, 1234.0), (0xFFFE, 0.01234), (11, None), (0x8000, None)])
def test_a_register_may_have_its_power_of_ten_beside_it(exponent, kwh):
    made = profile("total_import: {at: 9, exponent_at: 5, type: u32, unit: Wh}")
    assert [(place.start, place.count) for place in places(made, made.registers["total_import"])] == [(9, 2), (5, 1)]
    found = read(made, {5: exponent, 9: 0, 10: 1234})
    assert found.get("total_import") == (kwh if kwh is None else pytest.approx(kwh))


def test_without_its_power_of_ten_a_number_is_not_known():
    assert read(profile("total_import: {at: 9, exponent_at: 5, type: u32, unit: Wh}"), {9: 0, 10: 1234}) == {}


STANDS = {
    "meter": Stand(12345.5, 678.25, 42.0),
    "analyser": Stand(12345.5, 678.25, 42.0),
    "grid meter": Stand(12345.5, 678.25, 42.0),
    "inverter": Stand(0.0, 678.0, -42.0),
    "battery": Stand(12345.5, 678.25, -4.0),
}


@pytest.mark.parametrize("name", [name for name in names() if name != "generic"])
def test_the_simulator_can_play_every_profile(name):
    """What the display of a simulated meter shows, put into its registers and read back: the same, to one step."""
    played = load(name)
    shown = face(STANDS[played.family], Settings(host="x", profile=name))
    found = quantities(played, image(played, shown))
    assert set(found) == set(played.registers)
    for quantity, value in found.items():
        register = played.registers[quantity]
        assert value == pytest.approx(shown[quantity], rel=1e-6, abs=_step(register.type, register.scale[0])), quantity


def _step(type: RegisterType, scale: float) -> float:
    return scale if type.whole else 1e-9


GRID_METERS = [name for name in names() if load(name).family in ("grid meter", "battery")]


@pytest.mark.parametrize("name", [name for name in GRID_METERS if "power" in load(name).registers])
def test_what_flows_out_is_negative(name):
    played = load(name)
    shown = face(Stand(1.0, 2.0, -3.0), Settings(host="x", profile=name))
    assert quantities(played, image(played, shown))["power"] == pytest.approx(-3.0)


def test_a_register_without_a_sign_says_nothing_of_the_other_direction():
    played = load("sungrow-sg")
    shown = face(Stand(1.0, 2.0, 3.0), Settings(host="x", profile="sungrow-sg"))  # an inverter that takes from the grid
    assert quantities(played, image(played, shown))["power"] == 0.0

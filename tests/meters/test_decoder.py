"""The compiled decoder says what `image.quantities` says, of any profile, any reads and any registers."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.decoder import Decoder, Said, compiled
from meters.image import image, quantities
from meters.profile import Profile, load, names, parse
from meters.quantities import KINDS, UNITS
from meters.reads import planned_reads
from meters.registers import RegisterType, width

ODD = (0x0000, 0x0001, 0x7FFF, 0x8000, 0xFFFF, 0x7F80, 0x7FC0, 0xFF80, 0x7FF0, 0x4000)
WORD = st.one_of(st.sampled_from(ODD), st.integers(0, 0xFFFF))


def slowly(profile: Profile, said: Sequence[Said]) -> dict[str, float]:
    return quantities(profile, {(code, start + i): w for code, start, words in said for i, w in enumerate(words)})


def same(profile: Profile, said: Sequence[Said]) -> None:
    fast, slow = Decoder(profile).quantities(said), slowly(profile, said)
    assert repr(fast) == repr(slow)  # to the last bit, in the same order, and no negative zero for a positive one


@pytest.mark.parametrize("name", [name for name in names() if load(name).registers])
@settings(max_examples=5)
@given(data=st.data())
def test_built_in_profiles_with_any_registers(name, data):
    profile = load(name)
    said = [
        (code, batch.start, data.draw(st.lists(WORD, min_size=batch.count, max_size=batch.count)))
        for code, batch in planned_reads(profile)
    ]
    lost = data.draw(st.sets(st.integers(0, len(said) - 1), max_size=1))
    same(profile, [one for i, one in enumerate(said) if i not in lost])


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Registers that may overlap, add up, be marked, scaled, coded and in either word order."""
    registers = {}
    for name in draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, min_size=1, max_size=6)):
        kind = draw(st.sampled_from(list(RegisterType)))
        registers[name] = {
            "at": draw(st.lists(st.integers(0, 24 - width(kind)), min_size=1, max_size=3)),
            "type": kind.value,
            "unit": draw(st.sampled_from(sorted(UNITS[KINDS[name]]))),
            "scale": draw(st.lists(st.sampled_from([1.0, 0.1, 0.001, 10.0, 2.5]), min_size=1, max_size=2)),
            "function_code": draw(st.sampled_from([None, 3, 4])),
            "between": draw(st.sampled_from([None, (0.0, 1000.0), (-1e9, 1e9)])),
            "coding": draw(st.sampled_from(["plain", "four-quadrant"])),
            "minus": draw(st.lists(st.integers(0, 24 - width(kind)), max_size=2)),
            "positive": draw(st.sampled_from(["import", "export"])),
        }
    marked = {
        kind.value: [[0, 0], [0x7FFF, 0x8000], 2 ** (16 * width(kind)) - 1]
        for kind in draw(st.sets(st.sampled_from(list(RegisterType))))
    }
    order = draw(st.sampled_from(["high first", "low first"]))
    return Profile.model_validate({"name": "any", "registers": registers, "not_available": marked, "word_order": order})


@given(profile=profiles(), data=st.data())
def test_any_profile_with_any_reads(profile, data):
    """Also reads that overlap, leave holes, cut a number in two, or come in another order."""
    said = [
        (
            data.draw(st.sampled_from([3, 4])),
            data.draw(st.integers(0, 24)),
            data.draw(st.lists(WORD, min_size=1, max_size=26)),
        )
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    said += [
        (code, 0, data.draw(st.lists(WORD, min_size=24, max_size=24)))
        for code in data.draw(st.sets(st.sampled_from([3, 4])))
    ]
    same(profile, said)


TWO = """
name: two numbers
registers:
  power: {at: 2, type: f32, unit: W}
  total_import: {at: 0, type: u32, unit: kWh, scale: 0.1}
"""


def test_a_meter_that_a_person_could_check():
    said = [(3, 0, [0x0001, 0x86A0, *struct.unpack(">HH", struct.pack(">f", 2500.0))])]
    assert Decoder(parse(TWO, "test")).quantities(said) == {"power": 2.5, "total_import": 10_000.0}


@pytest.mark.parametrize(
    ("shape", "is_compiled"),
    [
        (((3, 0, 4),), True),
        (((3, 0, 2), (3, 2, 2)), True),  # two reads
        (((3, 0, 2),), True),  # power was not read
        (((3, 0, 3), (3, 3, 1)), True),  # cut in two, but side by side
        (((3, 3, 1), (3, 0, 3)), False),  # cut in two, the other way round
        (((3, 0, 4), (3, 0, 2)), False),  # read twice
    ],
)
def test_what_is_compiled_and_what_is_left_to_the_rule(shape, is_compiled):
    assert (compiled(parse(TWO, "test"), shape) is not None) is is_compiled


def test_every_built_in_profile_is_compiled():
    slow = []
    for name in names():
        profile = load(name)
        shape = tuple((code, batch.start, batch.count) for code, batch in planned_reads(profile))
        if compiled(profile, shape) is None:
            slow.append(name)
    assert slow == ["iskra-wm3m4c"]  # its numbers bring their own powers of ten


def test_what_a_simulated_meter_says_comes_back():
    profile = load("eastron-sdm630")
    words = image(profile, {"power": 12.5, "total_import": 1234.5, "voltage_l1": 230.0})
    said = [(c, b.start, [words.get((c, a), 0) for a in range(b.start, b.end)]) for c, b in planned_reads(profile)]
    found = Decoder(profile).quantities(said)
    assert (found["power"], found["total_import"], found["voltage_l1"]) == (12.5, 1234.5, 230.0)

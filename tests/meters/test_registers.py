import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.registers import RegisterType, decode, encode, width

INTEGERS = {
    RegisterType.U16: (0, 2**16 - 1),
    RegisterType.S16: (-(2**15), 2**15 - 1),
    RegisterType.U32: (0, 2**32 - 1),
    RegisterType.S32: (-(2**31), 2**31 - 1),
    RegisterType.U64: (0, 2**64 - 1),
    RegisterType.S64: (-(2**63), 2**63 - 1),
}


@pytest.mark.parametrize(
    ("words", "type", "low_first", "scale", "value"),
    [
        ([0x0903], "u16", False, 0.1, 230.7),
        ([0xFFFF], "s16", False, 1, -1),
        ([0x0001, 0x1170], "u32", False, 1, 70000),
        ([0x1170, 0x0001], "u32", True, 1, 70000),
        ([0xFFFE, 0xEE90], "s32", False, 0.1, -7000.0),
        ([0x4366, 0x3333], "f32", False, 1, 230.2),
        ([0x3333, 0x4366], "f32", True, 1, 230.2),
        ([0x0000, 0x001C, 0xBE99, 0x1A14], "u64", False, 0.01, 1234567890.12),
        ([0x1A14, 0xBE99, 0x001C, 0x0000], "s64", True, 0.01, 1234567890.12),
        ([0x40C3, 0x8800, 0x0000, 0x0000], "f64", False, 1, 10000.0),
    ],
)
def test_words_mean_a_number(words, type, low_first, scale, value):
    found = decode(words, RegisterType(type), low_word_first=low_first, scale=scale)
    assert found == pytest.approx(value, rel=1e-6)
    assert encode(value, RegisterType(type), low_word_first=low_first, scale=scale) == words


@pytest.mark.parametrize(
    ("words", "type", "markers"),
    [
        ([0xFFFF], "u16", [(0xFFFF, 0xFFFF)]),
        ([0x7FFF, 0x1234], "s32", [(0x7FFF0000, 0x7FFFFFFF)]),
        ([0x8000, 0x0000], "s32", [(0x80000000, 0x80000000)]),
        ([0xFFFF] * 4, "u64", [(2**64 - 1, 2**64 - 1)]),
        ([0x7FC0, 0x0000], "f32", []),  # NaN
        ([0x7F80, 0x0000], "f32", []),  # infinity
        ([0xFFF0, 0, 0, 0], "f64", []),  # minus infinity
    ],
)
def test_what_is_not_available_is_none(words, type, markers):
    assert decode(words, RegisterType(type), not_available=markers) is None


@pytest.mark.parametrize(
    ("words", "type", "value"),
    [
        ([0xFD01, 0xE240], "t5", 123.456),  # 123456 x 10^-3
        ([0xFDFE, 0x1DC0], "t6", -123.456),  # -123456 x 10^-3
        ([0x0200, 0x0007], "t5", 700.0),
        ([0x00FF, 0xFFFF], "t5", 16777215.0),
        ([0x00FF, 0xFFFF], "t6", -1.0),
        ([0x0B00, 0x0001], "t5", None),  # 10^11 is a register that was never set
        ([0xFFFF, 0xFFFF], "t5", 1677721.5),
        ([0x8000, 0x0001], "t6", None),  # 10^-128
    ],
)
def test_numbers_with_their_own_power_of_ten(words, type, value):
    assert decode(words, RegisterType(type)) == (value if value is None else pytest.approx(value, rel=1e-12))


@settings(deadline=None)
@given(st.floats(-8e6, 8e6), st.booleans())
def test_a_power_of_ten_keeps_six_digits_and_more(value, low_first):
    words = encode(value, RegisterType.T6, low_word_first=low_first)
    assert decode(words, RegisterType.T6, low_word_first=low_first) == pytest.approx(value, rel=1e-6, abs=1e-10)


def test_a_power_of_ten_has_an_end():
    with pytest.raises(ValueError, match="does not fit into t5"):
        encode(-1, RegisterType.T5)
    with pytest.raises(ValueError, match="does not fit into t6"):
        encode(1e18, RegisterType.T6)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="does not fit into u16"):
        encode(7000, RegisterType.U16, scale=0.1)


@settings(deadline=None)
@given(st.sampled_from(sorted(INTEGERS)), st.data(), st.booleans(), st.sampled_from([1.0, 0.1, 0.01, 0.0001, 10.0]))
def test_integers_survive_the_wire_within_half_a_step(type, data, low_first, scale):
    raw = data.draw(st.integers(*INTEGERS[type]))
    back = decode(
        encode(raw, type, low_word_first=low_first), type, low_word_first=low_first
    )  # whole numbers: nothing is lost
    assert back == float(raw)
    value = data.draw(st.floats(INTEGERS[type][0] * scale * 0.9, INTEGERS[type][1] * scale * 0.9))
    words = encode(value, type, low_word_first=low_first, scale=scale)
    assert len(words) == width(type)
    found = decode(words, type, low_word_first=low_first, scale=scale)
    assert found is not None
    assert abs(found - value) <= scale / 2 + abs(value) * 1e-12


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.booleans())
def test_floats_survive_the_wire(value, low_first):
    for type in (RegisterType.F32, RegisterType.F64):
        back = decode(encode(value, type, low_word_first=low_first), type, low_word_first=low_first)
        assert back == value
        assert back is not None
        assert math.copysign(1, back) == math.copysign(1, value)

import pytest

from meters.identify import Identify, text
from meters.profile import ProfileError, load, parse

IEM3255 = [0x6945, 0x4D33, 0x3235, 0x3500]  # "iEM3255"


def identify(**said) -> Identify:
    return Identify.model_validate({"at": 0, **said})


@pytest.mark.parametrize(
    ("said", "words", "told"),
    [
        ({"type": "text", "registers": 4}, IEM3255, "iEM3255"),
        ({"type": "text", "registers": 4, "expect": ["iEM3", "PM5"]}, IEM3255, "iEM3255"),
        ({"type": "text", "registers": 4, "expect": "PM5"}, IEM3255, None),
        ({"type": "text", "registers": 4, "expect": {"iEM3000": "iEM3"}}, IEM3255, "iEM3000"),
        ({"type": "text", "registers": 2}, [0, 0], None),
        ({"type": "text", "registers": 2}, [0x0102, 0x4142], None),  # no text
        ({"type": "u32"}, [0x0001, 0x0000], "65536"),
        ({"type": "u16", "expect": {"EM530": [[1744, 1749], 1856], "EM540": [[1760, 1766]]}}, [1856], "EM530"),
        ({"type": "u16", "expect": {"EM530": [[1744, 1749], 1856], "EM540": [[1760, 1766]]}}, [1765], "EM540"),
        ({"type": "u16", "expect": {"EM530": [[1744, 1749], 1856], "EM540": [[1760, 1766]]}}, [1750], None),
    ],
)
def test_what_a_device_says_of_itself(said, words, told):
    assert identify(**said).told(words) == told


def test_a_number_with_its_low_word_first():
    assert identify(type="u32").told([0x0000, 0x0001], low_word_first=True) == "65536"


def test_text_ends_at_the_first_zero_byte_and_has_no_blanks_around():
    assert text([0x4232, 0x3320, 0x0041]) == "B23"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("{at: 1, type: text}", "identify.0"),  # how long?
        ("{at: 1, type: u16, registers: 2}", "identify.0"),
        ("{at: 1, type: u16, expect: [PM5]}", "identify.0"),
        ("{at: 1, type: text, registers: 2, expect: [5]}", "identify.0"),
        ("{at: 1, type: u16, tels: model}", "identify.0.tels"),
    ],
)
def test_mistakes_are_told_with_their_place(line, where):
    with pytest.raises(ProfileError) as error:
        parse(f"name: x\nregisters: {{}}\nidentify: [{line}]", "x")
    assert [mistake.where for mistake in error.value.mistakes] == [where]


def test_where_it_is_read():
    profile = load("eastron-sdm630")
    (serial,) = profile.identify
    code, place = profile.place_of(serial)
    assert (code, place.start, place.count, serial.proves) == (3, 0xFC00, 2, False)


def test_text_is_no_type_of_a_quantity():
    with pytest.raises(ProfileError, match=r"registers\.power\.type"):
        parse("name: x\nregisters: {power: {at: 1, type: text, unit: W}}", "x")

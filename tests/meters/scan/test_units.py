"""Which units answer: the order of the questions, the patience, and what counts as an answer."""

import asyncio

import pytest

from energy.errors import LoadstoneError
from meters.bus import RefusedError, SilentError
from meters.scan.units import EVERY, LONGEST_TIMEOUT, SHORTEST_TIMEOUT, Hunt, Pace, in_order, units_named


def hunt(answers: dict[int, object], units: tuple[int, ...] = ()) -> tuple[Hunt, list[int]]:
    """Runs a hunt among units that answer with words, refuse with a code, or (not named) are silent."""
    asked = []

    async def ask(unit, code, start, count, timeout):
        asked.append(unit)
        said = answers.get(unit, answers.get("else"))
        if said is None:
            raise SilentError("nobody")
        if isinstance(said, int):
            raise RefusedError(said)
        return said

    async def search() -> Hunt:
        made = Hunt(ask, units, usual=(3, 200))
        async for _ in made.run(lambda *_: None):
            pass
        return made

    return asyncio.run(search()), asked


@pytest.mark.parametrize(
    ("said", "units"),
    [("1-4", (1, 2, 3, 4)), ("1,2,5", (1, 2, 5)), ("7, 1-2", (7, 1, 2)), ("", ()), ("0,255", (0, 255))],
)
def test_units_as_one_says_them(said, units):
    assert units_named(said) == units


@pytest.mark.parametrize("said", ["one", "1-", "300", "5-3", "-"])
def test_units_that_cannot_be(said):
    with pytest.raises(LoadstoneError, match="unit"):
        units_named(said)


def test_the_likely_ones_come_first():
    assert in_order((), (3, 200))[:6] == [1, 3, 200, 255, 0, 2]
    assert set(in_order((), ())) == {*EVERY, 255, 0}
    assert in_order((9, 1, 4), (3,)) == [1, 4, 9]


def test_a_no_of_the_unit_is_an_answer_and_a_no_of_the_gateway_is_none():
    made, _ = hunt({1: 2, 4: [0, 0], 7: 1, "else": 11})
    assert made.found == [1, 4, 7]
    made, _ = hunt({2: 10, 3: 11, 5: 6}, units=(2, 3, 5))
    assert made.found == [5]


def test_a_device_without_units_is_found_once():
    made, asked = hunt({"else": [1, 2]})
    assert (made.found, made.any_unit) == ([1], True)
    assert len(asked) == 3


def test_one_that_listens_to_255_alone():
    made, _ = hunt({255: [1, 2], 0: [1, 2]})
    assert made.found == [255]


def test_patience_follows_the_slowest_answer():
    assert Pace().timeout == 1.0
    assert Pace().heard(0.005).timeout == SHORTEST_TIMEOUT
    assert Pace().heard(0.3).heard(0.01).timeout == pytest.approx(1.0)
    assert Pace().heard(5.0).timeout == LONGEST_TIMEOUT

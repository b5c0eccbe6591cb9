"""Whatever stands in a config, it is read or its mistakes are said; nothing else comes out."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from energy.config import load_settings
from energy.config.text import read
from energy.errors import ConfigError, Mistake

ROOT = Path(__file__).parent.parent.parent
WHOLE = read((ROOT / "config.yaml").read_text(), {}).data


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in the data."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(data, dict):
        inner = [found for key, value in data.items() for found in places(value, (*path, key))]
    if isinstance(data, list):
        inner = [found for i, value in enumerate(data) for found in places(value, (*path, i))]
    return [path, *inner] if path else inner


JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    0.5,
    "",
    "x",
    "25:61",
    "${HOME}",
    "${NOT_SET}",
    [],
    [None],
    [[]],
    {},
    {"x": 1},
]
JUNK += [
    {"kind": "file"},
    [{}],
    "2026-13-01",
    "-0",
    "0001-01-01 00:00",
    "9999-12-31",
    "é\u2028",
    {"kind": None},
    {"kind": ["a"]},
]
junk = st.sampled_from(JUNK)


@settings(max_examples=30, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(places(WHOLE)), junk), min_size=1, max_size=3))
@example(changes=[(("site",), None), (("meters",), "x"), (("optimizer",), ["milp"])])
def test_any_change_is_read_or_said(tmp_path_factory, changes):
    data = copy.deepcopy(WHOLE)
    for path, value in changes:
        here = data
        try:
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    file = tmp_path_factory.mktemp("fuzz") / "config.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    assert_read_or_said(file)


def assert_read_or_said(file: Path) -> None:
    mistakes: tuple[Mistake, ...] = ()
    try:
        load_settings(file, {"HOME": "/home"})
    except ConfigError as error:
        mistakes = error.mistakes
        assert mistakes
    assert all(mistake.where and mistake.what for mistake in mistakes)


@pytest.mark.parametrize("cut", range(0, 7000, 700))
def test_half_a_file_is_read_or_said(tmp_path, cut):
    file = tmp_path / "config.yaml"
    file.write_text((ROOT / "config.yaml").read_text()[:cut])
    assert_read_or_said(file)

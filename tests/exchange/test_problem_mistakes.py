"""Whatever a person writes into a problem file: never a traceback, and all mistakes at once, each with its place."""

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from energy.errors import ProblemError
from energy.exchange.problems import plan_from_json, problem_from_json, read_problem, to_json
from tests.exchange.rich import rich
from tests.planning.tables import as_is

NONSENSE = (None, True, "", "zzz", "9", -1, -3.5, 0, 2.5, 7, 1e308, 10**30, float("nan"), float("-inf"), [], {}, [1])
Where = tuple[str | int, ...]


def places(plain: Any, at: Where = ()) -> Iterator[Where]:
    """Every place of plain data, from the outside in."""
    if at:
        yield at
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in inner:
        yield from places(value, (*at, key))


def at(plain: Any, where: Where) -> Any:
    for part in where:
        plain = plain[part]
    return plain


def put(plain: Any, where: Where, value: Any) -> Any:
    new = deepcopy(plain)
    at(new, where[:-1])[where[-1]] = value
    return new


def mutants(value: Any) -> Iterator[Any]:
    """What may stand in the place of a value: nonsense, and the value a little wrong."""
    yield from (wrong for wrong in NONSENSE if type(wrong) is not type(value) or wrong != value)
    if isinstance(value, list) and value:
        yield from (value[:-1], [*value, value[-1]], [None] * len(value), value[::-1])
    if isinstance(value, str):
        yield from (value + "x", value[:-1], value + ">", "ü\n")


def told(plain: Any) -> dict[str, str]:
    """The mistakes of a problem, by place; none where it is sound."""
    try:
        problem_from_json(json.dumps(plain))
    except ProblemError as error:
        return {mistake.where: mistake.what for mistake in error.mistakes}
    return {}


def there(plain: Any, where: str) -> bool:
    """Whether a path leads somewhere in a file: but for its last part, which may be what is missing."""
    if where in {"file", "rest of the file"}:
        return True
    parts = [int(part) if part.isdigit() else part for part in where.replace("]", "").replace("[", ".").split(".")]
    held = plain
    for part in parts[:-1]:
        held = held[part] if (isinstance(held, dict) and part in held) or isinstance(held, list) else None
    return held is not None


def test_the_plant_that_says_everything_is_sound() -> None:
    assert told(rich()) == {}


def test_no_value_anywhere_is_a_traceback() -> None:
    """Each mutant either is a problem or has mistakes with places that are in the file."""
    whole = rich()
    every = [(where, wrong) for where in places(whole) for wrong in mutants(at(whole, where))]
    sound = 0
    for where, wrong in random.Random(17).sample(every, 700):
        mutant = put(whole, where, wrong)
        mistakes = told(mutant)
        sound += not mistakes
        assert all(there(whole, place) and what for place, what in mistakes.items()), (where, wrong, mistakes)
    assert 20 < sound < 250


def test_a_number_that_is_none_is_found_in_every_place_of_a_number() -> None:
    whole = rich()
    numbers = [w for w in places(whole) if isinstance(at(whole, w), int | float) and not isinstance(at(whole, w), bool)]
    for where in random.Random(4).sample(numbers, 60):
        for wrong in (float("nan"), float("inf"), 10**30, "12", None):
            mistakes = told(put(whole, where, wrong))
            may_be_none = wrong is None and where[-1] in MAY_BE_NONE
            assert mistakes or may_be_none, (where, wrong)


MAY_BE_NONE = {"latest_start", "must_end", "due", "max_slots", "most_slots", "value", "max_moves", "capacity", "guard"}
MAY_BE_NONE |= {"carbon_limit_kg", "penalty_per_kwh"}

WRONG: list[tuple[str, Where, Any, str, str]] = [
    ("a negative power", ("jobs", 0, "options", 0, "power_kw", 1), -5, "jobs[0].options[0].power_kw[1]", "negative"),
    ("no duration", ("jobs", 0, "options", 0, "power_kw"), [], "jobs[0].options[0].power_kw", "at least one slot"),
    ("a negative setup", ("machines", 1, "setups", 0, "slots"), -1, "machines[1].setups[0].slots", "no setup"),
    ("an unknown machine", ("jobs", 1, "options", 0, "machine"), "pres", "jobs[1].options[0].machine", "'press'"),
    ("an unknown skill", ("jobs", 0, "needs", 0, "skill"), "castor", "jobs[0].needs[0].skill", "'caster'"),
    ("an unknown buffer", ("jobs", 0, "flows", 0, "buffer"), "return", "jobs[0].flows[0].buffer", "'returns'"),
    ("an unknown recipe", ("jobs", 4, "options", 0, "mode"), "aneal", "jobs[4].options[0].mode", "'anneal'"),
    ("an unknown resource", ("jobs", 0, "options", 0, "uses", 0, "resource"), "mould", "uses[0].resource", "'moulds'"),
    ("a peg to nobody", ("orders", 0, "pegs", 0, "job"), "part 3", "orders[0].pegs[0].job", "'part 2'"),
    ("a feeder of nothing", ("feeders", 0, "machines", 0), "furnce", "feeders[0].machines[0]", "'furnace'"),
    ("two of one id", ("machines", 1, "id"), "furnace", "machines[1]", "same id"),
    ("two jobs of one id", ("jobs", 7, "id"), "clean 1", "jobs[7]", "same id"),
    ("a window too short", ("jobs", 2, "must_end"), 1, "jobs[2].must_end", "window is 1 slots long"),
    ("a step of 7 min", ("step_minutes",), 7, "step_minutes", "does not divide the hour"),
    ("no horizon", ("slots",), 0, "slots", "no horizon"),
    ("a row too short", ("base_load_kw",), [200.0] * 7, "base_load_kw", "has 7 values"),
    ("a gap", ("import_price", 3), None, "import_price[3]", "not a number"),
    ("after itself", ("jobs", 2, "after"), [{"job": "hold"}], "jobs[2].after", "in a circle"),
    ("a circle", ("jobs", 0, "after"), [{"job": "pour"}], "jobs[0].after", "melt, pour"),
    ("no way up", ("machines", 0, "states", "transitions"), [], "machines[0].states.transitions", "no way"),
    (
        "a recipe of another length",
        ("machines", 3, "batch", "recipes", 0, "power_kw"),
        [9],
        "jobs[4].",
        "takes 1 slots",
    ),
    ("a store with no level", ("stores", 0, "least"), 95, "stores[0].least", "no level lies between"),
    ("a battery too full", ("battery", "start_kwh"), 300, "battery.start_kwh", "more than capacity_kwh"),
    ("a true for a number", ("import_limit_kw",), True, "import_limit_kw", "not a number"),
    ("a text for a number", ("battery", "charge_kw"), "100", "battery.charge_kw", "not a number"),
    ("a number for a text", ("orders", 0, "id"), 4711, "orders[0].id", "write it in quotes"),
    ("a number too large", ("jobs", 0, "as_is", "start"), 10**12, "jobs[0].as_is.start", "larger than anything"),
    ("a year for a time", ("start",), "2026", "start", "write it as in 2026-05-20T04:00:00Z"),
    ("a rule of no battery", ("battery", "rule"), "plan", "battery.rule", "'planned'"),
]


@pytest.mark.parametrize(("where", "wrong", "place", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_mistake_names_its_place_and_the_way_out(where: Where, wrong: Any, place: str, words: str) -> None:
    found = told(put(rich(), where, wrong))
    assert any(place in at and words in what for at, what in found.items()), found


def test_all_mistakes_at_once_whatever_their_kind() -> None:
    """A wrong type in one place does not hide an unknown name in another."""
    whole = rich()
    wrongs: dict[str, Callable[[Any], None]] = {
        "tiers[0].extra": lambda p: p["tiers"][0].update(extra=1),
        "import_price[2]": lambda p: p["import_price"].__setitem__(2, None),
        "pv_kw": lambda p: p["pv_kw"].pop(),
        "battery.capacity_kwh": lambda p: p["battery"].update(capacity_kwh="big"),
        "battery.reserves[0]": lambda p: p["battery"]["reserves"][0].update(end=1),
        "machines[2].capacity": lambda p: p["machines"][2].update(capacity=True),
        "jobs[1].needs[0].skill": lambda p: p["jobs"][1].update(needs=[{"skill": "smith"}]),
        "jobs[3].earliest": lambda p: p["jobs"][3].update(earliest=2.5),
        "orders[0].id": lambda p: p["orders"][0].update(id=4711),
        "shifts[0]": lambda p: p["shifts"][0].update(end=-1),
    }
    for change in wrongs.values():
        change(whole)
    assert set(told(whole)) == set(wrongs)


def test_where_the_frame_is_wrong_it_says_that_more_may_follow() -> None:
    found = told(put(put(rich(), ("slots",), "eight"), ("jobs", 1, "options", 0, "machine"), "pres"))
    assert set(found) == {"slots", "rest of the file"}


ODD = {
    "nothing": "",
    "a list": "[]",
    "a text": '"plant"',
    "cut off": '{"site": ',
    "without end": "[" * 100_000,
    "a number of many digits": '{"slots": ' + "9" * 5000 + "}",
    "half a letter": '{"site": "\\ud800"}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_is_no_problem_file_at_all_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(ProblemError) as error:
        problem_from_json(text)
    assert all(mistake.where and mistake.what for mistake in error.value.mistakes)


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "problem.json").write_text(json.dumps(rich()), encoding="utf-8-sig")
    assert read_problem(tmp_path / "problem.json") == problem_from_json(json.dumps(rich()))


def test_a_plan_that_starts_beyond_all_time_is_a_mistake() -> None:
    problem = problem_from_json(json.dumps(rich()))
    plan = json.loads(to_json(as_is(problem)))
    plan["placements"][1]["start"] = 10**20
    with pytest.raises(ProblemError, match=r"placements\[1\].start: 1e\+20 is no slot"):
        plan_from_json(json.dumps(plan))

"""The door and the box in their files: what may stand there, and every mistake with its place."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.api.commands import api
from energy.api.serve import doors_of, tokens_of
from energy.commands.run import refuse_weak_tokens
from energy.config import load_settings
from energy.config.doors import variable_of, weakness
from energy.config.edge import load_edge
from energy.errors import ConfigError, LoadstoneError
from energy.store import Store

PLANT = """
site: {id: p, name: P, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900}
tariff: {fixed_per_kwh: 0.2}
api: {boxes: [{name: hall-3}, {name: hall-4, token_env: FOUR}], gateways: [{name: logger, meters: [p-1]}]}
meters:
  - {id: grid, kind: edge, box: hall-3, role: settlement, measures: grid, connection_kw: 900}
  - {id: e-2, kind: edge, box: hall-4, connection_kw: 90}
  - {id: p-1, kind: push, connection_kw: 90}
"""
BOX = """
edge: {name: hall-3, centre: "https://energy.example/", token: "${LOADSTONE_EDGE_TOKEN}", max_gb: 0.5}
meters:
  - {id: grid, kind: modbus, profile: siemens-pac, host: 10.0.0.1, connection_kw: 900}
"""
TOKENS = {
    "LOADSTONE_TOKEN_HALL_3": "a1B2xyz-" * 5,
    "FOUR": "c3D4uvw_" * 5,
    "LOADSTONE_TOKEN_LOGGER": "e5F6rst." * 5,
}


def plant(folder: Path, text: str = PLANT) -> Path:
    (folder / "config.yaml").write_text(text)
    return folder / "config.yaml"


def box(folder: Path, text: str = BOX) -> Path:
    (folder / "edge.yaml").write_text(text)
    return folder / "edge.yaml"


def mistakes_of(call: object) -> dict[str, str]:
    with pytest.raises(ConfigError) as error:
        call()  # type: ignore[operator]
    return {m.where: m.what for m in error.value.mistakes}


def test_who_may_say_what(tmp_path: Path) -> None:
    settings = load_settings(plant(tmp_path), TOKENS)
    with Store.open("sqlite://", "p") as store:
        doors = doors_of(settings, store)
    assert doors.boxes == {"hall-3": {"grid"}, "hall-4": {"e-2"}}
    assert doors.gateways == {"logger": {"p-1"}}
    assert set(doors.judges) == {"p-1"}
    assert doors.tokens.name_of(f"Bearer {TOKENS['FOUR']}") == "hall-4"
    assert doors.tokens.name_of(f"bearer {TOKENS['FOUR']}") == "hall-4"
    assert doors.tokens.name_of("Bearer ") is None
    assert settings.api is not None and settings.api.address == "127.0.0.1"


def test_a_meter_behind_a_box_knows_where_its_counter_starts_again(tmp_path: Path) -> None:
    text = PLANT.replace("box: hall-4,", "box: hall-4, profile: eastron-sdm630,")
    behind = next(m.meter for m in load_settings(plant(tmp_path, text), TOKENS).meters if m.meter.id == "e-2")
    asked = BOX.replace("profile: siemens-pac", "profile: eastron-sdm630")
    (there,) = load_edge(box(tmp_path, asked), {"LOADSTONE_EDGE_TOKEN": TOKENS["FOUR"]}).meters
    assert behind.rollover_kwh == there.meter.rollover_kwh
    assert behind.profile == "eastron-sdm630"
    wrong = mistakes_of(lambda: load_settings(plant(tmp_path, text.replace("sdm630", "sdm631")), TOKENS))
    assert "eastron-sdm630" in str(wrong)


def test_nothing_opens_with_a_token_that_is_missing_known_or_shared(tmp_path: Path) -> None:
    same = TOKENS["FOUR"]
    settings = load_settings(plant(tmp_path), {"FOUR": same, "LOADSTONE_TOKEN_LOGGER": same})
    for check in (tokens_of, refuse_weak_tokens):
        found = mistakes_of(lambda check=check: check(settings))
        assert "LOADSTONE_TOKEN_HALL_3 is not set" in found["api.boxes[0]"]
        assert "the token of hall-4 again" in found["api.gateways[0]"]
        assert same not in str(found)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "easy to guess"),
        ("geheim", "easy to guess"),
        ("a" * 60, "easy to guess"),
        ("abababab" * 5, "easy to guess"),
        ("changeme" * 4, "known word"),
        ("PASSWORDpassword123456789", "known word"),
        ("zwölf boxkämpfer jagen viktor", "letters, digits"),
        ("a token with spaces 12345678", "letters, digits"),
    ],
)
def test_what_is_no_secret(token: str, why: str) -> None:
    assert why in weakness(token)


def test_a_made_token_is_good_and_never_the_same(tmp_path: Path) -> None:
    said = [CliRunner().invoke(api, ["token", "hall-3"]).output for _ in range(2)]
    made = [line.partition("=")[2] for out in said for line in out.splitlines() if "LOADSTONE_TOKEN_HALL_3=" in line]
    assert len(set(made)) == 2
    assert [weakness(token) for token in made] == ["", ""]
    assert variable_of("hall-3.west") == "LOADSTONE_TOKEN_HALL_3_WEST"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (("{name: hall-3}", "{name: hall-3, token: abc}"), "api.boxes[0].token", "unknown key"),
        (("box: hall-4", "box: hall-5"), "meters[1].box", "did you mean 'hall-4'"),
        (("meters: [p-1]", "meters: [e-2]"), "api.gateways[0].meters[0]", "kind: push"),
        (("name: logger", "name: hall-3"), "api", "hall-3 stands twice"),
        (("api: {", "api: {address: 0.0.0.0, "), "api", "for all to read"),
        (("api: {", "api: {certificate: a.pem, "), "api", "go together"),
        (("api: {", "api: {certificate: a.pem, key: b.pem, "), "api.key", "there is no file"),
        (("api: {", "api: {port: 8501, "), "api.port", "dashboard"),
    ],
)
def test_each_mistake_of_the_door_has_its_place(tmp_path: Path, change: tuple[str, str], where: str, what: str) -> None:
    found = mistakes_of(lambda: load_settings(plant(tmp_path, PLANT.replace(*change)), {}))
    assert what in found[where]


def test_without_the_section_there_is_no_door(tmp_path: Path) -> None:
    lines = [line for line in PLANT.splitlines() if not line.startswith("api") and "kind: " not in line]
    grid = "  - {id: grid, kind: file, path: grid.csv, role: settlement, measures: grid, connection_kw: 900}"
    settings = load_settings(plant(tmp_path, "\n".join([*lines, grid])), {})
    assert settings.api is None
    refuse_weak_tokens(settings)
    with pytest.raises(LoadstoneError, match="no door to open"):
        tokens_of(settings)


def test_a_box_needs_no_plant(tmp_path: Path) -> None:
    settings = load_edge(box(tmp_path), {"LOADSTONE_EDGE_TOKEN": TOKENS["FOUR"]})
    assert (settings.name, settings.centre, settings.max_bytes) == ("hall-3", "https://energy.example", 500_000_000)
    assert settings.buffer == tmp_path / "var" / "edge.sqlite"
    assert [m.meter.id for m in settings.meters] == ["grid"]
    assert settings.meters[0].meter.rollover_kwh is None or settings.meters[0].meter.rollover_kwh > 0
    assert TOKENS["FOUR"] not in repr(settings)


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (("https://energy.example/", "http://energy.example"), "edge", "for all to read; use https"),
        (("${LOADSTONE_EDGE_TOKEN}", "changeme"), "edge", "known word"),
        (("${LOADSTONE_EDGE_TOKEN}", "${NOBODY}"), "edge.token", "NOBODY is not set"),
        (
            ("kind: modbus, profile: siemens-pac, host: 10.0.0.1", "kind: edge, box: b"),
            "meters[0].kind",
            "for the centre",
        ),
        (("max_gb: 0.5", "max_gb: 0"), "edge.max_gb", "greater than 0"),
        (("max_gb", "maxgb"), "edge.maxgb", "did you mean 'max_gb'"),
        (("\nmeters:", "\ntariff: {fixed_per_kwh: 1}\nmeters:"), "tariff", "unknown section of an edge box"),
        (("edge: {", "box: {"), "edge", "is missing"),
    ],
)
def test_each_mistake_of_a_box_has_its_place(tmp_path: Path, change: tuple[str, str], where: str, what: str) -> None:
    environ = {"LOADSTONE_EDGE_TOKEN": TOKENS["FOUR"]}
    found = mistakes_of(lambda: load_edge(box(tmp_path, BOX.replace(*change)), environ))
    assert what in found[where], found
    assert TOKENS["FOUR"] not in str(found)


def test_a_box_without_its_file_is_told_where_one_stands(tmp_path):
    with pytest.raises(ConfigError, match=r"docs/how-to/edge-box\.md shows one"):
        load_edge(tmp_path / "edge.yaml", {})


def test_a_token_that_is_not_set_is_one_mistake_and_none_for_who_only_looks(tmp_path):
    with pytest.raises(ConfigError) as told:
        load_edge(box(tmp_path), {})
    assert [mistake.where for mistake in told.value.mistakes] == ["edge.token"]
    assert load_edge(box(tmp_path), {}, secrets=False).buffer == tmp_path / "var/edge.sqlite"

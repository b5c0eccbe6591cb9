import pytest

from meters.profile import ProfileError, load, names, parse
from meters.quantities import MAIN

GOOD = """
name: Acme 310
registers:
  power:        {at: 0x0034, type: float32, unit: W}
  total_import: {at: 0x0048, type: u32, unit: kWh, scale: 0.01}
"""


def test_all_built_in_profiles_load_and_say_where_they_are_from():
    assert len(names()) >= 50
    for name in names():
        profile = load(name)
        if name != "generic":
            assert profile.manual
            assert profile.sources
            assert set(MAIN) & set(profile.registers)
            assert "total_import" in profile.registers or "total_export" in profile.registers or profile.note


def test_a_profile_without_sources_of_its_own_says_so_by_its_name():
    assert [name for name in names() if not load(name).sources] == ["generic"]


def test_the_families():
    found = {load(name).family for name in names()}
    assert found == {"meter", "analyser", "inverter", "battery", "grid meter"}


@pytest.mark.parametrize("name", names())
def test_what_a_device_tells_of_itself_lies_on_the_wire(name):
    profile = load(name)
    for identify in profile.identify:
        code, place = profile.place_of(identify)
        assert code in (3, 4)
        assert 0 <= place.start < place.end <= 65536


def test_what_is_unsure_is_named():
    assert load("carlo-gavazzi-em24").unsure == ("apparent_power", "reactive_power")
    assert load("abb-b23").unsure == ()


def test_only_what_flows_has_a_direction():
    with pytest.raises(ProfileError, match=r"registers\.frequency\.positive: frequency has no direction"):
        parse("name: x\nregisters: {frequency: {at: 1, type: u16, unit: Hz, positive: export}}", "x")


def test_confidence_is_how_many_sources_agree():
    assert parse(GOOD, "x").confidence == "your own"
    assert parse(GOOD + "sources: [mbmd]", "x").confidence == "1 source: verify"
    assert parse(GOOD + "sources: [mbmd, OpenEMS]", "x").confidence == "2 sources"


def test_all_mistakes_at_once_each_with_its_path_and_the_nearest_known_key():
    text = """
name: Acme 310
function_code: 7
word_ordr: low first
not_available: {u16: 0xFFFF, u99: 1}
registers:
  powr:         {at: 1, type: f32, unit: W}
  total_import: {at: 0x48, type: f99, unit: kWh}
  total_export: {at: 0x48, type: f32, unit: W, skale: 0.1}
  frequency:    {at: 65535, type: u32, unit: Hz}
  voltage_l1:   {type: f32, unit: V}
"""
    with pytest.raises(ProfileError) as error:
        parse(text, "acme.yaml")
    said = {(mistake.where, mistake.what) for mistake in error.value.mistakes}
    found = {where for where, _ in said}
    assert found >= {
        "function_code",
        "word_ordr",
        "registers.powr",
        "registers.total_import.type",
        "registers.total_export.unit",
        "registers.total_export.skale",
        "registers.frequency.at",
        "registers.voltage_l1.at",
    }
    assert any(where.startswith("not_available.u99") for where in found)
    assert ("word_ordr", "no such key; did you mean 'word_order'?") in said
    assert ("registers.powr", "no quantity of that name; did you mean 'power'?") in said
    assert ("registers.total_export.skale", "no such key; did you mean 'scale'?") in said
    assert ("registers.total_export.unit", "'W' is no unit of total_export; possible: 'Wh', 'kWh', 'MWh'") in said


def test_what_is_no_yaml_and_what_is_no_profile():
    with pytest.raises(ProfileError, match="not YAML"):
        parse("a: [1, 2", "x")
    with pytest.raises(ProfileError, match="expected keys and values"):
        parse("- 1", "x")


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(ProfileError, match="did you mean 'eastron-sdm630'"):
        load("eastron-sdm63")


def test_a_profile_of_your_own_by_path(tmp_path):
    (tmp_path / "acme.yaml").write_text(GOOD)
    assert load("acme.yaml", tmp_path).name == "Acme 310"
    with pytest.raises(ProfileError, match="no such file"):
        load("other.yaml", tmp_path)


def test_addresses_counted_from_one():
    from meters.image import places

    profile = parse(GOOD + "address_base: 1", "x")
    assert next(places(profile, profile.registers["power"])).start == 0x33

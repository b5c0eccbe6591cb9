"""The first config: asked for or from a table, it loads as it is written."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.commands.first_config import Answers, PlantRow, text_of
from energy.commands.init import init
from energy.config import load_settings
from energy.errors import ImportFileError
from energy.model.meter import Measures, Role

TABLE = """\
type,id,name,group,rated_kw,idle_kw,connection_kw,machine,profile,host,port,unit
grid,grid,Grid connection,,,,1500,,siemens-pac,10.0.0.1,,
pv,roof,PV roof,,,,120,,abb-b23,10.0.0.2,,
machine,furnace-1,Furnace 1,furnaces,260,18,,,eastron-sdm630,10.0.0.3,503,4
machine,press-1,Press 1,presses,110,9,,,,,,
"""


def run(folder: Path, answers: list[str], *options: str):
    config = folder / "config.yaml"
    return config, CliRunner().invoke(init, ["--config", str(config), *options], input="\n".join([*answers, ""]))


def test_taking_every_suggestion_gives_a_config_that_loads(tmp_path):
    config, said = run(tmp_path, [""] * 40)
    assert said.exit_code == 0, said.output
    made = load_settings(config, {})
    assert (made.site.id, made.site.zone, made.site.currency) == ("plant-1", "Europe/Berlin", "EUR")
    assert [m.meter.role for m in made.meters] == [Role.SETTLEMENT]
    assert [machine.id for machine in made.site.machines] == ["machine-1"]
    assert [feed.kind for feed in made.feeds] == ["energy-charts"]
    assert "loadstone doctor" in said.output


def test_answers_arrive_and_impossible_ones_are_asked_again(tmp_path):
    answers = [
        "plant 2",
        "plant-2",
        'Plant: "2" #1',
        "Europe/Londn",
        "Europe/London",
        "GB-XX",
        "GB",
        "gbp",
        "-1",
        "800",
    ]
    answers += ["0", "120,5", "200", "100", "3", "n", "0.21", "0.03", "45", "month", "n", "y", "kiln", "90", "n"]
    config, said = run(tmp_path, answers)
    assert said.exit_code == 0, said.output
    made = load_settings(config, {})
    assert (made.site.id, made.site.name, made.site.zone) == ("plant-2", 'Plant: "2" #1', "Europe/London")
    assert (made.site.currency, made.site.import_limit_kw, made.site.pv_peak_kw) == ("GBP", 800, 120.5)
    assert made.site.battery is not None
    assert (made.site.battery.capacity_kwh, made.site.battery.charge_kw) == (200, 100)
    assert [shift.crew for shift in made.calendar.shifts] == ["early", "late", "night"]
    assert (made.tariff.fixed_per_kwh, made.tariff.demand[0].per_kw, made.tariff.demand[0].period) == (
        0.21,
        45,
        "month",
    )
    assert [feed.kind for feed in made.feeds] == ["carbon-intensity-gb"]
    assert [machine.id for machine in made.site.machines] == ["kiln"]
    assert "no time zone 'Europe/Londn'" in said.output


def test_a_table_of_machines_and_meters(tmp_path):
    (tmp_path / "machines.csv").write_text(TABLE)
    config, said = run(tmp_path, [""] * 30, "--from", str(tmp_path / "machines.csv"))
    assert said.exit_code == 0, said.output
    made = load_settings(config, {})
    assert [(m.id, m.group, m.rated_kw) for m in made.site.machines] == [
        ("furnace-1", "furnaces", 260),
        ("press-1", "presses", 110),
    ]
    assert [(m.meter.id, m.meter.measures, m.meter.machine) for m in made.meters] == [
        ("grid", Measures.GRID, None),
        ("roof", Measures.PV, None),
        ("m-furnace-1", Measures.MACHINE, "furnace-1"),
    ]
    assert (made.meters[2].options.port, made.meters[2].options.unit) == (503, 4)


def test_a_bad_table_is_all_its_mistakes(tmp_path):
    (tmp_path / "m.csv").write_text("type,id,rated_kw,host\nmachin,a,much,\npv,,,10.0.0.1\n")
    config, said = run(tmp_path, [""] * 30, "--from", str(tmp_path / "m.csv"))
    assert isinstance(said.exception, ImportFileError)
    assert [str(m) for m in said.exception.mistakes] == [
        "line 2, column type: 'machin' is neither a machine nor a meter; did you mean 'machine'?",
        "line 2, column rated_kw: 'much' is not a number",
        "line 3, column id: is empty",
        "line 3, column connection_kw: is empty: say what the connection of this meter can carry, kW",
    ]
    assert not config.exists()


def test_what_still_needs_a_hand_is_said(tmp_path):
    (tmp_path / "m.csv").write_text(TABLE.replace("siemens-pac", "simens-pac"))
    config, said = run(tmp_path, [""] * 30, "--from", str(tmp_path / "m.csv"))
    assert said.exit_code == 1
    assert "needs your hand" in said.output
    assert "meters[0].profile" in said.output
    assert config.exists()


def test_a_config_that_is_there_is_not_lost(tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    config, said = run(tmp_path, [""] * 40)
    assert said.exit_code == 1
    assert config.read_text() == "mine"
    config, said = run(tmp_path, [""] * 40, "--force")
    assert said.exit_code == 0
    assert (tmp_path / "config.yaml.old").read_text() == "mine"


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=20)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(name=names, group=names, id=ids, machine=ids, country=st.sampled_from(["", "NO", "DE-BW"]))
def test_any_name_survives_the_way_through_yaml(tmp_path_factory, name, group, id, machine, country):
    row = PlantRow(type="machine", id=machine, name=name, group=group, rated_kw=10)
    path = tmp_path_factory.mktemp("first") / "config.yaml"
    path.write_text(text_of(Answers(id=id, name=name, country=country, rows=[row])), encoding="utf-8")
    made = load_settings(path, {}).site
    assert (made.id, made.name, made.country) == (id, name or id, country)
    assert (made.machines[0].id, made.machines[0].name, made.machines[0].group) == (
        machine,
        name or machine,
        group or machine,
    )


@pytest.mark.parametrize("market", ["DE-LU", ""])
def test_without_meters_or_machines_it_loads_too(tmp_path, market):
    (tmp_path / "config.yaml").write_text(text_of(Answers(market_zone=market)))
    made = load_settings(tmp_path / "config.yaml", {})
    assert (made.meters, made.site.machines, made.tariff.fixed_per_kwh) == ((), (), None if market else 0.15)

"""A meter is kept beside config.yaml, the running collector takes it up by itself, and it goes as it came."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
import yaml

from energy.build import build_service
from energy.config import load_settings
from energy.errors import ConfigError
from tests.meters.scan.test_wire import served
from tests.meters.wire import free_port, settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The repository's plant with its grid meter alone, on a port where nobody answers."""
    said = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    said["meters"] = [{**said["meters"][0], "port": free_port()}]
    said["twin"] = None
    said.pop("twin")
    said["store"] = {"url": "sqlite:///plant.db"}
    path = tmp_path / "config.yaml"
    path.write_text("# the integrator's own words\n" + yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return path


def entry(port: int, id: str = "m-new", **more: object) -> dict[str, object]:
    return {
        "id": id,
        "name": "New one",
        "kind": "modbus",
        "profile": "eastron-sdm630",
        "host": "127.0.0.1",
        "port": port,
        "unit": 1,
        "role": "sub",
        "measures": "machine",
        "machine": "furnace-1",
        "connection_kw": 350.0,
        "poll_seconds": 0.5,
        **more,
    }


def test_keeping_writes_a_file_a_meter_and_a_line_in_the_journal(config):
    before = config.read_text(encoding="utf-8")
    service = build_service(config, {})
    done = service.keep_meter(entry(1502), "Ines", "energy manager")
    assert done.ok, done.text
    assert config.read_text(encoding="utf-8") == before
    kept = (config.parent / "meters.d" / "m-new.yaml").read_text(encoding="utf-8")
    assert kept.startswith("# Kept from Loadstone on ") and "by Ines" in kept
    assert [m.meter.id for m in load_settings(config, {}).meters] == ["grid", "m-new"]
    assert [m.id for m in service.house.store.meters()] == ["grid", "m-new"]
    assert service.kept_meters() == ("m-new",)
    line = service.house.store.journal.read()[0]
    assert (line.who, line.role, line.what, line.subject) == ("Ines", "energy manager", "added a meter", "m-new")
    assert service.drop_meter("m-new", "Ines", "energy manager").ok
    assert [m.meter.id for m in load_settings(config, {}).meters] == ["grid"]
    assert [m.id for m in service.house.store.meters()] == ["grid"]
    assert not list((config.parent / "meters.d").iterdir())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"id": "grid"}, "is the id of meters[0] already"),
        ({"id": "../x"}, "letters, digits"),
        ({"machine": "nowhere"}, "no machine 'nowhere'"),
        ({"connection_kw": -1}, "connection_kw"),
        ({"role": "settlement", "measures": "grid", "machine": None}, "settlement meter of the grid already"),
        ({"colour": "blue"}, "unknown key"),
        ({"name": "press ${LOADSTONE_TOKEN_HALL_3}"}, "names a variable of the environment"),
        ({"host": "${LOADSTONE_TOKEN_HALL_3}.example"}, "names a variable of the environment"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(config, more, said):
    service = build_service(config, {"LOADSTONE_TOKEN_HALL_3": "of nobody's business"})
    done = service.keep_meter({k: v for k, v in entry(1502, **more).items() if v is not None}, "Ines", "planner")
    assert not done.ok and said in done.text
    assert not list((config.parent / "meters.d").glob("*"))
    assert [m.id for m in service.house.store.meters()] == ["grid"]


def test_a_mistake_in_a_kept_file_is_told_with_its_file_and_line(config):
    (config.parent / "meters.d").mkdir()
    text = yaml.safe_dump(entry(1502, unit=300), sort_keys=False)
    (config.parent / "meters.d" / "m-new.yaml").write_text(text, encoding="utf-8")
    (config.parent / "meters.d" / "other.yaml").write_text("- not one meter\n", encoding="utf-8")
    with pytest.raises(ConfigError) as wrong:
        load_settings(config, {})
    told = {mistake.where: mistake.what for mistake in wrong.value.mistakes}
    line = text.splitlines().index("unit: 300") + 1
    assert f"(line {line})" in told["meters.d/m-new.yaml: unit"]
    assert "should be the keys of one meter" in told["meters.d/other.yaml"]


def test_a_meter_on_which_another_rests_stays(config):
    service = build_service(config, {})
    assert service.keep_meter(entry(1502), "Ines", "planner").ok
    below = entry(1503, id="m-below", above="m-new")
    assert service.keep_meter(below, "Ines", "planner").ok
    done = service.drop_meter("m-new", "Ines", "planner")
    assert not done.ok and "m-new" in done.text
    assert service.kept_meters() == ("m-below", "m-new")
    done = service.drop_meter("grid", "Ines", "planner")
    assert not done.ok and "config.yaml" in done.text


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until = monotonic() + seconds
    while not condition():
        assert monotonic() < until, "it never came"
        sleep(0.2)


def test_the_running_collector_takes_it_up_and_lets_it_go(config):
    """`loadstone collect` goes on in the same process; nobody restarts it."""
    port = free_port()
    with served(settings(port)):
        command = [sys.executable, "-u", "-m", "energy.cli", "collect", "--config", str(config)]
        log = config.parent / "collect.log"
        with log.open("w") as out:
            child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})
        try:
            eventually(lambda: "collecting from 1 meters" in log.read_text())
            service = build_service(config, {})
            assert service.keep_meter(entry(port), "Ines", "energy manager").ok
            eventually(lambda: "m-new" in service.house.store.readings.last_good())
            assert service.drop_meter("m-new", "Ines", "energy manager").ok
            eventually(lambda: len(re.findall("collecting from 1 meters", log.read_text())) == 2)
            assert child.poll() is None
        finally:
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0
    assert log.read_text().count("0 lost") == 3

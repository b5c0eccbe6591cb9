"""A wrong config says all that is wrong, at once, by path and line, with the way out."""

from pathlib import Path

import pytest

from energy.config import load_settings
from energy.errors import ConfigError, LoadstoneError

ROOT = Path(__file__).parent.parent.parent
SMALL = """\
site: {id: p, zone: Europe/Berlin, currency: EUR, import_limit_kw: 500, machines: [{id: oven}, {id: press}]}
tariff: {fixed_per_kwh: 0.2}
"""


def said(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """The mistakes of a config as (where, what)."""
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / "config.yaml", environ or {})
    return [(mistake.where, mistake.what) for mistake in caught.value.mistakes]


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None):
    (tmp_path / "config.yaml").write_text(text)
    return load_settings(tmp_path / "config.yaml", environ or {})


def test_the_smallest_config_has_sensible_defaults(tmp_path):
    settings = loaded(tmp_path, SMALL)
    assert (settings.optimizer.kind, settings.optimizer.seconds) == ("milp", 20.0)
    assert (settings.dashboard.address, settings.dashboard.port) == ("127.0.0.1", 8501)
    assert {kind.kind for kind in settings.forecasters.values()} == {"combined"}
    assert (settings.twin, settings.orders, settings.meters) == (None, None, ())
    assert settings.store.url == f"sqlite:///{tmp_path}/var/loadstone.sqlite"


def test_all_mistakes_at_once_in_the_order_of_the_file(tmp_path):
    text = """\
site:
  id: p
  zone: Europe/Berln
  currency: EUR
  import_limit_kw: -5
  batery: {}
  machines:
    - {id: oven, rated_kw: 10, idle_kw: 20}
    - {id: press}
    - {id: press}
calendar:
  shifts:
    - {crew: early, weekdays: [mon, tusday], start: "6:00", end: "25:00", people: {oven: 1}}
  openings:
    - {crew: erly, start: 2026-05-23 06:00, end: 2026-05-23 12:00}
  closures:
    - {machine: pres, weekday: wed, start: "13:00", end: "16:00"}
    - {machine: press, start: 2026-05-23 12:00, end: 2026-05-23 06:00}
  offers: {opens: "16:00", closes: "15:00"}
tariff:
  market: day_ahead
  fixed_per_kwh: 0.2
  demand:
    - {name: peak, per_kw: 100, period: yearly}
    - {name: window, per_kw: 1, period: year, windows: [{months: [13], start: "20:00", end: "06:00"}]}
meters:
  - {id: grid, kind: modbsu, role: settlement, measures: grid, connection_kw: 500}
  - {id: m1, kind: modbus, profile: siemens-pac, host: 10.0.0.1, port: 502, connection_kw: 50, measures: machine}
  - {id: m1, kind: modbus, profile: siemens-pac, host: 10.0.0.1, port: 502, hots: x, machine: lathe}
feeds:
  - {kind: energy-charts, zone: DE-LX}
  - {zone: AT}
forecasters: {base_laod: naive, pv: prophet9}
optimiser: {kind: milp}
"""
    assert said(tmp_path, text) == [
        ("site.zone", "no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'? (line 3)"),
        ("site.import_limit_kw", "should be greater than 0, not -5 (line 5)"),
        ("site.batery", "unknown key; did you mean 'battery'? (line 6)"),
        ("site.machines[0]", "idle_kw 20 is more than rated_kw 10 (line 8)"),
        ("site.machines[2].id", "'press' is the id of site.machines[1] already; ids are unique (line 10)"),
        ("calendar.shifts[0].weekdays[1]", "'tusday' is not a weekday; did you mean 'tuesday'? (line 13)"),
        ("calendar.shifts[0].end", "'25:00' is not a time of day; write it as HH:MM (line 13)"),
        ("calendar.openings[0].crew", "no crew 'erly'; did you mean 'early'? (line 15)"),
        ("calendar.closures[0].machine", "no machine 'pres'; did you mean 'press'? (line 17)"),
        ("calendar.closures[1]", "ends 2026-05-23 06:00, not after it starts 2026-05-23 12:00 (line 18)"),
        ("calendar.offers", "opens 16:00 is not before closes 15:00 (line 19)"),
        ("tariff.demand[0].period", "cannot be 'yearly'; did you mean 'year'? (line 24)"),
        ("tariff.demand[1].windows[0].months[0]", "should be less than or equal to 12, not 13 (line 25)"),
        ("meters[0].kind", "no kind 'modbsu'; did you mean 'modbus'? (line 27)"),
        ("meters[1]", "measures a machine; say which: `machine: …` (line 28)"),
        ("meters[2].hots", "unknown key; did you mean 'host'? (line 29)"),
        ("meters[2].connection_kw", "is missing (line 29)"),
        ("meters[2].machine", "no machine 'lathe'; known: oven, press (line 29)"),
        ("meters[2].id", "'m1' is the id of meters[1] already; ids are unique (line 29)"),
        ("meters[2].port", "10.0.0.1 port 502 unit 1 is meters[1] already (line 29)"),
        ("feeds[0].zone", "cannot be 'DE-LX'; did you mean 'DE-LU'? (line 31)"),
        (
            "feeds[1]",
            "say which kind: `kind: …`, one of carbon-intensity-gb, energy-charts, file, open-meteo, simulated (line 32)",
        ),
        ("forecasters.base_laod", "no such target; did you mean 'base_load'? (line 33)"),
        ("forecasters.pv.kind", "no kind 'prophet9'; did you mean 'prophet'? (line 33)"),
        ("optimiser", "unknown section; did you mean 'optimizer'? (line 34)"),
    ]


SERIAL = "kind: modbus, profile: siemens-pac, transport: serial, device: /dev/x, connection_kw: 1"


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        (
            "meters: [{id: a, kind: modbus, profile: siemens-pac, host: h, connection_kw: 1}]",
            "meters",
            "none has `role: settlement` and `measures: grid`",
        ),
        (
            f"meters: [{{id: a, unit: 2, {SERIAL}, role: settlement, measures: grid}}, {{id: b, unit: 2, {SERIAL}}}]",
            "meters[1].device",
            "/dev/x unit 2 is meters[0] already",
        ),
        (
            f"meters: [{{id: a, baudrate: 9600, {SERIAL}, role: settlement, measures: grid}}, {{id: b, unit: 2, {SERIAL}}}]",
            "meters[1].baudrate",
            "differs from that of meters[0] on the same line; /dev/x has one",
        ),
        ("meters: {id: a}", "meters", "should be a list"),
        ("feeds: {kind: file}", "feeds", "should be a list"),
        ("store: {url: mysql://x}", "store.url", "should match pattern"),
        ("store: {raw_gb: .inf}", "store.raw_gb", "should be a valid number"),
        ("dashboard: {port: 99999}", "dashboard.port", "should be less than or equal to 65535"),
        ("dashboard: {prot: 80}", "dashboard.prot", "unknown key; did you mean 'port'?"),
        ("network: {proxy: proxy:8080}", "network.proxy", "should match pattern"),
        ("network: {ca_bundle: nowhere.pem}", "network.ca_bundle", "there is no file"),
        ("network: {ca_bundle: 5}", "network.ca_bundle", "there is no file"),
        ("optimizer: {gap: 2}", "optimizer.gap", "should be less than 1"),
        ("optimizer: {kind: milp, secnds: 2}", "optimizer.secnds", "unknown key; did you mean 'seconds'?"),
        ("schedule: x", "schedule", "should be a valid dictionary"),
        ("twin: {seed: -1}", "twin.seed", "should be greater than or equal to 0"),
        ("savings: {settle_after_hours: true}", "savings.settle_after_hours", "should not be true"),
    ],
)
def test_one_mistake_each(tmp_path, line, where, what):
    found = said(tmp_path, f"{SMALL}{line}\n")
    assert [place for place, _ in found] == [where]
    assert what in found[0][1]
    assert "(line 3)" in found[0][1]


def test_needed_sections_are_named(tmp_path):
    assert said(tmp_path, "store: {}\n") == [("site", "the section is missing"), ("tariff", "the section is missing")]


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ("country: DE-XX", "site.country", "no public holidays known for 'DE-XX'; known parts: BB, "),
        ("battery: {capacity_kwh: 1, charge_kw: 1, discharge_kw: 1, min_kwh: 2}", "site.battery", "leaves nothing of"),
        ("latitude: 91", "site.latitude", "less than or equal to 90"),
        ("step_minutes: 7", "site.step_minutes", "should be 5, 10, 15, 30 or 60, not 7"),
    ],
)
def test_one_mistake_in_the_site(tmp_path, change, where, what):
    ((place, text),) = said(tmp_path, SMALL.replace("currency: EUR", f"currency: EUR, {change}"))
    assert place == where
    assert what in text


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("site: {id: p\ntariff: {}\n", "line 2, column 7", "not readable as YAML"),
        ("site:\n\tid: p\n", "line 2, column 1", "not readable as YAML"),
        ("site: \x07\n", "text", "not readable as YAML"),
        ("- a\n- b\n", "file", "should be sections"),
        ("just words\n", "file", "should be sections"),
        ("site: &a {b: *a}\n", "site.b", "an alias that holds itself"),
    ],
)
def test_what_is_not_yaml_names_the_line(tmp_path, text, where, what):
    found = dict(said(tmp_path, text))
    assert what in found[where]


def test_a_key_that_stands_twice_is_a_mistake(tmp_path):
    found = said(tmp_path, f"{SMALL}store: {{}}\nstore: {{raw_days: 3}}\n")
    assert found == [("store", "stands twice, on lines 3 and 4; keep one of them")]


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="loadstone init"):
        load_settings(tmp_path / "none.yaml", {})


NOTIFY = (
    SMALL + "notifiers: [{kind: email, host: mail, to: [a@b], user: u, password: '${MAIL_PASSWORD}', port: '${P}'}]\n"
)


def test_secrets_come_from_the_environment_and_are_not_shown(tmp_path):
    settings = loaded(tmp_path, NOTIFY, {"MAIL_PASSWORD": "hunter2", "P": "2525"})
    options = settings.notifiers[0].options
    assert (options.password.get_secret_value(), options.port) == ("hunter2", 2525)
    assert "hunter2" not in repr(settings)


def test_a_missing_secret_is_named_and_explains_all_else_about_its_place(tmp_path):
    assert said(tmp_path, NOTIFY) == [
        (
            "notifiers[0].password",
            "the environment variable MAIL_PASSWORD is not set; set it where Loadstone is started",
        ),
        ("notifiers[0].port", "the environment variable P is not set; set it where Loadstone is started"),
    ]


def test_a_wrong_secret_is_not_shown(tmp_path):
    ((where, what),) = said(tmp_path, NOTIFY, {"MAIL_PASSWORD": "x", "P": "hunter2"})
    assert where == "notifiers[0].port"
    assert "hunter2" not in what


def test_yaml_is_read_as_people_mean_it(tmp_path):
    text = """\
site: {id: 007, zone: Europe/Oslo, currency: NOK, country: NO, import_limit_kw: 1e3, machines: [{id: on}]}
tariff: {fixed_per_kwh: .5}
calendar:
  shifts: [{crew: late, weekdays: fri, start: 14:00, end: 22:00, people: {}}]
dashboard: {call: {shift lead: 4411}}
"""
    settings = loaded(tmp_path, text)
    assert (settings.site.country, settings.site.import_limit_kw, settings.site.id) == ("NO", 1000.0, "7")
    assert settings.site.machines[0].id == "on"
    shift = settings.calendar.shifts[0]
    assert (shift.weekdays, shift.start.hour, shift.end.hour) == ((4,), 14, 22)
    assert settings.dashboard.call == {"shift lead": "4411"}


def test_merged_mappings_may_be_overridden(tmp_path):
    text = SMALL + "x: 1\n"
    assert said(tmp_path, text)[0][0] == "x"
    text = """\
site:
  id: p
  zone: UTC
  currency: EUR
  import_limit_kw: 5
  machines:
    - &oven {id: a, group: ovens, rated_kw: 100}
    - {<<: *oven, id: b}
tariff: {fixed_per_kwh: 1}
"""
    machines = loaded(tmp_path, text).site.machines
    assert [(m.id, m.group, m.rated_kw) for m in machines] == [("a", "ovens", 100.0), ("b", "ovens", 100.0)]


def test_a_saved_clock_that_is_not_there_says_what_to_do(tmp_path):
    settings = loaded(tmp_path, f"{SMALL}schedule: {{clock: var/clock.json}}\n")
    with pytest.raises(LoadstoneError, match="loadstone demo"):
        settings.clock()


def test_the_repositorys_config_says_so_when_a_meter_meets_the_dashboard(tmp_path):
    text = (ROOT / "config.yaml").read_text().replace("port: 15021", "port: 8501")
    ((where, what),) = said(tmp_path, text)
    assert where == "dashboard.port"
    assert "port 8501 of this machine is taken by meters[0]" in what


def test_a_tree_of_meters_that_cannot_be(tmp_path):
    text = (
        SMALL
        + """\
meters:
  - {id: grid, kind: file, path: grid.csv, role: settlement, measures: grid, connection_kw: 500, above: hall}
  - {id: hall, kind: modbus, profile: siemens-pac, host: 10.0.0.2, connection_kw: 50, above: grid}
  - {id: press, kind: modbus, profile: siemens-pac, host: 10.0.0.3, connection_kw: 50, above: hal, role: virtual}
  - {id: a, kind: virtual, connection_kw: 50, parts: {b: 1, grid: -1}}
  - {id: b, kind: virtual, connection_kw: 50, parts: [a, pres]}
"""
    )
    assert said(tmp_path, text) == [
        ("meters[0].above", "grid hangs below itself (line 4)"),
        ("meters[1].above", "hall hangs below itself (line 5)"),
        ("meters[2].above", "no meter 'hal'; did you mean 'hall'? (line 6)"),
        ("meters[2].role", "a virtual meter has `kind: virtual` and the `parts` that it is made of (line 6)"),
        ("meters[3].parts", "a is made of itself (line 7)"),
        ("meters[4].parts", "no meter 'pres'; did you mean 'press'? (line 8)"),
        ("meters[4].parts", "b is made of itself (line 8)"),
    ]


def test_a_virtual_meter_has_parts_and_its_role(tmp_path):
    text = (
        SMALL
        + """\
meters:
  - {id: grid, kind: modbus, profile: siemens-pac, host: 10.0.0.1, role: settlement, measures: grid, connection_kw: 500}
  - {id: press, kind: modbus, profile: siemens-pac, host: 10.0.0.3, connection_kw: 50, above: grid}
  - {id: rest, kind: virtual, connection_kw: 50, parts: {grid: 1, press: -1}}
"""
    )
    settings = loaded(tmp_path, text)
    rest = settings.meters[2].meter
    assert (rest.role, [(part.meter, part.factor) for part in rest.parts]) == (
        "virtual",
        [("grid", 1.0), ("press", -1.0)],
    )
    assert settings.meters[1].meter.above == "grid"


AT_ONE = [
    ("kind: mqtt, host: broker, port: 8883, topic: {id}, quantities: {{power: {{path: p, unit: kW}}}}", True),
    ("kind: mtconnect, url: 'http://h:5000', device: Mill, quantities: {{power: {{id: {id}}}}}", True),
    ("kind: modbus, host: inverter, port: 502, profile: {profile}", True),  # what is behind it answers as the same unit
    ("kind: modbus, host: inverter, profile: huawei-sun2000", False),
]


@pytest.mark.parametrize(("how", "fine"), AT_ONE)
def test_only_the_same_unit_read_twice_is_a_mistake(tmp_path, how, fine):
    grid = how.format(id="grid", profile="huawei-sun2000-meter")
    roof = how.format(id="roof", profile="huawei-sun2000")
    (tmp_path / "config.yaml").write_text(
        "site: {id: p, name: P, zone: Europe/Berlin, currency: EUR, import_limit_kw: 500}\n"
        "tariff: {fixed_per_kwh: 0.2}\n"
        "meters:\n"
        f"  - {{id: grid, {grid}, role: settlement, measures: grid, connection_kw: 500}}\n"
        f"  - {{id: roof, {roof}, measures: pv, connection_kw: 50}}\n"
    )
    if fine:
        assert len(load_settings(tmp_path / "config.yaml").meters) == 2
        return
    with pytest.raises(ConfigError) as told:
        load_settings(tmp_path / "config.yaml")
    assert [(one.where, one.what) for one in told.value.mistakes] == [
        ("meters[1].host", "inverter port 502 unit 1 is meters[0] already (line 5)")
    ]

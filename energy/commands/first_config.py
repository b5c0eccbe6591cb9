"""The first config.yaml of a plant: what was answered, a table of machines and meters, and the text made from them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from energy.errors import ImportFileError, Mistake
from energy.exchange.cells import number, whole
from energy.exchange.rows import RowReader
from energy.exchange.table import Column, read_table
from energy.plugins import nearest

TYPES = ("machine", "grid", "pv", "battery", "other")
COLUMNS = (
    Column(name="type", aliases=("typ", "art")),
    Column(name="id", aliases=("machine_id", "nr", "nummer"), needed=True),
    Column(name="name", aliases=("bezeichnung", "machine_name")),
    Column(name="group", aliases=("gruppe",)),
    Column(name="rated_kw", aliases=("nennleistung", "power_kw", "leistung"), number=True),
    Column(name="idle_kw", aliases=("leerlauf", "standby_kw"), number=True),
    Column(name="connection_kw", aliases=("anschlussleistung",), number=True),
    Column(name="machine", aliases=("maschine",)),
    Column(name="profile", aliases=("meter", "zähler", "zaehler", "model", "modell")),
    Column(name="host", aliases=("address", "adresse", "ip")),
    Column(name="port", number=True),
    Column(name="unit", aliases=("unit_id", "slave"), number=True),
)
FEW_CREWS = {
    1: [("day", "07:00", "15:30", "mon, tue, wed, thu, fri")],
    2: [("early", "06:00", "14:00", "mon, tue, wed, thu, fri"), ("late", "14:00", "22:00", "mon, tue, wed, thu, fri")],
    3: [
        ("early", "06:00", "14:00", "mon, tue, wed, thu, fri"),
        ("late", "14:00", "22:00", "mon, tue, wed, thu, fri"),
        ("night", "22:00", "06:00", "mon, tue, wed, thu"),
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantRow:
    """A machine (with the address of its meter, where it has one), or a meter of something else."""

    type: str
    id: str
    name: str = ""
    group: str = ""
    rated_kw: float = 0.0
    idle_kw: float = 0.0
    connection_kw: float | None = None
    machine: str = ""
    profile: str = ""
    host: str = ""
    port: int = 502
    unit: int = 1


@dataclass(slots=True, kw_only=True)
class Answers:
    """What was answered so far; what was not asked keeps what is likely."""

    id: str = "plant-1"
    name: str = ""
    zone: str = "Europe/Berlin"
    country: str = "DE"
    currency: str = "EUR"
    import_limit_kw: float = 1000.0
    export_limit_kw: float = 0.0
    pv_peak_kw: float = 0.0
    battery_kwh: float = 0.0
    battery_kw: float = 0.0
    crews: int = 2
    market_zone: str = "DE-LU"  # empty: a fixed price
    fixed_per_kwh: float = 0.15
    fees_per_kwh: float = 0.05
    demand_per_kw: float = 0.0
    demand_period: str = "year"
    rows: Sequence[PlantRow] = field(default_factory=tuple)


def read_table_of_plant(path: Path) -> tuple[PlantRow, ...]:
    """The machines and meters of a table. ImportFileError lists every cell that cannot be read."""
    table = read_table(path, COLUMNS)
    bad: list[Mistake] = []
    rows = []
    for row in table.rows:
        reader = RowReader(row, "UTC", table.decimal_comma, None, [])
        rows.append(_row(reader))
        bad += reader.bad
    if bad:
        raise ImportFileError(path.name, bad)
    return tuple(row for row in rows if row is not None)


def _row(read: RowReader) -> PlantRow | None:
    comma = read.decimal_comma
    type = read.value("type", _type, default="machine")
    id = read.value("id", str, needed=True)
    rated = read.value("rated_kw", lambda text: number(text, comma), default=0.0)
    idle = read.value("idle_kw", lambda text: number(text, comma), default=0.0)
    connection = read.value("connection_kw", lambda text: number(text, comma))
    port = read.value("port", lambda text: whole(text, comma), default=502)
    unit = read.value("unit", lambda text: whole(text, comma), default=1)
    host = read.text("host")
    if host and connection is None and not rated:
        read.wrong("connection_kw", "is empty: say what the connection of this meter can carry, kW")
    if read.bad or type is None or id is None:
        return None
    return PlantRow(
        type=type,
        id=id,
        name=read.text("name"),
        group=read.text("group"),
        rated_kw=rated or 0.0,
        idle_kw=idle or 0.0,
        connection_kw=connection,
        machine=read.text("machine"),
        profile=read.text("profile"),
        host=host,
        port=502 if port is None else port,
        unit=1 if unit is None else unit,
    )


def _type(text: str) -> str:
    word = text.strip().lower()
    if word not in TYPES:
        raise ValueError(f"{text!r} is neither a machine nor a meter{nearest(word, list(TYPES))}")
    return word


def text_of(answers: Answers) -> str:
    """The config, commented, with the defaults that a reader may want to change written out."""
    return "\n".join(
        [
            "# Written by `loadstone init`. docs/config.md lists every key; `loadstone doctor` checks the rest.",
            "# Powers are kW, energies kWh, times the plant's wall time. Secrets come from the environment: ${NAME}.",
            "",
            *_site(answers),
            "",
            *_calendar(answers),
            "",
            *_tariff(answers),
            "",
            "store:",
            "  url: sqlite:///var/loadstone.sqlite",
            "",
            *_meters(answers),
            "",
            "orders:",
            "  kind: file                  # production orders as CSV or XLSX: docs/orders.md",
            "  jobs: var/orders/jobs.csv",
            "  runs: var/orders/runs.csv",
            "",
            *_feeds(answers),
            "",
            "forecasters:",
            "  base_load: combined",
            "  price: combined",
            "  pv: combined",
            "  carbon: combined",
            "",
            "optimizer:",
            "  kind: milp",
            "  seconds: 20",
            "",
            "programs:",
            "  - {kind: manual}",
            "",
            "dispatchers:",
            "  - {kind: file, folder: var/dispatch}",
            "",
            "dashboard:",
            "  address: 127.0.0.1",
            "  port: 8501",
            "",
        ]
    )


def _site(answers: Answers) -> list[str]:
    lines = [
        "site:",
        f"  id: {_quoted(answers.id)}",
        f"  name: {_quoted(answers.name or answers.id)}",
        f"  zone: {answers.zone}",
        f"  country: {_quoted(answers.country)}           # for public holidays",
        f"  currency: {answers.currency}",
        f"  import_limit_kw: {answers.import_limit_kw:g}   # the grid connection as contracted",
        f"  export_limit_kw: {answers.export_limit_kw:g}",
        f"  pv_peak_kw: {answers.pv_peak_kw:g}",
    ]
    if answers.battery_kwh:
        lines += [
            "  battery:",
            f"    capacity_kwh: {answers.battery_kwh:g}",
            f"    charge_kw: {answers.battery_kw:g}",
            f"    discharge_kw: {answers.battery_kw:g}",
            "    rule: self_consumption    # the plant's own controller; `planned`: Loadstone steers it",
        ]
    machines = [row for row in answers.rows if row.type == "machine"]
    return [*lines, "  machines:" if machines else "  machines: []", *(f"    - {_machine(row)}" for row in machines)]


def _machine(row: PlantRow) -> str:
    return _flow(id=row.id, name=row.name, group=row.group, rated_kw=row.rated_kw or None, idle_kw=row.idle_kw or None)


def _calendar(answers: Answers) -> list[str]:
    crews = FEW_CREWS[answers.crews]
    return [
        "calendar:",
        "  shifts:                     # people is skill: how many; jobs ask for skills",
        *(
            f'    - {{crew: {crew}, weekdays: [{days}], start: "{start}", end: "{end}", people: {{operator: 2}}}}'
            for crew, start, end, days in crews
        ),
        "  offers:",
        '    closes: "15:00"           # the plan for the next day is fixed',
        f"    least_gain: 15            # {answers.currency}; below it a bundle is not worth a question",
    ]


def _tariff(answers: Answers) -> list[str]:
    price = "market: day_ahead" if answers.market_zone else f"fixed_per_kwh: {answers.fixed_per_kwh:g}"
    lines = [
        "tariff:",
        f"  {price}",
        "  rates:                      # what is added to each imported kWh; write the lines of your bill",
        f"    - {{name: grid fees and taxes, per_kwh: {answers.fees_per_kwh:g}}}",
    ]
    if answers.demand_per_kw:
        demand = _flow(
            name=f"{answers.demand_period}ly peak", per_kw=answers.demand_per_kw, period=answers.demand_period
        )
        lines += ["  demand:", f"    - {demand}"]
    return lines


def _meters(answers: Answers) -> list[str]:
    metered = [row for row in answers.rows if row.host]
    return ["meters:" if metered else "meters: []", *(f"  - {_meter(row, answers)}" for row in metered)]


def _meter(row: PlantRow, answers: Answers) -> str:
    machine = row.machine or (row.id if row.type == "machine" else "")
    connection = row.connection_kw or (row.rated_kw * 1.25 if row.rated_kw else answers.import_limit_kw * 1.25)
    return _flow(
        id=f"m-{row.id}" if row.type == "machine" else row.id,
        name=row.name,
        kind="modbus",
        profile=row.profile or "generic",
        host=row.host,
        port=row.port,
        unit=row.unit,
        role="settlement" if row.type == "grid" else "sub",
        measures=row.type,
        machine=machine,
        connection_kw=round(connection, 1),
    )


def _feeds(answers: Answers) -> list[str]:
    feeds = []
    if answers.market_zone and answers.currency == "EUR":
        feeds.append(f"  - {_flow(kind='energy-charts', zone=answers.market_zone)}")
    elif answers.market_zone:
        feeds.append("  - {kind: file, path: var/prices.csv, unit: per_MWh}   # columns time and value: docs/feeds.md")
    if answers.country.startswith("GB"):
        feeds.append("  - {kind: carbon-intensity-gb}")
    return ["feeds:" if feeds else "feeds: []", *feeds]


def _flow(**said: object) -> str:
    """A mapping on one line; what is empty is left out."""
    parts = (f"{key}: {_plain(value)}" for key, value in said.items() if value not in ("", None))
    return f"{{{', '.join(parts)}}}"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    """A text as YAML: bare where it is a plain word, else in quotes."""
    bare = text.replace("-", "").replace("_", "").replace(".", "")
    return (
        text
        if bare.isalpha() and text.lower() not in {"true", "false", "null", "yes", "no", "on", "off"}
        else json.dumps(text, ensure_ascii=False)
    )

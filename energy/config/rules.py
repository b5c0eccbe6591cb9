"""What the sections of config.yaml must agree on. Looks at the plain data, so that a mistake in one place hides none
in another."""

from collections.abc import Iterator
from typing import Any

from energy.config.mistakes import Mistakes
from energy.plugins import nearest


def agree(data: dict[str, Any], mistakes: Mistakes) -> None:
    """Notes every disagreement between the sections."""
    machines = [row["id"] for _, row in _rows(data, "site", "machines") if isinstance(row.get("id"), str)]
    for path, row in [*_rows(data, "calendar", "closures"), *_rows(data, "meters")]:
        machine = row.get("machine")
        if isinstance(machine, str) and machine not in machines:
            mistakes.add(f"{path}.machine", f"no machine {machine!r}{_near(machine, machines, 'site.machines')}")
    crews = [row["crew"] for _, row in _rows(data, "calendar", "shifts") if isinstance(row.get("crew"), str)]
    for path, row in _rows(data, "calendar", "openings"):
        crew = row.get("crew")
        if isinstance(crew, str) and crew not in crews:
            mistakes.add(f"{path}.crew", f"no crew {crew!r}{_near(crew, crews, 'calendar.shifts')}")
    _unique(_rows(data, "site", "machines"), mistakes)
    _unique(_rows(data, "meters"), mistakes)
    _meters(data, mistakes)
    _doors(data, mistakes)


def _meters(data: dict[str, Any], mistakes: Mistakes) -> None:
    rows = list(_rows(data, "meters"))
    billed = [path for path, row in rows if row.get("role") == "settlement" and row.get("measures") == "grid"]
    if rows and not billed:
        mistakes.add("meters", "none has `role: settlement` and `measures: grid`; the bill is made of that meter")
    for path in billed[1:]:
        mistakes.add(f"{path}.role", f"{billed[0]} is the settlement meter of the grid already; this one is a `check`")
    _tree(rows, mistakes)
    for path, row in rows:
        if row.get("measures") == "machine" and not row.get("machine"):
            mistakes.add(path, "measures a machine; say which: `machine: …`")
    at = addresses(data, mistakes)
    dashboard = data.get("dashboard")
    port = dashboard.get("port", 8501) if isinstance(dashboard, dict) else 8501
    local = [path for (host, taken, _), path in at.items() if _is_here(host) and taken == str(port)]
    if local:
        mistakes.add("dashboard.port", f"port {port} of this machine is taken by {local[0]}; choose another")


UNITS = ("modbus", "sunspec")  # kinds whose meters are units on a line; others may share a host and port as they like


def addresses(data: dict[str, Any], mistakes: Mistakes) -> dict[tuple[str, str, str], str]:
    """Which meter is at which address; two that read the same there are a mistake."""
    at: dict[tuple[str, str, str], str] = {}
    read: dict[tuple[str, ...], str] = {}
    for path, row in _rows(data, "meters"):
        if "host" not in row:
            continue
        usual = 802 if row.get("transport") == "tls" else 502
        address = (str(row["host"]), str(row.get("port", usual)), str(row.get("unit", 1)))
        if row.get("kind") in UNITS:
            what = (*address, *_what_is_read(row))
            if what in read:
                said = f"{address[0]} port {address[1]} unit {address[2]} is {read[what]} already"
                mistakes.add(f"{path}.{'port' if 'port' in row else 'host'}", said)
            read.setdefault(what, path)
        if "port" in row:
            at.setdefault(address, path)
    _serial_lines(data, mistakes)
    return at


def _what_is_read(row: dict[str, Any]) -> tuple[str, ...]:
    """What a meter reads of its unit: an inverter, the battery and the grid meter behind it often answer as one unit."""
    reads = row.get("reads") or (row.get("measures") if row.get("kind") == "sunspec" else None)
    return tuple(str(said) for said in (row.get("profile"), reads, *map(row.get, ("model", "instance", "registers"))))


def _serial_lines(data: dict[str, Any], mistakes: Mistakes) -> None:
    """A serial line has one baud rate and parity, and each unit once."""
    units: dict[tuple[str, ...], str] = {}
    lines: dict[str, tuple[str, dict[str, Any]]] = {}
    for path, row in _rows(data, "meters"):
        device = row.get("device")
        if not isinstance(device, str) or row.get("kind") not in UNITS:  # an MTConnect device is no line
            continue
        address = (device, str(row.get("unit", 1)), *_what_is_read(row))
        if address in units:
            mistakes.add(f"{path}.device", f"{device} unit {address[1]} is {units[address]} already")
        units.setdefault(address, path)
        spoken = {key: row.get(key) for key in ("baudrate", "parity", "stop_bits")}
        first, said = lines.setdefault(device, (path, spoken))
        for key, value in spoken.items():
            if value != said[key]:
                mistakes.add(f"{path}.{key}", f"differs from that of {first} on the same line; {device} has one")


def unique_meters(data: dict[str, Any], mistakes: Mistakes) -> None:
    """No two meters have one id."""
    _unique(_rows(data, "meters"), mistakes)


def _doors(data: dict[str, Any], mistakes: Mistakes) -> None:
    """Meters that come over an edge box or are pushed, and who may speak for them."""
    boxes = [row["name"] for _, row in _rows(data, "api", "boxes") if isinstance(row.get("name"), str)]
    pushed = [row["id"] for _, row in _rows(data, "meters") if row.get("kind") == "push" and "id" in row]
    for path, row in _rows(data, "meters"):
        box = row.get("box")
        if row.get("kind") == "edge" and isinstance(box, str) and box not in boxes:
            mistakes.add(f"{path}.box", f"no edge box {box!r}{_near(box, boxes, 'api.boxes')}")
    for path, row in _rows(data, "api", "gateways"):
        named = row.get("meters")
        for i, meter in enumerate(named if isinstance(named, list) else []):
            if isinstance(meter, str) and meter not in pushed:
                said = f"no meter {meter!r} of `kind: push`{_near(meter, pushed, 'meters')}"
                mistakes.add(f"{path}.meters[{i}]", said)
    api, dashboard = data.get("api"), data.get("dashboard")
    if isinstance(api, dict):
        taken = dashboard.get("port", 8501) if isinstance(dashboard, dict) else 8501
        if str(api.get("port", 8502)) == str(taken):
            mistakes.add("api.port", f"port {taken} is the dashboard's; choose another")


def _tree(rows: list[tuple[str, dict[str, Any]]], mistakes: Mistakes) -> None:
    """Meters above and parts of virtual ones: known, and none above or in itself."""
    ids = [row["id"] for _, row in rows if isinstance(row.get("id"), str)]
    ups: dict[str, list[str]] = {}
    made: dict[str, list[str]] = {}
    for path, row in rows:
        parts = row.get("parts") or []
        named = [(f"{path}.above", row.get("above")), *((f"{path}.parts", part) for part in parts)]
        for where, id in named:
            if isinstance(id, str) and id not in ids:
                mistakes.add(where, f"no meter {id!r}{_near(id, ids, 'meters')}")
        if row.get("role") == "virtual" and row.get("kind") != "virtual":
            mistakes.add(f"{path}.role", "a virtual meter has `kind: virtual` and the `parts` that it is made of")
        if isinstance(row.get("id"), str):
            ups[row["id"]] = [row["above"]] if isinstance(row.get("above"), str) else []
            made[row["id"]] = [part for part in parts if isinstance(part, str)]
    for path, row in rows:
        for key, edges, words in (("above", ups, "hangs below"), ("parts", made, "is made of")):
            if isinstance(row.get("id"), str) and _leads_back(row["id"], edges):
                mistakes.add(f"{path}.{key}", f"{row['id']} {words} itself")


def _leads_back(id: str, edges: dict[str, list[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(edges.get(id, []))
    while waiting:
        one = waiting.pop()
        if one == id:
            return True
        if one not in seen:
            seen.add(one)
            waiting += edges.get(one, [])
    return False


def _is_here(host: Any) -> bool:
    return str(host) in {"127.0.0.1", "localhost", "::1"}


def _unique(rows: Iterator[tuple[str, dict[str, Any]]], mistakes: Mistakes) -> None:
    first: dict[str, str] = {}
    for path, row in rows:
        id = row.get("id")
        if not isinstance(id, str):
            continue
        if id in first:
            mistakes.add(f"{path}.id", f"{id!r} is the id of {first[id]} already; ids are unique")
        first.setdefault(id, path)


def _near(word: str, known: list[str], where: str) -> str:
    return nearest(word, sorted(set(known))) if known else f"; {where} lists none"


def _rows(data: dict[str, Any], *keys: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings of a list somewhere in the data, by path; nothing where there is no such list."""
    here: Any = data
    for key in keys:
        here = here.get(key) if isinstance(here, dict) else None
    for i, row in enumerate(here if isinstance(here, list) else []):
        if isinstance(row, dict):
            yield f"{'.'.join(keys)}[{i}]", row

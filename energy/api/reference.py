"""`docs/api.md`, made from the description of the app, so that it cannot say anything else.

python -m energy.api.reference docs/api.md
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from energy.api.app import Doors, create_app
from energy.api.pushes import NAMES, TIME_NAMES
from energy.api.tokens import Tokens
from energy.clock import SystemClock
from energy.store import Store

HEAD = """\
# The door for edge boxes and gateways

HTTP for machines, opened by `loadstone run` (or `loadstone api`) where `config.yaml` has a section
[`api`](config.md#api). [How to set up an edge box](how-to/edge-box.md) and [push readings](how-to/push-readings.md) say how it
is used; this page lists what may be sent. The same as OpenAPI: `GET /v1/openapi.json`.

- Every call but `/v1/health` carries a token: `Authorization: Bearer …`. Each box and gateway has its own
  (`loadstone api token NAME`), from the environment of the centre.
- A body may be packed (`Content-Encoding: gzip`) and is at most `api.max_mb`, packed or not.
- A 200 is given when what was sent is on disk. Whatever is not 200 has stored nothing; the answer lists all that was wrong.
- The format is version 1. A later version gets a path of its own; fields may be added to answers.

<!-- Made by `python -m energy.api.reference docs/api.md`; a test compares. -->
"""
BATCHES = """\
## Batches of an edge box

A box numbers its readings in the order in which they were taken, anew with each buffer file, and a batch says which numbers
it covers. What the centre answers:

| the batch | the answer |
|---|---|
| begins at the next number, or before it | its readings are kept, each once by meter and moment; acknowledged up to its `last` |
| came before | the same; nothing is stored twice |
| begins later than the next number | 409 with `expected`: the box sends from there on |
| the same, and says `lost_before` | kept; the gap is counted, written into the journal and shown |
| names a meter that is not one of this box | 422 with `refused`: the box sets those aside, and sends the others |
| has a reading that was stamped by a wrong clock | kept as *suspect*: shown, releasable, not made into energy |

Numbers within a batch that have no reading (thinned where the buffer was full, or set aside) simply do not come. A centre
that was restored from an older backup gets again what it lost: it expects an older number, and the box keeps what was
acknowledged for `edge.keep_hours`. What a box had set aside it offers again every ten minutes.
"""
PUSHES = """\
## What a gateway may push

One object or a list of them as JSON, or the same names as form or query values:

```bash
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"time": "2026-05-20T12:00:00Z", "import_kwh": 48211.5, "power_kw": 31.2}' https://energy.example/v1/push/m-press-9
curl -H "Authorization: Bearer $TOKEN" -d "time=1779278400&import_wh=48211500" https://energy.example/v1/push/m-press-9
```
"""


def description() -> dict[str, Any]:
    """The OpenAPI description of the app."""
    nobody = Doors(tokens=Tokens({}), boxes={}, gateways={}, judges={})
    with Store.open("sqlite://", "reference") as store:
        return create_app(store, SystemClock(), nobody).openapi()


def text() -> str:
    """The whole page."""
    said = description()
    parts = [HEAD, "## The calls\n", "| call | what |\n|---|---|"]
    for path, method, call in calls(said):
        parts.append(f"| `{method.upper()} {path}` | {call['summary']} |")
    parts += ["", BATCHES, *answers(said, "/v1/readings"), PUSHES, *names(), *answers(said, "/v1/push/{meter}")]
    parts.append("## The shapes\n")
    for name, schema in sorted(said["components"]["schemas"].items()):
        if schema.get("properties"):
            parts.append(shape(name, schema))
    return "\n".join(parts).rstrip() + "\n"


def calls(said: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in sorted(said["paths"].items()):
        for method, call in methods.items():
            yield path, method, call


def answers(said: dict[str, Any], path: str) -> list[str]:
    """The statuses that a call may answer with."""
    (call,) = said["paths"][path].values()
    rows = []
    for status, answer in sorted(call["responses"].items()):
        model = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        named = f"`{model.rpartition('/')[2]}`" if model else ""
        rows.append(f"| {status} | {named} | {answer['description']} |")
    return ["| status | answer | when |\n|---|---|---|", *rows, ""]


def names() -> list[str]:
    """What a pushed value may be called."""
    by_field: dict[str, list[str]] = {}
    for name, (field, _) in NAMES.items():
        by_field.setdefault(field, []).append(f"`{name}`")
    meaning = {
        "import_kwh": "counter towards the plant",
        "export_kwh": "counter away from the plant",
        "power_kw": "power, import positive",
    }
    times = ", ".join(f"`{name}`" for name in TIME_NAMES)
    rows = [f"| {', '.join(said)} | {meaning[field]} |" for field, said in by_field.items()]
    when = "ISO 8601 with a zone, or seconds or milliseconds since 1970; without it: when it arrives"
    return ["| name | meaning |\n|---|---|", f"| {times} | {when} |", *rows, ""]


def shape(name: str, schema: dict[str, Any]) -> str:
    """The table of one shape."""
    needed = set(schema.get("required", ()))
    rows = [
        f"| `{key}` | {kind(field)} | {str(field.get('description', '')).replace('|', chr(92) + '|')} | "
        f"{'*needed*' if key in needed else default(field)} |"
        for key, field in schema["properties"].items()
    ]
    intro = str(schema.get("description", "")).strip()
    table = "\n".join(["| key | type | meaning | default |", "|---|---|---|---|", *rows])
    return f"### {name}\n\n{intro}{chr(10) * 2 if intro else ''}{table}\n"


def kind(field: dict[str, Any]) -> str:
    """The type of a field in words."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(kind(one) for one in field["anyOf"]))
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2]}`"
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    if field.get("format") == "date-time":
        return "time"
    return str(field.get("type", "anything"))


def default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "" if value is None or value in ("", [], {}) or isinstance(value, dict) else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())

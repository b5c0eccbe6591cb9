"""The file of results: a JSON list with one record an instance, written anew after each, so that a run can go on."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class UnreadableResultsError(Exception):
    """The file of results is there, and is none."""


def read(path: Path) -> list[Record]:
    """The records of an earlier run; none where there is no file."""
    if not path.exists():
        return []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableResultsError(
            f"{path} cannot be read as JSON ({error}); name another file with --json"
        ) from error
    if not isinstance(said, list) or not all(isinstance(record, dict) and "instance" in record for record in said):
        raise UnreadableResultsError(f"{path} is no list of results; name another file with --json")
    return said


def write(path: Path, records: Iterable[Record]) -> None:
    """All records at once: a reader sees the old list or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    beside.write_text(json.dumps(list(records), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)

"""The JSON schemas of problem and plan files, as committed in `docs/`: python -m energy.exchange.schema docs"""

import json
import sys
from pathlib import Path

from energy.exchange.problems import plan_schema, problem_schema


def schema_files() -> dict[str, str]:
    """File name → text of each schema."""
    schemas = {"problem.schema.json": problem_schema(), "plan.schema.json": plan_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def main(folder: str = "docs") -> None:
    """Write the schemas into a folder."""
    for name, text in schema_files().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")
        print(f"wrote {Path(folder) / name}")


if __name__ == "__main__":
    main(*sys.argv[1:2])

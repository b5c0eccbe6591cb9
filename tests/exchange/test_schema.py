"""The committed schemas say what the reader accepts."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings

from energy.errors import ProblemError
from energy.exchange.problems import plan_from_json, plan_schema, problem_from_json, problem_schema, to_json
from energy.exchange.schema import main, schema_files
from energy.planning.check import check
from energy.planning.price import price_plan
from tests.planning.plants import problems
from tests.planning.tables import GIVEN, as_is, job, problem

DOCS = Path(__file__).parents[2] / "docs"
STALE = "stale; write it anew with: python -m energy.exchange.schema docs"


@pytest.mark.parametrize("name", ["problem.schema.json", "plan.schema.json"])
def test_the_committed_schema_is_fresh(name):
    assert (DOCS / name).read_text(encoding="utf-8") == schema_files()[name], STALE


def test_the_command_writes_them(tmp_path):
    main(str(tmp_path))
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == schema_files()


@settings(max_examples=25, deadline=None)
@given(problems())
def test_what_is_written_fits_the_schema_and_comes_back_the_same(posed):
    plain = json.loads(to_json(posed))
    jsonschema.Draft202012Validator(problem_schema()).validate(plain)
    again = problem_from_json(to_json(replace(posed, jobs=())))
    assert again == replace(posed, jobs=())
    plan = price_plan(posed, [j.in_force for j in posed.jobs], how=GIVEN)
    jsonschema.Draft202012Validator(plan_schema()).validate(json.loads(to_json(plan)))
    assert plan_from_json(to_json(plan)) == plan
    assert check(posed, plan_from_json(to_json(plan))) == check(posed, plan)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p.update(colour="red"),
        lambda p: p.pop("import_limit_kw"),
        lambda p: p["jobs"][0]["options"][0].update(power_kw="fifty"),
        lambda p: p.update(format="loadstone-problem/9"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(spoil):
    plain = json.loads(to_json(problem(job("a", 50))))
    spoil(plain)
    assert not jsonschema.Draft202012Validator(problem_schema()).is_valid(plain)
    with pytest.raises(ProblemError, match="problem: 1 mistake"):
        problem_from_json(json.dumps(plain))


def test_schemas_explain_their_parts():
    for schema in (problem_schema(), plan_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert all("description" in part for part in schema["$defs"].values() if part.get("type") == "object")
    assert as_is(problem()).format == plan_schema()["properties"]["format"]["const"]

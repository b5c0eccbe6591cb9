"""One instance planned and held against three judges: the plant's check, the source's rules, the source's formula."""

import math
import time
from dataclasses import asdict
from typing import Any

from benchmarks.scheduling.instance import Broken, Instance, Row, rows_of
from benchmarks.scheduling.records import Record
from energy.model.plan import HowFound, Plan
from energy.planning.check import check
from energy.ports import Optimizer

OK = "ok"
NEAR = 1e-6  # relative: two ways to reckon the same plan
MOST_SAID = 5  # violations written out


def measure(instance: Instance | Broken, optimizer: Optimizer, *, seconds: float, settings: dict[str, Any]) -> Record:
    """The record of an instance; what went wrong stands in `how` and `check`."""
    record: Record = {
        "instance": instance.name,
        "objective": None,
        "bound": None,
        "gap": None,
        "seconds": None,
        "how": "",
        "published": None,
        "published_optimal": False,
        "check": None,
        "plan": None,
        "settings": settings,
    }
    if isinstance(instance, Broken):
        return record | {"how": f"broken file: {instance.why}"}
    record |= {"published": instance.published, "published_optimal": instance.published_optimal}
    began = time.monotonic()
    try:
        answer = optimizer.solve(instance.problem, seconds=seconds)
    except Exception as error:  # one instance that fails is a result, and the others are still to be measured
        took = time.monotonic() - began
        return record | {"seconds": took, "how": f"failed: {type(error).__name__}: {error}"}
    record["seconds"] = time.monotonic() - began
    if answer.plan is None:
        return record | {"how": f"no plan: {'; '.join(answer.contradictions) or 'nothing found in time'}"}
    return record | _judged(instance, answer.plan)


def _judged(instance: Instance, plan: Plan) -> Record:
    """What the judges say of a plan. An objective stands only where the source allows the plan."""
    rows = rows_of(instance, plan)
    faults = [violation.what for violation in check(instance.problem, plan)]
    foreign = instance.faults(rows)
    objective = None if foreign else instance.objective(rows)
    total = instance.to_source(plan.bill.total)
    if objective is not None and not math.isclose(objective, total, rel_tol=NEAR, abs_tol=NEAR):
        faults.append(f"the bill comes to {total:.6f}, the source's formula to {objective:.6f}")
    bound = None if plan.how.bound is None else instance.to_source(plan.how.bound)
    faults += foreign
    more = [f"and {len(faults) - MOST_SAID} more"] if len(faults) > MOST_SAID else []
    return {
        "objective": objective,
        "bound": bound,
        "gap": _gap(objective, bound),
        "how": _how(plan),
        "check": "; ".join(faults[:MOST_SAID] + more) or OK,
        "plan": [asdict(row) for row in rows],
    }


def _gap(objective: float | None, bound: float | None) -> float | None:
    """(objective − bound) / |objective|; None where nothing is proven."""
    if objective is None or bound is None:
        return None
    above = max(0.0, objective - bound)
    if above <= NEAR * max(1.0, abs(objective)) * 1e-3:
        return 0.0
    return above / max(abs(objective), 1e-9)


def _how(plan: Plan) -> str:
    """In a word or two; a plan that moved nothing although it was searched for is proven too."""
    said = str(HowFound.OPTIMAL) if plan.how.found is HowFound.NOTHING_TO_GAIN else str(plan.how)
    return f"{said} ({plan.how.note})" if plan.how.note else said


def rows_from(record: Record) -> list[Row]:
    """The plan of a record, as a loader's formula takes it."""
    return [Row(**row) for row in record["plan"] or []]

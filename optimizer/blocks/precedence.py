"""Precedence: a job starts only so long after another has ended, and not too long after."""

from typing import Any

from optimizer.model import Model
from optimizer.plant import Start


def add(model: Model) -> None:
    """For B after A with at least `least` and at most `most` slots between, in each slot k:

    Σ (x[B, s]: s ≤ k)  +  Σ (x[A, s]: end of A + least > k)  ≤ 1       not too early
    Σ (x[B, s]: s > k)  +  Σ (x[A, s]: end of A + most ≤ k)   ≤ 1       not too late

    Two jobs that production gave in the wrong order may stay so together: then each counts one half.
    """
    for after, before, least, most in model.plant.order:
        a, b = _starts(model, before), _starts(model, after)
        first = min(start.slot for _, start in b)
        last = max(start.slot for _, start in b)
        given_a, given_b = model.plant.given[before], model.plant.given[after]
        name = f"{model.problem.jobs[after].id} after {model.problem.jobs[before].id}"
        half = given_a.end + least > given_b.slot
        for k in range(first, min(last, max(s.end for _, s in a) + least - 1) + 1):
            early = [(x, _weight(s, half)) for x, s in b if s.slot <= k]
            early += [(x, _weight(s, half)) for x, s in a if s.end + least > k]
            model.require(model.total(early) <= 1, f"{name}, not before slot {k + 1}")
        if most is not None:
            half = given_b.slot > given_a.end + most
            for k in range(min(s.end for _, s in a) + most, last):
                late = [(x, _weight(s, half)) for x, s in b if s.slot > k]
                late += [(x, _weight(s, half)) for x, s in a if s.end + most <= k]
                model.require(model.total(late) <= 1, f"{name}, at the latest in slot {k}")


def _starts(model: Model, row: int) -> list[tuple[Any, Start]]:
    return list(zip(model.start[row], model.plant.starts[row], strict=True))


def _weight(start: Start, half: bool) -> float:
    return 0.5 if half and start.given else 1.0

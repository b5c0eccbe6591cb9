"""The auditor of plans: does a plan keep the rules of the plant, and is its bill right?

It shares no code with `price` or with the optimizer (docs/decisions/0005): a mistake made there would only be repeated
here. So it is written in plain loops, and recomputes everything from the problem and the plan's own numbers.

Soft things (lateness, a priced limit that is broken) are no violations, but must stand in the bill at their price. A
rule that had to give (`plan.gave_way`) is still a violation: whoever keeps the plan compares it with what was there
before.
"""

from collections.abc import Sequence

from energy.model.plan import FORMAT, Plan, Violation
from energy.model.problem import Placement, Problem
from energy.planning.check_bill import check_bill
from energy.planning.check_flow import check_feeders
from energy.planning.check_jobs import check_jobs
from energy.planning.check_risk import check_risk
from energy.planning.check_site import check_rows, check_site
from energy.planning.check_states import check_state_rows, check_states

GROWN = 1e-6  # two sizes that differ by less are the same


def check(problem: Problem, plan: Plan, *, as_is_chain: bool = False) -> list[Violation]:
    """Every rule that a plan breaks, bill included. `as_is_chain`: the plan's demand lines start from the peaks of the
    as-is chain instead of the real ones."""
    found = check_frame(problem, plan)
    rows = check_rows(problem, plan)
    jobs = check_jobs(problem, plan.placements)
    found += rows + jobs
    states = check_state_rows(problem, plan)
    found += states
    placed_once = not any(v.rule in {"unknown job", "double job", "option"} for v in jobs)
    if not rows and not states and placed_once:  # else there is nothing to reckon with, and what is said suffices
        found += check_states(problem, plan)
        found += check_site(problem, plan)
        found += check_feeders(problem, plan)
        found += check_bill(problem, plan, as_is_chain=as_is_chain)
        found += check_risk(problem, plan)
    return found


def check_frame(problem: Problem, plan: Plan) -> list[Violation]:
    """Whether the plan answers this problem at all."""
    found = []
    if plan.format != FORMAT:
        found.append(Violation(rule="format", subject="plan", slot=None, what=f"the plan's format is {plan.format!r}"))
    if plan.problem != problem.digest:
        what = f"the plan answers problem {plan.problem or 'unknown'}, not {problem.digest}"
        found.append(Violation(rule="problem", subject="plan", slot=None, what=what))
    return found


def check_placements(problem: Problem, placements: Sequence[Placement]) -> list[Violation]:
    """The rules of jobs, machines and crews alone, for places that have no site rows yet."""
    return check_jobs(problem, placements)


def new_violations(before: Sequence[Violation], after: Sequence[Violation]) -> list[Violation]:
    """Those of `after` that were not there before, or have grown. What holds slot by slot is compared slot by slot."""
    sizes: dict[tuple[str, str], float] = {}
    slots: dict[tuple[str, str, int], float] = {}
    for violation in before:
        sizes[violation.key] = max(sizes.get(violation.key, 0.0), violation.size)
        for k, size in enumerate(violation.by_slot, start=violation.slot or 0):
            slots[(*violation.key, k)] = size
    return [violation for violation in after if _is_new(violation, sizes, slots)]


def _is_new(
    violation: Violation, sizes: dict[tuple[str, str], float], slots: dict[tuple[str, str, int], float]
) -> bool:
    if violation.by_slot:
        return any(
            size > slots.get((*violation.key, k), 0.0) + GROWN
            for k, size in enumerate(violation.by_slot, start=violation.slot or 0)
        )
    return violation.key not in sizes or violation.size > sizes[violation.key] + GROWN

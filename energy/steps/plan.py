"""Plan: the situation becomes a problem, the problem a plan, kept beside as-is and the plan in force.

A plan that the independent check does not confirm is thrown away and recorded as our bug; the plan in force stands.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from energy.model.plan import How, HowFound, Plan, Violation
from energy.model.problem import Placement, Problem
from energy.planning.check import check, new_violations
from energy.planning.pose import Posed, pose
from energy.planning.price import price_plan
from energy.planning.situation import Situation
from energy.ports import Optimizer
from energy.reports.situation import LOOK_BACK
from energy.store import Store
from energy.store.store import Planning

Places = Sequence[Placement]


def plan(store: Store, *, situation: Situation, optimizer: Optimizer, seconds: float, now: datetime) -> Planning:
    """Make the plan of the horizon. The same problem gives the stored plan."""
    posed = pose(situation)
    kept = store.plans.by_digest(posed.problem.digest)
    if kept is not None:
        freeze(store, posed)
        answer_facts(store, situation, kept.digest, now)
        return kept
    planning = make(posed, optimizer, seconds, now, store)
    with store.unit():
        freeze(store, posed)
        store.plans.add(planning)
        answer_facts(store, situation, planning.digest, now)
        store.steps.record(
            "plan", posed.problem.start, planning.digest, now, planning.plan.how.seconds, str(planning.plan.how)
        )
    return planning


def freeze(store: Store, posed: Posed) -> None:
    """Keep the as-is entries that posing the problem froze."""
    if posed.entries:
        store.as_is.add(posed.entries)


def answer_facts(store: Store, situation: Situation, digest: str, now: datetime) -> None:
    """The facts that this plan took in are answered. By what it knew, not by the time: a report is stamped before it is
    kept, and one that came in between is not in this plan. What is older than a plan looks back is over."""
    taken = {fact.id for fact in situation.facts}
    over = situation.now - LOOK_BACK
    waiting = [f.id for f in store.facts.unanswered() if f.id in taken or f.reported_at < over]
    if waiting:
        store.facts.mark_answered(waiting, now, digest)


def make(posed: Posed, optimizer: Optimizer, seconds: float, now: datetime, store: Store) -> Planning:
    """The three plans of a problem, priced by the same tariff and checked."""
    problem = posed.problem
    as_is = as_given(problem, [job.as_is for job in problem.jobs], optimizer, as_is=True)
    in_force = as_given(problem, [job.in_force for job in problem.jobs], optimizer)
    answer = optimizer.solve(problem, seconds=seconds)
    notes = [*problem.notes, *posed.left_out]
    standing = check(problem, in_force)
    found, checked = in_force, True
    if answer.plan is None:
        notes += [f"no plan: {why}" for why in answer.contradictions]
    else:
        wrong = new_violations(standing, check(problem, answer.plan))
        if wrong:
            checked = False
            store.steps.failed("check", problem.start, now, f"our bug: the check refuses a plan: {words(wrong)}")
            notes.append("the found plan was refused by the check; the plan in force stands")
        else:
            found = answer.plan
    if found is in_force:
        found = replace(in_force, how=How(found=HowFound.HEURISTIC, note="the plan in force stands"))
    notes += [f"conflict in the production plan: {v.what}" for v in standing]
    return Planning(
        digest=problem.digest,
        made_at=now,
        problem=problem,
        as_is=as_is,
        in_force=in_force,
        plan=found,
        checked=checked,
        notes=tuple(notes),
    )


def as_given(problem: Problem, placements: Sequence[Placement], optimizer: Optimizer, *, as_is: bool = False) -> Plan:
    """The price of given places. A battery that Loadstone steers is dispatched for them; any other follows its rule."""
    how = How(found=HowFound.AS_GIVEN)
    if problem.battery is not None and problem.battery.rule == "planned":
        standing = replace(
            problem, jobs=tuple(replace(j, in_force=p, fixed=p) for j, p in zip(problem.jobs, placements, strict=True))
        )
        answer = optimizer.dispatch(standing)
        if answer.plan is not None:
            return price_plan(
                problem,
                placements,
                charge_kw=answer.plan.charge_kw,
                discharge_kw=answer.plan.discharge_kw,
                curtailed_kw=answer.plan.curtailed_kw,
                how=how,
                as_is_chain=as_is,
            )
    return price_plan(problem, placements, how=how, as_is_chain=as_is)


def words(violations: Sequence[Violation]) -> str:
    return "; ".join(v.what for v in violations[:5])

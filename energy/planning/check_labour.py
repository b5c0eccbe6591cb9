"""What do the people whom jobs need cost above their usual pay? Hour by hour."""

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import Option, Placement, Problem
from energy.planning.check_words import busy_of


def labour_costs(problem: Problem, plan: Plan) -> dict[str, tuple[float, float]]:
    """(hours of people at a premium, money) of each skill that has some: "caster at a premium"."""
    found: dict[str, tuple[float, float]] = {}
    premiums = {roster.skill: roster.premium_per_hour for roster in problem.rosters if roster.premium_per_hour}
    jobs = {job.id: job for job in problem.jobs}
    for place in plan.placements if premiums else ():
        job = jobs[place.job]
        for need in job.needs:
            if need.skill not in premiums:
                continue
            options = [o for o in job.options if place.machine in (o.machine, *o.also) and o.mode == place.mode]
            for k in _attended(need.attended, place, options[0]):
                if 0 <= k < problem.slots and premiums[need.skill][k] > 0.0:
                    hours, money = found.get(f"{need.skill} at a premium", (0.0, 0.0))
                    more = need.people * problem.step_hours
                    found[f"{need.skill} at a premium"] = (hours + more, money + more * premiums[need.skill][k])
    return found


def _attended(attended: Attended, place: Placement, option: Option) -> list[int]:
    working = busy_of(place, option)
    if attended is Attended.RUN or not working:
        return working
    return working[:1] if attended is Attended.START or len(working) == 1 else [working[0], working[-1]]

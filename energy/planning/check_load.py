"""What does the plant draw under this plan? Added up again, one job and one slot at a time."""

from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.planning.check_states import states_kw


def before_battery_kw(problem: Problem, plan: Plan) -> list[float]:
    """Base load + everything that the plan runs − PV + curtailed, in each slot."""
    net = [
        problem.base_load_kw[k] - problem.pv_kw[k] + plan.curtailed_kw[k]
        for k in range(problem.slots)
    ]  # fmt: skip
    for part in (jobs_kw(problem, plan), states_kw(problem, plan)):
        for k in range(problem.slots):
            net[k] += part[k]
    return net


def jobs_kw(problem: Problem, plan: Plan) -> list[float]:
    """The load of the jobs: the powers of the plan where it chose them, else of the option."""
    load = [0.0] * problem.slots
    jobs = {job.id: job for job in problem.jobs}
    for place in plan.placements:
        for option in jobs[place.job].options:
            if place.machine in (option.machine, *option.also) and option.mode == place.mode:
                for i, power in enumerate(place.power_kw or option.power_kw):
                    if 0 <= place.start + i < problem.slots:
                        load[place.start + i] += power
    return load

"""What does the plant draw under this plan? Added up again, one job and one slot at a time."""

from collections.abc import Iterator

from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.planning.check_flow_words import batches, holds, places_of
from energy.planning.check_setups import setups_kw
from energy.planning.check_states import states_kw


def before_battery_kw(problem: Problem, plan: Plan) -> list[float]:
    """Base load + everything that the plan runs − PV + curtailed, in each slot."""
    net = [
        problem.base_load_kw[k] - problem.pv_kw[k] + plan.curtailed_kw[k]
        for k in range(problem.slots)
    ]  # fmt: skip
    for load in (*machines_kw(problem, plan).values(), stores_kw(problem, plan)):
        for k in range(problem.slots):
            net[k] += load[k]
    return net


def machines_kw(problem: Problem, plan: Plan) -> dict[str, list[float]]:
    """What each machine draws: the jobs on it, what it holds, its batches, and the state in which it stands, its setups."""
    load = {machine.id: [0.0] * problem.slots for machine in problem.machines}
    parts = (
        _jobs(problem, plan),
        _holding(problem, plan),
        _batches(problem, plan),
        states_kw(problem, plan),
        setups_kw(problem, plan),
    )
    for drawing in parts:
        for machine, slot, kw in drawing:
            if 0 <= slot < problem.slots:
                load.setdefault(machine, [0.0] * problem.slots)[slot] += kw
    return load


def _jobs(problem: Problem, plan: Plan) -> Iterator[tuple[str, int, float]]:
    """The powers of the plan where it chose them, else of the option."""
    jobs = {job.id: job for job in problem.jobs}
    for place in plan.placements:
        for option in jobs[place.job].options:
            if place.machine in (option.machine, *option.also) and option.mode == place.mode:
                for i, power in enumerate(place.power_kw or option.power_kw):
                    yield place.machine, place.start + i, power


def _holding(problem: Problem, plan: Plan) -> Iterator[tuple[str, int, float]]:
    """What a machine draws between the end of one job and the start of the next that waits for it."""
    for hold in holds(places_of(problem, plan.placements)):
        for k in range(max(0, hold.first), min(problem.slots, hold.end)):
            yield hold.machine, k, hold.kw


def _batches(problem: Problem, plan: Plan) -> Iterator[tuple[str, int, float]]:
    """The power of a recipe, once for all jobs that are in it together."""
    for (machine, start, _), (recipe, _) in batches(problem, places_of(problem, plan.placements)).items():
        for i, kw in enumerate(recipe.power_kw):
            yield machine, start + i, kw


def stores_kw(problem: Problem, plan: Plan) -> list[float]:
    """The load of the stores: as the plan has it, else what their own controllers do."""
    load = [0.0] * problem.slots
    rows = {row.store: row.power_kw for row in plan.stores}
    for store in problem.stores:
        for k, kw in enumerate(rows.get(store.id, store.as_is_kw)):
            load[k] += kw
    return load

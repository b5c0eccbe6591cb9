"""What a problem must not say of machines and resources: capacities that are none, resources that nobody has."""

from energy.model.problem import Option, Problem, Resource
from energy.planning.sound_words import Say, at_least_zero, finite, known, unique


def mistakes(problem: Problem, say: Say) -> None:
    """Every mistake in capacities, resources and what jobs use of them."""
    for i, machine in enumerate(problem.machines):
        if machine.capacity is not None and machine.capacity < 1:
            say(
                f"machines[{i}].capacity",
                f"{machine.capacity} runs nothing; at least 1, or null for as many as its resources bear",
            )
        _resources(machine.resources, problem.slots, f"machines[{i}].resources", say)
    _resources(problem.resources, problem.slots, "resources", say)
    there = _most(problem)
    for j, job in enumerate(problem.jobs):
        for i, option in enumerate(job.options):
            _uses(there, option, f"jobs[{j}].options[{i}]", say)


def _resources(resources: tuple[Resource, ...], slots: int, at: str, say: Say) -> None:
    unique([resource.name for resource in resources], at, "name", say)
    for i, resource in enumerate(resources):
        if len(resource.amount) not in {1, slots}:
            say(
                f"{at}[{i}].amount",
                f"has {len(resource.amount)} values; one that always holds, or one for each of the {slots} slots",
            )
        for k, amount in enumerate(resource.amount):
            at_least_zero(amount, f"{at}[{i}].amount[{k}]", say)


def _most(problem: Problem) -> dict[tuple[str, str], float]:
    """The most that there ever is of each resource, of a machine or ("") of the site."""
    most = {("", r.name): max(r.amount, default=0.0) for r in problem.resources}
    for machine in problem.machines:
        for resource in machine.resources:
            most[machine.id, resource.name] = max(resource.amount, default=0.0)
    return most


def _uses(there: dict[tuple[str, str], float], option: Option, at: str, say: Say) -> None:
    for u, use in enumerate(option.uses):
        where = f"{at}.uses[{u}]"
        if finite(use.amount, f"{where}.amount", say) and use.amount <= 0.0:
            say(f"{where}.amount", f"{use.amount:g} of a resource is no use of it")
        if use.after_slots < 0:
            say(f"{where}.after_slots", f"{use.after_slots} is negative; it is held at least until the run lets go")
        for machine in option.machines:
            key = (machine, use.resource) if (machine, use.resource) in there else ("", use.resource)
            if key not in there:
                names = [name for owner, name in there if owner in {machine, ""}]
                known(use.resource, names, f"resource of {machine} or the site", f"{where}.resource", say)
            elif use.amount > there[key]:
                whose = f"on {machine}" if key[0] else "at the site"
                say(
                    f"{where}.amount", f"{use.amount:g} are asked for; {whose} there are never more than {there[key]:g}"
                )

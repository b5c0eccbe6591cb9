"""What a problem must not say of setups: families that no job has, setups of machines that run several jobs at once."""

from energy.model.problem import Problem, ProblemMachine
from energy.planning.sound_words import Say, at_least_zero, known, unique


def mistakes(problem: Problem, say: Say) -> None:
    """Every mistake in setups and families."""
    families = sorted({job.family for job in problem.jobs if job.family})
    for i, machine in enumerate(problem.machines):
        declared = {name for setup in machine.setups for name in (setup.from_family, setup.to_family)}
        if machine.setups and machine.family_at_start:
            names = sorted({*families, *declared} - {""})
            known(machine.family_at_start, names, "family", f"machines[{i}].family_at_start", say)
        _setups(machine, problem.slots, f"machines[{i}]", say)


def _setups(machine: ProblemMachine, slots: int, at: str, say: Say) -> None:
    if machine.setups and machine.batch is not None:
        say(f"{at}.setups", "a batch machine has recipes, and no setups")
    elif machine.setups and machine.capacity != 1:
        say(f"{at}.setups", "only a machine that runs one job at a time can be set up for a family")
    for s, setup in enumerate(machine.setups):
        where = f"{at}.setups[{s}]"
        if not setup.to_family:
            say(f"{where}.to_family", "is empty; it names the family that the machine is set up for")
        if not 0 <= setup.slots < slots:
            say(f"{where}.slots", f"{setup.slots} is no setup within a horizon of {slots} slots")
        at_least_zero(setup.power_kw, f"{where}.power_kw", say)
        at_least_zero(setup.cost, f"{where}.cost", say)
    pairs = [f"from {setup.from_family or 'any other'} to {setup.to_family}" for setup in machine.setups]
    unique(pairs, f"{at}.setups", "setup", say)

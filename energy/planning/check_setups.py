"""Is every machine set up for what it runs? The runs of a machine gone through by their starts."""

from collections.abc import Iterator, Mapping, Sequence

from energy.model.plan import Plan, Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob, ProblemMachine, Setup
from energy.planning.check_words import busy_of, name_of, span, when

Placed = Mapping[str, tuple[ProblemJob, Placement, Option]]


def check_setups(problem: Problem, placed: Placed) -> list[Violation]:
    """In the slots of a setup its machine is open and does nothing else."""
    found: list[Violation] = []
    for machine in problem.machines:
        if machine.setups:
            runs = [run for run in placed.values() if run[1].machine == machine.id]
            found += _in_the_way(problem, machine, runs, placed)
    return found


def _in_the_way(
    problem: Problem, machine: ProblemMachine, runs: Sequence[tuple[ProblemJob, Placement, Option]], placed: Placed
) -> Iterator[Violation]:
    working = {k for _, place, option in runs for k in busy_of(place, option)}
    held = _held(problem, runs, placed)
    shut = {k for closed in machine.closed for k in range(closed.start, closed.end)}
    missing: dict[str, list[tuple[int, str]]] = {}
    for job, _, setup, start in _setups(problem, machine, runs):
        for k in range(start - setup.slots, start):
            if k < 0 or k in shut or k in working or k in held:
                why = "before the planned time" if k < 0 else "closed" if k in shut else "taken"
                missing.setdefault(job.id, []).append((k, why))
    jobs = {job.id: job for job, _, _ in runs}
    for id, slots in missing.items():
        slot, why = slots[0]
        what = (
            f"{name_of(jobs[id])} needs {machine.name or machine.id} set up for {jobs[id].family} before it; "
            f"{span(problem, len(slots))} of that are missing: {when(problem, slot)} is {why}"
        )
        yield Violation(rule="setup", subject=id, slot=slot, what=what, size=float(len(slots)), unit="slots")


def setups_kw(problem: Problem, plan: Plan) -> Iterator[tuple[str, int, float]]:
    """(machine, slot, kW) of what setups draw."""
    for machine in problem.machines:
        for _, _, setup, start in _setups(problem, machine, _runs_on(problem, machine, plan)):
            for k in range(start - setup.slots, start):
                yield machine.id, k, setup.power_kw


def setup_costs(problem: Problem, plan: Plan) -> dict[str, tuple[int, float]]:
    """(times, money) of each change of family that costs something: "furnace from A to B"."""
    found: dict[str, tuple[int, float]] = {}
    for machine in problem.machines:
        for _, family, setup, _ in _setups(problem, machine, _runs_on(problem, machine, plan)):
            if setup.cost > 0.0:
                name = (
                    f"{machine.id} from {family} to {setup.to_family}"
                    if family
                    else f"{machine.id} to {setup.to_family}"
                )
                times, money = found.get(name, (0, 0.0))
                found[name] = (times + 1, money + setup.cost)
    return found


def _runs_on(problem: Problem, machine: ProblemMachine, plan: Plan) -> list[tuple[ProblemJob, Placement, Option]]:
    if not machine.setups:
        return []
    jobs = {job.id: job for job in problem.jobs}
    return [
        (jobs[place.job], place, option)
        for place in plan.placements
        if place.machine == machine.id
        for option in jobs[place.job].options
        if machine.id in (option.machine, *option.also) and option.mode == place.mode
    ]


def _setups(
    problem: Problem, machine: ProblemMachine, runs: Sequence[tuple[ProblemJob, Placement, Option]]
) -> Iterator[tuple[ProblemJob, str, Setup, int]]:
    """(job, family before, setup, slot by which it is done) of each setup that the runs need."""
    if not machine.setups:
        return
    order = {job.id: number for number, job in enumerate(problem.jobs)}
    begins: list[tuple[int, int, int]] = []  # (slot, number of the job, number of the run)
    for number, (job, place, option) in enumerate(runs):
        slots = busy_of(place, option)
        begins += [(k, order[job.id], number) for i, k in enumerate(slots) if i == 0 or slots[i - 1] != k - 1]
    family = machine.family_at_start
    begun: set[int] = set()
    for slot, _, number in sorted(begins):
        job = runs[number][0]
        goes_on = number in begun
        begun.add(number)
        if not job.family:
            continue
        needed = _needed(machine, family, job.family)
        if needed is not None and 0 <= slot < problem.slots and not (goes_on and family == job.family):
            yield job, family, needed, slot
        family = job.family


def _needed(machine: ProblemMachine, before: str, after: str) -> Setup | None:
    for setup in machine.setups:
        if setup.from_family == before and setup.to_family == after:
            return setup
    for setup in machine.setups:
        if setup.from_family == "" and setup.to_family == after and before != after:
            return setup
    return None


def _held(problem: Problem, runs: Sequence[tuple[ProblemJob, Placement, Option]], placed: Placed) -> set[int]:
    """The slots in which the machine keeps what it has made for another job to take."""
    made = {job.id: place.start + len(place.power_kw or option.power_kw) for job, place, option in runs}
    return {
        k
        for job in problem.jobs
        for after in job.after
        if after.keeps_machine and after.job in made and job.id in placed
        for k in range(made[after.job], placed[job.id][1].start)
    }

"""What follows from the places of jobs alone, worked out once more by the auditor: what is held, and which batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from energy.model.problem import Option, Placement, Problem, ProblemJob, Recipe

Placed = Mapping[str, tuple[ProblemJob, Placement, Option]]
Batches = dict[tuple[str, int, str], tuple[Recipe, list[tuple[str, float]]]]


@dataclass(frozen=True, slots=True)
class Hold:
    """A machine that holds what a job made, in slots [first, end), until another takes it over."""

    before: str
    after: str
    machine: str
    first: int
    end: int
    kw: float
    keeps: bool


def places_of(problem: Problem, placements: Sequence[Placement]) -> Placed:
    """The jobs that run, each with the option that its place means."""
    jobs = {job.id: job for job in problem.jobs}
    placed = {}
    for place in placements:
        for option in jobs[place.job].options:
            if place.machine in (option.machine, *option.also) and option.mode == place.mode:
                placed[place.job] = (jobs[place.job], place, option)
                break
    return placed


def end_of(place: Placement, option: Option) -> int:
    """The slot after the last one of a run."""
    return place.start + len(place.power_kw or option.power_kw)


def holds(placed: Placed) -> Iterator[Hold]:
    """Each wait between two jobs that costs power or keeps a machine."""
    for job, place, _ in placed.values():
        for rule in job.after:
            if rule.job in placed and (rule.holding_kw > 0.0 or rule.keeps_machine):
                _, there, how = placed[rule.job]
                first = end_of(there, how)
                if first < place.start:
                    yield Hold(rule.job, job.id, there.machine, first, place.start, rule.holding_kw, rule.keeps_machine)


def batches(problem: Problem, placed: Placed) -> Batches:
    """(machine, start, recipe) → the recipe, and the jobs in that batch with what each fills."""
    recipes = {
        (machine.id, recipe.name): recipe
        for machine in problem.machines
        if machine.batch is not None
        for recipe in machine.batch.recipes
    }
    found: Batches = {}
    for job, place, option in placed.values():
        recipe = recipes.get((place.machine, place.mode))
        if recipe is not None:
            _, inside = found.setdefault((place.machine, place.start, place.mode), (recipe, []))
            inside.append((job.id, option.quantity))
    return found

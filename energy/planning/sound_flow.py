"""What a problem may say of feeders, buffers, holding and batches."""

from energy.model.problem import Batch, Option, Problem, ProblemJob
from energy.planning.sound_words import Say, at_least_zero, finite, known, length, unique


def mistakes(problem: Problem, say: Say) -> None:
    """Everything that keeps them from meaning something."""
    _feeders(problem, say)
    _buffers(problem, say)
    _batches(problem, say)
    by_id = {job.id: job for job in problem.jobs}
    for i, job in enumerate(problem.jobs):
        _flows(problem, job, f"jobs[{i}]", say)
        _holding(problem, job, f"jobs[{i}]", say, by_id)
        _on_batch_machines(problem, job, f"jobs[{i}]", say)


def _feeders(problem: Problem, say: Say) -> None:
    unique([feeder.id for feeder in problem.feeders], "feeders", "id", say)
    machines = [machine.id for machine in problem.machines]
    for i, feeder in enumerate(problem.feeders):
        at = f"feeders[{i}]"
        if not feeder.machines:
            say(f"{at}.machines", "a feeder feeds at least one machine")
        for k, machine in enumerate(feeder.machines):
            known(machine, machines, "machine", f"{at}.machines[{k}]", say)
        unique(feeder.machines, f"{at}.machines", "machine", say)
        at_least_zero(feeder.limit_kw, f"{at}.limit_kw", say)
        if feeder.base_load_kw:
            length(feeder.base_load_kw, problem.slots, f"{at}.base_load_kw", say)
        for k, kw in enumerate(feeder.base_load_kw):
            finite(kw, f"{at}.base_load_kw[{k}]", say)


def _buffers(problem: Problem, say: Say) -> None:
    unique([buffer.id for buffer in problem.buffers], "buffers", "id", say)
    for i, buffer in enumerate(problem.buffers):
        at = f"buffers[{i}]"
        numbers = {name: getattr(buffer, name) for name in ("start", "least", "most")}
        sound = [finite(value, f"{at}.{name}", say) for name, value in numbers.items()]
        if all(sound) and buffer.most < buffer.least:
            say(f"{at}.most", f"{buffer.most:g} is less than least ({buffer.least:g})")
        if buffer.draw:
            length(buffer.draw, problem.slots, f"{at}.draw", say)
        for k, much in enumerate(buffer.draw):
            finite(much, f"{at}.draw[{k}]", say)


def _flows(problem: Problem, job: ProblemJob, at: str, say: Say) -> None:
    buffers = [buffer.id for buffer in problem.buffers]
    for i, flow in enumerate(job.flows):
        known(flow.buffer, buffers, "buffer", f"{at}.flows[{i}].buffer", say)
        finite(flow.quantity, f"{at}.flows[{i}].quantity", say)


def _holding(problem: Problem, job: ProblemJob, at: str, say: Say, jobs: dict[str, ProblemJob]) -> None:
    batching = {machine.id for machine in problem.machines if machine.batch is not None}
    for i, rule in enumerate(job.after):
        at_least_zero(rule.holding_kw, f"{at}.after[{i}].holding_kw", say)
        before = jobs.get(rule.job)
        if rule.keeps_machine and before is not None:
            on = sorted({machine for option in before.options for machine in option.machines} & batching)
            if on:
                what = f"{before.id} is treated on {', '.join(on)} in batches, and a batch machine is kept by no single job"
                say(f"{at}.after[{i}].keeps_machine", what)


def _batches(problem: Problem, say: Say) -> None:
    for i, machine in enumerate(problem.machines):
        if machine.batch is not None:
            _batch(machine.batch, f"machines[{i}].batch", say)


def _batch(batch: Batch, at: str, say: Say) -> None:
    if not batch.recipes:
        say(f"{at}.recipes", "a batch machine needs at least one recipe")
    unique([recipe.name for recipe in batch.recipes], f"{at}.recipes", "name", say)
    for i, recipe in enumerate(batch.recipes):
        if not recipe.power_kw:
            say(f"{at}.recipes[{i}].power_kw", "a recipe needs at least one slot")
        for k, kw in enumerate(recipe.power_kw):
            at_least_zero(kw, f"{at}.recipes[{i}].power_kw[{k}]", say)
    if finite(batch.capacity, f"{at}.capacity", say) and batch.capacity <= 0:
        say(f"{at}.capacity", f"{batch.capacity:g} holds nothing; it must be above 0")
    at_least_zero(batch.least_fill, f"{at}.least_fill", say)
    if batch.least_fill > batch.capacity:
        say(f"{at}.least_fill", f"{batch.least_fill:g} is more than capacity ({batch.capacity:g})")


def _on_batch_machines(problem: Problem, job: ProblemJob, at: str, say: Say) -> None:
    batches = {machine.id: machine.batch for machine in problem.machines if machine.batch is not None}
    for i, option in enumerate(job.options):
        for machine in option.machines:
            if machine in batches:
                _in_batch(job, option, machine, batches[machine], f"{at}.options[{i}]", say)


def _in_batch(job: ProblemJob, option: Option, machine: str, batch: Batch, at: str, say: Say) -> None:
    """A job on a batch machine is in a batch of a recipe from its start to its end."""
    recipes = {recipe.name: recipe for recipe in batch.recipes}
    known(option.mode, recipes, f"recipe of {machine}", f"{at}.mode", say)
    recipe = recipes.get(option.mode)
    if recipe is not None and option.slots != len(recipe.power_kw):
        what = f"has {option.slots} values; recipe {recipe.name} of {machine} takes {len(recipe.power_kw)} slots"
        say(f"{at}.power_kw", what)
    if option.interruptible is not None:
        say(f"{at}.interruptible", f"a batch on {machine} is not interrupted")
    if finite(option.quantity, f"{at}.quantity", say) and option.quantity <= 0:
        say(f"{at}.quantity", f"{option.quantity:g} fills nothing; it must be above 0")
    if option.quantity > batch.capacity:
        say(f"{at}.quantity", f"{option.quantity:g} of {job.id} is more than {machine} holds ({batch.capacity:g})")

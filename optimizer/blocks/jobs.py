"""Jobs: each runs once, from one of its allowed starts."""

from optimizer.model import Model


def add(model: Model) -> None:
    """One variable a start; a job has exactly one start, and loads the slots of its run from there.

    Σ_s x[job, s] = 1        load[k] = Σ_job Σ_s x[job, s] · power[k − s]
    """
    for job, starts in zip(model.problem.jobs, model.plant.starts, strict=True):
        only = 1.0 if len(starts) == 1 else 0.0
        variables = [model.variable(only, 1.0, whole=True) for _ in starts]
        model.start.append(variables)
        if not only:
            model.require(model.total((x, 1.0) for x in variables) == 1, f"{job.id} starts once")
        for x, start in zip(variables, starts, strict=True):
            for slot in range(max(0, start.slot), min(start.end, model.plant.slots)):
                power_kw = start.option.power_kw[slot - start.slot]
                if power_kw:
                    model.job_kw[slot].append((x, power_kw))

"""What cannot be planned at all, seen without solving, in the plant's own words."""

import re

from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.sound import mistakes_in

# What a problem file may not say, but a plan can answer: a window that is too short, or people and things of which there
# are never enough, are a conflict, told with its cure; names and spans that say nothing are in nobody's way.
ANSWERED = re.compile(
    r"jobs\[\d+\]\.(must_end|latest_start|fixed): .*"
    r"|jobs\[\d+\]\.(needs\[\d+\]\.skill|options\[\d+\]\.uses\[\d+\]\.amount): (no roster|.* are asked for).*"
    r"|orders\[\d+\]\.(must_end|quantity|id): .*"
    r"|recurring\[\d+\]: .*"
    r"|(shifts|rosters|demand|limits|tiers|reductions|same_order)\[\d+\]: same .*"
    r"|[\w.\[\]]+: ends in slot .*"
    r"|battery\.start_kwh: .*is more than.*"
    r"|pv_kw\[\d+\]: .*is negative"
)


def contradictions(problem: Problem) -> tuple[str, ...]:
    """Where the problem contradicts itself, or says what no plan can mean; empty where there is a plan."""
    return _in_words(problem) or tuple(
        str(mistake) for mistake in mistakes_in(problem) if not ANSWERED.fullmatch(str(mistake))
    )


def _in_words(problem: Problem) -> tuple[str, ...]:
    """What can be told without naming a place in a file."""
    machines = {machine.id for machine in problem.machines}
    ids = {job.id for job in problem.jobs}
    found: list[str] = []
    for job in problem.jobs:
        found += _options(job, machines)
        found += _places(job)
        found += [
            f"job {job.id} follows job {rule.job}, which is not in the problem"
            for rule in job.after
            if rule.job not in ids
        ]
    if not found:
        found += _circles(problem)
    return (*found, *_battery(problem))


def _options(job: ProblemJob, machines: set[str]) -> list[str]:
    found = [
        f"job {job.id} runs on machine {machine}, which the plant does not have"
        for option in job.options
        for machine in option.machines
        if machine not in machines
    ]
    return found + [f"job {job.id} takes no time on {o.machine}" for o in job.options if not o.slots]


def _places(job: ProblemJob) -> list[str]:
    known = {(machine, option.mode) for option in job.options for machine in option.machines}
    places: tuple[tuple[str, Placement | None], ...] = (("in force", job.in_force), ("fixed", job.fixed))
    return [
        f"job {job.id} is {word} on {place.machine} {place.mode}".rstrip() + ", on which it cannot run"
        for word, place in places
        if place is not None and (place.machine, place.mode) not in known
    ]


def _circles(problem: Problem) -> list[str]:
    """Jobs that wait for each other."""
    waits = {job.id: {rule.job for rule in job.after} for job in problem.jobs}
    while True:
        free = {job for job, before in waits.items() if not before & waits.keys()}
        if not free:
            break
        waits = {job: before for job, before in waits.items() if job not in free}
    return [f"the jobs {', '.join(sorted(waits))} wait for each other"] if waits else []


def _battery(problem: Problem) -> list[str]:
    battery = problem.battery
    if battery is None:
        return []
    if battery.min_kwh > battery.capacity_kwh:
        return [f"the battery must keep {battery.min_kwh:g} kWh but holds only {battery.capacity_kwh:g} kWh"]
    if battery.end_kwh > battery.capacity_kwh:
        return [f"the battery must end with {battery.end_kwh:g} kWh but holds only {battery.capacity_kwh:g} kWh"]
    return []

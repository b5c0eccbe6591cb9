"""The command `loadstone why`: why a plan is as it is, and why not otherwise."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from energy.model.plan import Plan
    from energy.model.problem import Problem, ProblemJob

FORMS = ("%a %H:%M", "%a %d %b %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%H:%M")  # of a time that is asked about
MEANINGLESS = {"unknown job", "double job", "missing job", "option", "rows", "state rows", "length of run"}
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("problem", type=READABLE)
@click.argument("plan", type=READABLE)
@click.argument("job", required=False)
@click.option(
    "--at", "at", metavar="TIME", help='Only this start: "Tue 06:00", "2026-05-20 06:00" or 06:00, local time.'
)
@click.option("--machine", metavar="M", help="Only on this machine (its id or its name).")
@click.option("--bottlenecks", is_flag=True, help="What more room would gain: machine, crew, limit (plans again).")
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(min=0.5), help="Time to plan again.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")
def why(
    problem: Path,
    plan: Path,
    job: str | None,
    at: str | None,
    machine: str | None,
    bottlenecks: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Say why a PLAN puts each job of a PROBLEM where it does, or why a JOB is not earlier, later or elsewhere.

    Without JOB: what each move gains (energy, peak, carbon, labour), its next best place, what stands in the way of a
    better one, and why the others stay. With JOB: every place that it could have, in spans of starts that the same thing
    keeps it from, and what each free one would cost more.

    \b
    Examples:
      loadstone why examples/first-problem/problem.json examples/first-problem/plan.json
      loadstone why examples/first-problem/problem.json examples/first-problem/plan.json hardening
      loadstone why problem.json plan.json hardening --at "Wed 09:00" --machine furnace
      loadstone why problem.json plan.json --bottlenecks --seconds 60
    """
    from optimizer.why_table import each_table, job_table, more_room_table, said

    posed, planned = _read(problem, plan)
    if job is None and (at or machine):
        raise click.UsageError("--at and --machine ask about one job; name it: loadstone why PROBLEM PLAN JOB --at …")
    told: dict[str, Any] = {}
    lines: list[str] = []
    if job is not None:
        asked = _job(posed, job)
        slot = None if at is None else _slot(posed, at)
        part, rows = job_table(posed, planned, asked, machine=_machine(posed, asked, machine), slot=slot)
    else:
        part, rows = each_table(posed, planned, seconds=seconds)
    told |= part
    lines += rows
    if bottlenecks:
        part, rows = more_room_table(posed, planned, seconds=seconds)
        told |= part
        lines += ["", *rows]
    click.echo(json.dumps(said(posed, told), indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


def _read(problem: Path, plan: Path) -> "tuple[Problem, Plan]":
    from energy.errors import LoadstoneError
    from energy.exchange.problems import read_plan, read_problem
    from energy.planning.check import check
    from optimizer.contradictions import contradictions

    posed, planned = read_problem(problem), read_plan(plan)
    if planned.problem != posed.digest:
        raise LoadstoneError(f"{plan} answers another problem than {problem}; plan it anew with loadstone optimize")
    wrong = contradictions(posed)
    if wrong:
        raise LoadstoneError(f"{problem} contradicts itself:\n  " + "\n  ".join(wrong))
    off = [violation.what for violation in check(posed, planned) if violation.rule in MEANINGLESS]
    if off:
        raise LoadstoneError(f"{plan} is no plan of these jobs; loadstone check says more:\n  " + "\n  ".join(off[:10]))
    return posed, planned


def _job(problem: "Problem", asked: str) -> "ProblemJob":
    """The job of that id or name."""
    from energy.errors import LoadstoneError

    for job in problem.jobs:
        if asked in (job.id, job.name):
            return job
    known = ", ".join(job.id for job in problem.jobs[:20]) + (", …" if len(problem.jobs) > 20 else "")
    raise LoadstoneError(f"no job {asked!r} in the problem; its jobs are {known}")


def _machine(problem: "Problem", job: "ProblemJob", asked: str | None) -> str | None:
    """The id of a machine on which the job may run."""
    from energy.errors import LoadstoneError
    from energy.planning.plant_words import machine_name

    ours = sorted({machine for option in job.options for machine in option.machines})
    if asked is None:
        return None
    for machine in ours:
        if asked in (machine, machine_name(problem, machine)):
            return machine
    raise LoadstoneError(f"{job.id} cannot run on {asked!r}; it runs on {', '.join(ours)}")


def _slot(problem: "Problem", asked: str) -> int:
    """The slot of a local time: the first of the horizon that fits what was said."""
    from energy.clock import local
    from energy.errors import LoadstoneError

    for slot in range(problem.slots):
        begins = local(problem.horizon.time_of(slot), problem.zone)
        if asked.strip() in {begins.strftime(form) for form in FORMS}:
            return slot
    first = local(problem.horizon.time_of(0), problem.zone)
    last = local(problem.horizon.time_of(problem.slots - 1), problem.zone)
    raise LoadstoneError(
        f"--at {asked!r} is no slot of the horizon: local times from {first:%a %Y-%m-%d %H:%M} to {last:%a %Y-%m-%d %H:%M}, "
        f"every {problem.step_minutes} min, written as {first:%a %H:%M}, {first:%Y-%m-%d %H:%M} or {first:%H:%M}"
    )

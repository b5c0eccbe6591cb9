"""The command `loadstone optimize`: a problem file in, a plan out."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from energy.model.plan import LineKind, Plan
    from energy.model.problem import Problem

CURE_SECONDS = 6.0  # at most, after the plan: only where jobs stand against facts
SECONDS = 20.0
LOUD_SHARE = 0.01  # of the bill: where what gave way is priced above it, a share of both would flatter
MOST_TOLD = 20  # moves, those that gain most
LAST_RESORT_SECONDS = 3600.0  # where effort is counted as work


@click.command()
@click.argument("problem", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    help="Time for the plan; beside --work only the last resort.  [default: 20, beside --work 3600]",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file.")
@click.option(
    "--kind", default="milp", show_default=True, type=click.Choice(["milp", "greedy"]), help="Which optimizer."
)
@click.option(
    "--work",
    type=click.IntRange(min=1),
    help="Effort instead of time (nodes, groups of jobs): the same work and seed give the same plan, to the byte.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of every choice by chance.")
@click.option("--gap", default=0.005, show_default=True, type=click.FloatRange(0, 1), help="Proven gap that is enough.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only write the program to this file (.lp or .mps), for another solver.",
)
@click.option(
    "--frontier",
    type=click.IntRange(min=2),
    help="So many plans from least money to least carbon, each within --seconds, and what one more tonne costs; --out "
    "writes them as .json or .csv.",
)
def optimize(
    problem: Path,
    seconds: float | None,
    out: Path | None,
    kind: str,
    work: int | None,
    seed: int,
    gap: float,
    export: Path | None,
    frontier: int | None,
) -> None:
    """Plan the jobs of a PROBLEM file (JSON) at the least cost, and say what moves and why.

    \b
    Example:
      loadstone optimize examples/first-problem/problem.json --seconds 10 --out plan.json
      loadstone check examples/first-problem/problem.json plan.json
    """
    from energy.errors import LoadstoneError
    from energy.exchange.problems import read_problem, write_plan
    from optimizer.greedy import Greedy, dispatched
    from optimizer.milp import Milp
    from optimizer.progress import Progress
    from optimizer.why import against
    from optimizer.why_table import held_lines

    asked = read_problem(problem)
    for option, file in (("--out", out), ("--export", export)):
        if file is not None and not file.absolute().parent.is_dir():
            raise LoadstoneError(f"{option} {file}: there is no folder {file.absolute().parent}; make it first")
    if export is not None:
        _export(asked, export)
        return
    seconds = (SECONDS if work is None else LAST_RESORT_SECONDS) if seconds is None else seconds
    if frontier is not None:
        from optimizer.frontier_words import run

        if kind != "milp":
            raise LoadstoneError(f"--frontier asks for limits of carbon, which only --kind milp can keep, not {kind}")
        run(asked, Milp(gap=gap, work=work, seed=seed), points=frontier, seconds=seconds, out=out)
        return
    optimizer = Milp(gap=gap, work=work, seed=seed) if kind == "milp" else Greedy(work=work, seed=seed)
    progress = Progress(seconds, asked.currency, sys.stderr)
    try:
        answer = optimizer.solve(asked, seconds=seconds, progress=progress)
    except KeyboardInterrupt as stop:  # the child process that solves is ended as this one ends
        progress.done()
        raise LoadstoneError(
            "stopped before there was an answer; nothing is written. --seconds S answers sooner"
        ) from stop
    progress.done()
    if answer.plan is None:
        raise LoadstoneError("There is no plan:\n  " + "\n  ".join(answer.contradictions))
    before = dispatched(asked).plan
    assert before is not None  # the same problem has just been planned
    _print(asked, before, answer.plan)
    if out is not None:
        write_plan(answer.plan if work is None else _timeless(answer.plan), out)
        click.echo(f"\nWritten to {out}")
    for line in held_lines(asked, against(asked, answer.plan, seconds=min(CURE_SECONDS, seconds))):
        click.echo(line)


def _timeless(plan: "Plan") -> "Plan":
    """A plan that the same work makes again, to the byte: without how long it took this time."""
    return replace(plan, how=replace(plan.how, seconds=0.0))


def _export(problem: "Problem", file: Path) -> None:
    """The program as LP or MPS, as PuLP writes it."""
    from energy.errors import LoadstoneError
    from optimizer.contradictions import contradictions
    from optimizer.plant import Plant
    from optimizer.solve import build

    if file.suffix.lower() not in {".lp", ".mps"}:
        raise LoadstoneError(f"--export {file}: the name must end in .lp or .mps")
    wrong = contradictions(problem)
    if wrong:
        raise LoadstoneError("There is no program:\n  " + "\n  ".join(wrong))
    model = build(Plant(problem))
    program = model.program()
    if file.suffix.lower() == ".lp":
        program.writeLP(str(file))
    else:
        program.writeMPS(str(file))
    columns, rows, terms = model.size
    click.echo(f"{columns:,} columns, {rows:,} rows, {terms:,} nonzeros written to {file}")


def _print(problem: "Problem", before: "Plan", plan: "Plan") -> None:
    from energy.planning.explain import reasons

    click.echo(f"{plan.how}{_proven(problem, plan)}, {plan.how.seconds:.1f} s, {plan.how.solver}")
    if plan.how.note:
        click.echo(plan.how.note)
    click.echo(f"\n{'':24}{'in force':>14}{'plan':>14}{'change':>14}")
    kinds = _kinds(before, plan)
    for name, was, is_ in [
        *((kind.value, before.bill.amount(kind), plan.bill.amount(kind)) for kind in kinds if kind.is_money),
        ("paid for energy", before.bill.money, plan.bill.money),
        *((f"{kind.value} *", before.bill.amount(kind), plan.bill.amount(kind)) for kind in kinds if not kind.is_money),
        ("all lines", before.bill.total, plan.bill.total),
    ]:
        row = (f"{was:>14,.2f}", f"{is_:>14,.2f}", f"{round(is_ - was, 2) + 0.0:>+14,.2f}")
        click.echo(f"{f'{name}, {problem.currency}':24}{''.join(row)}".replace(" -0.00", "  0.00"))
    for name, was, is_ in (
        ("carbon, kg CO2e", before.bill.carbon_kg, plan.bill.carbon_kg),
        ("peak, kW", before.bill.peak_kw, plan.bill.peak_kw),
    ):
        click.echo(f"{name:24}{was:>14,.1f}{is_:>14,.1f}{is_ - was:>+14,.1f}")
    if any(not kind.is_money for kind in kinds):
        click.echo("* only weighed in the plan, on no bill")
    _print_risk(problem, plan)
    moves = reasons(problem, plan)
    click.echo(f"\n{len(moves)} of {len(problem.jobs)} jobs move" + (":" if moves else "."))
    told = (
        sorted(moves.values(), key=lambda reason: -reason.gain.money)[:MOST_TOLD]
        if len(moves) > MOST_TOLD
        else moves.values()
    )
    for reason in told:
        click.echo(f"  {reason.sentence}")
    if len(moves) > MOST_TOLD:
        click.echo(f"  … and {len(moves) - MOST_TOLD} more that gain less; `loadstone why PROBLEM PLAN` tells of each")
    if plan.gave_way:
        click.echo("\nWhat had to give way:")
    for given in plan.gave_way:
        click.echo(f"  {given.rule}: {given.by} (priced {given.price:,.2f} {problem.currency})")


def _proven(problem: "Problem", plan: "Plan") -> str:
    """How far the plan may be from the best one. Where rules gave way, a share of their loud prices says nothing about
    the bill; so the amount is told."""
    gap, bound = plan.how.gap, plan.how.bound
    if gap is None:
        return ""
    if bound is None or gap >= 1.0:
        return f", proven within {100 * gap:.2f} %"
    cost = max(bound / (1.0 - gap), bound / (1.0 + gap))  # what the gap is a share of, loud prices in it
    if cost - plan.bill.total <= LOUD_SHARE * abs(plan.bill.total):
        return f", proven within {100 * gap:.2f} %"
    return f", proven within {cost - bound:,.2f} {problem.currency}, the prices of what gave way in it"


def _print_risk(problem: "Problem", plan: "Plan") -> None:
    """What the plan costs if it comes otherwise, and how sure its peaks are."""
    risk = plan.risk
    if risk is None:
        return
    drawn = "" if problem.scenarios else f" drawn from the bands, seed {risk.seed}"
    costs = " / ".join(f"{cost:,.2f}" for cost in (risk.cost_p10, risk.cost_p50, risk.cost_p90))
    click.echo(f"\nIn {risk.scenarios} scenarios{drawn} it costs {costs} {problem.currency} (P10 / P50 / P90).")
    for peak in risk.peaks:
        click.echo(f"  {peak.window}: above {peak.above_kw:,.0f} kW in {100 * peak.chance:.0f} % of them")


def _kinds(*plans: "Plan") -> list["LineKind"]:
    """The kinds of lines that any of the plans has."""
    from energy.model.plan import LineKind

    return [kind for kind in LineKind if any(plan.bill.amount(kind) for plan in plans)]

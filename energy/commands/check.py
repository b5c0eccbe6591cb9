"""`loadstone check`: what a plan costs, line by line, and whether the auditor confirms it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from energy.model.plan import Bill, Plan
    from energy.model.problem import Problem

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("problem", type=READABLE)
@click.argument("plan", type=READABLE)
@click.option(
    "--as-is", is_flag=True, help="The plan is the as-is plan: its peaks start from those of the as-is chain."
)
def check(problem: Path, plan: Path, as_is: bool) -> None:
    """Check a plan against its problem, without the solver and without the code that priced it.

    Every rule of the plant is tried (windows, machines, crews, order of jobs, grid limits, battery) and every line of
    the bill is added up again. Prints the bill; exits 1 and names each broken rule where there is one.

    \b
    Example:
      loadstone check examples/first-problem/problem.json examples/first-problem/plan.json

    The formulas are in docs/planning.md, the file formats in docs/problem.schema.json and docs/plan.schema.json.
    """
    from energy.exchange.problems import read_plan, read_problem
    from energy.planning.check import check as violations_of

    posed, planned = read_problem(problem), read_plan(plan)
    found = violations_of(posed, planned, as_is_chain=as_is)
    click.echo(f"{plan}: {_head(posed, planned)}")
    for line in bill_table(planned.bill, posed.currency):
        click.echo(f"  {line}")
    if not found:
        click.echo("confirmed: every rule is kept and every line is right")
        return
    click.echo(f"not confirmed: {len(found)} rule{'s' if len(found) > 1 else ''} broken", err=True)
    for violation in found:
        click.echo(f"  {violation.rule}: {violation.what}", err=True)
    if planned.gave_way:
        click.echo("what had to give way, as the plan itself says:", err=True)
    for given in planned.gave_way:
        click.echo(f"  {given.rule}: {given.by}", err=True)
    raise SystemExit(1)


def plain(amount: float, digits: int) -> str:
    """A number as people write it: 1,234.50, and never minus nothing."""
    return f"{round(amount, digits) + 0.0:,.{digits}f}"


def bill_table(bill: "Bill", currency: str) -> list[str]:
    """The bill as aligned text, one line each, with its sums."""
    rows = [(str(line.kind), line.name, line.quantity, line.unit, line.amount) for line in bill.lines]
    first = max((len(kind) for kind, *_ in rows), default=0)
    width = max((len(name) for _, name, *_ in rows), default=0)
    lines = [
        f"{kind:<{first}} {name:<{width}} {f'{plain(quantity, 1)} {unit}':>18} {plain(amount, 2):>12}"
        for kind, name, quantity, unit, amount in rows
    ]
    pad = first + width + 20
    sums = (("paid for energy", bill.money), ("all lines (also those that nobody is billed)", bill.total))
    lines += [f"{name:<{pad}} {plain(amount, 2):>12} {currency}" for name, amount in sums]
    return [*lines, f"carbon {bill.carbon_kg:,.1f} kg CO2e, highest import {bill.peak_kw:,.1f} kW"]


def _head(problem: "Problem", plan: "Plan") -> str:
    hours = problem.slots * problem.step_minutes / 60
    gave = f"; {len(plan.gave_way)} rules gave way" if plan.gave_way else ""
    return f"{len(plan.placements)} jobs over {hours:g} h at {problem.site}, {plan.how}{gave}"

"""The curve of money against carbon for people: a table on the screen, a JSON or CSV file."""

import csv
import json
from pathlib import Path

import click

from energy.errors import LoadstoneError
from energy.exchange.problems import to_json
from energy.model.plan import Plan
from energy.model.problem import Problem
from optimizer.frontier import Frontier, frontier, rows
from optimizer.milp import Milp

FORMAT = "loadstone-frontier/1"


def run(problem: Problem, optimizer: Milp, *, points: int, seconds: float, out: Path | None) -> None:
    """Work the curve out, print it, and write it where that is asked for."""
    if out is not None and out.suffix.lower() not in {".json", ".csv"}:
        raise LoadstoneError(f"--out {out}: a curve is written as .json or .csv")

    def told(number: int, plan: Plan) -> None:
        click.echo(f"  {number}: {plan.bill.carbon_kg:,.1f} kg, {plan.how}", err=True)

    curve = frontier(problem, optimizer, points=points, seconds=seconds, told=told)
    if curve.contradictions:
        raise LoadstoneError("There is no plan:\n  " + "\n  ".join(curve.contradictions))
    _print(problem, curve)
    if out is not None:
        write(problem, curve, out)
        click.echo(f"\nWritten to {out}")


def _print(problem: Problem, curve: Frontier) -> None:
    click.echo(f"{f'cost, {problem.currency}':>16}{'carbon, kg':>14}{'1 t less costs':>16}{'moved':>8}{'gap, %':>9}")
    for row in rows(problem, curve):
        next_tonne, gap = row["next_tonne_costs"], row["gap"]
        tonne = "" if next_tonne is None else f"{next_tonne:,.2f}"
        proven = "none" if gap is None else f"{100 * float(str(gap)):.2f}"
        click.echo(f"{row['money']:>16,.2f}{row['carbon_kg']:>14,.1f}{tonne:>16}{row['moved']:>8}{proven:>9}")
    click.echo("\nThe cost is every line of the bill but the price of carbon.")
    if len(curve.points) == 1:
        click.echo("The cheapest plan is also the one that emits least.")
    for dropped in curve.dropped:
        point = dropped.point
        click.echo(f"Left out: {point.money:,.2f} {problem.currency} with {point.carbon_kg:,.1f} kg; {dropped.why}.")


def write(problem: Problem, curve: Frontier, out: Path) -> None:
    """As JSON with every plan, or as CSV without."""
    table = list(rows(problem, curve))
    if out.suffix.lower() == ".csv":
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(table[0]))
            writer.writeheader()
            writer.writerows(table)
        return
    said = {
        "format": FORMAT,
        "problem": problem.digest,
        "currency": problem.currency,
        "points": [
            {**row, "plan": json.loads(to_json(point.plan))} for row, point in zip(table, curve.points, strict=True)
        ],
        "dropped": [
            {"money": each.point.money, "carbon_kg": each.point.carbon_kg, "why": each.why} for each in curve.dropped
        ],
    }
    out.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"""`loadstone machines`: what the meters tell of each machine in a week."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from energy.reports.pages import MachineLine, MachinePage, MachinesPage


@click.command(short_help="Show what each machine does, wastes and needs by its meter.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.",
)
@click.option("--machine", help="Only this one, with its learned power and its last work.")
@click.option("--week", help="A local week, like 2026-W24. Default: the newest whole one.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def machines(config: Path, machine: str | None, week: str | None, as_json: bool) -> None:
    """Show what each machine's meter tells: hours and energy off, idle, holding, running; waste and what would help.

    Waste is energy of a machine that was on and did nothing for longer than switching it off and on takes, at the price
    of each quarter hour. Then, where a machine needs more energy for the same work than it used to: how much, since when
    and how sure. Reads the store; `loadstone schedule` learns each night.

    Example: loadstone machines --machine furnace-1 --week 2026-W24
    """
    from energy.build import build_service

    service = build_service(config)
    page = service.machines_page(week)
    one = service.machine_page(machine) if machine else None
    if as_json:
        click.echo(json.dumps(plain(page, one), indent=1))
        return
    for line in told(page, one):
        click.echo(line)


def told(page: "MachinesPage", one: "MachinePage | None") -> list[str]:
    """The week in lines."""
    from energy.reports.machines import WHAT
    from energy.reports.machines import told as drift_told

    if not page.weeks:
        return ["Nothing learned yet: a machine needs a meter of its own and a day of readings (`loadstone schedule`)."]
    lines = [f"{page.header.name}, week {page.week}", ""]
    shown = [line for line in page.lines if one is None or line.id == one.line.id]
    head = f"{'machine':<18}{'off h':>8}{'idle h':>8}{'hold h':>8}{'run h':>8}{'? h':>6}{'kWh':>9}{'waste kWh':>11}"
    lines += [f"{head}{page.header.currency:>9}"]
    lines += [row(line) for line in shown]
    lines += ["", *(f"{line.name}: {help_}" for line in shown for help_ in advice_lines(line, page.header.currency))]
    drifts = [d for d in page.drifts if one is None or d.machine == one.line.id]
    lines += [f"{page.names[d.machine]} needs {WHAT[d.of]}: {drift_told(d, page.header.zone)}" for d in drifts]
    if not drifts:
        lines += ["No drift found."]
    if page.unmetered:
        lines += [f"No meter of their own: {', '.join(page.unmetered)}"]
    return [*lines, *(profile_lines(one) if one else [])]


def row(line: "MachineLine") -> str:
    hours = {e.state.value: e.hours for e in line.energy}
    cells = "".join(f"{hours.get(state, 0.0):>8.1f}" for state in ("off", "idle", "holding", "running"))
    money = "–" if line.waste_money is None else f"{line.waste_money:,.2f}"
    unknown = hours.get("unknown", 0.0)
    return f"{line.name[:17]:<18}{cells}{unknown:>6.1f}{line.kwh:>9,.0f}{line.waste_kwh:>11,.0f}{money:>9}"


def advice_lines(line: "MachineLine", currency: str) -> list[str]:
    found = []
    for it in line.advice:
        money = "" if it.money is None else f", {it.money:,.0f} {currency}"
        found.append(f"{it.text}: {it.kwh:,.0f} kWh{money} a week")
    return found


def profile_lines(one: "MachinePage") -> list[str]:
    """The learned power of a machine beside what is typed in."""
    if not one.profiles:
        return ["", "No power profile learned yet: five metered runs of a product are needed."]
    lines = ["", f"Learned power above idle, {one.used}:"]
    lines += [f"{'product':<22}{'runs':>5}{'P10 kW':>9}{'P50 kW':>9}{'P90 kW':>9}{'typed kW':>10}{'differs':>9}"]
    for it in one.profiles:
        name = f"{it.profile.product} {it.profile.mode}".strip()
        kw = [sum(row) / len(row) for row in (it.p10_kw, it.p50_kw, it.p90_kw)]
        typed = f"{sum(it.typed_kw) / len(it.typed_kw):>10.1f}" if it.typed_kw else f"{'–':>10}"
        off = "–" if it.difference is None else f"{100 * it.difference:+.1f} %"
        lines += [f"{name[:21]:<22}{it.profile.runs:>5}{kw[0]:>9.1f}{kw[1]:>9.1f}{kw[2]:>9.1f}{typed}{off:>9}"]
    return lines


def plain(page: "MachinesPage", one: "MachinePage | None") -> dict[str, Any]:
    """The page as JSON, without the spans of each state."""
    from dataclasses import replace

    from energy.exchange.codec import dump

    def of(noun: object) -> Any:
        return json.loads(dump(noun))

    lines = [replace(line, spans=()) for line in page.lines if one is None or line.id == one.line.id]
    said: dict[str, Any] = {
        "week": page.week,
        "currency": page.header.currency,
        "machines": [of(line) | {"waste_kwh": line.waste_kwh, "kwh": line.kwh} for line in lines],
        "drifts": [of(drift) for drift in page.drifts if one is None or drift.machine == one.line.id],
        "without a meter": list(page.unmetered),
    }
    if one is not None:
        said["profiles"] = [of(line) for line in one.profiles]
        said["work"] = [of(work) for work in one.work]
    return said

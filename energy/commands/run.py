"""`loadstone run`, `loadstone schedule`, `loadstone step`: the service, its scheduler, and one step by hand."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.yaml.",
)
STEPS = ("fetch", "collect", "predict", "respond", "plan", "propose", "dispatch", "verify", "heartbeat", "facts")


@click.command()
@CONFIG
@click.option("--simulate/--no-simulate", default=False, help="Also start the simulated plant behind the meters.")
@click.option("--dashboard/--no-dashboard", "with_dashboard", default=True, help="Also start the dashboard.")
def run(config: Path, simulate: bool, with_dashboard: bool) -> None:
    """Run the whole service of one plant: collector, scheduler and dashboard, supervised.

    A process that ends is started again; Ctrl-C (or SIGTERM) ends them all and leaves none behind.

    Example: loadstone run --config plant.yaml
    """
    from energy.config import load_settings
    from energy.supervisor import Role, supervise

    settings = load_settings(config)
    roles = [
        Role("collector", ["collect", "--config", str(config)]),
        Role("scheduler", ["schedule", "--config", str(config)]),
    ]
    if simulate:
        roles.insert(0, Role("simulated plant", ["simulate", "--config", str(config)]))
    if with_dashboard:
        roles.append(Role("dashboard", ["dashboard", "--config", str(config)]))
    click.echo(f"{settings.site.name}: {', '.join(role.name for role in roles)} running; Ctrl-C ends all of it.")
    if with_dashboard:
        click.echo(f"Dashboard: http://{settings.dashboard.address}:{settings.dashboard.port}")
    raise SystemExit(supervise(roles))


@click.command()
@CONFIG
def schedule(config: Path) -> None:
    """Run the scheduler alone: the hourly heartbeat, offers at the plant's own times, facts within the minute.

    Example: loadstone schedule --config plant.yaml
    """
    import logging
    import signal
    import threading

    from energy.build import build_service
    from energy.schedule import Schedule

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    Schedule(build_service(config)).run_until(stop)


@click.command()
@CONFIG
@click.argument("name", type=click.Choice(STEPS))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="For verify: the local day to account.")
def step(config: Path, name: str, day: object) -> None:
    """Run one step by hand, now, and print what it made.

    The same inputs write nothing new, so a step may be run as often as you like.

    Example: loadstone step plan
    """
    from datetime import datetime

    from energy.build import build_service

    service = build_service(config)
    if name == "verify":
        made = service.verify(day.date()) if isinstance(day, datetime) else service.verify_due()
    elif name == "propose":
        made = service.propose(service.plan())
    elif name == "facts":
        made = service.answer_facts()
    else:
        made = getattr(service, name)()
    click.echo(describe(made))


def describe(made: object) -> str:
    """What a step made, in a few lines."""
    from energy.store.store import Planning

    if isinstance(made, Planning):
        before, after = made.in_force.bill, made.plan.bill
        return (
            f"plan {made.digest[:8]}: {made.plan.how}; {before.money:,.2f} → {after.money:,.2f} {made.problem.currency}, "
            f"{before.carbon_kg:,.0f} → {after.carbon_kg:,.0f} kg CO2e, peak {before.peak_kw:,.0f} → {after.peak_kw:,.0f} kW"
            + "".join(f"\n  note: {note}" for note in made.notes)
        )
    return str(made)

"""`loadstone run`, `loadstone schedule`, `loadstone step`: the service, its scheduler, and one step by hand."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from energy.config import Settings
    from energy.model.proposal import Gain

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.yaml.",
)
END_SECONDS = 5.0  # real seconds that a running round has to end by itself
STEPS = ("fetch", "collect", "predict", "respond", "plan", "propose", "dispatch", "verify", "heartbeat", "facts")


@click.command(short_help="Run the whole service of one plant.")
@CONFIG
@click.option("--simulate/--no-simulate", default=False, help="Also start the simulated plant behind the meters.")
@click.option("--dashboard/--no-dashboard", "with_dashboard", default=True, help="Also start the dashboard.")
def run(config: Path, simulate: bool, with_dashboard: bool) -> None:
    """Run the whole service of one plant: collector, scheduler and dashboard, supervised.

    Where the config has a section `api`, the door for edge boxes and gateways is opened too.

    A process that ends is started again; Ctrl-C (or SIGTERM) ends them all and leaves none behind.

    Example: loadstone run --config plant.yaml
    """
    from energy.config import load_settings
    from energy.errors import LoadstoneError
    from energy.supervisor import Role, supervise

    log_to_screen()
    settings = load_settings(config)
    if simulate and settings.twin is None:
        raise LoadstoneError(f"{config}: no section `twin`, so no simulated plant; `twin: {{}}` makes it one")
    roles = [
        Role("collector", ["collect", "--config", str(config)]),
        Role("scheduler", ["schedule", "--config", str(config)]),
    ]
    if simulate:
        roles.insert(0, Role("simulated plant", ["simulate", "--config", str(config)]))
    if settings.api is not None:
        refuse_weak_tokens(settings)
        roles.append(Role("door", ["api", "--config", str(config)]))
    if with_dashboard:
        roles.append(Role("dashboard", ["dashboard", "--config", str(config)]))
    click.echo(f"{settings.site.name}: {', '.join(role.name for role in roles)} running; Ctrl-C ends all of it.")
    if with_dashboard:
        click.echo(f"Dashboard: http://{settings.dashboard.address}:{settings.dashboard.port}")
    raise SystemExit(supervise(roles))


def refuse_weak_tokens(settings: "Settings") -> None:
    """A token that is missing or easy to guess is said before anything starts, and not in a restart every few seconds."""
    from energy.config.doors import tokens
    from energy.errors import ConfigError

    if settings.api is not None:
        _, mistakes = tokens(settings.api, dict(settings.environ))
        if mistakes:
            raise ConfigError(settings.path.name, mistakes)


@click.command()
@CONFIG
def schedule(config: Path) -> None:
    """Run the scheduler alone: the hourly heartbeat, offers at the plant's own times, facts within the minute.

    Example: loadstone schedule --config plant.yaml
    """
    import logging
    import os
    import signal
    import threading

    from energy.build import service_of
    from energy.config import load_settings
    from energy.schedule import Schedule

    log_to_screen()
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    settings = load_settings(config)
    with alone(settings.folder / "var" / "scheduler.lock", stop):
        if stop.is_set() or Schedule(service_of(settings)).run_until(stop, END_SECONDS):
            return
        # A solve may take long and cannot be told to hurry. Whatever was not recorded as done is done at the next start.
        logging.getLogger("loadstone.schedule").info(
            "stopped in the middle of a round; it is run again at the next start"
        )
        logging.shutdown()
        os._exit(0)


def log_to_screen() -> None:
    """What the service says of itself goes to standard error."""
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for name, level in (("apscheduler", logging.CRITICAL), ("alembic", logging.WARNING), ("cmdstanpy", logging.ERROR)):
        logging.getLogger(name).setLevel(level)


@contextmanager
def alone(path: Path, stop: "Event") -> "Iterator[None]":
    """One scheduler of a plant at a time: a second one waits until the first has ended, however that ended."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        said = False
        while not stop.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not said:
                    click.echo("Another scheduler of this plant runs; this one waits until that has ended.", err=True)
                said = True
                stop.wait(0.5)
        yield


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
        click.echo(describe(service.verify(day.date()) if isinstance(day, datetime) else service.verify_due()))
    elif name == "propose":
        click.echo(describe(service.propose(service.plan())))
    elif name == "facts":
        click.echo(describe(service.answer_facts() or "no fact waits for an answer"))
    else:
        click.echo(describe(getattr(service, name)()))


def band(gain: "Gain") -> str:
    """How sure a gain on forecast prices is; empty where all are published."""
    if gain.low is None or gain.high is None or gain.forecast_share <= 0:
        return ""
    return (
        f" (P10 {gain.low:,.2f}, P90 {gain.high:,.2f}; {gain.uncorrected:,.2f} by the forecast alone, on which "
        f"{gain.forecast_share:.0%} rests)"
    )


def describe(made: object) -> str:
    """What a step made, in a few lines."""
    from energy.model.savings import DaySavings, Kind
    from energy.planning.gain_risk import told_gain
    from energy.steps.predict import Predicted
    from energy.steps.propose import Proposed
    from energy.store.store import Planning

    if isinstance(made, list):
        return "\n".join(describe(part) for part in made) or "nothing was due"
    if isinstance(made, Predicted):
        lines = [
            f"{f.target}: by {f.source}, {f.horizon.slots} slots from {f.horizon.start:%Y-%m-%d %H:%M} UTC, "
            f"mean {f.p50.values.mean():,.3f} {f.p50.unit}" + "".join(f"\n  note: {flag}" for flag in f.flags)
            for f in made.forecasts
        ]
        return "\n".join([*lines, *(f"{target}: no history to learn from" for target in made.without_history)])
    if isinstance(made, Proposed):
        rows = [("offered", made.new), ("still open", made.kept), ("ended", made.ended)]
        return "\n".join(
            f"{word}: {o.headline}, {o.gain.money:,.2f} estimated{band(o.gain)}" for word, those in rows for o in those
        ) or ("nothing is offered now")
    if isinstance(made, DaySavings):
        if made.metered_money is None:
            return f"{made.day}: not measurable ({'; '.join(made.notes)})"
        kinds = ", ".join(f"{kind} {made.money(kind):,.2f}" for kind in Kind if made.money(kind))
        return f"{made.day}: {made.metered_money:,.2f} {made.currency} metered; saved: {kinds or 'nothing'}"
    if isinstance(made, Planning):
        before, after = made.in_force.bill, made.plan.bill
        gain = told_gain(made.problem, made.in_force, made.plan)
        sure = f"\n  it gains {gain.money:,.2f}{said}" if (said := band(gain)) else ""
        return (
            f"plan {made.digest[:8]}: {made.plan.how}; {before.money:,.2f} → {after.money:,.2f} {made.problem.currency}, "
            f"{before.carbon_kg:,.0f} → {after.carbon_kg:,.0f} kg CO2e, peak {before.peak_kw:,.0f} → {after.peak_kw:,.0f} kW"
            + sure
            + "".join(f"\n  note: {note}" for note in made.notes)
        )
    return str(made)

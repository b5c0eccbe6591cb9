"""`loadstone demo`: a living factory on this machine, without account, network or server."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant to simulate.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demo keeps its files; made anew each time.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 600),
    default=1.0,
    show_default=True,
    help="How fast the plant's clock runs: 60 makes a minute an hour.",
)
@click.option(
    "--weeks",
    type=click.IntRange(3, 26),
    default=8,
    show_default=True,
    help="Weeks of history, the last one planned daily.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="The dashboard's port, where the config's is taken."
)
@click.option("--headless", is_flag=True, help="No dashboard: one cycle, then a summary as JSON on the last line.")
def demo(config: Path, folder: Path, speed: float, weeks: int, port: int | None, headless: bool) -> None:
    """Start a living factory: simulated machines behind real Modbus TCP meters on loopback.

    It makes weeks of history (the last of them planned every day, the offers accepted by a demo planner, logged so),
    runs a planning cycle, then starts collector, scheduler and dashboard. Ctrl-C ends all of it.

    Example: loadstone demo --speed 60
    """
    import logging

    from energy import demo as living

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    plant = living.prepare(config, folder, weeks=weeks, port=port, say=click.echo)
    if headless:
        click.echo(living.headless(plant, say=click.echo))
    else:
        raise SystemExit(living.run(plant, speed=speed, say=click.echo))

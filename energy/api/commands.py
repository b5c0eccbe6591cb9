"""`loadstone api`: the door for edge boxes and gateways, and the tokens for it."""

from contextlib import suppress
from pathlib import Path

import click


@click.group(invoke_without_command=True, short_help="Open the door for edge boxes and gateways that push (HTTP).")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.yaml.",
)
@click.pass_context
def api(context: click.Context, config: Path) -> None:
    """Open the door for edge boxes and gateways: HTTP, for machines only.

    It listens where the section `api` of the config says, on this machine alone unless you mean otherwise. `loadstone run`
    opens it too where the section is there. Ctrl-C shuts it.

    Example: loadstone api --config plant.yaml
    """
    if context.invoked_subcommand is not None:
        return
    from energy.config import load_settings
    from energy.errors import LoadstoneError

    try:
        from energy.api.serve import server
    except ImportError as error:
        raise LoadstoneError(f"the door needs more packages ({error.name}): pip install 'loadstone[api]'") from error

    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    made, where = server(load_settings(config))
    click.echo(f"Door for edge boxes and gateways: {where}")
    with suppress(SystemExit):  # uvicorn's way of saying that it could not listen
        made.run()
    if not made.started:
        raise LoadstoneError(f"{where} could not be opened; is another program there?")


@api.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token for the edge box or gateway NAME, and say where it goes.

    Nothing is kept: the token is the one printed. Anyone who has it can send readings in that name.

    Example: loadstone api token hall-3
    """
    import secrets

    from energy.config.doors import variable_of

    made = secrets.token_urlsafe(32)
    click.echo("At the centre, in the environment of `loadstone run` (such as /etc/loadstone/secrets):\n")
    click.echo(f"  {variable_of(name)}={made}\n")
    click.echo("At the box, in the environment of `loadstone edge`; a gateway sends it as `Authorization: Bearer …`:\n")
    click.echo(f"  LOADSTONE_EDGE_TOKEN={made}")

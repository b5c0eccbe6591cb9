"""The command line: a thin door. Commands come in through the entry points `loadstone.commands`."""

import sys
from importlib.metadata import entry_points

import click

from energy.errors import LoadstoneError


class Commands(click.Group):
    """A group whose commands are found by name through entry points, ours and those of other packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({point.name for point in entry_points(group="loadstone.commands")})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for point in entry_points(group="loadstone.commands", name=cmd_name):
            command = point.load()
            return command if isinstance(command, click.Command) else None
        return None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="loadstone")
def cli() -> None:
    """Energy management and demand response for factories.

    Loadstone reads power meters, forecasts load and price, and proposes which energy-intensive jobs to run at another
    time, so that the same production costs less and emits less.

    Start with `loadstone demo` (a simulated plant) or `loadstone init` (your own), then `loadstone doctor`.
    """


def main() -> None:
    """Run the command line; what a person can mend is printed as text, never as a traceback."""
    try:
        cli(standalone_mode=True)
    except LoadstoneError as error:
        click.echo(f"loadstone: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

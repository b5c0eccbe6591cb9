"""The command that opens the screens."""

import os
import subprocess
import sys
from pathlib import Path

import click


def streamlit_command(address: str, port: int) -> list[str]:
    """The child process that serves the screens. The look comes from dashboard/.streamlit/config.toml beside app.py."""
    app = Path(__file__).parent / "app.py"
    flags = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
    }
    return [
        sys.executable,
        "-m",
        "dashboard.serve",
        "run",
        str(app),
        *(f"--{key}={value}" for key, value in flags.items()),
    ]


def environment(config: Path) -> dict[str, str]:
    """What the child needs to know."""
    return {**os.environ, "LOADSTONE_CONFIG": str(config.resolve())}


def listens(config: Path) -> tuple[str, int]:
    """Where the plant's config wants the screens to listen."""
    from energy.config import load_settings

    said = load_settings(config).dashboard
    return said.address, said.port


@click.command()
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant.",
)
@click.option("--address", help="Where to listen, instead of what the config says.")
@click.option("--port", type=click.IntRange(1, 65535), help="On which port, instead of what the config says.")
def dashboard(config: Path, address: str | None, port: int | None) -> None:
    """Open the screens of a plant in the browser.

    They read and decide through the same store as `loadstone run`, which starts them too; this command is for a
    second screen or for a plant whose other parts run elsewhere. Ctrl-C ends it.

    \b
    Example:
      loadstone dashboard --config config.yaml --port 8502
    """
    if not config.exists() and "LOADSTONE_SERVICE" not in os.environ:
        raise click.ClickException(f"there is no {config}; `loadstone init` writes a first one")
    if address is None or port is None:
        said_address, said_port = listens(config)
        address, port = address or said_address, port or said_port
    click.echo(f"Screens: http://{address}:{port}")
    child = subprocess.Popen(streamlit_command(address, port), env=environment(config))
    try:
        code = child.wait()
    except KeyboardInterrupt:
        child.terminate()
        code = child.wait(10)
    sys.exit(0 if code in (0, -15) else code)

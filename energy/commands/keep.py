"""`loadstone backup` and `loadstone restore`: the whole store in one file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which store is meant."""
    options = (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            default=Path("config.yaml"),
            show_default=True,
            help="The plant's config; its store.url says where the store is.",
        ),
        click.option("--store", "url", metavar="URL", help="The store itself, without a config."),
        click.option("--site", metavar="ID", help="The site in that store. Only with --store."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _store(config: Path, url: str | None, site: str | None) -> tuple[str, str]:
    """The store's URL and the site's id, from the options or the config."""
    if url is not None:
        return url, site or ""
    if site is not None:
        raise click.UsageError("--site goes with --store; with a config the site is the config's own")
    from energy.config import load_settings

    settings = load_settings(config)
    return settings.store.url, settings.site.id


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_where
def backup(file: Path, config: Path, url: str | None, site: str | None) -> None:
    """Write the whole store to FILE, as it is at this moment.

    Nothing needs to be stopped: readings and decisions go on while the copy is made. FILE must not be there yet, so a
    nightly backup carries its date in its name:

    \b
        loadstone backup backups/plant-2-$(date +%F).sqlite

    Keep config.yaml and the secrets beside it; they are not in the store. A store on PostgreSQL is kept with pg_dump.
    """
    from energy.store.store import Store

    with Store.open(*_store(config, url, site)) as store:
        store.backup(file)
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_where
def restore(file: Path, config: Path, url: str | None, site: str | None) -> None:
    """Put the backup FILE in the place of the store.

    Stop Loadstone first: a store that is in use is not touched. The store that was there is kept beside, under a name
    that says when. A backup of an older Loadstone is brought to the newest schema when the store is next opened.

    \b
        loadstone restore backups/plant-2-2026-05-20.sqlite
    """
    from energy.store.store import restore as put_back

    place, _ = _store(config, url, site)
    beside = put_back(file, place)
    click.echo(f"{file} is now the store {place}")
    if beside is not None:
        click.echo(f"what was there before is kept as {beside}")

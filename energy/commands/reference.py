"""`docs/cli.md`, made from the commands themselves, so that it cannot say anything else.

python -m energy.commands.reference docs/cli.md
"""

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click

WIDTH = 100
HEAD = """\
# The command line

What `loadstone COMMAND --help` says, in one page. Commands are found through the entry points `loadstone.commands`, so a
package of your own may add some. Every command ends with 0 where all went well; what a person can mend is said as text,
with 1 or 2.

<!-- Made by `python -m energy.commands.reference docs/cli.md`; a test compares. -->
"""


def text() -> str:
    """The whole page."""
    parts = [HEAD]
    for point in sorted(entry_points(group="loadstone.commands"), key=lambda found: found.name):
        command = point.load()
        parts += [section(context) for context in contexts(command, f"loadstone {point.name}", 2)]
    return "\n".join(parts)


def contexts(command: click.Command, name: str, level: int) -> Iterator[tuple[click.Context, int]]:
    """A command, then those within it, each as `--help` sees it."""
    context = click.Context(
        command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )
    yield context, level
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from contexts(found, f"{name} {inner}", level + 1)


def section(said: tuple[click.Context, int]) -> str:
    """A heading and the help below it."""
    context, level = said
    return f"{'#' * level} {context.info_name}\n\n```text\n{context.get_help().rstrip()}\n```\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())

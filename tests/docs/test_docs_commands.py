"""Every command that a page names exists, with its options; the cheap ones are run."""

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks, commands, lines_of_code, name

STOP = {"|", "&&", "||", ">", ">>", ";", "&", "2>&1"}
PLACES = ("…", "NAME", "COMMAND", "FILE", "URL", "ID", "HOST")  # words that stand for something
CHEAP = ("loadstone check examples/", "loadstone meters list", "loadstone optimize examples/first-problem/")
WORDS_OF_OURS = {"--version", "--help", "-h"}

# What the pages take for granted in the folder of a plant: a config with these meters and machines.
PLANT = """
type,id,name,group,rated_kw,idle_kw,connection_kw,machine,profile,host,port,unit
grid,grid,Grid connection,,,,1000,,siemens-pac,127.0.0.1,502,1
machine,oven-1,Oven 1,ovens,210,12,300,,eastron-sdm630,127.0.0.1,502,3
machine,press-1,Press 1,presses,105,5,,,,,,
""".lstrip()


def words(command: str) -> list[str]:
    """The words of one command, up to a pipe or a comment."""
    found = shlex.split(re.sub(r"\$\([^)]*\)", "TODAY", command), comments=True)
    end = next((i for i, word in enumerate(found) if word in STOP), len(found))
    return found[1:end]


def context_of(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name, help_option_names=["-h", "--help"])


def complaint(said: list[str]) -> str:
    """What is wrong with the words after `loadstone`, or nothing."""
    if not said or said[0] in WORDS_OF_OURS or said[0] in PLACES:
        return ""
    points = entry_points(group="loadstone.commands", name=said[0])
    if not points:
        return f"no command {said[0]!r}"
    command, rest = next(iter(points)).load(), said[1:]
    context = context_of(command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-") and rest[0] not in PLACES:
        inner = command.get_command(context, rest[0])
        if inner is None:
            return f"no command {said[0]} {rest[0]!r}"
        command, rest = inner, rest[1:]
        context = context_of(command)
    rest = [word for word in rest if word != "…"]
    try:
        given, left, _ = command.make_parser(context).parse_args(list(rest))
    except click.UsageError as error:
        return error.format_message()
    if left and not isinstance(command, click.Group):
        return f"too many words: {left}"
    return wrong_choice(command, context, given)


def wrong_choice(command: click.Command, context: click.Context, given: dict[str, object]) -> str:
    for param in command.params:
        value = given.get(param.name or "")
        if isinstance(value, str) and isinstance(param.type, click.Choice | click.IntRange | click.FloatRange):
            try:
                param.type.convert(value, param, context)
            except click.BadParameter as error:
                return error.format_message()
    return ""


def missing(said: list[str]) -> str:
    """Options that a whole command line needs and lacks."""
    command, rest = next(iter(entry_points(group="loadstone.commands", name=said[0]))).load(), said[1:]
    context = context_of(command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):  # a group may have options too
        command, rest = command.get_command(context, rest[0]), rest[1:]
        context = context_of(command)
    given, _, _ = command.make_parser(context).parse_args(list(rest))
    absent = [p.name for p in command.params if p.required and not given.get(p.name) and "help" not in given]
    return "" if not absent or given.get("help") else f"needs {', '.join(absent)}"


@pytest.mark.parametrize("page", [p for p in PAGES if any(commands(p))], ids=name)
def test_every_command_of_a_page_exists(page: Path) -> None:
    wrong = {f"{number}: {command}": said for number, command in commands(page) if (said := complaint(words(command)))}
    assert not wrong


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "cli.md" and any(lines_of_code(p))], ids=name)
def test_every_command_in_a_block_is_whole(page: Path) -> None:
    wrong = {
        f"{number}: {command}": said
        for number, command in lines_of_code(page)
        if not set(words(command)) & {*PLACES, *WORDS_OF_OURS} and (said := missing(words(command)))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("loadstone plan", "no command 'plan'"),
        ("loadstone meters wirte", "no command meters 'wirte'"),
        ("loadstone run --fast", "No such option"),
        ("loadstone step planing", "not one of"),
        ("loadstone demo --speed 9000", "not in the range"),
        ("loadstone run --config plant.yaml", ""),
        ('loadstone import jobs orders.xlsx --sheet "Week 21" # a comment', ""),
    ],
)
def test_a_wrong_command_would_be_noticed(command: str, said: str) -> None:
    found = complaint(words(command))
    assert said in found if said else not found


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        command, shell=True, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "command",
    sorted({command for page in PAGES for _, command in lines_of_code(page) if command.startswith(CHEAP)}),
)
def test_cheap_commands_run(command: str, tmp_path: Path) -> None:
    for room in ("examples", "meters"):
        (tmp_path / room).symlink_to(ROOT / room)
    done = run(command.replace("plan.json", str(tmp_path / "plan.json")) if "--out" in command else command, tmp_path)
    if command.endswith("/problem.json plan.json"):
        assert "plan.json" in done.stdout + done.stderr  # it wants what the line before it wrote
    else:
        assert done.returncode == 0, done.stdout + done.stderr


def pages_to_run() -> list[Path]:
    return [page for page in PAGES if any("run" in block.words for block in blocks(page, "bash"))]


@pytest.mark.parametrize("page", pages_to_run(), ids=name)
def test_a_page_can_be_walked_through(page: Path, tmp_path: Path) -> None:
    """Files that a page shows under a name are written, blocks marked `run` are run, in the order of the page."""
    (tmp_path / "machines.csv").write_text(PLANT)
    assert run("yes '' | head -40 | loadstone init --from machines.csv", tmp_path).returncode == 0
    assert run("loadstone import jobs none.csv", tmp_path).returncode != 0  # a failing line would be noticed
    opened: Block | None = None
    for block in blocks(page):
        if block.words and block.language in {"csv", "yaml"}:
            (tmp_path / block.words[0]).write_text(block.body)
        elif "run" in block.words:
            opened = block
            done = run(f"set -e\n{block.body}", tmp_path)
            assert done.returncode == 0, f"{block.id}\n{done.stdout}{done.stderr}"
    assert opened is not None


def test_the_reference_is_fresh() -> None:
    kept = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    # in a process of its own: click keeps the help option of the first context in which a command was ever called
    made = run(f"{sys.executable} -m energy.commands.reference", ROOT)
    assert made.stdout == kept, "run: python -m energy.commands.reference docs/cli.md"

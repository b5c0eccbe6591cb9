"""The text of config.yaml: plain data, the line of each key, and the secrets filled in from the environment.

Read as YAML 1.2 reads it: `22:00` is a text and not 1320, `NO` is Norway and not false, dates stay texts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from energy.errors import ConfigError, Mistake

SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass
class Written:
    """What the file says: plain data, with the line of each path and what was wrong on the way."""

    data: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    from_environment: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)  # what a person calls the place of a path: a file of its own

    def line(self, path: str) -> int | None:
        """The line of a path, or of the nearest thing that holds it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines[path] if path else None


class Loader(yaml.SafeLoader):
    """YAML with the scalars of version 1.2: null, true, false and numbers; all else is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name


def _resolves(tag: str, pattern: str, first: str) -> None:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))


_resolves("null", r"~|null|Null|NULL|", "~nN\0")
Loader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))
_resolves("bool", r"true|True|TRUE|false|False|FALSE", "tTfF")
_resolves("int", r"[-+]?[0-9]+", "-+0123456789")
_resolves("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")
_resolves("merge", r"<<", "<")


def _int(_: Loader, node: yaml.ScalarNode) -> int:
    return int(node.value)  # decimal: 007 is seven


def _float(_: Loader, node: yaml.ScalarNode) -> float:
    return float(node.value)


Loader.add_constructor("tag:yaml.org,2002:int", _int)
Loader.add_constructor("tag:yaml.org,2002:float", _float)


def joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def read(text: str, environ: Mapping[str, str], source: str = "config.yaml") -> Written:
    """The plain data of a config text. What is not YAML at all is a ConfigError that names the line."""
    try:
        loader = Loader(text)
        return Reader(loader, environ).read(loader.get_single_node())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        said = f"{error.problem or 'not YAML'}{f', {error.context}' if error.context else ''}"
        raise ConfigError(source, [Mistake(where, f"not readable as YAML: {said}")]) from error
    except yaml.YAMLError as error:
        raise ConfigError(source, [Mistake("text", f"not readable as YAML: {error}")]) from error


class Reader:
    """YAML nodes becoming plain data, with the line of every path remembered."""

    def __init__(self, loader: Loader, environ: Mapping[str, str]) -> None:
        self.loader = loader
        self.environ = environ
        self.written = Written()

    def read(self, node: yaml.Node | None) -> Written:
        self.written.data = {} if node is None else self._plain(node, "", ())
        return self.written

    def _plain(self, node: yaml.Node, path: str, above: tuple[int, ...]) -> Any:
        self.written.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in above:
            self.written.mistakes.append(Mistake(path, "an alias that holds itself"))
            return None
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, above)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, f"{path}[{i}]", above) for i, item in enumerate(node.value)]
        value = self.loader.construct_object(node)
        return self._with_secrets(value, path) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, path: str, above: tuple[int, ...]) -> dict[str, Any]:
        written = self.written
        own = {id(key) for key, _ in node.value}
        self.loader.flatten_mapping(node)  # puts what `<<` merges before the mapping's own keys
        found: dict[str, Any] = {}
        own_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = str(self.loader.construct_object(key_node, deep=True))
            here, line = joined(path, key), key_node.start_mark.line + 1
            if key in own_line:
                said = f"stands twice, on lines {own_line[key]} and {line}; keep one of them"
                written.mistakes.append(Mistake(here, said))
                continue
            if id(key_node) in own:
                own_line[key] = line
            written.lines[here] = line
            found[key] = self._plain(value_node, here, above)
        return found

    def _with_secrets(self, value: str, path: str) -> str:
        """`${NAME}` replaced from the environment; a name that is not there is a mistake, never an empty text."""

        def said(match: re.Match[str]) -> str:
            name = match.group(1)
            self.written.from_environment.add(path)
            if not self.environ.get(name):
                said = f"the environment variable {name} is not set; set it where Loadstone is started"
                self.written.mistakes.append(Mistake(path, said))
                return match.group(0)
            return self.environ[name]

        return SECRET.sub(said, value)

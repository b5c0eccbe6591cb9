"""A folder into which files are put: which are whole, and where they go when they are done with."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from energy.errors import MistakesError

log = logging.getLogger("loadstone.drop")

DONE, BAD = "done", "bad"
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")


@dataclass(frozen=True, slots=True)
class _Look:
    size: int
    changed: int
    since: float  # when it was seen to be like that for the first time


class Folder:
    """Looks at a folder again and again. A file is whole when neither its size nor its time has changed for a while;
    hidden ones and those with an ending of half-finished transfers are not looked at."""

    def __init__(self, path: Path, pattern: str, steady_seconds: float) -> None:
        self.path = path
        self._pattern = pattern
        self._steady_seconds = steady_seconds
        self._looks: dict[Path, _Look] = {}
        self._links: set[Path] = set()

    def whole(self, now: float) -> list[Path]:
        """The files that are whole, oldest first. OSError where there is no folder."""
        looks: dict[Path, _Look] = {}
        for path in self.path.iterdir():
            if not path.match(self._pattern) or path.name.startswith(".") or path.suffix in UNFINISHED:
                continue
            try:
                said = path.stat()
            except FileNotFoundError:
                continue  # taken away again
            if not path.is_file() or self._leads_out(path):
                continue
            before = self._looks.get(path)
            same = before is not None and (before.size, before.changed) == (said.st_size, said.st_mtime_ns)
            looks[path] = before if same and before is not None else _Look(said.st_size, said.st_mtime_ns, now)
        self._looks = looks
        steady = [path for path, look in looks.items() if now - look.since >= self._steady_seconds and look.size > 0]
        return sorted(steady, key=lambda path: (looks[path].changed, path.name))

    def _leads_out(self, path: Path) -> bool:
        """Whether a link names a file elsewhere: who may put files here must not have us read, and quote, any other."""
        out = path.is_symlink() and path.resolve().parent != self.path.resolve()
        if out and path not in self._links:
            self._links.add(path)
            log.error("%s is a link to elsewhere and is not read; put the file itself here", path)
        return out

    def done(self, path: Path) -> Path:
        """Put a file among those whose readings are kept."""
        return self._moved(path, DONE)

    def bad(self, path: Path, error: MistakesError) -> Path:
        """Put a file aside of which nothing was kept, with a text beside it that says why."""
        put = self._moved(path, BAD)
        put.with_name(f"{put.name}.why.txt").write_text(f"{error}\n", encoding="utf-8")
        return put

    def _moved(self, path: Path, where: str) -> Path:
        """Move a file; one of that name that lies there already keeps its place."""
        folder = self.path / where
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        if target.exists():
            mark = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
            target = folder / f"{path.stem}.{mark}{path.suffix}"
        self._looks.pop(path, None)
        return path.replace(target)

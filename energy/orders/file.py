"""Order files: production orders and runs in two tables that another system writes. The kind to copy."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from energy.errors import Mistake
from energy.exchange.orders import read_jobs, read_runs
from energy.model.job import Job
from energy.model.run import JobRun
from energy.ports import Context


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    jobs: Path = Field(description="CSV or XLSX of production orders")
    runs: Path | None = Field(None, description="CSV or XLSX of what really ran")
    sheet: str | None = Field(None, description="sheet of an XLSX; the first one where it is not given")


class FileOrders:
    """Reads a file anew when it has changed. A file that is not there says nothing yet, which is not a mistake.

    `bad` are the rows that could not be read the last time; while there are any, the list is not the whole production
    plan (`complete` is False), so a job missing from it may not be taken for gone."""

    name = "file"

    def __init__(self, settings: Settings, context: Context) -> None:
        folder = Path(context.folder)
        self.jobs_path = folder / settings.jobs
        self.runs_path = None if settings.runs is None else folder / settings.runs
        self.sheet = settings.sheet
        self.zone = context.site.zone
        self.machines = [machine.id for machine in context.site.machines]
        self.bad: tuple[Mistake, ...] = ()
        self.bad_runs: tuple[Mistake, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.complete = False
        self._jobs: Sequence[Job] = ()
        self._runs: Sequence[JobRun] = ()
        self._seen: dict[Path, tuple[int, int, int]] = {}

    def jobs(self) -> Sequence[Job]:
        if not self.jobs_path.exists():
            self.bad, self.complete = (), False
            return ()
        if not self._changed(self.jobs_path):
            return self._jobs
        read = read_jobs(self.jobs_path, self.zone, machines=self.machines, sheet=self.sheet)
        self.bad, self.notes, self.complete = read.bad, read.notes, read.complete
        self._jobs = read.jobs
        return read.jobs

    def runs(self) -> Sequence[JobRun]:
        if self.runs_path is None or not self.runs_path.exists():
            self.bad_runs = ()
            return ()
        if not self._changed(self.runs_path):
            return self._runs
        read = read_runs(self.runs_path, self.zone, machines=self.machines, sheet=self.sheet)
        self.bad_runs = read.bad
        self._runs = read.runs
        return read.runs

    def _changed(self, path: Path) -> bool:
        """Whether a file differs from the one last read: another file, another time, another size."""
        said = path.stat()
        now = (said.st_ino, said.st_mtime_ns, said.st_size)
        changed = self._seen.get(path) != now
        self._seen[path] = now
        return changed


def build(settings: Settings, context: Context) -> FileOrders:
    return FileOrders(settings, context)

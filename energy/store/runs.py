"""What really ran."""

from collections.abc import Sequence

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.run import JobRun
from energy.store.repository import Repository, put_version
from energy.store.tables import RunRow, table

run_table = table(RunRow)


class Runs(Repository):
    """What really ran."""

    def put(self, runs: Sequence[JobRun]) -> int:
        """Keep runs, keyed (job, start); a later word on the same run (its end, its energy) replaces the earlier one
        as a new version. Returns how many changed anything."""
        changed = 0
        with self._writing() as connection:
            for run in runs:
                key = {"site": self._site, "job": run.job, "start": run.start}
                same = [run_table.c[name] == value for name, value in key.items()]
                before = connection.execute(sa.select(run_table.c.body).where(*same, run_table.c.current)).scalar()
                if before is None or load(JobRun, before) != run:
                    put_version(connection, run_table, key, {"end": run.end, "body": dump(run)})
                    changed += 1
        return changed

    def of(self, span: Interval) -> list[JobRun]:
        """The runs that touch a span, by start."""
        goes_on = sa.or_(run_table.c.end.is_(None), run_table.c.end > span.start)
        return self._runs(run_table.c.start < span.end, goes_on)

    def of_job(self, job: str) -> list[JobRun]:
        return self._runs(run_table.c.job == job)

    def _runs(self, *those: sa.ColumnElement[bool]) -> list[JobRun]:
        query = sa.select(run_table.c.body).where(run_table.c.site == self._site, run_table.c.current, *those)
        return [load(JobRun, row.body) for row in self._rows(query.order_by(run_table.c.start, run_table.c.job))]

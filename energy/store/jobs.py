"""Jobs as the production plan says them, revision by revision."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.job import Job, JobState
from energy.store.records import Reconciled
from energy.store.repository import Query, Repository, Row, put_version
from energy.store.tables import JobRow, RunRow, table

job_table = table(JobRow)
run = table(RunRow)

# What the floor knows better than a production plan that still says "released".
BEYOND_RELEASED = {JobState.RUNNING, JobState.FINISHED, JobState.CANCELLED}


class Jobs(Repository):
    """Jobs by id, each change a new revision."""

    def reconcile(
        self, jobs: Sequence[Job], at: datetime, *, complete: bool, span: Interval | None = None
    ) -> Reconciled:
        """Take the production plan as it now is. A job that differs gets the next revision; the same writes nothing.
        With `complete`, a released job that is no longer listed (and planned or due within `span`, if given) is GONE.

        The state changes only where the plan changes its word: a plan that goes on saying "released" neither lifts a
        hold of the floor nor brings back what runs, has finished or was cancelled."""
        listed = {job.id: job for job in jobs}
        new: list[str] = []
        changed: list[str] = []
        with self._writing() as connection:
            kept = {row.id: row for row in connection.execute(self._current())}
            for job in listed.values():
                if job.id not in kept:
                    self._keep(connection, job, job.state, at, said=word(job))
                    new.append(job.id)
                elif self._take(connection, job, kept[job.id], at):
                    changed.append(job.id)
            missing = [row for id, row in kept.items() if complete and row.said and id not in listed]
            released = [load(Job, row.body) for row in missing if row.state == JobState.RELEASED.value]
            gone = [job for job in released if span is None or _in_plan(job, span)]
            for job in gone:
                self._keep(connection, replace(job, state=JobState.GONE), JobState.GONE, at, said="gone")
        same = len(listed) - len(new) - len(changed)
        return Reconciled(new=tuple(new), changed=tuple(changed), gone=tuple(job.id for job in gone), same=same)

    def put(self, job: Job, at: datetime) -> Job:
        """Keep one job (a rush order, a changed state) as its next revision; returns it with the revision set. One
        that is the same but for its revision writes nothing."""
        with self._writing() as connection:
            row = connection.execute(self._current().where(job_table.c.id == job.id)).first()
            if row is None:
                return self._keep(connection, job, job.state, at)
            before = load(Job, row.body)
            if replace(job, revision=before.revision) == before:
                return before
            return self._keep(connection, job, JobState(row.listed), at, said=row.said)

    def set_state(self, job: str, state: JobState, at: datetime) -> None:
        """Keep that a job is in another state; KeyError where there is no such job."""
        with self._writing():
            kept = self.get(job)
            if kept is None:
                raise KeyError(f"no job {job!r} in the store")
            self.put(replace(kept, state=state), at)

    def get(self, job: str) -> Job | None:
        row = self._first(self._current().where(job_table.c.id == job))
        return None if row is None else load(Job, row.body)

    def all(self, span: Interval | None = None) -> list[Job]:
        """The latest revision of all jobs (of those planned, due or running within a span), by id. A job without a
        planned start counts from its earliest start to its due time."""
        query = self._current().order_by(job_table.c.id)
        if span is None:
            return [load(Job, row.body) for row in self._rows(query)]
        runs = sa.select(run.c.job).where(
            run.c.site == self._site,
            run.c.current,
            run.c.start < span.end,
            sa.or_(run.c.end.is_(None), run.c.end > span.start),
        )
        near = sa.and_(job_table.c.first < span.end, job_table.c.last >= span.start)
        with self._reading() as connection:
            running = set(connection.execute(runs).scalars())
            rows = connection.execute(query.where(sa.or_(near, job_table.c.id.in_(runs)))).all()
        jobs = [load(Job, row.body) for row in rows]
        return [job for job in jobs if job.id in running or _in_plan(job, span)]

    def _current(self) -> Query:
        columns = (job_table.c.id, job_table.c.body, job_table.c.state, job_table.c.listed, job_table.c.said)
        return sa.select(*columns).where(job_table.c.site == self._site, job_table.c.current)

    def _take(self, connection: sa.Connection, job: Job, row: Row, at: datetime) -> bool:
        """Take what the plan now says of a job that is kept; whether that changed anything. A plan that repeats its last
        word takes nothing back that the floor has said since."""
        if word(job) == row.said:
            return False
        before, listed = load(Job, row.body), JobState(row.listed)
        state = _state(before.state, listed, job.state)
        if replace(job, revision=before.revision, state=state) != before:
            self._keep(connection, replace(job, state=state), job.state, at, said=word(job))
            return True
        same = (job_table.c.site == self._site, job_table.c.id == job.id, job_table.c.current)
        connection.execute(sa.update(job_table).where(*same).values(listed=job.state.value, said=word(job)))
        return False

    def _keep(self, connection: sa.Connection, job: Job, listed: JobState, at: datetime, said: str = "") -> Job:
        newest = sa.select(sa.func.max(job_table.c.version))
        before = connection.execute(newest.where(job_table.c.site == self._site, job_table.c.id == job.id)).scalar_one()
        kept = replace(job, revision=(before or 0) + 1)
        times = [kept.due, *_planned(kept)]
        columns = {
            "at": at,
            "state": kept.state.value,
            "listed": listed.value,
            "said": said,
            "first": min(times),
            "last": max(times),
            "body": dump(kept),
        }
        put_version(connection, job_table, {"site": self._site, "id": kept.id}, columns)
        return kept


def word(job: Job) -> str:
    """A hash of all that a production plan says of a job."""
    return hashlib.blake2b(dump(replace(job, revision=1)).encode(), digest_size=16).hexdigest()


def _state(kept: JobState, listed: JobState, says: JobState) -> JobState:
    """The state after a re-import: the kept one, unless the plan changed its word."""
    if kept is JobState.GONE:
        return says
    if says is listed or (says is JobState.RELEASED and kept in BEYOND_RELEASED):
        return kept
    return says


def _planned(job: Job) -> tuple[datetime, ...]:
    """From when to when production has a job; empty where it does not say."""
    if job.planned_start is None:
        return () if job.earliest is None else (job.earliest, job.due)
    minutes = [mode.minutes for mode in job.modes if job.planned_machine in (None, mode.machine)]
    return (job.planned_start, job.planned_start + timedelta(minutes=max(minutes, default=0)))


def _in_plan(job: Job, span: Interval) -> bool:
    """Whether a job is planned or due within a span."""
    planned = _planned(job)
    return span.holds(job.due) or (bool(planned) and planned[0] < span.end and span.start < planned[1])

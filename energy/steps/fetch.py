"""Fetch: what the outside says (prices, carbon, weather, orders, runs, events) goes into the store.

A source that does not answer is a recorded failure, never a stop: the last good value stays in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from energy.errors import LoadstoneError
from energy.model.horizon import Interval
from energy.model.job import JobState
from energy.ports import Feed, OrderSource, Program
from energy.store import Store

SAID = 5  # so many unread rows are named, the others counted


@dataclass(slots=True, kw_only=True)
class Fetched:
    """What one round brought: new values by series, changed jobs, and who did not answer."""

    values: dict[str, int] = field(default_factory=dict)
    jobs_new: int = 0
    jobs_changed: int = 0
    jobs_gone: int = 0
    runs: int = 0
    events: int = 0
    failures: list[str] = field(default_factory=list)


def fetch(
    store: Store,
    *,
    feeds: Sequence[Feed],
    orders: OrderSource | None,
    programs: Sequence[Program],
    now: datetime,
    until: datetime,
) -> Fetched:
    """Ask every source for what is known of yesterday until `until`, and keep what is new."""
    fetched = Fetched()
    for feed in feeds:
        try:
            answers = feed.fetch(Interval(now - timedelta(days=1), until))
        except LoadstoneError as error:
            fetched.failures.append(f"{feed.name}: {error}")
            store.steps.failed(f"feed {feed.name}", now, now, str(error))
            continue
        with store.unit():
            for answer in answers:
                fetched.values[answer.key] = fetched.values.get(answer.key, 0) + store.series.add(
                    answer.key,
                    answer.series,
                    known_at=answer.retrieved_at,
                    source=answer.source,
                    basis=answer.basis,
                    licence=answer.licence,
                )
            store.steps.record(f"feed {feed.name}", now, answers[0].raw_digest if answers else "", now, 0.0)
    if orders is not None:
        fetch_orders(store, orders, now, until, fetched)
    for program in programs:
        fetch_events(store, program, now, fetched)
    return fetched


def fetch_events(store: Store, program: Program, now: datetime, fetched: Fetched) -> None:
    """Take the events of a program; those that could not be read are said, the good ones count."""
    try:
        events = program.events()
    except LoadstoneError as error:
        fetched.failures.append(f"{program.name}: {error}")
        store.steps.failed(f"program {program.name}", now, now, str(error))
        return
    with store.unit():
        fetched.events += sum(store.events.put(event) for event in events)
        store.steps.succeeded(f"program {program.name}", now)
        say_unread(store, f"program {program.name}", "events", getattr(program, "bad", ()), now, fetched)


def fetch_orders(store: Store, orders: OrderSource, now: datetime, until: datetime, fetched: Fetched) -> None:
    """Take the production plan and what ran. A job whose run has begun or ended gets that state."""
    try:
        jobs, runs = orders.jobs(), orders.runs()
    except LoadstoneError as error:
        fetched.failures.append(f"{orders.name}: {error}")
        store.steps.failed(f"orders {orders.name}", now, now, str(error))
        return
    with store.unit():
        if jobs:
            # A list with rows that could not be read is not the whole plan: nothing missing from it is taken for gone.
            whole = getattr(orders, "complete", True)
            found = store.jobs.reconcile(jobs, now, complete=whole, span=Interval(now, until))
            fetched.jobs_new, fetched.jobs_changed, fetched.jobs_gone = map(len, (found.new, found.changed, found.gone))
        fetched.runs = store.runs.put(runs)
        take_in_runs(store, Interval(now - timedelta(days=2), until), now)
        # What was read but is odd (a column that is not known, a due time that cannot be kept) is a note, no failure.
        notes = "; ".join(getattr(orders, "notes", ())[:SAID])
        store.steps.record(f"orders {orders.name}", now, "", now, 0.0, notes)
        store.steps.succeeded(f"runs {orders.name}", now)
        say_unread(store, f"orders {orders.name}", "jobs", getattr(orders, "bad", ()), now, fetched)
        say_unread(store, f"runs {orders.name}", "runs", getattr(orders, "bad_runs", ()), now, fetched)


def say_unread(store: Store, step: str, what: str, bad: Sequence[object], now: datetime, fetched: Fetched) -> None:
    """Rows that could not be read, with their place and the reason, as one failure that stands until they are mended."""
    if not bad:
        return
    more = f" … and {len(bad) - SAID} more" if len(bad) > SAID else ""
    text = f"{what} that cannot be read were left out: " + "; ".join(str(one) for one in bad[:SAID]) + more
    fetched.failures.append(f"{step}: {text}")
    store.steps.failed(step, now, now, text)


def take_in_runs(store: Store, span: Interval, now: datetime) -> None:
    """A job that runs is RUNNING, one whose run has ended is FINISHED."""
    jobs = {job.id: job for job in store.jobs.all()}
    for run in store.runs.of(span):
        job = jobs.get(run.job)
        if job is None or job.state in {JobState.FINISHED, JobState.CANCELLED}:
            continue
        state = JobState.RUNNING if run.end is None or run.end > now else JobState.FINISHED
        if job.state is not state:
            store.jobs.set_state(job.id, state, now)

"""The jobs that a fact from the floor brings into the production plan: a rush order, and what makes scrap good."""

from dataclasses import replace
from datetime import datetime, timedelta

from energy.model.fact import Fact
from energy.model.job import AsIsEntry, Cause, Job, JobState, Mode, Planned
from energy.model.site import Site

RUSH_LENGTH = timedelta(hours=2)


def remake(job: Job, fact: Fact, now: datetime) -> Job:
    """The job that makes scrap good: its share of the quantity and time, as soon as it can, by the same due time."""
    share = fact.share if fact.share else 0.1
    return replace(
        job,
        id=f"{job.id}-R{fact.id[:3]}",
        quantity=round(job.quantity * share, 3),
        modes=tuple(replace(m, minutes=max(15, round(m.minutes * share))) for m in job.modes),
        earliest=now,
        planned_start=None,
        follows=(),
        state=JobState.RELEASED,
        revision=1,
    )


def hurried(job: Job, fact: Fact, now: datetime) -> Job:
    """An order of the plan that has become urgent: wanted earlier, and movable so that it can be."""
    due = min(job.due, fact.until) if fact.until else job.due
    return replace(job, due=due, earliest=min(job.earliest or now, now), priority=max(job.priority, 10), flexible=True)


def rush(fact: Fact, site: Site, now: datetime) -> Job:
    """A rush order: on its machine at the next quarter hour, at the machine's rated power, due when it was asked for."""
    machine = site.machine(fact.machine or "")
    step = timedelta(minutes=site.step_minutes)
    start = now + (-(now - datetime.fromtimestamp(0, now.tzinfo)) % step)
    minutes = int(RUSH_LENGTH.total_seconds() // 60)
    return Job(
        id=fact.job or f"rush-{fact.id[:6]}",
        order=fact.job or f"rush-{fact.id[:6]}",
        product=fact.text or "rush order",
        quantity=1.0,
        unit="lot",
        modes=(Mode(machine=machine.id, minutes=minutes, power_kw=(max(0.0, machine.rated_kw - machine.idle_kw),)),),
        due=fact.until or start + RUSH_LENGTH * 2,
        earliest=now,
        planned_start=start,
        planned_machine=machine.id,
        priority=10,
        flexible=False,
    )


def as_is_of(job: Job, now: datetime) -> AsIsEntry:
    """A rush order's as-is place: where production itself puts it."""
    assert job.planned_start is not None
    mode = job.modes[0]
    end = job.planned_start + timedelta(minutes=mode.minutes)
    planned = Planned(job=job.id, machine=mode.machine, start=job.planned_start, end=end, mode=mode.name)
    return AsIsEntry(planned=planned, revision=job.revision, cause=Cause.RUSH_ORDER, frozen_at=now)

"""Report: a fact from the floor changes what is known of jobs, and voids what it makes impossible.

The tenth verb: a fact is a person's word like a decision, but about the plant and not about an offer. What it means for
the plan is reckoned by the re-plan that follows within a minute.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime

from energy.errors import LoadstoneError
from energy.model.fact import Fact, FactKind
from energy.model.job import AsIsEntry, Cause, Job, JobState, Planned
from energy.model.problem import Problem
from energy.model.proposal import FloorState, Offer, OfferState
from energy.model.run import JobRun, RunSource
from energy.model.site import Site
from energy.planning.fact_jobs import as_is_of, hurried, remake, rush
from energy.planning.slots import slot_near
from energy.store import Store
from energy.store.store import JournalEntry

NEEDS = {
    FactKind.RUSH_ORDER: "machine",
    FactKind.MACHINE_DOWN: "machine",
    FactKind.MATERIAL_LATE: "job",
    FactKind.CREW_MISSING: "crew",
    FactKind.SCRAP: "job",
    FactKind.QUALITY_HOLD: "job",
    FactKind.STARTED: "job",
    FactKind.STOPPED: "job",
    FactKind.CANCELLED: "job",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a fact did at once, in a sentence. `again` marks a fact that was already known."""

    text: str
    again: bool = False


def report(store: Store, *, fact: Fact, site: Site, now: datetime) -> Reported:
    """Keep a fact and what it says about jobs and runs. Raises LoadstoneError where it lacks what its kind needs."""
    needed = NEEDS[fact.kind]
    other_way = (fact.kind is FactKind.STARTED and fact.machine) or (fact.kind is FactKind.RUSH_ORDER and fact.job)
    if getattr(fact, needed) is None and not other_way:
        raise LoadstoneError(f"{fact.kind}: say which {needed}")
    if fact.job is not None and store.jobs.get(fact.job) is None and fact.kind is not FactKind.RUSH_ORDER:
        raise LoadstoneError(f"{fact.kind}: there is no job {fact.job} in the production plan")
    with store.unit():
        if not store.facts.add(fact):
            return Reported(text="Already reported.", again=True)
        text = take_in(store, fact, site, now)
        store.journal.write(
            JournalEntry(
                at=now,
                who=fact.by,
                role=fact.role,
                what=str(fact.kind),
                subject=fact.machine or fact.job or fact.crew or "",
                detail=fact.text,
            )
        )
        return Reported(text=text)


def take_in(store: Store, fact: Fact, site: Site, now: datetime) -> str:
    """What the fact says about jobs and runs, written down."""
    job = store.jobs.get(fact.job) if fact.job else None
    match fact.kind:
        case FactKind.STARTED if job is not None:
            machine = fact.machine or place_of(store, job)
            store.runs.put([JobRun(job=job.id, machine=machine, start=fact.at, end=None, source=RunSource.MES)])
            store.jobs.set_state(job.id, JobState.RUNNING, now)
            return f"Job {job.id} runs since {fact.at:%H:%M} UTC."
        case FactKind.STOPPED if job is not None:
            running = [r for r in store.runs.of_job(job.id) if r.end is None]
            store.runs.put([replace(r, end=fact.at) for r in running])
            store.jobs.set_state(job.id, JobState.FINISHED, now)
            return f"Job {job.id} has stopped."
        case FactKind.CANCELLED if job is not None:
            store.jobs.set_state(job.id, JobState.CANCELLED, now)
            return f"Job {job.id} is cancelled."
        case FactKind.QUALITY_HOLD if job is not None:
            store.jobs.set_state(job.id, JobState.HELD, now)
            return f"Job {job.id} waits for quality."
        case FactKind.SCRAP if job is not None:
            made = store.jobs.put(remake(job, fact, now), now)
            return f"Job {made.id} makes the scrap good: {made.quantity:g} {made.unit}."
        case FactKind.RUSH_ORDER if job is not None:
            store.jobs.put(hurried(job, fact, now), now)
            return f"Job {job.id} is urgent now; the plan is being made anew."
        case FactKind.RUSH_ORDER:
            made = store.jobs.put(rush(fact, site, now), now)
            store.as_is.add([as_is_of(made, now)])
            return f"Rush order {made.id} is in the production plan on {site.machine(made.modes[0].machine).name}."
        case _:
            return f"{fact.kind} is noted; the plan is being made anew."


def place_of(store: Store, job: Job) -> str:
    """The machine that the plan in force has a job on."""
    entry = store.as_is.current().get(job.id)
    return entry.planned.machine if entry else (job.planned_machine or job.modes[0].machine)


def change_production(store: Store, planned: Planned, by: str, role: str, why: str, now: datetime) -> str:
    """Production itself moves a job: its as-is place changes, with the cause; what was accepted for it is overtaken."""
    job = store.jobs.get(planned.job)
    if job is None or job.state is not JobState.RELEASED:
        raise LoadstoneError(f"job {planned.job} is not open in the production plan")
    if planned.start < now:
        raise LoadstoneError("a job cannot be moved into the past")
    with store.unit():
        store.as_is.add([AsIsEntry(planned=planned, revision=job.revision, cause=Cause.REPLANNED, frozen_at=now)])
        for offer in store.offers.in_state(OfferState.ACCEPTED, OfferState.OPEN):
            if planned.job in offer.jobs:
                store.offers.put(
                    replace(offer, state=OfferState.OVERTAKEN, state_reason=f"production moved job {job.id}"), now
                )
        store.journal.write(
            JournalEntry(at=now, who=by, role=role, what="production moved a job", subject=job.id, detail=why)
        )
    return f"Job {job.id} is moved in the production plan."


def overtake(store: Store, *, problem: Problem, now: datetime) -> list[Offer]:
    """Void the acceptances that facts have made impossible: overtaken, neither refused nor failed. Their jobs go back to
    where production has them."""
    jobs = {job.id: job for job in problem.jobs}
    voided = []
    with store.unit():
        for offer in store.offers.in_state(OfferState.ACCEPTED):
            why = impossible(offer, problem, jobs, now)
            if not why:
                continue
            voided.append(store.offers.put(replace(offer, state=OfferState.OVERTAKEN, state_reason=why), now))
            for shift in offer.shifts:
                store.floor.put(shift.job, offer.id, FloorState.OVERTAKEN, now, why)
            store.journal.write(
                JournalEntry(
                    at=now,
                    who="Loadstone",
                    role="system",
                    what="acceptance overtaken",
                    subject=offer.headline,
                    detail=why,
                )
            )
    return voided


def impossible(offer: Offer, problem: Problem, jobs: Container[str], now: datetime) -> str:
    """Why an accepted offer that has not begun cannot be kept; empty where it can."""
    for shift in offer.shifts:
        if shift.new.start <= now or shift.job not in jobs:
            continue
        closed = closed_by_fact(problem, shift.new)
        if closed:
            return closed
    return ""


def closed_by_fact(problem: Problem, planned: Planned) -> str:
    """Whether a breakdown closes the machine at a place."""
    first, last = slot_near(problem.horizon, planned.start), problem.horizon.slot_edge(planned.end)
    for machine in problem.machines:
        if machine.id == planned.machine:
            for closed in machine.closed:
                if closed.why == "breakdown" and first < closed.end and closed.start < last:
                    return f"{machine.name or machine.id} is down"
    return ""

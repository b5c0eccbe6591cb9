"""The plan as it stands now: the latest cycle, with what planners have accepted or taken back since it was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from energy.model.horizon import Horizon, Interval
from energy.model.job import Planned
from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.model.proposal import LoadShift, Offer, OfferState
from energy.planning.price import SiteRows, site_rows
from energy.planning.slots import slot_near
from energy.store import Store
from energy.store.store import Planning

Places = Mapping[str, Placement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The latest planning cycle, and where its jobs stand: in force, and with all open offers taken."""

    planning: Planning
    in_force: Places
    with_offers: Places
    open: tuple[Offer, ...]
    accepted: tuple[Offer, ...]

    @property
    def problem(self) -> Problem:
        return self.planning.problem

    def rows(self, places: Places) -> SiteRows:
        """The site balance of places, slot by slot. A battery that Loadstone steers does what the latest plan in force
        has it do."""
        rows: Plan | None = self.planning.in_force
        battery = self.problem.battery
        if battery is None or battery.rule != "planned":
            rows = None
        return site_rows(
            self.problem,
            [places[job.id] for job in self.problem.jobs],
            charge_kw=rows.charge_kw if rows else None,
            discharge_kw=rows.discharge_kw if rows else None,
        )


def standing(store: Store, now: datetime) -> Standing | None:
    """The plan as it stands; None where there is none, or where the latest one is over."""
    planning = store.plans.latest()
    if planning is None or planning.problem.horizon.end <= now:
        return None
    problem = planning.problem
    span = Interval(problem.horizon.start, problem.horizon.end)
    accepted = store.offers.in_state(OfferState.ACCEPTED, span=span)
    open_now = open_offers(store, now)
    kept = {shift.job for offer in accepted for shift in offer.shifts}
    force = {job.id: job.as_is if job.accepted and job.id not in kept else job.in_force for job in problem.jobs}
    force |= moved(problem, force, accepted)
    return Standing(
        planning=planning,
        in_force=force,
        with_offers=force | moved(problem, force, open_now),
        open=tuple(open_now),
        accepted=tuple(accepted),
    )


def open_offers(store: Store, now: datetime) -> list[Offer]:
    """The offers that wait for an answer and have not expired."""
    return [offer for offer in store.offers.in_state(OfferState.OPEN) if offer.expires_at > now]


def moved(problem: Problem, places: Places, offers: Iterable[Offer]) -> dict[str, Placement]:
    """The new places of the jobs that still stand where their offer found them. A job that the plan has already moved,
    or that reality has pushed on, stays."""
    jobs = {job.id: job for job in problem.jobs}
    new: dict[str, Placement] = {}
    for offer in sorted(offers, key=lambda o: (o.offered_at, o.number)):
        for shift in offer.shifts:
            job = jobs.get(shift.job)
            if job is not None and stands_at_old(problem.horizon, places[job.id], shift):
                place = placement_of(problem.horizon, job, shift.new)
                if place is not None:
                    new[job.id] = place
    return new


def stands_at_old(horizon: Horizon, place: Placement, shift: LoadShift) -> bool:
    return (place.machine, place.start) == (shift.old.machine, slot_near(horizon, shift.old.start))


def placement_of(horizon: Horizon, job: ProblemJob, planned: Planned) -> Placement | None:
    """A place in the slots of a problem; None where the job has no such way to run."""
    known = any(o.machine == planned.machine and o.mode == planned.mode for o in job.options)
    start = slot_near(horizon, planned.start)
    return Placement(job=job.id, machine=planned.machine, start=start, mode=planned.mode) if known else None

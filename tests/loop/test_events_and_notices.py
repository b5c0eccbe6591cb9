"""Demand-response events, notices and random planners on the small plant."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from energy.errors import LoadstoneError
from energy.model.event import Event, EventKind, EventState
from energy.model.horizon import Interval
from energy.model.job import Planned
from energy.model.proposal import DecisionKind
from energy.planning.check import check
from energy.steps.dispatch import notify
from tests.loop.plant import SmallPlant, at, oven_job, press_job

SUN, MON, TUE = (date(2026, 11, 8) + timedelta(days=n) for n in range(3))


@pytest.fixture
def plant(tmp_path: Path) -> SmallPlant:
    plant = SmallPlant(tmp_path, start=SUN - timedelta(days=1))
    plant.publish(SUN - timedelta(days=9), TUE + timedelta(days=2))
    plant.order(oven_job(MON), press_job(MON))
    plant.live_to(at(SUN, 13, 16))
    return plant


def event(plant: SmallPlant, **more: object) -> Event:
    said: dict[str, object] = {
        "id": "ev", "kind": EventKind.LIMIT, "interval": Interval(at(MON, 12), at(MON, 14)), "kw": 150.0, "mandatory": True,
        "received_at": plant.clock.now(),
    }  # fmt: skip
    return Event(**(said | more))  # type: ignore[arg-type]


def import_at(plant: SmallPlant, hour: int) -> float:
    planning = plant.store.plans.latest()
    assert planning is not None
    return planning.plan.import_kw[planning.problem.horizon.slot_of(at(MON, hour))]


def test_a_mandatory_limit_is_kept_by_the_next_plan(plant: SmallPlant) -> None:
    plant.service.heartbeat()
    assert import_at(plant, 12) == pytest.approx(315)  # the oven at its cheapest
    assert plant.service.add_event(event(plant), "Lee", "energy manager").ok
    plant.live_to(at(SUN, 14, 1))
    plant.service.heartbeat()
    assert import_at(plant, 12) <= 150 + 1e-6
    assert plant.store.events.get("ev").state is EventState.ACCEPTED


def test_a_declined_event_binds_nobody(plant: SmallPlant) -> None:
    asked = event(plant, mandatory=False, price_per_kwh=0.05, kind=EventKind.REDUCTION, kw=50.0)
    plant.service.add_event(asked, "Lee", "energy manager")
    assert plant.service.answer_event("ev", False, "Lee", "energy manager").ok
    plant.service.heartbeat()
    assert plant.store.events.commitments(Interval(at(MON, 0), at(TUE, 0))) == []


def test_a_reduction_counts_from_the_as_is_import(plant: SmallPlant) -> None:
    # As-is, the oven (200 kW) and the press (100 kW) make 415 kW from 09:00 to 10:00; 100 kW below that are 315 kW.
    plant.service.heartbeat()
    asked = event(
        plant,
        mandatory=False,
        price_per_kwh=0.5,
        kind=EventKind.REDUCTION,
        kw=100.0,
        interval=Interval(at(MON, 9), at(MON, 10)),
    )
    plant.service.add_event(asked, "Lee", "energy manager")
    assert plant.service.answer_event("ev", True, "Lee", "energy manager").ok
    (commitment,) = plant.store.events.commitments(Interval(at(MON, 0), at(TUE, 0)))
    assert commitment.limit_kw == pytest.approx(315)
    assert commitment.baseline_kw == pytest.approx((415,) * 4)


def test_a_mandatory_event_cannot_be_declined(plant: SmallPlant) -> None:
    plant.service.add_event(event(plant), "Lee", "energy manager")
    assert "cannot be declined" in plant.service.answer_event("ev", False, "Lee", "energy manager").text


class Bell:
    """A notifier that is out of order at first."""

    name = "bell"

    def __init__(self) -> None:
        self.broken, self.rung = True, []

    def notify(self, subject: str, text: str) -> None:
        if self.broken:
            raise LoadstoneError("no connection to the mail server")
        self.rung.append((subject, text))


def test_one_notice_per_new_offer_also_after_a_failure(plant: SmallPlant) -> None:
    plant.service.heartbeat()
    bell, site = Bell(), plant.service.house.site
    assert notify(plant.store, site, [bell], plant.clock.now()) == 0
    assert "mail server" in plant.store.steps.failures(plant.clock.now() - timedelta(hours=1))[-1][2]
    bell.broken = False
    assert notify(plant.store, site, [bell], plant.clock.now()) == len(plant.offers()) > 0
    assert notify(plant.store, site, [bell], plant.clock.now()) == 0
    assert all("answer by 15:00" in subject for subject, _ in bell.rung)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_planners_say_the_plan_in_force_breaks_no_new_rule(plant: SmallPlant, seed: int) -> None:
    """Any kept decision, and all of them together, pass the check."""
    rng = random.Random(seed)
    plant.service.heartbeat()
    offers = plant.offers()
    for n in range(8):
        offer = plant.store.offers.get(rng.choice(offers).id)
        kind = rng.choice(list(DecisionKind))
        more: dict[str, object] = {"id": f"{seed}-{n}"}
        if kind is DecisionKind.EDIT:
            shift = rng.choice(offer.shifts)
            start = at(MON, rng.randint(0, 21), rng.choice([0, 15, 30, 45]))
            more["places"] = (
                Planned(job=shift.job, machine=shift.old.machine, start=start, end=start + timedelta(hours=2)),
            )
        plant.say(kind, offer, **more)
        problem = plant.service.problem_now()
        in_force = plant.service.price(problem, [j.in_force for j in problem.jobs])
        assert check(problem, in_force) == []

"""Offers, decisions and facts on the small plant: what a planner may say, and what the floor answers back."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from energy.build import service_of
from energy.clock import HeldClock
from energy.config import load_settings
from energy.model.fact import Fact, FactKind
from energy.model.job import Follows, JobState, Planned
from energy.model.proposal import Decision, DecisionKind, FloorState, OfferState, Scope
from energy.reports.pages import Done
from tests.loop.plant import SmallPlant, at, job, oven_job, press_job

SUN, MON, TUE = (date(2026, 11, 8) + timedelta(days=n) for n in range(3))


@pytest.fixture
def plant(tmp_path: Path) -> SmallPlant:
    """Sunday 13:16, offers for Monday open: the oven's (08:00) and the press' (09:00) jobs both want midday."""
    plant = SmallPlant(tmp_path, start=SUN - timedelta(days=1))
    plant.publish(SUN - timedelta(days=9), TUE + timedelta(days=2))
    plant.order(oven_job(MON), press_job(MON))
    plant.live_to(at(SUN, 13, 16))
    plant.service.heartbeat()
    return plant


def ok(done: object) -> str:
    assert isinstance(done, Done)
    assert done.ok, done
    return done.text


def refused(done: object) -> Done:
    assert isinstance(done, Done)
    assert not done.ok, done
    return done


def test_offers_say_what_moves_and_why(plant: SmallPlant) -> None:
    oven = plant.offer_of("oven-09")
    assert oven.headline == "Oven: oven parts 4 h later"
    assert oven.gain.money == pytest.approx(80 + 75)  # energy, and the peak of 415 kW against the agreed 400
    assert oven.gain.daily == pytest.approx(80)
    assert "08:00" in oven.reason
    assert oven.expires_at == at(SUN, 15)


def test_an_hour_later_the_open_offers_are_the_same(plant: SmallPlant) -> None:
    before = plant.offers()
    plant.live_to(at(SUN, 14))
    plant.service.heartbeat()
    assert plant.offers() == before


def test_the_same_inputs_write_nothing_new(plant: SmallPlant) -> None:
    made = plant.service.plan()
    again = plant.service.plan()
    assert again.made_at == made.made_at
    assert again.digest == made.digest


def test_a_double_click_is_one_decision(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    ok(plant.accept(offer))
    assert "already" in ok(plant.accept(offer))
    assert len(plant.store.decisions.of_offer(offer.id)) == 1
    assert plant.store.offers.get(offer.id).state is OfferState.ACCEPTED


def test_another_planner_is_told_who_was_first(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    ok(plant.accept(offer))
    done = refused(plant.say(DecisionKind.REFUSE, offer, id="other", by="Lee"))
    assert "already accepted by Kim" in done.text


def test_what_is_accepted_is_in_the_plan_in_force(plant: SmallPlant) -> None:
    ok(plant.accept(plant.offer_of("oven-09")))
    problem = plant.service.problem_now()
    assert problem.horizon.time_of(problem.job("oven-09").in_force.start) == at(MON, 12)
    assert problem.horizon.time_of(problem.job("oven-09").as_is.start) == at(MON, 8)
    assert plant.store.floor.state("oven-09")[0] is FloorState.DISPATCHED


def test_an_expired_offer_is_not_a_refused_one(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    plant.live_to(at(SUN, 15, 1))
    assert "expired at 15:00" in refused(plant.accept(offer)).text
    plant.service.heartbeat()
    assert plant.store.offers.get(offer.id).state is OfferState.EXPIRED


def test_a_plan_made_before_a_decision_offers_nothing(plant: SmallPlant) -> None:
    """A planner accepts while the solver still works on the old situation."""
    old = plant.service.plan()
    ok(plant.accept(plant.offer_of("oven-09")))
    before = plant.offers()
    proposed = plant.service.propose(old)
    assert proposed.stale
    assert plant.offers() == before
    assert not plant.service.plan_and_propose().stale
    assert [o for o in plant.offers() if "oven-09" in o.jobs] == []


def test_nobody_is_asked_twice_for_one_day(plant: SmallPlant) -> None:
    for offer in plant.offers():
        ok(plant.refuse(offer))
    plant.order(oven_job(MON), press_job(MON), job("late-order", "press", MON, 6, 100.0))
    plant.live_to(at(SUN, 14, 30))
    plant.service.heartbeat()
    assert plant.offers() == []


def test_a_refused_move_is_not_offered_again(plant: SmallPlant) -> None:
    ok(plant.refuse(plant.offer_of("oven-09")))
    for hour in (14, 14):
        plant.live_to(at(SUN, hour, 5))
        plant.service.heartbeat()
    assert not [o for o in plant.offers() if "oven-09" in o.jobs]
    assert plant.service.problem_now().job("oven-09").fixed is not None


def test_an_offer_that_needs_a_refused_one_is_taken_back(plant: SmallPlant) -> None:
    first, second = plant.offer_of("oven-09"), plant.offer_of("press-09")
    plant.store.offers.put(replace(second, requires=(first.id,)), plant.clock.now())
    ok(plant.refuse(first))
    gone = plant.store.offers.get(second.id)
    assert gone.state is OfferState.WITHDRAWN
    assert "which was refused" in gone.state_reason


def test_always_becomes_a_listed_rule_with_its_price_and_an_end(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    ok(plant.refuse(offer, scope=Scope.ALWAYS_MACHINE, reason="needs the foreman"))
    (rule,) = plant.store.rules.in_force(plant.clock.now())
    assert rule.subject == "machine:oven"
    assert rule.yearly_price == pytest.approx(80 * 250)
    assert rule.until > plant.clock.now() + timedelta(days=300)


def test_an_acceptance_can_be_withdrawn_until_the_notice_time(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    ok(plant.accept(offer))
    plant.live_to(at(MON, 6, 59))
    ok(plant.say(DecisionKind.WITHDRAW, offer, reason="foreman is ill"))
    assert (
        plant.service.problem_now().job("oven-09").in_force.start
        == plant.service.problem_now().job("oven-09").as_is.start
    )


def test_after_the_notice_time_the_floor_goes_by_it(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    ok(plant.accept(offer))
    plant.live_to(at(MON, 7, 1))
    assert "notice time" in refused(plant.say(DecisionKind.WITHDRAW, offer)).text


def test_an_edit_is_checked_and_priced_at_once(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    own = Planned(job="oven-09", machine="oven", start=at(MON, 16), end=at(MON, 18))
    text = ok(plant.say(DecisionKind.EDIT, offer, places=(own,)))
    # 400 kWh × (0.30 − 0.20) = 40 EUR, and the peak of 75 EUR.
    assert "115 EUR" in text
    assert plant.accepted_start("oven-09") == at(MON, 16)


def test_an_edit_into_the_night_is_told_why_not(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    own = Planned(job="oven-09", machine="oven", start=at(MON, 3), end=at(MON, 5))
    done = refused(plant.say(DecisionKind.EDIT, offer, places=(own,)))
    assert done.text.startswith("Not possible")


def test_two_planners_cannot_accept_what_clashes(tmp_path: Path) -> None:
    """Two oven jobs; both planners put theirs at 12:00 at the same moment, each from a process of their own."""
    plant = SmallPlant(tmp_path, start=SUN - timedelta(days=1))
    plant.publish(SUN - timedelta(days=9), TUE + timedelta(days=2))
    plant.order(oven_job(MON, 6), job("second", "oven", MON, 9, 200.0))
    plant.live_to(at(SUN, 13, 16))
    plant.service.heartbeat()
    offers = {id: plant.offer_of(id) for id in ("oven-09", "second")}
    barrier, answers = threading.Barrier(2), {}

    def answer(id: str) -> None:
        service = service_of(load_settings(plant.folder / "config.yaml"), HeldClock(plant.clock.now()))
        place = Planned(job=id, machine="oven", start=at(MON, 15), end=at(MON, 17))
        decision = Decision(
            id=f"edit {id}", offer=offers[id].id, version=offers[id].version, kind=DecisionKind.EDIT, by=id, role="planner",
            at=plant.clock.now(), places=(place,),
        )  # fmt: skip
        barrier.wait()
        answers[id] = service.decide(decision)

    threads = [threading.Thread(target=answer, args=(id,)) for id in offers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.ok for a in answers.values()) == [False, True]
    told = next(a for a in answers.values() if not a.ok)
    assert "Oven" in told.text


def fact(kind: FactKind, plant: SmallPlant, **more: object) -> Fact:
    now = plant.clock.now()
    return Fact(id=f"{kind} {now}", kind=kind, at=now, by="Sam", role="shift lead", reported_at=now, **more)  # type: ignore[arg-type]


def test_a_breakdown_is_answered_by_a_new_plan_and_voids_what_it_makes_impossible(plant: SmallPlant) -> None:
    ok(plant.accept(plant.offer_of("oven-09")))
    plant.live_to(at(MON, 11))
    ok(plant.service.report(fact(FactKind.MACHINE_DOWN, plant, machine="oven", until=at(MON, 14))))
    planning = plant.service.answer_facts()
    assert planning is not None
    assert plant.store.facts.unanswered() == []
    assert plant.offer_of("oven-09").state is OfferState.OVERTAKEN
    # It was to run at 12:00; the oven is back at 14:00. As-is, it would long have run: at 08:00, before the breakdown.
    place = planning.problem.job("oven-09").in_force
    assert planning.problem.horizon.time_of(place.start) >= at(MON, 14)
    assert plant.service.answer_facts() is None


def test_a_fact_reported_twice_is_one(plant: SmallPlant) -> None:
    said = fact(FactKind.QUALITY_HOLD, plant, job="press-09")
    ok(plant.service.report(said))
    assert "Already" in ok(plant.service.report(said))
    assert plant.store.jobs.get("press-09").state is JobState.HELD


def test_a_fact_that_lacks_its_subject_says_which(plant: SmallPlant) -> None:
    assert "say which machine" in refused(plant.service.report(fact(FactKind.MACHINE_DOWN, plant))).text
    assert "no job 4711" in refused(plant.service.report(fact(FactKind.SCRAP, plant, job="4711"))).text


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (FactKind.RUSH_ORDER, {"machine": "press"}),
        (FactKind.RUSH_ORDER, {"job": "oven-09", "machine": "oven", "until": at(MON, 11)}),
        (FactKind.MATERIAL_LATE, {"job": "oven-09", "until": at(MON, 12)}),
        (FactKind.CREW_MISSING, {"crew": "day", "until": at(MON, 10)}),
        (FactKind.SCRAP, {"job": "press-09", "share": 0.5}),
        (FactKind.CANCELLED, {"job": "press-09"}),
        (FactKind.STARTED, {"job": "oven-09"}),
    ],
)
def test_every_fact_gets_a_checked_plan(plant: SmallPlant, kind: FactKind, more: dict[str, object]) -> None:
    plant.live_to(at(MON, 7, 30))
    ok(plant.service.report(fact(kind, plant, **more)))
    planning = plant.service.answer_facts()
    assert planning is not None
    assert planning.checked
    if kind is FactKind.CANCELLED:
        assert "press-09" not in {j.id for j in planning.problem.jobs}
    if kind is FactKind.MATERIAL_LATE:
        assert planning.problem.horizon.time_of(planning.problem.job("oven-09").as_is.start) == at(MON, 12)
        assert plant.store.as_is.current()["oven-09"].cause == "material late"
    if kind is FactKind.RUSH_ORDER and "job" not in more:
        assert any(j.id.startswith("rush") for j in planning.problem.jobs)
    elif kind is FactKind.RUSH_ORDER:
        assert plant.store.jobs.get("oven-09").due == at(MON, 11)
        placed = planning.plan.placement("oven-09")
        assert planning.problem.horizon.time_of(placed.start) <= at(MON, 9)  # two hours, wanted by 11:00


def test_a_change_by_production_moves_as_is_and_our_own_echo_does_not(plant: SmallPlant) -> None:
    ok(plant.accept(plant.offer_of("oven-09")))
    plant.order(replace(oven_job(MON), planned_start=at(MON, 12)))  # the MES repeats what we dispatched
    plant.service.plan()
    assert plant.store.as_is.current()["oven-09"].planned.start == at(MON, 8)
    plant.order(replace(press_job(MON), planned_start=at(MON, 10)))  # production moves the press by itself
    plant.service.plan()
    assert plant.store.as_is.current()["press-09"].planned.start == at(MON, 10)
    assert plant.store.as_is.current()["press-09"].cause == "replanned by production"


def test_a_job_that_must_follow_another_requires_it(tmp_path: Path) -> None:
    """The press follows the oven within an hour: it cannot move alone."""
    plant = SmallPlant(tmp_path, start=SUN - timedelta(days=1))
    plant.publish(SUN - timedelta(days=9), TUE + timedelta(days=2))
    chained = press_job(MON, 10, follows=(Follows(job="oven-09", at_least_minutes=0, at_most_minutes=60),))
    plant.order(oven_job(MON), chained)
    plant.live_to(at(SUN, 13, 16))
    plant.service.heartbeat()
    (offer,) = plant.offers()
    assert set(offer.jobs) == {"oven-09", "press-09"}

"""What the reports answer before and while people act: other places, consequences, disputes, ended rules, events."""

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from energy.model.event import Event, EventKind, EventState
from energy.model.fact import Fact, FactKind
from energy.model.horizon import Interval
from energy.model.proposal import OfferState, Scope
from energy.reports.pages import BarState
from tests.loop.plant import SmallPlant, at, oven_job, press_job
from tests.reports.lived import MON, TUE, WED, Lived, bar, offer_and_accept

SUN = date(2026, 10, 25)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> SmallPlant:
    """Monday 13:16: Tuesday's two offers are open."""
    made = SmallPlant(Path(tmp_path_factory.mktemp("acts")))
    made.publish(date(2026, 10, 16), date(2026, 10, 30))
    made.order(*(make(day) for day in (MON, TUE, WED) for make in (oven_job, press_job)))
    offer_and_accept(made, SUN, "oven-26", "press-26")
    made.live_to(at(MON, 13, 16))
    made.service.heartbeat()
    return made


def report(kind: FactKind, plant: SmallPlant, **more: object) -> Fact:
    now = plant.clock.now()
    said: dict[str, object] = {
        "id": f"f-{kind}",
        "kind": kind,
        "at": now,
        "reported_at": now,
        "by": "Sam",
        "role": "shift lead",
    }
    return Fact(**(said | more))  # type: ignore[arg-type]


def test_other_places_are_feasible_priced_and_best_first(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-27")
    found = plant.service.places(offer.id, "oven-27")
    assert found[0].planned.start == at(TUE, 12)  # the one hour pair at 0.10
    assert [p.money for p in found] == sorted((p.money for p in found), reverse=True)
    assert all(not p.why_not for p in found)
    # Half an hour later 100 of the 400 kWh cost 0.20 instead of 0.10.
    later = next(p for p in found if p.planned.start == at(TUE, 12, 30))
    assert found[0].money - later.money == pytest.approx(100 * 0.10)


def test_why_a_place_is_not_possible(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-27")
    night = plant.service.why_not(offer.id, "oven-27", at(TUE, 5), "oven")
    assert "06:00 at the earliest" in night.why_not
    assert night.money != night.money  # not priced: unknown
    wrong = plant.service.why_not(offer.id, "oven-27", at(TUE, 12), "press")
    assert "cannot run on Press" in wrong.why_not


def test_an_edited_place_is_worth_what_was_shown(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-27")
    shown = plant.service.why_not(offer.id, "oven-27", offer.shifts[0].new.start, "oven")
    assert shown.money == pytest.approx(offer.gain.money)


def test_a_breakdown_shows_what_it_moves_and_writes_nothing(plant: SmallPlant) -> None:
    # The oven's Tuesday job stands at 08:00; down until 10:00 it can start then.
    before = len(plant.store.facts.of(Interval(at(SUN, 0), at(WED, 0))))
    fact = report(FactKind.MACHINE_DOWN, plant, machine="oven", until=at(TUE, 10))
    found = plant.service.consequence(fact)
    moved = {name: (old.start, new.start) for name, old, new in found.moved if new is not None}
    assert moved["oven-27 oven parts"] == (at(TUE, 8), at(TUE, 10))
    assert "Oven is taken out of the plan until **Tue 10:00**" in found.sentence
    assert found.late == ()
    assert "maintenance" in found.tell
    assert len(plant.store.facts.of(Interval(at(SUN, 0), at(WED, 0)))) == before
    assert plant.store.as_is.current()["oven-27"].planned.start == at(TUE, 8)


def test_a_rush_order_shows_its_own_place(plant: SmallPlant) -> None:
    found = plant.service.consequence(
        report(FactKind.RUSH_ORDER, plant, machine="press", until=at(MON, 20), text="bolts")
    )
    assert [(name, new.start) for name, _, new in found.moved if new is not None and "new" in name] == [
        ("rush-f-rush bolts (new)", at(MON, 13, 30))
    ]
    assert found.cost is not None
    assert found.cost > 0


def test_a_cancelled_job_costs_nothing_any_more(plant: SmallPlant) -> None:
    # 200 kWh of the press on Wednesday morning at 0.30; the peak of the month is not touched.
    found = plant.service.consequence(report(FactKind.CANCELLED, plant, job="press-28"))
    assert found.cost == pytest.approx(-60)
    assert found.moved == ()


def test_accepted_since_the_plan_was_made_is_in_force_on_the_page(plant: SmallPlant) -> None:
    plant.accept(plant.offer_of("oven-27"))
    page = plant.service.plan_page()
    assert bar(page, "oven-27", BarState.ACCEPTED).start == at(TUE, 12)
    assert bar(page, "oven-27", BarState.AS_IS).start == at(TUE, 8)
    assert [card.offer.jobs for card in page.offers] == [("press-27",)]
    assert [row.job for row in page.accepted if row.can_withdraw] == ["oven-27 oven parts"]
    assert plant.service.overview().month.estimated == pytest.approx(180)  # Monday's 100 and this 80


def test_a_standing_refusal_is_listed_and_can_be_ended(plant: SmallPlant) -> None:
    plant.refuse(plant.offer_of("press-27"), Scope.ALWAYS_MACHINE, "tooling")
    page = plant.service.journal_page()
    (rule,) = page.rules
    assert (rule.subject, rule.reason) == ("machine:press", "tooling")
    why = {item.job: item.why for item in plant.service.plan_page().not_offered}
    assert why["press-27"].startswith("refused") or "standing refusal" in why["press-27"]
    assert plant.service.end_rule(rule.id, "Kim", "planner").ok
    assert plant.service.journal_page().rules == ()
    assert not plant.service.end_rule(rule.id, "Kim", "planner").ok


def test_a_wrong_assumption_is_kept_for_its_owner(plant: SmallPlant) -> None:
    item = next(a for a in plant.service.journal_page().assumptions if a.what.startswith("Power of oven parts"))
    assert item.value == "200 kW over 2 h"
    assert plant.service.dispute(item.id, "it is 210 kW", "Sam", "shift lead").ok
    again = next(a for a in plant.service.journal_page().assumptions if a.id == item.id)
    assert again.disputed == "it is 210 kW (shift lead)"
    assert plant.service.journal_page().entries[0].what == "assumption disputed"
    assert not plant.service.dispute(item.id, "  ", "Sam", "shift lead").ok


def test_a_coming_limit_says_whether_the_plan_keeps_it(plant: SmallPlant) -> None:
    span = Interval(at(TUE, 12), at(TUE, 14))
    now = plant.clock.now()
    plant.service.add_event(
        Event(id="e1", kind=EventKind.LIMIT, interval=span, kw=300, mandatory=True, received_at=now),
        "Kim",
        "energy manager",
    )
    (card,) = plant.service.events_page().cards
    # 115 kW and the oven's 200 kW are planned there: 15 kW too many.
    assert (card.phase, card.limit_kw) == ("coming", 300)
    assert card.sentence == "The plan expects 315 kW at most; 15 kW above the limit."
    assert (card.delivered_kwh, card.kept, card.money) == (None, None, None)


def test_a_past_limit_was_kept_or_not(lived: Lived) -> None:
    plant = lived.plant
    now = plant.clock.now()
    for id, kw in (("kept", 320.0), ("broken", 300.0)):
        event = Event(
            id=id, kind=EventKind.LIMIT, interval=Interval(at(MON, 12), at(MON, 14)), kw=kw, mandatory=True,
            received_at=now - timedelta(days=2),
        )  # fmt: skip
        plant.store.events.put(event)
        plant.store.events.set_state(id, EventState.ACCEPTED, now)
    kept = {card.event.id: card.kept for card in plant.service.events_page().cards}
    assert kept == {"kept": True, "broken": False}


def test_the_workbook_has_the_figures(lived: Lived) -> None:
    name, content = lived.plant.service.savings_file("2026-10", "xlsx")
    assert name == "savings-small-2026-10.xlsx"
    book = load_workbook(BytesIO(content))
    assert book.sheetnames == ["Kinds", "Days", "Jobs"]
    kinds = {row[0].value: row[1].value for row in book["Kinds"].iter_rows(min_row=2)}
    assert (kinds["verified"], kinds["modelled"]) == (pytest.approx(100), 0)
    assert kinds["peak, monthly peak 2026-10"] == pytest.approx(75)
    jobs = {row[1].value: row[6].value for row in book["Jobs"].iter_rows(min_row=2)}
    assert jobs == {"oven-26": pytest.approx(80), "press-26": pytest.approx(20)}


def test_the_table_as_text(lived: Lived) -> None:
    _, content = lived.plant.service.savings_file("2026-10", "csv")
    lines = content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("day,as-is EUR,real EUR,verified EUR")
    monday = next(line for line in lines if line.startswith("2026-10-26"))
    assert monday.split(",")[1:4] == ["778", "678", "100"]


def test_offers_that_ended_are_no_longer_on_the_page(plant: SmallPlant) -> None:
    plant.clock.move_to(at(MON, 15, 1))
    assert plant.service.plan_page().offers == ()
    assert OfferState.OPEN not in {card.offer.state for card in plant.service.plan_page().offers}

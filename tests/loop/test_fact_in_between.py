"""A breakdown that is kept while a plan is being made, and is stamped earlier than that plan began."""

from datetime import date, timedelta
from pathlib import Path

from energy.model.fact import Fact, FactKind
from energy.reports.situation import gather
from energy.steps.plan import plan
from tests.loop.plant import SmallPlant, at, oven_job

DAY = date(2026, 10, 26)


def test_a_plan_answers_only_the_facts_that_it_knew(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path)
    plant.publish(DAY - timedelta(days=1), DAY + timedelta(days=1))
    plant.order(oven_job(DAY, 18))
    plant.live_to(at(DAY, 9))
    plant.service.predict()
    h, now = plant.service.house, plant.clock.now()
    situation = gather(h.store, h.rules, now, frozenset())
    stamped = now - timedelta(seconds=5)
    h.store.facts.add(
        Fact(id="f", kind=FactKind.MACHINE_DOWN, at=stamped, machine="oven", until=at(DAY, 16), reported_at=stamped)
    )
    plan(h.store, situation=situation, optimizer=h.optimizer, seconds=2.0, now=now)
    assert [fact.id for fact in h.store.facts.unanswered()] == ["f"]
    planned = plant.service.plan()
    assert h.store.facts.unanswered() == []
    oven = next(machine for machine in planned.problem.machines if machine.id == "oven")
    assert any(closed.why == "breakdown" for closed in oven.closed)

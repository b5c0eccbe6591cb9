"""What the floor says of a job outlasts a production plan that only repeats itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energy.model.horizon import Interval
from energy.model.job import Job, JobState, Mode
from energy.store import Store

NOW = datetime(2026, 5, 19, 8, tzinfo=UTC)
SPAN = Interval(NOW, NOW + timedelta(days=3))


def job(id: str = "2047", **more: object) -> Job:
    said: dict[str, object] = {
        "id": id, "order": id, "product": "Shafts", "quantity": 1.0, "unit": "t",
        "modes": (Mode(machine="furnace", minutes=120, power_kw=(200.0,)),), "due": NOW + timedelta(hours=20),
        "planned_start": NOW + timedelta(hours=4), "planned_machine": "furnace",
    }  # fmt: skip
    return Job(**(said | more))  # type: ignore[arg-type]


def test_an_urgent_order_stays_urgent_while_the_plan_repeats_itself(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/s.sqlite", "s") as store:
        store.jobs.reconcile([job()], NOW, complete=True, span=SPAN)
        store.jobs.put(replace(job(), due=NOW + timedelta(hours=8), priority=10), NOW)
        again = store.jobs.reconcile([job()], NOW, complete=True, span=SPAN)
        assert again.changed == ()
        assert store.jobs.get("2047").due == NOW + timedelta(hours=8)
        store.jobs.reconcile([job(due=NOW + timedelta(hours=6))], NOW, complete=True, span=SPAN)
        assert store.jobs.get("2047").due == NOW + timedelta(hours=6)


def test_a_rush_order_of_the_floor_is_not_gone_because_the_plan_does_not_list_it(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/s.sqlite", "s") as store:
        store.jobs.put(job("rush"), NOW)
        found = store.jobs.reconcile([job()], NOW, complete=True, span=SPAN)
        assert (found.new, found.gone) == (("2047",), ())
        assert store.jobs.get("rush").state is JobState.RELEASED

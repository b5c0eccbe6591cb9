"""What is due when, on a held clock; and the real ticks of APScheduler beside a slow step."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from energy.errors import FeedError, LoadstoneError
from energy.model.fact import Fact, FactKind
from energy.schedule import FIRST_PAUSE, LONGEST_PAUSE, Patience, Schedule
from tests.loop.plant import SmallPlant, at

TUESDAY = date(2026, 10, 27)


class Calls:
    """Stands in the place of a service's steps: writes down what was called, and does what it is told to."""

    def __init__(self, plant: SmallPlant, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.does: dict[str, Callable[[], object]] = {}
        for name in ("heartbeat", "answer_facts", "verify_due", "learn_due", "collect"):
            monkeypatch.setattr(plant.service, name, self._call(name))

    def _call(self, name: str) -> Callable[[], object]:
        def call() -> object:
            self.made.append(name)
            return self.does.get(name, lambda: None)()

        return call

    def take(self) -> list[str]:
        made, self.made = self.made, []
        return made


@pytest.fixture
def plant(tmp_path: Path):
    small = SmallPlant(tmp_path)
    yield small
    small.store.close()


@pytest.fixture
def calls(plant: SmallPlant, monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(plant, monkeypatch)


@pytest.fixture
def schedule(plant: SmallPlant, calls: Calls) -> Schedule:
    """A schedule that has done everything due until Tuesday 06:00."""
    plant.clock.move_to(at(TUESDAY, 6))
    schedule = Schedule(plant.service)
    schedule.tick()
    assert schedule.tick() == []
    calls.take()
    return schedule


def down(plant: SmallPlant, id: str = "f1") -> Fact:
    now = plant.clock.now()
    return Fact(id=id, kind=FactKind.MACHINE_DOWN, at=now, reported_at=now, by="Kim", role="planner", machine="oven")


@pytest.mark.parametrize(
    ("times", "done"),
    [
        (["06:20", "06:59"], []),
        (["07:00", "07:30"], ["heartbeat"]),
        (["07:00", "08:00", "08:01"], ["heartbeat", "heartbeat"]),
        (["13:14"], ["heartbeat"]),  # six hours late, one round
        (["13:14", "13:15"], ["heartbeat", "offers open"]),
        (["13:20"], ["heartbeat", "offers open"]),  # both at once
        (["16:00"], ["heartbeat", "offers open", "offers close"]),
    ],
)
def test_what_is_due_when(schedule: Schedule, plant: SmallPlant, times: list[str], done: list[str]) -> None:
    did = []
    for wall in times:
        hour, minute = map(int, wall.split(":"))
        plant.clock.move_to(at(TUESDAY, hour, minute))
        did += schedule.tick()
        assert schedule.tick() == []  # once a slot, however often one looks
    assert did == done


def test_rounds_that_are_due_at_once_are_one_round(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    plant.clock.move_to(at(TUESDAY, 16))
    assert len(schedule.tick()) == 3
    assert calls.take() == ["heartbeat"]


def test_a_day_and_a_half_missed_are_caught_up_once(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    plant.clock.advance(timedelta(hours=36))
    again = Schedule(plant.service)  # the process was started again
    again.tick()
    assert calls.take() == ["heartbeat", "verify_due", "learn_due"]  # and not 36 of them
    for _ in range(5):
        assert again.tick() == []
    assert calls.take() == []


def test_killed_in_a_round_runs_it_again(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    class Killed(BaseException):
        """What ends the process in the middle, past every handler."""

    def kill() -> None:
        raise Killed

    calls.does["heartbeat"] = kill
    plant.clock.move_to(at(TUESDAY, 7))
    with pytest.raises(Killed):
        schedule.tick()
    calls.does.clear()
    assert Schedule(plant.service).tick() == ["heartbeat"]
    assert calls.take() == ["heartbeat", "heartbeat"]


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [  # UTC of 13:15 and 15:00 at the plant
        (date(2026, 10, 24), (11, 15), (13, 0)),  # summer time
        (date(2026, 10, 25), (12, 15), (14, 0)),  # the clock was put back at night
        (date(2027, 3, 27), (12, 15), (14, 0)),
        (date(2027, 3, 28), (11, 15), (13, 0)),  # and put forward
    ],
)
def test_offers_open_and_close_at_the_plants_wall_time(
    plant: SmallPlant, calls: Calls, day: date, opens: tuple[int, int], closes: tuple[int, int]
) -> None:
    plant.clock.move_to(at(day, 9))
    schedule = Schedule(plant.service)
    schedule.tick()
    seen = {}
    while plant.clock.now() < at(day, 16):
        plant.clock.advance(timedelta(minutes=5))
        for name in schedule.tick():
            if name.startswith("offers"):
                assert name not in seen
                seen[name] = plant.clock.now()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert seen == {
        "offers open": midnight + timedelta(hours=opens[0], minutes=opens[1]),
        "offers close": midnight + timedelta(hours=closes[0], minutes=closes[1]),
    }


@pytest.mark.parametrize("day", [TUESDAY, date(2026, 10, 25)])
def test_a_day_is_accounted_once_it_has_settled(plant: SmallPlant, calls: Calls, day: date) -> None:
    plant.clock.move_to(at(day, 0, 59))  # an hour after midnight, by the config
    schedule = Schedule(plant.service)
    schedule.tick()
    calls.take()
    plant.clock.advance(timedelta(minutes=1))
    schedule.tick()
    assert calls.take().count("verify_due") == 1
    while plant.clock.now() < at(day + timedelta(days=1), 0, 59):
        plant.clock.advance(timedelta(minutes=30))
        if plant.clock.now() < at(day + timedelta(days=1), 0, 59):
            schedule.tick()
    assert "verify_due" not in calls.take()
    plant.clock.move_to(at(day + timedelta(days=1), 1))
    schedule.tick()
    assert calls.take().count("verify_due") == 1


def test_facts_come_first_and_within_one_tick(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    plant.clock.move_to(at(TUESDAY, 7))
    plant.store.facts.add(down(plant))
    calls.does["answer_facts"] = lambda: plant.store.facts.mark_answered(["f1"], plant.clock.now(), "p")
    assert schedule.tick() == ["facts", "heartbeat"]
    assert calls.take() == ["answer_facts", "heartbeat"]
    assert schedule.tick() == []


def test_a_fact_that_cannot_be_answered_waits_and_holds_nothing_up(
    schedule: Schedule, plant: SmallPlant, calls: Calls
) -> None:
    seconds = [0.0]
    schedule._facts = Patience(monotonic=lambda: seconds[0])

    def fail() -> None:
        raise LoadstoneError("the solver has no licence")

    calls.does["answer_facts"] = fail
    plant.clock.move_to(at(TUESDAY, 7))
    plant.store.facts.add(down(plant))
    assert schedule.tick() == ["heartbeat"]
    for _ in range(10):
        assert schedule.tick() == []
    assert calls.take() == ["answer_facts", "heartbeat"]
    seconds[0] += FIRST_PAUSE
    schedule.tick()
    assert calls.take() == ["answer_facts"]  # tried again after a pause
    calls.does["answer_facts"] = lambda: plant.store.facts.mark_answered(["f1"], plant.clock.now(), "p")
    seconds[0] += LONGEST_PAUSE
    assert schedule.tick() == ["facts"]
    assert schedule.tick() == []


@pytest.mark.parametrize("error", [LoadstoneError("the feed is silent"), ZeroDivisionError("a bug of ours")])
def test_a_failed_round_keeps_nothing_else_from_its_turn(
    schedule: Schedule, plant: SmallPlant, calls: Calls, error: Exception
) -> None:
    def fail() -> None:
        raise error

    calls.does["heartbeat"] = fail
    plant.clock.move_to(at(TUESDAY + timedelta(days=1), 1))
    assert schedule.tick()[-2:] == ["accounts", "machines"]
    assert calls.take() == ["heartbeat", "verify_due", "learn_due"]
    assert schedule.tick() == []  # not again and again: at the next slot
    plant.clock.advance(timedelta(hours=1))
    assert schedule.tick() == ["heartbeat"]


def test_collecting_has_its_own_pace(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    plant.clock.move_to(at(TUESDAY, 7))
    for seconds in (0, 20, 20, 20, 20, 60):  # every 60 s of plant time, by the config
        plant.clock.advance(timedelta(seconds=seconds))
        schedule.collect_tick()
    assert calls.take() == ["collect"] * 3
    plant.clock.advance(-timedelta(days=1))  # a clock that was set back must not stop it for a day
    schedule.collect_tick()
    assert calls.take() == ["collect"]


def test_a_slow_round_holds_no_meter_up(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    """APScheduler really ticks: while one heartbeat runs, counters become intervals again and again, and a stop does not
    wait for it for ever."""
    begun, let_go = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert let_go.wait(20)

    def minutes_pass() -> None:
        plant.clock.advance(timedelta(minutes=1))

    calls.does["heartbeat"], calls.does["collect"] = slow, minutes_pass
    plant.clock.move_to(at(TUESDAY, 7))
    real = Schedule(plant.service, tick_seconds=0.05)
    real.start()
    try:
        assert begun.wait(10)
        deadline = time.monotonic() + 10
        while calls.made.count("collect") < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert calls.made.count("collect") >= 10
        assert calls.made.count("heartbeat") == 1  # and it is not run beside itself
        assert not real.stop(0.1)
    finally:
        let_go.set()
        assert real.stop(10)
    assert plant.store.steps.done("heartbeat", at(TUESDAY, 7), "")  # what was ended in time counts


def test_a_stop_ends_the_ticks(schedule: Schedule, plant: SmallPlant, calls: Calls) -> None:
    stop = threading.Event()
    plant.clock.move_to(at(TUESDAY, 7))
    calls.does["heartbeat"] = stop.set
    real = Schedule(plant.service, tick_seconds=0.05)
    assert real.run_until(stop, 10)
    calls.take()
    plant.clock.advance(timedelta(hours=5))
    time.sleep(0.2)
    assert calls.take() == []


class TestHeartbeat:
    """The round itself: what a step that fails keeps from its turn, and what not."""

    def broken(self, plant: SmallPlant, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception) -> list[str]:
        """The steps that run while one is broken."""
        ran: list[str] = []
        inline = plant.service.runner.run

        def run(name: str, call: Callable[[], object]) -> object:
            def fail() -> object:
                raise error

            ran.append(name)
            return inline(name, fail if name == step else call)

        monkeypatch.setattr(plant.service.runner, "run", run, raising=True)
        with pytest.raises(type(error)):
            plant.service.heartbeat()
        return ran

    @pytest.fixture(autouse=True)
    def runner(self, plant: SmallPlant) -> None:
        """A runner whose `run` can be watched."""

        class Watched:
            def __init__(self, inner: object) -> None:
                self.run = inner.run  # type: ignore[attr-defined]

        plant.service.runner = Watched(plant.service.runner)  # type: ignore[assignment]
        plant.publish(date(2026, 10, 23), date(2026, 10, 28))
        plant.live_to(at(date(2026, 10, 25), 6))

    @pytest.mark.parametrize("step", ["fetch", "collect", "predict", "respond", "propose", "dispatch"])
    def test_the_other_steps_have_their_turn(
        self, plant: SmallPlant, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        ran = self.broken(plant, monkeypatch, step, FeedError("no answer; ask the provider"))
        assert ran == ["fetch", "collect", "predict", "respond", "plan", "propose", "dispatch"]
        assert [(name, text) for name, _, text in plant.store.steps.failures(at(date(2026, 10, 23), 0))] == [
            (step, "no answer; ask the provider")
        ]

    def test_without_a_plan_nothing_is_proposed_but_what_was_accepted_is_dispatched(
        self, plant: SmallPlant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = self.broken(plant, monkeypatch, "plan", ZeroDivisionError("a bug"))
        assert ran == ["fetch", "collect", "predict", "respond", "plan", "dispatch"]
        (said,) = plant.store.steps.failures(at(date(2026, 10, 23), 0))
        assert said[2] == "our bug: ZeroDivisionError: a bug"

    def test_a_step_that_works_again_is_no_failure_any_more(
        self, plant: SmallPlant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            self.broken(plant, patch, "predict", LoadstoneError("no history"))
        plant.service.heartbeat()
        assert plant.store.steps.failures(at(date(2026, 10, 23), 0)) == []

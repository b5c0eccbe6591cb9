"""The shop floor: what really runs is what was planned, a little late, and somewhere else where it was told so."""

import csv
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from energy.clock import HeldClock
from energy.errors import ImportFileError, LoadstoneError
from energy.exchange.orders import read_jobs, read_runs
from energy.model.fact import FactKind
from energy.model.job import Job, Planned
from energy.model.meter import Measures
from energy.twin.floor import LivingPlant, read_instructions
from energy.twin.history import History, history
from energy.twin.plant import Twin
from tests.twin.hallmoor import CALENDAR, METERS, SITE

MONDAY = datetime(2026, 5, 17, 22, tzinfo=UTC)  # 0 o'clock in Berlin
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def twin(start: datetime = MONDAY) -> Twin:
    return Twin(SITE, METERS, CALENDAR, seed=7, start=start)


@pytest.fixture(scope="module")
def past() -> History:
    """Six weeks of the plant."""
    return history(SITE, METERS, CALENDAR, seed=7, start=MONDAY, end=MONDAY + 42 * DAY)


def delays(past: History) -> list[float]:
    starts = {job.id: job.planned_start for job in past.jobs}
    return [(r.start - planned) / MINUTE for r in past.runs if (planned := starts[r.job]) is not None]


def test_starts_are_a_little_late(past: History) -> None:
    late = np.array(delays(past))
    assert late.min() >= 0
    assert np.mean(late <= 10) > 0.8
    assert 0.005 < np.mean(late > 15) < 0.15


def test_duration_and_energy_are_near_the_plan(past: History) -> None:
    jobs = {job.id: job for job in past.jobs}
    runs = [run for run in past.runs if run.end is not None and not run.note]
    longer, more = [], []
    for run in runs:
        mode = jobs[run.job].mode(run.machine)
        longer.append((run.end - run.start) / MINUTE / mode.minutes)
        more.append(run.kwh / mode.energy_kwh)
    assert min(longer) > 0.95
    assert max(longer) < 1.05
    assert abs(np.mean(longer) - 1) < 0.005
    assert min(more) > 0.92
    assert max(more) < 1.08


def test_all_that_was_due_has_run_and_little_was_scrap(past: History) -> None:
    ran = {run.job for run in past.runs}
    last_days = past.twin.now - 2 * DAY
    assert [job.id for job in past.jobs if job.due < last_days and job.id not in ran] == []
    quantity = {job.id: job.quantity for job in past.jobs}
    good = [r.good_quantity / quantity[r.job] for r in past.runs if r.good_quantity is not None]
    assert 0.95 < np.mean(good) < 0.995
    reported = {fact.job for fact in past.facts if fact.kind is FactKind.SCRAP}
    assert reported == {r.job for r in past.runs if r.good_quantity and r.good_quantity / quantity[r.job] < 0.9599}


def test_no_machine_runs_two_jobs(past: History) -> None:
    for machine in SITE.machines:
        runs = [run for run in past.runs if run.machine == machine.id]
        assert all(one.end <= other.start for one, other in pairwise(runs))


def test_a_breakdown_comes_now_and_then(past: History) -> None:
    downs = [fact for fact in past.facts if fact.kind is FactKind.MACHINE_DOWN]
    assert 1 <= len(downs) <= 8
    for fact in downs:
        assert fact.until is not None
        assert HOUR <= fact.until - fact.at <= 4 * HOUR
        started = [r for r in past.runs if r.machine == fact.machine and fact.at < r.start < fact.until]
        assert started == []


def test_run_energy_is_what_the_machine_meter_shows() -> None:
    """A day of press 1: its meter = idle + runs."""
    plant = twin()
    start = MONDAY + 6 * HOUR  # 6 o'clock, the crew is there
    plant.advance_to(start)
    before = plant.stand("m-press-1").import_kwh
    plant.advance_to(start + 15 * HOUR)
    used = plant.stand("m-press-1").import_kwh - before
    runs = [run for run in plant.runs() if run.machine == "press-1"]
    assert runs
    assert all(run.end is not None for run in runs)
    assert used == pytest.approx(15 * SITE.machine("press-1").idle_kw + sum(run.kwh for run in runs), abs=1e-6)


def test_history_is_what_the_living_plant_would_have_shown(past: History) -> None:
    plant = twin()
    shown = {(r.meter, r.taken_at): r for r in past.readings}
    for t in (MONDAY + 9 * HOUR, MONDAY + 3 * DAY, MONDAY + 9 * DAY + 11 * HOUR):
        plant.advance_to(t - 7 * MINUTE)
        plant.advance_to(t)
        for meter in METERS:
            assert shown[meter.id, t].import_kwh == plant.stand(meter.id).import_kwh
    assert len(past.readings) == (42 * 96 + 1) * len(METERS)
    assert past.twin.now == MONDAY + 42 * DAY


def test_the_plant_is_of_the_size_it_says(past: History) -> None:
    grid = [r for r in past.readings if r.meter == "grid"]
    kwh = np.diff([r.import_kwh for r in grid])
    assert 1100 < 4 * kwh.max() < SITE.import_limit_kw
    pv = np.diff([r.export_kwh for r in past.readings if r.meter == "pv"])
    assert 200 < 4 * pv.max() < 380
    assert {meter.measures for meter in METERS} >= {Measures.GRID, Measures.PV, Measures.BATTERY}


# What the floor is told


def a_free_job(plant: Twin) -> Job:
    """A furnace job of Monday that nothing hangs on."""
    bound = {f.job for job in plant.jobs() for f in job.follows} | {job.id for job in plant.jobs() if job.follows}
    return next(
        job
        for job in plant.jobs()
        if job.id not in bound and job.planned_machine and "furnace" in job.planned_machine and len(job.modes) > 1
    )


def moved(job: Job, start: datetime, machine: str) -> Planned:
    mode = job.mode(machine)
    return Planned(job=job.id, machine=machine, start=start, end=start + mode.minutes * MINUTE)


def test_an_accepted_move_is_followed() -> None:
    plant = twin()
    job = a_free_job(plant)
    other = next(mode.machine for mode in job.modes if mode.machine != job.planned_machine)
    place = moved(job, MONDAY + 20 * HOUR, other)  # 20 o'clock in Berlin
    plant.follow({job.id: place})
    plant.advance_to(MONDAY + DAY)
    (run,) = [run for run in plant.runs() if run.job == job.id]
    assert run.machine == other
    assert 0 <= (run.start - place.start) / MINUTE <= 30


def test_moving_one_job_leaves_the_chances_of_the_others_alone() -> None:
    as_planned, told = twin(), twin()
    job = a_free_job(told)
    told.follow({job.id: moved(job, MONDAY + 20 * HOUR, job.modes[0].machine)})
    kwh = []
    for plant in (as_planned, told):
        plant.advance_to(MONDAY + 2 * DAY)
        kwh.append({run.job: run.kwh for run in plant.runs() if run.machine.startswith("press")})
    assert kwh[0] == kwh[1]


def test_a_started_job_is_not_moved_and_a_taken_back_move_is_forgotten() -> None:
    plant = twin()
    job = a_free_job(plant)
    place = moved(job, MONDAY + 20 * HOUR, job.modes[0].machine)
    plant.follow({job.id: place})
    plant.follow({})
    plant.advance_to(job.planned_start + HOUR)
    plant.follow({job.id: place})
    plant.advance_to(MONDAY + DAY)
    (run,) = [run for run in plant.runs() if run.job == job.id]
    assert run.start - job.planned_start <= HOUR


def test_a_place_where_the_job_cannot_run_is_refused() -> None:
    plant = twin()
    job = a_free_job(plant)
    with pytest.raises(LoadstoneError, match=rf"job {job.id} cannot run on press-1; it can run on furnace"):
        plant.follow({job.id: Planned(job=job.id, machine="press-1", start=MONDAY, end=MONDAY + HOUR)})


def test_nobody_there_means_it_waits() -> None:
    """Told to press on Saturday at noon: it runs when the crew is back on Tuesday, after Whit Monday."""
    plant = twin()
    job = next(job for job in plant.jobs() if job.needs[0].skill == "press" and not job.follows)
    plant.follow({job.id: moved(job, MONDAY + 5 * DAY + 12 * HOUR, job.modes[0].machine)})
    plant.advance_to(MONDAY + 9 * DAY)
    (run,) = [run for run in plant.runs() if run.job == job.id]
    assert run.start >= MONDAY + 8 * DAY + 6 * HOUR
    assert run.start <= MONDAY + 8 * DAY + 8 * HOUR


def test_a_broken_machine_stands_still_and_makes_the_next_job_wait() -> None:
    whole, broken = twin(), twin()
    job = next(job for job in whole.jobs() if job.planned_machine == "galvanic")
    at = job.planned_start + HOUR
    broken.break_down("galvanic", at, at + 3 * HOUR)
    for plant in (whole, broken):
        plant.advance_to(MONDAY + DAY)
    (as_planned,) = [run for run in whole.runs() if run.job == job.id]
    (stopped,) = [run for run in broken.runs() if run.job == job.id]
    assert stopped.end - as_planned.end == 3 * HOUR
    assert stopped.note == "stood still for 180 min"
    (fact,) = [fact for fact in broken.facts() if fact.kind is FactKind.MACHINE_DOWN and fact.at == at]
    assert (fact.machine, fact.until, fact.job) == ("galvanic", at + 3 * HOUR, job.id)


# The plant with its folders

INSTRUCTIONS = ["instruction", "offer", "job", "machine", "mode", "start", "end", "old_machine", "old_start", "text"]


def instruct(folder: Path, *places: Planned) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / "instructions.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, INSTRUCTIONS)
        rows.writeheader()
        for p in places:
            said = {"job": p.job, "machine": p.machine, "mode": p.mode}
            rows.writerow({**said, "start": p.start.isoformat(), "end": p.end.isoformat(), "text": "later, please"})


def living(folder: Path, clock: HeldClock) -> LivingPlant:
    return LivingPlant(
        twin(),
        clock,
        orders=folder / "orders",
        dispatch=folder / "dispatch",
        diary=folder / "diary.jsonl",
    )


def test_a_living_plant_follows_its_folder_and_writes_its_own(tmp_path: Path) -> None:
    clock = HeldClock(MONDAY)
    plant = living(tmp_path, clock)
    plant.tick()
    read = read_jobs(tmp_path / "orders" / "jobs.csv", SITE.zone)
    assert read.bad == ()
    assert list(read.jobs) == plant.twin.jobs()
    assert read_runs(tmp_path / "orders" / "runs.csv", SITE.zone).runs == ()

    job = a_free_job(plant.twin)
    place = moved(job, MONDAY + 20 * HOUR, job.modes[0].machine)
    instruct(tmp_path / "dispatch", place)
    for _ in range(48):
        clock.advance(HOUR / 2)
        plant.tick()
    (run,) = [run for run in plant.twin.runs() if run.job == job.id]
    assert run.start >= place.start
    assert list(read_runs(tmp_path / "orders" / "runs.csv", SITE.zone).runs) == plant.twin.runs()

    clock.move_to(MONDAY + 3 * DAY + 13 * HOUR)  # Thursday afternoon: next week is released
    plant.tick()
    assert len(read_jobs(tmp_path / "orders" / "jobs.csv", SITE.zone).jobs) > len(read.jobs) + 40


def test_a_plant_built_anew_has_lived_the_same_life(tmp_path: Path) -> None:
    clock = HeldClock(MONDAY + 2 * HOUR + timedelta(seconds=12.5))
    plant = living(tmp_path, clock)
    job = a_free_job(plant.twin)
    instruct(tmp_path / "dispatch", moved(job, MONDAY + 20 * HOUR, job.modes[0].machine))
    plant.tick()
    clock.move_to(MONDAY + 10 * HOUR)
    plant.break_down("press-2", MONDAY + 12 * HOUR)
    instruct(tmp_path / "dispatch")
    clock.move_to(MONDAY + 11 * HOUR)
    plant.tick()
    clock.move_to(MONDAY + 30 * HOUR)
    again = living(tmp_path, clock)
    for meter in METERS:
        assert plant.stand(meter.id) == again.stand(meter.id)
    assert plant.twin.runs() == again.twin.runs()
    assert [fact.machine for fact in plant.new_facts() if fact.kind is FactKind.MACHINE_DOWN] == ["press-2"]
    assert plant.new_facts() == []
    assert again.new_facts() == plant.twin.facts()


def test_a_bad_instruction_is_named_and_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = HeldClock(MONDAY)
    plant = living(tmp_path, clock)
    job = a_free_job(plant.twin)
    (tmp_path / "dispatch").mkdir()
    path = tmp_path / "dispatch" / "instructions.csv"
    path.write_text(f"job,machine,start,end\n{job.id},furnace-1,2026-05-18T20:00,2026-05-18T22:00\n")
    with pytest.raises(ImportFileError, match=r"line 2: 2026-05-18T20:00:00 has no time zone"):
        read_instructions(tmp_path / "dispatch")
    plant.tick()
    plant.tick()
    assert caplog.text.count("the floor does not follow") == 1
    path.write_text("job,start\n")
    with pytest.raises(ImportFileError, match="no column machine, end"):
        read_instructions(tmp_path / "dispatch")
    assert read_instructions(tmp_path / "nowhere") == {}

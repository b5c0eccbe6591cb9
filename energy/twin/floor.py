"""The plant's own systems beside Loadstone, joined by files as in many a real plant: orders and runs out of the MES,
instructions of the dispatcher into it."""

import csv
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from energy.clock import Clock, aware
from energy.errors import ImportFileError, LoadstoneError, Mistake
from energy.exchange.orders import write_jobs, write_runs
from energy.exchange.rows import replace_text
from energy.model.fact import Fact, FactKind
from energy.model.job import Job, Planned
from energy.model.run import JobRun
from energy.twin.plant import Twin
from energy.twin.stand import Stand

INSTRUCTIONS = "instructions.csv"
JOBS, RUNS = "jobs.csv", "runs.csv"
DIGIT_KWH = 0.1  # the last digit of the coarsest register of the demo's meters
LISTED = timedelta(days=3)  # how long the MES lists what has ended
NEEDED = ("job", "machine", "start", "end")

log = logging.getLogger(__name__)


def write_orders(folder: Path, jobs: Sequence[Job], runs: Sequence[JobRun]) -> None:
    """Put `jobs.csv` and `runs.csv` into a folder."""
    write_jobs(folder / JOBS, jobs)
    write_runs(folder / RUNS, runs)


def read_instructions(folder: Path) -> dict[str, Planned]:
    """The new places in a dispatcher's `instructions.csv`, by job; the last line about a job holds. No file: none."""
    path = folder / INSTRUCTIONS
    if not path.exists():
        return {}
    planned: dict[str, Planned] = {}
    mistakes: list[Mistake] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise ImportFileError(str(path), [Mistake("line 1", f"no column {', '.join(missing)}")])
        for row in rows:
            try:
                place = Planned(
                    job=row["job"],
                    machine=row["machine"],
                    mode=row.get("mode") or "",
                    start=aware(datetime.fromisoformat(row["start"])),
                    end=aware(datetime.fromisoformat(row["end"])),
                )
            except (ValueError, TypeError) as error:
                mistakes.append(Mistake(f"line {rows.line_num}", f"{error}; times are ISO with an offset"))
            else:
                planned[place.job] = place
    if mistakes:
        raise ImportFileError(str(path), mistakes)
    return planned


class LivingPlant:
    """A twin on a clock with its folders; a source of power for simulated meters.

    With a `diary` (a file) it remembers what it was told and when: a plant built anew from the same seed and start
    reads it and has lived the same life, counters included."""

    def __init__(self, twin: Twin, clock: Clock, *, orders: Path, dispatch: Path, diary: Path | None = None) -> None:
        self.twin, self.clock = twin, clock
        self._orders, self._dispatch, self._diary = orders, dispatch, diary
        self._told: dict[str, Planned] = {}
        self._refused = ""
        self._written: tuple[int, int, int] | None = None
        self._facts_told = 0
        self._lock = RLock()  # meters are asked from another thread than the one that ticks
        self._remember()

    def tick(self) -> None:
        """Live up to now: take in new instructions, write orders and runs that changed."""
        with self._lock:
            self.twin.advance_to(self.clock.now())
            self._take_instructions()
            jobs, runs = self._still_of_interest()
            state = (len(jobs), len(runs), sum(run.end is not None for run in runs))
            if state != self._written:
                write_orders(self._orders, jobs, runs)
                self._written = state

    def _still_of_interest(self) -> tuple[list[Job], list[JobRun]]:
        """The orders and runs that an MES would list: open ones, and those that ended in the last days."""
        since = self.twin.now - LISTED
        old = {run.job for run in self.twin.runs() if run.end is not None and run.end < since}
        return (
            [job for job in self.twin.jobs() if job.id not in old],
            [run for run in self.twin.runs() if run.job not in old],
        )

    def stand(self, meter: str) -> Stand:
        """What a meter shows at this moment of the clock. Its past was written down with more digits than a register has,
        so a living meter stands a little further: else its first stand would read as a step down."""
        with self._lock:
            self.twin.advance_to(self.clock.now())
            stand = self.twin.stand(meter)
        return replace(stand, import_kwh=stand.import_kwh + DIGIT_KWH, export_kwh=stand.export_kwh + DIGIT_KWH)

    def break_down(self, machine: str, until: datetime) -> None:
        """A machine stops now."""
        with self._lock:
            self.twin.advance_to(self.clock.now())
            self.twin.break_down(machine, self.twin.now, until)
            self._note({"down": machine, "until": until.isoformat()})

    def new_facts(self) -> list[Fact]:
        """The breakdowns that the floor has reported since this was last asked. A plant built anew tells all of it again,
        for what it said just before it was stopped may not have been heard; the ids are the same. (Scrap shows in the
        runs' good quantity; this floor makes none of it again, so nobody needs to plan for it.)"""
        with self._lock:
            facts = [fact for fact in self.twin.facts() if fact.kind is FactKind.MACHINE_DOWN]
            new = facts[self._facts_told :]
            self._facts_told = len(facts)
            return new

    def _take_instructions(self) -> None:
        """A file that cannot be read changes nothing on the floor: it goes by what it was told before."""
        try:
            planned = read_instructions(self._dispatch)
            if planned != self._told:
                self.twin.follow(planned)
                self._told = planned
                self._note({"follow": [_as_plain(place) for place in planned.values()]})
            self._refused = ""
        except LoadstoneError as error:
            if str(error) != self._refused:
                log.warning("the floor does not follow: %s", error)
                self._refused = str(error)

    def _note(self, what: dict[str, Any]) -> None:
        if self._diary is not None:
            self._diary.parent.mkdir(parents=True, exist_ok=True)
            with self._diary.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"at": self.twin.now.isoformat(), **what}) + "\n")

    def _remember(self) -> None:
        """Live again through what the diary tells."""
        if self._diary is None or not self._diary.exists():
            return
        whole, _, broken = self._diary.read_text(encoding="utf-8").rpartition("\n")
        if broken:  # the plant was ended while it wrote; what it was told stands in the instructions still
            replace_text(self._diary, whole + "\n" if whole else "")
        for line in whole.splitlines():
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"])
            if at < self.twin.now:
                raise LoadstoneError(
                    f"{self._diary}: tells of {at}, before the plant's {self.twin.now}; start the plant where it began"
                )
            self.twin.advance_to(at)
            if "follow" in entry:
                self._told = {place["job"]: _from_plain(place) for place in entry["follow"]}
                self.twin.follow(self._told)
            else:
                self.twin.break_down(entry["down"], at, datetime.fromisoformat(entry["until"]))


def _as_plain(place: Planned) -> dict[str, str]:
    return {
        "job": place.job,
        "machine": place.machine,
        "mode": place.mode,
        "start": place.start.isoformat(),
        "end": place.end.isoformat(),
    }


def _from_plain(plain: dict[str, str]) -> Planned:
    return Planned(
        job=plain["job"],
        machine=plain["machine"],
        mode=plain["mode"],
        start=datetime.fromisoformat(plain["start"]),
        end=datetime.fromisoformat(plain["end"]),
    )

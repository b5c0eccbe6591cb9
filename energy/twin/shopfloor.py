"""The shop floor: which machine runs which job, minute by minute, as people and machines really do it.

Starts are a little late, runs a little longer or shorter, a machine that is busy makes the next job wait, nobody
starts what the crew cannot finish, and now and then something breaks. Each chance belongs to a job or a day by the
seed, so that moving a job changes when it runs and not how well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from energy.errors import LoadstoneError
from energy.model.calendar import Attended
from energy.model.fact import Fact, FactKind
from energy.model.job import Job, JobState, Mode, Planned
from energy.model.run import JobRun
from energy.model.site import Machine, Site
from energy.twin import tables
from energy.twin.noise import Dice, smooth
from energy.twin.roster import Roster, minute_of, time_of

HANDLING_MINUTES = 15  # loading and unloading
OVERTIME_MINUTES = 30  # what a crew stays on, or a closure waits, to see a job through
SCRAP_WORTH_TELLING = 0.04


@dataclass(slots=True)
class Running:
    """A run on a machine. `profile_kw` is its power above idle for each minute it works; it works `worked` of them
    so far, and stands still while its machine is down or nobody is there to unload."""

    job: Job
    machine: str
    start: int
    profile_kw: list[float]
    worked: int = 0
    held: int = 0
    end: int | None = None
    kwh: float = 0.0
    good_quantity: float | None = None
    stops: list[str] = field(default_factory=list)

    @property
    def unloading(self) -> bool:
        return self.worked >= len(self.profile_kw) - HANDLING_MINUTES

    def busy(self, attended: Attended) -> bool:
        """Whether people who attend it that way are at it right now."""
        loading = self.worked < HANDLING_MINUTES
        return attended is Attended.RUN or loading or (attended is Attended.ENDS and self.unloading)

    def as_run(self) -> JobRun:
        """The run as the MES tells it; what is not over has no energy yet."""
        ended = self.end is not None
        return JobRun(
            job=self.job.id,
            machine=self.machine,
            start=time_of(self.start),
            end=time_of(self.end) if self.end is not None else None,
            kwh=self.kwh if ended else None,
            good_quantity=self.good_quantity,
            note="; ".join(self.stops),
        )


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A job that waits for its time on a machine; `planned` is None where nobody said when."""

    ready: int
    planned: int | None
    job: str
    mode: Mode = field(compare=False)


class Floor:
    """All machines of a site and the jobs they have, had and will have."""

    def __init__(self, site: Site, roster: Roster, seed: int) -> None:
        self._site, self._roster, self._seed = site, roster, seed
        self.jobs: dict[str, Job] = {}
        self.running: dict[str, Running] = {}
        self.runs: list[Running] = []
        self.facts: list[Fact] = []
        self._ended: dict[str, int] = {}
        self._started: set[str] = set()
        self._told: dict[str, Planned] = {}
        self._queues: dict[str, list[Waiting]] = {machine.id: [] for machine in site.machines}
        self._whenever: list[Waiting] = []
        self._down: dict[str, int] = {}
        self._coming_down: list[tuple[int, str, int]] = []
        self._ripples: dict[tuple[str, int], list[float]] = {}

    # What the floor is told

    def release(self, jobs: Iterable[Job]) -> None:
        """Take in production orders; a job that is already there is replaced by its newer revision."""
        for job in jobs:
            if not any(mode.machine in self._queues for mode in job.modes):
                raise LoadstoneError(f"job {job.id} runs on no machine of {self._site.name}; correct its machines")
            self.jobs[job.id] = job
        self._queue_up()

    def follow(self, planned: Mapping[str, Planned]) -> None:
        """The places the floor goes by from now on; jobs of other floors are none of its business."""
        for place in planned.values():
            if place.job in self.jobs:
                self._mode(self.jobs[place.job], place.machine, place.mode)
        self._told = {place.job: place for place in planned.values()}
        self._queue_up()

    def break_down(self, machine: str, at: int, until: int) -> None:
        """A machine stops at a minute and is back at another."""
        self._site.machine(machine)
        self._coming_down.append((at, machine, until))
        self._coming_down.sort()

    # What the floor does

    def step(self, minute: int) -> dict[str, float]:
        """Live through one minute; the power of each machine in it, kW above idle, for those that run."""
        while self._coming_down and self._coming_down[0][0] <= minute:
            self._stop(*self._coming_down.pop(0))
        for machine in [m for m, until in self._down.items() if until <= minute]:
            del self._down[machine]
        for run in [r for r in self.running.values() if r.worked >= len(r.profile_kw)]:
            self._finish(run, minute)
        for machine in self._queues:
            if machine not in self.running and machine not in self._down:
                self._start_next(machine, minute)
        return {machine: self._work(run, minute) for machine, run in self.running.items()}

    def is_down(self, machine: str) -> bool:
        return machine in self._down

    # How it does it

    def _queue_up(self) -> None:
        for queue in self._queues.values():
            queue.clear()
        self._whenever.clear()
        for job in self.jobs.values():
            if job.id in self._started or job.state in {JobState.HELD, JobState.CANCELLED, JobState.GONE}:
                continue
            told = self._told.get(job.id)
            if told is not None:
                self._queue(job, minute_of(told.start), self._mode(job, told.machine, told.mode))
            elif job.planned_start is not None:
                mode = self._mode(job, job.planned_machine) if job.planned_machine else job.modes[0]
                self._queue(job, minute_of(job.planned_start), mode)
            else:
                ready = minute_of(job.earliest) if job.earliest is not None else 0
                self._whenever += [Waiting(ready, None, job.id, mode) for mode in job.modes if not mode.name]
        for queue in self._queues.values():
            queue.sort()
        self._whenever.sort()

    def _queue(self, job: Job, planned: int, mode: Mode) -> None:
        ready = planned + self._lateness(job)
        self._queues[mode.machine].append(Waiting(ready, planned, job.id, mode))

    def _mode(self, job: Job, machine: str, name: str = "") -> Mode:
        try:
            return job.mode(machine, name)
        except KeyError as error:
            known = ", ".join(sorted({mode.machine for mode in job.modes}))
            raise LoadstoneError(f"{error.args[0]}; it can run on {known}") from error

    def _lateness(self, job: Job) -> int:
        dice = Dice(self._seed, f"late {job.id}")
        share = dice.share()
        for part, (low, high) in tables.LATENESS:
            if share < part:
                return dice.whole(low, high)
            share -= part
        return 0

    def _start_next(self, machine: str, minute: int) -> None:
        queue = self._queues[machine]
        for waiting in queue:
            if waiting.ready > minute:
                break
            if self._can_start(waiting, minute):
                self._start(waiting, minute)
                return
        for waiting in self._whenever:
            if waiting.ready > minute:
                break
            if waiting.mode.machine == machine and self._fits_in(waiting, queue, minute):
                self._start(waiting, minute)
                return

    def _fits_in(self, waiting: Waiting, queue: list[Waiting], minute: int) -> bool:
        """An order without a start runs where it delays nobody, or when it would else be late."""
        end = minute + waiting.mode.minutes
        free = not queue or queue[0].ready > end or queue[0].ready <= minute
        pressing = end + 60 >= minute_of(self.jobs[waiting.job].due)
        return (free or pressing) and self._can_start(waiting, minute)

    def _can_start(self, waiting: Waiting, minute: int) -> bool:
        job, end = self.jobs[waiting.job], minute + waiting.mode.minutes
        if job.earliest is not None and minute < minute_of(job.earliest):
            return False
        for before in job.follows:
            if before.job in self.jobs:
                ended = self._ended.get(before.job)
                if ended is None or minute < ended + before.at_least_minutes:
                    return False
        if self._roster.closed(waiting.mode.machine, minute, max(minute + 1, end - OVERTIME_MINUTES)):
            return False
        return all(self._crew_for(need.skill, need.people, need.attended, minute, end) for need in job.needs)

    def _crew_for(self, skill: str, people: int, attended: Attended, start: int, end: int) -> bool:
        if self._free(skill, start) < people:
            return False
        if attended is Attended.RUN:
            return self._roster.least(skill, start, max(start + 1, end - OVERTIME_MINUTES)) >= people
        if attended is Attended.ENDS:
            return self._roster.people(skill, end - OVERTIME_MINUTES) >= people
        return True

    def _free(self, skill: str, minute: int, besides: str = "") -> int:
        """People with a skill who are not at a job; `besides` is a machine whose own people do not count."""
        busy = sum(
            need.people
            for machine, run in self.running.items()
            for need in run.job.needs
            if need.skill == skill and machine != besides and run.busy(need.attended)
        )
        return self._roster.people(skill, minute) - busy

    def _start(self, waiting: Waiting, minute: int) -> None:
        job, machine = self.jobs[waiting.job], waiting.mode.machine
        run = Running(job, machine, minute, self._profile(job, waiting.mode))
        self.running[machine] = run
        self.runs.append(run)
        self._started.add(job.id)
        self._queues[machine] = [w for w in self._queues[machine] if w.job != job.id]
        self._whenever = [w for w in self._whenever if w.job != job.id]

    def _profile(self, job: Job, mode: Mode) -> list[float]:
        """The power of each minute: the parts of the mode, stretched to the duration it really takes."""
        dice = Dice(self._seed, f"run {job.id}")
        minutes = max(2 * HANDLING_MINUTES, round(mode.minutes * (1.0 + tables.DURATION_SPREAD * dice.spread())))
        factor = 1.0 + tables.POWER_SPREAD * dice.spread()
        part = np.arange(minutes) * len(mode.power_kw) // minutes
        return [float(kw) for kw in np.asarray(mode.power_kw)[part] * factor]

    def _work(self, run: Running, minute: int) -> float:
        """One minute of a run, kW above idle."""
        if run.machine in self._down:
            return 0.0
        if run.unloading and not self._may_unload(run, minute):
            run.held += 1
            kw = run.profile_kw[-1] * 0.5  # holding
        else:
            kw = run.profile_kw[run.worked] * self._ripple(run.machine, minute)
            run.worked += 1
        run.kwh += kw / 60.0
        return kw

    def _may_unload(self, run: Running, minute: int) -> bool:
        if run.worked > len(run.profile_kw) - HANDLING_MINUTES:
            return True  # begun
        ends = [need for need in run.job.needs if need.attended is Attended.ENDS]
        return all(self._free(need.skill, minute, run.machine) >= need.people for need in ends)

    def _ripple(self, machine: str, minute: int) -> float:
        """Contactors and strokes: a machine never draws quite the same power for two minutes."""
        key = (machine, minute // 1440)
        if key not in self._ripples:
            if len(self._ripples) > 4 * len(self._queues):
                self._ripples.clear()
            at = minute // 1440 * 1440 + np.arange(1440.0)
            self._ripples[key] = (1.0 + 0.02 * np.clip(smooth(self._seed, machine, at / 2.0, 0.3), -2, 2)).tolist()
        return self._ripples[key][minute % 1440]

    def _finish(self, run: Running, minute: int) -> None:
        run.end = minute
        if run.held:
            run.stops.append(f"waited {run.held} min to be unloaded")
        dice = Dice(self._seed, f"scrap {run.job.id}")
        bad = dice.share() < 0.04
        scrap = dice.between(0.04, 0.12) if bad else dice.between(0.0, 0.03)
        run.good_quantity = round(run.job.quantity * (1.0 - scrap))
        self._ended[run.job.id] = minute
        del self.running[run.machine]
        if scrap >= SCRAP_WORTH_TELLING:
            self._tell(FactKind.SCRAP, f"scrap-{run.job.id}", minute, run, share=scrap, text=f"{scrap:.0%} scrap")

    def _stop(self, at: int, machine: str, until: int) -> None:
        self._down[machine] = max(until, self._down.get(machine, 0))
        run = self.running.get(machine)
        if run is not None:
            run.stops.append(f"stood still for {until - at} min")
        self.facts.append(
            Fact(
                id=f"down-{machine}-{at}",
                kind=FactKind.MACHINE_DOWN,
                at=time_of(at),
                machine=machine,
                job=run.job.id if run is not None else None,
                until=time_of(until),
                text=f"{self._machine(machine).name} is down",
                by="shop floor",
                reported_at=time_of(at),
            )
        )

    def _tell(self, kind: FactKind, id: str, minute: int, run: Running, *, share: float, text: str) -> None:
        self.facts.append(
            Fact(
                id=id,
                kind=kind,
                at=time_of(minute),
                machine=run.machine,
                job=run.job.id,
                share=round(share, 3),
                text=text,
                by="shop floor",
                reported_at=time_of(minute),
            )
        )

    def _machine(self, id: str) -> Machine:
        return self._site.machine(id)

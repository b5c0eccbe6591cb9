"""Making a plan better: take a few tasks out that stand near each other, and put them back one by one, each where it
costs least. Worse plans are kept now and then, the less often the later (simulated annealing).

A round works on a few machines and what stands on them, so that a step costs little however many tasks there are. A
task that stands nowhere yet is put somewhere first, and what is in its way is put elsewhere.
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from optimizer.many_machines.hall import Floats, Hall, Ints, Placed
from optimizer.many_machines.occupancy import Occupancy

MACHINES = 10  # of a round
STEPS = 600  # of a round
HOMELESS = 3  # tasks without a place that a round takes in
MOST_TAKEN = 12
MOST_SLOTS = 30  # around the moment at which tasks are taken out
SHUFFLED = 0.2  # of the steps put tasks back in any order
JITTER = (0.0, 0.2, 0.5, 1.0)  # of the order (in logarithms) in which the others put them back
BLUR = (0.0, 0.0, 0.02, 0.1)  # of the usual cost of a task: how much one machine seems cheaper than another by chance
GUIDED = (0.0, 0.0, 0.3, 1.0)  # share of the price of capacity that guides a step
PUSHED = 0.5  # of the steps put a task where it would cost less, and what stands there elsewhere
SNUG = 0.3  # of the steps prefer full machines


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What a refill goes by: prices of the capacity, order of the tasks, price of a task without a place."""

    paid: Floats  # J x T
    order: Floats  # J
    homeless: Floats  # J
    usual: float  # cost of a task
    snug: float


def refill(
    hall: Hall,
    placed: Placed,
    guide: Guide,
    machines: Ints,
    *,
    homeless: bool,
    warmth: float,
    until: float,
    rng: np.random.Generator,
) -> None:
    """One round on these machines, which changes `placed`; it also takes in tasks without a place if `homeless`."""
    tasks = np.flatnonzero(np.isin(placed.machine, machines))
    if homeless:
        tasks = np.concatenate([tasks, rng.permutation(np.flatnonzero(placed.machine < 0))[:HOMELESS]])
    if not len(tasks):
        return
    floor = Occupancy(hall, machines, tasks, placed, snug=guide.snug)
    _Round(floor, guide, warmth=warmth, rng=rng).run(STEPS, until)
    placed.machine[tasks] = np.where(floor.machine >= 0, machines[floor.machine], -1)
    placed.start[tasks] = floor.start


class _Round:
    """The steps of a round."""

    def __init__(self, floor: Occupancy, guide: Guide, *, warmth: float, rng: np.random.Generator) -> None:
        self.floor, self.guide, self.warmth, self.rng = floor, guide, warmth, rng
        self.order = guide.order[floor.tasks]
        self.price = guide.homeless[floor.tasks].tolist()
        self.homeless: list[int] = np.flatnonzero(floor.machine < 0).tolist()

    def run(self, steps: int, until: float) -> None:
        for _ in range(steps):
            if time.monotonic() > until:
                break
            self.step()

    def step(self) -> None:
        """Take out, put back, keep or restore."""
        floor, rng = self.floor, self.rng
        taken, first = self._choose()
        if not taken and not first:
            return
        machine, start = floor.machine[taken], floor.start[taken]
        before = float(floor.machine_cost.sum()) + sum(floor.standing_cost(task) for task in taken)
        before += sum(self.price[task] for task in self.homeless)
        floor.begin()
        floor.take_out(taken)
        rest = np.array([task for task in taken + self.homeless if task not in first], dtype=np.int64)
        todo = first + self._in_order(rest)
        still = self._put_back(todo)
        after = float(floor.machine_cost.sum()) + sum(floor.standing_cost(t) for t in todo if floor.machine[t] >= 0)
        after += sum(self.price[task] for task in still)
        if after - before < -self.warmth * math.log(max(rng.random(), 1e-300)):
            self.homeless = still
            return
        floor.take_back()
        floor.machine[todo] = -1
        floor.machine[taken], floor.start[taken] = machine, start

    def _put_back(self, todo: list[int]) -> list[int]:
        """Place the tasks in this order; those that fit nowhere are returned."""
        floor, rng, guide = self.floor, self.rng, self.guide
        share = GUIDED[int(rng.integers(len(GUIDED)))]
        blur = BLUR[int(rng.integers(len(BLUR)))] * guide.usual
        floor.snug = guide.snug if rng.random() < SNUG else 0.0
        still = []
        for task in todo:
            extra = None
            if share:
                begin, last = floor.window(task)
                extra = share * guide.paid[floor.tasks[task], begin : last + 1]
            noise = blur * rng.random(len(floor.machines)) if blur else None
            if not floor.place(task, extra=extra, noise=noise):
                still.append(task)
        return still

    def _in_order(self, tasks: Ints) -> list[int]:
        if self.rng.random() < SHUFFLED:
            return [int(task) for task in self.rng.permutation(tasks)]
        jitter = JITTER[int(self.rng.integers(len(JITTER)))]
        late = jitter * self.rng.normal(size=len(tasks)) - self.order[tasks]
        return [int(task) for task in tasks[np.argsort(late, kind="stable")]]

    def _choose(self) -> tuple[list[int], list[int]]:
        """Which tasks to take out, and which one without a place to put first."""
        floor, rng = self.floor, self.rng
        if self.homeless and rng.random() < 0.7:
            task = self.homeless[int(rng.integers(len(self.homeless)))]
            begin, last = floor.window(task)
            m, start = int(rng.integers(len(floor.machines))), int(rng.integers(begin, last + 1))
            return floor.in_the_way(task, m, start, rng.permutation(len(floor.tasks))), [task]
        task = int(rng.integers(len(floor.tasks)))
        if floor.machine[task] < 0:
            return [], []
        if rng.random() < PUSHED:
            return self._push(task)
        moment = int(floor.start[task]) + int(rng.integers(floor.duration[task]))
        around = int(rng.integers(1, MOST_SLOTS))
        chosen = floor.machine == floor.machine[task]
        for _ in range(int(rng.integers(3))):
            chosen |= floor.machine == int(rng.integers(len(floor.machines)))
        near = chosen & (floor.start < moment + around) & (floor.start + floor.duration > moment - around)
        taken = rng.permutation(np.flatnonzero(near))[: int(rng.integers(1, MOST_TAKEN))]
        return [int(task) for task in taken], []

    def _push(self, task: int) -> tuple[list[int], list[int]]:
        """A task that is to stand at a cheaper time on some machine, and what is in its way there."""
        floor, rng = self.floor, self.rng
        begin, _ = floor.window(task)
        cheaper = np.flatnonzero(floor.cost[task] < floor.cost[task][floor.start[task] - begin])
        if not len(cheaper):
            return [], []
        m, start = int(rng.integers(len(floor.machines))), begin + int(cheaper[rng.integers(len(cheaper))])
        gone = floor.in_the_way(task, m, start, rng.permutation(len(floor.tasks)))
        return [task, *(other for other in gone if other != task)], [task]

"""Many tasks on many machines: tiny halls checked by hand and by trying everything, larger ones held to their rules."""

import itertools
import os
import signal
import time
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from optimizer.many_machines.bench import Bench
from optimizer.many_machines.beside import Beside
from optimizer.many_machines.bound import Relaxation, ascend, first_prices
from optimizer.many_machines.hall import Hall, Placed
from optimizer.many_machines.occupancy import Occupancy
from optimizer.many_machines.solve import Found, solve
from optimizer.many_machines.states import busy, cheapest_states, cost_of


def hall(
    price: ArrayLike,
    *,
    duration: ArrayLike,
    need: ArrayLike,
    capacity: ArrayLike,
    power: ArrayLike | None = None,
    window: list[tuple[int, int]] | None = None,
    idle: ArrayLike = 1.0,
    switch: tuple[float, float] = (0.0, 0.0),
    allowed: ArrayLike | None = None,
    shut: ArrayLike | None = None,
) -> Hall:
    """A hall in which a slot costs its price × power; `window` is the earliest start and the latest end."""
    row, length = np.asarray(price, dtype=float), np.asarray(duration)
    tasks, slots = len(length), len(row)
    load = np.ones(tasks) if power is None else np.asarray(power, dtype=float)
    cost = np.full((tasks, slots), np.inf)
    for j in range(tasks):
        earliest, latest_end = (0, slots) if window is None else window[j]
        for k in range(earliest, latest_end - length[j] + 1):
            cost[j, k] = load[j] * row[k : k + length[j]].sum()
    holds = np.asarray(capacity, dtype=float).reshape(-1, np.asarray(need).reshape(tasks, -1).shape[1])
    machines = len(holds)
    return Hall(
        start_cost=cost,
        duration=length,
        need=np.asarray(need, dtype=float).reshape(tasks, -1),
        capacity=holds,
        on_cost=np.broadcast_to(np.asarray(idle, dtype=float), (machines,))[:, None] * row[None, :],
        switch_on=np.full(machines, switch[0]),
        switch_off=np.full(machines, switch[1]),
        allowed=None if allowed is None else np.asarray(allowed, dtype=bool),
        shut=None if shut is None else np.asarray(shut, dtype=bool),
    )


def faults(of: Hall, placed: Placed) -> list[str]:
    """Every rule of a hall that the plan breaks, slot by slot."""
    found = []
    for m, k, r in itertools.product(range(of.machines), range(of.slots), range(of.resources)):
        there = [
            j
            for j in range(of.tasks)
            if placed.machine[j] == m and placed.start[j] <= k < placed.start[j] + of.duration[j]
        ]
        if sum(of.need[j, r] for j in there) > of.capacity[m, r] + 1e-6:
            found.append(f"machine {m} holds too much of {r} in slot {k}: {there}")
        if there and of.shut is not None and of.shut[m, k]:
            found.append(f"machine {m} is shut in slot {k}")
    for j in range(of.tasks):
        if placed.machine[j] < 0 or not np.isfinite(of.start_cost[j, placed.start[j]]):
            found.append(f"task {j} may not stand there")
        elif of.allowed is not None and not of.allowed[j, placed.machine[j]]:
            found.append(f"task {j} may not be on machine {placed.machine[j]}")
    return found


def best_of_all(of: Hall) -> float | None:
    """The least cost of all plans; None where none keeps the rules."""
    places = [
        [(m, int(k)) for m in range(of.machines) for k in np.flatnonzero(np.isfinite(of.start_cost[j]))]
        for j in range(of.tasks)
    ]
    costs = []
    for plan in itertools.product(*places):
        placed = Placed(machine=np.array([p[0] for p in plan]), start=np.array([p[1] for p in plan]))
        if not faults(of, placed):
            costs.append(cost_of(of, placed))
    return min(costs, default=None)


def solved(of: Hall, *, seconds: float = 1.0, rounds: int = 1) -> Found:
    return solve(of, seconds=seconds, rounds=rounds)


def test_two_tasks_share_the_machine_that_is_on_anyway() -> None:
    # 2 x 1 slot of energy at price 1, the machine once for both at 10; apart they would cost 22
    found = solved(hall([5, 1, 5], duration=[1, 1], need=[2, 2], capacity=[4], idle=10.0))
    assert found.cost == pytest.approx(12.0)
    assert found.placed.start.tolist() == [1, 1]


def test_what_does_not_fit_at_once_stands_one_after_the_other() -> None:
    found = solved(hall([5, 1, 2], duration=[1, 1], need=[3, 3], capacity=[4], idle=0.0))
    assert found.cost == pytest.approx(3.0)
    assert sorted(found.placed.start.tolist()) == [1, 2]


def test_each_resource_is_a_limit_of_its_own() -> None:
    # together they need 4 of 4 of the first resource, but 5 of 4 of the second
    found = solved(hall([1, 3], duration=[1, 1], need=[[2, 1], [2, 4]], capacity=[[4, 4]], idle=0.0))
    assert found.cost == pytest.approx(4.0)


def test_the_machine_with_less_idle_power_is_taken() -> None:
    found = solved(hall([1, 1], duration=[2], need=[1], capacity=[1, 1, 1], idle=[3.0, 1.0, 2.0]))
    assert found.placed.machine.tolist() == [1]
    assert found.cost == pytest.approx(4.0)
    assert found.proven


@pytest.mark.parametrize(
    ("switch", "cost"),
    [
        ((0.0, 0.0), 4.0),  # off in the dear slot between: 2 energy + 2 idle
        ((2.0, 1.0), 10.0),  # twice on and off: 4 + 6
        ((5.0, 3.0), 17.0),  # staying on for 5 is less than 8 more for off and on: 9 + 8
    ],
)
def test_between_two_tasks_a_machine_stays_on_or_stops(switch: tuple[float, float], cost: float) -> None:
    of = hall([1, 5, 1], duration=[1, 1], need=[1, 1], capacity=[1], window=[(0, 1), (2, 3)], switch=switch)
    assert solved(of).cost == pytest.approx(cost)


def test_a_machine_that_is_paid_for_being_on_is_on() -> None:
    of = hall([1, -5, 1], duration=[1], need=[1], capacity=[1], window=[(0, 1)])
    assert solved(of).cost == pytest.approx(1 + 1 - 5)


def test_allowed_machines_and_shut_slots() -> None:
    of = hall(
        [1, 2, 3],
        duration=[1, 1],
        need=[1, 1],
        capacity=[2, 2],
        idle=0.0,
        allowed=[[True, False], [False, True]],
        shut=[[True, False, False], [False, False, False]],
    )
    found = solved(of)
    assert (found.placed.machine.tolist(), found.placed.start.tolist()) == ([0, 1], [1, 0])


def test_a_task_that_fits_nowhere_is_told() -> None:
    found = solved(hall([1, 1], duration=[1, 1], need=[1, 5], capacity=[2]))
    assert found.cost is None
    assert found.placed.machine.tolist()[1] == -1


def test_shapes_and_ends_are_checked() -> None:
    with pytest.raises(ValueError, match="need has the shape"):
        Hall(
            start_cost=np.zeros((2, 3)),
            duration=np.array([1, 1]),
            need=np.zeros((3, 1)),
            capacity=np.ones((1, 1)),
            on_cost=np.ones((1, 3)),
            switch_on=np.zeros(1),
            switch_off=np.zeros(1),
        )
    with pytest.raises(ValueError, match="ends by the last"):
        Hall(
            start_cost=np.zeros((1, 3)),
            duration=np.array([2]),
            need=np.zeros((1, 1)),
            capacity=np.ones((1, 1)),
            on_cost=np.ones((1, 3)),
            switch_on=np.zeros(1),
            switch_off=np.zeros(1),
        )
    with pytest.raises(ValueError, match="task 1 has no start"):
        hall([1, 1], duration=[1, 2], need=[1, 1], capacity=[1], window=[(0, 2), (1, 2)])


@st.composite
def halls(draw: st.DrawFn, tasks: int = 4, slots: int = 5) -> Hall:
    slots = draw(st.integers(2, slots))
    tasks = draw(st.integers(1, tasks))
    machines = draw(st.integers(1, 2))
    duration = [draw(st.integers(1, slots)) for _ in range(tasks)]
    window = []
    for length in duration:
        earliest = draw(st.integers(0, slots - length))
        window.append((earliest, draw(st.integers(earliest + length, slots))))
    return hall(
        [draw(st.integers(-3, 9)) for _ in range(slots)],
        duration=duration,
        need=[[draw(st.integers(0, 4)), draw(st.integers(1, 4))] for _ in range(tasks)],
        capacity=[[draw(st.integers(3, 8)), draw(st.integers(4, 8))] for _ in range(machines)],
        power=[draw(st.integers(0, 5)) for _ in range(tasks)],
        window=window,
        idle=[draw(st.integers(0, 6)) for _ in range(machines)],
        switch=(draw(st.integers(0, 6)), draw(st.integers(0, 6))),
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(of=halls(tasks=3, slots=4))
def test_no_plan_costs_less_than_the_bound(of: Hall) -> None:
    least = best_of_all(of)
    found = solve(of, seconds=0.15, rounds=1)
    if least is not None:
        assert found.bound <= least + 1e-9
    if found.cost is not None:
        assert least is not None
        assert found.cost >= least - 1e-9
        assert not faults(of, found.placed)
        if found.proven:
            assert found.cost == pytest.approx(least, abs=1e-6)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(of=halls(), seed=st.integers(0, 99))
def test_any_prices_give_a_bound(of: Hall, seed: int) -> None:
    prices = np.random.default_rng(seed).uniform(0.0, 5.0, (of.resources, of.slots))
    value, _ = Relaxation(of).value(prices)
    found = solve(of, seconds=0.15, rounds=1)
    if found.cost is not None:
        assert value <= found.cost + 1e-9


@settings(max_examples=80, deadline=None, derandomize=True)
@given(of=halls(tasks=4, slots=6), seed=st.integers(0, 9))
def test_what_a_place_adds_is_what_the_plan_costs_more(of: Hall, seed: int) -> None:
    """The incremental costs are those of the whole, also after some were taken out and the changes taken back."""
    if (of.on_cost < 0.0).any():  # then a machine may be on without a task, which only the whole knows
        return
    rng = np.random.default_rng(seed)
    nowhere = Placed(machine=np.full(of.tasks, -1), start=np.zeros(of.tasks, dtype=np.int64))
    floor = Occupancy(of, np.arange(of.machines), np.arange(of.tasks), nowhere)
    for j in range(of.tasks):
        floor.place(j, noise=rng.random(of.machines))
        assert floor.machine_cost.sum() + _tasks(floor) == pytest.approx(cost_of(of, _placed(floor)))
    stands = np.flatnonzero(floor.machine >= 0).tolist()
    machine, start, before = floor.machine.copy(), floor.start.copy(), floor.machine_cost.copy()
    edges, free = floor.edges.copy(), floor.free.copy()
    floor.begin()
    floor.take_out(stands[:2])
    assert floor.machine_cost.sum() + _tasks(floor) == pytest.approx(cost_of(of, _placed(floor)))
    for j in stands[:2]:
        floor.place(j, noise=rng.random(of.machines))
    assert floor.machine_cost.sum() + _tasks(floor) == pytest.approx(cost_of(of, _placed(floor)))
    floor.take_back()
    floor.machine[:], floor.start[:] = machine, start
    for now, then in ((floor.edges, edges), (floor.free, free), (floor.machine_cost, before)):
        np.testing.assert_allclose(now, then)


def _placed(floor: Occupancy) -> Placed:
    return Placed(machine=floor.machine.copy(), start=floor.start.copy())


def _tasks(floor: Occupancy) -> float:
    return sum(floor.standing_cost(j) for j in np.flatnonzero(floor.machine >= 0).tolist())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cost=st.lists(st.integers(-4, 6), min_size=1, max_size=6),
    switch=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    must=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_cheapest_states_are_the_cheapest(cost: list[int], switch: tuple[int, int], must: list[bool]) -> None:
    row = np.array([cost], dtype=float)
    forced = np.array([must[: len(cost)]])
    total, states = cheapest_states(row, np.array([float(switch[0])]), np.array([float(switch[1])]), forced)

    def price(on: tuple[bool, ...]) -> float:
        starts = sum(now and not before for before, now in itertools.pairwise((False, *on)))
        return sum(c for c, is_on in zip(cost, on, strict=True) if is_on) + starts * sum(switch)

    ways = itertools.product([False, True], repeat=len(cost))
    allowed = [on for on in ways if all(is_on or not f for is_on, f in zip(on, must, strict=False))]
    assert total[0] == pytest.approx(min(price(on) for on in allowed))
    assert price(tuple(states[0].tolist())) == pytest.approx(total[0])


def large(tasks: int = 60, seed: int = 1) -> Hall:
    """A day of 48 slots on 4 machines with three resources."""
    rng = np.random.default_rng(seed)
    duration = rng.integers(1, 12, tasks)
    earliest = rng.integers(0, 48 - duration)
    ends = np.minimum(48, earliest + duration + rng.integers(0, 30, tasks))
    return hall(
        1.0 + 0.5 * np.sin(np.arange(48) / 8.0),
        duration=duration,
        need=rng.integers(1, 40, (tasks, 3)),
        capacity=rng.integers(95, 106, (4, 3)),
        power=rng.integers(1, 9, tasks),
        window=list(zip(earliest.tolist(), ends.tolist(), strict=True)),
        idle=rng.integers(5, 9, 4),
        switch=(1.0, 0.5),
    )


def test_a_day_keeps_its_rules_and_its_bound() -> None:
    of = large()
    heard: list[tuple[float | None, float]] = []
    found = solve(of, seconds=20.0, rounds=3, progress=lambda cost, bound: heard.append((cost, bound)))
    assert found.cost is not None
    assert not faults(of, found.placed)
    assert found.cost == pytest.approx(cost_of(of, found.placed))
    assert found.bound <= found.cost <= 1.2 * found.bound
    costs = [cost for cost, _ in heard if cost is not None]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == found.cost
    assert busy(of, found.placed).any()


def test_the_same_seed_gives_the_same_plan() -> None:
    of = large(30)
    one, two = (solve(of, seconds=60.0, rounds=2, seed=7) for _ in range(2))
    assert one.cost == two.cost
    assert one.placed.start.tolist() == two.placed.start.tolist()


def test_the_time_is_kept() -> None:
    begun = time.process_time()
    found = solve(large(), seconds=0.5)
    assert found.cost is not None
    assert time.process_time() - begun < 5.0


def test_more_rounds_of_prices_never_lower_the_bound() -> None:
    of = large()
    relaxation, prices = Relaxation(of), first_prices(of)
    until = time.monotonic() + 60.0
    bounds = [ascend(relaxation, prices, until=until, rounds=rounds)[0] for rounds in (1, 20, 200)]
    assert bounds == sorted(bounds)


def test_two_processes_work_on_one_plan() -> None:
    of = large(40)
    heard: list[float] = []
    one = solve(of, seconds=60.0, rounds=4, seed=3, processes=2, progress=lambda cost, _: heard.append(cost or 0.0))
    two = solve(of, seconds=60.0, rounds=4, seed=3, processes=2)
    assert one.cost is not None
    assert one.cost == two.cost
    assert not faults(of, one.placed)
    assert one.bound <= one.cost


def test_a_second_bench_that_dies_is_given_up() -> None:
    of = large(40)
    bench = Bench(of, first_prices(of))
    with closing(Beside(bench)) as beside:
        beside.ask("fill", until=time.monotonic() + 60.0, most=1, seed=0)
        assert beside.answer(time.monotonic() + 60.0).placed.machine.shape == (40,)
        assert beside.pid is not None
        os.kill(beside.pid, signal.SIGKILL)
        beside.ask("fill", until=time.monotonic() + 60.0, most=1, seed=0)
        assert beside.answer(time.monotonic() + 60.0) is None
        assert beside.pid is None
        beside.ask("fill", until=0.0, most=1, seed=0)
        assert beside.answer(0.0) is None


def test_a_second_bench_that_is_late_is_given_up() -> None:
    of = large(40)
    with closing(Beside(Bench(of, first_prices(of)))) as beside:
        beside.ask("fill", until=time.monotonic() + 60.0, most=100_000, seed=0)
        assert beside.answer(time.monotonic(), patience=0.0) is None
        assert beside.pid is None

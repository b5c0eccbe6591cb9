"""One machine with power-saving states: tables worked out by hand, and all sequences tried in the small."""

import math
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.one_machine.layers import Layers
from optimizer.one_machine.network import Solved, solve
from optimizer.one_machine.orders import exchanged, timed
from optimizer.one_machine.packing import packed
from optimizer.one_machine.program import Program
from optimizer.one_machine.states import Change, JobKind, StateNetwork
from optimizer.one_machine.timetable import timetable

OFF, ON, IDLE = 0, 1, 2


def change(before: int, after: int, slots: int, power: float, prices: list[float]) -> Change:
    """A change at constant power; it may begin where it ends within the horizon."""
    n = len(prices)
    cost = [power * sum(prices[t : t + slots]) if t + slots <= n else math.inf for t in range(n + 1)]
    return Change(before=before, after=after, slots=slots, cost=np.array(cost))


def machine(prices: list[float], *, idle_kw: float = 2.0, up: int = 2, up_kw: float = 5.0) -> StateNetwork:
    """Off at both ends. Warming up takes `up` slots, switching off one slot at 1 kW; on and idle are next door."""
    n = len(prices)
    return StateNetwork(
        holding=np.array([[0.0] * n, [4 * p for p in prices], [idle_kw * p for p in prices]]),
        changes=(
            change(OFF, ON, up, up_kw, prices),
            change(ON, OFF, 1, 1.0, prices),
            change(ON, IDLE, 0, 0.0, prices),
            change(IDLE, ON, 0, 0.0, prices),
        ),
        runs=ON,
        first=OFF,
        last=OFF,
    )


def kind(prices: list[float], slots: int, count: int, *, kw: float = 4.0, group: int | None = 0) -> JobKind:
    """Jobs of constant power that may run at any time."""
    cost = [kw * sum(prices[t : t + slots]) for t in range(len(prices) - slots + 1)]
    return JobKind(slots=slots, count=count, cost=np.array(cost, float), group=group)


def all_sequences(network: StateNetwork, kinds: list[JobKind]) -> float:
    """The least cost over everything the machine can do."""

    @cache
    def least(t: int, state: int, left: tuple[int, ...], jumps: int) -> float:
        if t == network.slots and state == network.last and not any(left):
            return 0.0
        ways = [math.inf]
        for made in network.changes:
            if made.before == state and t + made.slots <= network.slots and (made.slots or jumps):
                spent = jumps - 1 if not made.slots else network.states
                ways.append(float(made.cost[t]) + least(t + made.slots, made.after, left, spent))
        if t < network.slots:
            ways.append(float(network.holding[state, t]) + least(t + 1, state, left, network.states))
            for k, job in enumerate(kinds):
                if state == network.runs and left[k] and t + job.slots <= network.slots:
                    rest = (*left[:k], left[k] - 1, *left[k + 1 :])
                    ways.append(float(job.cost[t]) + least(t + job.slots, state, rest, network.states))
        return min(ways)

    return least(0, network.first, tuple(job.count for job in kinds), network.states)


def kept(network: StateNetwork, kinds: list[JobKind], solved: Solved) -> None:
    """The schedule holds every job once, none over another, each in the state that runs jobs."""
    assert solved.schedule is not None
    busy: list[int] = []
    for job, starts in zip(kinds, solved.schedule.starts, strict=True):
        assert len(starts) == job.count
        busy += [slot for start in starts for slot in range(start, start + job.slots)]
    assert len(busy) == len(set(busy))
    assert all(solved.schedule.shown[slot] == network.runs for slot in busy)


@pytest.mark.parametrize(
    ("prices", "slots", "starts", "cost"),
    [
        # up at 1+1, two slots at 1+1, down at 9: 5·2 + 4·2 + 9
        ([1, 1, 1, 1, 9, 9], [2], [2], 27.0),
        # the two cheap slots lie apart: 5·2 up, 4, two idle slots at 2·6, 4, down 1; off and on again takes 3 slots
        ([1, 1, 1, 6, 6, 1, 1], [1, 1], [2, 5], 10 + 4 + 24 + 4 + 1),
        # far apart it is switched off between: down 1, up again 10
        ([1, 1, 1, 1, 20, 20, 20, 1, 1, 1, 1], [1, 1], [2, 9], 10 + 4 + 1 + 0 + 10 + 4 + 1),
        # the block is cheaper whole
        ([1, 1, 1, 2, 2, 1, 1], [1, 1], [2, 3], 10 + 4 + 8 + 2),
    ],
)
def test_a_table_by_hand(prices: list[float], slots: list[int], starts: list[int], cost: float) -> None:
    network = machine(prices)
    kinds = [kind(prices, length, slots.count(length)) for length in sorted(set(slots))]
    solved = solve(network, kinds, seconds=10)
    assert solved.optimal
    assert solved.schedule is not None
    assert (sorted(solved.schedule.starts[0]), solved.schedule.cost) == (starts, cost)
    assert solved.bound == cost
    assert solved.gap == 0.0


def test_the_state_of_each_slot() -> None:
    prices = [1, 1, 1, 6, 6, 1, 1.0]
    solved = solve(machine(prices), [kind(prices, 1, 2)], seconds=10)
    assert solved.schedule is not None
    going_up, going_down = 3, 4  # after the three states
    assert solved.schedule.shown == (going_up, going_up, ON, IDLE, IDLE, ON, going_down)


def test_jobs_that_do_not_fit_are_said_not_to() -> None:
    prices = [1.0] * 6
    for jobs in ([kind(prices, 4, 1)], [kind(prices, 7, 1)], [kind(prices, 1, 4)]):
        solved = solve(machine(prices), jobs, seconds=10)
        assert solved.schedule is None
        assert solved.bound == math.inf
        assert solved.gap is None


def test_no_job_leaves_the_machine_off() -> None:
    solved = solve(machine([1.0] * 5), [], seconds=10)
    assert solved.schedule is not None
    assert (solved.schedule.cost, solved.schedule.shown) == (0.0, (OFF,) * 5)


def test_working_time_that_the_jobs_cannot_fill_is_searched_on() -> None:
    """Three cheap pairs of slots with a dear one between each: work of six slots fits, but only as three pairs, and the
    jobs are a pair and four slots in a row."""
    prices = [1, 1, 1, 1, 9, 1, 1, 9, 1, 1, 1.0]
    network = machine(prices, idle_kw=0.1)
    kinds = [kind(prices, 2, 1), kind(prices, 4, 1)]
    layers = Layers(network, kinds)
    assert packed(kinds, layers.way(), seconds=1) is None
    solved = solve(network, kinds, seconds=10)
    assert solved.optimal
    assert solved.schedule is not None
    assert solved.schedule.cost == pytest.approx(all_sequences(network, kinds))
    assert solved.schedule.cost > layers.bound + 1


def test_blocks_are_filled_with_every_job() -> None:
    prices = [1.0] * 12
    kinds = [kind(prices, 1, 1), kind(prices, 2, 1), kind(prices, 3, 2)]
    filled = packed(kinds, [(0, t) for t in (0, 1, 2, 3, 6, 7, 8, 9, 10)], seconds=1)
    assert filled is not None
    assert [k for k, _ in sorted(filled)] == [0, 1, 2, 2]
    covered = sorted(slot for k, start in filled for slot in range(start, start + kinds[k].slots))
    assert covered == [0, 1, 2, 3, 6, 7, 8, 9, 10]


def test_a_run_that_overlaps_or_finds_the_machine_cold_has_no_timetable() -> None:
    prices = [1.0] * 8
    network, kinds = machine(prices), [kind(prices, 2, 2)]
    assert timetable(network, kinds, [(0, 2), (0, 3)]) is None
    assert timetable(network, kinds, [(0, 1)]) is None
    assert timetable(network, kinds, [(0, 2), (0, 2)]) is None
    made = timetable(network, kinds, [(0, 2), (0, 4)])
    assert made is not None
    assert made.cost == 10 + 16 + 1


def test_progress_hears_the_plan_and_the_bound() -> None:
    prices = [1, 1, 1, 1, 9, 9.0]
    told: list[tuple[float, float | None]] = []
    solve(
        machine(prices), [kind(prices, 2, 1)], seconds=10, progress=lambda made, bound: told.append((made.cost, bound))
    )
    assert told[-1] == (27.0, 27.0)


numbers = st.integers(0, 6).map(float)


@st.composite
def machines_and_jobs(draw: st.DrawFn) -> tuple[StateNetwork, list[JobKind]]:
    """Up to four states with any changes between them, some of no length, and up to five jobs in up to three kinds."""
    n = draw(st.integers(4, 12))
    prices = draw(st.lists(numbers, min_size=n, max_size=n))
    states = draw(st.integers(1, 4))
    powers = draw(st.lists(numbers, min_size=states, max_size=states))
    between = [(a, b) for a in range(states) for b in range(states) if a != b]
    changes = []
    for a, b in draw(st.lists(st.sampled_from(between), unique=True)) if between else []:
        slots = draw(st.integers(0, 3))
        made = change(a, b, slots, draw(numbers), prices)
        changes.append(Change(before=a, after=b, slots=slots, cost=made.cost + draw(st.sampled_from([0.0, 0.5, 3.0]))))
    network = StateNetwork(
        holding=np.outer(powers, prices),
        changes=tuple(changes),
        runs=draw(st.integers(0, states - 1)),
        first=draw(st.integers(0, states - 1)),
        last=draw(st.integers(0, states - 1)),
    )
    kinds = []
    same_kw = draw(numbers)
    for _ in range(draw(st.integers(1, 3))):
        slots, count = draw(st.integers(1, 4)), draw(st.integers(0, 2))
        made = kind(prices, slots, count, kw=same_kw)
        if draw(st.booleans()):  # a power of its own, and slots in which it may not begin
            extra = draw(st.lists(st.sampled_from([0.0, 0.0, 2.0, math.inf]), min_size=n, max_size=n))
            cost = kind(prices, slots, count, kw=draw(numbers)).cost
            made = JobKind(slots=slots, count=count, cost=cost + np.array(extra[: len(cost)]))
        kinds.append(made)
    while sum(job.count for job in kinds) > 5:
        kinds.pop()
    return network, kinds


@settings(max_examples=150, deadline=None, derandomize=True)
@given(machines_and_jobs())
def test_as_good_as_all_sequences(drawn: tuple[StateNetwork, list[JobKind]]) -> None:
    network, kinds = drawn
    least = all_sequences(network, kinds)
    solved = solve(network, kinds, seconds=20)
    if least == math.inf:
        assert solved.schedule is None
        assert solved.bound == math.inf
        return
    assert solved.optimal
    kept(network, kinds, solved)
    assert solved.schedule is not None
    assert solved.schedule.cost == pytest.approx(least, abs=1e-6)
    assert solved.bound <= least + 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machines_and_jobs(), st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_no_price_lifts_the_bound_over_the_best(drawn: tuple[StateNetwork, list[JobKind]], prices: list[float]) -> None:
    network, kinds = drawn
    layers = Layers(network, kinds, np.array(prices[: len(kinds)]))
    assert layers.bound <= all_sequences(network, kinds) + 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machines_and_jobs())
def test_branch_and_bound_finds_the_same_without_the_rest(drawn: tuple[StateNetwork, list[JobKind]]) -> None:
    network, kinds = drawn
    least = all_sequences(network, kinds)
    found = Program(network, kinds).search(seconds=20, threads=1, apart=1e-6)
    if least == math.inf:
        assert found.runs is None
        return
    assert found.runs is not None
    made = timetable(network, kinds, found.runs)
    assert made is not None
    assert made.cost == pytest.approx(least, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machines_and_jobs())
def test_the_best_of_all_orders_is_the_best(drawn: tuple[StateNetwork, list[JobKind]]) -> None:
    network, kinds = drawn
    jobs = [number for number, job in enumerate(kinds) for _ in range(job.count)]
    orders = [timed(network, kinds, order) for order in sorted(set(permutations(jobs)))]
    best = min(orders, key=lambda made: made.cost)
    assert best.cost == pytest.approx(all_sequences(network, kinds))
    for made in orders:
        assert (made.runs is None) == (made.cost == math.inf)
        if made.runs is not None:
            assert [k for k, _ in made.runs] == list(made.order)
            schedule = timetable(network, kinds, made.runs)
            assert schedule is not None
            assert schedule.cost == pytest.approx(made.cost)


def test_an_exchange_keeps_the_jobs() -> None:
    rng = np.random.default_rng(0)
    order = [0, 0, 1, 2, 3]
    seen = {tuple(exchanged(order, rng)) for _ in range(200)}
    assert all(sorted(made) == order for made in seen)
    assert len(seen) > 10

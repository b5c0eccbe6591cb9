"""When machines are on, at the least cost: off before the first slot, off after the last."""

import numpy as np

from optimizer.many_machines.hall import ROOM, Bools, Floats, Hall, Placed


def busy(hall: Hall, placed: Placed) -> Bools:
    """In which slots a task runs on each machine: M x T."""
    edges = np.zeros((hall.machines, hall.slots + 1), dtype=np.int64)
    stands = placed.machine >= 0
    machine, start = placed.machine[stands], placed.start[stands]
    np.add.at(edges, (machine, start), 1)
    np.subtract.at(edges, (machine, start + hall.duration[stands]), 1)
    return np.cumsum(edges, axis=1)[:, :-1] > 0


def cheapest_states(
    cost: Floats, switch_on: Floats, switch_off: Floats, must: Bools | None = None
) -> tuple[Floats, Bools]:
    """The least cost of each machine, and when it is on, where `cost` (M x T) is what being on costs in a slot.
    Where `must` holds, it has to be on."""
    machines, slots = cost.shape
    forced = np.zeros((machines, slots), dtype=np.bool_) if must is None else must
    off, on = np.zeros(machines), np.full(machines, np.inf)
    started = np.zeros((slots, machines), dtype=np.bool_)
    stopped = np.zeros((slots, machines), dtype=np.bool_)
    for k in range(slots):
        from_off, from_on = off + switch_on, on + switch_off
        started[k], stopped[k] = from_off < on, from_on < off
        off, on = np.minimum(off, from_on), np.minimum(on, from_off) + cost[:, k]
        off = np.where(forced[:, k], np.inf, off)
    running = on + switch_off < off
    total = np.minimum(off, on + switch_off)
    states = np.zeros((machines, slots), dtype=np.bool_)
    for k in range(slots - 1, -1, -1):
        states[:, k] = running
        running = np.where(running, ~started[k], stopped[k])
    return total, states


def cost_of(hall: Hall, placed: Placed) -> float:
    """What the placed tasks and the machines cost, machines on and off as is cheapest."""
    stands = np.flatnonzero(placed.machine >= 0)
    machines, _ = cheapest_states(hall.on_cost, hall.switch_on, hall.switch_off, busy(hall, placed))
    tasks = float(hall.start_cost[stands, placed.start[stands]].sum())
    return tasks + float(machines.sum()) - hall.gain(placed, stands.tolist())


def fits(hall: Hall, placed: Placed) -> bool:
    """Whether every task stands where it may, and no machine holds more than it can."""
    machine, start = placed.machine, placed.start
    if (machine < 0).any() or not np.isfinite(hall.start_cost[np.arange(hall.tasks), start]).all():
        return False
    if hall.allowed is not None and not hall.allowed[np.arange(hall.tasks), machine].all():
        return False
    used = np.zeros((hall.machines, hall.slots + 1, hall.resources))
    np.add.at(used, (machine, start), hall.need)
    np.subtract.at(used, (machine, start + hall.duration), hall.need)
    over = np.cumsum(used, axis=1)[:, :-1] - np.moveaxis(hall.room(), 0, 2)
    within = bool((over <= ROOM * hall.typical_capacity).all())
    return within and (hall.shut is None or not (busy(hall, placed) & hall.shut).any())

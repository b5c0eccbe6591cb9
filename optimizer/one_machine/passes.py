"""Plans built slot after slot: of all ways to have done the same jobs by the same slot, the cheapest is kept.

A state is (slot, jobs done). What a state costs so far, with what the relaxation says of the rest, is a bound on every
plan through it: states that cannot be better than the best plan are dropped, and so are, in a layer wider than allowed,
those of the highest bound. Nothing dropped for width means that the best plan is found and proven.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.one_machine.relaxed import Relaxed
from optimizer.one_machine.runs import Rows, Whole

BITS = 62  # jobs in one word of a set
REST = -1  # the row of a slot without a run
MIXERS = np.array([0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB, 0x2545F4914F6CDD1D], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """What one pass has found: the cheapest plan below the given cost (None: no such), and a bound on all plans."""

    cost: float
    row: Whole | None
    start: Whole | None
    bound: float
    states: int
    in_time: bool = True


@dataclass(slots=True, eq=False)
class _Layer:
    """The states of one slot: jobs done (words of bits), cost so far less the prices of the jobs done, the least
    slots of the jobs not done, and where each came from."""

    done: NDArray[np.int64]
    value: Rows
    left: NDArray[np.int64]
    row: NDArray[np.int16]
    before: NDArray[np.int32]


class Builder:
    """Passes over the same table at the same prices."""

    def __init__(self, relaxed: Relaxed) -> None:
        table = relaxed.network.table
        self.table, self.relaxed = table, relaxed
        self.offset = float(relaxed.prices.sum())
        self.tracked = relaxed.network.sets - 1  # the lowest bits are those of the tracked jobs
        others = [job for job in range(table.jobs) if job not in relaxed.network.tracked]
        place = np.empty(table.jobs, dtype=np.int64)
        place[[*relaxed.network.tracked, *others]] = np.arange(table.jobs)
        self.words = -(-table.jobs // BITS)
        self.word = place[table.job] // BITS
        self.bit = np.int64(1) << (place[table.job] % BITS)
        self.earlier = self._earlier(place)
        self.takes = table.shortest[table.job]

    def _earlier(self, place: Whole) -> Whole:
        """Of each run, the bit of the job just like its own that must be done before (0: none)."""
        twin = self.table.twin[self.table.job]
        where = place[twin]
        ordered = (twin >= 0) & (where // BITS == self.word)
        earlier: Whole = np.where(ordered, np.int64(1) << (where % BITS), 0)
        return earlier

    def run(self, *, below: float, width: int, until: float) -> Built:
        """The cheapest plan that costs less than `below`, among layers of at most `width` states."""
        slots = self.table.slots
        limit = below - self.offset
        layers: list[_Layer | None] = [None] * (slots + 1)
        layers[0] = self._empty()
        dropped, states = np.inf, 1
        longest = int(self.table.lengths.max())
        for t in range(1, slots + 1):
            if time.monotonic() > until:
                return Built(np.inf, None, None, -np.inf, states, in_time=False)
            layer = self._reached(layers, t, limit)
            if layer is None:
                continue
            layer, worst = self._narrowed(layer, t, width)
            dropped = min(dropped, worst + self.offset)
            states += len(layer.value)
            layers[t] = layer
            old = layers[t - longest] if t > longest else None
            if old is not None:  # from here on only the way back is asked for
                old.done, old.value, old.left = old.done[:0], old.value[:0], old.left[:0]
        return self._read(layers, below, dropped, states)

    def _empty(self) -> _Layer:
        return _Layer(
            done=np.zeros((1, self.words), dtype=np.int64),
            value=np.zeros(1),
            left=np.array([self.table.shortest.sum()]),
            row=np.full(1, REST, dtype=np.int16),
            before=np.zeros(1, dtype=np.int32),
        )

    def _reached(self, layers: list[_Layer | None], t: int, limit: float) -> _Layer | None:
        """All states of slot t that can still be better, each once."""
        room = self.table.slots - t
        rest = limit - self.relaxed.from_here[t]  # of a state's value, by the tracked jobs done: it must be below
        parts: list[_Layer] = []
        last = layers[t - 1]
        if last is not None:
            parts.append(self._resting(last, rest, room))
        for length, rows in self.table.groups():
            layer = layers[t - length] if length <= t else None
            if layer is not None:
                parts.append(self._running(layer, t - length, rows, rest, room))
        parts = [part for part in parts if len(part.value)]
        return _merged(parts) if parts else None

    def _running(self, layer: _Layer, t: int, rows: slice, rest: Rows, room: int) -> _Layer:
        """What becomes of the states of slot t when a job of these rows starts."""
        at = np.flatnonzero(self.relaxed.reduced[rows, t] + layer.value.min() < rest.max()) + rows.start
        value = layer.value[:, None] + self.relaxed.reduced[at, t][None, :]
        done = layer.done if self.words == 1 else layer.done[:, self.word[at]]
        fits = (done & (self.bit[at] | self.earlier[at])) == self.earlier[at]
        if self.tracked:
            fits &= value < rest[(layer.done[:, :1] | self.relaxed.network.bit[at]) & self.tracked]
        else:
            fits &= value < rest[0]
        state, column = np.nonzero(fits)
        row = at[column]
        left = layer.left[state] - self.takes[row]
        if room < layer.left.max():
            keep = left <= room
            state, column, row, left = state[keep], column[keep], row[keep], left[keep]
        after = layer.done[state]
        after[np.arange(len(state)), self.word[row]] |= self.bit[row]
        return _Layer(after, value[state, column], left, row.astype(np.int16), state.astype(np.int32))

    def _resting(self, layer: _Layer, rest: Rows, room: int) -> _Layer:
        """The same states a slot later."""
        state = np.flatnonzero((layer.value < rest[layer.done[:, 0] & self.tracked]) & (layer.left <= room))
        rows = np.full(len(state), REST, dtype=np.int16)
        return _Layer(layer.done[state], layer.value[state], layer.left[state], rows, state.astype(np.int32))

    def _narrowed(self, layer: _Layer, t: int, width: int) -> tuple[_Layer, float]:
        """The `width` states of the least bound, and the bound of the best that was dropped."""
        if len(layer.value) <= width:
            return layer, np.inf
        bound = layer.value + self.relaxed.from_here[t, layer.done[:, 0] & self.tracked]
        order = np.argpartition(bound, width)
        kept = order[:width]
        fewer = _Layer(layer.done[kept], layer.value[kept], layer.left[kept], layer.row[kept], layer.before[kept])
        return fewer, float(bound[order[width]])

    def _read(self, layers: list[_Layer | None], below: float, dropped: float, states: int) -> Built:
        """Back from the last slot to the first."""
        last = layers[-1]
        whole = np.flatnonzero(last.left == 0) if last is not None else np.empty(0, dtype=np.int64)
        if last is None or not len(whole):
            return Built(np.inf, None, None, min(below, dropped), states)
        state = int(whole[np.argmin(last.value[whole])])
        cost = float(last.value[state]) + self.offset
        row, start = np.full(self.table.jobs, -1, dtype=np.int64), np.full(self.table.jobs, -1, dtype=np.int64)
        t = self.table.slots
        while t > 0:
            layer = layers[t]
            assert layer is not None
            ran, state = int(layer.row[state]), int(layer.before[state])
            t -= 1 if ran == REST else int(self.table.length[ran])
            if ran != REST:
                row[self.table.job[ran]], start[self.table.job[ran]] = ran, t
        return Built(cost, row, start, min(cost, dropped), states)


def _merged(parts: list[_Layer]) -> _Layer:
    """Of states with the same jobs done, the cheapest."""
    done = np.concatenate([part.done for part in parts])
    value = np.concatenate([part.value for part in parts])
    key = done[:, 0] if done.shape[1] == 1 else _mixed(done)
    order = np.lexsort((value, key))
    ordered = done[order]
    first = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    kept = order[first]
    return _Layer(
        done=done[kept],
        value=value[kept],
        left=np.concatenate([part.left for part in parts])[kept],
        row=np.concatenate([part.row for part in parts])[kept],
        before=np.concatenate([part.before for part in parts])[kept],
    )


def _mixed(done: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a set of several words; two sets that share one are merely not merged."""
    factors = np.resize(MIXERS, done.shape[1]) + 2 * np.arange(done.shape[1])
    mixed: NDArray[np.int64] = (done * factors).sum(axis=1)
    return mixed

"""Setups: between a job of one family and the next of another a machine is made ready, just before the next one."""

from dataclasses import dataclass

import numpy as np

from energy.model.problem import Setup
from energy.planning.price_setups import setup_between
from optimizer.given_setups import GivenSetups
from optimizer.model import Model
from optimizer.starts import Mask, Whole


@dataclass(frozen=True, slots=True)
class _Runs:
    """The starts that may run on a machine, aligned by slot of work: which slot, column and family (its number; 0 is
    none), whether work begins there (the run, or after a pause), and whether the run does."""

    slot: Whole
    column: Whole
    family: Whole
    begins: Mask
    starts: Mask


class _Changes:
    """The changes of family that a machine can make, one after another: from node to node, aligned. A node is an edge
    between two slots and a family: edge · families + family."""

    def __init__(self) -> None:
        self.column: list[Whole] = []
        self.before: list[int] = []
        self.after: list[int] = []
        self.edge: list[int] = []  # by which it is done
        self.takes: list[int] = []  # slots of the machine

    def add(self, column: Whole, before: int, after: int, edge: int, takes: int) -> None:
        self.column.append(column)
        self.before.append(before)
        self.after.append(after)
        self.edge.append(edge)
        self.takes.append(takes)


def add(model: Model) -> None:
    """One unit flows through the families for which a machine is set up, from how it stands at slot 0. It stays, or changes
    from f to g over the slots of that setup (none where nothing is declared):

    Σ into a node = Σ out of it        load[k] += power · (changes over slot k)        cost · changes

    Σ x[job of g] whose run works in slot k  ≤  stays as g in slot k        (no family: stays as any)
    changes to g done by slot k  ≤  Σ x[job of g] that begins in slot k    (= where a setup within g is declared)

    So a setup is done exactly when the next run begins, and in its slots the machine does nothing else and is open.
    Where production left too little time for one, it may stay so; a machine that it has double-booked keeps its jobs.
    """
    for row in range(len(model.problem.machines)):
        given = model.plant.given_setups.get(row)
        if given is None:
            continue
        if row in model.plant.frozen_machines:
            _as_given(model, row, given)
        else:
            _Machine(model, row, given).add()


def _as_given(model: Model, row: int, given: GivenSetups) -> None:
    """The setups of jobs that all stay."""
    for change in given.changes:
        _draws(model, row, change.setup, change.done, model.columns(1, 1.0, 1.0))


def _draws(model: Model, row: int, setup: Setup, done: int, column: Whole) -> None:
    slot = np.arange(max(0, done - setup.slots), done)
    if setup.power_kw:
        model.load(row, slot, np.repeat(column, len(slot)), setup.power_kw)
    if setup.cost:
        model.price("setups", column, setup.cost)


class _Machine:
    """The network of one machine."""

    def __init__(self, model: Model, row: int, given: GivenSetups) -> None:
        self.model, self.row, self.given = model, row, given
        self.machine = model.problem.machines[row]
        self.slots = model.plant.slots
        self.runs, self.families = self._runs()
        self.stay = model.columns(self.slots * len(self.families), 0.0, 1.0).reshape(self.slots, -1)
        self.changes = _Changes()

    def add(self) -> None:
        """Everything about it."""
        self._possible_changes()
        self._flow()
        self._works()
        self._done_in_time()
        self._kept_for_others()

    def _runs(self) -> tuple[_Runs, list[str]]:
        plant, parts = self.model.plant, []
        families = ["", *sorted({job.family for job in self.model.problem.jobs} | {self.given.family} - {""})]
        families = list(dict.fromkeys(families))
        for job, columns, starts in zip(self.model.problem.jobs, self.model.start, plant.starts, strict=True):
            start, slot = starts.busy_slots(plant.slots)
            mine = starts.machine[start] == self.row
            start, slot = start[mine], slot[mine]
            if len(start):
                offset = slot - starts.slot[start]
                begins = np.array(
                    [_begins(starts.ways[int(starts.way[s])].busy, o) for s, o in zip(start, offset, strict=True)]
                )
                family = np.full(len(start), families.index(job.family))
                parts.append((slot, columns[start], family, begins, begins & (offset == 0)))
        if not parts:
            none = np.zeros(0, dtype=np.int64)
            return _Runs(none, none, none, none == 1, none == 1), families
        return _Runs(*(np.concatenate(part) for part in zip(*parts, strict=True))), families

    def _possible_changes(self) -> None:
        """Each change to a family that some run could need, done as that run begins."""
        shut = self.model.plant.closed[self.row]
        begins = self.runs.begins & (self.runs.family > 0)
        edges = np.unique(np.stack([self.runs.family[begins], self.runs.slot[begins]]), axis=1)
        for after, edge in edges.T.tolist():
            for before in range(len(self.families)):
                setup = setup_between(self.machine, self.families[before], self.families[after])
                if setup is None and before != after:
                    self._change(before, after, edge, 0, None)
                elif setup is not None and edge >= setup.slots and not shut[edge - setup.slots : edge].any():
                    self._change(before, after, edge, setup.slots, setup)
        for id, missing in self.given.missing.items():
            self._short(id, missing)

    def _change(self, before: int, after: int, edge: int, takes: int, setup: Setup | None) -> Whole:
        column = self.model.columns(1, 0.0, 1.0)
        self.changes.add(column, before, after, edge, takes)
        if setup is not None:
            _draws(self.model, self.row, setup, edge, column)
        return column

    def _short(self, id: str, missing: int) -> None:
        """Setups for the given start of a job that lack no more than they do as given."""
        plant = self.model.plant
        given, job = plant.given[plant.job_row[id]], plant.problem.job(id)
        after, edge = self.families.index(job.family), given.slot
        for before in range(len(self.families)):
            setup = setup_between(self.machine, self.families[before], job.family)
            for takes in range(min(setup.slots, edge + 1)) if setup is not None else ():
                shut = int(plant.closed[self.row, edge - takes : edge].sum())
                if setup is not None and setup.slots - takes + shut <= missing:
                    column = self._change(before, after, edge, takes, setup)
                    only = self.model.start[plant.job_row[id]][:1]
                    name = f"{id} stays with too short a setup"
                    both = np.concatenate([column, only])
                    self.model.rows(np.zeros(2), both, np.array([1.0, -1.0]), upper=0.0, name=name, count=1)

    def _flow(self) -> None:
        count, changes = len(self.families), self.changes
        slots = np.repeat(np.arange(self.slots), count)
        family = np.tile(np.arange(count), self.slots)
        edge, takes = np.array(changes.edge, dtype=np.int64), np.array(changes.takes, dtype=np.int64)
        before, after = np.array(changes.before, dtype=np.int64), np.array(changes.after, dtype=np.int64)
        column = self._columns()
        lower, upper = np.zeros((self.slots + 1, count)), np.zeros((self.slots + 1, count))
        first = self.families.index(self.given.family)
        lower[0, first] = upper[0, first] = -1.0
        upper[self.slots] += 1.0
        into = np.concatenate([(slots + 1) * count + family, edge * count + after])
        out = np.concatenate([slots * count + family, (edge - takes) * count + before])
        columns = np.concatenate([self.stay.ravel(), column])
        ones = np.ones(len(columns))
        self.model.rows(
            np.concatenate([into, out]),
            np.concatenate([columns, columns]),
            np.concatenate([ones, -ones]),
            lower=lower.ravel(),
            upper=upper.ravel(),
            name=lambda node: f"{self.machine.id} is set up for {self.families[node % count]} in slot {node // count}",
        )

    def _columns(self) -> Whole:
        return np.concatenate([np.zeros(0, dtype=np.int64), *self.changes.column])

    def _works(self) -> None:
        """What runs finds the machine set up for it."""
        runs, count = self.runs, len(self.families)
        if not len(runs.slot):
            return
        place, term = np.unique(runs.slot * count + runs.family, return_inverse=True)
        each = np.arange(len(place))
        slot, family = place // count, place % count
        anyhow = np.flatnonzero(family == 0)  # without a family: set up for whatever
        stays = [self.stay[slot[family > 0], family[family > 0]], self.stay[slot[anyhow]].ravel()]
        rows = [each[family > 0], np.repeat(anyhow, count)]
        self.model.rows(
            np.concatenate([term, *rows]),
            np.concatenate([runs.column, *stays]),
            np.concatenate([np.ones(len(term)), -np.ones(sum(len(part) for part in stays))]),
            upper=np.zeros(len(place)),
            name=lambda k: (
                f"{self.machine.id} is set up for {self.families[family[k]] or 'what runs'} in slot {slot[k]}"
            ),
        )

    def _done_in_time(self) -> None:
        """A change is done as a run of the family begins; where one is declared within a family, each run needs one."""
        runs, changes, count = self.runs, self.changes, len(self.families)
        column = self._columns()
        before, after = np.array(changes.before, dtype=np.int64), np.array(changes.after, dtype=np.int64)
        done = np.array(changes.edge, dtype=np.int64) * count + after
        begins = runs.slot * count + runs.family
        for mask, within in ((runs.begins, False), (runs.starts, True)):
            mine = (before == after) if within else (before != after)
            if mine.any():
                self._at_most(done[mine], column[mine], begins[mask], runs.column[mask])
        declared = np.array([setup_between(self.machine, f, f) is not None for f in self.families])
        needs = runs.starts & declared[runs.family]
        if needs.any():
            self._at_most(begins[needs], runs.column[needs], done, column)

    def _at_most(self, place: Whole, column: Whole, there: Whole, of: Whole) -> None:
        """Σ columns of a place ≤ Σ others of that place."""
        places, term = np.unique(place, return_inverse=True)
        same = np.isin(there, places)
        self.model.rows(
            np.concatenate([term, np.searchsorted(places, there[same])]),
            np.concatenate([column, of[same]]),
            np.concatenate([np.ones(len(column)), -np.ones(int(same.sum()))]),
            upper=np.zeros(len(places)),
            name=lambda k: f"{self.machine.id} is set up as slot {places[k] // len(self.families)} begins",
        )

    def _kept_for_others(self) -> None:
        """A machine that keeps what it made until another job takes it is not set up meanwhile:
        setups over slot k + Σ x[A: ended by k] + Σ x[B: starts after k] ≤ 2."""
        plant, changes = self.model.plant, self.changes
        edge, takes = np.array(changes.edge, dtype=np.int64), np.array(changes.takes, dtype=np.int64)
        for b, job in enumerate(self.model.problem.jobs):
            for rule in job.after:
                a = plant.job_row[rule.job]
                ended = plant.starts[a].machine == self.row
                if not rule.keeps_machine or not ended.any() or self._set_up_meanwhile(a, b):
                    continue
                for k in range(self.slots):
                    over = (edge - takes <= k) & (k < edge)
                    by = ended & (plant.starts[a].end <= k)
                    later = plant.starts[b].slot > k
                    if over.any() and by.any() and later.any():
                        parts = self._columns()[over], self.model.start[a][by], self.model.start[b][later]
                        column = np.concatenate(parts)
                        name = f"{self.machine.id} keeps what {rule.job} made in slot {k}"
                        self.model.rows(np.zeros(len(column)), column, 1.0, upper=2.0, name=name, count=1)

    def _set_up_meanwhile(self, a: int, b: int) -> bool:
        """Whether production itself has the machine set up while it keeps what A made for B."""
        first, end = self.model.plant.given[a].end, self.model.plant.given[b].slot
        return any(change.done - change.setup.slots < end and first < change.done for change in self.given.changes)


def _begins(busy: Mask, offset: int) -> bool:
    """Whether work begins in a slot of a run: its first, or the first after a pause."""
    return bool(offset == 0 or not busy[offset - 1])

"""Carbon intensity by a ridge for each hour: the mix that is forecast, set right by how such forecasts erred lately."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.carbon.columns import FIRST, Level, Told
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.stepwise import day_after_day

Floats = NDArray[np.float64]

MOST_DAYS = 400  # that are learned from
HALF_LIVES = (30.0, 300.0)  # days: a short and a long memory, whose answers are averaged
DAMPING = 5.0  # days of evidence against each column
LEAST_ROWS = 14
FAR = 4.0  # standard deviations; what lies further out counts as that far


class Mix:
    name = "mix"
    least_days = FIRST + LEAST_ROWS

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=7)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Memories":
        known = {name: days.drivers[name] for name in drivers}
        level = Level.of(days.y, known)
        told = Told.of(days.y, known, level)
        rows = np.arange(max(FIRST, days.issue - MOST_DAYS), days.issue)
        table = with_kinds(told.columns(rows), days, rows)
        target = np.where(np.isnan(days.y[rows]), np.nan, told.came[rows])
        usable = ~np.isnan(target) & ~np.isnan(table).any(axis=-1)
        if usable.any(axis=1).sum() < LEAST_ROWS:
            raise MemberError(f"{usable.any(axis=1).sum()} days to learn from, {LEAST_ROWS} needed")
        age = (days.issue - rows)[:, None]
        fits = tuple(
            ridges(np.nan_to_num(table), np.nan_to_num(target), usable * 0.5 ** (age / half_life))
            for half_life in HALF_LIVES
        )
        return Memories(drivers=drivers, level=level, fits=fits)


def with_kinds(table: Floats, days: Days, rows: NDArray[np.int64]) -> Floats:
    """And whether it is one kind of day or another."""
    kinds = [(days.kind[rows] == kind).astype(np.float64)[..., None] for kind in range(1, int(days.kind.max()) + 1)]
    return np.concatenate([table, *kinds], axis=-1)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Ridges:
    """One ridge a slot, all on the same columns."""

    centre: Floats  # (slots, columns)
    size: Floats
    mean: Floats  # (slots)
    slopes: Floats  # (slots, columns)

    def told(self, table: Floats) -> Floats:
        """(slots): from the columns of one day (slots, columns); what is unknown counts as usual."""
        apart = np.nan_to_num(np.clip((table - self.centre) / self.size, -FAR, FAR))
        said: Floats = self.mean + (apart * self.slopes).sum(axis=-1)
        return said


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Memories:
    """The same ridges from a short and from a long memory."""

    drivers: tuple[str, ...]
    level: Level
    fits: tuple[Ridges, ...]

    def day(self, days: Days, row: int) -> Floats:
        told = Told.late(days, row, self.drivers, self.level)
        table = with_kinds(told.columns(np.array([len(told.came) - 1])), days, np.array([row]))[0]
        said: Floats = np.exp(np.mean([fit.told(table) for fit in self.fits], axis=0))
        return said


def ridges(table: Floats, target: Floats, weight: Floats) -> Ridges:
    """Fitted slot by slot; `table` is (rows, slots, columns), the others (rows, slots)."""
    share = weight / np.maximum(weight.sum(axis=0), 1e-12)
    centre = (share[..., None] * table).sum(axis=0)
    size = np.sqrt((share[..., None] * (table - centre) ** 2).sum(axis=0))
    size = np.where(size > 1e-9 * (1.0 + np.abs(centre)), size, np.inf)  # what never varied says nothing
    mean = (share * target).sum(axis=0)
    x = (table - centre) / size
    squares = np.einsum("rsi,rs,rsj->sij", x, weight, x, optimize=True)
    products = np.einsum("rsi,rs,rs->si", x, weight, target - mean, optimize=True)
    slopes = np.linalg.solve(squares + DAMPING * np.eye(table.shape[-1]), products[..., None])[..., 0]
    return Ridges(centre=centre, size=size, mean=mean, slopes=slopes)

"""The measured load of a real plant, drawn again minute by minute; what nobody measured is not made up."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from energy.errors import ImportFileError, LoadstoneError, Mistake
from energy.exchange.readings import FileMapping, factor_to, read_intervals
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.twin.noise import Floats
from energy.twin.roster import DAY_MINUTES, time_of


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """Mean kW of each interval of a file, for the days in UTC that lie wholly within it."""

    load: Series
    name: str

    @classmethod
    def read(cls, path: Path, mapping: FileMapping, unit: str) -> "MeasuredLoad":
        """From interval data of one column. Rows that cannot be read are all named at once."""
        if not path.exists():
            raise LoadstoneError(f"twin.load: there is no file {path}")
        said = read_intervals(path, mapping)
        if said.bad:
            raise ImportFileError(path.name, said.bad)
        hours = said.step_minutes / 60.0
        factor = factor_to(unit, "kW", hours)
        if factor is None or not said.rows:
            raise ImportFileError(path.name, [Mistake(f"column {mapping.columns[0]}", f"no power in {unit}")])
        step = timedelta(minutes=said.step_minutes)
        horizon = Horizon.between(said.rows[0].start, said.rows[-1].start + step, said.step_minutes)
        kw = np.full(horizon.slots, np.nan)
        for row in said.rows:
            if row.values[0] is not None:
                kw[horizon.slot_of(row.start)] = row.values[0] * factor
        return cls(Series(horizon, kw, "kW"), path.name)

    def __call__(self, day: int) -> Floats:
        """The kW of each minute of a day in UTC, counted since 1970."""
        step = self.load.horizon.step_minutes
        asked = Horizon(time_of(day * DAY_MINUTES), DAY_MINUTES // step, step)
        kw = self.load.over(asked).values
        if np.isnan(kw).any():
            first, end = self.load.horizon.start, self.load.horizon.end
            raise LoadstoneError(
                f"{self.name}: nobody measured all of {asked.start:%Y-%m-%d} (UTC), so it cannot be drawn again; "
                f"the file reaches from {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
            )
        return np.repeat(kw, step)

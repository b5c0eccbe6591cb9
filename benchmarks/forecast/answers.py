"""The answers of back-tests as arrays: what was said, what came, day by day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.cases import Case

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One back-test: its case, and what `loadstone backtest` wrote."""

    case: Case
    said: dict[str, Any]

    @classmethod
    def read(cls, case: Case, file: Path) -> "Answer":
        return cls(case=case, said=json.loads(file.read_text()))

    @property
    def issued(self) -> list[dict[str, Any]]:
        issued: list[dict[str, Any]] = self.said["issued"]
        return issued

    @property
    def tested(self) -> str:
        return str(self.said["settings"]["forecaster"])

    @property
    def levels(self) -> tuple[float, ...]:
        return tuple(float(level) for level in self.issued[0]["quantiles"])

    @property
    def came(self) -> Floats:
        """(days, slots)"""
        return table(day["actual"] for day in self.issued)

    @property
    def middle(self) -> Floats:
        """(days, slots): P50."""
        return table(day["quantiles"]["0.5"] for day in self.issued)

    @property
    def quantiles(self) -> Floats:
        """(levels, days, slots)"""
        return np.array([table(day["quantiles"][f"{level:g}"] for day in self.issued) for level in self.levels])

    def of_yardstick(self, name: str) -> Floats:
        """(days, slots): P50 of a yardstick."""
        return table(day["yardsticks"][name] for day in self.issued)

    @property
    def weights(self) -> dict[str, list[float]]:
        """Of each member, day by day; 0 where it did not speak."""
        names = dict.fromkeys(name for day in self.issued for name in day["weights"])
        return {name: [day["weights"].get(name, 0.0) for day in self.issued] for name in names}

    @property
    def hours(self) -> NDArray[np.int64]:
        """(slots): the hour of the day at which each slot of a forecast begins, by the times in the file."""
        first = self.issued[0]
        minute = 60 * int(first["start"][11:13]) + int(first["start"][14:16])
        hours: NDArray[np.int64] = (minute + np.arange(len(first["actual"])) * first["step_minutes"]) // 60 % 24
        return hours


def table(rows: Any) -> Floats:
    """Rows of numbers, null as NaN."""
    return np.array([[np.nan if value is None else value for value in row] for row in rows])


def number(value: float | None) -> float:
    return float("nan") if value is None else value


def daily(values: Sequence[float | None]) -> list[float]:
    return [number(value) for value in values]

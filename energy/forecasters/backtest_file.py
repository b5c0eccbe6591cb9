"""The back-test as a file: one JSON object with figures and every issued forecast, and the days done so far beside it."""

import hashlib
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from energy.forecasters.backtest import WEEK, Issued, Result, Trial, results
from energy.forecasters.score import LEVELS
from energy.model.forecast import Forecast
from energy.model.series import Series

CRPS = "twice the mean pinball loss of P10, P50 and P90: an approximation that leaves out the tails"
YARDSTICKS = ("naive", WEEK)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What stands in the file besides the figures."""

    trial: Trial
    tested: str  # the name of the tested forecaster
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    zoned: bool = True  # whether times are written with their zone, or as they stand in the file
    turned: bool = False  # whether the sign was turned for the forecaster (generation written as negative)

    @property
    def key(self) -> str:
        """What a partial result must have been made with to be gone on with."""
        series = [self.trial.actual.digest, *(s.digest for _, s in self.trial.drivers)]
        text = json.dumps([self.settings, series, versions()], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def answer(self, days: Sequence[Issued]) -> dict[str, Any]:
        """The one JSON object."""
        in_order = sorted(days, key=lambda day: day.at)
        by_name = results(self.trial, in_order)
        return {
            **figures(by_name[self.tested]),
            "crps_method": CRPS,
            "yardsticks": {name: figures(by_name[name]) for name in YARDSTICKS},
            "days": len(in_order),
            "settings": self.settings,
            "versions": versions(),
            "notes": list(self.notes),
            "issued": [self._issued(day.forecasts[self.tested]) for day in in_order],
        }

    def _issued(self, forecast: Forecast) -> dict[str, Any]:
        quantiles = quantiles_of(forecast)
        came = self.trial.actual.over(forecast.horizon).values.tolist()
        if self.turned:  # back to the file's own sign: the tenth from below is the tenth from above
            came = [-value for value in came]
            turned = [[-value for value in values] for values in reversed(quantiles.values())]
            quantiles = dict(zip(quantiles, turned, strict=True))
        return {
            "issue_time": self._time(forecast.issued_at),
            "start": self._time(forecast.horizon.start),
            "step_minutes": forecast.horizon.step_minutes,
            "source": forecast.source,
            "flags": list(forecast.flags),
            "quantiles": quantiles,
            "actual": came,
        }

    def _time(self, t: datetime) -> str:
        return t.isoformat() if self.zoned else t.replace(tzinfo=None).isoformat()


def quantiles_of(forecast: Forecast) -> dict[str, list[float]]:
    """The quantiles of a forecast by level."""
    series = (forecast.p10, forecast.p50, forecast.p90)
    return {f"{level:g}": s.values.tolist() for level, s in zip(LEVELS, series, strict=True)}


def versions() -> dict[str, str]:
    """What a figure was made with."""
    libraries = ("loadstone", "numpy", "pandas", "prophet")
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def figures(result: Result) -> dict[str, Any]:
    score = result.score
    return {
        "mae": score.mae,
        "rmae_week": result.rmae_week,
        "bias": score.bias,
        "crps": score.crps,
        "coverage_80": score.coverage_80,
        "seconds": round(result.seconds, 3),
        "slots": score.slots,
    }


@dataclass(frozen=True)
class Partial:
    """The days already done, one JSON line each under the key of their test, kept until it is complete."""

    path: Path
    sheet: Sheet

    def read(self) -> list[Issued]:
        """The days done by an interrupted run of the same test; none where the file, the settings or a version differ."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        wanted = set(self.sheet.trial.issue_times())
        done = {}
        if lines and lines[0] == self._head:
            done = {line: day for line in lines[1:] if (day := self._day(line)) is not None and day.at in wanted}
        self.path.write_text("".join(f"{line}\n" for line in (self._head, *done)))
        return list(done.values())

    def add(self, day: Issued) -> None:
        forecasts = {
            name: {"source": f.source, "flags": f.flags, "quantiles": quantiles_of(f)}
            for name, f in day.forecasts.items()
        }
        line = {"at": day.at.isoformat(), "forecasts": forecasts, "seconds": dict(day.seconds)}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    @property
    def _head(self) -> str:
        return json.dumps({"key": self.sheet.key})

    def _day(self, line: str) -> Issued | None:
        """A kept day again; None for a line that was being written when the run was stopped."""
        try:
            said = json.loads(line)
        except json.JSONDecodeError:
            return None
        trial, at = self.sheet.trial, datetime.fromisoformat(said["at"])
        forecasts = {}
        for name, f in said["forecasts"].items():
            p10, p50, p90 = (Series.of(trial.horizon_at(at), v, trial.actual.unit) for v in f["quantiles"].values())
            forecasts[name] = Forecast(
                target=trial.target,
                issued_at=at,
                p10=p10,
                p50=p50,
                p90=p90,
                source=f["source"],
                flags=tuple(f["flags"]),
            )
        return Issued(at=at, forecasts=forecasts, seconds=said["seconds"])


def write(out: Path, answer: dict[str, Any]) -> None:
    """Write the answer in one step. What is not known is null."""
    new = out.with_name(f".{out.name}.new")
    new.write_text(json.dumps(with_nulls(answer), indent=1, allow_nan=False) + "\n")
    os.replace(new, out)


def with_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: with_nulls(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_nulls(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

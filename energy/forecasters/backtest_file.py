"""The back-test as a file: one JSON object with figures and every issued forecast, and the days done so far beside it."""

import base64
import hashlib
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from energy.exchange.codec import pack, unpack
from energy.forecasters.backtest import WEEK, Issued, Result, Trial, results
from energy.forecasters.score import TOLD_BY_ALL, Score
from energy.model.forecast import Forecast

CRPS = (
    "twice the mean pinball loss of the percentiles 1 to 99; levels between told ones are on the straight line between "
    "them, levels beyond the outermost are the outermost"
)
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
            "weights": mean_weights([day.forecasts[self.tested] for day in in_order]),
            "issued": [self._issued(day) for day in in_order],
        }

    def _issued(self, day: Issued) -> dict[str, Any]:
        forecast = day.forecasts[self.tested]
        quantiles = quantiles_of(forecast)
        came = self.trial.actual.over(forecast.horizon).values.tolist()
        yardsticks = {name: day.forecasts[name].p50.values.tolist() for name in YARDSTICKS}
        if self.turned:  # back to the file's own sign: the tenth from below is the tenth from above
            came = negative(came)
            yardsticks = {name: negative(values) for name, values in yardsticks.items()}
            quantiles = {
                f"{1 - float(level):g}": negative(values) for level, values in reversed(list(quantiles.items()))
            }
        return {
            "issue_time": self._time(forecast.issued_at),
            "start": self._time(forecast.horizon.start),
            "step_minutes": forecast.horizon.step_minutes,
            "source": forecast.source,
            "flags": list(forecast.flags),
            "quantiles": quantiles,
            "weights": {member.name: member.weight for member in forecast.members},
            "actual": came,
            "yardsticks": yardsticks,
        }

    def _time(self, t: datetime) -> str:
        return t.isoformat() if self.zoned else t.replace(tzinfo=None).isoformat()


def negative(values: list[float]) -> list[float]:
    return [-value for value in values]


def quantiles_of(forecast: Forecast) -> dict[str, list[float]]:
    """All told quantiles of a forecast by level."""
    three = zip(TOLD_BY_ALL, (forecast.p10, forecast.p50, forecast.p90), strict=True)
    return {f"{level:g}": series.values.tolist() for level, series in forecast.quantiles or three}


def mean_weights(forecasts: Sequence[Forecast]) -> dict[str, float]:
    """What each member weighed on average, the heaviest first; a forecast without it counts as zero."""
    names = dict.fromkeys(member.name for forecast in forecasts for member in forecast.members)
    weights = {
        name: sum(member.weight for f in forecasts for member in f.members if member.name == name) / len(forecasts)
        for name in names
    }
    return dict(sorted(weights.items(), key=lambda item: -item[1]))


def versions() -> dict[str, str]:
    """What a figure was made with. `forecasters` stands for the text of all forecasters: it changes when one does."""
    libraries = ("loadstone", "lightgbm", "numpy", "pandas", "prophet", "scikit-learn")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "forecasters": text_of_forecasters(),
    }


@cache
def text_of_forecasters() -> str:
    """A digest of the source of all forecasters."""
    digest = hashlib.blake2b(digest_size=6)
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def figures(result: Result) -> dict[str, Any]:
    return {
        "mae": result.score.mae,
        "rmae_week": result.rmae_week,
        "crps": result.score.crps,
        "coverage_80": result.score.coverage_80,
        "seconds": round(result.seconds, 3),
        "bias": result.score.bias,
        "mape": result.score.mape,
        "pct_of_peak": result.score.pct_of_peak,
        "slots": result.score.slots,
        "coverage_by_hour": result.coverage_by_hour,
        "by_lead_day": [short(score) for score in result.by_lead_day],
        "daily_mae": result.daily_mae,
    }


def short(score: Score) -> dict[str, float]:
    return {"mae": score.mae, "crps": score.crps, "coverage_80": score.coverage_80}


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
        """Keep a day with its whole forecasts: the days after it learn from its quantiles and members."""
        forecasts = {name: base64.b64encode(pack(forecast)).decode() for name, forecast in day.forecasts.items()}
        line = {"at": day.at.isoformat(), "seconds": dict(day.seconds), "forecasts": forecasts}
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
        forecasts = {name: unpack(Forecast, base64.b64decode(text)) for name, text in said["forecasts"].items()}
        return Issued(at=datetime.fromisoformat(said["at"]), forecasts=forecasts, seconds=said["seconds"])


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

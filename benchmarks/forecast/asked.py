"""The table of what was asked for: reference, target, what was reached."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.forecast.answers import Answer, number
from benchmarks.forecast.carbon import by_production
from benchmarks.forecast.cases import CARBON, LOAD, PLANNED, PRICE, PV
from benchmarks.forecast.markdown import markdown, percent
from benchmarks.forecast.plain import compared
from energy.forecasters.score import mape
from energy.forecasters.value import value_of


def asked_table(own: Sequence[Answer], folder: Path) -> str:
    """One row a target; a row of which nothing was measured says so."""
    rows = [row for makes in (_price, _bands, _value, _load, _carbon, _pv) for row in makes(own)]
    rows += [*_fit(folder), *_fleet(folder), *_fuzz(folder)]
    return markdown("test | reference | must reach | measured | reached", rows)


Row = list[str]


def row(test: str, reference: str, target: str, measured: str, reached: bool | None) -> Row:
    return [test, reference, target, measured, "–" if reached is None else "yes" if reached else "**no**"]


def _of(own: Sequence[Answer], group: str) -> list[Answer]:
    return [answer for answer in own if answer.case.group == group]


def _price(own: Sequence[Answer]) -> list[Row]:
    of_week = [answer.said["rmae_week"] for answer in _of(own, PRICE)]
    if not of_week:
        return []
    mean = float(np.mean(of_week))
    return [row(f"price, mean of {len(of_week)} markets, MAE / MAE of the weekly copy",
                "LEAR 0.489, DNN 0.469, both 0.459 on the official test", "≤ 0.46", f"{mean:.3f}",
                mean <= 0.46)]  # fmt: skip


def _bands(own: Sequence[Answer]) -> list[Row]:
    prices = _of(own, PRICE)
    if not prices:
        return []
    lead = float(np.mean([compared(answer).lead for answer in prices]))
    covered = float(np.mean([answer.said["coverage_80"] for answer in prices]))
    by_hour = np.mean([[number(value) for value in answer.said["coverage_by_hour"]] for answer in prices], axis=0)
    each = f"{percent(by_hour.min())} – {percent(by_hour.max())}"
    return [
        row("price bands, CRPS beside plain conformal", "", "3 % smaller", percent(lead), lead >= 0.03),
        row("price bands, share within the 80 % band", "LEAR, rolling conformal: 75–79 %", "79–81 %", percent(covered),
            0.79 <= covered <= 0.81),
        row("the same, each hour of the day, mean of the markets", "", "75–85 %", each,
            by_hour.min() >= 0.75 and by_hour.max() <= 0.85),
    ]  # fmt: skip


def _value(own: Sequence[Answer]) -> list[Row]:
    found = [value_of(answer.middle, answer.came) for answer in _of(own, PRICE)]
    if not found:
        return []
    reached = [float(np.mean([getattr(value, name) for value in found]))
               for name in ("cheapest_hours", "cheapest_block", "battery_cycle")]  # fmt: skip
    asked = (0.96, 0.967, 0.91)
    return [row("value of the price forecast: 4 cheapest hours / 4-hour block / battery cycle", "DNN 95.6 / 96.7 / 89.5 %",
                "≥ 96 / ≥ 96.7 / ≥ 91 %", " / ".join(percent(share) for share in reached),
                all(share >= least for share, least in zip(reached, asked, strict=True)))]  # fmt: skip


def _load(own: Sequence[Answer]) -> list[Row]:
    rows = []
    for group, at_most in ((LOAD, 0.65), (PLANNED, 0.57)):
        for answer in _of(own, group):
            of_week, covered = answer.said["rmae_week"], answer.said["coverage_80"]
            rows.append(row(f"{group}: {answer.case.name}", "similar days 0.82, LightGBM 0.70", f"≤ {at_most}", f"{of_week:.3f}",
                            of_week <= at_most))  # fmt: skip
            rows.append(
                row("the same, share within the 80 % band", "", "78–82 %", percent(covered), 0.78 <= covered <= 0.82)
            )
    return rows


def _carbon(own: Sequence[Answer]) -> list[Row]:
    answers = _of(own, CARBON)
    if not answers:
        return []
    leads = [1 - answer.said["mape"] / mape(by_production(answer), answer.came) for answer in answers]
    each = ", ".join(f"{answer.case.name} {percent(lead)}" for answer, lead in zip(answers, leads, strict=True))
    return [row("carbon intensity, MAPE below that of the production forecasts", "those forecasts", "10 %",
                f"{percent(float(np.mean(leads)))} ({each})", float(np.mean(leads)) >= 0.1)]  # fmt: skip


def _pv(own: Sequence[Answer]) -> list[Row]:
    answers = _of(own, PV)
    if not answers:
        return []
    reached, naive = (
        float(np.mean([said["pct_of_peak"] for said in of]))
        for of in ([a.said for a in answers], [a.said["yardsticks"]["naive"] for a in answers])
    )
    return [row("PV, MAE in % of peak, the weather file as it is", f"mean of seven days 5.8 %; here {naive:.1f} %", "≤ 4.2 %",
                f"{reached:.1f} %", reached <= 4.2)]  # fmt: skip


def _fit(folder: Path) -> list[Row]:
    def made(said: dict[str, Any]) -> Row:
        seconds = said["seconds"]
        return row("fit of Prophet, a year of 15-min data, CPU", f"Stan {said['stan_seconds']:.1f} s", "≤ 0.3 s",
                   f"{seconds:.2f} s", seconds <= 0.3)  # fmt: skip

    return _from(folder / "exact.json", "fit of Prophet", made)


def _fleet(folder: Path) -> list[Row]:
    def made(said: dict[str, Any]) -> Row:
        minutes, peak = said["minutes"], said["peak_mb"]
        test = f"{said['sites']} sites × (load, PV, price, carbon), 168 h ahead, {said['processes']} processes"
        return row(test, "", "8 min, < 500 MB", f"{minutes:.1f} min, {peak:.0f} MB", minutes <= 8 and peak < 500)

    return _from(folder / "fleet.json", "50 sites × 4", made)


def _fuzz(folder: Path) -> list[Row]:
    def made(said: dict[str, Any]) -> Row:
        measured = f"{said['broken']} broken of {said['cases']}; p50 {said['p50']:.2f} s, p99 {said['p99']:.2f} s"
        return row("fuzzed inputs", "", "always quantiles, right flag, p99 < 2 s", measured,
                   said["broken"] == 0 and said["p99"] < 2)  # fmt: skip

    return _from(folder / "fuzz.json", "fuzzed inputs", made)


def _from(file: Path, test: str, made: Callable[[dict[str, Any]], Row]) -> list[Row]:
    """The row of a measurement that has a command of its own."""
    return [made(json.loads(file.read_text()))] if file.exists() else [row(test, "", "", "not measured here", None)]

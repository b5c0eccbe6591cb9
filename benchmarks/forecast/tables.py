"""The tables of a run: what was asked and what was reached, then every market and site, never only means."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.forecast import stock
from benchmarks.forecast.answers import Answer, daily, number
from benchmarks.forecast.asked import asked_table
from benchmarks.forecast.carbon import by_production
from benchmarks.forecast.cases import CARBON, GROUPS, PRICE, Case
from benchmarks.forecast.markdown import markdown, p_value, percent
from benchmarks.forecast.plain import compared
from energy.forecasters.backtest import WEEK
from energy.forecasters.score import mape
from energy.forecasters.significance import better
from energy.forecasters.value import value_of


def page(files: Mapping[Path, Case], *, everything: bool, absent: Sequence[str]) -> str:
    """The whole page from the answers that are there."""
    read = [Answer.read(case, file) for file, case in files.items()]
    own = [answer for answer in read if answer.tested != stock.NAME]
    stocks = [answer for answer in read if answer.tested == stock.NAME]
    prices = [answer for answer in own if answer.case.group == PRICE]
    folder = next(iter(files)).parent if files else Path()
    parts = [
        head(read, everything=everything),
        "\n".join(f"**NOT RUN: {text}**" for text in absent),
        chapter("What was asked for", asked_table(own, folder)),
        chapter("Every market and site", sites(own), SITES_NOTE),
        chapter("Bands beside plain conformal ones", bands([a for a in own if not a.said["by_lead_day"]]), BANDS_NOTE),
        chapter("What the price forecast is worth", values(prices), VALUES_NOTE),
        chapter("Carbon intensity beside the production forecasts", carbon(own), CARBON_NOTE),
        chapter("Stock Prophet", stock_table(stocks, own), STOCK_NOTE),
        chapter("By days ahead", by_days_ahead(own)),
        chapter("What the members weighed on average", weights(own)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def chapter(title: str, table: str, note: str = "") -> str:
    return "\n\n".join(part for part in (f"## {title}", table, note) if part) if table else ""


def head(read: Sequence[Answer], *, everything: bool) -> str:
    """When, with what, on what."""
    made = sorted({json.dumps(answer.said["versions"], sort_keys=True) for answer in read})
    texts = [", ".join(f"{name} {version}" for name, version in json.loads(text).items()) for text in made]
    mixed = "\n**The answers were made with different versions.**" if len(texts) > 1 else ""
    what = "every day" if everything else "a sample of days"
    return (
        f"# Forecasts, {what}: {datetime.now(UTC):%d %B %Y, %H:%M} UTC\n\n"
        f"{'; '.join(texts)}; {platform.machine()}, {os.cpu_count()} cores. `forecasters` stands for their source text. "
        f"All is deterministic: LightGBM runs on one thread with the seeds that stand in its member's file, stock Prophet's "
        f"bands are drawn with seed {stock.SEED}.{mixed}"
    )


SITES_NOTE = (
    "*Of week* is the error over that of the copy of last week; *naive* are similar days. *In band* is the share of what "
    "came within P10 … P90, of all and of the least and the most covered hour of the day. *p* is the probability of so large a "
    "lead by luck (Diebold and Mariano on daily errors, one-sided). Seconds are those of a forecast, in wall time."
)


def sites(own: Sequence[Answer]) -> str:
    """One row a test."""
    rows = []
    for answer in sorted(own, key=lambda a: GROUPS.index(a.case.group)):
        said, yardsticks = answer.said, answer.said["yardsticks"]
        naive, week = yardsticks["naive"], yardsticks[WEEK]
        losses = daily(said["daily_mae"])
        hours = [number(value) for value in said["coverage_by_hour"]]
        ahead = max(1, len(said["by_lead_day"]))
        rows.append([
            answer.case.group, answer.case.name, str(said["days"]), f"{said['mae']:.4g}", f"{said['rmae_week']:.3f}",
            f"{naive['rmae_week']:.3f}", f"{said['pct_of_peak']:.1f}", f"{said['crps']:.4g}",
            f"{naive['crps']:.4g}", percent(said["coverage_80"]),
            f"{percent(np.nanmin(hours))} – {percent(np.nanmax(hours))}",
            p_value(better(losses, daily(naive["daily_mae"]), days_ahead=ahead)),
            p_value(better(losses, daily(week["daily_mae"]), days_ahead=ahead)),
            f"{said['seconds'] / said['days']:.2f}", str(sum(bool(day["flags"]) for day in answer.issued)),
        ])  # fmt: skip
    return markdown(
        "test | of | days | MAE | of week | naive of week | % of peak | CRPS | CRPS naive | in band | by hour | "
        "p naive | p week | s | flagged",
        rows,
    )


BANDS_NOTE = (
    "Plain conformal: around the same middle, by hour of the day, quantiles of the errors of the last 60 issued forecasts. "
    "Both are scored on the same days, those that have 20 before them."
)


def bands(own: Sequence[Answer]) -> str:
    """CRPS of the issued bands beside that of plain ones."""
    rows = []
    for answer in own:
        found = compared(answer)
        if found.days > 0:
            rows.append([answer.case.group, answer.case.name, str(found.days), f"{found.own_crps:.4g}",
                         f"{found.plain_crps:.4g}", percent(found.lead), percent(found.plain_coverage)])  # fmt: skip
    return markdown("test | of | days | CRPS | CRPS plain | smaller by | plain: in band", rows)


VALUES_NOTE = (
    "Shares of the gain of perfect foresight, by definition of `energy/forecasters/value.py`: hours and block are paid at what "
    "came and held against the day's mean price; the battery charges in two hours, loses a tenth, and sells in two later ones."
)


def values(prices: Sequence[Answer]) -> str:
    """Value of the price forecast beside that of the yardsticks."""
    rows = []
    for answer in prices:
        for name, told in ((answer.tested, answer.middle), *((y, answer.of_yardstick(y)) for y in ("naive", WEEK))):
            value = value_of(told, answer.came)
            rows.append([answer.case.name, name, percent(value.cheapest_hours), percent(value.cheapest_block),
                         percent(value.battery_cycle)])  # fmt: skip
    return markdown("market | forecast | 4 cheapest hours | cheapest 4-hour block | battery cycle", rows)


CARBON_NOTE = (
    "The production forecasts in the data times the direct emission factors of their sources "
    "(`benchmarks/forecast/carbon.py`), on the same slots."
)


def carbon(own: Sequence[Answer]) -> str:
    """MAPE beside that of the production forecasts."""
    rows = []
    for answer in own:
        if answer.case.group != CARBON:
            continue
        yardstick = by_production(answer)
        theirs = mape(yardstick, answer.came)
        losses = np.abs(yardstick - answer.came).mean(axis=1)
        p = better(daily(answer.said["daily_mae"]), losses.tolist())
        own_mape = number(answer.said["mape"])
        rows.append(
            [answer.case.name, percent(own_mape, 2), percent(theirs, 2), percent(1 - own_mape / theirs), p_value(p)]
        )
    return markdown("grid | MAPE | of the production forecasts | smaller by | p", rows)


STOCK_NOTE = (
    "`Prophet()` with every default on the whole history, fitted anew each day (`benchmarks/forecast/stock.py`), on some days "
    "spread over the period; beside it the combined forecast on the same days, over the same copy of last week."
)


def stock_table(stocks: Sequence[Answer], own: Sequence[Answer]) -> str:
    """What Prophet gives as people use it."""
    combined = {(a.case.group, a.case.name): a for a in own}
    rows = []
    for answer in stocks:
        said, week = answer.said, answer.said["yardsticks"][WEEK]["mae"]
        beside = on_days(combined.get((answer.case.group, answer.case.name)), [d["issue_time"] for d in answer.issued])
        rows.append([answer.case.group, answer.case.name, str(said["days"]), f"{said['mae']:.4g}", f"{said['rmae_week']:.2f}",
                     "–" if math.isnan(beside) else f"{beside / week:.2f}", percent(said["coverage_80"]),
                     f"{said['seconds'] / said['days']:.1f}"])  # fmt: skip
    return markdown("test | of | days | MAE | of week | combined, of week | in band | s a forecast", rows)


def on_days(answer: Answer | None, issued: Sequence[str]) -> float:
    """The mean of the daily errors of some days; NaN where one was not tested."""
    if answer is None:
        return math.nan
    daily_mae = daily(answer.said["daily_mae"])
    by_issue = {day["issue_time"]: error for day, error in zip(answer.issued, daily_mae, strict=True)}
    return float(np.mean([by_issue.get(t, math.nan) for t in issued]))


def by_days_ahead(own: Sequence[Answer]) -> str:
    """Error, over that of the whole horizon's copy of last week, by days ahead."""
    rows = []
    for answer in own:
        scores = answer.said["by_lead_day"]
        if scores:
            week = answer.said["yardsticks"][WEEK]["by_lead_day"]
            cells = [
                f"{s['mae'] / w['mae']:.2f} {percent(s['coverage_80'], 0)}" for s, w in zip(scores, week, strict=True)
            ]
            rows.append([answer.case.group, answer.case.name, str(answer.said["days"]), *cells])
    ahead = max((len(row) - 3 for row in rows), default=0)
    return markdown(
        " | ".join(["test", "of", "issued", *(f"day {k + 1}: of week, in band" for k in range(ahead))]), rows
    )


def weights(own: Sequence[Answer]) -> str:
    rows = [
        [
            answer.case.group,
            answer.case.name,
            ", ".join(f"{name} {w:.0%}" for name, w in answer.said["weights"].items()),
        ]
        for answer in own
    ]
    return markdown("test | of | weights", rows)

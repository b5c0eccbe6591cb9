"""The plots of docs/forecasting.md, from the answers of a run.

python -m benchmarks.forecast.plots --all             # from benchmarks/results/forecast/all-*.json into docs/images/
python -m benchmarks.forecast.plots --out /tmp/img    # from the sample, elsewhere
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.forecast.__main__ import RESULTS, jobs
from benchmarks.forecast.answers import Answer, number
from benchmarks.forecast.cases import CARBON, LOAD, NET, PLANNED, PRICE, PV, WIND, cases
from benchmarks.forecast.stock import NAME as STOCK
from energy.forecasters.backtest import WEEK

Floats = NDArray[np.float64]

IMG = Path(__file__).parents[2] / "docs" / "images"
OURS, NAIVE, COPY, PROPHET, INK = "#0b6e8f", "#e08a1e", "#9a9a9a", "#b04a7a", "#333333"
SERIES = ("#0b6e8f", "#e08a1e", "#4f9d4f", "#b04a7a", "#6a5acd", "#8c6d31", "#5f5f5f", "#c44e52")
MANY_POINTS = ("weeks",)  # drawn as a picture: its lines would be too many
GROUPS = (PRICE, LOAD, PLANNED, CARBON, PV, WIND, NET)
STYLE: dict[Any, Any] = {
    "font.size": 9, "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
    "axes.titlesize": 9, "axes.titlelocation": "left", "svg.fonttype": "none", "svg.hashsalt": "loadstone",
    "legend.frameon": False, "axes.grid": True, "grid.color": "#e6e6e6", "grid.linewidth": 0.6, "lines.linewidth": 1.4,
}  # fmt: skip


def panels(rows: int, columns: int, *, height: float = 2.4, **more: Any) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.0, height * rows), layout="constrained")
    made = figure.subplots(rows, columns, squeeze=False, **more)
    return figure, list(made.ravel())


def against_naive(own: Sequence[Answer], stocks: Sequence[Answer]) -> Figure:
    """Error of every series over that of the copy of last week, beside the yardsticks."""
    shown = sorted((a for a in own if a.case.group in GROUPS), key=lambda a: GROUPS.index(a.case.group), reverse=True)
    stock = {(a.case.group, a.case.name): a.said["rmae_week"] for a in stocks}
    figure, (ax,) = panels(1, 1, height=0.5 + 0.24 * len(shown))
    for row, answer in enumerate(shown):
        ours, naive = answer.said["rmae_week"], answer.said["yardsticks"]["naive"]["rmae_week"]
        ax.plot([ours, naive], [row, row], color="#cccccc", zorder=1)
        ax.scatter(naive, row, color=NAIVE, zorder=2, label="similar days (naive)" if row == 0 else None)
        ax.scatter(ours, row, color=OURS, zorder=3, label="combined" if row == 0 else None)
        if (answer.case.group, answer.case.name) in stock:
            ax.scatter(stock[answer.case.group, answer.case.name], row, color=PROPHET, marker="x", zorder=2)
    if stock:
        ax.scatter([], [], color=PROPHET, marker="x", label="stock Prophet, on some of the days")
    ax.axvline(1.0, color=COPY, linewidth=1.0)
    ax.set_yticks(range(len(shown)), [f"{a.case.group}: {a.case.name}" for a in shown])
    ax.set_xlabel("MAE over that of the copy of last week (1)")
    ax.set_xlim(left=0)
    figure.legend(loc="outside upper left", ncols=3, fontsize=8)
    return figure


def by_hour(own: Sequence[Answer], _: Sequence[Answer]) -> Figure:
    """Error by hour of the day of prices and of loads, over the mean error of the copy of last week."""
    shown = [(group, [a for a in own if a.case.group == group]) for group in GROUPS]
    shown = [(group, answers) for group, answers in shown if answers]
    figure, axes = panels(-(-len(shown) // 3), 3, sharex=True)
    for ax, (group, answers) in zip(axes, shown, strict=False):
        for name, color in (("combined", OURS), ("naive", NAIVE), (WEEK, COPY)):
            lines = [hourly(answer, name) for answer in answers]
            ax.plot(range(24), np.nanmean(lines, axis=0), color=color, label={"naive": "similar days"}.get(name, name))
        ax.set_title(f"{group} ({len(answers)})" if len(answers) > 1 else group)
        ax.set_xticks(range(0, 25, 6))
        ax.set_ylim(bottom=0)
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=8)
    figure.supylabel("error / mean error of the copy", fontsize=9)
    figure.supxlabel("hour of the day", fontsize=9)
    return figure


def hourly(answer: Answer, name: str) -> Floats:
    told = answer.middle if name == "combined" else answer.of_yardstick(name)
    week = float(np.nanmean(np.abs(answer.of_yardstick(WEEK) - answer.came)))
    error = np.abs(told - answer.came)
    return np.array([np.nanmean(error[:, answer.hours == hour]) for hour in range(24)]) / week


def by_days_ahead(own: Sequence[Answer], _: Sequence[Answer]) -> Figure | None:
    """Error by days ahead, a week's forecast; over the error of the copy of last week on the same day."""
    shown = [answer for answer in own if answer.said["by_lead_day"]]
    if not shown:
        return None
    figure, (left, right) = panels(1, 2)
    for answer, color in zip(shown, SERIES, strict=False):
        scores, week = answer.said["by_lead_day"], answer.said["yardsticks"][WEEK]["by_lead_day"]
        label = f"{answer.case.group.split(',')[0]}: {answer.case.name}"
        ahead = range(1, len(scores) + 1)
        left.plot(ahead, [s["mae"] / w["mae"] for s, w in zip(scores, week, strict=True)], color=color, marker="o", markersize=3,
                  label=label)  # fmt: skip
        right.plot(ahead, [100 * s["coverage_80"] for s in scores], color=color, marker="o", markersize=3, label=label)
    left.axhline(1.0, color=COPY, linewidth=1.0)
    right.axhline(80, color=COPY, linewidth=1.0)
    left.set_title("MAE over that of the copy of last week")
    right.set_title("within the 80 % band, %")
    left.set_ylim(bottom=0)
    right.set_ylim(50, 100)
    for ax in (left, right):
        ax.set_xlabel("days ahead")
    left.legend(fontsize=8)
    return figure


def reliability(own: Sequence[Answer], _: Sequence[Answer]) -> Figure:
    """How often what came was below a quantile, against the quantile's level."""
    figure, axes = panels(2, 4, height=2.3, sharex=True, sharey=True)
    shown = [(group, [a for a in own if a.case.group == group]) for group in GROUPS]
    for ax, (group, answers) in zip(axes, ((g, a) for g, a in shown if a), strict=False):
        ax.plot([0, 100], [0, 100], color=COPY, linewidth=0.8)
        for answer, color in zip(answers, SERIES, strict=False):
            levels, below = reliability_of(answer)
            ax.plot(levels, below, color=color, marker="o", markersize=2.5, linewidth=1.0, label=answer.case.name)
        ax.set_title(group, fontsize=8)
        if len(answers) > 1:
            ax.legend(fontsize=6.5, loc="upper left", handlelength=1.2, labelspacing=0.2)
    for ax in axes[sum(bool(answers) for _, answers in shown) :]:
        ax.set_visible(False)
    figure.supylabel("came below, %", fontsize=9)
    figure.supxlabel("level told, %", fontsize=9)
    return figure


def reliability_of(answer: Answer) -> tuple[list[float], list[float]]:
    """By level: the share of what came that lay below; half of what lay exactly on it (nights without sun)."""
    came, quantiles = answer.came, answer.quantiles
    known = ~np.isnan(came)
    shares = [100 * float(((came < q)[known].mean() + (came <= q)[known].mean()) / 2) for q in quantiles]
    return [100 * level for level in answer.levels], shares


def coverage_over_time(own: Sequence[Answer], _: Sequence[Answer]) -> Figure:
    """Share within the 80 % band over 30 issued days, as time goes on."""
    prices = [a for a in own if a.case.group == PRICE]
    others = [a for a in own if a.case.group in (LOAD, PLANNED, CARBON)]
    figure, axes = panels(1, 2, height=2.8, sharey=True)
    for ax, answers, title in ((axes[0], prices, "prices"), (axes[1], others, "load and carbon intensity")):
        for answer, color in zip(answers, SERIES, strict=False):
            low, high = (answer.quantiles[answer.levels.index(level)] for level in (0.1, 0.9))
            within = np.where(np.isnan(answer.came), np.nan, (low <= answer.came) & (answer.came <= high))
            mean = rolling(np.nanmean(within, axis=1), 30)
            ax.plot(np.arange(len(mean)), 100 * mean, color=color, label=short(answer), linewidth=1.1)
        ax.axhspan(79, 81, color="#dddddd", zorder=0)
        ax.set_title(f"{title}: mean of 30 issued days, %")
        ax.set_xlabel("issued forecasts")
        ax.set_ylim(50, 100)
        if answers:
            ax.legend(fontsize=8, ncols=3, loc="lower left")
    return figure


def short(answer: Answer) -> str:
    return f"{answer.case.name}, shift plan known" if answer.case.group == PLANNED else answer.case.name


def rolling(values: Floats, days: int) -> Floats:
    """The mean of the last so many; NaN until there are as many."""
    total = np.cumsum(np.insert(values, 0, 0.0))
    mean = np.full(len(values), np.nan)
    mean[days - 1 :] = (total[days:] - total[:-days]) / days if len(values) >= days else []
    return mean


def weeks(own: Sequence[Answer], _: Sequence[Answer]) -> Figure | None:
    """A good, a typical and the worst week of one market and of one plant, with the bands."""
    shown = [next((a for a in own if (a.case.group, a.case.name) == key), None)
             for key in ((PRICE, "DE"), (LOAD, "steel"))]  # fmt: skip
    found = [answer for answer in shown if answer is not None and len(answer.issued) >= 21]
    if not found:
        return None
    figure, axes = panels(3 * len(found), 1, height=1.6)
    for place, answer in enumerate(found):
        errors = [number(value) for value in answer.said["daily_mae"]]
        starts = range(0, len(errors) - 6, 7)
        mean = np.array([np.mean(errors[first : first + 7]) for first in starts])
        order = np.argsort(mean)
        chosen = {
            "a good week": order[len(order) // 10],
            "a typical week": order[len(order) // 2],
            "the worst week": order[-1],
        }
        for ax, (words, week) in zip(axes[3 * place :], chosen.items(), strict=False):
            one_week(
                ax, answer, starts[int(week)], f"{answer.case.group}, {answer.case.name}: {words}, MAE {mean[week]:.3g}"
            )
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4, fontsize=8)
    return figure


def one_week(ax: Axes, answer: Answer, first: int, title: str) -> None:
    days = slice(first, first + 7)
    levels = answer.levels
    q = {
        level: answer.quantiles[levels.index(level), days].ravel()
        for level in (0.05, 0.1, 0.5, 0.9, 0.95)
        if level in levels
    }
    x = np.arange(len(q[0.5])) / (len(q[0.5]) / 7)
    if 0.05 in q:
        ax.fill_between(x, q[0.05], q[0.95], color=OURS, alpha=0.15, linewidth=0, label="P5 – P95")
    ax.fill_between(x, q[0.1], q[0.9], color=OURS, alpha=0.25, linewidth=0, label="P10 – P90")
    ax.plot(x, q[0.5], color=OURS, linewidth=1.0, label="P50")
    ax.plot(x, answer.came[days].ravel(), color=INK, linewidth=0.9, label="came")
    issued = [day["issue_time"][:10] for day in answer.issued[days]]
    ax.set_title(title, fontsize=8)
    ax.set_xticks(range(len(issued)), issued, fontsize=7)
    ax.set_xlim(0, 7)


def weights(own: Sequence[Answer], _: Sequence[Answer]) -> Figure | None:
    """What each member weighed, day by day."""
    wanted = ((PRICE, "DE"), (PRICE, "NP"), (LOAD, "steel"), (CARBON, "CISO"))
    shown = [a for key in wanted for a in own if (a.case.group, a.case.name) == key and a.weights]
    if not shown:
        return None
    figure, axes = panels(-(-len(shown) // 2), 2, sharey=True)
    for ax, answer in zip(axes, shown, strict=False):
        by_member = answer.weights
        ax.stackplot(range(len(answer.issued)), [100 * np.array(w) for w in by_member.values()], labels=list(by_member),
                     colors=SERIES, linewidth=0)  # fmt: skip
        ax.set_title(f"{answer.case.group}, {answer.case.name}: weights, %")
        ax.set_ylim(0, 100)
        ax.set_xlim(0, len(answer.issued) - 1)
        ax.set_xlabel("issued forecasts")
        ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    return figure


PLOTS: dict[str, Callable[[Sequence[Answer], Sequence[Answer]], Figure | None]] = {
    "against-naive": against_naive,
    "by-hour": by_hour,
    "by-days-ahead": by_days_ahead,
    "reliability": reliability,
    "coverage-over-time": coverage_over_time,
    "weeks": weeks,
    "weights": weights,
}


def main() -> int:
    """Draw every plot of which there are answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="from the run of every day instead of the sample")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=IMG)
    asked = parser.parse_args()
    data = Path(os.environ.get("LOADSTONE_DATA") or "$LOADSTONE_DATA") / "forecast"
    made = [job for job in jobs(cases(data), asked.results, everything=asked.all) if job.out.exists()]
    if not made:
        print(f"NOT DRAWN: no answer in {asked.results}, or LOADSTONE_DATA names no folder of them.", file=sys.stderr)
        return 1
    read = [Answer.read(job.case, job.out) for job in made]
    own, stocks = ([a for a in read if (a.tested == STOCK) is wanted] for wanted in (False, True))
    asked.out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, draw in PLOTS.items():
            figure = draw(own, stocks)
            if figure is not None:
                file = asked.out / f"forecast-{name}.{'png' if name in MANY_POINTS else 'svg'}"
                figure.savefig(file, dpi=110, metadata={"Date": None} if file.suffix == ".svg" else {"Software": None})
                print(f"{file}  {file.stat().st_size / 1024:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

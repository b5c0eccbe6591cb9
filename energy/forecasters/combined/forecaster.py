"""The combined forecaster: lay out the days, ask the members, weigh them, put a band around, say what was missing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.book import Book, opened
from energy.forecasters.combined.days import Days, Laid, averaged, laid_out
from energy.forecasters.combined.members import known_members
from energy.forecasters.combined.recipes import RECIPES, Recipe
from energy.forecasters.combined.spread import spread_of, within_limits
from energy.forecasters.combined.weights import combined, weights_of
from energy.forecasters.published import by_parts
from energy.forecasters.similar import Depth, forecast_similar_days
from energy.model.forecast import LEVELS, Component, Forecast, Input, Member, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

ENOUGH_DAYS = 14  # of history, below which a forecast says that it rests on little


class Combined:
    """Several models of days, weighed by their errors on issued forecasts."""

    name = "combined"

    def __init__(self, *, members: Sequence[str] = (), seconds: float = 20.0) -> None:
        self._members, self._seconds = tuple(members), seconds

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        return by_parts(self._one, target, past, horizon)

    def components(self, target: Target) -> Sequence[Component]:  # noqa: ARG002 - the port's signature
        return ()

    def _one(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        recipe = self._recipe(target)
        laid = laid_out(target, past, horizon, most_days=recipe.most_days)
        if laid is None:
            return forecast_similar_days(target, past, horizon, Depth(), source="naive")
        made = known_members()
        book = opened(laid.days, [made[name]() for name in recipe.members], back=recipe.own_errors,
                      kept=kept_of(past, laid))  # fmt: skip
        if not book.names:
            return forecast_similar_days(target, past, horizon, Depth(), source="naive", flags=book.silent)
        return self._told(target, past, horizon, laid, book, weights_of(book, dict(recipe.members)))

    def _told(self, target: Target, past: Past, horizon: Horizon, laid: Laid, book: Book, weights: Floats) -> Forecast:
        middle = combined(book.now, weights)
        errors = book.came[:-1] - combined(book.said[:, :-1], weights)
        quantiles = within_limits(laid.days, np.sort(middle + spread_of(laid.days, middle, errors), axis=0))
        unit = past.target.unit
        told = {level: Series(horizon, laid.on_horizon(q), unit) for level, q in zip(LEVELS, quantiles, strict=True)}
        return Forecast(
            target=target,
            issued_at=past.known_at,
            p10=told[0.1],
            p50=told[0.5],
            p90=told[0.9],
            source=self.name,
            flags=(*laid.flags, *short(laid.days), *book.silent, *book.remarks),
            quantiles=tuple(told.items()),
            members=tuple(
                Member(name=name, weight=float(weight), p50=Series(horizon, laid.on_horizon(said), unit))
                for name, weight, said in zip(book.names, weights, book.now, strict=True)
            ),
            inputs=tuple(input_of(name, series) for name, series in (("target", past.target), *past.drivers)),
        )

    def _recipe(self, target: Target) -> Recipe:
        recipe = RECIPES[target]
        if not self._members:
            return recipe
        return Recipe(members=dict.fromkeys(self._members, 1.0 / len(self._members)), most_days=recipe.most_days,
                      own_errors=recipe.own_errors, step_minutes=recipe.step_minutes)  # fmt: skip


def short(days: Days) -> tuple[str, ...]:
    """What a short past is missing, in words."""
    known = int((~np.isnan(days.y)).any(axis=1).sum())
    return (f"only {known} day{'s' if known > 1 else ''} of history",) if known < ENOUGH_DAYS else ()


def input_of(name: str, series: Series) -> Input:
    known = series.known.nonzero()[0]
    until = series.horizon.time_of(int(known[-1]) + 1) if len(known) else None
    return Input(name=name, known_until=until, digest=series.digest)


def kept_of(past: Past, laid: Laid) -> dict[int, dict[str, Floats]]:
    """What each member said at earlier issues at the same wall time, by the row at which its horizon began."""
    days, kept = laid.days, {}
    for issued in past.issued:
        if not issued.members or issued.horizon.step_minutes != days.step_minutes:
            continue
        row, column = laid.cells_of(issued.horizon)
        issue = int(row[0])
        if column[0] or not 0 < issue < days.issue:
            continue
        within = row < issue + days.ahead
        kept[issue] = {
            member.name: averaged(
                member.p50.values[within], row[within] - issue, column[within], (days.ahead, days.slots)
            )
            for member in issued.members
        }
    return kept

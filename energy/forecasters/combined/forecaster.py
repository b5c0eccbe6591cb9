"""The combined forecaster: lay out the days, ask the members, weigh them, put a band around, say what was missing."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.cold import ENOUGH_DAYS as COLD_DAYS
from energy.forecasters.cold import cold_forecast, known_days
from energy.forecasters.combined.book import Book, opened
from energy.forecasters.combined.days import Days, Laid, laid_out
from energy.forecasters.combined.deadline import Deadline
from energy.forecasters.combined.drivers import Driven, screened
from energy.forecasters.combined.issued import bands_of, kept_of
from energy.forecasters.combined.load import believed
from energy.forecasters.combined.members import Member as Model
from energy.forecasters.combined.members import known_members
from energy.forecasters.combined.recipes import RECIPES, Recipe
from energy.forecasters.combined.spread import quantiles_of
from energy.forecasters.combined.told import told_of
from energy.forecasters.combined.weights import combined, weights_of
from energy.forecasters.published import already_said, by_parts
from energy.forecasters.similar import Depth, forecast_similar_days
from energy.model.forecast import LEVELS, Component, Forecast, Input, Member, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

log = logging.getLogger("loadstone.forecasters")

ENOUGH_DAYS = 14  # of history, below which a forecast says that it rests on little
SECONDS_TO_READ = 5.0  # for a Prophet that only Stan can fit, which none of these is
FULL_DAYS = 42  # of history, from which on every member has had the time to learn
STAND_IN = {"similar": 1.0}  # what is asked beside them until then, and what it weighs before anything was seen of it
SHARE_OF_MEMBERS = 0.75  # of the time that a forecast may take; the rest is for weights, bands and a slow machine


class Combined:
    """Several models of days, weighed by their errors on issued forecasts."""

    name = "combined"

    def __init__(self, *, members: Sequence[str] = (), seconds: float | None = None) -> None:
        self._members, self._seconds = tuple(members), seconds
        self._last: dict[Target, tuple[Past, Forecast]] = {}

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        recipe = self._recipe(target)
        members = made(recipe)
        deadline = Deadline.after(None if self._seconds is None else SHARE_OF_MEMBERS * self._seconds)
        one = partial(self._one, recipe, members, deadline)
        self._last.pop(target, None)
        try:
            forecast = by_parts(one, target, past, horizon, published=published_part)
            self._last[target] = past, forecast
            return forecast
        except Exception as failure:  # whatever a library makes of data that nobody thought of: similar days answer
            log.exception("the combined forecast of %s failed", target)
            why = f"similar days instead: the combined forecast failed ({type(failure).__name__})"
            return by_parts(partial(similar_days, (why,)), target, past, horizon)

    def warm(self, target: Target) -> None:
        """Import what a forecast and its parts need, before its time begins to run."""
        made(self._recipe(target))
        from energy.forecasters.prophet.fit import quiet

        quiet()
        import prophet  # noqa: F401 - three seconds, the first time

    def components(self, target: Target) -> Sequence[Component]:
        """The readable parts of the last forecast, by a Prophet fitted for them; Prophet is imported here."""
        if target not in self._last:
            return ()
        from energy.forecasters.prophet.reading import readable

        try:
            return readable(*self._last[target], seconds=SECONDS_TO_READ)
        except Exception:  # a forecast without its parts is better than none
            log.exception("the parts of the forecast of %s could not be read", target)
            return ()

    def _one(
        self, recipe: Recipe, members: Sequence[Model], deadline: Deadline, target: Target, past: Past, horizon: Horizon
    ) -> Forecast:
        if known_days(past, horizon) < COLD_DAYS and (cold := cold_forecast(target, past, horizon)) is not None:
            return replace(cold, inputs=inputs_of(past))
        laid = laid_out(target, past, horizon, most_days=recipe.most_days, least_minutes=recipe.step_minutes)
        if laid is None:
            return similar_days((), target, past, horizon)
        if target is Target.BASE_LOAD:
            laid = believed(laid, past.target.unit)
        members = [*members, *([] if self._members else stand_ins(laid.days, recipe))]
        drivers = screened(laid, past.drivers)
        book = opened(laid.days, [Driven(member, drivers) for member in members], back=recipe.own_errors,
                      kept=kept_of(past.issued, laid), deadline=deadline)  # fmt: skip
        flags = (*laid.flags, *short(laid.days), *drivers.flags, *unanswered(book), *book.remarks)
        if not book.names:
            return similar_days(flags, target, past, horizon)
        return self._told(target, past, horizon, laid, book, weights_of(book, STAND_IN | dict(recipe.members)), flags)

    def _told(
        self, target: Target, past: Past, horizon: Horizon, laid: Laid, book: Book, weights: Floats,
        flags: tuple[str, ...],
    ) -> Forecast:  # fmt: skip
        told = told_of(laid.days, book.issues, combined(book.said, weights), book.said, book.came,
                       bands_of(past.issued, laid))  # fmt: skip
        quantiles = quantiles_of(laid.days, told)
        unit = past.target.unit
        series = {level: Series(horizon, laid.on_horizon(q), unit) for level, q in zip(LEVELS, quantiles, strict=True)}
        forecast = Forecast(
            target=target,
            issued_at=past.known_at,
            p10=series[0.1],
            p50=series[0.5],
            p90=series[0.9],
            source=self.name,
            flags=tuple(dict.fromkeys(flags)),
            quantiles=tuple(series.items()),
            members=tuple(
                Member(name=name, weight=float(weight), p50=Series(horizon, laid.on_horizon(said), unit))
                for name, weight, said in zip(book.names, weights, book.now, strict=True)
            ),
            inputs=inputs_of(past),
        )
        return forecast if forecast.p50.known.all() else with_gaps_filled(forecast, past)

    def _recipe(self, target: Target) -> Recipe:
        recipe = RECIPES[target]
        if not self._members:
            return recipe
        return replace(recipe, members=dict.fromkeys(self._members, 1.0 / len(self._members)))


def made(recipe: Recipe) -> list[Model]:
    """The members of a recipe in their order. What is needed is imported here, before their time begins to run."""
    import holidays  # noqa: F401 - half a second, the first time

    known = known_members()
    return [known[name]() for name in recipe.members]


def stand_ins(days: Days, recipe: Recipe) -> list[Model]:
    """What else is asked while the history is too short for most members of a recipe: similar days."""
    known = int((~np.isnan(days.y)).any(axis=1).sum())
    own = known_members()
    return [own[name]() for name in STAND_IN if name in own and name not in recipe.members and known < FULL_DAYS]


def similar_days(flags: tuple[str, ...], target: Target, past: Past, horizon: Horizon) -> Forecast:
    return forecast_similar_days(target, past, horizon, Depth(), source="naive", flags=flags)


def published_part(target: Target, past: Past, horizon: Horizon) -> Forecast:
    """The part of a horizon that is published: what was said of it before it was, or else similar days. No model is
    fitted for what nobody needs to guess any more."""
    return already_said(past.issued, past, horizon) or similar_days((), target, past, horizon)


def with_gaps_filled(forecast: Forecast, past: Past) -> Forecast:
    """A forecast of which members left some slots open, there with what similar days say."""
    filler = similar_days((), forecast.target, past, forecast.horizon)
    return replace(
        forecast,
        p10=forecast.p10.filled_from(filler.p10),
        p50=forecast.p50.filled_from(filler.p50),
        p90=forecast.p90.filled_from(filler.p90),
        flags=tuple(dict.fromkeys((*forecast.flags, *filler.flags, "similar days where no model has an answer"))),
        quantiles=tuple((level, series.filled_from(filler.at(level))) for level, series in forecast.quantiles),
    )


def short(days: Days) -> tuple[str, ...]:
    """What a short past is missing, in words."""
    known = int((~np.isnan(days.y)).any(axis=1).sum())
    return (f"only {known} day{'s' if known > 1 else ''} of history",) if known < ENOUGH_DAYS else ()


def unanswered(book: Book) -> tuple[str, ...]:
    """Which members had no answer, one flag for each reason."""
    by_reason: dict[str, list[str]] = {}
    for name, why in book.silent:
        by_reason.setdefault(why, []).append(name)
    return tuple(f"without {', '.join(names)}: {why}" for why, names in by_reason.items())


def inputs_of(past: Past) -> tuple[Input, ...]:
    return tuple(Input.of(name, series) for name, series in (("target", past.target), *past.drivers))

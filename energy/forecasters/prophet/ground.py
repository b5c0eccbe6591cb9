"""What one forecast stands on: the past on the step of the fit, its table of days, and the local calendar."""

from dataclasses import dataclass
from datetime import timedelta

from energy.forecasters.days import LocalSlots, closed_days, local_slots
from energy.forecasters.similar import EVERY_DAY_ALIKE, DayTable, at_step, seen_before
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

BY_THE_HOUR = (Target.PRICE, Target.CARBON)  # made by the hour, whatever step the plan has
WARM_UP_DAYS = 14  # before the fitted weeks, so that lags are known from their first day on


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Ground:
    """The past of one target, and the horizon ahead of it, in slots of the fit's step."""

    target: Target
    seen: Series
    span: Horizon  # from the first slot seen to the end of the horizon
    ahead: Horizon
    slots: LocalSlots  # of the span
    table: DayTable
    lead_days: int  # whole days from the last value seen to the end of the horizon
    fitted_from: int  # the first slot of the span that is fitted
    flags: tuple[str, ...]

    @classmethod
    def of(cls, target: Target, past: Past, horizon: Horizon, weeks: int) -> "Ground | None":
        """The ground of a forecast; None where nothing was seen yet."""
        seen = seen_before(past, horizon, weeks * 7 + WARM_UP_DAYS)
        ahead = on_fit_step(target, past.target, horizon)
        seen = at_step(seen, ahead)
        if not seen.known.any():
            return None
        span = Horizon.between(seen.horizon.start, ahead.end, ahead.step_minutes)
        closed, flags = closed_days(past, range(span.start.year - 1, span.end.year + 2))
        slots = local_slots(span, past.zone, closed)
        return cls(
            target=target,
            seen=seen,
            span=span,
            ahead=ahead,
            slots=slots,
            table=DayTable.of(seen.values, slots.cut(0, seen.horizon.slots), ahead.step_minutes),
            lead_days=max(1, -((seen.horizon.end - ahead.end) // timedelta(days=1))),
            fitted_from=first_fitted(seen.horizon, weeks),
            flags=flags,
        )

    @property
    def alike(self) -> bool:
        """Whether all days are of one kind for this target."""
        return self.target in EVERY_DAY_ALIKE

    @property
    def days_known(self) -> int:
        """How many whole days' worth of values were seen."""
        return int(self.seen.known.sum()) * self.seen.horizon.step_minutes // (24 * 60)

    @property
    def slots_ahead(self) -> LocalSlots:
        return self.slots.cut(self.span.slots - self.ahead.slots, self.span.slots)


def on_fit_step(target: Target, series: Series, horizon: Horizon) -> Horizon:
    """The horizon in slots of the fit: of the past's step where that is coarser, of an hour for prices and carbon."""
    step = max(series.horizon.step_minutes, horizon.step_minutes, 60 if target in BY_THE_HOUR else 0)
    minutes = horizon.slots * horizon.step_minutes
    if step == horizon.step_minutes or horizon.start.minute % step or minutes % step:
        return horizon
    return Horizon(horizon.start, minutes // step, step)


def first_fitted(seen: Horizon, weeks: int) -> int:
    """The first slot that is fitted: so many weeks before the end, but one week in, so that its lags are known."""
    week = 7 * 24 * 60 // seen.step_minutes
    return max(week, seen.slots - weeks * week) if seen.slots > 2 * week else min(week, seen.slots // 2)

"""Issued forecasts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from energy.exchange.codec import pack, unpack
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Interval
from energy.store.repository import Repository
from energy.store.tables import ForecastRow, table

forecast = table(ForecastRow)


class Forecasts(Repository):
    """Issued forecasts, with issue time, source and flags."""

    def add(self, said: Forecast, inputs: str = "") -> None:
        """Keep a forecast; the same one again (a repeated step) is not kept twice."""
        key = {"site": self._site, "target": said.target.value, "issued_at": said.issued_at, "packed": pack(said)}
        with self._writing() as connection:
            same = sa.select(forecast.c.id).where(*(forecast.c[name] == value for name, value in key.items()))
            if connection.execute(same).first() is None:
                connection.execute(sa.insert(forecast).values(**key, inputs=inputs))

    def latest(self, target: Target, as_known_at: datetime | None = None) -> Forecast | None:
        known = () if as_known_at is None else (forecast.c.issued_at <= as_known_at,)
        query = sa.select(forecast.c.packed).where(*self._of(target), *known)
        row = self._first(query.order_by(forecast.c.issued_at.desc(), forecast.c.id.desc()))
        return None if row is None else unpack(Forecast, row.packed)

    def issued(self, target: Target, span: Interval) -> list[Forecast]:
        """All forecasts issued in a span, oldest first."""
        within = (forecast.c.issued_at >= span.start, forecast.c.issued_at < span.end)
        query = sa.select(forecast.c.packed).where(*self._of(target), *within)
        return [unpack(Forecast, row.packed) for row in self._rows(query.order_by(forecast.c.issued_at, forecast.c.id))]

    def issued_near(self, target: Target, times: Sequence[datetime], *, before: timedelta) -> list[Forecast]:
        """For each time the last forecast issued at it or, at most so much, before it; oldest first. Only what is asked for
        is unpacked."""
        if not times:
            return []
        span = (forecast.c.issued_at >= min(times) - before, forecast.c.issued_at <= max(times))
        query = sa.select(forecast.c.id, forecast.c.issued_at).where(*self._of(target), *span)
        rows = self._rows(query.order_by(forecast.c.issued_at, forecast.c.id))
        wanted = [
            last
            for time in sorted(times)
            if (last := next((r.id for r in reversed(rows) if time - before <= r.issued_at <= time), None)) is not None
        ]
        chosen = sa.select(forecast.c.packed).where(forecast.c.id.in_(dict.fromkeys(wanted)))
        return [
            unpack(Forecast, row.packed) for row in self._rows(chosen.order_by(forecast.c.issued_at, forecast.c.id))
        ]

    def thin(self, target: Target, span: Interval) -> int:
        """Leave P10, P50 and P90 of the forecasts issued in a span: what each member said, and the other quantiles, are
        for learning from lately. Returns how many were thinned."""
        within = (forecast.c.issued_at >= span.start, forecast.c.issued_at < span.end)
        thinned = 0
        with self._writing() as connection:
            query = sa.select(forecast.c.id, forecast.c.packed).where(*self._of(target), *within)
            for row in connection.execute(query).all():
                whole = unpack(Forecast, row.packed)
                if whole.quantiles or whole.members:
                    packed = pack(replace(whole, quantiles=(), members=()))
                    connection.execute(sa.update(forecast).where(forecast.c.id == row.id).values(packed=packed))
                    thinned += 1
        return thinned

    def _of(self, target: Target) -> tuple[sa.ColumnElement[bool], ...]:
        return (forecast.c.site == self._site, forecast.c.target == target.value)

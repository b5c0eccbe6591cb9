"""Offers to the planner, and what was not offered."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.proposal import NotOffered, Offer, OfferState
from energy.store.repository import Query, Repository, put_version
from energy.store.tables import NotOfferedRow, OfferRow, table

offer_table = table(OfferRow)
not_offered = table(NotOfferedRow)


class Offers(Repository):
    """Offers, each change of state a new version."""

    def put(self, offer: Offer, at: datetime) -> Offer:
        """Keep an offer as its next version; returns it with the version set. One that is the same but for its
        version writes nothing, so that what a planner has before him stays the newest."""
        with self._writing() as connection:
            body = connection.execute(self._current(offer_table.c.id == offer.id)).scalar()
            before = None if body is None else load(Offer, body)
            if before is not None and replace(offer, version=before.version) == before:
                return before
            kept = replace(offer, version=1 if before is None else before.version + 1)
            put_version(connection, offer_table, {"site": self._site, "id": offer.id}, _columns(kept, at))
            return kept

    def get(self, id: str) -> Offer | None:
        """The latest version."""
        row = self._first(self._current(offer_table.c.id == id))
        return None if row is None else load(Offer, row.body)

    def in_state(self, *states: OfferState, span: Interval | None = None) -> list[Offer]:
        """The offers whose latest version is in one of the states (touching a span), by number."""
        touching = () if span is None else (offer_table.c.first < span.end, offer_table.c.last > span.start)
        in_one = offer_table.c.state.in_([state.value for state in states])
        return self._offers(self._current(in_one, *touching))

    def offered(self, span: Interval) -> list[Offer]:
        """The latest version of all offers made in a span."""
        return self._offers(self._current(offer_table.c.offered_at >= span.start, offer_table.c.offered_at < span.end))

    def put_not_offered(self, plan: str, items: Sequence[NotOffered], at: datetime) -> None:
        """Keep what a plan would have moved but was not offered; a later word on the same plan supersedes."""
        key = {"site": self._site, "plan": plan}
        with self._writing() as connection:
            of_plan = (not_offered.c.site == self._site, not_offered.c.plan == plan)
            before = connection.execute(sa.select(sa.func.max(not_offered.c.version)).where(*of_plan)).scalar_one()
            bodies = json.dumps([json.loads(dump(item)) for item in items])
            row = {**key, "version": (before or 0) + 1, "at": at, "bodies": bodies}
            connection.execute(sa.insert(not_offered).values(row))

    def not_offered(self, plan: str) -> list[NotOffered]:
        of_plan = (not_offered.c.site == self._site, not_offered.c.plan == plan)
        row = self._first(sa.select(not_offered.c.bodies).where(*of_plan).order_by(not_offered.c.version.desc()))
        return [] if row is None else [load(NotOffered, json.dumps(item)) for item in json.loads(row.bodies)]

    def _current(self, *those: sa.ColumnElement[bool]) -> Query:
        return sa.select(offer_table.c.body).where(offer_table.c.site == self._site, offer_table.c.current, *those)

    def _offers(self, query: Query) -> list[Offer]:
        ordered = query.order_by(offer_table.c.number, offer_table.c.offered_at, offer_table.c.id)
        return [load(Offer, row.body) for row in self._rows(ordered)]


def _columns(offer: Offer, at: datetime) -> dict[str, Any]:
    """What an offer is found by; it touches both the old and the new places of its jobs."""
    places = [place for shift in offer.shifts for place in (shift.old, shift.new)]
    return {
        "at": at,
        "state": offer.state.value,
        "number": offer.number,
        "offered_at": offer.offered_at,
        "first": min((place.start for place in places), default=offer.offered_at),
        "last": max((place.end for place in places), default=offer.expires_at),
        "body": dump(offer),
    }

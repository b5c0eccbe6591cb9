"""The plant's own times: when as-is is frozen, when offers open and close, which day may be asked about."""

from datetime import datetime, time, timedelta

from energy.clock import day_bounds, local_date, wall_to_utc
from energy.model.calendar import OfferRules
from energy.model.horizon import Interval


def on_day_of(t: datetime, at: time, zone: str) -> datetime:
    """A wall-clock time of the local day that an instant belongs to."""
    return wall_to_utc(local_date(t, zone), at, zone)


def cut_off_before(start: datetime, cut_off: time, zone: str) -> datetime:
    """When the as-is place of a job that starts then is frozen: the cut-off of the local day before."""
    return wall_to_utc(local_date(start, zone) - timedelta(days=1), cut_off, zone)


def movable_span(now: datetime, rules: OfferRules, zone: str) -> Interval:
    """The local day whose jobs planners may be asked about: tomorrow until the plant has fixed it, then the day after."""
    ahead = 1 if now < on_day_of(now, rules.closes, zone) else 2
    return Interval(*day_bounds(local_date(now, zone) + timedelta(days=ahead), zone))


def offers_open(now: datetime, rules: OfferRules, zone: str) -> bool:
    """Whether offers for the next day may be opened now."""
    return on_day_of(now, rules.opens, zone) <= now < on_day_of(now, rules.closes, zone)


def planning_end(now: datetime, zone: str) -> datetime:
    """Planning runs to the end of the local day after next."""
    return day_bounds(local_date(now, zone) + timedelta(days=2), zone)[1]


def expiry(offered_at: datetime, first_touched: datetime, rules: OfferRules, zone: str) -> datetime:
    """When an offer expires: at the plant's time of fixing (if still to come that day), or the notice time before the
    first start that it touches, whichever is earlier."""
    notice = first_touched - timedelta(minutes=rules.notice_minutes)
    closes = on_day_of(offered_at, rules.closes, zone)
    return min(closes, notice) if offered_at < closes else notice

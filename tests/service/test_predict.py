"""The predict step: what a forecaster is given, and what is kept of its answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from energy.clock import local
from energy.exchange.codec import pack
from energy.model.calendar import Calendar, Shift
from energy.model.forecast import LEVELS, Component, Forecast, Member, Past, Target
from energy.model.horizon import Horizon, Interval
from energy.model.series import BASE_LOAD, PRICE_DAY_AHEAD, TEMPERATURE, Series
from energy.model.site import Site
from energy.steps.predict import CREWS, branch_by, crews_at_work, past_of, predict, rounded, thin_out
from energy.store import Store

ZONE = "Europe/Berlin"
NOW = datetime(2026, 4, 1, 12, 5, tzinfo=UTC)  # three days after the clocks changed
DAY = timedelta(days=1)
SITE = Site(
    id="p", name="P", zone=ZONE, currency="EUR", import_limit_kw=500, export_limit_kw=0, pv_peak_kw=80, latitude=48.7,
    longitude=9.2,
)  # fmt: skip
EARLY = Shift(crew="early", weekdays=(0, 1, 2, 3, 4), start=time(6), end=time(14), people=())
LATE = Shift(crew="late", weekdays=(0, 1, 2, 3, 4), start=time(13, 30), end=time(22), people=())
NIGHT = Shift(crew="night", weekdays=(0, 1, 2, 3), start=time(22), end=time(6), people=())


class Flat:
    """Says 1/3 of everything, and remembers what it was given."""

    name = "flat"

    def __init__(self) -> None:
        self.given: list[Past] = []

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        self.given.append(past)
        third = Series.constant(horizon, len(self.given) + 1 / 3, "kW")
        return Forecast(
            target=target, issued_at=past.known_at, p10=third, p50=third, p90=third, source=self.name,
            quantiles=tuple((level, third) for level in LEVELS), members=(Member(name="m", weight=1.0, p50=third),),
        )  # fmt: skip

    def components(self, target: Target) -> Sequence[Component]:
        return ()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('predict') / 'store.sqlite'}"


@pytest.fixture
def store(database: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A site of its own for each test, in one database."""
    with Store.open(database, request.node.name) as opened:
        yield opened


def issue(store: Store, flat: Flat, now: datetime, target: Target = Target.BASE_LOAD) -> Forecast:
    (made,) = predict(
        store, site=SITE, calendar=Calendar(shifts=()), forecasters={target: flat}, now=now, until=now + DAY - MINUTES
    ).forecasts
    return made


MINUTES = timedelta(minutes=5)


def past(
    store: Store, now: datetime = NOW, target: Target = Target.BASE_LOAD, calendar: Calendar | None = None
) -> Past:
    horizon = Horizon(now - MINUTES, 96)
    return past_of(store, target, SITE, calendar or Calendar(shifts=()), now, horizon, timedelta(days=1000))


def test_each_earlier_day_gives_back_the_forecast_of_the_same_wall_time(store: Store) -> None:
    """The clocks changed on Sunday: 14:05 is 13:05 UTC before, 12:05 UTC after it."""
    flat = Flat()
    for days in range(5, -1, -1):
        for hour in (11, 12, 13):
            issue(store, flat, NOW - days * DAY + (hour - 12) * timedelta(hours=1))
    now = NOW + DAY
    issue(store, flat, now)
    walls = [local(said.issued_at, ZONE) for said in flat.given[-1].issued]
    assert [wall.day for wall in walls] == [27, 28, 29, 30, 31, 1]
    assert {(wall.hour, wall.minute) for wall in walls} == {(14, 5)}
    assert all(said.members and said.quantiles for said in flat.given[-1].issued)


def test_a_day_without_that_hour_has_the_last_one_before_it_and_one_too_early_none(store: Store) -> None:
    flat = Flat()
    for before in (timedelta(hours=1), DAY + timedelta(hours=5)):
        issue(store, flat, NOW - DAY - before)
    issue(store, flat, NOW)
    assert [said.issued_at for said in flat.given[-1].issued] == [NOW - DAY - timedelta(hours=1)]


def test_what_became_known_later_is_not_seen(store: Store) -> None:
    """Weather and meters are read as known at the time of issue; a target ends there, a driver reaches over the horizon."""
    whole = Horizon(NOW - 2 * DAY - MINUTES, 96 * 4)
    for known_at, value in ((NOW - 3 * DAY, 1.0), (NOW - DAY, 2.0), (NOW + DAY, 3.0)):
        store.series.add(TEMPERATURE, Series.constant(whole, value, "degC"), known_at=known_at, source="w")
        store.series.add(BASE_LOAD, Series.constant(whole, value, "kW"), known_at=known_at, source="m")
    given = past(store)
    assert given.target.horizon == Horizon(NOW - 2 * DAY - MINUTES, 192)
    assert set(given.target.values) == {2.0}
    ((name, temperature),) = given.drivers
    assert (name, set(temperature.values)) == (TEMPERATURE, {2.0})
    assert temperature.horizon.end == NOW - MINUTES + DAY
    assert set(past(store, NOW - 1.5 * DAY).target.values) == {1.0}


def test_a_feed_that_fell_silent_is_missed_and_one_that_never_was_is_not(store: Store) -> None:
    old = Horizon(NOW - 2 * DAY - MINUTES, 96)
    store.series.add(BASE_LOAD, Series.constant(old, 1.0, "kW"), known_at=NOW - DAY, source="m")
    assert past(store).drivers == ()
    store.series.add(TEMPERATURE, Series.constant(old, 9.0, "degC"), known_at=NOW - DAY, source="w")
    ((name, temperature),) = past(store).drivers
    assert (name, int(temperature.known.sum())) == (TEMPERATURE, 96)


def test_prices_are_seen_as_far_as_they_are_published(store: Store) -> None:
    until = NOW - MINUTES + timedelta(hours=10)
    store.series.add(PRICE_DAY_AHEAD, Series.constant(Horizon.between(NOW - MINUTES - DAY, until), 0.1, "EUR/kWh"),
                     known_at=NOW - DAY, source="p")  # fmt: skip
    assert past(store, target=Target.PRICE).target.horizon.end == until


def test_a_plant_is_described_by_where_it_is_and_who_works_when(store: Store) -> None:
    given = past(store, calendar=Calendar(shifts=(EARLY, LATE)))
    assert (given.latitude, given.longitude, given.branch, given.peak_kw) == (48.7, 9.2, "two-shift", None)
    assert (past(store, target=Target.PV).peak_kw, given.target.unit) == (80, "kW")


@pytest.mark.parametrize(
    ("shifts", "branch"),
    [
        ((), ""),
        ((EARLY,), "one-shift"),
        ((EARLY, replace(EARLY, crew="early too")), "one-shift"),
        ((EARLY, LATE), "two-shift"),
        ((EARLY, LATE, NIGHT), "three-shift"),
        (tuple(Shift(crew=str(h), weekdays=tuple(range(7)), start=time(h), end=time((h + 8) % 24), people=())
               for h in (6, 14, 22)), "continuous"),
    ],
)  # fmt: skip
def test_the_hours_of_the_crews_say_what_kind_of_plant_it_is(shifts: tuple[Shift, ...], branch: str) -> None:
    assert branch_by(Calendar(shifts=shifts)) == branch


def test_the_crews_at_work_in_each_slot() -> None:
    """Early to 14:00 and late from 13:30 overlap for half an hour; an opening on Sunday counts, a holiday does not."""
    monday = datetime(2026, 3, 29, 22, tzinfo=UTC)
    sunday = Interval(monday - DAY / 2, monday - DAY / 4)
    calendar = Calendar(shifts=(EARLY, LATE), openings=(("early", sunday),), holidays=(monday.date() + 2 * DAY,))
    crews = crews_at_work(calendar, Horizon(monday - DAY, 3 * 48, 30), ZONE)
    assert crews is not None
    assert np.flatnonzero(crews.values[:48]).tolist() == list(range(24, 36))
    assert crews.values[48:96].tolist() == [0] * 12 + [1] * 15 + [2] + [1] * 16 + [0] * 4
    assert not crews.values[96:].any()
    assert crews_at_work(Calendar(shifts=()), Horizon(monday, 48), ZONE) is None
    assert crews_at_work(calendar, Horizon(monday + DAY / 3, 4), ZONE) is None  # it never changes


def test_the_base_load_is_driven_by_the_crews(store: Store) -> None:
    given = past(store, calendar=Calendar(shifts=(EARLY, LATE)))
    assert [name for name, _ in given.drivers] == [CREWS]
    assert past(store, target=Target.PV, calendar=Calendar(shifts=(EARLY, LATE))).drivers == ()


def test_what_is_kept_has_six_digits_and_says_what_it_was_made_from(store: Store) -> None:
    store.series.add(BASE_LOAD, Series.constant(Horizon(NOW - DAY - MINUTES, 48), 7.0, "kW"), known_at=NOW, source="m")
    made = issue(store, Flat(), NOW)
    assert store.forecasts.latest(Target.BASE_LOAD) == made
    assert made.p50.values[0] == made.members[0].p50.values[0] == made.at(0.99).values[0] == 1.33333
    (target,) = made.inputs
    assert (target.name, target.known_until) == ("target", NOW - DAY / 2 - MINUTES)


@pytest.mark.parametrize("value", [0.0, -0.0123456789, 123456.789, 12345678.9, 1e-12, -5.0])
def test_six_digits(value: float) -> None:
    series = Series.of(Horizon(NOW, 2), [value, float("nan")], "kW")
    assert rounded(series).values[0] == float(f"{value:.6g}")
    assert np.isnan(rounded(series).values[1])


def test_old_forecasts_keep_three_quantiles(store: Store) -> None:
    flat = Flat()
    old, new = issue(store, flat, NOW - 130 * DAY), issue(store, flat, NOW - 10 * DAY)
    store.note("forecasts thinned base_load", (NOW - 200 * DAY).isoformat())
    thin_out(store, Target.BASE_LOAD, NOW)
    span = Interval(NOW - 200 * DAY, NOW)
    assert store.forecasts.issued(Target.BASE_LOAD, span) == [replace(old, quantiles=(), members=()), new]
    assert store.forecasts.thin(Target.BASE_LOAD, Interval(NOW - 200 * DAY, NOW - 100 * DAY)) == 0


def test_a_year_of_hourly_forecasts_stays_small() -> None:
    """Two and a half days of four targets each hour: whole for four months, thinned before."""
    rng = np.random.default_rng(1)
    horizon = Horizon(NOW, 240)

    def series() -> Series:
        return rounded(Series(horizon, 300 + 50 * rng.standard_normal(240), "kW"))

    whole = Forecast(
        target=Target.BASE_LOAD, issued_at=NOW, p10=series(), p50=series(), p90=series(), source="combined",
        quantiles=tuple((level, series()) for level in LEVELS),
        members=tuple(Member(name=str(n), weight=0.2, p50=series()) for n in range(5)),
    )  # fmt: skip
    thinned = replace(whole, quantiles=(), members=())
    a_day = 24 * len(Target)
    year = (122 * len(pack(whole)) + 243 * len(pack(thinned))) * a_day
    assert year < 300e6

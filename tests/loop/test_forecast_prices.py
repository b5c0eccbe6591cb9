"""Offers while the next day's prices are not published: corrected and with a band, held against what came, and what the
choice by a forecast was worth on past days."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy.clock import day_bounds
from energy.commands.run import band, describe
from energy.model.horizon import Horizon
from energy.model.proposal import OfferState
from energy.model.series import PRICE_DAY_AHEAD, Series
from energy.planning.optimism import DEFAULT_KEPT
from energy.reports.files import savings_file
from energy.reports.pages import PromiseSum
from energy.steps.propose import too_little
from tests.loop.plant import ZONE, SmallPlant, at, oven_job, press_job

SUN, MON, TUE = (date(2026, 11, 8) + timedelta(days=n) for n in range(3))


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> SmallPlant:
    """Sunday 13:16: the prices of Monday are late. Last week's stand in for them; each day of it was as the day before,
    so the forecast is right about the shape."""
    plant = SmallPlant(Path(tmp_path_factory.mktemp("late")), start=SUN - timedelta(days=1))
    plant.publish(SUN - timedelta(days=15), SUN)
    plant.order(oven_job(MON), press_job(MON))
    plant.live_to(at(SUN, 11))
    plant.service.predict()
    plant.live_to(at(SUN, 13, 16))
    plant.service.heartbeat()
    return plant


def test_the_plan_says_how_sure_its_gain_is(plant: SmallPlant) -> None:
    """Oven and press by the forecast: 80 + 20 EUR of energy, 75 EUR of the peak; 60 % of the 100 are promised."""
    told = describe(plant.service.plan())
    assert "it gains 135.00 (P10 " in told
    assert "; 175.00 by the forecast alone, on which 100% rests)" in told


def test_an_offer_on_forecast_prices_is_corrected_and_says_so(plant: SmallPlant) -> None:
    """400 kWh from 0.30 to 0.10: 80 EUR by the forecast. Nobody knows yet what such a choice is worth, so the cautious
    share of it is promised; the peak's 75 EUR are no matter of prices."""
    offer = plant.offer_of("oven-09")
    assert offer.gain.forecast_share == 1.0
    assert offer.gain.uncorrected == pytest.approx(80 + 75)
    assert offer.gain.optimism == pytest.approx(80 * (1 - DEFAULT_KEPT))
    assert offer.gain.daily == pytest.approx(80 * DEFAULT_KEPT)
    assert offer.gain.low is not None
    assert offer.gain.high is not None
    assert offer.gain.low <= offer.gain.money <= offer.gain.high
    assert "123 EUR" in offer.reason
    assert "100 % rests on forecast prices" in offer.reason


def test_what_is_below_the_least_gain_once_corrected_waits_for_the_prices(plant: SmallPlant) -> None:
    """The press' 200 kWh from 0.30 to 0.20 look like 20 EUR; 12 remain, above the least gain of 10. With a least gain of
    15 it is not offered, and it is said why."""
    offer = plant.offer_of("press-09")
    assert (offer.gain.uncorrected, offer.gain.money) == pytest.approx((20.0, 12.0))
    dearer = replace(plant.service.problem_now(), least_gain=15.0)
    assert too_little(offer.gain, dearer).startswith("20 EUR by the forecast, which is below the least gain of 15 EUR")
    assert too_little(replace(offer.gain, optimism=0.0), dearer) == "below the least gain of 15 EUR"


def test_other_places_are_priced_alike(plant: SmallPlant) -> None:
    offer = plant.offer_of("oven-09")
    best = plant.service.places(offer.id, "oven-09")[0]
    assert best.money == pytest.approx(offer.gain.money)


def test_once_published_it_is_held_against_what_came(plant: SmallPlant) -> None:
    """On Monday midday costs 0.16 instead of 0.10: the oven's energy gains 56 EUR, not 80 and not the corrected 48."""
    for offer in plant.offers():
        plant.accept(offer)
    plant.live_to(at(SUN, 18))
    before = plant.service.savings_page("2026-11").promised
    assert [p.came for p in before] == [None] * len(before)
    horizon = Horizon.between(*day_bounds(MON, ZONE))
    values = np.full(horizon.slots, 0.20)
    values[6 * 4 : 12 * 4], values[12 * 4 : 14 * 4] = 0.30, 0.16
    plant.store.series.add(
        PRICE_DAY_AHEAD, Series(horizon, values, "EUR/kWh"), known_at=at(SUN, 18), source="test", basis=""
    )
    for id in ("oven-09", "press-09"):
        plant.ran(id, id.split("-")[0], plant.accepted_start(id))
    plant.live_to(at(TUE, 2))
    plant.service.verify_due()
    page = plant.service.savings_page("2026-11")
    oven, press = sorted(page.promised, key=lambda p: -p.offer.gain.money)
    assert (oven.came, press.came) == pytest.approx((56 + 75, 20))
    assert (oven.verified, press.verified) == pytest.approx((56, 20))
    total = PromiseSum.of(page.promised)
    assert (total.offers, total.banded) == (2, 2)
    assert (total.before, total.estimated, total.came) == pytest.approx((175, 135, 151))
    assert all(p.offer.state is OfferState.ACCEPTED for p in page.promised)
    assert [p.offer.id for p in plant.service.plan_page().promised] == [p.offer.id for p in page.promised]
    name, book = savings_file(page, "xlsx")
    assert name.endswith(".xlsx")
    assert len(book) > 1000


def test_the_account_of_a_day_says_what_choosing_by_the_forecast_was_worth(plant: SmallPlant) -> None:
    """An hour's run can start at any quarter from 06:00 to 21:00, 61 of them: the one at 12:00 looked cheapest to the
    forecast of Sunday 11:00, at 0.10, and cost 0.16."""
    (account,) = plant.store.ledger.days(MON, MON)
    day_ahead = {c.hours: c for c in account.choices if c.lead_days == 1}
    assert set(day_ahead) == {1.0, 3.0, 6.0}

    def mean(midday: float) -> float:
        hours = np.repeat([0.30, midday, 0.20], [24, 8, 32])
        starts = np.convolve(hours, np.ones(4) / 4, "valid")
        assert len(starts) == 61
        return float(starts.mean())

    hour = day_ahead[1.0]
    assert (hour.estimated, hour.realised) == pytest.approx((mean(0.10) - 0.10, mean(0.16) - 0.16))


def test_the_forecast_report_says_what_is_made_of_forecast_prices(plant: SmallPlant) -> None:
    meaning = plant.service.forecast_page().meaning
    assert (
        "In the last 30 days 2 offers rested on forecast prices: 175 EUR by the forecast alone, 135 EUR estimated, "
        "151 EUR at the published prices"
    ) in meaning
    assert "promised at" in meaning
    assert "by what came on" in meaning


def test_a_step_by_hand_says_how_sure_an_offer_is(plant: SmallPlant) -> None:
    gain = plant.offer_of("oven-09").gain
    assert f"; {gain.uncorrected:,.2f} by the forecast alone, on which 100% rests)" in band(gain)
    assert band(replace(gain, forecast_share=0.0)) == ""

"""Peak savings: one figure a charge and period, checked by hand."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.model.savings import DayPeak, DaySavings, PeakState
from energy.model.tariff import DemandRate, Period, Tariff, Window
from energy.savings.peaks import peak_savings

ZONE = "Europe/Berlin"
ANNUAL = DemandRate(name="annual", per_kw=118.0, period=Period.YEAR, target_kw=1240)
MONTHLY = DemandRate(name="monthly", per_kw=5.0, period=Period.MONTH)
WINTER = DemandRate(
    name="winter",
    per_kw=22.0,
    period=Period.YEAR,
    target_kw=900,
    windows=(Window(start=time(16, 30), end=time(19, 30), weekdays=(0, 1, 2, 3, 4), months=(1, 2), on_holidays=False),),
)


def account(day: date, *peaks: DayPeak) -> DaySavings:
    return DaySavings(
        site="s", day=day, metered_money=None, counterfactual_money=None, metered_carbon_kg=None,
        counterfactual_carbon_kg=None, metered_peak_kw=None, counterfactual_peak_kw=None, import_kwh=None, known_share=1.0,
        estimated_money=0.0, estimated_carbon_kg=0.0, jobs=(), currency="EUR", carbon_basis="", peaks=peaks,
    )  # fmt: skip


def peak(charge: str, period: str, as_is: float, real: float) -> DayPeak:
    return DayPeak(charge=charge, period=period, as_is_kw=as_is, real_kw=real)


def tariff(*rates: DemandRate) -> Tariff:
    return Tariff(currency="EUR", demand=rates)


def test_the_highest_of_the_whole_period_counts_not_the_days() -> None:
    # As-is the most is 1334 (day 1), real 1318 (day 2): 16 kW at 118 EUR, although day 1 alone has 34 kW between them.
    days = [
        account(date(2026, 5, 1), peak("annual", "2026", 1334, 1300)),
        account(date(2026, 5, 2), peak("annual", "2026", 1318, 1318)),
    ]
    (found,) = peak_savings(days, tariff(ANNUAL), date(2026, 5, 3), ZONE)
    assert (found.as_is_kw, found.real_kw, found.money) == (1334, 1318, pytest.approx(16 * 118))


def test_below_the_target_a_kw_is_worth_nothing() -> None:
    (found,) = peak_savings(
        [account(date(2026, 5, 1), peak("annual", "2026", 1267, 1099))], tariff(ANNUAL), date(2026, 5, 2), ZONE
    )
    assert found.money == pytest.approx((1267 - 1240) * 118)


def test_a_peak_that_was_made_higher_is_a_loss() -> None:
    (found,) = peak_savings(
        [account(date(2026, 5, 1), peak("annual", "2026", 1250, 1300))], tariff(ANNUAL), date(2026, 5, 2), ZONE
    )
    assert found.money == pytest.approx(-50 * 118)


@pytest.mark.parametrize(
    ("today", "accounted", "state"),
    [
        (date(2026, 5, 31), date(2026, 5, 30), PeakState.AT_RISK),  # the last day is still to come
        (date(2026, 6, 1), date(2026, 5, 30), PeakState.PROVISIONAL),  # over, but its last day is not accounted
        (date(2026, 6, 1), date(2026, 5, 31), PeakState.CLOSED),
    ],
)
def test_a_month_closes_once_its_last_day_is_accounted(today: date, accounted: date, state: PeakState) -> None:
    (found,) = peak_savings([account(accounted, peak("monthly", "2026-05", 400, 300))], tariff(MONTHLY), today, ZONE)
    assert (found.state, found.money) == (state, pytest.approx(500))


@pytest.mark.parametrize(
    ("today", "holidays", "state"),
    [
        (date(2026, 2, 27), (), PeakState.AT_RISK),  # a Friday in February
        (date(2026, 2, 27), (date(2026, 2, 27),), PeakState.PROVISIONAL),  # a holiday, and a weekend after it
        (date(2026, 3, 2), (), PeakState.PROVISIONAL),  # no window until the year ends, but the year is open
        (date(2027, 1, 1), (), PeakState.PROVISIONAL),  # the year is over, its last day not accounted
    ],
)
def test_windows_that_are_over_are_no_risk(today: date, holidays: tuple[date, ...], state: PeakState) -> None:
    days = [account(date(2026, 2, 10), peak("winter", "2026", 1000, 950))]
    (found,) = peak_savings(days, tariff(WINTER), today, ZONE, holidays)
    assert (found.state, found.money) == (state, pytest.approx(50 * 22))


def test_each_charge_and_period_is_a_figure_of_its_own() -> None:
    days = [
        account(date(2026, 4, 30), peak("monthly", "2026-04", 400, 390), peak("annual", "2026", 1300, 1290)),
        account(date(2026, 5, 1), peak("monthly", "2026-05", 420, 400), peak("annual", "2026", 1310, 1290)),
    ]
    found = peak_savings(days, tariff(ANNUAL, MONTHLY), date(2026, 5, 2), ZONE)
    assert [(p.charge, p.period, round(p.money)) for p in found] == [
        ("annual", "2026", 20 * 118), ("monthly", "2026-04", 50), ("monthly", "2026-05", 100),
    ]  # fmt: skip


def test_a_charge_that_the_contract_no_longer_has_is_left_out() -> None:
    assert (
        peak_savings([account(date(2026, 5, 1), peak("old", "2026", 2, 1))], tariff(ANNUAL), date(2026, 5, 2), ZONE)
        == ()
    )
    assert peak_savings([], tariff(ANNUAL), date(2026, 5, 2), ZONE) == ()


@given(
    kw=st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 2000)), min_size=1, max_size=8),
    target=st.floats(0, 2000),
)
def test_the_order_of_days_does_not_matter_and_a_kw_saved_is_paid_once(
    kw: list[tuple[float, float]], target: float
) -> None:
    rate = DemandRate(name="annual", per_kw=2.0, period=Period.YEAR, target_kw=target)
    days = [account(date(2026, 5, n + 1), peak("annual", "2026", a, b)) for n, (a, b) in enumerate(kw)]
    (one,) = peak_savings(days, tariff(rate), date(2026, 6, 1), ZONE)
    (other,) = peak_savings(list(reversed(days)), tariff(rate), date(2026, 6, 1), ZONE)
    assert one == other
    assert one.money == pytest.approx(2.0 * (max(target, *(a for a, _ in kw)) - max(target, *(b for _, b in kw))))

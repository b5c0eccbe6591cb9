"""How numbers and times are written."""

from datetime import UTC, datetime

import pytest

from dashboard import format as f

ZONE = "Europe/Berlin"
NOW = datetime(2026, 5, 19, 12, 7, tzinfo=UTC)  # 14:07 in the plant


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "text"),
    [
        (1142.4, 0, False, "1,142"),
        (-1080, 0, False, "−1,080"),
        (-0.3, 0, False, "0"),  # no minus before nothing
        (12.4, 2, False, "12.40"),
        (85, 0, True, "+85"),
        (0, 0, True, "0"),
        (None, 0, False, "–"),
        (float("nan"), 1, False, "–"),
    ],
)
def test_numbers(value: float | None, decimals: int, sign: bool, text: str) -> None:
    assert f.number(value, decimals, sign=sign) == text


def test_a_unit_stays_on_the_line_and_unknown_has_none() -> None:
    assert f.quantity(1142, "kW") == "1,142\u00a0kW"
    assert f.quantity(None, "kW") == "–"


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [(8.4, "t", "8.4 t"), (640, "pcs", "640 pcs"), (1900.0, "pcs", "1,900 pcs"), (9.0, "t", "9 t")],
)
def test_goods(quantity: float, unit: str, text: str) -> None:
    assert f.sensible(quantity, unit).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (53, "53 min"),
        (130, "2 h 10 min"),
        (120, "2 h"),
        (915, "15 h 15 min"),
        (1440, "1 d"),
        (4560, "3 d 4 h"),
        (None, "–"),
    ],
)
def test_durations(minutes: float | None, text: str) -> None:
    assert f.duration(minutes).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 5, 19, 13, 0, tzinfo=UTC), "15:00"),
        (datetime(2026, 5, 20, 4, 0, tzinfo=UTC), "Wed 06:00"),
        (datetime(2026, 5, 18, 22, 30, tzinfo=UTC), "00:30"),  # today in the plant, though yesterday in UTC
        (datetime(2026, 2, 12, 6, 45, tzinfo=UTC), "Thu 12 Feb 07:45"),  # winter time
    ],
)
def test_moments_are_local(at: datetime, text: str) -> None:
    assert f.moment(at, ZONE, NOW).replace("\u00a0", " ") == text


@pytest.mark.parametrize(("seconds", "text"), [(4, "4 s"), (1500, "25 min"), (57_420, "15 h 57 min"), (None, "–")])
def test_ages(seconds: float | None, text: str) -> None:
    assert f.age(seconds).replace("\u00a0", " ") == text


def test_until() -> None:
    assert f.until(datetime(2026, 5, 19, 13, 0, tzinfo=UTC), NOW).replace("\u00a0", " ") == "in 53 min"
    assert f.until(datetime(2026, 5, 19, 12, 0, tzinfo=UTC), NOW) == "passed"


@pytest.mark.parametrize(("n", "text"), [(0, "No offers"), (1, "One offer"), (2, "Two offers"), (14, "14 offers")])
def test_counts(n: int, text: str) -> None:
    assert f.count(n, "offer", capital=True) == text


def test_words_for_html_are_escaped() -> None:
    assert f.text("**5 < 7** & `run`") == "<b>5 &lt; 7</b> &amp; <code>run</code>"

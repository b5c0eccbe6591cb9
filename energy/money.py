"""Rounding of money: only in the ledger and on the screen, half away from zero as bills do it."""

from decimal import ROUND_HALF_UP, Decimal


def to_cents(amount: float) -> int:
    """An amount as whole hundredths of its currency, rounded half away from zero."""
    return int((Decimal(repr(amount)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def rounded(amount: float) -> float:
    """An amount rounded to two decimals, half away from zero."""
    return to_cents(amount) / 100.0

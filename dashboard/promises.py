"""What was promised on forecast prices, and the same moves at the prices that came: a small table, and its sums."""

from collections.abc import Sequence

from dashboard import format as f
from dashboard import parts
from energy.reports.pages import Promise, PromiseSum


def promise_table(promises: Sequence[Promise], currency: str) -> None:
    """One row an offer, those whose prices are not published yet with a dash, and the sum of the others."""
    figures = ("By the forecast alone", "Estimated", "P10 to P90", "At published prices", "Verified")
    columns = ("Offer", *(f"{name}, {currency}" for name in figures))
    rows = [row(promise) for promise in promises]
    total = PromiseSum.of(promises)
    summed = total.offers > 1
    if summed:
        rows.append(
            (
                f"{total.offers} with published prices",
                f.number(total.before),
                f.number(total.estimated),
                f"{total.inside} of {total.banded} inside" if total.banded else "",
                f.number(total.came),
                "",
            )
        )
    parts.table(columns, rows, right=range(1, 6), sums=summed)


def row(promise: Promise) -> tuple[str, ...]:
    gain = promise.offer.gain
    banded = gain.low is not None and gain.high is not None
    outside = " (outside)" if promise.inside is False else ""
    return (
        f"{promise.offer.headline} ({promise.offer.state.value})",
        f.number(gain.uncorrected),
        f.number(gain.money),
        f"{f.number(gain.low)} to {f.number(gain.high)}" if banded else f.UNKNOWN,
        f"{f.number(promise.came)}{outside}",
        f.number(promise.verified),
    )

"""How a plan comes about, for the eyes: a bar of the time with cost, bound and gap; plain lines where nobody watches."""

import time
from collections.abc import Callable
from typing import TextIO

from optimizer.answer import gap_of

BAR = 24  # characters
LEAST_SECONDS = 0.5  # between two plain lines


class Progress:
    """Called with the cost and the bound of each better plan, as an optimizer's `progress`."""

    def __init__(
        self, seconds: float, currency: str, stream: TextIO, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds, self.currency, self.stream, self.clock = seconds, currency, stream, clock
        self.is_bar = stream.isatty()
        self._began = clock()
        self._said_at = -LEAST_SECONDS
        self._said, self._last = "", ""

    def __call__(self, cost: float, bound: float | None) -> None:
        """Show where things stand."""
        gap = gap_of(cost, bound)
        after = self.clock() - self._began
        self._last = f"{cost:,.2f} {self.currency}"
        if bound is not None and gap is not None:
            self._last += f", at least {bound:,.2f}, gap {100 * gap:.2f} %"
        if self.is_bar:
            self._show(f"\r{self._bar(after)} {after:4.0f} s  {self._last}".ljust(110))
        elif after - self._said_at >= LEAST_SECONDS:
            self._line(after)

    def done(self) -> None:
        """End the bar, or say the last that was not yet said."""
        if self.is_bar:
            self._show("\n" if self._last else "")
        elif self._last:
            self._line(self.clock() - self._began)

    def _line(self, after: float) -> None:
        if self._last != self._said:
            self._said, self._said_at = self._last, after
            self._show(f"  {after:6.1f} s  {self._last}\n")

    def _bar(self, after: float) -> str:
        full = min(BAR, int(BAR * after / self.seconds))
        return f"[{'#' * full}{'.' * (BAR - full)}]"

    def _show(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()

"""What was found about a plant and its weather file, in words: clocks that disagree, output that was no example."""

from energy.forecasters.sun.clock import Drift


def clock_words(name: str, drift: Drift, step_minutes: int) -> tuple[str, ...]:
    """radiation runs 60 min late: shifted"""
    minutes = drift.minutes(step_minutes)
    if not minutes:
        return ()
    hours = " (whole hours: a wrong zone?)" if abs(minutes) >= 60 and abs(minutes) % 60 <= 5 else ""
    return (f"{name} runs {abs(minutes)} min {'early' if minutes > 0 else 'late'}{hours}: shifted",)


def example_words(out: int, throttled: int, step_minutes: int) -> tuple[str, ...]:
    """Hours of output that were left out of what is learned."""
    told = ((out, "of output missing by day"), (throttled, "at a limit"))
    return tuple(f"{count * step_minutes / 60:.0f} h {what}: not learned" for count, what in told if count)

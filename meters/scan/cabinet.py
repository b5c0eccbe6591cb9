"""Mistakes that no setting mends: a current transformer that is turned round, or that sits on another phase's wire."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import acos, cos, degrees, radians

from meters.scan.counting import Poll
from meters.scan.physics import PHASES, Values, apparent_kva, near, phase_factors
from meters.scan.reading import How
from meters.scan.variants import Variant

TURN = radians(120)
SPREAD = 0.12  # by which the power factors of rightly wired phases may differ to be taken for alike
MOST_ANGLE = radians(60)  # no plant as a whole is worse than a power factor of a half


def at_the_wires(how: How, polls: Sequence[Poll]) -> list[Variant]:
    """What would be right if a hand at the cabinet changed it."""
    shares = phase_factors(polls[-1].values)
    if len(shares) < 3:
        return []
    return [*_turned(how, shares), *_reseated(how, shares)]


def _turned(how: How, shares: Mapping[int, float]) -> Iterator[Variant]:
    against = [phase for phase in PHASES if shares[phase] < 0]
    for phase in PHASES:
        if against in ([phase], [other for other in PHASES if other != phase]):
            yield Variant(
                said=f"the current transformer of L{phase} is turned round: change its two wires (S1 and S2) at the meter. "
                "Until then total and counters lack twice what flows there",
                how=replace(how, cabinet=_turn(phase)),
                usual=0.6 if len(against) == 1 else 0.3,
            )


def _turn(phase: int) -> Callable[[dict[str, float]], dict[str, float]]:
    return lambda said: _with_powers(said, {p: (-1 if p == phase else 1) * said[f"power_l{p}"] for p in PHASES})


def _reseated(how: How, shares: Mapping[int, float]) -> Iterator[Variant]:
    """Two transformers that have changed places see their currents a third of a turn early and late."""
    for stays in PHASES:
        one, two = (phase for phase in PHASES if phase != stays)
        angle = acos(min(max(shares[stays], -1.0), 1.0))
        if angle > MOST_ANGLE:
            continue
        for lag in (angle, -angle):
            if abs(cos(lag + TURN) - shares[one]) < SPREAD and abs(cos(lag - TURN) - shares[two]) < SPREAD:
                yield Variant(
                    said=f"the current transformers of L{one} and L{two} have changed places (or the voltages have): "
                    f"the currents lie 120° beside the voltages, by {degrees(angle):.0f}° on L{stays}",
                    how=replace(how, cabinet=_seat(shares[stays])),
                    usual=0.62,
                )
                break


def _seat(factor: float) -> Callable[[dict[str, float]], dict[str, float]]:
    def right(said: dict[str, float]) -> dict[str, float]:
        return _with_powers(said, {phase: factor * kva for phase, kva in apparent_kva(said).items()})

    return right


def _with_powers(said: Values, powers: Mapping[int, float]) -> dict[str, float]:
    """What the meter would say: what hangs on the power of the phases is made anew, what cannot be known is left out."""
    unknown = {"reactive_power", "apparent_power", "power_factor", "total_import", "total_export"}
    unknown |= {f"power_factor_l{phase}" for phase in PHASES}
    kept = {name: value for name, value in said.items() if name not in unknown}
    return kept | {f"power_l{phase}": kw for phase, kw in powers.items()} | {"power": sum(powers.values())}


def unbalanced(said: Values) -> bool:
    """Whether the phases differ in what they draw; only then a change of places shows."""
    shares = list(phase_factors(said).values())
    return len(shares) == 3 and not all(near(share, shares[0], 0.2) for share in shares)

"""The likely fix: of all usual mistakes the ones without which every law would hold, the likeliest first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from energy.model.commissioning import Check, Fix
from meters.scan.cabinet import at_the_wires
from meters.scan.counting import Poll
from meters.scan.physics import Expected, evidence, judge, score
from meters.scan.reading import How, Taken
from meters.scan.variants import Variant, elsewhere, variants

MOST_FIXES = 5
SECOND_LOOKS = 4  # so many first changes are tried together with a second one


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One way to read what was taken, and what the laws say of it."""

    how: How
    polls: Sequence[Poll]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.ok is False)

    @property
    def score(self) -> float | None:
        return score(self.checks)


def judged(how: How, taken: Sequence[Taken], expected: Expected) -> Judged:
    """The checks of registers that were taken, read in one way."""
    polls = how.polls(taken)
    grain = how.grain(polls[-1].values) if polls else {}
    return Judged(how=how, polls=polls, checks=judge(polls, replace(expected, grain=grain)))


def fixes(base: Judged, taken: Sequence[Taken], expected: Expected) -> tuple[Fix, ...]:
    """Changes under which what failed would hold; none where nothing failed. Where no single change does, two."""
    if not base.failed and base.checks:
        return ()
    singles = _tried(base, taken, expected)
    whole = [(variant, made) for variant, made in singles if not made.failed]
    if not whole:
        whole = _pairs(base, singles, taken, expected)
    partial = [(v, m) for v, m in singles if m.failed and evidence(m.checks) > evidence(base.checks) + 1.5]
    ranked = sorted(whole, key=lambda one: _rank(one, base)) or sorted(
        partial, key=lambda one: -evidence(one[1].checks)
    )
    told: dict[str, Fix] = {}
    for variant, made in ranked:
        told.setdefault(variant.said, Fix(said=variant.said, settings=variant.settings, score=made.score or 0.0))
    return tuple(told.values())[:MOST_FIXES]


def mended(base: Judged, taken: Sequence[Taken], expected: Expected) -> list[float]:
    """The evidence for each single change that could be made in a config."""
    return [evidence(made.checks) for variant, made in _tried(base, taken, expected) if variant.settings]


def _tried(base: Judged, taken: Sequence[Taken], expected: Expected) -> list[tuple[Variant, Judged]]:
    """Each single change that makes more hold than before."""
    known = [variant for variant in elsewhere(base.how) if _has(variant, taken)]
    all_of_them = [*variants(base.how, base.polls, expected), *at_the_wires(base.how, base.polls), *known]
    tried = [(variant, judged(variant.how, taken, expected)) for variant in all_of_them]
    return [(variant, made) for variant, made in tried if _better(base, made)]


def _has(variant: Variant, taken: Sequence[Taken]) -> bool:
    """Whether the registers that it needs were taken."""
    return bool(variant.how.values(taken[-1].words))


def _better(base: Judged, made: Judged) -> bool:
    """Something that failed holds now (or is gone with what cannot be known), and little that held fails."""
    if made.score is None:
        return False
    if made.how.cabinet is not None:  # most of what the meter says is unknown until the wires are changed
        return not made.failed
    return evidence(made.checks) > evidence(base.checks) + 0.5 and len(made.failed) < max(len(base.failed), 1)


def _rank(one: tuple[Variant, Judged], base: Judged) -> tuple[float, float]:
    """More laws that hold first (half a check is chance), then what is more usual. At the cabinet most cannot be known
    until the wires are changed: what failed is taken for mended."""
    variant, made = one
    holds = evidence(made.checks)
    if made.how.cabinet is not None:
        holds = evidence(base.checks) + 3 * sum(check.weight for check in base.failed)
    return (-round(holds), -variant.usual)


def _pairs(
    base: Judged, singles: Sequence[tuple[Variant, Judged]], taken: Sequence[Taken], expected: Expected
) -> list[tuple[Variant, Judged]]:
    first = sorted(singles, key=lambda one: (len(one[1].failed), _rank(one, base)))[:SECOND_LOOKS]
    found = []
    for variant, made in first:
        for second, both in _tried(made, taken, expected):
            if not both.failed and not (variant.asks and second.asks):
                settings = _merged(variant.settings, second.settings)
                said = f"{variant.said}; and {second.said}"
                found.append((replace(second, said=said, settings=settings, usual=variant.usual * second.usual), both))
    return found


def _merged(one: tuple[tuple[str, object], ...], two: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """The lines of two changes; the second knows the registers as the first left them."""
    lines = dict(one)
    for key, value in two:
        before = lines.get(key)
        lines[key] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return tuple(lines.items())

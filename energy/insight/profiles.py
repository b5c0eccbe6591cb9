"""Learned power profiles: what a product draws on a machine over its run, from the runs that its meter saw.

Each run is a row of equal parts. Of what has run lately the middle and the spread of each part are taken; a run too far
from all others (a jam, a wrong booking) is left out, and after a drift only what came since counts. Where each order has a
typed-in power of its own, and the runs follow it closer than they follow the product, the profile is told as a multiple.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.model.insight import Basis, LearnedProfile, RunSample

Row = NDArray[np.float64]

LEAST_RUNS = 5
NEWEST = 40  # runs; what is older says how it was
MONTHS_OLD = timedelta(days=182)
FAR = 4.0  # robust standard deviations of the energy of a run about the middle
LEAST_SPREAD = 0.01
TYPED_BETTER = 0.8  # multiples of the typed-in power are told where they scatter less than this share of the powers
RENEW = 1.0  # a profile is renewed where it differs from the kept one by more than so many of its spreads …
RENEW_LEAST = 0.02  # … and by more than this
RENEW_RUNS = 2.0  # or where it rests on so many times the runs


def learned_profiles(
    machine: str, samples: Sequence[RunSample], *, now: datetime, since: datetime | None = None
) -> list[LearnedProfile]:
    """The profile of each product and mode that ran often enough. `since`: a drift began then; older runs do not count."""
    grouped: dict[tuple[str, str], list[RunSample]] = {}
    for sample in samples:
        if sample.end > now - MONTHS_OLD and (since is None or sample.start >= since):
            grouped.setdefault((sample.product, sample.mode), []).append(sample)
    found = []
    for (product, mode), own in sorted(grouped.items()):
        made = profile_of(
            machine, product, mode, sorted(own, key=lambda s: s.end)[-NEWEST:], drifting=since is not None
        )
        if made is not None:
            found.append(made)
    return found


def profile_of(
    machine: str, product: str, mode: str, runs: Sequence[RunSample], *, drifting: bool = False
) -> LearnedProfile | None:
    """The profile of some runs of one product; None below LEAST_RUNS good ones."""
    if len(runs) < LEAST_RUNS:
        return None
    basis = basis_of(runs)
    rows = np.array([run.power_kw for run in runs])
    if basis is Basis.TYPED:
        rows = rows / np.array([typed_mean(run) for run in runs])[:, None]
    level = np.log(rows.mean(axis=1))
    kept = near(level)
    if kept.sum() < LEAST_RUNS:
        return None
    good = [run for run, keep in zip(runs, kept, strict=True) if keep]
    low, middle, high = np.quantile(rows[kept], [0.1, 0.5, 0.9], axis=0)
    return LearnedProfile(
        machine=machine,
        product=product,
        mode=mode,
        basis=basis,
        p10=rounded(low),
        p50=rounded(middle * (np.median(rows[kept].mean(axis=1)) / middle.mean())),
        p90=rounded(high),
        runs=len(good),
        left_out=len(runs) - len(good),
        first=day_of(good[0]),
        last=day_of(good[-1]),
        minutes=round(float(np.median([run.minutes for run in good])), 1),
        spread=round(spread_of(level[kept]), 4),
        typed_kw=good[-1].typed_kw,
        drifting=drifting,
    )


def typed_mean(run: RunSample) -> float:
    return sum(run.typed_kw) / len(run.typed_kw) if run.typed_kw else float("nan")


def basis_of(runs: Sequence[RunSample]) -> Basis:
    """What the runs follow closer: their product alone, or what was typed in for each."""
    typed = np.array([typed_mean(run) for run in runs])
    mean = np.array([np.mean(run.power_kw) for run in runs])
    if not (typed > 0).all() or typed.max() <= 1.005 * typed.min():
        return Basis.POWER
    return Basis.TYPED if spread_of(np.log(mean / typed)) < TYPED_BETTER * spread_of(np.log(mean)) else Basis.POWER


def near(level: Row) -> NDArray[np.bool_]:
    """Which runs are no further from the middle than FAR robust standard deviations."""
    return np.asarray(np.abs(level - np.median(level)) <= FAR * max(spread_of(level), LEAST_SPREAD))


def spread_of(level: Row) -> float:
    """The robust standard deviation of logarithms: a share."""
    return float(1.4826 * np.median(np.abs(level - np.median(level))))


def renewed(old: LearnedProfile | None, new: LearnedProfile) -> LearnedProfile:
    """The profile in force: the kept one, unless the new one differs from it beyond its spread or rests on much more. So
    a plan does not change with every run."""
    if old is None or old.basis is not new.basis or len(old.p50) != len(new.p50):
        return new
    moved = float(np.max(np.abs(np.array(new.p50) - np.array(old.p50))) / np.mean(old.p50))
    level = abs(float(np.log(np.mean(new.p50) / np.mean(old.p50))))
    beyond = max(RENEW * new.spread, RENEW_LEAST)
    more = new.runs >= RENEW_RUNS * old.runs and old.runs < NEWEST // 2
    return new if level > beyond or moved > 3.0 * beyond or more else old


def rounded(values: Row) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in values)


def day_of(run: RunSample) -> date:
    return run.end.date()

"""Jobs with the power that meters taught in place of the typed-in one, where the plant wants that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from energy.model.insight import Basis, LearnedProfile
from energy.model.job import Job, Mode
from energy.model.site import LearnedProfiles, Site

Profiles = Mapping[tuple[str, str, str], LearnedProfile]
"""By machine, product and mode."""

AT_MOST = 2.0  # a learned power further than this factor from the typed-in one is another job, or another meter


def with_learned_power(jobs: Sequence[Job], profiles: Profiles, site: Site) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """The jobs, with the learned power in each way on a machine that uses learned profiles, and what to say of it.

    Only the power is learned: how long a job takes, and what it costs to be late, is production's word."""
    use = {m.id for m in site.machines if m.learned_profiles is LearnedProfiles.USED}
    if not use or not profiles:
        return tuple(jobs), ()
    made: list[Job] = []
    taken: list[LearnedProfile] = []
    refused: set[str] = set()
    for job in jobs:
        ways = []
        for way in job.modes:
            profile = profiles.get((way.machine, job.product, way.name)) if way.machine in use else None
            power = None if profile is None else learned_power(profile, way)
            if profile is not None and power is None:
                refused.add(f"{job.product} on {way.machine}")
            elif profile is not None and power is not None:
                taken.append(profile)
                way = replace(way, power_kw=power)  # noqa: PLW2901
            ways.append(way)
        made.append(replace(job, modes=tuple(ways)))
    return tuple(made), (*said(taken), *doubted(refused))


def learned_power(profile: LearnedProfile, way: Mode) -> tuple[float, ...] | None:
    """The learned power of a way, kW; None where it is too far from the typed-in one to be the same job."""
    typed = sum(way.power_kw) / len(way.power_kw)
    factor = typed if profile.basis is Basis.TYPED else 1.0
    power = tuple(round(max(0.0, factor * share), 2) for share in profile.p50)
    mean = sum(power) / len(power)
    if typed > 0.0 and not 1.0 / AT_MOST <= mean / typed <= AT_MOST:
        return None
    return power


def said(taken: Sequence[LearnedProfile]) -> tuple[str, ...]:
    """Where the power of the plan is from."""
    if not taken:
        return ()
    different = {(p.machine, p.product, p.mode): p for p in taken}.values()
    runs = sorted(p.runs for p in different)
    rest = f"{runs[0]}" if runs[0] == runs[-1] else f"{runs[0]} to {runs[-1]}"
    many = f"{len(different)} learned power profiles are" if len(different) > 1 else "1 learned power profile is"
    return (f"{many} used in place of typed-in ones, each from {rest} metered runs",)


def doubted(refused: set[str]) -> tuple[str, ...]:
    if not refused:
        return ()
    return (
        f"the learned power of {', '.join(sorted(refused))} is more than {AT_MOST:g} times off the typed-in one and is "
        "not used: check meter, bookings and typed-in power",
    )

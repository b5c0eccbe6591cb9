"""Counters against power: what a counter gained while it was watched must be what the power made in that time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from energy.model.commissioning import Check

NAMES = {"total_import": "import", "total_export": "export"}
STEPS = 5.0  # a gain of fewer steps of the register says nothing of a slope
FROZEN_STEPS = 3.0  # that many steps should have come, and none did
REL = 0.12  # power between two polls is not known
LEAST_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """All quantities that a meter said at one moment, in inside units."""

    at: datetime
    values: Mapping[str, float]


def counter_checks(polls: Sequence[Poll], grain: Mapping[str, float]) -> list[Check]:
    """Whether the counters only count up, in the direction of the power, and as fast as it says."""
    told = [name for name in NAMES if name in polls[-1].values]
    if not told:
        return []
    return [*_monotone(polls, told), _slope(polls, told, grain)]


def _monotone(polls: Sequence[Poll], told: Sequence[str]) -> list[Check]:
    if len(polls) < 2:
        return []
    for name in told:
        stands = [poll.values[name] for poll in polls if name in poll.values]
        for before, after in pairwise(stands):
            if after < before:
                said = f"{NAMES[name]} went down from {before:.3f} to {after:.3f} kWh"
                return [Check(name="counters only count up", ok=False, said=said)]
    return [Check(name="counters only count up", ok=True, said=f"over {len(polls)} polls", weight=0.25)]


def watched(polls: Sequence[Poll]) -> float:
    """Seconds between the first and the last poll."""
    return (polls[-1].at - polls[0].at).total_seconds()


def flowed_kwh(polls: Sequence[Poll]) -> tuple[float, float, float]:
    """(towards the plant, out of it, the most by which this may be wrong) by the power that was said, in kWh."""
    into = out = doubt = 0.0
    for one, two in pairwise(polls):
        if "power" not in one.values or "power" not in two.values:
            continue
        hours = (two.at - one.at).total_seconds() / 3600
        mean = (one.values["power"] + two.values["power"]) / 2
        into += max(mean, 0.0) * hours
        out += max(-mean, 0.0) * hours
        doubt += abs(one.values["power"] - two.values["power"]) / 2 * hours
    return into, out, doubt


def _slope(polls: Sequence[Poll], told: Sequence[str], grain: Mapping[str, float]) -> Check:
    name = "counter follows power"
    seconds = watched(polls)
    if seconds < LEAST_SECONDS or "power" not in polls[-1].values:
        return Check(name=name, ok=None, said="not watched yet: this needs some seconds")
    into, out, doubt = flowed_kwh(polls)
    if into and out:
        return Check(name=name, ok=None, said="power changed its direction while it was watched")
    expected, runs = (into, "total_import") if into >= out else (out, "total_export")
    other = "total_export" if runs == "total_import" else "total_import"
    gains = {
        counter: polls[-1].values[counter] - polls[0].values[counter] for counter in told if counter in polls[0].values
    }
    step = max((grain.get(counter, 0.0) for counter in gains), default=0.0)
    gained = gains.get(runs)
    moved = {counter: gain for counter, gain in gains.items() if gain > 0}
    if gains.get(other, 0.0) > max(2 * step, 0.2 * expected) and not (gained or 0.0) > 0:
        said = f"power is {'import' if runs == 'total_import' else 'export'}, but the {NAMES[other]} counter runs"
        return Check(name=name, ok=False, said=said, weight=2.0)
    if gained is None:
        return Check(name=name, ok=None, said=f"the meter has no {NAMES[runs]} counter")
    if expected < FROZEN_STEPS * step and gained <= expected + 2 * step:
        return Check(name=name, ok=None, said=coarse(expected, step, seconds))
    if expected == 0 and not moved:
        return Check(name=name, ok=None, said="nothing flowed while it was watched")
    made = f"{expected:.4f}" if expected < 1e5 else f"{expected:.1e}"
    said = f"{NAMES[runs]} gained {gained:.4f} kWh in {seconds:.0f} s, power makes {made} kWh"
    if abs(gained - expected) <= REL * max(expected, gained) + 1.5 * step + doubt:
        if expected < STEPS * step and gained < STEPS * step:
            return Check(name=name, ok=None, said=coarse(expected, step, seconds))
        return Check(name=name, ok=True, said=said, weight=2.0)
    return Check(name=name, ok=False, said=said, weight=2.0)


def coarse(expected: float, step: float, seconds: float) -> str:
    """Why the slope is open, and how long it would take to know."""
    if expected <= 0:
        return "nothing flowed while it was watched"
    need = STEPS * step / expected * seconds
    wait = f"{need:.0f} s" if need < 120 else f"{need / 60:.0f} min" if need < 7200 else "hours"
    return f"could not be checked: the counter steps by {step:.3g} kWh; watch for {wait} at this power"

"""What a problem must not say of what people cost: premiums for other slots than there are, or below nothing."""

from energy.model.problem import Problem
from energy.planning.sound_words import Say, at_least_zero, length


def mistakes(problem: Problem, say: Say) -> None:
    """Every mistake in the premiums of the rosters."""
    for i, roster in enumerate(problem.rosters):
        if roster.premium_per_hour:
            length(roster.premium_per_hour, problem.slots, f"rosters[{i}].premium_per_hour", say)
        for k, premium in enumerate(roster.premium_per_hour):
            at_least_zero(premium, f"rosters[{i}].premium_per_hour[{k}]", say)

"""What each target is forecast with: one recipe for all series of a kind, fixed beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass

from energy.model.forecast import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which members a target has, what they weigh before anything was seen of them, and how far one looks back. Members
    are asked in this order for as long as there is time: what gives most for its time stands first."""

    members: Mapping[str, float]  # prior weight by name; they add up to 1
    most_days: int = 1461  # of history that are laid out
    own_errors: int = 60  # days of issued forecasts that weights and bands learn from
    step_minutes: int = 15  # the finest step at which it is made; a finer horizon repeats its values


RECIPES: Mapping[Target, Recipe] = {
    Target.BASE_LOAD: Recipe(members={"analog": 0.62, "similar": 0.03, "boosted": 0.35}, most_days=731),
    Target.PRICE: Recipe(
        members={"kernel": 0.15, "lasso": 0.33, "wide": 0.2, "trees": 0.22, "hourly_prices": 0.1}, step_minutes=60
    ),
    Target.PV: Recipe(members={"sun": 0.9, "wind": 0.07, "similar": 0.03}),
    Target.CARBON: Recipe(members={"mix": 0.7, "similar": 0.02, "mix trees": 0.28}, step_minutes=60),
}

"""Battery and curtailment under jobs that stand: a linear program, or the plant's own rule."""

from collections.abc import Sequence

from optimizer.plant import Plant, Start
from optimizer.reckoning import Dispatch, Reckoning, at_rest, steered


def best_dispatch(plant: Plant, chosen: Sequence[Start], *, seconds: float = 10.0) -> Dispatch:
    """What is best for battery and curtailment with every job where `chosen` has it."""
    if not steered(plant):
        return Reckoning(plant).dispatch_of(chosen)
    from optimizer.solve import solve  # PuLP and HiGHS are loaded only where there is something to steer

    solved = solve(Standing(plant, chosen), seconds=seconds, gap=0.0)
    return solved.dispatch or at_rest(plant)


class Standing(Plant):
    """A plant in which every job keeps a chosen start."""

    def __init__(self, plant: Plant, chosen: Sequence[Start]) -> None:
        vars(self).update(vars(plant))
        self.starts = tuple((start,) for start in chosen)

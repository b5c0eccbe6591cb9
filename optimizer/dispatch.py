"""Battery and curtailment under jobs that stand: a linear program, or the plant's own rule."""

import numpy as np

from optimizer.one_machine.posed import one_machine
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch, Reckoning, at_rest, steered
from optimizer.starts import LEFT_OUT, Chosen


def best_dispatch(plant: Plant, chosen: Chosen, *, seconds: float = 10.0) -> Dispatch:
    """What is best for everything that is open with every job where `chosen` has it."""
    if not steered(plant):
        return Reckoning(plant).dispatch_of(chosen)
    alone = one_machine(plant)
    if alone is not None:
        return alone.standing(chosen) or at_rest(plant)
    from optimizer.solve import solve  # PuLP and HiGHS are loaded only where there is something to steer

    solved = solve(Standing(plant, chosen), seconds=seconds, gap=0.0)
    return solved.dispatch or at_rest(plant)


class Standing(Plant):
    """A plant in which every job keeps a chosen start."""

    def __init__(self, plant: Plant, chosen: Chosen) -> None:
        given = plant.given  # still the given places, not the chosen ones
        vars(self).update(vars(plant))
        self.given = given
        self.optional = np.zeros(len(plant.starts), dtype=np.bool_)
        self.starts = tuple(
            starts.pick([] if number == LEFT_OUT else [number])
            for starts, number in zip(plant.starts, chosen.tolist(), strict=True)
        )

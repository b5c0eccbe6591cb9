"""How often a quiet machine gives a signal of some strength: the table that turns strength into confidence."""

import numpy as np

# (strength, share of quiet machine-quarters whose strongest signal, up or down, stays below it), from
# `python -m benchmarks.metering.drift --tune`: 200 quarters, and no more is claimed than they and the 200 reported ones show.
BELOW = ((0.0, 0.0), (2.3, 0.5), (3.07, 0.8), (3.49, 0.9), (3.71, 0.95), (4.2, 0.99), (4.57, 0.995), (5.06, 0.9975))


def confidence(strength: float) -> float:
    """The share of simulated machine-quarters without drift that never gave a signal as strong as this."""
    levels, shares = zip(*BELOW, strict=True)
    return round(float(np.interp(strength, levels, shares)), 4)

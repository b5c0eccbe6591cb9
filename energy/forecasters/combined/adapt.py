"""How much wider a band is told than its errors say, because the bands that were issued held too little (or too much).

Errors in a book are those of models that were weighed and shifted with these errors in sight, and no series stays as it
was: what was issued holds less than it should, at some hours more than at others. So the share of what came within the
issued P10 … P90 is fed back, each hour with its neighbours; a band that is adapted is issued and judged in its turn.
"""

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.told import Told, near_in_day

Floats = NDArray[np.float64]

WITHIN = 0.8  # of what comes is to lie from P10 to P90
HALF_LIFE = 60.0  # days
NEAR_HOURS = 1.0
PRIOR_DAYS = 20.0  # of bands that held what they should
STRENGTH = 0.7  # of the correction that would bring the share back at once
SHARE_PER_LOG = 0.45  # a normal band e times as wide holds so much more: 2 · 1.28 · φ(1.28)
MOST_LOG = 0.3


def wider(told: Told) -> Floats:
    """(slots): the factor on the width at each time of day; 1 where no band was issued yet."""
    low, high = told.bands[:, :, 0]
    came = told.came[:, 0]
    judged = (high > low) & ~np.isnan(came)
    within = judged & (low <= came) & (came <= high)
    near = near_in_day(told.slots, told.slots_an_hour, NEAR_HOURS)
    counts = told.recency(HALF_LIFE)
    days, held = (counts @ judged) @ near.T, (counts @ within) @ near.T
    share = (held + PRIOR_DAYS * WITHIN) / (days + PRIOR_DAYS)
    factor: Floats = np.exp(np.clip(STRENGTH * (WITHIN - share) / SHARE_PER_LOG, -MOST_LOG, MOST_LOG))
    return factor

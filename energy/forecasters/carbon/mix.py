"""The intensity that a mix of sources has: production by source times what each emits, over all production.

Factors are direct emissions in g CO2e/kWh as the CarbonCast data set has them (Maji, Shenoy, Sitaraman, BuildSys 2022;
regressing its intensities on its productions gives them back to the gram). Another grid's factors differ mostly by a
scale, which is learned.
"""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRAMS = {
    "coal": 760.0, "lignite": 760.0, "peat": 760.0, "gas": 370.0, "oil": 406.0, "other": 575.0, "unknown": 575.0,
    "waste": 575.0, "biomass": 0.0, "geothermal": 0.0, "nuclear": 0.0, "hydro": 0.0, "wind": 0.0, "solar": 0.0,
}  # fmt: skip
SOURCE = re.compile("|".join(GRAMS))
PRODUCED = re.compile(r"prod|generat|output|_mwh?\b|^(" + "|".join(GRAMS) + r"|nat_gas|natural.gas)$")
WEATHER = re.compile(r"speed|temperature|dewpoint|dswrf|precipitation|irradia|radiation|gust|direction|price")


def sources(drivers: Mapping[str, Floats]) -> dict[str, str]:
    """The drivers that are production of a source, by name, and which source."""
    found = {}
    for name in drivers:
        words = name.lower()
        source = SOURCE.search(words)
        if source and PRODUCED.search(words) and not WEATHER.search(words):
            found[name] = source[0]
    return found


def intensity(drivers: Mapping[str, Floats]) -> Floats | None:
    """(rows, slots), g/kWh, of the production by source among drivers; None where that is not the whole mix: no source
    that emits, or none that does not."""
    of = sources(drivers)
    factors = [GRAMS[source] for source in of.values()]
    if not factors or max(factors) == 0 or min(factors) > 0:
        return None
    made = np.maximum(np.stack([drivers[name] for name in of]), 0.0)
    total = made.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        grams: Floats = np.where(total > 0, (np.array(factors)[:, None, None] * made).sum(axis=0) / total, np.nan)
    return grams


def shares(drivers: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each source's share of all production."""
    of = sources(drivers)
    if not of:
        return {}
    made = {name: np.maximum(drivers[name], 0.0) for name in of}
    total = sum(made.values(), np.zeros_like(next(iter(made.values()))))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: np.where(total > 0, values / total, np.nan) for name, values in made.items()}

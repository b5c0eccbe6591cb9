"""What meters can say: the quantities by their canonical names, and their units at the wire."""

from energy.units import ENERGY_TO_KWH, POWER_TO_KW

# kind of quantity → the units a register may have, each with its factor to the unit used inside (the one with 1.0)
UNITS: dict[str, dict[str, float]] = {
    "power": POWER_TO_KW,
    "energy": ENERGY_TO_KWH,
    "voltage": {"V": 1.0, "kV": 1e3},
    "current": {"A": 1.0, "mA": 1e-3},
    "frequency": {"Hz": 1.0, "mHz": 1e-3},
    "factor": {"": 1.0, "%": 0.01},
    "reactive": {"var": 1e-3, "kvar": 1.0},
    "apparent": {"VA": 1e-3, "kVA": 1.0},
    "share": {"%": 1.0, "": 100.0},
}


def _phases(name: str, kind: str) -> dict[str, str]:
    return {f"{name}_l{phase}": kind for phase in (1, 2, 3)}


KINDS: dict[str, str] = {
    "power": "power",
    "total_import": "energy",
    "total_export": "energy",
    **_phases("voltage", "voltage"),
    **_phases("current", "current"),
    **_phases("power", "power"),
    "reactive_power": "reactive",
    "apparent_power": "apparent",
    "power_factor": "factor",
    **_phases("power_factor", "factor"),
    "frequency": "frequency",
    "state_of_charge": "share",
}

MAIN = ("power", "total_import", "total_export")
THROUGH_CT = ("power", "energy", "current", "reactive", "apparent")  # kinds that a current transformer divides
SIGNED = ("power", "reactive")  # kinds that change sign when a meter is wired the other way round


def inside_unit(quantity: str) -> str:
    """The unit in which a quantity is kept."""
    return next(unit for unit, factor in UNITS[KINDS[quantity]].items() if factor == 1.0)

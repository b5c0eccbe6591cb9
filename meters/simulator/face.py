"""What the display of a simulated meter shows: from a stand to all quantities, plausible and without chance."""

from math import sqrt

from energy.twin.stand import Stand
from meters.modbus import Settings
from meters.modbus_reader import as_wired

NO_LOAD_VOLTS = 232.0
VOLTS_DROP_PER_KW = 0.004
POWER_FACTOR = 0.95
PHASE_SHARES = (0.34, 0.33, 0.33)  # no plant is quite balanced


def face(stand: Stand, settings: Settings) -> dict[str, float]:
    """All quantities in inside units, as the meter sees them through its current transformers."""
    kw = stand.power_kw
    volts = NO_LOAD_VOLTS - VOLTS_DROP_PER_KW * kw
    kva = abs(kw) / POWER_FACTOR
    flows = {
        "power": kw,
        "total_import": stand.import_kwh,
        "total_export": stand.export_kwh,
        "apparent_power": kva,
        "reactive_power": sqrt(kva**2 - kw**2),
        "power_factor": POWER_FACTOR,
        "frequency": 50.0,
        "state_of_charge": 50.0,
    }
    for phase, share in enumerate(PHASE_SHARES, 1):
        flows |= {
            f"voltage_l{phase}": volts,
            f"power_l{phase}": kw * share,
            f"current_l{phase}": kva * share * 1000 / volts,
            f"power_factor_l{phase}": POWER_FACTOR,
        }
    return as_wired(flows, 1 / settings.ct_ratio, settings.invert)

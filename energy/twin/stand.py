"""What a meter of the plant shows at one moment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stand:
    """The two counters of a meter and its power, import positive.

    Grid: import and export. PV: what was generated is export, its power negative. Battery: charged is import,
    discharged is export. Machines: import."""

    import_kwh: float
    export_kwh: float
    power_kw: float

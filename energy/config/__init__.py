"""config.yaml and the environment → typed settings; strict; all mistakes at once.

`text` reads the YAML and remembers lines, `sections` says what may stand in it, `kinds` asks each interchangeable kind
for its own options, `rules` are what sections must agree on, `assemble` makes the nouns, `settings` is the result.
"""

from energy.config.load import load_settings
from energy.config.settings import (
    DashboardSettings,
    KindSettings,
    MeterSettings,
    NetworkSettings,
    OptimizerSettings,
    SavingsSettings,
    ScheduleSettings,
    Settings,
    StoreSettings,
    TwinSettings,
)

__all__ = [
    "DashboardSettings",
    "KindSettings",
    "MeterSettings",
    "NetworkSettings",
    "OptimizerSettings",
    "SavingsSettings",
    "ScheduleSettings",
    "Settings",
    "StoreSettings",
    "TwinSettings",
    "load_settings",
]

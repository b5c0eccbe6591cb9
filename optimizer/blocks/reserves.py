"""Reserves: what the battery holds ready for a program."""

from optimizer.model import Model
from optimizer.site_rules import asked_of_battery


def add(model: Model) -> None:
    """In each slot of a reserve: stored before and after it ≥ min + Σ kWh asked;  discharge + Σ kW asked ≤ most.

    What lacks is priced like a broken mandatory limit: a kW for as long as it lacks, and a kWh for each hour.
    """
    battery = model.problem.battery
    if battery is None or not battery.reserves:
        return
    after_kwh, beside_kw = asked_of_battery(model.problem)
    loud = model.loud_per_kwh * model.hours
    for k in model.slots:
        if after_kwh[k] > 0.0:
            short_kwh = model.variable()
            least_kwh = battery.min_kwh + float(after_kwh[k])
            model.require(model.stored_kwh[k] + short_kwh >= least_kwh, f"energy in reserve after slot {k}")
            model.cost("reserve that lacks", loud * short_kwh)
        if beside_kw[k] > 0.0:
            short_kw = model.variable()
            most_kw = battery.discharge_kw - float(beside_kw[k])
            model.require(model.discharge_kw[k] - short_kw <= most_kw, f"power in reserve in slot {k}")
            model.cost("reserve that lacks", loud * short_kw)

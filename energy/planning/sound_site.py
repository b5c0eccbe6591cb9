"""What a problem may say of stores, reserves, tiers, demand windows, paid reductions and bands; all mistakes at once."""

from collections.abc import Sequence
from itertools import pairwise

from energy.model.plan import LineKind
from energy.model.problem import (
    Band,
    DemandWindow,
    Problem,
    ProblemBattery,
    Reduction,
    Scenario,
    SoberPrice,
    Store,
    Tier,
)
from energy.model.site import BatteryRule
from energy.planning.sound_words import Say, at_least_zero, finite, length, span, unique

ENERGY_LINES = ("energy at published prices", "energy at forecast prices")  # names that a tier may not take
FINEST = 1e-9


def mistakes(problem: Problem, say: Say) -> None:
    """The mistakes of this part of a problem."""
    for i, store in enumerate(problem.stores):
        _store(problem, store, f"stores[{i}]", say)
    unique([store.id for store in problem.stores], "stores", "id", say)
    for i, tier in enumerate(problem.tiers):
        _tier(tier, f"tiers[{i}]", say)
    unique([tier.name for tier in problem.tiers], "tiers", "name", say)
    for i, window in enumerate(problem.demand):
        _window(problem, window, f"demand[{i}]", say)
    if problem.battery is not None:
        _reserves(problem.battery, say)
    for i, reduction in enumerate(problem.reductions):
        _reduction(reduction, f"reductions[{i}]", say)
    unique([reduction.name for reduction in problem.reductions], "reductions", "name", say)
    for name in ("base_load_band", "pv_band", "import_price_band"):
        band: Band | None = getattr(problem, name)
        if band is not None:
            _ordered(band, name, say)
    for i, scenario in enumerate(problem.scenarios):
        _scenario(problem, scenario, f"scenarios[{i}]", say)
    for i, sober in enumerate(problem.sober_prices):
        _sober(problem, sober, f"sober_prices[{i}]", say)
    hours = [sober.up_to_hours for sober in problem.sober_prices]
    for i, (before, after) in enumerate(pairwise(hours), 1):
        if after <= before:
            say(
                f"sober_prices[{i}].up_to_hours",
                f"{after:g} is not more than {before:g}; they are told by rising hours",
            )
    at_least_zero(problem.carbon_limit_kg, "carbon_limit_kg", say)


def _store(problem: Problem, store: Store, at: str, say: Say) -> None:
    for name in ("start", "least", "most", "end", "level_per_kwh"):
        finite(getattr(store, name), f"{at}.{name}", say)
    for name in ("most_kw", "least_kw", "loss_per_hour"):
        at_least_zero(getattr(store, name), f"{at}.{name}", say)
    if store.least > store.most:
        say(f"{at}.least", f"{store.least:g} is more than most ({store.most:g}); no level lies between")
    if store.end > store.most:
        say(f"{at}.end", f"{store.end:g} is more than most ({store.most:g})")
    if store.level_per_kwh <= 0:
        say(f"{at}.level_per_kwh", f"{store.level_per_kwh:g} fills nothing; it must be above 0")
    if store.least_kw > store.most_kw:
        say(f"{at}.least_kw", f"{store.least_kw:g} is more than most_kw ({store.most_kw:g})")
    if store.loss_per_hour * problem.step_hours > 1:
        say(f"{at}.loss_per_hour", f"{store.loss_per_hour:g} loses more than there is within a slot")
    length(store.draw, problem.slots, f"{at}.draw", say)
    for k, value in enumerate(store.draw):
        finite(value, f"{at}.draw[{k}]", say)
    length(store.as_is_kw, problem.slots, f"{at}.as_is_kw", say)
    for k, kw in enumerate(store.as_is_kw):
        _own_power(store, kw, f"{at}.as_is_kw[{k}]", say)


def _own_power(store: Store, kw: float, at: str, say: Say) -> None:
    at_least_zero(kw, at, say)
    if kw > store.most_kw:
        say(at, f"{kw:g} is more than most_kw ({store.most_kw:g})")
    if 0 < kw < store.least_kw:
        say(at, f"{kw:g} lies between 0 and least_kw ({store.least_kw:g}); it draws nothing, or at least that")


def _tier(tier: Tier, at: str, say: Say) -> None:
    at_least_zero(tier.above_kwh, f"{at}.above_kwh", say)
    at_least_zero(tier.so_far_kwh, f"{at}.so_far_kwh", say)
    finite(tier.extra_per_kwh, f"{at}.extra_per_kwh", say)
    if tier.name in ENERGY_LINES:
        say(f"{at}.name", f"{tier.name!r} is the name of another line of the bill")


def _window(problem: Problem, window: DemandWindow, at: str, say: Say) -> None:
    at_least_zero(window.least_billed_kw, f"{at}.least_billed_kw", say)
    if window.ratchet is not None:
        at_least_zero(window.ratchet.highest_kw, f"{at}.ratchet.highest_kw", say)
        at_least_zero(window.ratchet.per_kw, f"{at}.ratchet.per_kw", say)
        if any(other.name == f"{window.name} ratchet" for other in problem.demand):
            say(f"{at}.ratchet", f"its line {LineKind.DEMAND} {window.name!r} ratchet has the name of another window")
    if window.guard is not None and finite(window.guard, f"{at}.guard", say):
        if not 0.5 <= window.guard < 1:
            say(f"{at}.guard", f"{window.guard:g} is no confidence to guard with; it lies from 0.5 to below 1")
        if problem.base_load_band is None and problem.pv_band is None:
            say(f"{at}.guard", "there is no base_load_band and no pv_band to guard against; give one, or no guard")


def _reserves(battery: ProblemBattery, say: Say) -> None:
    at = "battery.reserves"
    if battery.reserves and battery.rule is not BatteryRule.PLANNED:
        say(at, f"a battery with the rule {battery.rule} holds no reserve; let it be {BatteryRule.PLANNED}")
    for i, reserve in enumerate(battery.reserves):
        span(reserve.start, reserve.end, f"{at}[{i}]", say)
        at_least_zero(reserve.kwh, f"{at}[{i}].kwh", say)
        at_least_zero(reserve.kw, f"{at}[{i}].kw", say)
    unique([reserve.name for reserve in battery.reserves], at, "name", say)
    room_kwh = battery.capacity_kwh - battery.min_kwh
    for i, one in enumerate(battery.reserves):  # where most is asked for, one begins
        k = one.start
        if one.end <= k:
            continue
        held = [reserve for reserve in battery.reserves if reserve.start <= k < reserve.end]
        kwh, kw = sum(reserve.kwh for reserve in held), sum(reserve.kw for reserve in held)
        names = " and ".join(reserve.name for reserve in held)
        if kwh > room_kwh + FINEST:
            say(f"{at}[{i}].kwh", f"{names} ask for {kwh:g} kWh in slot {k}; above its least it holds {room_kwh:g}")
        if kw > battery.discharge_kw + FINEST:
            say(f"{at}[{i}].kw", f"{names} ask for {kw:g} kW in slot {k}; discharge_kw is {battery.discharge_kw:g}")


def _reduction(reduction: Reduction, at: str, say: Say) -> None:
    span(reduction.start, reduction.end, at, say)
    slots = reduction.end - reduction.start
    if len(reduction.baseline_kw) != slots:
        say(f"{at}.baseline_kw", f"has {len(reduction.baseline_kw)} values; the span has {slots} slots")
    for k, value in enumerate(reduction.baseline_kw):
        at_least_zero(value, f"{at}.baseline_kw[{k}]", say)
    at_least_zero(reduction.pay_per_kwh, f"{at}.pay_per_kwh", say)
    at_least_zero(reduction.most_kw, f"{at}.most_kw", say)


def _ordered(band: Band, at: str, say: Say) -> None:
    for k, (low, high) in enumerate(zip(band.p10, band.p90, strict=False)):
        if low > high:
            say(f"{at}.p10[{k}]", f"{low:g} is above p90 ({high:g})")


def _scenario(problem: Problem, scenario: Scenario, at: str, say: Say) -> None:
    if finite(scenario.weight, f"{at}.weight", say) and scenario.weight <= 0:
        say(f"{at}.weight", f"{scenario.weight:g} weighs nothing; it must be above 0")
    rows: tuple[tuple[str, Sequence[float]], ...] = (
        ("base_load_kw", scenario.base_load_kw),
        ("pv_kw", scenario.pv_kw),
        ("import_price", scenario.import_price),
    )
    for name, row in rows:
        if row:
            length(row, problem.slots, f"{at}.{name}", say)
        for k, value in enumerate(row):
            (at_least_zero if name == "pv_kw" else finite)(value, f"{at}.{name}[{k}]", say)


def _sober(problem: Problem, sober: SoberPrice, at: str, say: Say) -> None:
    at_least_zero(sober.up_to_hours, f"{at}.up_to_hours", say)
    if finite(sober.kept, f"{at}.kept", say) and not 0 <= sober.kept <= 1:
        say(f"{at}.kept", f"{sober.kept:g} is no share; it lies from 0 to 1")
    for name, row in (("import_price", sober.import_price), ("export_price", sober.export_price)):
        length(row, problem.slots, f"{at}.{name}", say)
        for k, value in enumerate(row):
            finite(value, f"{at}.{name}[{k}]", say)

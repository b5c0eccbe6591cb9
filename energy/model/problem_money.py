"""What a problem says of money and commitments: demand windows, tiers, limits, paid reductions, and how sure forecasts are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratchet:
    """What a new peak costs beyond its own period: each kW of it above `highest_kw` (and above where the peak of the
    window starts from) is carried into later periods, and costs `per_kw` there in all (its share and the periods that
    are left are worked out in it)."""

    highest_kw: float
    per_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandWindow:
    """One demand charge within one billing period: the highest import mean in `slots` (runs of `interval_slots` whole
    slots make one metered interval) is paid at `per_kw` above what is already reached, agreed or billed at least.

    `so_far_kw` is the real peak of the period so far, `as_is_so_far_kw` the same of the as-is chain; a plan's peak
    starts from max(so_far_kw, target_kw, least_billed_kw), as-is' from max(as_is_so_far_kw, target_kw,
    least_billed_kw).

    With `guard` (a confidence between 0.5 and 1) the peak is reckoned as it would be if base load and PV came worse than
    forecast: not exceeded in any one metered interval with that probability, by the bands of the problem. Each slot is
    reckoned with max(0, import − export + z(guard) · sigma of the net load); the errors of the slots of one interval are
    taken to come together, so that its margin is the mean of theirs (never too small, whatever hangs together)."""

    name: str
    per_kw: float
    slots: tuple[int, ...]
    interval_slots: int = 1
    so_far_kw: float = 0.0
    as_is_so_far_kw: float = 0.0
    target_kw: float = 0.0
    least_billed_kw: float = 0.0
    ratchet: Ratchet | None = None
    guard: float | None = None

    @property
    def floor_kw(self) -> float:
        return max(self.so_far_kw, self.target_kw, self.least_billed_kw)

    @property
    def as_is_floor_kw(self) -> float:
        return max(self.as_is_so_far_kw, self.target_kw, self.least_billed_kw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A part of the price of import by its amount: each kWh beyond `above_kwh` (of the period, of which `so_far_kwh` are
    taken already) costs `extra_per_kwh` more, or less where that is negative."""

    name: str
    above_kwh: float
    extra_per_kwh: float
    so_far_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Import at most `limit_kw` in slots [start, end): hard where `penalty_per_kwh` is None, else priced per kWh."""

    name: str
    start: int
    end: int
    limit_kw: float
    penalty_per_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """Money for importing less than a baseline in slots [start, end): `pay_per_kwh` for each kWh below `baseline_kw[i]`
    (the i-th slot of the span), counted slot by slot up to `most_kw`; above the baseline nothing is paid or owed."""

    name: str
    start: int
    end: int
    baseline_kw: tuple[float, ...]
    pay_per_kwh: float
    most_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """P10 and P90 of a row of values, beside its P50 elsewhere in the problem."""

    p10: tuple[float, ...]
    p90: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoberPrice:
    """What a kWh is reckoned at where a gain is told to people, for runs of up to `up_to_hours`. A published price is as
    it is; a forecast one is drawn back to the mean of its day, by what choosing the hours that look cheapest has cost
    before. `kept` is the least share of a forecast difference that is left of it."""

    up_to_hours: float
    kept: float
    import_price: tuple[float, ...]
    export_price: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One way the uncertain rows may come, whole days as they hang together. An empty row comes as forecast."""

    weight: float = 1.0
    base_load_kw: tuple[float, ...] = ()
    pv_kw: tuple[float, ...] = ()
    import_price: tuple[float, ...] = ()

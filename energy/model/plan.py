"""Plans and their price."""

from dataclasses import dataclass
from enum import StrEnum

from energy.model.problem import Placement

FORMAT = "loadstone-plan/1"


class LineKind(StrEnum):
    """What a bill line is about. Money lines add up to the bill; the others are prices of the plan alone."""

    ENERGY = "energy"
    EXPORT = "export"  # negative: money to the plant
    DEMAND = "demand"
    CARBON = "carbon"  # carbon price times carbon
    WEAR = "wear"
    STORED = "stored"  # stored energy that differs from as-is at the end, priced
    REDUCTION = "reduction"  # negative: money for importing less than a baseline
    LABOUR = "labour"  # premiums for the hours of those whom jobs need
    SETUP = "setup"  # setups between families
    START = "start"  # starts, stops and other changes of a machine's state, and restarts of interrupted runs
    LATE = "late"
    LEFT_OUT = "left out"  # the value of an optional job that is not done
    LIMIT = "limit"  # a priced limit that was broken
    MOVE = "move"  # a small price for each move; never on a bill

    @property
    def is_money(self) -> bool:
        """Whether the line is money that the plant pays (and not the price of lateness, of moving or of what is left
        out)."""
        return self in {
            LineKind.ENERGY,
            LineKind.EXPORT,
            LineKind.DEMAND,
            LineKind.WEAR,
            LineKind.STORED,
            LineKind.REDUCTION,
            LineKind.LABOUR,
            LineKind.SETUP,
            LineKind.START,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line: `quantity` in `unit` makes `amount` in the site's currency, unrounded."""

    kind: LineKind
    name: str
    quantity: float
    unit: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a plan or a metered day costs, line by line."""

    lines: tuple[BillLine, ...]
    carbon_kg: float
    peak_kw: float  # the highest import mean of any slot

    @property
    def money(self) -> float:
        """What is paid: energy − export + demand + wear + stored − reductions + labour + setups + starts."""
        return sum(line.amount for line in self.lines if line.kind.is_money)

    @property
    def total(self) -> float:
        """All lines: what the optimizer makes small."""
        return sum(line.amount for line in self.lines)

    def amount(self, *kinds: LineKind) -> float:
        return sum(line.amount for line in self.lines if line.kind in kinds)


class HowFound(StrEnum):
    OPTIMAL = "optimal"
    GAP = "gap"  # a proven gap remains when the time was up
    HEURISTIC = "heuristic"  # no bound
    NOTHING_TO_GAIN = "nothing to gain"
    AS_GIVEN = "as given"  # as-is or in force: not searched for


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a plan was found. `gap` is (cost − bound) / |cost|; None where nothing is proven."""

    found: HowFound
    seconds: float = 0.0
    gap: float | None = None
    bound: float | None = None
    solver: str = ""
    seed: int = 0
    note: str = ""

    def __str__(self) -> str:
        if self.found is HowFound.GAP and self.gap is not None:
            return f"gap {100 * self.gap:.1f} % after {self.seconds:.0f} s"
        return str(self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """A rule that had to give, by how much, and at what price."""

    rule: str
    by: str
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """In which state a machine stands in each slot; in a slot of a transition "off>on"."""

    machine: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRow:
    """What a store draws in each slot, kW."""

    store: str
    power_kw: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakRisk:
    """How likely the import of a plan breaks the peak that a demand window has reached or agreed (0 to 1)."""

    window: str
    above_kw: float
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a plan costs (all lines) if base load, PV and prices come as in so many scenarios, and how sure its peaks
    are. The jobs, and what is dispatched, stay as planned."""

    cost_p10: float
    cost_p50: float
    cost_p90: float
    peaks: tuple[PeakRisk, ...] = ()
    scenarios: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A place for each job (but for optional ones that are left out), and what the site does in each slot (kW, one value
    a slot). A machine with states has a row in `states`, a store one in `stores`."""

    format: str = FORMAT
    problem: str  # the digest of the problem it answers
    placements: tuple[Placement, ...]
    charge_kw: tuple[float, ...]
    discharge_kw: tuple[float, ...]
    import_kw: tuple[float, ...]
    export_kw: tuple[float, ...]
    curtailed_kw: tuple[float, ...]
    states: tuple[StateRow, ...] = ()
    stores: tuple[StoreRow, ...] = ()
    bill: Bill
    how: How
    gave_way: tuple[GaveWay, ...] = ()
    risk: Risk | None = None

    def placement(self, job: str) -> Placement:
        for placement in self.placements:
            if placement.job == job:
                return placement
        raise KeyError(f"no job {job!r} in the plan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a plan breaks: which one, who, from which slot on, in the plant's words. `size` in `unit` says by
    how much, so that two plans can be compared; `by_slot` the same for each slot from `slot` on, where the rule holds
    slot by slot (crews, limits)."""

    rule: str
    subject: str
    slot: int | None
    what: str
    size: float = 0.0
    unit: str = ""
    by_slot: tuple[float, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes two violations the same one."""
        return (self.rule, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an optimizer returns: the best plan it has, or the reasons why there is none."""

    plan: Plan | None
    contradictions: tuple[str, ...] = ()
    relaxations: tuple[GaveWay, ...] = ()

"""What a problem says of jobs: the ways to run one, where it stands, what it waits for, and what it takes and gives."""

from dataclasses import dataclass

from energy.model.calendar import Attended


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustable:
    """A run whose energy is fixed while its power may lie between bounds (kW) in each slot: nobody has to be moved."""

    least_kw: float
    most_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruptible:
    """A run of constant power that may pause and go on: `least_run_slots` at a time, each pause at most
    `longest_pause_slots`, at most `most_pauses` of them, each restart at `restart_cost`."""

    least_run_slots: int = 1
    longest_pause_slots: int = 1
    most_pauses: int = 1
    restart_cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """So much of a resource that a run holds while it is `attended`, and `after_slots` longer (a mould that cools).
    A resource of the option's machine goes before one of the site with the same name."""

    resource: str
    amount: float = 1.0
    attended: Attended = Attended.RUN
    after_slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to run a job: on a machine, drawing `power_kw[i]` (mean) in the i-th slot of the run. The number of
    powers is the duration in slots.

    On a batch machine `mode` names the recipe, and `power_kw` is what the job draws on top of it. `also` names machines
    on which it runs in just the same way. `quantity` is what the run makes, for orders and the filling of batches."""

    machine: str
    power_kw: tuple[float, ...]
    mode: str = ""
    also: tuple[str, ...] = ()
    quantity: float = 1.0
    uses: tuple[Use, ...] = ()
    adjustable: Adjustable | None = None
    interruptible: Interruptible | None = None

    @property
    def slots(self) -> int:
        return len(self.power_kw)

    @property
    def machines(self) -> tuple[str, ...]:
        return (self.machine, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a plan puts a job: machine, mode, and the slot it starts in (negative: it began before the horizon).

    `power_kw` is the power in each slot from there to the end of the run where the plan chose it (adjustable power, and
    0 in the pauses of an interrupted run); empty where the option's own powers hold."""

    job: str
    machine: str
    start: int
    mode: str = ""
    power_kw: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """The job may start at the earliest `min_slots` after the end of another, and at the latest `max_slots` after.

    In each slot between, what the other made is held at `holding_kw`, and with `keeps_machine` the other's machine is
    taken (a furnace that holds a melt until it is poured)."""

    job: str
    min_slots: int = 0
    max_slots: int | None = None
    holding_kw: float = 0.0
    keeps_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewNeed:
    """So many people with a skill, during the run or at its ends."""

    skill: str
    people: int = 1
    attended: Attended = Attended.RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What a run takes from a buffer (negative) or puts into it, as it starts or as it ends (`at_end`): it is there
    from the first slot after."""

    buffer: str
    quantity: float
    at_end: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemJob:
    """A job to place. A start is allowed in [earliest, latest_start]; the job must end by `must_end` (hard, exclusive
    slot) and should end by `due` (each hour later costs `late_per_hour` · `priority`). With `fixed` it stays where it
    is: running, frozen, or production's alone. With a `value` it is optional: left out, the value is lost."""

    id: str
    name: str = ""
    options: tuple[Option, ...]
    as_is: Placement
    in_force: Placement
    offered: Placement | None = None
    fixed: Placement | None = None
    earliest: int = 0
    latest_start: int | None = None
    must_end: int | None = None
    due: int | None = None
    late_per_hour: float = 500.0
    priority: float = 1.0
    value: float | None = None
    family: str = ""  # what machines are set up for
    after: tuple[Precedence, ...] = ()
    needs: tuple[CrewNeed, ...] = ()
    flows: tuple[Flow, ...] = ()
    move_price: float = 2.0  # for leaving `in_force`: ties move nothing
    change_offer_price: float = 2.0  # for leaving `offered`
    accepted: bool = False  # `in_force` is a planner's accepted shift: leaving it costs `break_accepted_price` more
    break_accepted_price: float = 1000.0

    def option(self, machine: str, mode: str = "") -> Option:
        """The option of a machine and mode; KeyError where there is none."""
        for option in self.options:
            if machine in option.machines and option.mode == mode:
                return option
        raise KeyError(f"job {self.id} has no option on {machine} {mode}".rstrip())

    def powers_kw(self, placement: Placement) -> tuple[float, ...]:
        """The power in each slot of the run as placed, from its start to its end; KeyError without such an option."""
        return placement.power_kw or self.option(placement.machine, placement.mode).power_kw

    def end(self, placement: Placement) -> int:
        """The slot after the last one of the run as placed."""
        return placement.start + len(self.powers_kw(placement))

    def busy(self, placement: Placement) -> tuple[int, ...]:
        """The slots in which the run as placed works: all of it, but for the pauses of one that may be interrupted."""
        run = range(placement.start, self.end(placement))
        if self.option(placement.machine, placement.mode).interruptible is None:
            return tuple(run)
        return tuple(k for k, kw in zip(run, self.powers_kw(placement), strict=True) if kw > 0.0)

    def is_moved(self, placement: Placement, of: Placement) -> bool:
        """Whether a placement is another one than `of` for the people at the machine: another machine, mode or start, or
        other pauses. Another power alone moves nobody."""
        here, there = ((p.machine, p.mode, p.start) for p in (placement, of))
        return here != there or self.busy(placement) != self.busy(of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peg:
    """A job that makes something for an order: `share` of the quantity of the option it runs by."""

    job: str
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemOrder:
    """An order line filled by one run or by several (which may be optional, on any machine), and runs may fill several
    lines: the pegging stays whatever moves. Its runs make at least `quantity`; the last of them ends by `due`, or each
    hour later costs, and `rest_slots` (cooling, finishing) belong to the order after that end."""

    id: str
    name: str = ""
    pegs: tuple[Peg, ...]
    quantity: float
    due: int | None = None
    must_end: int | None = None
    late_per_hour: float = 500.0
    priority: float = 1.0
    rest_slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """Jobs that come again and again (cleaning, inspection): from one start to the next, in the order given, at least
    `least_slots` and at most `most_slots`."""

    name: str
    jobs: tuple[str, ...]
    least_slots: int = 0
    most_slots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SameOrder:
    """Pieces that pass stages in one and the same order (a permutation flow shop). `pieces[i][s]` is the job of piece i
    at stage s."""

    name: str
    pieces: tuple[tuple[str, ...], ...]

"""What a line and the devices on it have taught: pauses, odd ids, and which units are silent."""

from dataclasses import dataclass, field

from meters.framing import NOBODY

LONGEST_PAUSE_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.005
LEAST_PAUSE_SECONDS = 0.001
CALM_ANSWERS = 100  # after so many good answers the pause becomes shorter again
FIRST_SETTLING_SECONDS = 0.5
LONGEST_SETTLING_SECONDS = 4.0
SAME_TRANSACTIONS = 3  # so many answers with one and the same transaction id are a habit
SAME_UNITS = 2

DEAD_SHARE = 0.05  # of the time of a line that silent units may use while others want it
DEAD_AFTER = 3  # unanswered requests in a row
LEAST_PROBE_SECONDS = 0.3
WHOLE_PROBES = 4  # every so many probes of a silent unit have the whole time-out
WISH_SECONDS = 60.0

OWED_SECONDS = 30.0  # an answer that has not come by then never comes
MOST_OWED = 3


class Pace:
    """How long a line is left in peace between an answer and the next request."""

    def __init__(self, least_seconds: float) -> None:
        self._least = least_seconds
        self._said: float | None = None
        self._learned = 0.0
        self._calm = 0

    def say(self, seconds: float | None) -> None:
        """What the config says; of several meters on a line the longest counts."""
        if seconds is not None:
            self._said = max(self._said or 0.0, seconds)

    @property
    def seconds(self) -> float:
        return max(self._least, self._learned if self._said is None else self._said)

    def too_fast(self) -> None:
        """A device that was busy or silent when it was asked right after an answer is well when it is left in peace."""
        self._calm = 0
        self._learned = min(max(2 * self._learned, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def went_well(self) -> None:
        if not self._learned:
            return
        self._calm += 1
        if self._calm >= CALM_ANSWERS:
            self._calm = 0
            self._learned = 0.9 * self._learned if self._learned > LEAST_PAUSE_SECONDS else 0.0


@dataclass(slots=True)
class Unit:
    """What is known of one unit on the line."""

    silent: int = 0  # requests in a row without an answer
    slowest: float = 0.0  # seconds, of its answers until now; old ones fade
    probed_at: float = 0.0
    wished_at: float = -WISH_SECONDS
    hurried: bool = False  # it was busy or silent when it was asked right after an answer
    owed: int = 0  # requests that it may still answer
    owed_since: float = 0.0
    last: tuple[int, int, int] = (0, 0, 0)  # function code, start, count

    @property
    def dead(self) -> bool:
        return self.silent >= DEAD_AFTER

    def answered(self, seconds: float) -> None:
        self.silent, self.hurried = 0, False
        self.slowest = max(seconds, 0.99 * self.slowest)

    def patience(self, timeout: float) -> float:
        """How long its answer is waited for: a unit that was quick and is silent is not given all the time."""
        if not self.dead or not self.slowest or self.silent % WHOLE_PROBES == 0:
            return timeout
        return min(timeout, max(LEAST_PROBE_SECONDS, 8 * self.slowest))

    def owes(self, now: float) -> int:
        """Answers that may still come, and that nothing but their order tells from the next ones."""
        if self.owed and now - self.owed_since > OWED_SECONDS:
            self.owed = 0
        return self.owed

    def missed(self, now: float) -> None:
        self.owed, self.owed_since = min(self.owed + 1, MOST_OWED), now


@dataclass(slots=True)
class Units:
    """All units of a line, and how much of its time the silent ones have had."""

    known: dict[int, Unit] = field(default_factory=dict)
    _free_at: float = 0.0

    def of(self, unit: int) -> Unit:
        found = self.known.get(unit)
        if found is None:
            found = self.known[unit] = Unit()
        return found

    def rest(self, unit: Unit, now: float) -> float:
        """Seconds until a silent unit may be asked again; 0 is now. Of several, the one that waited longest is next."""
        if not unit.dead or all(other.dead for other in self.known.values()):
            return 0.0
        left = self._free_at - now
        if left <= 0:
            ahead = (
                other
                for other in self.known.values()
                if other.dead and other.probed_at < unit.probed_at and now - other.wished_at < WISH_SECONDS
            )
            if next(ahead, None) is None:
                unit.wished_at = now - WISH_SECONDS
                return 0.0
            left = 1.0
        unit.wished_at = now
        return left

    def used_in_vain(self, unit: Unit, seconds: float, now: float) -> None:
        """A silent unit was waited for: now the line is the others' for a while."""
        unit.silent += 1
        unit.probed_at = now
        if unit.dead:
            self._free_at = now + seconds * (1 / DEAD_SHARE - 1)


class Oddities:
    """Devices that answer with a transaction or unit number of their own: believed once it is a habit, and only where
    nobody else can be meant."""

    def __init__(self) -> None:
        self.transaction: int | None = None
        self.units: tuple[int, ...] = ()
        self._said_units = False
        self._numbers: list[int] = []
        self._unit: tuple[int, int] = (-1, 0)

    def say_units(self) -> None:
        """The config says that this gateway answers as nobody."""
        self.units, self._said_units = NOBODY, True

    def transaction_seen(self, number: int) -> None:
        self._numbers = [*self._numbers[-SAME_TRANSACTIONS + 1 :], number]
        if len(self._numbers) == SAME_TRANSACTIONS and len(set(self._numbers)) == 1:
            self.transaction = number

    def right_transaction_seen(self) -> None:
        self._numbers = []

    def unit_seen(self, number: int, *, alone: bool) -> None:
        """An answer to the right transaction from another unit; `alone`: only one unit was ever asked here."""
        if number not in NOBODY or not alone:
            return
        self._unit = (number, self._unit[1] + 1 if self._unit[0] == number else 1)
        if self._unit[1] >= SAME_UNITS:
            self.units = (number,)

    def joined_by_another(self) -> None:
        """A second unit is asked on this line: what was learned when there was one no longer holds."""
        self._unit = (-1, 0)
        if not self._said_units:
            self.units = ()

"""The fewest reads that bring all wanted registers."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """One read: `count` registers from `start`."""

    start: int
    count: int

    @property
    def end(self) -> int:
        return self.start + self.count

    def holds(self, other: "Batch") -> bool:
        return self.start <= other.start and other.end <= self.end


def batches(wanted: Iterable[Batch], *, longest: int, widest_hole: int) -> list[Batch]:
    """Reads of at most `longest` registers that hold each wanted number whole, and reach over holes of at most
    `widest_hole` unwanted registers (devices refuse a read that touches what they do not know).

    Each read starts and ends on a wanted number. From left to right, as much as fits: no fewer reads can do it.
    """
    made: list[Batch] = []
    for number in sorted(set(wanted)):
        if number.count > longest:
            raise ValueError(f"a number of {number.count} registers does not fit into reads of {longest}")
        if made:
            last = made[-1]
            end = max(last.end, number.end)
            if number.start - last.end <= widest_hole and end - last.start <= longest:
                made[-1] = Batch(last.start, end - last.start)
                continue
        made.append(number)
    return made

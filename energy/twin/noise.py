"""Seeded randomness without a state: the same value for the same seed, name and index, whatever was asked before.

That is what lets a plant live minute by minute, or eight weeks at once, and come out the same.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
T = TypeVar("T")


@lru_cache(maxsize=4096)
def _key(seed: int, name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(f"{seed}|{name}".encode(), digest_size=8).digest()))


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea, Flood 2014): neighbouring numbers in, unrelated numbers out."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def uniform(seed: int, name: str, index: ArrayLike) -> Floats:
    """Independent values in (0, 1), one for each index."""
    counted = np.atleast_1d(np.asarray(index, dtype=np.int64)).astype(np.uint64)
    with np.errstate(over="ignore"):
        bits = _mixed(counted * np.uint64(0x9E3779B97F4A7C15) + _key(seed, name))
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def normal(seed: int, name: str, index: ArrayLike) -> Floats:
    """Independent values of mean 0 and variance 1 (Box and Muller), one for each index."""
    radius = np.sqrt(-2.0 * np.log(uniform(seed, f"{name}/radius", index)))
    values: Floats = radius * np.cos(2.0 * np.pi * uniform(seed, f"{name}/angle", index))
    return values


def drift(seed: int, name: str, index: ArrayLike, phi: float) -> Floats:
    """An AR(1) walk of mean 0 and variance 1 at each index: today resembles yesterday by `phi`.

    It is summed from its last shocks up to where they count less than a thousandth, so it needs no start."""
    asked = np.atleast_1d(np.asarray(index, dtype=np.int64))
    memory = int(np.ceil(np.log(1e-3) / np.log(phi)))
    first = int(np.min(asked))
    shocks = normal(seed, name, np.arange(first - memory, int(np.max(asked)) + 1))
    walk = np.zeros(len(shocks) - memory)
    for back in range(memory + 1):
        walk += phi**back * shocks[memory - back : len(shocks) - back]
    spread = np.sqrt((1.0 - phi ** (2 * memory + 2)) / (1.0 - phi**2))
    walked: Floats = walk[asked - first] / spread
    return walked


def smooth(seed: int, name: str, at: Floats, phi: float) -> Floats:
    """The same walk between its whole numbers, without corners."""
    below = np.floor(at).astype(np.int64)
    share = (1.0 - np.cos(np.pi * (at - below))) / 2.0
    return drift(seed, name, below, phi) * (1.0 - share) + drift(seed, name, below + 1, phi) * share


class Dice:
    """Draws for one named thing, in a fixed order: the lateness of a job, the orders of a week."""

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._name, self._drawn = seed, name, 0

    def share(self) -> float:
        """A number in (0, 1)."""
        self._drawn += 1
        return float(uniform(self._seed, self._name, self._drawn)[0])

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + int(self.share() * (high - low + 1))

    def one_of(self, things: Sequence[T]) -> T:
        return things[int(self.share() * len(things))]

    def spread(self) -> float:
        """A number of mean 0 and variance 1, never beyond 2.5."""
        self._drawn += 1
        return float(np.clip(normal(self._seed, self._name, self._drawn)[0], -2.5, 2.5))

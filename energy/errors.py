"""The errors a user may see. Each says where, what is wrong, and the way out."""

from collections.abc import Sequence
from dataclasses import dataclass


class LoadstoneError(Exception):
    """Something that the person in front of the screen can mend; its text says how."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in something a person wrote: where it stands and what to do about it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class MistakesError(LoadstoneError):
    """All the mistakes in one input, not only the first."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(f"{source}: {count}\n{lines}")


class ConfigError(MistakesError):
    """config.yaml or the environment says something that cannot be."""


class ImportFileError(MistakesError):
    """A file to import cannot be read at all, so not even its good rows were kept."""


class ProblemError(MistakesError):
    """A problem or plan file says something that cannot be."""


class FeedError(LoadstoneError):
    """A feed gave no usable answer; the last good value stays in force."""


class MeterError(LoadstoneError):
    """A meter gave no usable answer. Inside a collector this is data, not a crash."""


class EnoughError(LoadstoneError):
    """Whoever waits for something long wants no more of it; what is known until now is given."""


class DecisionRefusedError(LoadstoneError):
    """A decision cannot be kept. The text says why not and what would be possible."""

    def __init__(self, why: str, possible: Sequence[str] = ()) -> None:
        self.why = why
        self.possible = tuple(possible)
        super().__init__(why if not possible else f"{why} Possible: {'; '.join(possible)}.")


class StoreError(LoadstoneError):
    """The store cannot be opened or written."""

"""Batches of readings as an edge box sends them, and the answers of the centre: JSON, version 1.

A box numbers its readings in the order in which they were taken. A batch says which numbers it covers, `first` to `last`;
numbers within it that are not there (thinned, held back) do not come. So a batch may be cut anew at any time, sent twice, or
sent again after days, and each reading is still one.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from energy.clock import aware
from energy.errors import Mistake
from energy.model.edge import Backlog
from energy.model.meter import Reading, ReadingQuality

VERSION: Literal[1] = 1
MOST_READINGS = 20_000
BOX_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"

OF_PEOPLE = (ReadingQuality.RELEASED, ReadingQuality.REJECTED)

M = TypeVar("M", bound=BaseModel)


def _instant(said: datetime) -> datetime:
    """In UTC; one that is beyond the calendar there is refused."""
    try:
        return aware(said)
    except OverflowError as error:
        raise ValueError(f"{said.isoformat()} is no time in UTC") from error


Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
Count = Annotated[int, Field(ge=0, le=2**62)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=4_000)]


class Strict(BaseModel):
    """Nothing unknown, nothing converted but what JSON has no word for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Answer(Strict):
    """What the centre says. A later centre may say more than an older box understands."""

    model_config = ConfigDict(extra="ignore")


class SentReading(Strict):
    """One reading. A value that the meter did not say is left out or null, never zero."""

    number: int = Field(ge=1, le=2**62, description="its number at the box")
    meter: str = Field(min_length=1, max_length=64, description="id of the meter in the centre's config.yaml")
    taken_at: Instant = Field(strict=False, description="when it was taken, with a zone, to the microsecond")
    age_seconds: Number | None = Field(
        None, description="how long before `sent_at` that was, by a clock that nobody sets; left out after a restart"
    )
    import_kwh: Number | None = Field(None, description="counter towards the plant, kWh")
    export_kwh: Number | None = Field(None, description="counter away from the plant, kWh")
    power_kw: Number | None = Field(None, description="power, kW, import positive")
    quality: ReadingQuality = Field(ReadingQuality.GOOD, strict=False, description="what the box thinks of it")
    note: Text = Field("", description="what was wrong")
    values: dict[str, Number] = Field({}, description="further quantities by name, in base units", max_length=500)
    raw: str = Field("", max_length=20_000, description="what lay on the wire, of a doubted reading")
    state: str = Field("", max_length=200, description="what the machine itself says that it does")
    clock_step_seconds: Number | None = Field(
        None, description="by how much the box's clock was set since the reading before; left out where it ran on"
    )

    @field_validator("quality")
    @classmethod
    def _of_a_box(cls, quality: ReadingQuality) -> ReadingQuality:
        if quality in OF_PEOPLE:
            raise ValueError(f"{quality} is said by a person at the centre, not by a box")
        return quality

    def reading(self) -> Reading:
        return Reading(
            meter=self.meter,
            taken_at=self.taken_at,
            import_kwh=self.import_kwh,
            export_kwh=self.export_kwh,
            power_kw=self.power_kw,
            quality=self.quality,
            note=self.note,
            values=tuple(self.values.items()),
            raw=self.raw,
            state=self.state,
            clock_step_seconds=self.clock_step_seconds,
        )


class SentBacklog(Strict):
    """What waits at the box after this batch, and what its buffer had to let go."""

    waiting: Count = Field(0, description="readings that are not acknowledged")
    oldest_at: Instant | None = Field(None, strict=False, description="when the oldest of them was taken")
    held: Count = Field(0, description="readings that the centre refused, set aside at the box")
    thinned: Count = Field(0, description="readings within an interval that went because the buffer was full")
    dropped: Count = Field(0, description="readings at the edges of intervals that went for the same reason")
    broken: Count = Field(0, description="buffer files that could not be read any more")
    trouble: Text = Field("", description="what last went wrong at the box")

    def backlog(self) -> Backlog:
        said = dict(self)
        return Backlog(**said)


class Batch(Strict):
    """A batch of an edge box, in the order of its numbers."""

    version: Literal[1] = Field(description="of this format")
    box: str = Field(pattern=BOX_NAME, description="name of the box, the one that its token belongs to")
    buffer: str = Field(min_length=8, max_length=64, description="made anew with each buffer file; numbers are of it")
    first: int = Field(ge=1, le=2**62, description="the first number that is covered")
    last: int = Field(ge=0, le=2**62, description="the last one; first - 1 where there is nothing but a sign of life")
    lost_before: bool = Field(
        False, description="what the centre asked for before `first` is not at the box any more; take it from here"
    )
    sent_at: Instant = Field(strict=False, description="the box's clock at this moment")
    backlog: SentBacklog = Field(SentBacklog.model_validate({}), description="what waits at the box")
    readings: tuple[SentReading, ...] = Field((), strict=False, max_length=MOST_READINGS)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first - 1:
            raise ValueError(f"last {self.last} is before first {self.first}")
        numbers = [one.number for one in self.readings]
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            raise ValueError("the numbers of the readings do not ascend")
        if numbers and not self.first <= numbers[0] <= numbers[-1] <= self.last:
            raise ValueError(f"readings {numbers[0]} to {numbers[-1]} are not within {self.first} to {self.last}")
        return self


class Acknowledged(Answer):
    """The answer to a batch that is on disk at the centre. Only this is an acknowledgement: a 200 alone is not."""

    version: Literal[1] = 1
    box: str
    buffer: str
    acknowledged: int = Field(
        description="`last` of the batch: nothing up to it, as far as it was sent, is needed again"
    )
    new: int = Field(description="readings of the batch that were not here yet")
    at: AwareDatetime = Field(strict=False, description="the centre's clock")


class RefusedReading(Answer):
    number: int
    meter: str
    why: str


class SaidMistake(Answer):
    where: str
    what: str


class Refusal(Answer):
    """Why something was not taken: all that was wrong, not only the first."""

    error: str
    mistakes: tuple[SaidMistake, ...] = Field((), strict=False)
    expected: int | None = Field(None, description="409: the number that the next batch has to begin at, or before")
    refused: tuple[RefusedReading, ...] = Field(
        (), strict=False, description="422: the readings that cannot be taken; send the batch again without them"
    )


def read_batch(body: bytes) -> tuple[Batch | None, tuple[Mistake, ...]]:
    """The batch in a request, or all that is wrong with it."""
    return _read(Batch, body)


def read_acknowledgement(body: bytes) -> Acknowledged | None:
    """The centre's own answer; None for whatever else somebody on the way has said."""
    return _read(Acknowledged, body)[0]


def read_refusal(body: bytes) -> Refusal | None:
    """The centre's own refusal; None where the words are somebody else's."""
    return _read(Refusal, body)[0]


def _read(model: type[M], body: bytes) -> tuple[M | None, tuple[Mistake, ...]]:
    try:
        return model.model_validate_json(body), ()
    except ValidationError as error:
        return None, tuple(Mistake(_place(e["loc"]), _told(e["msg"])) for e in error.errors(include_url=False))


def _place(loc: Sequence[int | str]) -> str:
    """readings[3].meter"""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return words.removeprefix(".") or "batch"


def _told(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def sent_reading(number: int, reading: Reading, age_seconds: float | None = None) -> SentReading:
    """A reading as it goes over the wire."""
    return SentReading(
        number=number,
        age_seconds=age_seconds,
        meter=reading.meter,
        taken_at=reading.taken_at,
        import_kwh=reading.import_kwh,
        export_kwh=reading.export_kwh,
        power_kw=reading.power_kw,
        quality=reading.quality,
        note=reading.note[:4_000],
        values=dict(reading.values),
        raw=reading.raw[:20_000],
        state=reading.state[:200],
        clock_step_seconds=reading.clock_step_seconds,
    )


def sent_backlog(backlog: Backlog) -> SentBacklog:
    return SentBacklog(
        waiting=backlog.waiting,
        oldest_at=backlog.oldest_at,
        held=backlog.held,
        thinned=backlog.thinned,
        dropped=backlog.dropped,
        broken=backlog.broken,
        trouble=backlog.trouble[:4_000],
    )


def written(model: BaseModel) -> bytes:
    """The JSON of a message."""
    return model.model_dump_json(exclude_defaults=True).encode()

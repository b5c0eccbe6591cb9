"""Events that people type in. Those live in the store; this kind reads what is put as files into a folder.

- {id: heat-wave, kind: limit, start: 2026-07-02 17:00, end: 2026-07-02 20:00, kw: 900, mandatory: true}
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from energy.config.text import read
from energy.errors import ConfigError, ImportFileError, Mistake
from energy.exchange.cells import instant, number, yes
from energy.exchange.rows import RowReader
from energy.exchange.table import Cell, Column, Row, read_table
from energy.model.event import Event, EventKind
from energy.model.horizon import Interval
from energy.plugins import nearest
from energy.ports import Context

COLUMNS = (
    Column(name="id"),
    Column(name="kind", needed=True),
    Column(name="start", needed=True),
    Column(name="end", needed=True),
    Column(name="kw", needed=True, number=True),
    Column(name="mandatory"),
    Column(name="price_per_kwh", number=True),
    Column(name="answer_by"),
    Column(name="text"),
)
NAMES = [column.name for column in COLUMNS]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path | None = Field(None, description="folder of YAML or CSV files of events; none: only those typed in")


class ManualProgram:
    """Reads the folder anew each time. `bad` are the events of the last reading that could not be understood; the good
    ones are returned all the same, since one of them may be mandatory."""

    name = "manual"

    def __init__(self, settings: Settings, context: Context) -> None:
        self.folder = None if settings.folder is None else Path(context.folder) / settings.folder
        self.zone = context.site.zone
        self.bad: tuple[Mistake, ...] = ()

    def events(self) -> Sequence[Event]:
        files = [] if self.folder is None else sorted(self.folder.glob("*"))
        found: dict[str, Event] = {}
        bad: list[Mistake] = []
        for path in files:
            try:
                for event in self._of_file(path, bad):
                    if event.id in found:
                        bad.append(Mistake(path.name, f"event {event.id!r} is there already; ids are unique"))
                    found.setdefault(event.id, event)
            except (ImportFileError, ConfigError) as error:
                bad += [Mistake(f"{path.name}: {m.where}", m.what) for m in error.mistakes]
            except (OSError, UnicodeDecodeError) as error:
                bad.append(Mistake(path.name, f"cannot be read: {error}"))
        self.bad = tuple(bad)
        return tuple(found.values())

    def _of_file(self, path: Path, bad: list[Mistake]) -> Iterator[Event]:
        rows, comma = _rows(path)
        received = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        for row in rows:
            reader = RowReader(row, self.zone, comma, None, [])
            event = _event(reader, path, received)
            bad += [Mistake(f"{path.name}: {m.where}", m.what) for m in reader.bad]
            if event is not None:
                yield event


def _rows(path: Path) -> tuple[Sequence[Row], bool]:
    if path.suffix.lower() in {".csv", ".xlsx"}:
        table = read_table(path, COLUMNS)
        return table.rows, table.decimal_comma
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return (), False
    written = read(path.read_text(encoding="utf-8"), {}, path.name)
    data = written.data if isinstance(written.data, list) else [written.data] if written.data else []
    wrong = [
        Mistake(f"event {i + 1}", "is not a set of keys") for i, said in enumerate(data) if not isinstance(said, dict)
    ]
    wrong += [
        Mistake(f"event {i + 1}", f"unknown key {key!r}{nearest(key, NAMES)}")
        for i, said in enumerate(data)
        if isinstance(said, dict)
        for key in said
        if key not in NAMES
    ]
    if wrong:
        raise ImportFileError(path.name, wrong)
    lines = [written.line(f"[{i}]") or i + 1 for i in range(len(data))]
    return [
        Row(line, {key: Cell(_text(value), f"line {line}, {key}") for key, value in said.items()}, {})
        for line, said in zip(lines, data, strict=True)
    ], False


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _event(read: RowReader, path: Path, received: datetime) -> Event | None:
    comma = read.decimal_comma
    kind = read.value("kind", _kind, needed=True)
    start = read.time("start", instant, needed=True)
    end = read.time("end", instant, needed=True)
    kw = read.value("kw", lambda text: _not_below_zero(text, comma), needed=True)
    price = read.value("price_per_kwh", lambda text: _not_below_zero(text, comma))
    answer_by = read.time("answer_by", instant)
    mandatory = read.value("mandatory", yes, default=price is None)
    if start is not None and end is not None and end <= start:
        read.wrong("end", "is not after the start")
    if mandatory and price is not None:
        read.wrong("price_per_kwh", "a mandatory event is not paid for; leave one of the two out")
    if read.bad or kind is None or start is None or end is None or kw is None:
        return None
    return Event(
        id=read.text("id") or f"{path.stem}-{read.row.line}",
        kind=kind,
        interval=Interval(start, end),
        kw=kw,
        mandatory=bool(mandatory),
        price_per_kwh=price,
        answer_by=answer_by,
        text=read.text("text"),
        received_at=received,
    )


def _kind(text: str) -> EventKind:
    word = text.strip().lower()
    if word not in set(EventKind):
        raise ValueError(
            f"{text!r} is neither a limit nor a reduction{nearest(word, [str(kind) for kind in EventKind])}"
        )
    return EventKind(word)


def _not_below_zero(text: str, decimal_comma: bool) -> float:
    value = number(text, decimal_comma)
    if value < 0:
        raise ValueError(f"{text!r} is below zero")
    return value


def build(settings: Settings, context: Context) -> ManualProgram:
    return ManualProgram(settings, context)

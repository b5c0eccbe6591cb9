"""MTConnect documents as plain nouns: which data items a device has, and what was observed. All versions from 1.2 on: the
namespace of the XML is passed over, the names have stayed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from energy.clock import aware

UNAVAILABLE = "UNAVAILABLE"


class DocumentError(ValueError):
    """An answer that is no MTConnect document, or an error that it names."""

    def __init__(self, what: str, code: str = "") -> None:
        self.code = code  # as the standard names it: OUT_OF_RANGE, NO_DEVICE …
        super().__init__(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItem:
    """One thing that a device can say."""

    id: str
    name: str
    type: str
    subtype: str
    units: str
    component: tuple[str, ...]  # id and name of the component that it belongs to
    device: tuple[str, ...]  # name, uuid and id of its device
    statistic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a data item said at one moment; the value is text, UNAVAILABLE where it is not known."""

    item: str
    sequence: int
    at: datetime | None
    value: str
    duration: str = ""  # of values over a time, which are no counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Observations, and where the next ones begin. `instance` changes when the server starts again."""

    instance: str
    first: int
    next: int
    last: int
    observations: tuple[Observation, ...]


def data_items(body: bytes) -> list[DataItem]:
    """All data items of a `probe`."""
    root = _root(body, "MTConnectDevices")
    return [item for device in _all(root, "Device") for item in _items_of(device, device)]


def streams(body: bytes) -> Streams:
    """What a `current` or a `sample` says, oldest first."""
    root = _root(body, "MTConnectStreams")
    header = next(_all(root, "Header"), None)
    if header is None:
        raise DocumentError("the answer has no Header")
    kinds = [kind for component in _all(root, "ComponentStream") for kind in component]
    seen = [_observation(element) for kind in kinds for element in kind if element.get("dataItemId")]
    try:
        return Streams(
            instance=header.get("instanceId", ""),
            first=int(header.get("firstSequence", "0")),
            next=int(header.get("nextSequence", "0")),
            last=int(header.get("lastSequence", "0")),
            observations=tuple(sorted(seen, key=lambda o: o.sequence)),
        )
    except ValueError as error:
        raise DocumentError(f"the Header has no numbers: {error}") from error


def _items_of(element: Any, device: Any) -> Iterator[DataItem]:
    """The data items of a component and of those within it."""
    for child in element:
        name = _name(child)
        if name == "DataItems":
            for item in _all(child, "DataItem"):
                yield _item(item, element, device)
        elif name == "Components":
            for component in child:
                yield from _items_of(component, device)


def _item(item: Any, component: Any, device: Any) -> DataItem:
    return DataItem(
        id=item.get("id", ""),
        name=item.get("name", ""),
        type=item.get("type", ""),
        subtype=item.get("subType", ""),
        units=item.get("units", ""),
        statistic=item.get("statistic", ""),
        component=(component.get("id", ""), component.get("name", "")),
        device=(device.get("name", ""), device.get("uuid", ""), device.get("id", "")),
    )


def _observation(element: Any) -> Observation:
    sequence = element.get("sequence", "0")
    return Observation(
        item=element.get("dataItemId", ""),
        sequence=int(sequence) if sequence.isdecimal() else 0,
        at=_time(element.get("timestamp", "")),
        value=(element.text or "").strip(),
        duration=element.get("duration", ""),
    )


def _time(said: str) -> datetime | None:
    try:
        return aware(datetime.fromisoformat(said))
    except (ValueError, OverflowError):
        return None


def _root(body: bytes, wanted: str) -> Any:
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise DocumentError(f"the answer is no XML that can be read ({error})") from error
    if _name(root) == "MTConnectError":
        said = next(_all(root, "Error"), None)
        code = "" if said is None else said.get("errorCode", "")
        raise DocumentError(f"{code or 'an error'}: {'' if said is None else (said.text or '').strip()}", code)
    if _name(root) != wanted:
        raise DocumentError(f"the answer is {_name(root)} and not {wanted}")
    return root


def _all(element: Any, name: str) -> Iterator[Any]:
    return (child for child in element.iter() if _name(child) == name)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]

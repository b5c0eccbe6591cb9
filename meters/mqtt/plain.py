"""What messages in JSON, or with nothing but a number, say of one meter."""

import json
from typing import Any

from meters.gathering import Said
from meters.moments import NoTimeError, moment
from meters.mqtt import Settings
from meters.mqtt.broker import Message, matches
from meters.mqtt.path import find
from meters.told import Gone, Item
from meters.wanted import inside, number

MOST_RAW = 4000  # characters of a doubted message that are kept


class PlainSource:
    """Topic and payload → values. `trouble` says why the last message was of no use."""

    def __init__(self, settings: Settings, zone: str) -> None:
        self._settings = settings
        self._zone = zone
        self._from: dict[str, str] = {}  # quantity → the one topic that says it
        self.trouble = ""

    @property
    def topics(self) -> tuple[str, ...]:
        named = {wanted.topic or self._settings.topic for wanted in self._settings.quantities.values()}
        here = self._settings.availability
        return (*sorted(named), *([here.topic] if here is not None and here.topic not in named else []))

    def items(self, message: Message) -> list[Item]:
        """What a message says; `done` is called by whoever takes a Said, and here for all else."""
        gone = self._gone(message)
        said = self._said(message)
        if said is None:
            message.done()
        return [*([gone] if gone else []), *([said] if said else [])]

    def _gone(self, message: Message) -> Gone | None:
        here = self._settings.availability
        if here is None or not matches(message.topic, here.topic):
            return None
        said = (
            find(_json(message.payload), here.path) if here.path else message.payload.decode("utf-8", "replace").strip()
        )
        return Gone(f"it is {here.offline}, as {message.topic} says") if str(said) == here.offline else None

    def _said(self, message: Message) -> Said | None:
        values = self._values(message)
        if not values:
            return None
        when, raw = self._settings.time, raw_of(message)
        if when is None:
            if message.retained:  # it may be from last year
                self.trouble = f"only an old message is kept on {message.topic}; the device itself has said nothing"
                return None
            return Said(at=message.arrived, values=values, raw=raw, done=message.done)
        try:
            said = find(_json(message.payload), when.path)
            at = moment(said, when.format, when.zone or self._zone, message.arrived)
        except NoTimeError as error:
            if message.retained:
                self.trouble = f"{message.topic}: {error}"
                return None
            return Said(at=message.arrived, values=values, doubt=str(error), raw=raw, done=message.done)
        return Said(at=at, values=values, raw=raw, done=message.done)

    def _values(self, message: Message) -> dict[str, float]:
        """The quantities that a message says, in the units used inside. What is no number is not known."""
        here = {
            name: wanted
            for name, wanted in self._settings.quantities.items()
            if matches(message.topic, wanted.topic or self._settings.topic) and self._is_from(name, message.topic)
        }
        if not here:
            return {}
        data = (
            _json(message.payload) if self._settings.payload == "json" else message.payload.decode("utf-8", "replace")
        )
        said = {name: inside(name, wanted, number(find(data, wanted.path))) for name, wanted in here.items()}
        known = {name: value for name, value in said.items() if value is not None}
        if known:
            self.trouble = ""
        else:
            self.trouble = f"{message.topic} says no number for {', '.join(here)}: {_excerpt(message.payload)}"
        return known

    def _is_from(self, name: str, topic: str) -> bool:
        """Whether a topic is the one that says a quantity: with wildcards two devices may answer, and the counters of
        two meters in turn are no meter's."""
        first = self._from.setdefault(name, topic)
        if first != topic:
            self.trouble = f"both {first} and {topic} say {name}; only the first is heard: name the topic"
        return first == topic


def raw_of(message: Message) -> str:
    """A message as it came, for readings that are doubted."""
    payload = message.payload.decode("utf-8", "replace")[:MOST_RAW]
    return json.dumps({"topic": message.topic, "payload": payload, "arrived": message.arrived.isoformat()})


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):  # no JSON, or brackets in brackets a thousand times
        return None


def _excerpt(payload: bytes) -> str:
    text = " ".join(payload[:120].decode("utf-8", "replace").split())
    return repr(text) if text else "an empty message"

"""A Sparkplug edge node as its host application sees it: born, in sequence, dead; and what its devices say.

Sequence numbers run over all messages of a node, those of its devices too. After a gap nobody knows what was missed
(a birth may have given an alias another meaning): the node is asked for a new birth, and until then nothing of it is
believed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from meters.mqtt.broker import Connection, Hearer, Message
from meters.mqtt.sparkplug import Metric, Payload, PayloadError, decode, number, rebirth

log = logging.getLogger("loadstone.sparkplug")

NAMESPACE = "spBv1.0"
ASK_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a metric says: a number, or None where it is not known; and of which moment."""

    value: float | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Ear:
    """Who listens to one device of a node ("" for the node itself)."""

    device: str
    hear: Callable[[dict[str, Value], Message], None]
    gone: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a birth message said of a metric."""

    name: str
    datatype: int | None


@dataclass(eq=False)
class EdgeNode:
    """The state of one node on one connection."""

    group: str
    node: str
    connection: Connection
    may_ask: bool = True
    ears: list[Ear] = field(default_factory=list)
    trouble: str = "its birth has not been heard"
    _expected: int | None = None  # the next sequence number; None: nothing is believed until the next birth
    _birth: object = None  # its number; a death of another birth is an old one
    _aliases: dict[int, _Known] = field(default_factory=dict)
    _types: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _asked: datetime | None = None

    @property
    def hearer(self) -> Hearer:
        """All messages of the node and its devices; commands to it are none of them."""
        kinds = ("NBIRTH", "NDEATH", "NDATA")
        of_devices = ("DBIRTH", "DDEATH", "DDATA")
        topics = [f"{NAMESPACE}/{self.group}/{kind}/{self.node}" for kind in kinds]
        topics += [f"{NAMESPACE}/{self.group}/{kind}/{self.node}/+" for kind in of_devices]
        return Hearer(tuple(topics), self.hear, self.connected, self.lost)

    def connected(self) -> None:
        """A new connection: what was missed is not known."""
        self._doubt("its birth has not been heard")
        self._asked = None
        self.ask()

    def ask(self) -> None:
        """Ask for a birth: the message in which a node says all that it knows."""
        self._ask(self.connection.now())

    def lost(self, note: str) -> None:
        for ear in self.ears:
            ear.gone(note)

    def hear(self, message: Message) -> None:
        """Take one message of the node."""
        _, _, kind, _, *device = message.topic.split("/")
        try:
            self._heard(kind, device[0] if device else "", decode(message.payload), message)
        except PayloadError as error:
            self.trouble = f"{message.topic}: {error}"
        finally:
            message.done()

    def _heard(self, kind: str, device: str, payload: Payload, message: Message) -> None:
        if kind == "NDEATH":
            self._died(payload)
            return
        if kind == "NBIRTH":
            self._birth = payload.said("bdSeq")
            self._aliases.clear()
            self._types.clear()
            self._expected, self.trouble = payload.seq if payload.seq is not None else 0, ""
        if not self._in_sequence(payload, message.arrived):
            return
        if kind == "DDEATH":
            self._tell_gone(device, f"device {device} is gone, as its edge node {self.node} says")
        elif kind in ("NBIRTH", "DBIRTH"):
            self._born(device, payload)
            self._tell(device, payload, message)
        else:
            self._tell(device, payload, message)

    def _in_sequence(self, payload: Payload, now: datetime) -> bool:
        """Whether nothing is missing before this message."""
        if self._expected is not None and payload.seq == self._expected:
            self._expected = (self._expected + 1) % 256
            return True
        if self._expected is not None:
            self._doubt(f"a message was lost (number {payload.seq} came instead of {self._expected})")
        if not self.may_ask and payload.seq is not None:
            self._expected = (payload.seq + 1) % 256  # no birth can be asked for: what is known has to do
            return True
        self._ask(now)
        return False

    def _doubt(self, why: str) -> None:
        self._expected = None
        self.trouble = f"edge node {self.group}/{self.node}: {why}; nothing of it is believed until its next birth"

    def _ask(self, now: datetime) -> None:
        if not self.may_ask or (self._asked is not None and now - self._asked < ASK_AGAIN):
            return
        self._asked = now
        log.info("edge node %s/%s is asked for a new birth", self.group, self.node)
        self.connection.publish(f"{NAMESPACE}/{self.group}/NCMD/{self.node}", rebirth(now))

    def _died(self, payload: Payload) -> None:
        if self._birth is not None and payload.said("bdSeq") != self._birth:
            return  # the will of an earlier connection, come late
        self._expected, self._birth = None, None
        self.trouble = f"edge node {self.node} is gone, as the broker says"
        for ear in self.ears:
            ear.gone(self.trouble)

    def _born(self, device: str, payload: Payload) -> None:
        for metric in payload.metrics:
            self._types[device, metric.name] = metric.datatype
            if metric.alias is not None:
                self._aliases[metric.alias] = _Known(metric.name, metric.datatype)

    def _tell(self, device: str, payload: Payload, message: Message) -> None:
        values: dict[datetime | None, dict[str, Value]] = {}
        for metric in payload.metrics:
            known = self._known(device, metric)
            if known is not None:
                at = metric.at or payload.at
                values.setdefault(at, {})[known.name] = Value(value=number(metric, known.datatype), at=at)
        for ear in self.ears:
            for said in values.values() if ear.device == device else ():
                ear.hear(said, message)

    def _known(self, device: str, metric: Metric) -> _Known | None:
        if metric.name:
            return _Known(metric.name, metric.datatype or self._types.get((device, metric.name)))
        known = self._aliases.get(metric.alias) if metric.alias is not None else None
        return known and _Known(known.name, metric.datatype or known.datatype)

    def _tell_gone(self, device: str, note: str) -> None:
        for ear in self.ears:
            if ear.device == device:
                ear.gone(note)


def node_of(connection: Connection, group: str, node: str, *, may_ask: bool) -> EdgeNode:
    """The one state of a node on a connection."""
    found = connection.nodes.get((group, node))
    if not isinstance(found, EdgeNode):
        found = connection.nodes[group, node] = EdgeNode(group, node, connection, may_ask)
    return found

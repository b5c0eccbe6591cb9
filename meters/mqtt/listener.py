"""A meter behind a broker, as the collector listens to it."""

import asyncio
import json
import secrets
from dataclasses import replace
from pathlib import Path

from energy.model.meter import Meter
from energy.ports import Context
from meters.gathering import Gathering, Said
from meters.moments import NoTimeError, checked
from meters.mqtt import Settings, Sparkplug, broker
from meters.mqtt.broker import Address, Hearer, Message
from meters.mqtt.edge_node import Ear, EdgeNode, Value, node_of
from meters.mqtt.plain import MOST_RAW, PlainSource
from meters.told import Gone, Take, ToldMeter
from meters.wanted import inside


def listener(settings: Settings, meter: Meter, context: Context) -> ToldMeter:
    """A listener of that meter."""
    window, said = settings.together_seconds, settings.sparkplug
    return ToldMeter(
        meter,
        SparkplugSource(settings, said, context) if said is not None else MqttSource(settings, context),
        Gathering(meter, settings.quantities, window, context.last_good.get(meter.id)),
        context.clock,
        window_seconds=window,
        silent_after_seconds=settings.silence_seconds,
        confirm_seconds=None if said is None else settings.confirm_seconds,
    )


def address(settings: Settings, context: Context) -> Address:
    """The broker as this meter's client of it: who keeps messages for us and who does not are two clients."""
    tls = settings.tls
    folder = Path(context.folder)

    def file(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    own = settings.client_id or f"loadstone-{context.site.id}"
    return Address(
        host=settings.host,
        port=settings.port or (1883 if tls is None else 8883),
        client_id=own if settings.persistent else f"{own}-live",
        user=settings.user,
        password=settings.password,
        tls=tls is not None,
        ca_file=None if tls is None else file(tls.ca_file) or context.ca_bundle,
        cert_file=None if tls is None else file(tls.cert_file),
        key_file=None if tls is None else file(tls.key_file),
        version=settings.mqtt_version,
        keep_seconds=int(settings.keep_hours * 3600) if settings.persistent else None,
    )


class _Joined:
    """The shared connection to a broker, from the first time that it is needed."""

    _context: Context
    _address: Address
    _connection: broker.Connection | None = None

    def _join(self, keeping: bool) -> broker.Connection:
        """Who only has a look is a client of its own: the broker lets one client of a name in, and gives it all that it
        kept for that name."""
        look = f"{self._address.client_id}-look-{secrets.token_hex(4)}"
        to = self._address if keeping else replace(self._address, client_id=look, keep_seconds=None)
        return broker.join(to, self._context.clock)

    async def close(self) -> None:
        if self._connection is not None:
            await broker.leave(self._connection)
            self._connection = None


class MqttSource(_Joined):
    """Hears the topics of one meter on the shared connection to its broker."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._context = context
        self._address = address(settings, context)
        self._plain = PlainSource(settings, context.site.zone)

    @property
    def trouble(self) -> str:
        here = self._connection
        return (here.trouble if here is not None else "not connected yet") or self._plain.trouble

    async def tell(self, take: Take, *, keeping: bool) -> None:
        def hear(message: Message) -> None:
            for item in self._plain.items(message):
                take(item)

        self._connection = self._connection or self._join(keeping)
        hearer = Hearer(self._plain.topics, hear, lambda: None, lambda _: None)
        self._connection.add(hearer)
        try:
            await asyncio.Event().wait()
        finally:
            self._connection.remove(hearer)


class SparkplugSource(_Joined):
    """Hears one device of a Sparkplug edge node; the node is shared by all its devices."""

    def __init__(self, settings: Settings, said: Sparkplug, context: Context) -> None:
        self._said = said
        self._context = context
        self._address = address(settings, context)
        self._quantities = settings.quantities
        self._node: EdgeNode | None = None

    @property
    def trouble(self) -> str:
        if self._connection is None or self._node is None:
            return "not connected yet"
        return self._connection.trouble or self._node.trouble

    async def tell(self, take: Take, *, keeping: bool) -> None:
        said = self._said
        connection = self._connection = self._connection or self._join(keeping)
        node = self._node = node_of(connection, said.group, said.node, may_ask=said.rebirth)
        ear = Ear(said.device, lambda values, message: self._heard(values, message, take), lambda n: take(Gone(n)))
        node.ears.append(ear)
        if len(node.ears) == 1:
            connection.add(node.hearer)
        elif not connection.trouble:
            node.ask()  # whoever comes later missed what the birth said
        try:
            await asyncio.Event().wait()
        finally:
            node.ears.remove(ear)
            if not node.ears:
                connection.remove(node.hearer)

    def _heard(self, said: dict[str, Value], message: Message, take: Take) -> None:
        here = {name: wanted for name, wanted in self._quantities.items() if wanted.metric in said}
        told = {name: inside(name, wanted, said[wanted.metric].value) for name, wanted in here.items()}
        values = {name: value for name, value in told.items() if value is not None}
        if not told:
            return
        at, doubt = next(iter(said.values())).at or message.arrived, ""
        try:
            checked(at, message.arrived)
        except NoTimeError as error:
            at, doubt = message.arrived, str(error)
        raw = json.dumps({"topic": message.topic, "payload": message.payload.hex()[:MOST_RAW]})
        unknown = tuple(name for name in told if name not in values)
        take(Said(at=at, values=values, unknown=unknown, doubt=doubt, raw=raw))

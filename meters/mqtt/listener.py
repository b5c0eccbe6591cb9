"""A meter behind a broker, as the collector listens to it."""

import asyncio
from pathlib import Path

from energy.model.meter import Meter
from energy.ports import Context
from meters.gathering import Gathering
from meters.mqtt import Settings, broker
from meters.mqtt.broker import Address, Hearer, Message
from meters.mqtt.plain import PlainSource
from meters.told import Gone, Take, Told


def listener(settings: Settings, meter: Meter, context: Context) -> Told:
    """A listener of that meter."""
    window = settings.together_seconds
    return Told(
        meter,
        MqttSource(settings, context),
        Gathering(meter, settings.quantities, window),
        context.clock,
        window_seconds=window,
        silent_after_seconds=settings.silence_seconds,
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


class MqttSource:
    """Hears the topics of one meter on the shared connection to its broker."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._context = context
        self._address = address(settings, context)
        self._plain = PlainSource(settings, context.site.zone)
        self._connection: broker.Connection | None = None
        self._silent_by_itself = settings.silence_seconds is not None

    @property
    def trouble(self) -> str:
        here = self._connection
        return (here.trouble if here is not None else "not connected yet") or self._plain.trouble

    async def tell(self, take: Take) -> None:
        def hear(message: Message) -> None:
            for item in self._plain.items(message):
                take(item)

        def lost(note: str) -> None:
            if not self._silent_by_itself:
                take(Gone(note))

        if self._connection is None:
            self._connection = broker.join(self._address, self._context.clock)
        hearer = Hearer(self._plain.topics, hear, lambda: None, lost)
        self._connection.add(hearer)
        try:
            await asyncio.Event().wait()
        finally:
            self._connection.remove(hearer)

    async def close(self) -> None:
        if self._connection is not None:
            await broker.leave(self._connection)
            self._connection = None

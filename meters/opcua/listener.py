"""A meter on an OPC UA server, as the collector listens to it."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from asyncua import ua

from energy.clock import aware
from energy.model.meter import Meter
from energy.ports import Context
from meters.gathering import Gathering, Said
from meters.moments import NoTimeError, checked
from meters.opcua import OpcQuantity, Settings
from meters.opcua.connection import Address, Connection, Hearer, Place, join, leave
from meters.told import Gone, Take, ToldMeter
from meters.wanted import inside, mistakes_of, number


def listener(settings: Settings, meter: Meter, context: Context) -> ToldMeter:
    """A listener of that meter. That it is gone is said by the server or the connection, never by silence alone: a
    value that does not change is not told again."""
    window = settings.together_seconds
    return ToldMeter(
        meter,
        OpcSource(settings, context),
        Gathering(meter, settings.quantities, window, context.last_good.get(meter.id)),
        context.clock,
        window_seconds=window,
        silent_after_seconds=None,
        confirm_seconds=settings.confirm_seconds,
    )


def address(settings: Settings, folder: Path) -> Address:
    def file(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    return Address(
        endpoint=settings.endpoint,
        security=settings.security,
        mode=settings.mode,
        cert_file=file(settings.cert_file),
        key_file=file(settings.key_file),
        server_cert_file=file(settings.server_cert_file),
        user=settings.user,
        password=settings.password,
        subscribe=settings.subscribe,
        sample_seconds=settings.sample_seconds,
    )


class OpcSource:
    """Hears the nodes of one meter on the shared connection to its server."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._quantities = settings.quantities
        self._address = address(settings, Path(context.folder))
        self._clock = context.clock
        self._connection: Connection | None = None
        self._units: dict[str, str] = {}
        self._doubts: dict[str, str] = {}
        self._bad: dict[str, str] = {}  # quantity → why the server does not know it
        self._own_trouble = ""

    @property
    def trouble(self) -> str:
        here = self._connection
        return (here.trouble if here is not None else "not connected yet") or self._own_trouble

    async def tell(self, take: Take, *, keeping: bool) -> None:  # noqa: ARG002 - a server keeps nothing for us
        def lost(note: str) -> None:
            self._own_trouble = note
            take(Gone(note))

        def units(said: Mapping[str, str]) -> None:
            trouble = self._understood(said)
            self._own_trouble = trouble
            if trouble:
                take(Gone(trouble))

        def hear(quantity: str, value: ua.DataValue) -> None:
            for item in self._items(quantity, value):
                take(item)

        self._connection = self._connection or join(self._address)
        places = {name: Place(q.node, q.path) for name, q in self._quantities.items()}
        hearer = Hearer(places, units, hear, lost)
        self._connection.add(hearer)
        try:
            await asyncio.Event().wait()
        finally:
            self._connection.remove(hearer)

    async def close(self) -> None:
        if self._connection is not None:
            await leave(self._connection)
            self._connection = None

    def _understood(self, said: Mapping[str, str]) -> str:
        """Take what the nodes say of their units; why that is not enough, else empty."""
        self._units, self._doubts, self._bad = {}, {}, {}
        missing = []
        for name, quantity in self._quantities.items():
            unit = quantity.unit if quantity.unit is not None else said.get(name, "")
            if not _is_unit(name, unit, quantity):
                missing.append(f"quantities.{name}.unit: the server does not say it; give it here")
                continue
            self._units[name] = unit
            if quantity.unit is not None and said.get(name) not in ("", None, unit):
                self._doubts[name] = f"the server says {name} in {said[name]}, config.yaml says {unit}"
        return "; ".join(missing)

    def _items(self, name: str, data: ua.DataValue) -> list[Said | Gone]:
        if name not in self._units:
            return []
        status = data.StatusCode if data.StatusCode is not None else ua.StatusCode()
        value = None if data.Value is None else number(data.Value.Value)
        known = None if status.is_bad() else inside(name, self._quantities[name].wanted(self._units[name]), value)
        if known is None:
            self._bad[name] = status.name if status.is_bad() else f"no number but {_said(data)}"
            if len(self._bad) < len(self._quantities):
                return [Said(at=self._clock.now(), unknown=(name,))]
            told = ", ".join(f"{bad}: {reason}" for bad, reason in self._bad.items())
            return [Gone(f"the server does not know its values ({told})")]
        self._bad.pop(name, None)
        doubts = [self._doubts[name]] if name in self._doubts else []
        doubts += [f"the server is not sure of {name} ({status.name})"] if status.is_uncertain() else []
        now = self._clock.now()
        at = _utc(data.SourceTimestamp) or _utc(data.ServerTimestamp) or now
        try:
            checked(at, now)
        except NoTimeError as error:
            doubts, at = [*doubts, str(error)], now
        raw = json.dumps({"quantity": name, "value": _said(data), "status": status.name, "source": at.isoformat()})
        return [Said(at=at, values={name: known}, doubt="; ".join(doubts), raw=raw)]


def _is_unit(name: str, unit: str, quantity: OpcQuantity) -> bool:
    return not mistakes_of({name: quantity.wanted(unit)})


def _utc(said: datetime | None) -> datetime | None:
    if said is None:
        return None
    return said.replace(tzinfo=UTC) if said.tzinfo is None else aware(said)


def _said(data: ua.DataValue) -> str:
    return repr(None if data.Value is None else data.Value.Value)[:100]

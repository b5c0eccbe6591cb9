"""A machine behind an MTConnect agent, as the collector listens to it: asked for all that is new since the last time, so
that nothing is lost in between."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from energy.errors import FeedError
from energy.http import Client, client, get_bytes
from energy.model.meter import Meter
from energy.ports import Context
from meters.gathering import STATE, Gathering, Said
from meters.moments import NoTimeError, checked
from meters.mtconnect import Item, MtQuantity, Settings
from meters.mtconnect.document import (
    UNAVAILABLE,
    DataItem,
    DocumentError,
    Observation,
    data_items,
    streams,
)
from meters.mtconnect.units import UNITS
from meters.told import Gone, Take, ToldMeter
from meters.wanted import Wanted, inside, mistakes_of, number

log = logging.getLogger("loadstone.mtconnect")

MOST_AT_ONCE = 1000  # observations in an answer
LONGEST_PAUSE_SECONDS = 60.0


def listener(settings: Settings, meter: Meter, context: Context) -> ToldMeter:
    """A listener of that meter."""
    window = settings.together_seconds
    wanted = [*settings.quantities, *([STATE] if settings.state else [])]
    return ToldMeter(
        meter,
        MtSource(settings, context),
        Gathering(meter, wanted, window, context.last_good.get(meter.id)),
        context.clock,
        window_seconds=window,
        silent_after_seconds=None,
        confirm_seconds=settings.confirm_seconds,
    )


class FitError(Exception):
    """The device has not what the config asks for."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """Which data items say what."""

    quantities: dict[str, tuple[str, Wanted]]  # data item → quantity and its unit
    state: str = ""
    availability: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.quantities, *filter(None, (self.state, self.availability))]))


class MtSource:
    """Asks an agent for one device: what it has, what it says now, then what is new."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._clock = context.clock
        self._ca_bundle = context.ca_bundle
        self._client: Client | None = None
        self._fit: _Fit | None = None
        self._instance = ""
        self._next = 0
        self._bad: set[str] = set()
        self.trouble = "not asked yet"

    async def tell(self, take: Take, *, keeping: bool) -> None:  # noqa: ARG002 - an agent forgets by itself
        pause = self._settings.poll_seconds
        while True:
            try:
                more = await self._ask(take)
                self.trouble, pause = "", self._settings.poll_seconds
            except (FeedError, DocumentError, FitError) as error:
                more = self._failed(error, take)
                pause = min(2 * pause, max(LONGEST_PAUSE_SECONDS, self._settings.poll_seconds))
            if not more:
                await asyncio.sleep(pause / max(1.0, self._clock.speed))

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _ask(self, take: Take) -> bool:
        """One question. Whether more is waiting."""
        if self._fit is None:
            self._fit = fit(self._settings, data_items(await self._get("probe")))
            self._instance = ""
        path = " or ".join(f'@id="{id}"' for id in self._fit.ids)
        wanted = {"path": f"//DataItem[{path}]"}
        if not self._instance:
            said = streams(await self._get("current", **wanted))
        else:
            said = streams(await self._get("sample", **wanted, **{"from": str(self._next), "count": str(MOST_AT_ONCE)}))
            if said.instance != self._instance:
                self._fit = None  # it started again, and may have become another
                raise DocumentError("it started again")
        self._instance, self._next = said.instance, said.next
        for observation in said.observations:
            for item in self._items(observation, self._fit):
                take(item)
        return said.next <= said.last

    def _failed(self, error: Exception, take: Take) -> bool:
        """Say what happened; whether it can go on at once, from what is the case now."""
        there = self._settings.url
        if isinstance(error, DocumentError) and (error.code == "OUT_OF_RANGE" or str(error) == "it started again"):
            lost = "its buffer ran over" if error.code else "it started again"
            note = f"{there}: {lost}; what was said since the last time is lost"
            log.warning("%s", note)
            again = bool(self._instance)
            self._instance = ""
            take(Gone(note))
            return again
        if isinstance(error, FitError):
            self._fit = None
        self.trouble = f"{there}: {error}"
        take(Gone(self.trouble))
        return False

    async def _get(self, what: str, **params: str) -> bytes:
        if self._client is None:
            self._client = client(
                ca_bundle=self._ca_bundle,
                read_seconds=self._settings.timeout_seconds,
                retries=0,
                accept="application/xml, text/xml",
            )
        parts = [self._settings.url.rstrip("/"), quote(self._settings.device, safe=""), what]
        url = "/".join(part for part in parts if part)
        # The document says what is wrong, whatever the status.
        _, body = await asyncio.to_thread(get_bytes, self._client, url, params, feed="the MTConnect agent")
        return body

    def _items(self, seen: Observation, fits: _Fit) -> Sequence[Said | Gone]:
        now = self._clock.now()
        at, doubt = seen.at or now, ""
        try:
            checked(at, now)
        except NoTimeError as error:
            at, doubt = now, str(error)
        raw = f"{seen.item} {seen.sequence} {seen.value}"
        if seen.item == fits.availability and seen.item not in fits.quantities:
            return [Gone("the machine is not available, as its agent says")] if seen.value == UNAVAILABLE else []
        if seen.item == fits.state:
            known = seen.value and seen.value != UNAVAILABLE
            return [Said(at=at, state=seen.value, doubt=doubt) if known else Said(at=at, unknown=(STATE,))]
        if seen.item not in fits.quantities:
            return []
        name, wanted = fits.quantities[seen.item]
        value = inside(name, wanted, number(seen.value))
        if value is not None and seen.duration and name.startswith("total_"):
            raise FitError(f"data item {seen.item} says energy over {seen.duration} s each time, and is no counter")
        if value is None:
            self._bad.add(name)
            all_bad = self._bad >= {quantity for quantity, _ in fits.quantities.values()}
            return [Gone("none of its values is known, as its agent says") if all_bad else Said(at=at, unknown=(name,))]
        self._bad.discard(name)
        return [Said(at=at, values={name: value}, doubt=doubt, raw=raw)]


def fit(settings: Settings, items: Sequence[DataItem]) -> _Fit:
    """Which data items of a device are meant. FitError names all that cannot be."""
    own = [item for item in items if not settings.device or settings.device in item.device]
    mistakes: list[str] = []
    quantities: dict[str, tuple[str, Wanted]] = {}
    for name, quantity in settings.quantities.items():
        found = _found(f"quantities.{name}", quantity, own, mistakes)
        if found is not None:
            wanted = _wanted(name, quantity, found, mistakes)
            quantities |= {} if wanted is None else {found.id: (name, wanted)}
    state = None if settings.state is None else _found("state", settings.state, own, mistakes)
    if mistakes:
        raise FitError("; ".join(mistakes))
    here = next((item.id for item in own if item.type == "AVAILABILITY"), "")
    return _Fit(quantities, "" if state is None else state.id, here)


def _found(where: str, wanted: Item, items: Sequence[DataItem], mistakes: list[str]) -> DataItem | None:
    fits = [
        item
        for item in items
        if (wanted.id in (item.id, item.name) if wanted.id else wanted.type == item.type)
        and (not wanted.subtype or wanted.subtype == item.subtype)
        and (not wanted.component or wanted.component in item.component)
    ]
    if len(fits) == 1:
        return fits[0]
    what = wanted.id or wanted.type
    if fits:
        told = ", ".join(
            f"{item.id} ({item.subtype or '–'}, {item.component[1] or item.component[0]})" for item in fits
        )
        mistakes.append(f"{where}: several data items are {what}: {told}; name one by its id")
    else:
        has = ", ".join(sorted({item.type for item in items})) or "nothing"
        mistakes.append(f"{where}: the device has no data item {what}; it has {has}")
    return None


def _wanted(name: str, said: MtQuantity, item: DataItem, mistakes: list[str]) -> Wanted | None:
    unit, factor = (said.unit, 1.0) if said.unit is not None else UNITS.get(item.units, ("", 1.0))
    wanted = Wanted(unit=unit, scale=said.scale * factor)
    if mistakes_of({name: wanted}):
        mistakes.append(f"quantities.{name}.unit: {item.id} says {item.units or 'none'}; give the unit here")
        return None
    return wanted

"""One connection to a broker, shared by all meters that it speaks for: subscribes, reconnects, and acknowledges a
message only when nothing depends on it any more, so that the broker keeps what a crash would lose."""

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from energy.clock import Clock

log = logging.getLogger("loadstone.mqtt")
logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # what goes wrong there is said in the readings

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
KEEPALIVE_SECONDS = 30
ANSWER_SECONDS = 10.0
MOST_IN_FLIGHT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A broker as one client of it sees it."""

    host: str
    port: int
    client_id: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    version: int | str = 5
    keep_seconds: int | None = None  # None: nothing is kept for us while we are away

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Message:
    """What came on a topic. `retained`: the broker kept it, nobody knows for how long. `done` must be called once."""

    topic: str
    payload: bytes
    retained: bool
    arrived: datetime
    done: Callable[[], None]


Hear = Callable[[Message], None]
Lost = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Hearer:
    """One meter's ear: which topics it wants, and who is told."""

    topics: tuple[str, ...]
    hear: Hear
    connected: Callable[[], None]
    lost: Lost


class Acknowledging(aiomqtt.Client):
    """A client that acknowledges when it is told to, in the order in which messages came, as MQTT demands."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._client.manual_ack_set(True)
        self._unacknowledged: deque[_Receipt] = deque()

    def receipt(self, message: aiomqtt.Message, hearers: int) -> "_Receipt":
        """Counts down who is done with a message."""
        made = _Receipt(self, message, hearers)
        if message.qos:
            self._unacknowledged.append(made)
        return made

    def settle(self) -> None:
        while self._unacknowledged and self._unacknowledged[0].left <= 0:
            message = self._unacknowledged.popleft().message
            if self._client.is_connected():
                self._client.ack(message.mid, message.qos)


class _Receipt:
    def __init__(self, client: Acknowledging, message: aiomqtt.Message, hearers: int) -> None:
        self._client = client
        self.message = message
        self.left = hearers

    def done(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self._client.settle()


class Connection:
    """A client of a broker that stays connected while somebody listens."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self.address = address
        self.users = 0
        self.trouble = "not connected yet"
        self.nodes: dict[tuple[str, str], Any] = {}  # what Sparkplug edge nodes have told so far
        self._clock = clock
        self._hearers: list[Hearer] = []
        self._of_topic: dict[
            str, list[Hearer]
        ] = {}  # by topics without wildcards: a thousand meters are looked up, not tried
        self._of_filter: list[tuple[str, Hearer]] = []
        self._client: Acknowledging | None = None
        self._refused: dict[str, str] = {}
        self._running: asyncio.Task[None] | None = None
        self._others: set[asyncio.Task[None]] = set()

    def add(self, hearer: Hearer) -> None:
        self._hearers.append(hearer)
        self._sort()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        elif self._client is not None:
            self._aside(self._subscribe(self._client, hearer.topics, [hearer]))

    def remove(self, hearer: Hearer) -> None:
        self._hearers.remove(hearer)
        self._sort()

    def _sort(self) -> None:
        """Who is to be told of which topic."""
        self._of_topic, self._of_filter = {}, []
        for hearer in self._hearers:
            for topic in hearer.topics:
                if "+" in topic or "#" in topic:
                    self._of_filter.append((topic, hearer))
                else:
                    self._of_topic.setdefault(topic, []).append(hearer)

    def _ears(self, topic: str) -> list[Hearer]:
        """Who is told of a message, each once."""
        ears = self._of_topic.get(topic, [])
        wide = [hearer for filter, hearer in self._of_filter if matches(topic, filter)]
        return [*ears, *(hearer for i, hearer in enumerate(wide) if hearer not in wide[:i] and hearer not in ears)]

    def now(self) -> datetime:
        return self._clock.now()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message, if there is a connection; what is lost is asked for again later."""
        if self._client is not None:
            self._aside(self._publish(self._client, topic, payload))

    async def close(self) -> None:
        for task in [*([self._running] if self._running else []), *self._others]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._running = None

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._made() as client:
                    self._client = client
                    await self._subscribe(client, sorted({t for h in self._hearers for t in h.topics}), self._hearers)
                    pause = FIRST_PAUSE_SECONDS
                    async for message in client.messages:
                        self._deliver(client, message)
            except (aiomqtt.MqttError, OSError) as error:
                self._lost(why(error, self.address))
            except Exception as error:
                # Whatever it is, the meters behind this broker are silent until it works again, and it is said.
                log.exception("the connection to %s failed", self.address)
                self._lost(f"the connection to {self.address} failed: {error}")
            finally:
                self._client = None
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # not all plants at once after a power cut
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _made(self) -> Acknowledging:
        to = self.address
        five = to.version == 5
        kept = to.keep_seconds is not None
        return Acknowledging(
            to.host,
            to.port,
            username=to.user,
            password=to.password,
            identifier=to.client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else not kept,
            **({"clean_start": not kept} if five else {}),  # the one is a word of MQTT 5, the other of MQTT 3
            properties=_properties(to.keep_seconds or 0) if five else None,
            tls_context=_trusted(to) if to.tls else None,
            keepalive=KEEPALIVE_SECONDS,
            timeout=ANSWER_SECONDS,
        )

    async def _subscribe(self, client: Acknowledging, topics: Any, hearers: Any) -> None:
        wanted = list(topics)
        if not wanted:
            return
        said = await client.subscribe([(topic, 1) for topic in wanted])
        codes = [getattr(code, "value", code) for code in said]
        self._refused = {t: str(s) for t, s, code in zip(wanted, said, codes, strict=True) if code >= 128}
        if self._refused:
            reason = "; ".join(f"{topic} ({why})" for topic, why in self._refused.items())
            self._lost(f"the broker {self.address} does not let {self.address.user or 'us'} read {reason}")
        else:
            self.trouble = ""
            log.info("connected to the broker %s", self.address)
        for hearer in list(hearers):
            hearer.connected()

    def _deliver(self, client: Acknowledging, message: aiomqtt.Message) -> None:
        ears = self._ears(str(message.topic))
        receipt = client.receipt(message, len(ears))
        payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
        said = Message(str(message.topic), payload, bool(message.retain), self.now(), receipt.done)
        for ear in ears:
            before = receipt.left
            try:
                ear.hear(said)
            except Exception:
                # One message that we cannot take, for our fault or its own: all other meters here must still be heard,
                # and it must not come again and again.
                log.exception("a message on %s could not be taken, and is passed over", said.topic)
                if receipt.left == before:
                    receipt.done()
        client.settle()

    def _lost(self, note: str) -> None:
        if note != self.trouble:
            log.warning("%s", note)
        self.trouble = note
        for hearer in self._hearers:
            hearer.lost(note)

    def _aside(self, doing: Any) -> None:
        task = asyncio.ensure_future(doing)
        self._others.add(task)
        task.add_done_callback(self._put_aside)

    def _put_aside(self, task: "asyncio.Task[None]") -> None:
        self._others.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._lost(why(error, self.address))

    async def _publish(self, client: Acknowledging, topic: str, payload: bytes) -> None:
        await client.publish(topic, payload)


def matches(topic: str, filter: str) -> bool:
    """Whether a topic is one of those that a filter names."""
    parts, wanted = topic.split("/"), filter.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(parts) < len(wanted) or topic.startswith("$"):
            return False
        parts = parts[: len(wanted)]
    return len(parts) == len(wanted) and all(w in ("+", p) for p, w in zip(parts, wanted, strict=True))


def _properties(keep_seconds: int) -> Properties:
    said = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    said.SessionExpiryInterval = keep_seconds
    said.ReceiveMaximum = MOST_IN_FLIGHT  # acknowledged only once kept: the broker must not wait for each twenty
    return said


def _trusted(to: Address) -> ssl.SSLContext:
    trusted = ssl.create_default_context(cafile=to.ca_file)
    if to.cert_file:
        trusted.load_cert_chain(to.cert_file, to.key_file)
    return trusted


def why(error: BaseException, to: Address) -> str:
    """What went wrong with a broker, and what to try."""
    said = str(error)
    code = getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))
    connecting = isinstance(error, aiomqtt.exceptions.MqttConnectError)
    if "CERTIFICATE_VERIFY_FAILED" in said or "certificate" in said.lower():
        return f"the certificate of {to} is not trusted ({_short(said)}): is tls.ca_file right, and the host name?"
    if connecting and code in {4, 134, 5, 135}:
        who = f"user {to.user!r}" if to.user else "a client without a user"
        return f"{to} refused {who}: are user and password right?"
    if connecting and code in {1, 132}:
        return f"{to} does not speak MQTT {to.version}: say mqtt_version: 3.1.1"
    if connecting and code in {2, 133}:
        return f"{to} refused the client id {to.client_id!r}: give another client_id"
    if code == 142:
        return f"another client took over the id {to.client_id!r} at {to}: give this collector its own client_id"
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}: look at tls"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {to} ({_short(said)}): is it the right port, and the key the certificate's?"
    if "refused" in said.lower():
        return f"{to} refused the connection: is the broker on, and the port right?"
    if "timed out" in said.lower():
        return f"{to} does not answer: is the address right, a firewall between, or TLS asked for?"
    return f"the connection to {to} was lost ({_short(said)})"


def _short(said: str) -> str:
    return " ".join(said.split())[:160]


_CONNECTIONS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Address, Connection]] = WeakKeyDictionary()


def join(address: Address, clock: Clock) -> Connection:
    """The one connection of the running loop to that broker."""
    here = _CONNECTIONS.setdefault(asyncio.get_running_loop(), {})
    connection = here.setdefault(address, Connection(address, clock))
    connection.users += 1
    return connection


async def leave(connection: Connection) -> None:
    """Say that a meter no longer needs the connection; the last one closes it."""
    connection.users -= 1
    if connection.users <= 0:
        _CONNECTIONS.get(asyncio.get_running_loop(), {}).pop(connection.address, None)
        await connection.close()

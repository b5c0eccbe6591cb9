"""One connection to an OPC UA server, shared by all meters that are nodes of it: finds the nodes, subscribes to them (or
asks, where the server cannot tell), and connects again."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.common.subscription import DataChangeEvent, StatusChangeEvent
from asyncua.crypto import security_policies, uacrypto
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from cryptography import x509

from meters.opcua.units import unit_of

log = logging.getLogger("loadstone.opcua")
logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what goes wrong there is said in the readings

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
ANSWER_SECONDS = 5.0
LOOK_SECONDS = 5.0  # how often it is seen whether the server is still there
STAY_SECONDS = 60.0  # how long the server keeps what is ours after it has lost us
KEPT_AT_SERVER = 1000  # values of a node that the server keeps between two messages
SHOWN_NODES = 20  # so many nodes are named where one is missing
WAITING = 100_000  # values of all nodes that wait for us

POLICIES: dict[str, Any] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
MODES = {"sign": ua.MessageSecurityMode.Sign, "sign and encrypt": ua.MessageSecurityMode.SignAndEncrypt}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server as one client of it sees it."""

    endpoint: str
    security: str = "none"
    mode: str = "sign and encrypt"
    cert_file: str | None = None
    key_file: str | None = None
    server_cert_file: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    subscribe: bool = True
    sample_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quantity is: a NodeId, or a path of browse names from Objects."""

    node: str = ""
    path: str = ""

    def __str__(self) -> str:
        return self.node or self.path


@dataclass(frozen=True, slots=True)
class Hearer:
    """One meter's ear. `units` are told when the nodes are found, with what each says of its unit ("" for nothing)."""

    places: Mapping[str, Place]
    units: Callable[[Mapping[str, str]], None]
    hear: Callable[[str, ua.DataValue], None]
    lost: Callable[[str], None]


class LostError(Exception):
    """The server no longer speaks to us."""


class Connection:
    """A client of a server that stays connected while somebody listens."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.users = 0
        self.trouble = "not connected yet"
        self._hearers: list[Hearer] = []
        self._running: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def add(self, hearer: Hearer) -> None:
        self._hearers.append(hearer)
        self._changed.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    def remove(self, hearer: Hearer) -> None:
        self._hearers.remove(hearer)

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with _connected(self.address) as client:
                    pause = FIRST_PAUSE_SECONDS
                    await self._serve(client)
                continue  # somebody new wants to be told
            except (UaError, OSError, TimeoutError, LostError, ValueError) as error:
                self._lost(why(error, self.address))
            except Exception as error:
                # Whatever it is, the meters of this server are silent until it works again, and it is said.
                log.exception("the connection to %s failed", self.address.endpoint)
                self._lost(f"the connection to {self.address.endpoint} failed: {error}")
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # not all plants at once after a power cut
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _serve(self, client: Client) -> None:
        """Tell all hearers what their nodes say, until somebody new comes or the connection is lost."""
        self._changed.clear()
        ears = await self._found(client)
        self.trouble = ""
        log.info("connected to %s", self.address.endpoint)
        telling = asyncio.create_task(self._tell(client, ears))
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait({telling, changed}, return_when=asyncio.FIRST_COMPLETED)
            if telling in done:
                telling.result()
        finally:
            for task in (telling, changed):
                task.cancel()
            await asyncio.gather(telling, changed, return_exceptions=True)

    async def _found(self, client: Client) -> dict[Node, list[Callable[[ua.DataValue], None]]]:
        """Who is told of each node. A meter with a node that the server does not have is told of none."""
        ears: dict[Node, list[Callable[[ua.DataValue], None]]] = {}
        for hearer in list(self._hearers):
            try:
                nodes = {name: await _node(client, place) for name, place in hearer.places.items()}
                units = {name: await _unit(node) for name, node in nodes.items()}
            except NodeError as error:
                hearer.lost(str(error))
                continue
            hearer.units(units)
            for name, node in nodes.items():
                ears.setdefault(node, []).append(_bound(hearer, name))
        return ears

    async def _tell(self, client: Client, ears: dict[Node, list[Callable[[ua.DataValue], None]]]) -> None:
        if not ears:
            await asyncio.Event().wait()
        milliseconds = 1000 * self.address.sample_seconds
        if not self.address.subscribe:
            await self._ask(client, ears)
        try:
            told = await client.create_subscription(milliseconds, queue_maxsize=WAITING)
        except UaStatusCodeError as error:
            log.info("%s cannot tell (%s); it is asked instead", self.address.endpoint, error)
            await self._ask(client, ears)
        handles = await told.subscribe_data_change(
            list(ears), queuesize=KEPT_AT_SERVER, sampling_interval=ua.Double(milliseconds)
        )
        for node, handle in zip(ears, handles, strict=True):
            if isinstance(handle, ua.StatusCode):
                for ear in ears[node]:
                    ear(ua.DataValue(StatusCode=handle))
        async for event in told:
            if isinstance(event, StatusChangeEvent):
                raise LostError(f"it ended the subscription ({event.notification.Status.name})")
            if isinstance(event, DataChangeEvent):
                for ear in ears.get(event.node, ()):
                    ear(event.data.monitored_item.Value)
        raise LostError("it ended the subscription")

    async def _ask(self, client: Client, ears: dict[Node, list[Callable[[ua.DataValue], None]]]) -> None:
        nodes = list(ears)
        while True:
            for node, value in zip(nodes, await client.read_attributes(nodes), strict=True):
                for ear in ears[node]:
                    ear(value)
            await asyncio.sleep(self.address.sample_seconds)

    def _lost(self, note: str) -> None:
        if note != self.trouble:
            log.warning("%s", note)
        self.trouble = note
        for hearer in self._hearers:
            hearer.lost(note)


class _connected:  # noqa: N801 - used like a function
    """A client for as long as the block lasts; what fails on the way out was lost before."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def __aenter__(self) -> Client:
        self._client = await _client(self._address)
        async with asyncio.timeout(4 * ANSWER_SECONDS):
            await self._client.connect()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        with suppress(Exception):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._client.disconnect()


async def _client(to: Address) -> Client:
    client = Client(to.endpoint, timeout=ANSWER_SECONDS, watchdog_intervall=LOOK_SECONDS)
    client.name = client.description = "Loadstone"
    client.application_uri = "urn:loadstone:collector"
    client.session_timeout = int(1000 * STAY_SECONDS)
    if to.user is not None:
        client.set_user(to.user)
        client.set_password(to.password or "")
    if to.security != "none" and to.cert_file is not None and to.key_file is not None:
        ours = await uacrypto.load_certificate(to.cert_file)
        client.application_uri = _uri(ours) or client.application_uri  # the server compares it with the certificate
        await client.set_security(
            POLICIES[to.security],
            Path(to.cert_file),
            Path(to.key_file),
            server_certificate=to.server_cert_file,
            mode=MODES[to.mode],
        )
    return client


def _uri(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")


class NodeError(Exception):
    """A node that the server does not have, or that we may not see."""


async def _node(client: Client, place: Place) -> Node:
    try:
        if place.path:
            return await client.nodes.objects.get_child(place.path.split("/"))
        node = client.get_node(await _without_uri(client, place.node))
        await node.read_node_class()
    except (UaError, ValueError) as error:
        there = await _there(client, place.path) if place.path else ""
        raise NodeError(f"the server has no node {place} for us ({_short(error)}){there}") from error
    return node


async def _there(client: Client, path: str) -> str:
    """What lies where a path ends too early, by browse name: most often the number of the namespace is another one."""
    here, walked = client.nodes.objects, "Objects"
    try:
        for step in path.split("/"):
            lying = [
                (await child.read_browse_name()).to_string() for child in (await here.get_children())[:SHOWN_NODES]
            ]
            if step.removeprefix("0:") not in {name.removeprefix("0:") for name in lying}:
                return f"; in {walked} there is {', '.join(lying) or 'nothing'}"
            here, walked = await here.get_child([step]), step
    except (UaError, ValueError):
        pass  # it does not let us look: then what it refused has been said
    return ""


async def _without_uri(client: Client, node: str) -> str:
    """The node by the number that its namespace has at the server today."""
    if not node.startswith("nsu="):
        return node
    uri, _, rest = node.removeprefix("nsu=").partition(";")
    return f"ns={await client.get_namespace_index(uri)};{rest}"


async def _unit(node: Node) -> str:
    """What a node says of its unit; empty where it says nothing that we know."""
    try:
        said = await (await node.get_child("0:EngineeringUnits")).read_value()
    except UaError:
        return ""  # most nodes have no such property
    return unit_of(int(said.UnitId), str(said.DisplayName.Text or "")) if isinstance(said, ua.EUInformation) else ""


def _bound(hearer: Hearer, name: str) -> Callable[[ua.DataValue], None]:
    return lambda value: hearer.hear(name, value)


def why(error: BaseException, to: Address) -> str:
    """What went wrong with a server, and what to try."""
    said, there = _short(error), to.endpoint
    if isinstance(error, LostError):
        return f"{there}: {error}"
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}: look at cert_file, key_file, server_cert_file"
    if isinstance(error, ConnectionRefusedError):
        return f"{there} refused the connection: is the server on, and the port right?"
    if isinstance(error, TimeoutError):
        return f"{there} does not answer: is the address right, a firewall between?"
    if any(word in said for word in ("BadUserAccessDenied", "BadIdentityToken", "UserAccessDenied")):
        return f"{there} refused user {to.user or 'without a name'}: are user and password right? ({said})"
    if "No matching endpoints" in said or "BadSecurityPolicyRejected" in said:
        return f"{there} does not offer {to.security}, {to.mode}: choose one that it does ({said})"
    if "Certificate" in said or "BadSecurityChecksFailed" in said:
        return f"{there} does not trust our certificate, or we not its own: accept it at the server ({said})"
    if "BadTooManySessions" in said:
        return f"{there} has no place for one more client; is another one forgotten there?"
    return f"the connection to {there} was lost ({said})"


def _short(error: BaseException) -> str:
    name = type(error).__name__
    return f"{name} {' '.join(str(error).split()).removesuffix(f'({name})')}"[:200].strip()


_CONNECTIONS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Address, Connection]] = WeakKeyDictionary()


def join(address: Address) -> Connection:
    """The one connection of the running loop to that server."""
    here: dict[Address, Connection] = _CONNECTIONS.setdefault(asyncio.get_running_loop(), {})
    connection = here.setdefault(address, Connection(address))
    connection.users += 1
    return connection


async def leave(connection: Connection) -> None:
    """Say that a meter no longer needs the connection; the last one closes it."""
    connection.users -= 1
    if connection.users <= 0:
        here: dict[Any, Any] = _CONNECTIONS.get(asyncio.get_running_loop(), {})
        here.pop(connection.address, None)
        await connection.close()

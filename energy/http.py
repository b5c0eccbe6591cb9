"""The one place that makes HTTP clients: time-outs, retries, proxy and CA bundle of the company.

Only https (http to this machine itself is allowed), redirects only on the same host, answers of at most 5 MB, and a
host that asks to be left alone is left alone for as long as it says.
"""

import hashlib
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx
from httpx_retries import Retry, RetryTransport

from energy.errors import FeedError, LoadstoneError

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
ANSWER_SECONDS = 60.0  # for the whole answer, so that a trickle does not hold a step up
MOST_BYTES = 5_000_000
MOST_REDIRECTS = 3
LONGEST_WAIT_SECONDS = 20.0  # a longer Retry-After ends the attempt; the next one comes with the next fetch
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


Client = httpx.Client  # for signatures elsewhere: only this file knows httpx


@dataclass(frozen=True, slots=True)
class Fetched:
    """The JSON of an answer, and a hash of the bytes that came."""

    data: Any
    digest: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for something that was handed over: any status, any words."""

    status: int
    kind: str
    body: bytes

    @property
    def words(self) -> str:
        """The answer in a few words, for the log."""
        return f"{self.status} {self.kind.partition(';')[0]} {_excerpt(self.body)}"


class LeftAloneError(Exception):
    """A host asked not to be called for so long."""

    def __init__(self, host: str, seconds: float) -> None:
        self.host = host
        self.seconds = seconds
        super().__init__(f"{host} asks to be left alone for another {seconds:.0f} s")


class Patience(httpx.BaseTransport):
    """Leaves a host alone for as long as its Retry-After says, where that is longer than a retry would wait."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport
        self._until: dict[str, float] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        left = self._until.get(host, 0.0) - time.monotonic()
        if left > 0:
            raise LeftAloneError(host, left)
        response = self._transport.handle_request(request)
        seconds = _asked_to_wait(response)
        if seconds > LONGEST_WAIT_SECONDS:
            response.close()
            self._until[host] = time.monotonic() + seconds
            raise LeftAloneError(host, seconds)
        return response

    def close(self) -> None:
        self._transport.close()


def _asked_to_wait(response: httpx.Response) -> float:
    said = response.headers.get("Retry-After", "")
    if response.status_code not in {429, 503} or not said:
        return 0.0
    try:
        return Retry().parse_retry_after(said)
    except ValueError:
        return 0.0


def client(
    *,
    proxy: str | None = None,
    ca_bundle: str | None = None,
    transport: httpx.BaseTransport | None = None,
    backoff_seconds: float = 0.5,
    read_seconds: float = READ_SECONDS,
    retries: int = 3,
    accept: str = "application/json",
) -> httpx.Client:
    """A client for one feed or webhook. `transport` stands in for the network in tests."""
    if transport is None:
        transport = httpx.HTTPTransport(verify=_trusted(ca_bundle), proxy=proxy)
    retry = Retry(
        total=retries, backoff_factor=backoff_seconds, max_backoff_wait=LONGEST_WAIT_SECONDS, backoff_jitter=0.5
    )
    return httpx.Client(
        transport=RetryTransport(transport=Patience(transport), retry=retry),
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
        headers={"User-Agent": "loadstone", "Accept": accept},
        follow_redirects=False,
        trust_env=False,  # the way out stands in config.yaml
    )


def _trusted(ca_bundle: str | None) -> ssl.SSLContext:
    """The certificates that are trusted: the machine's, and those of the company."""
    trusted = ssl.create_default_context()
    if ca_bundle is not None:
        try:
            trusted.load_verify_locations(ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise LoadstoneError(f"network.ca_bundle: {ca_bundle} holds no certificates in PEM: {error}") from error
    return trusted


def get_json(
    client: httpx.Client,
    url: str,
    params: Mapping[str, str] | None = None,
    *,
    feed: str,
    absent: tuple[int, ...] = (),
) -> Fetched | None:
    """The JSON at an address; None where the answer's status is one of `absent`. FeedError says what came instead."""
    status, kind, body = _get(client, httpx.URL(url, params=dict(params or {})), feed)
    if status in absent:
        return None
    if status != httpx.codes.OK:
        _refused(feed, status, body)
    try:
        data = json.loads(body, parse_constant=_no_number)
    except ValueError as error:
        said = f"{feed}: the answer is not JSON but {kind or 'of no stated type'}: {_excerpt(body)}"
        raise FeedError(said) from error
    return Fetched(data, hashlib.blake2b(body, digest_size=16).hexdigest())


def get_bytes(client: httpx.Client, url: str, params: Mapping[str, str], *, feed: str) -> tuple[int, bytes]:
    """Status and body at an address within the plant, where plain http is what machines speak. Nothing secret may be
    asked like that. FeedError where nothing comes."""
    status, _, body = _get(client, httpx.URL(url, params=dict(params)), feed, plain=True)
    return status, body


def post_json(client: httpx.Client, url: str, payload: Any, *, what: str) -> None:
    """Hands a message over, once. LoadstoneError says why it could not be."""
    try:
        _check_scheme(httpx.URL(url), what)
        response = client.post(url, json=payload)
    except (httpx.HTTPError, httpx.InvalidURL, LeftAloneError, FeedError) as error:
        raise LoadstoneError(f"{what}: not handed over: {_why(error, url)}") from error
    if not response.is_success:
        raise LoadstoneError(f"{what}: not handed over: {httpx.URL(url).host} answered {response.status_code}")


def deliver(client: httpx.Client, url: str, content: bytes, headers: Mapping[str, str], *, what: str) -> Answered:
    """Hands bytes over, once, and gives the answer as it came, a redirect too: the caller knows what is an answer.
    LoadstoneError where none came, in whole and in time."""
    try:
        _check_scheme(httpx.URL(url), what)
        with client.stream("POST", url, content=content, headers=dict(headers)) as response:
            return Answered(response.status_code, response.headers.get("Content-Type", ""), _body(response, what))
    except (httpx.HTTPError, httpx.InvalidURL, LeftAloneError) as error:
        raise LoadstoneError(f"{what}: {_why(error, url)}") from error


def _get(client: httpx.Client, url: httpx.URL, feed: str, *, plain: bool = False) -> tuple[int, str, bytes]:
    """Status, content type and body, redirects on the same host followed."""
    first = url
    try:
        for _ in range(MOST_REDIRECTS + 1):
            _check_scheme(url, feed, plain=plain)
            with client.stream("GET", url) as response:
                if not response.has_redirect_location:
                    return response.status_code, response.headers.get("Content-Type", ""), _body(response, feed)
                url = url.join(response.headers["Location"])
            if (url.scheme, url.host, url.port) != (first.scheme, first.host, first.port):
                raise FeedError(f"{feed}: {first.host} redirects to {url.scheme}://{url.host}, which is not followed")
    except (httpx.HTTPError, httpx.InvalidURL, LeftAloneError) as error:
        raise FeedError(f"{feed}: {_why(error, str(url))}") from error
    raise FeedError(f"{feed}: {first.host} redirects in a circle")


def _body(response: httpx.Response, feed: str) -> bytes:
    parts: list[bytes] = []
    size, end = 0, time.monotonic() + ANSWER_SECONDS
    for part in response.iter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise FeedError(f"{feed}: the answer is larger than {MOST_BYTES / 1e6:g} MB and was not read")
        if time.monotonic() > end:
            raise FeedError(f"{feed}: the answer took longer than {ANSWER_SECONDS:.0f} s and was not read")
        parts.append(part)
    return b"".join(parts)


def _check_scheme(url: httpx.URL, what: str, *, plain: bool = False) -> None:
    if url.scheme != "https" and not (url.scheme == "http" and (plain or url.host in LOOPBACK)):
        raise FeedError(f"{what}: {url.scheme or 'no scheme'}://{url.host} is not asked; only https is")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _refused(feed: str, status: int, body: bytes) -> NoReturn:
    said = {
        401: "the key is missing or wrong",
        403: "the key may not ask this",
        407: "the proxy wants a name and password: network.proxy in config.yaml",
        429: "too many calls",
    }
    raise FeedError(f"{feed}: answered {status}, {said.get(status, _excerpt(body))}")


def _why(error: Exception, url: str) -> str:
    host = httpx.URL(url).host
    port = httpx.URL(url).port
    if isinstance(error, httpx.ConnectTimeout):
        return f"{host} cannot be reached within {CONNECT_SECONDS:.0f} s; is a proxy needed (network.proxy)?"
    if isinstance(error, httpx.TimeoutException):
        return f"{host} does not answer in time"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refuses: {error}"
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY" in str(error):
        return f"the certificate of {host} is not trusted ({error}); the company's own goes into network.ca_bundle"
    if isinstance(error, httpx.ConnectError) and "refused" in str(error):
        where = host if port is None else f"{host}:{port}"
        return f"{where} refused the connection: does it run there, and is a proxy needed (network.proxy)?"
    if isinstance(error, httpx.ConnectError):
        return f"{host} cannot be reached ({error}); is a proxy needed (network.proxy)?"
    return str(error) or type(error).__name__


def _excerpt(body: bytes) -> str:
    text = " ".join(body[:200].decode("utf-8", errors="replace").split())
    return repr(text[:80]) if text else "nothing"

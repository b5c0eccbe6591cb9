"""Settings → the running door: who may call, who judges, and the server."""

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from energy.api.app import Doors, Judge, create_app
from energy.api.tokens import Tokens
from energy.build import open_store
from energy.config import Settings
from energy.config.doors import ApiSection, tokens
from energy.errors import ConfigError, LoadstoneError
from energy.plugins import build
from energy.store import Store

log = logging.getLogger("loadstone.api")

END_SECONDS = 5  # that a running request has when the door shuts


def api_section(settings: Settings) -> ApiSection:
    """What the config says of the door; without it there is none."""
    if settings.api is None:
        way_out = "`api: {boxes: [{name: hall-3}]}`, see docs/how-to/edge-box.md"
        raise LoadstoneError(f"{settings.path.name}: there is no section `api`, so there is no door to open: {way_out}")
    return settings.api


def tokens_of(settings: Settings) -> Mapping[str, str]:
    """The tokens that the config names. ConfigError lists those that are missing or too easy to guess."""
    found, mistakes = tokens(api_section(settings), dict(settings.environ))
    if mistakes:
        raise ConfigError(settings.path.name, mistakes)
    return found


def doors_of(settings: Settings, store: Store) -> Doors:
    """Who may say what."""
    section = api_section(settings)
    context = replace(settings.context(), last_good=store.readings.last_good())
    boxes: dict[str, set[str]] = {box.name: set() for box in section.boxes}
    judges: dict[str, Judge] = {}
    for said in settings.meters:
        if said.kind == "edge":
            boxes[getattr(said.options, "box", "")].add(said.meter.id)
        elif said.kind == "push":
            judges[said.meter.id] = build("meters", said.kind, said.options, context)
    return Doors(
        tokens=Tokens(tokens_of(settings)),
        boxes={name: frozenset(meters) for name, meters in boxes.items()},
        gateways={gateway.name: frozenset(gateway.meters) for gateway in section.gateways},
        judges=judges,
        most_bytes=int(section.max_mb * 1e6),
    )


class Server(uvicorn.Server):
    """A server that ends well: uvicorn's own raises the signal again that ended it, and a supervisor would take that for a
    fault."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {sign: signal.signal(sign, self.handle_exit) for sign in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)


def server(settings: Settings) -> tuple[Server, str]:
    """The server, not yet running, and where it will listen. It ends on SIGTERM and Ctrl-C."""
    section = api_section(settings)
    store = open_store(settings)
    app = create_app(store, settings.clock(), doors_of(settings, store))
    config = uvicorn.Config(
        app,
        host=section.address,
        port=section.port,
        ssl_certfile=section.certificate,
        ssl_keyfile=section.key,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_SECONDS,
        limit_concurrency=200,
        timeout_keep_alive=75,
        lifespan="off",
    )
    scheme = "https" if section.certificate else "http"
    return Server(config), f"{scheme}://{section.address}:{section.port}"

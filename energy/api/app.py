"""The app behind the door: `/v1/readings` for edge boxes, `/v1/push/{meter}` for gateways, `/v1/boxes`, `/v1/health`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Protocol

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from energy.api.bodies import BodyError, body_of
from energy.api.pushes import MOST_MISTAKES, PushError, pushed
from energy.api.tokens import Tokens
from energy.clock import Clock
from energy.errors import Mistake, StoreError
from energy.exchange.batches import (
    Acknowledged,
    Batch,
    Refusal,
    RefusedReading,
    SaidMistake,
    SentBacklog,
    read_batch,
    sent_backlog,
)
from energy.model.edge import Edge
from energy.model.meter import Reading
from energy.plugins import nearest
from energy.steps.receive import GapError, RefusedError, keep_pushed, receive
from energy.store import Store

log = logging.getLogger("loadstone.api")

RETRY_SECONDS = "5"  # a store that cannot be written is asked again after so long


class Judge(Protocol):
    """What a meter of `kind: push` makes of readings that were pushed: those that cannot be are SUSPECT."""

    def judge(self, readings: Sequence[Reading], now: datetime) -> list[Reading]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who may say what: the meters of each box, the meters of each gateway, and who judges what is pushed for them."""

    tokens: Tokens
    boxes: Mapping[str, frozenset[str]]
    gateways: Mapping[str, frozenset[str]]
    judges: Mapping[str, Judge]
    most_bytes: int = 16_000_000


class Told(BaseModel):
    """The answer to a push."""

    meter: str
    taken: int
    new: int
    doubted: tuple[str, ...] = ()


class BoxState(BaseModel):
    """What the centre knows of an edge box."""

    name: str
    seen_at: datetime | None
    last: int = 0
    received: int = 0
    missing: int = 0
    ahead_seconds: float | None = None
    trouble: str = ""
    backlog: SentBacklog | None = None


class Health(BaseModel):
    status: str
    version: str
    at: datetime


class Refused(Exception):  # noqa: N818 - not an error but an answer
    """An answer that says what was wrong."""

    def __init__(self, status: int, error: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.status = status
        self.body = Refusal(error=error, **more)
        self.headers = dict(headers or {})
        super().__init__(error)


def refused_at(status: int, error: str, mistakes: Sequence[Mistake]) -> Refused:
    said = tuple(SaidMistake(where=m.where, what=m.what) for m in mistakes[:MOST_MISTAKES])
    return Refused(status, error, mistakes=said)


TOKEN = "Bearer and the token of the box or gateway"
AUTHORIZATION = Header(default="", alias="Authorization", description=TOKEN)
ENCODING = Header(default="", alias="Content-Encoding", description="`gzip`, or nothing")
WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "Not readable; all mistakes are listed."},
    401: {"model": Refusal, "description": "No token, or one that nobody has."},
    403: {"model": Refusal, "description": "The token belongs to another box or gateway."},
    413: {"model": Refusal, "description": "Larger than `api.max_mb`, on the wire or unpacked."},
    415: {"model": Refusal, "description": "Packed in another way than gzip."},
    503: {"model": Refusal, "description": "The store cannot be written now; nothing was kept. Send it again."},
}
BATCH_WRONG: dict[int | str, dict[str, Any]] = {
    409: {"model": Refusal, "description": "The batch begins too late: send from `expected` on, or say `lost_before`."},
    422: {"model": Refusal, "description": "Some readings (`refused`) cannot be taken; nothing of the batch was kept."},
}
PLACE = "#/components/schemas/{model}"
FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
KEPT = "Kept, and on disk."
BATCH_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": PLACE.format(model="Batch")}}},
    }
}
PUSH_BODY = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
            },
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        }
    }
}


def create_app(store: Store, clock: Clock, doors: Doors) -> FastAPI:
    """The app of one plant."""
    app = FastAPI(
        title="Loadstone",
        version="1",
        description="The door for edge boxes and gateways.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )

    @app.exception_handler(Refused)
    async def refuse(_request: Request, error: Refused) -> JSONResponse:
        return _said(error)

    @app.exception_handler(BodyError)
    async def not_read(_request: Request, error: BodyError) -> JSONResponse:
        return _said(Refused(error.status, str(error)), close=True)

    @app.exception_handler(StoreError)
    async def not_kept(_request: Request, error: StoreError) -> JSONResponse:
        log.error("nothing was acknowledged: %s", error)
        return _said(Refused(503, "the store cannot be written now", headers={"Retry-After": RETRY_SECONDS}))

    def caller(authorization: str) -> str:
        name = doors.tokens.name_of(authorization)
        if name is None:
            raise Refused(401, "a token is needed that is known here", headers={"WWW-Authenticate": "Bearer"})
        return name

    @app.get(
        "/v1/health",
        response_model=Health,
        responses={503: WRONG[503]},
        summary="Whether the centre can keep what comes",
    )
    def health() -> Health:
        store.note("api")  # a store that cannot be read says so
        return Health(status="ok", version=version("loadstone"), at=clock.now())

    @app.get(
        "/v1/boxes",
        response_model=list[BoxState],
        responses={401: WRONG[401]},
        summary="The edge boxes and what waits there",
    )
    def boxes(authorization: str = AUTHORIZATION) -> list[BoxState]:
        caller(authorization)
        known = {edge.name: edge for edge in store.edges.all()}
        return [box_state(name, known.get(name)) for name in sorted({*doors.boxes, *known})]

    @app.post(
        "/v1/readings",
        response_model=Acknowledged,
        responses={**WRONG, **BATCH_WRONG},
        openapi_extra=BATCH_BODY,
        response_description=KEPT,
        summary="A batch of an edge box",
    )
    async def readings(request: Request, authorization: str = AUTHORIZATION, _encoding: str = ENCODING) -> Acknowledged:
        name = caller(authorization)
        if name not in doors.boxes:
            raise Refused(403, f"{name} is a gateway; it sends to /v1/push/METER")
        body = await body_of(request, doors.most_bytes)
        return await run_in_threadpool(take_batch, store, clock, doors, name, body)

    @app.post(
        "/v1/push/{meter}",
        response_model=Told,
        responses={**WRONG, 404: {"model": Refusal, "description": "No meter that this gateway may speak for."}},
        openapi_extra=PUSH_BODY,
        response_description=KEPT,
        summary="Readings of one meter, from a gateway or data logger",
    )
    async def push(meter: str, request: Request, authorization: str = AUTHORIZATION, _encoding: str = ENCODING) -> Told:
        name = caller(authorization)
        may = doors.gateways.get(name, frozenset())
        if meter not in may:
            raise Refused(404, f"{name} speaks for no meter {meter!r:.80}{nearest(meter, sorted(may))}")
        body = await body_of(request, doors.most_bytes)
        kind, query = request.headers.get("Content-Type", ""), list(request.query_params.multi_items())
        return await run_in_threadpool(take_push, store, clock, doors.judges[meter], meter, body, kind, query)

    describe(app)
    return app


def describe(app: FastAPI) -> None:
    """Mend the app's own description: what a batch is (its body is read by hand, so FastAPI does not know), and that no
    call answers with FastAPI's words for a wrong parameter, as there is none to get wrong."""
    schema = app.openapi()
    for name in FASTAPIS_OWN:
        schema["components"]["schemas"].pop(name, None)
    for path in schema["paths"].values():
        for call in path.values():
            if FASTAPIS_OWN[0] in str(call["responses"].get("422", "")):
                del call["responses"]["422"]
    batch = Batch.model_json_schema(ref_template=PLACE)
    parts = {**batch.pop("$defs", {}), "Batch": batch}
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components.update({name: part for name, part in sorted(parts.items()) if name not in components})


def take_batch(store: Store, clock: Clock, doors: Doors, name: str, body: bytes) -> Acknowledged:
    """Keep a batch, and acknowledge it once it is on disk."""
    batch, mistakes = read_batch(body)
    if batch is None:
        raise refused_at(400, "the batch cannot be read", mistakes)
    if batch.box != name:
        raise Refused(403, f"the token is that of {name}, the batch that of {batch.box}")
    try:
        received = receive(store, batch=batch, meters=doors.boxes[name], now=clock.now())
    except GapError as error:
        log.warning("%s", error)
        raise Refused(409, str(error), expected=error.expected) from error
    except RefusedError as error:
        log.error("box %s: %d readings refused: %s", name, len(error.refused), error)
        raise _refused_readings(error) from error
    return _acknowledged(batch, received.acknowledged, received.new, clock.now())


def _acknowledged(batch: Batch, last: int, new: int, now: datetime) -> Acknowledged:
    return Acknowledged(box=batch.box, buffer=batch.buffer, acknowledged=last, new=new, at=now)


def _refused_readings(error: RefusedError) -> Refused:
    mistakes = tuple(SaidMistake(where=m.where, what=m.what) for _, m in error.refused[:MOST_MISTAKES])
    refused = tuple(RefusedReading(number=one.number, meter=one.meter, why=m.what) for one, m in error.refused)
    return Refused(422, str(error), mistakes=mistakes, refused=refused)


def take_push(
    store: Store,
    clock: Clock,
    judge: Judge,
    meter: str,
    body: bytes,
    kind: str,
    query: Sequence[tuple[str, str]],
) -> Told:
    """Keep what a gateway pushed for a meter, judged as if we had asked it."""
    now = clock.now()
    try:
        readings = pushed(meter, body, kind, query, now)
    except PushError as error:
        raise refused_at(400, f"what was pushed for {meter} cannot be read", error.mistakes) from error
    judged = judge.judge(readings, now)
    new = keep_pushed(store, judged)
    doubted = tuple(dict.fromkeys(one.note for one in judged if not one.quality.counts))
    return Told(meter=meter, taken=len(judged), new=new, doubted=doubted)


def box_state(name: str, edge: Edge | None) -> BoxState:
    if edge is None:
        return BoxState(name=name, seen_at=None)
    return BoxState(
        name=name,
        seen_at=edge.seen_at,
        last=edge.last,
        received=edge.received,
        missing=edge.missing,
        ahead_seconds=edge.ahead_seconds,
        trouble=edge.trouble,
        backlog=sent_backlog(edge.backlog),
    )


def _said(error: Refused, *, close: bool = False) -> JSONResponse:
    headers = {**error.headers, **({"Connection": "close"} if close else {})}  # the rest of the body is not wanted
    return JSONResponse(error.body.model_dump(mode="json"), status_code=error.status, headers=headers)

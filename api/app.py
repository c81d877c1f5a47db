"""The HTTP application: routes and nothing else. Everything is done by the service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import format_sse_event

from agent.assess import Assessment, assess
from agent.findings import finding_of
from agent.language.understand import detect_language, understand
from agent.state import Patient
from api import errors, schemas
from api.auth import allowed, service_of
from api.errors import ApiError, Problem
from api.limits import BodyLimit
from api.metrics import Metrics
from api.replay import Replay, Replayer
from api.service import ConsultationService, RunningTurn, TurnFailed
from records.errors import RecordsError
from records.keys import ApiKey

Consulting = Annotated[ApiKey, Depends(allowed("consult"))]
Reading = Annotated[ApiKey, Depends(allowed("consult", "audit"))]
Auditing = Annotated[ApiKey, Depends(allowed("audit"))]
Service = Annotated[ConsultationService, Depends(service_of)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route's refusals are documented: those of every route, and these."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": REFUSALS[status]} for status in statuses
    }
    return {**told, "default": {"model": Problem, "description": REFUSALS[500]}}


TEXT = {"type": "string"}
REFUSALS = {
    400: "The body is not JSON in UTF-8.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "There is no such consultation, or it is another key's.",
    409: "Not in the present state: closed, or another turn is still being answered.",
    413: "The body is larger than 64 kB.",
    422: "The request is not valid.",
    500: "What went wrong on our side, with a stable code.",
}

v1 = APIRouter(prefix="/v1", responses=problems(401, 403, 422))
health = APIRouter(tags=["health"])


def create_app(service: ConsultationService) -> FastAPI:
    """The application around a service; starts and stops its sweeper."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="Huatuo",
        version="1.0.0",
        summary="An open medical consultation service. It is automated and no doctor.",
        lifespan=life,
        # Their pages load scripts from a public server, which a hospital's network has no way to.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.metrics = Metrics()
    app.add_middleware(BodyLimit)
    errors.install(app)
    app.include_router(v1)
    app.include_router(health)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, in which a problem has the media type that it is sent with."""
    if app.openapi_schema is None:
        found = FastAPI.openapi(app)
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        for methods in found["paths"].values():
            for operation in methods.values():
                for answer in operation["responses"].values():
                    if problem in answer.get("content", {}).values():
                        answer["content"] = {"application/problem+json": problem}
    assert app.openapi_schema is not None
    return app.openapi_schema


# --- consultations ---------------------------------------------------------------------------


@v1.post("/consultations", status_code=201, tags=["consultations"], responses=problems(400, 413))
async def open_consultation(
    body: schemas.OpenConsultation, service: Service, key: Consulting
) -> schemas.ConsultationOut:
    """Open a consultation, pinned to the knowledge and the model of now."""
    found = await service.open(
        owner=key.id,
        language=body.language,
        patient=body.patient.model_dump(),
        consent=body.consent,
    )
    return schemas.ConsultationOut.model_validate(found, from_attributes=True)


@v1.get("/consultations/{id}", tags=["consultations"], responses=problems(404))
async def get_consultation(id: str, service: Service, key: Reading) -> schemas.ConsultationOut:
    """A consultation as it stands."""
    found = await service.get(id, owner=_reads(key))
    return schemas.ConsultationOut.model_validate(found, from_attributes=True)


@v1.post(
    "/consultations/{id}/turns",
    tags=["consultations"],
    response_model=schemas.TurnOut,
    responses={
        **problems(400, 404, 409, 413),
        200: {
            "description": "The turn; as a stream, `delta` events with new text of the reply "
            "(`id` is the number of characters so far), then one `turn` or `problem` event.",
            "content": {"text/event-stream": {"schema": TEXT}},
        },
    },
)
async def take_turn(
    id: str,
    body: schemas.TakeTurn,
    request: Request,
    service: Service,
    key: Consulting,
    idempotency_key: Annotated[str | None, Header()] = None,
    last_event_id: Annotated[str | None, Header()] = None,
    accept: Annotated[str, Header()] = "application/json",
) -> Response:
    """Say something and get the answer, as JSON or, with `Accept: text/event-stream`, as it grows.

    Send an `Idempotency-Key`: with it a request can be repeated without being taken twice, and a
    stream that broke off is taken up again, after `Last-Event-ID` where that is sent.
    """
    started = time.perf_counter()
    metrics: Metrics = request.app.state.metrics
    try:
        turn = await service.take_turn(id, body.text, key=idempotency_key, owner=_writes(key))
        if "text/event-stream" in accept:
            return StreamingResponse(
                _stream(turn, _seen(last_event_id), metrics, started),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
        result = await turn.answer()
    except Exception as error:
        metrics.failures.labels(getattr(error, "code", "internal")).inc()
        raise
    _count(metrics, result, started)
    return JSONResponse(result)


async def _stream(
    turn: RunningTurn, after: int, metrics: Metrics, started: float
) -> AsyncIterator[bytes]:
    """The reply as it grows, then the turn or the problem that ended it."""
    async for place, piece in turn.pieces(after):
        yield format_sse_event(data_str=_json({"text": piece}), event="delta", id=str(place))
    try:
        result = await turn.answer()
    except Exception as error:
        code = str(getattr(error, "code", "internal"))
        metrics.failures.labels(code).inc()
        told = Problem(status=500, code="internal", title=errors.UNEXPECTED)
        if isinstance(error, RecordsError | TurnFailed):
            told = Problem(status=error.status, code=code, title=error.message)
        yield format_sse_event(data_str=told.model_dump_json(exclude_none=True), event="problem")
        return
    _count(metrics, result, started)
    yield format_sse_event(data_str=_json(result), event="turn", id=str(len(result["reply"])))


def _seen(last_event_id: str | None) -> int:
    """How many characters of the reply a client has; what is no such number counts as none."""
    given = last_event_id or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _json(value: Any) -> str:
    return JSONResponse(value).body.decode()  # type: ignore[union-attr]


def _count(metrics: Metrics, result: dict[str, Any], started: float) -> None:
    metrics.turns.labels(result["stage"]).inc()
    metrics.seconds.observe(time.perf_counter() - started)
    if result["triage"]:
        metrics.levels.labels(result["triage"]["level"]).inc()


@v1.get("/consultations/{id}/transcript", tags=["consultations"], responses=problems(404))
async def transcript(id: str, service: Service, key: Reading) -> list[schemas.MessageOut]:
    """What was said, in order."""
    found = await service.transcript(id, owner=_reads(key))
    return [schemas.MessageOut.model_validate(m, from_attributes=True) for m in found]


@v1.get("/consultations/{id}/events", tags=["consultations"], responses=problems(404))
async def list_events(
    id: str,
    service: Service,
    key: Reading,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> list[schemas.EventOut]:
    """The record of the consultation: every event after `after`, with its hash chain."""
    found = await service.events(id, owner=_reads(key), after=after)
    return [schemas.EventOut.model_validate(e, from_attributes=True) for e in found]


@v1.post("/consultations/{id}/close", tags=["consultations"], responses=problems(404, 409))
async def close(id: str, service: Service, key: Consulting) -> schemas.ConsultationOut:
    """Close the consultation. Nothing can be said in it afterwards."""
    found = await service.close(id, owner=_writes(key))
    return schemas.ConsultationOut.model_validate(found, from_attributes=True)


@v1.post("/audit/consultations/{id}/replay", tags=["audit"], responses=problems(404))
async def replay(id: str, service: Service, _: Auditing) -> Replay:
    """Run the consultation again on what is on record of it, and say where it first comes to
    something else. Nothing is written."""
    return await Replayer(service.desk).replay(service.database, id)


def _reads(key: ApiKey) -> str | None:
    """Whose consultations a key sees: its own; an auditor's key sees all."""
    return None if {"audit", "admin"} & key.scopes else key.id


def _writes(key: ApiKey) -> str | None:
    """In whose consultations a key may speak: in its own; an auditor looks and does not speak."""
    return None if "admin" in key.scopes else key.id


# --- without a conversation ------------------------------------------------------------------


@v1.post("/assess", tags=["assessment"], responses=problems(400, 413))
async def assess_case(body: schemas.AssessCase, service: Service, _: Consulting) -> Assessment:
    """Assess a case as it stands: findings, differential, urgency, next question."""
    return assess(service.desk, **{name: getattr(body, name) for name in type(body).model_fields})


@v1.post("/parse", tags=["assessment"], responses=problems(400, 413))
async def parse(body: schemas.ParseText, service: Service, _: Consulting) -> schemas.ParsedOut:
    """Read a text for findings."""
    desk = service.desk
    if body.pending is not None and body.pending not in desk.knowledge.findings:
        raise ApiError(422, "finding.unknown", "There is no finding with the id in `pending`.")
    language = body.language or detect_language(body.text) or "zh"
    reading = understand(
        body.text,
        lexicon=desk.lexicon,
        language=language,
        pending=body.pending,
        alarms=desk.ports.alarms,
    )
    profile = reading.profile
    found = [finding_of(mention, desk.knowledge, language) for mention in reading.mentions]
    return schemas.ParsedOut(
        language=language,
        findings=found,
        patient=Patient(age_years=profile.age_years, sex=profile.sex, pregnant=profile.pregnant),
        intents=sorted(reading.intents),
        measurements=dict(reading.measurements),
        red_flags=[hit.rule for hit in reading.rules],
        unread=list(reading.unread),
    )


# --- health ----------------------------------------------------------------------------------


@health.get("/health/live")
async def live() -> schemas.Health:
    """Whether the process answers."""
    return schemas.Health(status="ok")


@health.get(
    "/health/ready",
    responses={503: {"model": schemas.Health, "description": "No consultation can be taken."}},
)
async def ready(service: Service, response: Response) -> schemas.Health:
    """Whether consultations can be taken. `degraded` without a model or without retrieval: then
    replies are worded from the knowledge, or carry no citations."""
    ports = service.desk.ports
    parts = {
        "knowledge": service.desk.knowledge.release,
        "model": service.model_release,
        "retrieval": ports.retriever.release if ports.retriever is not None else "none",
    }
    try:
        await service.database.check()
        parts["database"] = "ok"
    except RecordsError as error:
        parts["database"] = error.code
        response.status_code = 503
        return schemas.Health(status="unavailable", parts=parts)
    whole = ports.model is not None and ports.retriever is not None
    return schemas.Health(status="ok" if whole else "degraded", parts=parts)


@health.get(
    "/metrics",
    response_class=Response,
    responses={**problems(401, 403), 200: {"content": {"text/plain": {"schema": TEXT}}}},
)
async def metrics(request: Request, _: Annotated[ApiKey, Depends(allowed("admin"))]) -> Response:
    """Counters in the text format of Prometheus."""
    found: Metrics = request.app.state.metrics
    return Response(found.render(), media_type="text/plain; version=0.0.4")

"""Errors as RFC 9457 problem details, each with a stable code and nothing from inside."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.service import TurnFailed
from records.errors import RecordsError

log = structlog.get_logger(__name__)

UNEXPECTED = "Something went wrong on our side. Please try again."
TOO_LARGE = ("request.too_large", "The request is larger than 64 kB. Nothing was stored.")


class Problem(BaseModel):
    """What went wrong, as `application/problem+json`."""

    type: str = Field(default="about:blank", description="Always about:blank; see `code`.")
    title: str = Field(description="What to do, for a person.")
    status: int
    code: str = Field(description="Stable name of the problem, for a program.")
    errors: list[dict[str, Any]] | None = Field(
        default=None, description="For invalid requests: the place and the fault of each field."
    )


class ApiError(Exception):
    """A request that cannot be served, and why."""

    def __init__(
        self, status: int, code: str, title: str, *, headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.code, self.title, self.headers = status, code, title, headers
        super().__init__(code)


def problem(
    status: int,
    code: str,
    title: str,
    *,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The response for a problem."""
    body = Problem(title=title, status=status, code=code, errors=errors)
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def retry_after(error: RecordsError) -> dict[str, str] | None:
    """When to try again, for what passes by itself."""
    return {"Retry-After": "1"} if error.status == 503 or error.code == "turn.running" else None


def install(app: FastAPI) -> None:
    """Turn every exception into a problem. No exception text ever leaves the server."""

    @app.exception_handler(ApiError)
    async def _api(_: Request, error: ApiError) -> JSONResponse:
        return problem(error.status, error.code, error.title, headers=error.headers)

    @app.exception_handler(RecordsError)
    async def _records(_: Request, error: RecordsError) -> JSONResponse:
        if error.status >= 500:
            log.error("records.error", code=error.code)
        return problem(error.status, error.code, error.message, headers=retry_after(error))

    @app.exception_handler(TurnFailed)
    async def _turn(_: Request, error: TurnFailed) -> JSONResponse:
        return problem(error.status, error.code, error.message)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The faulty input is left out: it may be a patient's words.
        faults = [{"place": _place(item), "fault": item["msg"]} for item in error.errors()]
        if any(item["type"] in ("json_invalid", "bytes_invalid") for item in error.errors()):
            return problem(400, "request.not_json", "The body is not JSON in UTF-8.")
        title = "The request is not valid; see errors."
        return problem(422, "request.invalid", title, errors=faults)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        codes = {404: ("not_found", "There is nothing at this address.")}
        codes[405] = ("method_not_allowed", "This address does not take this method.")
        codes[400] = ("request.not_json", "The body is not JSON in UTF-8.")
        codes[413] = TOO_LARGE
        code, title = codes.get(error.status_code, ("http_error", "The request was refused."))
        return problem(error.status_code, code, title, headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("unexpected", error=type(error).__name__, exc_info=error)
        return problem(500, "internal", UNEXPECTED)


def _place(item: Any) -> str:
    """Where a fault is. The name of a field that is not ours is left out: it is input too."""
    loc = item["loc"][:-1] if item["type"] == "extra_forbidden" else item["loc"]
    return ".".join(str(part) for part in loc)

"""API keys: every route but the health checks asks for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ApiError
from api.service import ConsultationService
from records import keys
from records.errors import KeyInvalid
from records.keys import ApiKey

_bearer = HTTPBearer(auto_error=False, description="The API key as a bearer token.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The API key.")


def service_of(request: Request) -> ConsultationService:
    """The service that the application was made with."""
    service: ConsultationService = request.app.state.service
    return service


async def presented(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    header: Annotated[str | None, Security(_header)],
) -> ApiKey:
    """The key that came with the request. 401 where there is none that is valid."""
    given = bearer.credentials if bearer is not None else header
    challenge = {"WWW-Authenticate": "Bearer"}
    if not given:
        title = "An API key is needed: send it as 'Authorization: Bearer KEY'."
        raise ApiError(401, "api_key.missing", title, headers=challenge)
    try:
        async with service_of(request).database.reading() as connection:
            return await keys.verify(connection, given)
    except KeyInvalid as error:
        raise ApiError(401, error.code, error.message, headers=challenge) from None


def allowed(*scopes: str) -> Callable[..., Awaitable[ApiKey]]:
    """A dependency: the key of the request, which must have one of the scopes; `admin` has all.
    403 otherwise."""
    names = " or ".join(f"'{scope}'" for scope in scopes)

    async def check(key: Annotated[ApiKey, Security(presented)]) -> ApiKey:
        if not key.scopes & {*scopes, "admin"}:
            raise ApiError(403, "api_key.scope", f"This key lacks the scope {names}.")
        return key

    return check

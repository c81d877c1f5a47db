"""What a request may weigh. Plain ASGI, so that streams and context variables pass untouched."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TOO_LARGE, problem

MOST_BYTES = 64 * 1024
"""Largest request body in bytes; the longest message of a patient is well below."""


class BodyLimit:
    """Refuses bodies over `most` bytes with 413, by their length or, without one, as they come."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.most:
            await problem(413, *TOO_LARGE)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                # The one exception that passes the reading of a body unchanged.
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)

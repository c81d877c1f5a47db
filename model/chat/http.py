"""A model behind an OpenAI-compatible server: vLLM on a GPU machine, llama-server, and others.

The server applies the chat template, so it gets messages, with control marks defused. What cannot
be seen from here is what the server really loaded; its list of models must name the expected one,
and the greeting of the self-test must come to an end.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

import httpx

from agent.ports import (
    ChatPiece,
    ChatRequest,
    Message,
    ModelBadOutput,
    ModelBusy,
    ModelContextTooLong,
    ModelError,
    ModelRelease,
    ModelUnavailable,
    Trust,
)
from model.chat import selftest, template
from model.chat.bounded import BoundedChat, Emit
from model.registry import identity_hash


class HttpChat(BoundedChat):
    """One model of one server. The server does the batching: `concurrency` requests at a time."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        model: str,
        release: ModelRelease,
        *,
        concurrency: int,
        waiting: int,
    ) -> None:
        """Use `connect`."""
        super().__init__(release, concurrency=concurrency, waiting=waiting)
        self._client = client
        self._model = model

    @classmethod
    async def connect(
        cls,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        sha256: str = "",
        trust: Trust = "wording",
        context_tokens: int | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        concurrency: int = 8,
        waiting: int = 32,
        test: bool = True,
    ) -> Self:
        """Connect to `base_url` (the part before `/v1`) and test the model `model`.

        `sha256` and `trust` come from the operator, who knows what the server was started with;
        the release's id covers them. `context_tokens` is asked from the server when not given.

        Raises:
            ModelUnavailable: no server, another model, or one that does not speak the template.
        """
        client = httpx.AsyncClient(
            base_url=base_url.rstrip("/").removesuffix("/v1"),
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
        )
        try:
            served = await _served(client, model)
            context = context_tokens or _context(served)
            if context is None:
                raise ModelUnavailable(
                    f"the server does not say how long the context of {model} is: set it"
                )
            identity = {"model": model, "weights": sha256, "template": template.TEMPLATE}
            release = ModelRelease(
                id=f"{model.rsplit('/', 1)[-1]}@{identity_hash(identity)}",
                name=model,
                sha256=sha256,
                trust=trust,
                context_tokens=context,
            )
            chat = cls(client, model, release, concurrency=concurrency, waiting=waiting)
            if test:
                await selftest.check(chat, None)
        except BaseException:
            await client.aclose()
            raise
        return chat

    async def _count(self, messages: Sequence[Message]) -> int:
        """As the server counts (vLLM, llama-server); else an upper bound, one token a byte."""
        rendered = template.render(messages)
        try:
            response = await self._client.post(
                "/tokenize",
                json={
                    "model": self._model,
                    "content": rendered,  # llama-server
                    "prompt": rendered,  # vLLM
                    "parse_special": True,
                    "add_special_tokens": False,
                },
            )
        except httpx.HTTPError as error:
            raise ModelUnavailable("the model's server does not answer") from error
        if response.is_success:
            try:
                return len(response.json()["tokens"])
            except (ValueError, KeyError, TypeError):
                pass
        return len(rendered.encode())

    async def _generate(self, request: ChatRequest, emit: Emit) -> None:
        self._check_fits(await self._count(request.messages), request)
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": m.role, "content": m.content} for m in template.defused(request.messages)
            ],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": template.TOP_P,
            "seed": request.seed,
            "stop": [*template.STOPS, *request.stop],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": dict(request.schema), "strict": True},
            }
        try:
            async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
                if not response.is_success:
                    raise _refused(response.status_code, await response.aread())
                await self._relay(_events(response), emit)
        except httpx.HTTPError as error:
            raise ModelUnavailable(
                f"the connection to the model's server failed ({type(error).__name__})"
            ) from error

    async def _relay(self, events: AsyncIterator[dict[str, Any]], emit: Emit) -> None:
        """Pass pieces on; the end waits for the usage, which comes in an event of its own."""
        finish: str | None = None
        usage: dict[str, Any] = {}
        try:
            async for event in events:
                if "error" in event:
                    raise ModelUnavailable("the model's server failed during the generation")
                usage = dict(event.get("usage") or usage)
                for choice in event.get("choices") or ():
                    finish = choice.get("finish_reason") or finish
                    if text := choice.get("delta", {}).get("content"):
                        emit(ChatPiece(text))
        except (AttributeError, TypeError, ValueError) as error:
            raise ModelBadOutput("the server's events are not of the expected form") from error
        if finish is None:
            raise ModelUnavailable("the model's server ended the stream half-way")
        emit(
            ChatPiece(
                "",
                "length" if finish == "length" else "stop",
                int(usage.get("prompt_tokens", 0)),
                int(usage.get("completion_tokens", 0)),
            )
        )

    async def _close(self) -> None:
        await self._client.aclose()


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON documents of a stream of server-sent events."""
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        try:
            event = json.loads(data)
        except ValueError as error:
            raise ModelBadOutput("the server sent an event that is not JSON") from error
        if not isinstance(event, dict):
            raise ModelBadOutput("the server's events are not of the expected form")
        yield event


def _refused(status: int, body: bytes) -> ModelError:
    """The error for a response that is no success. Its text may hold the prompt: not passed on."""
    text = body.decode(errors="replace").lower()
    if status == httpx.codes.BAD_REQUEST and "context" in text:
        return ModelContextTooLong("the model's server says that the prompt is too long")
    if status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
        return ModelBusy(f"the model's server is busy (status {status})")
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return ModelUnavailable("the model's server does not accept the API key")
    return ModelUnavailable(f"the model's server refused the request (status {status})")


async def _served(client: httpx.AsyncClient, model: str) -> dict[str, Any]:
    """What the server says about `model`."""
    try:
        response = await client.get("/v1/models")
        if not response.is_success:
            raise _refused(response.status_code, response.content)
        models = {str(m["id"]): m for m in response.json()["data"]}
    except httpx.HTTPError as error:
        raise ModelUnavailable(f"no model server answers at {client.base_url}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{client.base_url} is no OpenAI-compatible server") from error
    if model not in models:
        raise ModelUnavailable(
            f"the server at {client.base_url} serves {', '.join(sorted(models)) or 'nothing'}, "
            f"not {model}"
        )
    found: dict[str, Any] = models[model]
    return found


def _context(served: dict[str, Any]) -> int | None:
    """Context length as vLLM (`max_model_len`) or llama-server (`meta.n_ctx`) reports it."""
    value = served.get("max_model_len") or (served.get("meta") or {}).get("n_ctx")
    return int(value) if value else None

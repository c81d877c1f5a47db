"""The model through transformers: bf16, on the GPU when there is one.

Takes a folder as `save_pretrained` writes it (what the training exports), or a GGUF file, which is
dequantised. The generation loop is our own: it can be cancelled at every token, draws from a seeded
generator of its own, and masks the logits when a JSON schema is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch

from agent.ports import (
    ChatPiece,
    ChatRequest,
    Message,
    ModelBadOutput,
    ModelRelease,
    ModelUnavailable,
)
from model.chat import selftest, template
from model.chat.bounded import BoundedChat, Emit
from model.chat.sampling import SchemaMask, choose
from model.chat.stops import StopFilter
from model.chat.worker import Worker
from model.registry import CardError, describe


class HfChat(BoundedChat):
    """A causal language model of transformers. One generation at a time."""

    def __init__(
        self, model: Any, tokenizer: Any, worker: Worker, release: ModelRelease, *, waiting: int
    ) -> None:
        """Use `load`."""
        super().__init__(release, concurrency=1, waiting=waiting)
        self._model = model
        self._tokenizer = tokenizer
        self._worker = worker
        self._ends = frozenset(
            number
            for mark in template.STOPS
            if len(tokens := tokenizer.encode(mark, add_special_tokens=False)) == 1
            for number in tokens
        )

    @classmethod
    async def load(
        cls,
        weights: Path,
        *,
        context_tokens: int = 4096,
        device: str | None = None,
        waiting: int = 8,
    ) -> Self:
        """Load and test the weights. `device` is by default `cuda` when there is a GPU.

        Raises:
            ModelUnavailable: missing, damaged, out of memory, or not of this template.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        worker = Worker("transformers")
        try:
            model, tokenizer, release = await worker.call(
                lambda: _load(weights, device, context_tokens)
            )
        except BaseException:
            worker.close()
            raise
        chat = cls(model, tokenizer, worker, release, waiting=waiting)
        try:
            await selftest.check(chat, chat._tokens)
        except BaseException:
            await chat.aclose()
            raise
        return chat

    def _tokens(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    async def _count(self, messages: Sequence[Message]) -> int:
        return len(self._tokens(template.render(messages)))

    async def _generate(self, request: ChatRequest, emit: Emit) -> None:
        prompt = self._tokens(template.render(request.messages))
        self._check_fits(len(prompt), request)

        def run(forward: Emit, cancelled: threading.Event) -> None:
            try:
                with torch.inference_mode():
                    self._run(prompt, request, forward, cancelled)
            except torch.OutOfMemoryError as error:
                raise ModelUnavailable("the device has not enough memory") from error

        await self._worker.generate(run, emit)

    def _run(
        self, prompt: list[int], request: ChatRequest, emit: Emit, cancelled: threading.Event
    ) -> None:
        device = self._model.device
        generator = torch.Generator(device=device).manual_seed(request.seed)
        mask = self._mask(request)
        stops = StopFilter((*template.STOPS, *request.stop))
        spoken: list[int] = []
        sent = 0
        finish = ""
        inputs = torch.tensor([prompt], device=device)
        cache = None
        while not finish:
            if cancelled.is_set():
                return
            out = self._model(
                input_ids=inputs, past_key_values=cache, use_cache=True, logits_to_keep=1
            )
            cache = out.past_key_values
            logits = out.logits[0, -1].float()
            if mask is not None:
                mask.apply(logits)
            token = choose(logits, request.temperature, generator)
            if token in self._ends:
                finish = "stop"
                break
            spoken.append(token)
            if mask is not None:
                mask.accept(token)
            # A character may be several tokens: text ends in U+FFFD until the last has come.
            text = self._tokenizer.decode(spoken, clean_up_tokenization_spaces=False)
            if not text.endswith("\ufffd"):
                emit(ChatPiece(stops.push(text[sent:])))
                sent = len(text)
            if stops.stopped or (mask is not None and mask.complete):
                finish = "stop"
            elif len(spoken) >= request.max_tokens:
                finish = "length"
            inputs = torch.tensor([[token]], device=device)
        emit(
            ChatPiece(
                stops.flush(), "stop" if finish == "stop" else "length", len(prompt), len(spoken)
            )
        )

    def _mask(self, request: ChatRequest) -> SchemaMask | None:
        if request.schema is None:
            return None
        try:
            width = self._model.get_output_embeddings().weight.shape[0]
            return SchemaMask(self._tokenizer, request.schema, width)
        except ValueError as error:
            raise ModelBadOutput("the JSON schema cannot be enforced on this model") from error

    async def _close(self) -> None:
        self._model = self._tokenizer = None
        self._worker.close()


def _load(weights: Path, device: str, context_tokens: int) -> tuple[Any, Any, ModelRelease]:
    """Model, tokenizer and release, from local files only. Blocks for seconds to minutes."""
    if not weights.exists():
        raise ModelUnavailable(f"{weights} is not there. Run `huatuo model fetch`.")
    try:
        release = describe(weights, template=template.TEMPLATE, context_tokens=context_tokens)
        model, tokenizer = _pretrained(weights)
        model = model.to(device).eval()
    except CardError as error:
        raise ModelUnavailable(str(error)) from error
    except Exception as error:  # what a damaged file raises depends on where it is damaged
        raise ModelUnavailable(
            f"transformers cannot load {weights.name} ({type(error).__name__}): it is damaged, of "
            "an unknown kind, or does not fit the memory. Run `huatuo doctor` to check the weights."
        ) from error
    longest = getattr(model.config, "max_position_embeddings", context_tokens)
    if longest < context_tokens:
        raise ModelUnavailable(
            f"{weights.name} was made for a context of {longest} tokens, {context_tokens} are set"
        )
    return model, tokenizer, release


def _pretrained(weights: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    if weights.is_dir():
        source, gguf, quantization = str(weights), {}, {}
    else:
        source, gguf = str(weights.parent), {"gguf_file": weights.name}
        quantization = {"quantization_config": GgufConfig(dequantize=True)}
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True, **gguf)
    model = AutoModelForCausalLM.from_pretrained(
        source, dtype=torch.bfloat16, local_files_only=True, **gguf, **quantization
    )
    return model, tokenizer

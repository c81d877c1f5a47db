"""A LoRA adapter in GGUF, made here, changes what llama.cpp says and what the release is called."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from agent.ports import ChatRequest, Message, ModelUnavailable
from model.chat.llamacpp import LlamaCppChat

from .conftest import CONTEXT

pytestmark = pytest.mark.weights
HIDDEN, LAYERS, RANK = 576, 30, 4
REQUEST = ChatRequest(
    (Message("system", "You are a kind nurse."), Message("user", "Tell me about the sea.")),
    max_tokens=16,
)


def write_adapter(path: Path, strength: float) -> Path:
    """A LoRA adapter of rank 4 on the query projections of SmolLM2-135M."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK))
    for layer in range(LAYERS):
        down = rng.standard_normal((RANK, HIDDEN)).astype(np.float32)
        up = strength * rng.standard_normal((HIDDEN, RANK)).astype(np.float32)
        writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_a", down)
        writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_b", up)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


async def reply(weights: Path, adapter: Path | None) -> tuple[str, str]:
    model = await LlamaCppChat.load(weights, context_tokens=CONTEXT, adapter=adapter)
    try:
        return model.release.id, "".join([p.text async for p in model.stream(REQUEST)])
    finally:
        await model.aclose()


async def test_an_adapter_is_applied_and_named(smollm2: Path, tmp_path: Path) -> None:
    plain_id, plain = await reply(smollm2, None)
    zero_id, zero = await reply(smollm2, write_adapter(tmp_path / "zero.gguf", 0.0))
    some_id, some = await reply(smollm2, write_adapter(tmp_path / "some.gguf", 0.05))
    assert zero == plain
    assert some != plain
    assert len({plain_id, zero_id, some_id}) == 3


async def test_an_adapter_that_is_damaged_or_missing_is_refused(
    smollm2: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelUnavailable, match=r"none\.gguf"):
        await reply(smollm2, tmp_path / "none.gguf")
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"no adapter")
    with pytest.raises(ModelUnavailable, match="cannot load"):
        await reply(smollm2, damaged)

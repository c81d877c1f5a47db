"""Choosing the next token from logits, and holding it to a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import llguidance
import llguidance.hf
import numpy as np
import torch

from model.chat import template


def choose(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> int:
    """The next token. `logits` are f32 of shape (vocabulary,); temperature 0 takes the best."""
    if temperature <= 0:
        return int(logits.argmax())
    best, tokens = torch.topk(logits / temperature, min(template.TOP_K, logits.numel()))
    chances = torch.softmax(best, dim=-1)
    # Nucleus sampling: the smallest set of best tokens that holds TOP_P of the probability.
    before = chances.cumsum(-1) - chances
    chances = chances.masked_fill(before > template.TOP_P, 0.0)
    return int(tokens[torch.multinomial(chances, 1, generator=generator)])


class SchemaMask:
    """Allows, at each step, only tokens that keep the output on the way to the schema."""

    def __init__(self, tokenizer: Any, schema: Mapping[str, Any], vocabulary: int) -> None:
        """`tokenizer` is a fast Hugging Face tokenizer; `vocabulary` the width of the logits.

        Raises:
            ValueError: the schema uses what cannot be enforced.
        """
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(dict(schema)))
        self._matcher = llguidance.LLMatcher(
            llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary), grammar
        )
        if error := self._matcher.get_error():
            raise ValueError(error)
        self._vocabulary = vocabulary

    def apply(self, logits: torch.Tensor) -> None:
        """Set what is not allowed to minus infinity, in place."""
        # One bit a token, lowest bit first.
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        allowed = np.unpackbits(bits, bitorder="little")[: self._vocabulary].astype(bool)
        logits.masked_fill_(~torch.from_numpy(allowed).to(logits.device), float("-inf"))

    def accept(self, token: int) -> None:
        """Move on after `token` was chosen."""
        self._matcher.consume_token(token)

    @property
    def complete(self) -> bool:
        """Whether the output satisfies the schema and cannot go on."""
        return bool(self._matcher.is_stopped())

"""The small parts behind the chat models: template, stop sequences, queue, sampling, cards."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agent.ports import Message, ModelBusy, ModelDeadline
from model.chat import template
from model.chat.queue import Gate
from model.chat.sampling import choose
from model.chat.stops import StopFilter
from model.registry import CardError, describe

# --- template --------------------------------------------------------------------------------


def test_the_template_is_chatml() -> None:
    messages = (Message("system", "Be kind."), Message("user", "发烧"), Message("assistant", "嗯"))
    assert template.render(messages) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n发烧<|im_end|>\n"
        "<|im_start|>assistant\n嗯<|im_end|>\n<|im_start|>assistant\n"
    )


@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text()), min_size=1))
def test_the_two_parts_are_the_whole_and_the_first_is_the_system_message(
    spoken: list[tuple[str, str]],
) -> None:
    messages = [Message(role, text) for role, text in spoken]  # type: ignore[arg-type]
    head, rest = template.split(messages)
    assert head + rest == template.render(messages)
    assert bool(head) == (messages[0].role == "system")


@given(st.text("<|>im_startend oftx\n", max_size=80))
def test_no_text_opens_or_closes_a_message(text: str) -> None:
    rendered = template.render([Message("user", text)])
    assert rendered.count(template.START) == 2
    assert rendered.count(template.END) == 1
    assert template.STOPS[1] not in rendered


def test_plain_text_stays_as_it_is() -> None:
    assert template.plain("BP < 90 | pulse > 120 |> 😀") == "BP < 90 | pulse > 120 |> 😀"


# --- stop sequences --------------------------------------------------------------------------


@given(
    st.lists(st.text("abAB", max_size=5), max_size=20),
    st.lists(st.text("abAB", min_size=1, max_size=4), max_size=3),
)
def test_a_stream_is_cut_at_the_first_stop_however_it_is_split(
    pieces: list[str], stops: list[str]
) -> None:
    whole = "".join(pieces)
    ends = [whole.find(stop) for stop in stops if stop in whole]
    stream = StopFilter(stops)
    shown = "".join(stream.push(piece) for piece in pieces)
    assert stream.stopped == bool(ends)
    shown += stream.flush()
    # Of two stops that overlap, the one that is complete first ends the stream.
    first = min((whole.find(s) + len(s) for s in stops if s in whole), default=len(whole))
    if ends:
        assert whole.startswith(shown)
        assert len(shown) < first
        assert not any(stop in shown for stop in stops)
    else:
        assert shown == whole


def test_what_cannot_be_a_stop_any_more_is_shown_at_once() -> None:
    stream = StopFilter(["<end>"])
    assert stream.push("take rest<") == "take rest"
    assert stream.push("e") == ""
    assert stream.push("x") == "<ex"


# --- queue -----------------------------------------------------------------------------------


async def test_a_gate_lets_so_many_in_and_so_many_wait() -> None:
    gate = Gate(concurrency=2, waiting=1)
    until = asyncio.get_running_loop().time() + 5
    first, second = await gate.enter(until), await gate.enter(until)
    third = asyncio.create_task(gate.enter(until))
    await asyncio.sleep(0)
    assert gate.waiting == 1
    with pytest.raises(ModelBusy):
        await gate.enter(until)
    first.release()
    first.release()  # a second release frees nothing more
    await third
    fourth = asyncio.create_task(gate.enter(until))
    await asyncio.sleep(0)
    assert not fourth.done()
    second.release()
    await fourth


async def test_a_place_that_comes_too_late_goes_to_the_next() -> None:
    gate = Gate(concurrency=1, waiting=2)
    now = asyncio.get_running_loop().time()
    lease = await gate.enter(now + 5)
    with pytest.raises(ModelDeadline):
        await gate.enter(now + 0.02)
    assert gate.waiting == 0
    waiting = asyncio.create_task(gate.enter(now + 5))
    await asyncio.sleep(0)
    lease.release()
    waiting.cancel()  # in the same moment in which it got its place
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (await asyncio.wait_for(gate.enter(now + 5), 1)).release()


def test_a_gate_needs_sensible_limits() -> None:
    with pytest.raises(ValueError, match="concurrency"):
        Gate(concurrency=0, waiting=1)


# --- sampling --------------------------------------------------------------------------------


def test_greedy_takes_the_best_token() -> None:
    assert choose(torch.tensor([0.1, 3.0, 2.9]), 0.0, torch.Generator()) == 1


def test_sampling_follows_the_probabilities_within_the_nucleus() -> None:
    chances = torch.tensor([0.6, 0.3, 0.07, 0.03])  # the last lies outside of the best 95 %
    generator = torch.Generator().manual_seed(0)
    drawn = [choose(chances.log(), 1.0, generator) for _ in range(4000)]
    shares = [drawn.count(token) / len(drawn) for token in range(4)]
    assert shares[3] == 0
    for token in range(3):
        assert shares[token] == pytest.approx(float(chances[token]) / 0.97, abs=0.03)


# --- releases and cards ----------------------------------------------------------------------


def release_of(weights: Path, adapter: Path | None = None) -> tuple[str, str]:
    release = describe(weights, template=template.TEMPLATE, context_tokens=10, adapter=adapter)
    return release.trust, release.id


def card(weights: Path, **changes: str) -> None:
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    fields = {"id": "r1", "name": "huatuo", "sha256": sha256, "trust": "extraction", **changes}
    (weights.parent / "card.json").write_text(json.dumps(fields))


def test_trust_comes_from_the_card_of_these_very_bytes(tmp_path: Path) -> None:
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"weights")
    assert release_of(weights)[0] == "wording"
    card(weights)
    assert release_of(weights)[0] == "extraction"
    card(weights, sha256="0" * 64)
    assert release_of(weights)[0] == "wording"


def test_a_card_for_weights_with_an_adapter_counts_only_with_it(tmp_path: Path) -> None:
    weights, adapter = tmp_path / "w.gguf", tmp_path / "lora.gguf"
    weights.write_bytes(b"weights")
    adapter.write_bytes(b"adapter")
    card(weights, adapter=hashlib.sha256(b"adapter").hexdigest())
    assert release_of(weights)[0] == "wording"
    assert release_of(weights, adapter=adapter)[0] == "extraction"


def test_the_release_is_stable_and_changes_with_its_parts(tmp_path: Path) -> None:
    weights, adapter = tmp_path / "w.gguf", tmp_path / "lora.gguf"
    weights.write_bytes(b"weights")
    adapter.write_bytes(b"adapter")
    ids = {release_of(weights)[1], release_of(weights, adapter=adapter)[1]}
    assert release_of(weights)[1] in ids
    weights.write_bytes(b"other weights")
    ids.add(release_of(weights)[1])
    assert len(ids) == 3


@pytest.mark.parametrize(
    "content", ["", "{}", '{"id": "a", "name": "b", "sha256": "c", "trust": 1}']
)
def test_a_card_that_is_not_valid_is_an_error(tmp_path: Path, content: str) -> None:
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"weights")
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(CardError, match=r"card\.json"):
        release_of(weights)

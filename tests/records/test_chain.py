"""Canonical JSON is one text for one value; any change to a chain is found, at its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import chain
from records.chain import GENESIS, BrokenLink, Link

TEXT = st.text() | st.just("half \ud83d of a pair, and \0")
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_value_survives_and_can_be_stored_as_text(value: Any) -> None:
    text = chain.canonical(value)
    assert chain.parse(text) == value
    assert chain.canonical(chain.parse(text)) == text
    text.encode()
    assert "\0" not in text


def test_one_text_whatever_the_order() -> None:
    assert chain.canonical({"b": 1, "a": "头痛"}) == '{"a":"头痛","b":1}'
    assert chain.canonical({"a": "头痛", "b": 1}) == '{"a":"头痛","b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: "a"}, [{"a": {2: 3}}], {1}, b""])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        chain.canonical(value)


def test_the_hash_of_an_event_never_changes_its_meaning() -> None:
    # Records outlive the code: this value may only change together with the name of the format.
    link = Link(
        "c", 1, "patient.said", "patient", 1, "2026-01-31T08:15:00.000000Z", "{}", GENESIS, ""
    )
    assert link.computed() == "f56cf34f21d9f463ff0b1b1881be8a1a9cbc3ef31a8ab6d92bc4126cfb8bc90d"


def make(count: int, consultation: str = "c") -> list[Link]:
    links: list[Link] = []
    for seq in range(1, count + 1):
        link = Link(
            consultation,
            seq,
            "patient.said",
            "patient",
            seq // 2 or None,
            f"2026-01-31T08:15:00.{seq:06}Z",
            chain.canonical({"text": f"words {seq}"}),
            links[-1].hash if links else GENESIS,
            "",
        )
        links.append(replace(link, hash=link.computed()))
    return links


def test_a_whole_chain_holds() -> None:
    assert chain.verify([]) is None
    assert chain.verify(make(20)) is None


FIELDS = ("type", "actor", "at", "payload", "prev_hash", "hash")


@given(st.data())
def test_every_changed_character_is_found_at_its_event(data: st.DataObject) -> None:
    links = make(8)
    index = data.draw(st.integers(0, 7))
    field = data.draw(st.sampled_from(FIELDS))
    value = getattr(links[index], field)
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(exclude_characters=value[place], codec="utf-8"))
    links[index] = replace(links[index], **{field: value[:place] + other + value[place + 1 :]})
    broken = chain.verify(links)
    assert broken is not None
    assert broken.seq == index + 1


@given(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["delete", "insert", "swap", "turn"]))
def test_deletions_insertions_and_swaps_are_found(first: int, second: int, how: str) -> None:
    links = make(8)
    if how == "delete":
        del links[first]
        at = first + 1
    elif how == "insert":
        links.insert(first, make(8, "c")[second] if second != first else links[first + 1])
        at = first + 1
    elif how == "swap":
        second = 7 if second == first else second
        links[first], links[second] = links[second], links[first]
        at = min(first, second) + 1
    else:
        links[first] = replace(links[first], turn=99)
        at = first + 1
    broken = chain.verify(links)
    assert broken is not None
    assert broken.seq <= at + 1
    if how in ("swap", "turn", "delete"):
        assert broken.seq == at


def test_a_rewritten_event_breaks_the_one_after_it() -> None:
    links = make(4)
    forged = replace(links[1], payload='{"text":"forged"}')
    links[1] = replace(forged, hash=forged.computed())
    assert chain.verify(links) == BrokenLink("c", 3, "does not follow from the event before it")


def test_an_event_of_another_consultation_does_not_fit() -> None:
    links = [*make(2), make(3, "other")[2]]
    assert chain.verify(links) == BrokenLink("other", 3, "belongs to another consultation")


def test_the_payload_is_hashed_as_it_is_stored() -> None:
    links = make(2)
    same_meaning = json.dumps(json.loads(links[0].payload))  # only a space more
    assert same_meaning != links[0].payload
    broken = chain.verify([replace(links[0], payload=same_meaning), links[1]])
    assert broken == BrokenLink("c", 1, "was changed after it was written")

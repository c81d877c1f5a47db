"""Conditions are found by name, however it is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.language.names import Names, key_of
from tests.agent.knowledge import condition, knowledge

SHARES = {"pain": 0.5, "rash": 0.5, "cough": 0.5}


@pytest.fixture(scope="module")
def names() -> Names:
    made = [
        condition(
            key,
            SHARES,
            name={"en": en, "zh": zh},
            synonyms={"en": more[:1], "zh": more[1:]},
            tier=tier,
        )
        for key, en, zh, more, tier in (
            ("pneumonia", "Pneumonia", "肺炎", ["lung infection", "肺部感染"], "written"),
            ("migraine", "Migraine", "偏头痛", [], "written"),
            ("anaemia", "Iron-deficiency anaemia", "缺铁性贫血", [], "written"),
            ("cervical", "Cervical spondylosis", "颈椎病", [], "written"),
            ("crohn", "Crohn’s disease", "克罗恩病", [], "written"),
            ("stroke", "Stroke", "脑梗死", [], "written"),
            ("cyst", "Cyst", "囊肿", [], "imported"),
            ("lobar", "Lobar pneumonia", "大叶性肺炎", ["x", "偏头痛"], "imported"),
            ("warts", "Genital warts", "湿疣", [], "imported"),
        )
    ]
    return Names(replace(knowledge([], made), aliases={"肺火": "pneumonia", "无": "gone"}))


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("pneumonia", "pneumonia"),  # an id
        ("PNEUMONIAS", "pneumonia"),
        (" Lung-Infections ", "pneumonia"),
        ("ｌｕｎｇ　ｉｎｆｅｃｔｉｏｎ", "pneumonia"),
        ("肺部 感染", "pneumonia"),
        ("偏頭痛", "migraine"),  # what is written comes first
        ("Iron Deficiency Anemia", "anaemia"),
        ("Crohn disease", "crohn"),
        ("crohn's disease", "crohn"),
        ("脑梗塞", "stroke"),
        ("肺火", "pneumonia"),
        ("大叶性肺炎", "lobar"),
        ("Cerebral softening (stroke)", "stroke"),
    ],
)
def test_an_own_entry(names: Names, name: str, owner: str) -> None:
    found = names.find(name)
    assert found is not None
    assert (found.condition, found.how) == (owner, "exact")


@pytest.mark.parametrize(
    ("name", "owner", "how"),
    [
        ("小儿肺炎", "pneumonia", "form"),
        ("急性小儿肺炎", "pneumonia", "form"),
        ("Acute pneumonia in children", "pneumonia", "form"),
        ("Paediatric pneumonia", "pneumonia", "form"),
        ("偏头痛病", "migraine", "form"),
        ("Crohn", "crohn", "form"),
        ("Anaemia, iron deficiency", "anaemia", "form"),
        ("交感神经型颈椎病", "cervical", "broader"),
        ("急性大叶性肺炎", "lobar", "form"),
        ("病毒性肺炎", "pneumonia", "broader"),
        ("Viral pneumonia", "pneumonia", "broader"),
    ],
)
def test_the_entry_of_what_it_is_a_form_or_a_kind_of(
    names: Names, name: str, owner: str, how: str
) -> None:
    found = names.find(name)
    assert found is not None
    assert (found.condition, found.how) == (owner, how)


@pytest.mark.parametrize(
    "name", ["", "  ", "病", "肾囊肿", "Renal cyst", "假性湿疣", "无", "gone", "（）", "?!", "🙂"]
)
def test_what_is_not_known(names: Names, name: str) -> None:
    """A cyst of the kidney is not known by knowing what a cyst is, and what only looks like
    another disease is none of its kind."""
    assert names.find(name) is None


def test_one_name_has_one_form() -> None:
    assert key_of("Ⅱ型糖尿病") == key_of("２型糖尿病") == key_of("二型糖尿病")
    assert key_of("Haemorrhoids") == key_of("hemorrhoid")
    assert key_of("Sjögren's syndrome") == key_of("sjogren syndrome")

"""What a sentence of the model may say: a table of sentences, on the real knowledge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.language.relations import Relation
from agent.language.understand import Lexicon
from agent.ports import Language
from agent.wording.check import Facts, refuse
from agent.wording.person import Person
from knowledge.clinical import ClinicalKnowledge

# Told: a headache and a cough with fever, no rash, unsure of a stiff neck; a cold is the favourite.
TOLD = Facts(
    present=frozenset({"headache", "cough", "fever"}),
    absent=frozenset({"rash", "vomiting"}),
    unsure=frozenset({"stiff_neck"}),
    conditions=frozenset({"common_cold", "influenza"}),
)
MUST = Facts(
    present=TOLD.present,
    absent=TOLD.absent,
    conditions=TOLD.conditions,
    must_name=frozenset({"headache"}),
)
FIT = Facts(
    present=TOLD.present,
    absent=TOLD.absent,
    conditions=TOLD.conditions,
    must_fit=frozenset({"common_cold"}),
)

ENGLISH: list[tuple[str, str | None]] = [
    ("Thank you for telling me that you have a headache and a cough.", None),
    ("You have a fever and a cough, and no rash.", None),
    ("Thank you, you have had no vomiting.", None),
    ("From what you told me, it may be the common cold.", None),
    ("I see that you have a cough.", "speaker"),
    ("You could take some ibuprofen for the headache.", "medicines"),
    ("Paracetamol helps with fever.", "medicines"),
    ("An antibiotic is needed for this cough.", "medicines"),
    ("Take two tablets for your headache.", "medicines"),
    ("A vitamin would help your cough.", "medicines"),
    ("Take 500 mg of it for the fever.", "number"),
    ("You have had a fever of 39 degrees.", "number"),
    ("Your cough will last 3 days.", "number"),
    ("You need an x-ray for this cough.", "treatments"),
    ("A blood test would explain the fever.", "treatments"),
    ("My diagnosis is a cold.", "treatments"),
    ("You have a cough and chest pain.", "finding"),
    ("You have a headache and feel dizzy.", "finding"),
    ("You have a rash.", "finding"),
    ("You have no cough.", "finding"),
    ("You have a cough and no diarrhoea.", "finding"),
    ("You have a headache, which may fit pneumonia.", "condition"),
    ("This may be meningitis.", "condition"),
    ("Do not worry about the headache.", "assurances"),
    ("Your cough is not serious.", "assurances"),
    ("The fever will go away on its own.", "assurances"),
    ("It is definitely a cold.", "assurances"),
    ("I am a doctor and you have a cough.", "assurances"),
    ("Go to the hospital with that headache.", "urgencies"),
    ("Please see a doctor about your cough.", "urgencies"),
    ("You can stay home with that cough.", "urgencies"),
    ("Call an ambulance for your fever.", "urgencies"),
    ("Do you have a headache?", "question"),
    ("您有头痛和咳嗽。", "language"),
    ("You have 头痛.", "language"),
    ("You have a **headache**.", "markup"),
    ("<b>You have a cough.</b>", "markup"),
    ("See https://example.org about your cough.", "markup"),
    ("I have a headache and a cough.", "speaker"),
    ("My cough is bad.", "speaker"),
    ("", "empty"),
    ("You have a cough. " * 20, "too_long"),
]
CHINESE: list[tuple[str, str | None]] = [
    ("谢谢您告诉我这些，您头痛、咳嗽。", None),
    ("您发烧、咳嗽，没有皮疹。", None),
    ("谢谢您的回答，您没有呕吐。", None),
    ("根据您所说的，可能符合普通感冒。", None),
    ("您头痛可以吃点布洛芬。", "medicines"),
    ("发烧用退烧药。", "medicines"),
    ("您咳嗽需要抗生素。", "medicines"),
    ("头痛的话多补充维生素。", "medicines"),
    ("您发烧到39度。", "number"),
    ("您咳嗽了3天。", "number"),
    ("您咳嗽需要拍片。", "treatments"),
    ("发烧应该抽血化验。", "treatments"),
    ("我的诊断是普通感冒。", "treatments"),
    ("您头痛、胸痛。", "finding"),
    ("您咳嗽，还有头晕。", "finding"),
    ("您没有咳嗽。", "finding"),
    ("您身上有皮疹。", "finding"),
    ("您咳嗽，没有腹泻。", "finding"),
    ("您头痛，可能符合肺炎。", "condition"),
    ("这可能是脑膜炎。", "condition"),
    ("您得了普通感冒。", "certainty"),
    ("您患有流感。", "certainty"),
    ("您头痛没关系，不用担心。", "assurances"),
    ("咳嗽很快就会好。", "assurances"),
    ("我是医生，您咳嗽。", "assurances"),
    ("您发烧请立即去医院。", "urgencies"),
    ("咳嗽在家观察几天。", "urgencies"),
    ("您头痛吗？", "question"),
    ("You have a headache and a cough.", "language"),
    ("您头痛，headache and cough。", "language"),
    ("您有*头痛*。", "markup"),
    ("我有头痛和咳嗽。", "speaker"),
    ("我也咳嗽。", "speaker"),
]


@pytest.mark.parametrize(("sentence", "code"), ENGLISH)
def test_english(lexicon: Lexicon, sentence: str, code: str | None) -> None:
    assert refuse(sentence, TOLD, lexicon, "en") == code


@pytest.mark.parametrize(("sentence", "code"), CHINESE)
def test_chinese(lexicon: Lexicon, sentence: str, code: str | None) -> None:
    assert refuse(sentence, TOLD, lexicon, "zh") == code


@pytest.mark.parametrize(
    ("sentence", "facts", "code"),
    [
        ("You have a headache and a cough.", MUST, None),
        ("You have a cough and a fever.", MUST, "incomplete"),
        ("Thank you for telling me.", MUST, "incomplete"),
        ("From what you told me, it may fit the common cold.", FIT, None),
        ("It may fit the common cold or influenza.", FIT, None),
        ("It may fit the common cold or pneumonia.", FIT, "condition"),
        ("It may fit the common cold or a bladder infection.", FIT, "condition"),
        ("You may have a fit with the common cold.", FIT, "finding"),
        ("It is the common cold.", FIT, "incomplete"),
        ("It may fit influenza.", FIT, "incomplete"),
    ],
)
def test_what_was_told_must_be_repeated(
    lexicon: Lexicon, sentence: str, facts: Facts, code: str | None
) -> None:
    assert refuse(sentence, facts, lexicon, "en") == code


@pytest.mark.parametrize(
    ("sentence", "relation", "language", "code"),
    [
        ("Thank you for telling me that your child has a cough.", "child", "en", None),
        ("Your mother has a fever and a cough, and no rash.", "mother", "en", None),
        ("The patient has a cough.", "other", "en", None),
        ("Thank you for telling me that you have a cough.", "child", "en", "person"),
        ("Your son has a cough.", "mother", "en", "person"),
        ("Your child has a cough.", None, "en", "person"),
        ("谢谢您告诉我这些，孩子咳嗽、发烧，没有皮疹。", "child", "zh", None),
        ("谢谢您告诉我这些，您的母亲咳嗽。", "mother", "zh", None),
        ("谢谢您告诉我这些，您咳嗽。", "child", "zh", "person"),
        ("谢谢您告诉我这些，孩子咳嗽。", "self", "zh", "person"),
    ],
)
def test_whose_complaints_they_are(
    lexicon: Lexicon, sentence: str, relation: Relation | None, language: Language, code: str | None
) -> None:
    facts = replace(TOLD, person=Person.of(relation))
    assert refuse(sentence, facts, lexicon, language) == code


def test_every_condition_can_be_named_in_the_words_of_the_prompt(
    real: ClinicalKnowledge, lexicon: Lexicon
) -> None:
    refused = {}
    for key, condition in real.conditions.items():
        facts = Facts(
            present=frozenset({"headache"}),
            conditions=frozenset({key}),
            must_fit=frozenset({key}),
        )
        name = condition.name.en
        english = f"From what you told me, headache, it may fit {name[0].lower()}{name[1:]}."
        chinese = f"根据您所说的头痛，可能符合{condition.name.zh}。"
        for sentence, language in ((english, "en"), (chinese, "zh")):
            code = refuse(sentence, facts, lexicon, "en" if language == "en" else "zh")
            if code is not None:
                refused[sentence] = code
    # Some names are themselves complaints, hold a number, or name a medicine or a test ("drug
    # allergy", "raised liver values"); then the fixed words are shown.
    assert len(refused) < 0.11 * 2 * len(real.conditions), refused


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(ENGLISH) + len(CHINESE) >= 60
    assert len({code for _, code in ENGLISH + CHINESE}) >= 14

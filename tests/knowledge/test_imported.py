"""Importing conditions: what is read, what is mapped, what is refused, what is kept."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.language.lexicon import Lexicon
from agent.language.names import Names
from knowledge.clinical import ClinicalKnowledge
from knowledge.clinical.schema import Condition, Department, Finding
from knowledge.imported import cmekg, hpo, store
from knowledge.imported.mapping import MOST, Mapped, map_rows
from knowledge.imported.rows import Row, SourceFault, Symptom
from knowledge.imported.tables import tables
from knowledge.imported.vocabulary import Vocabulary
from tests.agent.knowledge import condition, finding

GRAPH: dict[str, Any] = {
    "膝骨囊肿": {
        "常见症状": ["发热", "疼痛", "等待查明的怪象", "高热等"],
        "就诊科室": ["骨科；肿瘤科", "星象科"],
        "常见发病部位": ["膝关节"],
        "别称": ["骨内腱鞘囊肿"],
        "英文名称": ["bone cyst of the knee"],
        "ICD10": ["m85.6"],
        "多发群体": ["青壮年男性"],
    },
    "小儿咳热病": {"常见症状": ["咳嗽", "发热"], "就诊科室": ["儿科"], "传染性": ["有"]},
    "急性上感": {"常见症状": ["咳嗽"], "别称": ["感冒", "伤风感冒"], "英文名称": ["acute cold"]},
    "肿瘤": {"常见症状": ["发热", "咳嗽"]},
    "阑尾切除术": {"常见症状": ["发热", "咳嗽"], "就诊科室": ["外科"]},
    "发热": {"常见症状": ["咳嗽", "膝盖痛"], "就诊科室": ["内科"]},
    "杂音": {"常见症状": ["咳嗽", "膝盖痛"], "ICD10": ["R01.1"]},
    "怪病": {"常见症状": ["怪象"], "就诊科室": ["内科"]},
    "子宫热症": {"常见症状": ["发热", "咳嗽", "睾丸痛"], "就诊科室": ["妇科"]},
    "阿司匹林": {"适应症": ["头痛"]},
}


@pytest.fixture(scope="module")
def written() -> ClinicalKnowledge:
    """A little that is written: four findings, a risk, one condition."""

    def said(key: str, zh: str, *ways: str, **more: Any) -> Finding:
        names = {"en": key.replace("_", " "), "zh": zh}
        return finding(key, name=names, says={"zh": [zh, *ways], "en": [names["en"]]}, **more)

    findings = [
        said("fever", "发热", "高热", "发烧"),
        said("cough", "咳嗽"),
        said("knee_pain", "膝痛", "膝关节疼痛", "膝盖痛"),
        said("testicular_pain", "睾丸痛", who={"sex": "male"}),
        said("diabetes", "糖尿病", kind="risk"),
    ]
    cold = condition(
        "common_cold",
        {"cough": 0.8, "fever": 0.3, "knee_pain": 0.01},
        name={"en": "Common cold", "zh": "普通感冒"},
        synonyms={"en": ["cold"], "zh": ["感冒"]},
        icd10="J00",
        per_10000=500,
    )
    departments = {
        key: Department.model_validate({"id": key, "name": {"en": key, "zh": zh}})
        for key, zh in {
            "orthopaedics": "骨科",
            "oncology": "肿瘤科",
            "paediatrics": "儿科",
            "gynaecology": "妇科",
            "general_medicine": "普通内科",
        }.items()
    }
    return ClinicalKnowledge(
        findings={entry.id: entry for entry in findings},
        conditions={cold.id: cold},
        departments=departments,
    )


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph in a file, made here."""
    path = tmp_path_factory.mktemp("graph") / "cmekg.pkl"
    path.write_bytes(pickle.dumps(GRAPH))
    return path


@pytest.fixture(scope="module")
def mapped(written: ClinicalKnowledge, graph: Path) -> Mapped:
    lexicon = Lexicon.compile(written)
    vocabulary = Vocabulary(written, lexicon, tables())
    return map_rows(cmekg.CMEKG, cmekg.rows(graph), written, vocabulary, tables())


@pytest.fixture(scope="module")
def by_name(mapped: Mapped) -> dict[str, Condition]:
    return {entry.name.zh: entry for entry in mapped.conditions}


# --- reading -----------------------------------------------------------------------------------


class Malicious:
    """What runs as soon as a careless unpickler reads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.mark, "run"))


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "cmekg.pkl"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps({"发热": {"常见症状": Malicious(mark)}}, protocol))
        with pytest.raises(SourceFault, match="plain data and nothing else"):
            cmekg.load(path)
        assert not mark.exists()
    pickle.loads(path.read_bytes())
    assert mark.exists()  # it would have run


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        pickle.dumps(["a", "list"]),
        pickle.dumps(GRAPH)[:-40],
        b"\x80\x05K\x01a.",
    ],
)
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cmekg.pkl"
    path.write_bytes(content)
    with pytest.raises(SourceFault, match="not the graph"):
        cmekg.load(path)


def test_what_is_not_text_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cmekg.pkl"
    odd = {"怪病": {"常见症状": ["发热", 7, None], 3: ["x"], "别称": 5}, 9: {}, "空": None}
    path.write_bytes(pickle.dumps(odd))
    assert cmekg.load(path) == {"怪病": {"常见症状": ["发热"]}}


def test_rows_say_what_the_graph_says(graph: Path) -> None:
    rows = {row.names[0]: row for row in cmekg.rows(graph)}
    assert "阿司匹林" not in rows  # no symptoms, no department: a medicine
    cyst = rows["膝骨囊肿"]
    assert cyst.zh == ("膝骨囊肿", "骨内腱鞘囊肿")
    assert cyst.en == ("bone cyst of the knee",)
    assert cyst.icd10 == "M85.6"
    assert cyst.departments == ("骨科；肿瘤科", "星象科")
    assert [symptom.words for symptom in cyst.symptoms] == GRAPH["膝骨囊肿"]["常见症状"]
    assert len({row.id for row in rows.values()}) == len(rows)


# --- mapping -----------------------------------------------------------------------------------


def test_a_row_becomes_a_condition_of_the_second_tier(by_name: dict[str, Condition]) -> None:
    cyst = by_name["膝骨囊肿"]
    assert cyst.tier == "imported"
    assert cyst.name.en == "bone cyst of the knee"
    assert cyst.synonyms.zh == ("骨内腱鞘囊肿",)
    assert cyst.icd10 == "M85.6"
    assert cyst.departments == ("orthopaedics", "oncology")
    # "pain" says where only together with the place; what is said twice is more usual.
    assert set(cyst.findings) == {"fever", "knee_pain"}
    assert cyst.findings["fever"] > cyst.findings["knee_pain"]
    assert set(cyst.cardinal) <= set(cyst.findings)
    assert "未经医生审阅" in cyst.about.zh
    assert "no clinician has reviewed it" in cyst.about.en
    child = by_name["小儿咳热病"]
    assert child.name.en == child.name.zh  # no English name is known, and none is made up
    assert child.prevalence.ages["older"] < 0.1 < child.prevalence.ages["toddler"]


def test_no_frequency_claims_to_have_been_counted(mapped: Mapped) -> None:
    for entry in mapped.conditions:
        assert len(entry.findings) >= 2
        assert all(0 < share <= MOST for share in entry.findings.values())


def test_nobody_has_a_finding_of_the_other_sex(by_name: dict[str, Condition]) -> None:
    womb = by_name["子宫热症"]
    assert "testicular_pain" not in womb.findings
    assert womb.prevalence.sex == {"female": 1.0, "male": 0.0}


def test_the_whole_source_weighs_little(mapped: Mapped, written: ClinicalKnowledge) -> None:
    own = sum(entry.prevalence.per_10000 for entry in written.conditions.values())
    added = sum(entry.prevalence.per_10000 for entry in mapped.conditions)
    assert 0.01 < added / own < 0.05


def test_what_is_written_keeps_its_entry_and_gains_names(
    mapped: Mapped, by_name: dict[str, Condition], written: ClinicalKnowledge
) -> None:
    assert "急性上感" not in by_name
    assert mapped.aliases == {
        "急性上感": "common_cold",
        "伤风感冒": "common_cold",
        "acute cold": "common_cold",
    }
    assert mapped.account.already_written == 1


def test_every_row_and_word_is_accounted_for(mapped: Mapped, graph: Path) -> None:
    account = mapped.account
    rows = len(list(cmekg.rows(graph)))
    assert account.rows == rows
    left_out = sum(account.dropped.values())
    assert rows == account.conditions + account.already_written + left_out
    reasons = {name: why for why, names in account.examples.items() for name in names}
    assert "too general" in reasons["肿瘤"]
    assert "procedure" in reasons["阑尾切除术"]
    assert "symptom" in reasons["发热"]
    assert "ICD-10" in reasons["杂音"]
    assert "fewer than two" in reasons["怪病"]
    assert {"怪象", "等待查明的怪象"} <= account.unmapped.keys()
    assert not {"发热", "高热等", "疼痛"} & account.unmapped.keys()
    assert account.departments == {"星象科": 1}
    body = account.as_json()
    assert 0 < body["symptom_mentions_mapped"] < 1
    json.dumps(body)


def test_one_english_name_makes_no_two_diseases_one(written: ClinicalKnowledge) -> None:
    """Rows are often given the English name of something near; the code must agree."""
    vocabulary = Vocabulary(written, Lexicon.compile(written), tables())
    symptoms = (Symptom("发热"), Symptom("咳嗽"))

    def outcome(icd10: str | None) -> Mapped:
        row = Row("cmekg_x", "zh", zh=("寒邪病",), en=("cold",), icd10=icd10, symptoms=symptoms)
        return map_rows(cmekg.CMEKG, [row], written, vocabulary, tables())

    assert outcome("J00").aliases == {"寒邪病": "common_cold"}
    for other in ("T69", None):
        assert [entry.name.zh for entry in outcome(other).conditions] == ["寒邪病"]


def test_the_tables_name_what_is_known(knowledge: ClinicalKnowledge) -> None:
    """An id that is gone from the clinical data shows here, and not as a silent loss."""
    own = tables()
    assert {i for ids in own.words.values() for i in ids} <= knowledge.findings.keys()
    departments = {*own.departments.values(), *own.department_parts.values()}
    assert departments <= knowledge.departments.keys()


# --- keeping -----------------------------------------------------------------------------------


def never() -> Iterator[Row]:
    raise AssertionError("the source is read again")
    yield


def test_what_was_mapped_is_kept_until_something_changes(
    tmp_path: Path, graph: Path, written: ClinicalKnowledge
) -> None:
    manifest = store.manifest_of(cmekg.CMEKG, "abc", written)
    assert store.current(tmp_path, cmekg.CMEKG, manifest) is None
    made = store.make(tmp_path, cmekg.CMEKG, cmekg.rows(graph), manifest, written)
    kept = store.current(tmp_path, cmekg.CMEKG, manifest)
    assert kept is not None
    assert kept.conditions == made.conditions
    assert kept.aliases == made.aliases
    account = json.loads(kept.account.read_text(encoding="utf-8"))
    assert account["rows"] == len(GRAPH) - 1
    assert account["written"] == written.release
    for key in manifest:  # another source, another release, another importer
        assert store.current(tmp_path, cmekg.CMEKG, manifest | {key: "other"}) is None
    again = store.make(tmp_path, cmekg.CMEKG, cmekg.rows(graph), manifest, written)
    assert again.conditions == made.conditions


@pytest.mark.parametrize("damage", ["cut", "empty", "words", "entry", "gone"])
def test_a_damaged_file_is_made_again(
    tmp_path: Path, graph: Path, written: ClinicalKnowledge, damage: str
) -> None:
    manifest = store.manifest_of(cmekg.CMEKG, "abc", written)
    store.make(tmp_path, cmekg.CMEKG, cmekg.rows(graph), manifest, written)
    path = tmp_path / "cmekg.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if damage == "gone":
        path.unlink()
    else:
        path.write_text({
            "cut": "".join(lines[:-1]),
            "empty": "",
            "words": "no JSON\n",
            "entry": "".join([*lines[:-1], '{"id": "cmekg_x"}\n']),
        }[damage], encoding="utf-8")  # fmt: skip
    assert store.current(tmp_path, cmekg.CMEKG, manifest) is None


def test_both_tiers_make_one_knowledge(mapped: Mapped, written: ClinicalKnowledge) -> None:
    table = {entry.id: entry for entry in mapped.conditions}
    tier = store.Imported(table, mapped.aliases, {}, Path("account"))
    both = store.joined(written, [tier])
    assert next(iter(both.conditions)) == "common_cold"
    assert both.written == written.conditions
    assert len(both.conditions) == 1 + len(table)
    fewer = store.joined(written, [store.Imported(table, {}, {}, Path("account"))])
    assert len({written.release, both.release, fewer.release}) == 3
    names = Names(both)
    assert names.exact("伤风感冒") == "common_cold"
    assert both.conditions[names.exact("骨内腱鞘囊肿") or ""].name.zh == "膝骨囊肿"


# --- rare diseases -----------------------------------------------------------------------------

OBO = """format-version: 1.2

[Term]
id: HP:1
name: Pyrexia
synonym: "Fever" EXACT layperson []

[Term]
id: HP:2
name: Periodic pyrexia of night
is_a: HP:1 ! Pyrexia

[Term]
id: HP:3
name: Cough

[Term]
id: HP:4
name: Low-set ears

[Typedef]
id: part_of
name: part of
"""
COLUMNS = "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration"  # noqa: E501


def annotation(disease: str, term: str, *, how: str = "", qualifier: str = "", aspect: str = "P") -> str:  # fmt: skip  # noqa: E501
    name = "NIGHT FEVER SYNDROME; Other name" if disease == "OMIM:1" else "Common cold"
    return "\t".join([disease, name, qualifier, term, "", "", "", how, "", "", aspect, ""])


def test_rare_diseases_are_read_with_their_frequencies(
    tmp_path: Path, written: ClinicalKnowledge
) -> None:
    ontology, annotations = tmp_path / "hp.obo", tmp_path / "phenotype.hpoa"
    ontology.write_text(OBO, encoding="utf-8")
    rows = [
        annotation("OMIM:1", "HP:2", how="9/10"),
        annotation("OMIM:1", "HP:3", how="HP:0040283"),
        annotation("OMIM:1", "HP:4"),
        annotation("OMIM:1", "HP:9"),
        annotation("OMIM:1", "HP:3", qualifier="NOT", how="1/1"),
        annotation("OMIM:1", "HP:3", aspect="I"),
        annotation("OMIM:2", "HP:3", how="45%"),
    ]
    annotations.write_text("\n".join(["#version: 1", COLUMNS, *rows]) + "\n", encoding="utf-8")
    vocabulary = Vocabulary(written, Lexicon.compile(written), tables())
    found = map_rows(hpo.HPO, hpo.rows(annotations, ontology), written, vocabulary, tables())
    assert found.account.already_written == 1
    (rare,) = found.conditions
    assert rare.id == "hpo_omim_1"
    assert rare.name.en == rare.name.zh == "Night fever syndrome"
    assert rare.synonyms.en == ("Other name",)
    assert rare.findings == {"fever": MOST, "cough": 0.15}
    assert rare.cardinal == ("fever",)
    assert found.account.unmapped == {"Low-set ears": 1}


def test_what_is_no_ontology_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hp.obo"
    path.write_text("[Typedef]\nid: x\n", encoding="utf-8")
    with pytest.raises(SourceFault, match="no terms"):
        hpo.terms(path)
    path.write_text(OBO, encoding="utf-8")
    other = tmp_path / "phenotype.hpoa"
    other.write_text("a\tb\nc\td\n", encoding="utf-8")
    with pytest.raises(SourceFault, match="columns"):
        list(hpo.rows(other, path))

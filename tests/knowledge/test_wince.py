"""Each fault that a clinician would wince at, on a tiny folder that has exactly that fault."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from knowledge.clinical import check, load
from knowledge.clinical.load import read_folder
from knowledge.clinical.phrasing import plain
from knowledge.clinical.wince import days
from tests.knowledge.folders import BASE, change, faults

CONDITIONS, FINDINGS = "conditions.yaml", "findings.yaml"
FACTS = "findings: {cough: common, fever: 0.3, high_fever: rare}"
PREVALENCE = "prevalence: {per_10000: 100}"
RAISES = "raises: [{when: {%s}, to: routine, because: {en: Why., zh: 原因。}}]"
ALIKE = "lookalikes: [{condition: %s, differs: {en: Differs., zh: 不同。}}]"
ONLY_BABIES = "{child: 0, teen: 0, adult: 0, middle: 0, older: 0}"
RULE = """\
    schema: 1
    rules:
      - id: danger
        level: emergency
        department: clinic
        because: {en: Danger., zh: 危险。}
        advice: [{en: Go., zh: 去。}]
        when: {any: [cough]}
        source: {title: Guidance, url: "https://example.org/danger"}
        fires: {en: [coughing], zh: [咳嗽]}
        spares: {en: [hello], zh: [你好]}
    """


def finding(folder: Path, name: str, more: str = "") -> None:
    """Add a finding to the folder; `more` are further fields, as in a mapping in braces."""
    text = f"""\
      - {{id: {name}, name: {{en: {name} en, zh: 名{name}}}, base_rate: 0.01,
         ask: {{en: "Is there {name}?", zh: "有没有{name}？"}},
         says: {{en: [some {name}], zh: [说{name}]}}{more}}}
    """
    with (folder / FINDINGS).open("a", encoding="utf-8") as file:
        file.write(textwrap.indent(textwrap.dedent(text), "  "))


def second(folder: Path, *changes: tuple[str, str]) -> None:
    """Add a second condition, a copy of the first under another name with some changes."""
    text = textwrap.dedent(BASE[CONDITIONS]).replace("id: cold", "id: flu")
    text = text.replace("Common cold, zh: 普通感冒", "Influenza, zh: 流感")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "second.yaml").write_text(text, encoding="utf-8")


def only_fault(folder: Path) -> str:
    (fault,) = faults(folder)
    return fault


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (FACTS, "findings: {cough: 0.12, fever: 0.8, high_fever: rare}", "rarer than 0.2"),
        (FACTS, "findings: {cough: 0.4, fever: 0.8, high_fever: rare}", "none of its cardinal"),
        (FACTS, "findings: {cough: common, fever: 0.3, high_fever: 0.4}", "more frequent than"),
        (PREVALENCE, "prevalence: {per_10000: 1, sex: {female: 0, male: 0}}", "both sexes"),
        (PREVALENCE, "prevalence: {per_10000: 1, pregnancy: only}", "men have it"),
        (PREVALENCE, "prevalence: {per_10000: 1, pregnancy: only}", "ages include"),
        ("speed: acute", "speed: acute, typical_min: P2W, typical_max: P3D", "is longer than"),
        ("urgency: self_care", "urgency: self_care\n    " + RAISES % "any: [cough]", "half of"),
        ("urgency: self_care", "urgency: self_care\n    " + ALIKE % "cold", "its own look-alike"),
        ('zh: "休息。"', 'zh: "每次吃两片。"', "dose"),
        ('en: "Rest."', 'en: "Take two of the 500 mg tablets."', "dose"),
        ('zh: "休息。"', 'zh: "Rest well."', "is not Chinese"),
        ('en: "Rest."', 'en: "Rest 休息."', "holds Chinese"),
        ('en: "Rest.", zh: "休息。"', 'en: "Rest。", zh: "Rest。"', "say the same"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be(folder: Path, old: str, new: str, message: str) -> None:
    change(folder, CONDITIONS, old, new)
    assert any(message in fault for fault in faults(folder))


def test_a_condition_has_a_finding_in_half_of_its_patients(folder: Path) -> None:
    change(folder, CONDITIONS, FACTS, "findings: {cough: 0.4, fever: 0.4, high_fever: rare}")
    change(folder, CONDITIONS, "cardinal: [cough]", "cardinal: [cough, fever]")
    assert "no finding is present in half" in only_fault(folder)


def test_a_condition_lists_the_finding_it_is_called_after(folder: Path) -> None:
    finding(folder, "rash")
    change(folder, CONDITIONS, "zh: 普通感冒", "zh: 感冒伴名rash")
    assert "called after 'rash'" in only_fault(folder)
    change(folder, CONDITIONS, "high_fever: rare", "high_fever: rare, rash: 0.6")
    load(folder)


@pytest.mark.parametrize(
    ("more", "prevalence", "message"),
    [
        (", who: {min_age: 18}", f"ages: {ONLY_BABIES}", "at an age at which nobody"),
        (", who: {max_age: 1}", "ages: {newborn: 0, infant: 0}", "at an age at which nobody"),
        (", who: {sex: female}", "sex: {female: 0}", "of the other sex"),
        (", who: {sex: female}", "sex: {female: 1}", "only one sex can have"),
        (", who: {pregnant: true}", "pregnancy: never", "which the condition excludes"),
        (", who: {pregnant: true}", "pregnancy: 1", "weigh `pregnancy`"),
    ],
)
def test_a_finding_of_people_who_do_not_have_the_condition(
    folder: Path, more: str, prevalence: str, message: str
) -> None:
    finding(folder, "swelling", more)
    change(folder, CONDITIONS, "high_fever: rare", "high_fever: rare, swelling: 0.9")
    change(folder, CONDITIONS, "per_10000: 100", f"per_10000: 100, {prevalence}")
    assert message in " ".join(faults(folder))


def test_a_baby_does_not_smoke(folder: Path) -> None:
    finding(folder, "smoking", ", kind: risk")
    change(folder, CONDITIONS, PREVALENCE, f"{PREVALENCE}\n    risks: {{smoking: 2}}")
    load(folder)
    change(folder, CONDITIONS, "per_10000: 100", f"per_10000: 100, ages: {ONLY_BABIES}")
    assert "belongs to grown-ups" in only_fault(folder)


@pytest.mark.parametrize(
    ("when", "who", "below"),
    [
        ("{any: [cough]}", "", True),
        ("{all: [cough, fever]}", "", False),  # the fever is not usual
        ("{all: [{any: [cough, fever]}], none: [high_fever]}", "", True),
        ("{any: [cough, fever], at_least: 2}", "", False),
        ("{any: [cough]}", "who: {max_age: 1}", False),  # not everyone with a cold is a baby
        ("{any: [cough], who: {sex: female}}", "", False),
    ],
)
def test_urgency_is_not_below_a_red_flag_of_its_usual_patient(
    folder: Path, when: str, who: str, below: bool
) -> None:
    rule = textwrap.dedent(RULE).replace("{any: [cough]}", when)
    if who:
        rule = rule.replace("level:", f"{who}\n    level:")
    (folder / "rules.yaml").write_text(rule, encoding="utf-8")
    if below:
        assert "urgency self_care is below red flag 'danger'" in only_fault(folder)
    else:
        load(folder)


def test_a_red_flag_for_a_first_time_leaves_out_those_who_had_it_before(folder: Path) -> None:
    rule = textwrap.dedent(RULE).replace("{any: [cough]}", "{all: [cough], none: [had_before]}")
    (folder / "rules.yaml").write_text(rule, encoding="utf-8")
    finding(folder, "had_before", ", kind: risk")
    assert "below red flag" in only_fault(folder)
    change(folder, CONDITIONS, PREVALENCE, f"{PREVALENCE}\n    risks: {{had_before: 9}}")
    load(folder)


@pytest.mark.parametrize("name", ["common-cold", "Common Cold", "Ｃommon ｃold"])
def test_a_name_belongs_to_one_condition(folder: Path, name: str) -> None:
    second(folder, ("icd10", f"synonyms: {{en: [{name}]}}\n    icd10"))
    assert "already names 'cold'" in only_fault(folder)


def test_names_are_compared_as_they_are_heard() -> None:
    assert plain("發燒") == plain("发烧")
    assert plain("X-Ray") == plain("x ray") == "xray"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('zh: "您咳嗽吗？"', 'zh: "您肯定咳嗽吧？"', "leads"),
        ('"Do you cough?"', '"You cough, right?"', "leads"),
        ('"Do you cough?"', '"Do you cough, and do you sneeze?"', "two things"),
        ('zh: "您咳嗽吗？"', 'zh: "您咳嗽吗？打喷嚏吗？"', "two things"),
        ('"Do you cough?"', '"Tell me of your cough"', "lacks its '?'"),
    ],
)
def test_a_question_is_open_and_single(folder: Path, old: str, new: str, message: str) -> None:
    change(folder, FINDINGS, old, new)
    assert message in only_fault(folder)


def test_a_danger_that_warns_of_a_harmless_one_is_named_there_too(folder: Path) -> None:
    second(
        folder,
        ("urgency: self_care", "urgency: emergency\n    " + ALIKE % "cold"),
        ("  return_if", "  ambulance_if: [{en: Collapse., zh: 昏倒。}]\n      return_if"),
    )
    load(folder)
    (warning,) = check.check(read_folder(folder))
    assert warning.warning
    assert "does not name this more urgent condition" in warning.message


def test_durations_are_compared_in_days() -> None:
    assert days("P2W") == 14
    assert days("PT36H") == 1.5
    assert days("P1M") > days("P4W")
    assert days("PT90M") < days("PT2H")

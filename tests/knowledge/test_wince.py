"""Each fault and warning of the checks, on a tiny folder that has exactly that one."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from knowledge.clinical import check, load
from knowledge.clinical.load import read_folder
from knowledge.clinical.phrasing import plain
from knowledge.clinical.schema import days
from tests.knowledge.folders import BASE, change

CONDITIONS, FINDINGS = "conditions.yaml", "findings.yaml"
FACTS = "findings: {cough: common, fever: 0.3, high_fever: rare}"
PREVALENCE = "prevalence: {per_10000: 100}"
RAISES = "raises: [{when: {%s}, to: routine, because: {en: Why., zh: 原因。}}]"
ALIKE = "lookalikes: [{condition: %s, differs: {en: Differs., zh: 不同。}}]"
AMBULANCE = "ambulance_if: [{en: Collapse., zh: 昏倒。}]\n      return_if:"
ONLY_BABIES = "{child: 0, teen: 0, adult: 0, middle: 0, older: 0}"
NOBODY = "{newborn: 0, infant: 0, toddler: 0, child: 0, teen: 0, adult: 0, middle: 0, older: 0}"
FERTILE = "{newborn: 0, infant: 0, toddler: 0, child: 0, older: 0}"
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


def found(folder: Path, *, warning: bool = False) -> str:
    """The only thing that the checks find in the folder."""
    (fault,) = check.check(read_folder(folder))
    assert fault.warning is warning, fault
    return fault.message


def rule(folder: Path, *changes: tuple[str, str]) -> None:
    """Add a red flag that a cough sets off, with some changes."""
    text = textwrap.dedent(RULE)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "rules.yaml").write_text(text, encoding="utf-8")


def urgent(level: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Changes that make a condition urgent, and say when to call an ambulance."""
    return ("urgency: self_care", f"urgency: {level}"), ("return_if:", AMBULANCE)


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("icd10: J00\n", "tier: imported\n    icd10: J00\n", "is written"),
        ("    icd10: J00\n", "", "icd10: Field required"),
        (FACTS, "findings: {cough: 0.1, fever: 0.8, high_fever: rare}\n"
         "    cardinal: [cough, fever]", "rarer than 0.2"),
        (FACTS, "findings: {cough: 0.4, fever: 0.8, high_fever: rare}", "none of its cardinal"),
        (FACTS, "findings: {cough: 0.39, fever: 0.39, high_fever: rare}\n"
         "    cardinal: [cough, fever]", "its most common finding is rarer than 0.4"),
        (FACTS, "findings: {cough: common, fever: 0.3, high_fever: 0.4}", "more frequent than"),
        (PREVALENCE, "prevalence: {per_10000: 1, sex: {female: 0, male: 0}}", "both sexes"),
        (PREVALENCE, f"prevalence: {{per_10000: 1, ages: {NOBODY}}}", "every age"),
        (PREVALENCE, f"prevalence: {{per_10000: 1, pregnancy: only, ages: {FERTILE}}}",
         "men have it"),
        (PREVALENCE, "prevalence: {per_10000: 1, pregnancy: only, sex: {male: 0}}",
         "the ages include infant, newborn, older, toddler"),
        ("speed: acute", "speed: acute, typical_min: P2W, typical_max: P3D", "is longer than"),
        ("urgency: self_care", f"urgency: routine\n    {RAISES % 'any: [fever]'}",
         "which is not above routine"),
        ("urgency: self_care", f"urgency: self_care\n    {ALIKE % 'cold'}", "its own look-alike"),
        ('zh: "休息。"', 'zh: "每次吃两片。"', "dose"),
        ('en: "Rest."', 'en: "Take two of the 500 mg tablets."', "dose"),
        ('zh: "休息。"', 'zh: "Rest well."', "is not Chinese"),
        ('en: "Rest."', 'en: "Rest 休息."', "holds Chinese"),
        ('en: "Rest.", zh: "休息。"', 'en: "Rest。", zh: "Rest。"', "say the same"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be(folder: Path, old: str, new: str, message: str) -> None:
    if "cardinal:" in new:
        change(folder, CONDITIONS, "    cardinal: [cough]\n", "")
    change(folder, CONDITIONS, old, new)
    assert message in found(folder)


def test_a_condition_lists_the_finding_it_is_called_after(folder: Path) -> None:
    finding(folder, "rash")
    change(folder, CONDITIONS, "zh: 普通感冒", "zh: 感冒伴名rash")
    assert "called after 'rash'" in found(folder)
    change(folder, CONDITIONS, "high_fever: rare", "high_fever: rare, rash: 0.6")
    load(folder)


@pytest.mark.parametrize(
    ("kind", "part"), [("risk", "findings"), ("symptom", "risks")], ids=["risk", "finding"]
)
def test_risks_and_findings_stand_apart(folder: Path, kind: str, part: str) -> None:
    finding(folder, "smoking", f", kind: {kind}")
    if part == "findings":
        change(folder, CONDITIONS, "high_fever: rare", "high_fever: rare, smoking: 0.2")
    else:
        change(folder, CONDITIONS, PREVALENCE, f"{PREVALENCE}\n    risks: {{smoking: 2}}")
    assert f"is of kind {kind}; move it" in found(folder)


@pytest.mark.parametrize(
    ("more", "prevalence", "message"),
    [
        (", who: {min_age: 18}", f"ages: {ONLY_BABIES}", "at an age at which nobody"),
        (", who: {max_age: 1}", "ages: {newborn: 0, infant: 0}", "at an age at which nobody"),
        (", who: {sex: female}", "sex: {female: 0}", "of the other sex"),
        (", who: {sex: female}", "sex: {female: 1}", "those of one sex (female)"),
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
    assert message in found(folder)


def test_a_condition_known_by_what_one_sex_has_is_of_that_sex(folder: Path) -> None:
    finding(folder, "swelling", ", who: {sex: male}")
    change(folder, CONDITIONS, "high_fever: rare", "high_fever: rare, swelling: 0.6")
    load(folder)
    change(folder, CONDITIONS, "cardinal: [cough]", "cardinal: [swelling]")
    assert "those of one sex (male)" in found(folder)
    change(folder, CONDITIONS, "per_10000: 100", "per_10000: 100, sex: {female: 0}")
    load(folder)


def test_a_baby_does_not_smoke(folder: Path) -> None:
    finding(folder, "smoking", ", kind: risk")
    change(folder, CONDITIONS, PREVALENCE, f"{PREVALENCE}\n    risks: {{smoking: 2}}")
    load(folder)
    change(folder, CONDITIONS, "per_10000: 100", f"per_10000: 100, ages: {ONLY_BABIES}")
    assert "belongs to grown-ups" in found(folder)


# --- urgency -------------------------------------------------------------------------------------


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
def test_urgency_is_not_below_a_red_flag_of_a_cardinal_finding(
    folder: Path, when: str, who: str, below: bool
) -> None:
    rule(folder, ("{any: [cough]}", when), ("level:", f"{who}\n    level:" if who else "level:"))
    if below:
        message = found(folder)
        assert "urgency self_care is below red flag 'danger' (emergency)" in message
        assert "its cardinal finding 'cough' sets off" in message
    else:
        assert check.check(read_folder(folder)) == []


def test_a_red_flag_of_usual_findings_together_is_a_warning(folder: Path) -> None:
    rule(folder, ("{any: [cough]}", "{all: [cough, fever]}"))
    change(folder, CONDITIONS, "fever: 0.3", "fever: 0.5")
    assert "its usual findings set off" in found(folder, warning=True)


def test_what_raises_the_usual_patient_counts_as_the_urgency(folder: Path) -> None:
    rule(folder)
    raises = f"urgency: self_care\n    {RAISES % 'any: [cough]'}"
    change(folder, CONDITIONS, "urgency: self_care", raises)
    assert "urgency routine is below" in found(folder)
    change(folder, CONDITIONS, "to: routine", "to: emergency")
    assert check.check(read_folder(folder)) == []


def test_an_urgency_that_hardly_anyone_keeps(folder: Path) -> None:
    raises = f"urgency: self_care\n    {RAISES % 'any: [cough]'}"
    change(folder, CONDITIONS, "urgency: self_care", raises)
    assert check.check(read_folder(folder)) == []
    change(folder, CONDITIONS, "cough: common", "cough: usual")
    assert "nearly all of its patients are raised to routine" in found(folder, warning=True)


def test_a_red_flag_for_a_first_time_leaves_out_those_who_had_it_before(folder: Path) -> None:
    rule(folder, ("{any: [cough]}", "{all: [cough], none: [had_before]}"))
    finding(folder, "had_before", ", kind: risk")
    assert "below red flag" in found(folder)
    change(folder, CONDITIONS, PREVALENCE, f"{PREVALENCE}\n    risks: {{had_before: 9}}")
    load(folder)


# --- look-alikes and advice ----------------------------------------------------------------------


def test_a_look_alike_is_given_once(folder: Path) -> None:
    twice = f"urgency: self_care\n    {ALIKE % 'cold'}".replace("}]", "}, SAME]")
    same = "{condition: cold, differs: {en: Differs., zh: 不同。}}"
    second(folder, ("urgency: self_care", twice.replace("SAME", same)))
    assert "look-alike 'cold' is given twice" in found(folder)


def test_a_look_alike_that_is_not_written_yet(folder: Path) -> None:
    alike = f"urgency: self_care\n    {ALIKE % 'croup'}"
    change(folder, CONDITIONS, "urgency: self_care", alike)
    assert "unknown condition 'croup'" in found(folder, warning=True)


def test_a_danger_that_warns_of_a_harmless_one_is_named_there_too(folder: Path) -> None:
    level, ambulance = urgent(f"emergency_ambulance\n    {ALIKE % 'cold'}")
    second(folder, level, ambulance)
    assert "does not name this more urgent condition" in found(folder, warning=True)


def test_an_urgent_condition_says_when_to_call_an_ambulance(folder: Path) -> None:
    change(folder, CONDITIONS, *urgent("within_24h")[0])
    assert "no `ambulance_if`" in found(folder, warning=True)
    change(folder, CONDITIONS, *urgent("within_24h")[1])
    assert check.check(read_folder(folder)) == []


def test_a_red_flag_carries_no_dose(folder: Path) -> None:
    rule(folder, ("{any: [cough]}", "{all: [high_fever]}"), ("zh: 去。", "zh: 含服2片。"))
    assert "dose" in found(folder)


# --- names and words -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["common-cold", "Common Cold", "Ｃommon ｃold"])
def test_a_name_belongs_to_one_condition(folder: Path, name: str) -> None:
    second(folder, ("icd10", f"synonyms: {{en: [{name}]}}\n    icd10"))
    assert "already names 'cold'" in found(folder)


@pytest.mark.parametrize(
    ("said", "named"), [("cough + wet", "wet"), ("barking|hacking", "hacking")], ids=["+", "or"]
)
def test_a_way_to_say_it_belongs_to_one_finding(folder: Path, said: str, named: str) -> None:
    change(folder, FINDINGS, "en: [coughing]", f'en: ["{said}"]')
    change(folder, FINDINGS, "en: [feverish]", f'en: ["{said if "+" in said else named}"]')
    assert "already names 'cough'" in found(folder)


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
        ('zh: "您咳嗽吗？"', 'zh: "说说咳嗽。"', "lacks its '？'"),
        ("zh: [咳嗽]", "zh: []", "no way to say it"),
        ("en: [coughing]", 'en: ["cough + "]', "empty piece"),
        ("en: [coughing]", 'en: ["{chest}"]', "unknown word list"),
        ("en: [coughing]", 'en: ["my{chest}"]', "mixes a word list with letters"),
    ],
)  # fmt: skip
def test_words_and_questions(folder: Path, old: str, new: str, message: str) -> None:
    change(folder, FINDINGS, old, new)
    assert message in found(folder)


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ("min_duration: P3W, max_duration: P5D", "min_duration P3W is longer than"),
        ("place: [chest]", "no word of kind place"),
    ],
)
def test_a_quality_that_cannot_be(folder: Path, quality: str, message: str) -> None:
    finding(folder, "long_cough", f", qualifies: {{of: cough, {quality}}}")
    assert message in found(folder)


def test_durations_are_compared_in_days() -> None:
    assert days("P2W") == 14
    assert days("PT36H") == 1.5
    assert days("P1M") > days("P4W")
    assert days("PT90M") < days("PT2H")

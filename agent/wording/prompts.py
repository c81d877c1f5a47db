"""What the model is asked to say. It is given structured facts, never the patient's raw words:
what a patient writes cannot give it orders.

The system message is the same for every call of a language, so that its evaluation is cached.
"""

from __future__ import annotations

import hashlib

from agent.ports import ChatRequest, Language, Message

SYSTEM: dict[Language, str] = {
    "en": "You put a hospital assistant's notes into kind, plain words for the patient. Use only "
    "the notes. Say nothing that is not in them: no advice, no medicine, no test, no number, no "
    "illness, no reassurance, no question. Answer with the sentence alone.",
    "zh": "你把医院助手的记录用亲切、通俗的话说给病人听。只能用记录里的内容，"
    "不要说记录里没有的：不给建议，不提药物、检查、数字、疾病，不作保证，不提问。只回答这一句话。",
}
TASKS: dict[str, dict[Language, str]] = {
    "acknowledge": {
        "en": "Notes: the patient has {facts}.\nWrite one short sentence that thanks the patient "
        'and repeats this. Begin with "Thank you".',
        "zh": "记录：病人{facts}。\n请写一句简短的话，感谢病人并复述这些情况，以“谢谢您”开头。",
    },
    "summarise": {
        "en": "Notes: the patient has {facts}. This may fit: {names}.\nWrite one sentence to the "
        'patient that repeats this. Begin with "From what you told me". Use "may".',
        "zh": "记录：病人{facts}。可能符合：{names}。\n请写一句话对病人复述这些内容，"
        "以“根据您所说的”开头，用“可能”。",
    },
}


def request(
    purpose: str, language: Language, *, seed: int, facts: str, names: str = ""
) -> ChatRequest:
    """The call of the model for a purpose, with the facts in place."""
    task = TASKS[purpose][language].format(facts=facts, names=names)
    return ChatRequest(
        messages=(Message("system", SYSTEM[language]), Message("user", task)),
        max_tokens=80,
        temperature=0.0,
        seed=seed,
        deadline=12.0,
    )


def fingerprint() -> str:
    """Hash over all prompts: part of what a consultation is pinned to."""
    digest = hashlib.sha256()
    for language in ("en", "zh"):
        digest.update(SYSTEM[language].encode())
        for purpose in sorted(TASKS):
            digest.update(TASKS[purpose][language].encode())
    return f"prompts-{digest.hexdigest()[:12]}"

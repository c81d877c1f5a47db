"""What the model is asked to say. It is given structured facts, never the patient's raw words:
what a patient writes cannot give it orders.

The system message is the same for every call of a language, so that it is evaluated once and
kept. Its examples do for a small model what instructions alone do not.
"""

from __future__ import annotations

from agent.ports import ChatRequest, Language, Message
from agent.wording.person import Person

SYSTEM: dict[Language, str] = {
    "en": """You speak for a hospital's assistant. Turn the notes into one sentence to the \
patient. Say only what is in the notes: no advice, no question, no comfort, no explanation.
Notes: stomach pain, diarrhoea, no fever
Answer: Thank you for telling me that you have stomach pain and diarrhoea, and no fever.
Notes: no dizziness
Answer: Thank you for your answer: you have no dizziness.
Notes: knee pain, swollen joint. May fit: gout, knee arthritis
Answer: From what you told me, knee pain and a swollen joint, it may fit gout or knee arthritis.
Patient: your son
Notes: earache, no vomiting
Answer: Thank you for telling me that your son has an earache, and no vomiting.
Patient: your mother
Notes: knee pain. May fit: gout
Answer: From what you told me, your mother has knee pain; it may fit gout.""",
    "zh": """你替医院的问诊助手说话。把记录改写成一句对病人说的话。\
只说记录里有的：不建议、不提问、不安慰、不解释。
记录：腹痛、腹泻、没有发热
回答：谢谢您告诉我这些，您腹痛、腹泻，没有发热。
记录：没有头晕
回答：谢谢您的回答，您没有头晕。
记录：膝盖痛、关节肿胀。可能符合：痛风、膝骨关节炎
回答：根据您所说的膝盖痛和关节肿胀，可能符合痛风或膝骨关节炎。
病人：孩子
记录：耳痛、没有呕吐
回答：谢谢您告诉我这些，孩子耳痛，没有呕吐。
病人：您母亲
记录：膝盖痛。可能符合：痛风
回答：根据您所说的，您母亲膝盖痛，可能符合痛风。""",
}
PATIENT: dict[Language, str] = {"en": "Patient: {person}\n", "zh": "病人：{person}\n"}
TASKS: dict[str, dict[Language, str]] = {
    "acknowledge": {"en": "Notes: {facts}\nAnswer:", "zh": "记录：{facts}\n回答："},
    "summarise": {
        "en": "Notes: {facts}. May fit: {names}\nAnswer:",
        "zh": "记录：{facts}。可能符合：{names}\n回答：",
    },
}


def request(
    purpose: str,
    language: Language,
    *,
    seed: int,
    facts: str,
    names: str = "",
    person: Person | None = None,
) -> ChatRequest:
    """The call of the model for a purpose, with the facts in place; `person` is the patient where
    somebody else writes."""
    task = TASKS[purpose][language].format(facts=facts, names=names)
    if person is not None:
        task = PATIENT[language].format(person=person.name(language)) + task
    return ChatRequest(
        messages=(Message("system", SYSTEM[language]), Message("user", task)),
        max_tokens=90,
        temperature=0.0,
        seed=seed,
        deadline=12.0,
    )

"""The service's own sentences, in both languages. No clinical knowledge stands here."""

from __future__ import annotations

from knowledge.clinical.schema import Level

DISCLOSURE = {
    "en": "I am an automated assistant (AI), not a doctor, and I cannot examine anybody. If you "
    "feel that a life is in danger, call your local emergency number (120 in China) now.",
    "zh": "我是自动问诊助手（人工智能），不是医生，也不能做身体检查。"
    "如果您觉得有生命危险，请立即拨打120。",
}
NOTED = {"en": "I have noted: {findings}.", "zh": "我记下了：{findings}。"}
DENIED = {"en": "no {finding}", "zh": "没有{finding}"}
UNSURE = {"en": "{finding} (not sure)", "zh": "{finding}（不确定）"}
JOIN = {"en": ", ", "zh": "、"}
CORRECTED = {
    "en": "Thank you for correcting that; I have changed it.",
    "zh": "谢谢您的更正，我已经改过来了。",
}
OPEN_QUESTION = {
    "en": "What troubles you most? Please say in your own words what you feel, where, and since "
    "when.",
    "zh": "您哪里不舒服？请用自己的话说说是什么感觉、在什么部位、从什么时候开始的。",
}
OPEN_QUESTION_ABOUT = {
    "en": "What is the matter with {person}? Please say in your own words what it is like, where, "
    "and since when.",
    "zh": "{person}哪里不舒服？请用自己的话说说是什么情况、在什么部位、从什么时候开始的。",
}
NOT_UNDERSTOOD = {
    "en": "I could not make out a symptom in that.",
    "zh": "我没能从这句话里看出具体的症状。",
}
PROFILE_QUESTION = {
    "en": "How old is the person who is ill, and are they male or female?",
    "zh": "请问病人多大年龄，是男性还是女性？",
}
PROFILE_REASON = {
    "en": "what is likely and what is dangerous depends on age and sex",
    "zh": "年龄和性别会影响判断",
}
DURATION_QUESTION = {
    "en": "How long has this been going on ({finding})?",
    "zh": "这种情况（{finding}）有多久了？",
}
DURATION_REASON = {
    "en": "how long it has lasted separates acute causes from lasting ones",
    "zh": "持续时间有助于区分急性和慢性的原因",
}
OPEN_REASON = {"en": "nothing to go on yet", "zh": "还没有可以判断的信息"}
OPTIONS = ("yes", "no", "unsure")

LEVEL: dict[Level, dict[str, str]] = {
    "emergency_ambulance": {
        "en": "This may be life-threatening. Call your local emergency number (120 in China) now.",
        "zh": "这可能危及生命。请立即拨打120急救电话。",
    },
    "emergency": {
        "en": "Please go to an emergency department now.",
        "zh": "请现在就去医院急诊。",
    },
    "within_24h": {
        "en": "Please see a doctor within 24 hours ({department}).",
        "zh": "请在24小时内就医（{department}）。",
    },
    "routine": {
        "en": "Please make an appointment in the next days ({department}).",
        "zh": "请在近几天内预约门诊就诊（{department}）。",
    },
    "self_care": {
        "en": "On what you told me, this can be looked after at home for now. If you want it "
        "checked, the department is: {department}.",
        "zh": "就您所说的情况，目前可以先在家观察和护理。如需就诊，建议挂{department}。",
    },
}
FITS = {
    "en": "What you describe fits best with: {names}. This is a possibility, not a diagnosis.",
    "zh": "您描述的情况比较符合：{names}。这只是可能性，并不是诊断。",
}
POSSIBLE = {
    "en": "This is a possibility, not a diagnosis.",
    "zh": "这只是可能性，并不是诊断。",
}
FITS_NOTHING = {
    "en": "What you told me does not point to one clear cause.",
    "zh": "根据您所说的情况，还看不出一个明确的原因。",
}
NOW = {"en": "What to do now:", "zh": "现在可以这样做："}
AVOID = {"en": "Better avoid:", "zh": "请避免："}
RETURN_IF = {"en": "See a doctor sooner if:", "zh": "出现以下情况请尽快就医："}
AMBULANCE_IF = {
    "en": "Call your local emergency number (120 in China) if:",
    "zh": "出现以下情况请立即拨打120：",
}
WHY = {"en": "Why:", "zh": "原因："}
NOT_CONSIDERED = {
    "en": "Not considered here: an examination, tests, other illnesses and medicines{unknown}.",
    "zh": "这里没有考虑到：体格检查、化验检查、其他疾病和正在用的药物{unknown}。",
}
UNKNOWN = {"en": ", and what stayed unclear: {items}", "zh": "，以及没有弄清的：{items}"}
WEIGH_AGAIN = {
    "en": "Tell me if anything changes or if something I noted is wrong.",
    "zh": "如果情况有变化，或者我记错了什么，请告诉我。",
}
STILL_EMERGENCY = {
    "en": "My advice stays the same: please get help now and do not wait for this conversation.",
    "zh": "我的建议不变：请现在就去求助，不要等这次对话结束。",
}
NOTHING_NEW = {
    "en": "Thank you. That does not change my advice. Is there anything else you want to tell me?",
    "zh": "谢谢。这不改变我前面的建议。还有其他想告诉我的吗？",
}
ANSWER_INTRO = {"en": "On your question:", "zh": "关于您的问题："}
NO_ANSWER = {
    "en": "I have no reliable passage on that and would rather not guess. Please ask the doctor "
    "or a pharmacist.",
    "zh": "关于这一点我没有可靠的资料，不想乱猜。请向医生或药师咨询。",
}
DECLINED = {
    "dose_request": {
        "en": "I do not give doses. A pharmacist or a doctor can tell you what suits you.",
        "zh": "我不提供用药剂量。请向药师或医生咨询适合您的用法。",
    },
    "prescription_request": {
        "en": "I cannot prescribe or choose medicines; a doctor has to do that.",
        "zh": "我不能开药，也不能替您选药，这需要医生来决定。",
    },
    "diagnosis_certainty": {
        "en": "I cannot give a certain diagnosis; that needs an examination.",
        "zh": "我不能给出确定的诊断，这需要医生检查。",
    },
    "off_topic": {
        "en": "I can only help with questions about health.",
        "zh": "我只能帮助解答健康方面的问题。",
    },
    "override": {
        "en": "I keep to my safety rules, whoever asks.",
        "zh": "无论谁要求，我都会遵守安全规则。",
    },
}
CRISIS = {
    "en": "I am very glad that you told me. You do not have to carry this alone. If you may act "
    "on these thoughts, or have already done something, call your local emergency number (120 in "
    "China) now, stay with someone you trust, and keep away from anything you could use to harm "
    "yourself. In China the psychological helpline is 12356; elsewhere, call your "
    "local crisis line. A person here has been asked to take over.",
    "zh": "谢谢您愿意告诉我这些，您不必一个人扛着。如果您可能会按这些念头去做，"
    "或者已经做了什么，请立即拨打120，让信任的人陪在身边，并远离可能伤害自己的东西。"
    "您也可以拨打全国统一心理援助热线12356。我已经请人工接手这次对话。",
}
CRISIS_OTHER = {
    "en": "If it is {person} who is in danger: do not leave them alone until help comes, and keep "
    "away from them anything that could be used to do harm.",
    "zh": "如果有危险的是{person}：在有人来帮助之前请不要让其独处，并收走可能用来伤害的东西。",
}
HANDED_OFF = {
    "en": "I have asked a person to take over. If it gets worse while you wait, call your local "
    "emergency number (120 in China).",
    "zh": "我已经请工作人员接手。等待期间如果病情加重，请拨打120。",
}
CLOSED = {
    "en": "I am closing this consultation. If it gets worse or something new comes up, start "
    "again or see a doctor.",
    "zh": "这次咨询到此结束。如果病情加重或出现新的情况，请重新咨询或就医。",
}
SORRY = {
    "en": "Something went wrong on our side; what you wrote is kept. Please send it again in a "
    "moment. If it is urgent, do not wait: call your local emergency number (120 in China).",
    "zh": "系统出了点问题，您写的内容已经保存，请稍后再发一次。"
    "如果情况紧急，请不要等待，立即拨打120。",
}


def say(text: dict[str, str], language: str, **values: str) -> str:
    """A text in a language, with its blanks filled."""
    return text[language].format(**values) if values else text[language]

"""Short answers to the question just asked, and corrections of what was said before."""

from __future__ import annotations

import re

from agent.language.reading import Status

_UNSURE = re.compile(
    r"^\W*(?:(?:i'?m |i am )?not (?:really |quite |too |100% )?(?:sure|certain)|unsure|"
    r"(?:i )?(?:don'?t|do not|dunno|can'?t) (?:know|tell|remember|say)|dunno|idk|no idea|"
    r"no clue|hard to (?:say|tell)|maybe|perhaps|possibly|might be|could be|kind of not sure|"
    r"hmm+|not that i (?:can tell)|i (?:haven'?t|never) (?:checked|measured|noticed|looked)|"
    r"haven'?t (?:checked|measured)"
    r"|不(?:太)?(?:清楚|知道|确定|好说|记得|晓得|肯定|明白|了解)|说不(?:清|准|上来|好)|"
    r"没(?:有)?(?:注意|留意|量过?|测过?|看过?|查过?|检查)|可能(?:吧|有吧?|是吧?)?(?=\W*$)|也许|"
    r"不一定|好像(?:吧|是吧?|有吧?)?(?=\W*$)|拿不准|记不(?:清|得)|没量|大概吧?(?=\W*$))"
)
_NO = re.compile(
    r"^\W*(?:(?:no+|nope|nah|na|not (?:really|at all|that i(?:'m| am)? (?:know|aware|"
    r"noticed?)\w*(?: of)?|exactly|particularly|so far|yet|any(?:more)?|now|today|currently)|"
    r"never|none|nothing(?: like that)?|negative|neither|absolutely not|definitely not|"
    r"of course not|i (?:don'?t|do not|haven'?t|have not|didn'?t|did not|am not|"
    r"can'?t say i)(?: think so| have (?:it|any|that|one)| believe so| feel that)?|i'?m not|"
    r"(?:it|he|she|that|they|there) (?:isn'?t|doesn'?t|hasn'?t|is not|does not|has not|didn'?t|"
    r"wasn'?t|aren'?t|don'?t|haven'?t)|(?:don'?t|doesn'?t|hasn'?t|haven'?t|isn'?t|"
    r"didn'?t) (?:think so|have (?:it|any|that)|feel|notice\w*)?)\b(?! idea| clue)"
    r"|(?:没有?|不|不是|不会|不疼|不痛|不痒|否|无|未|木有|没得|没呢|倒没有?|暂时没有?|"
    r"目前没有?|完全没有?|都没有?|都不|从来没有?|从没|没啥|没什么|也没有?|并没有?|应该没有?|"
    r"好像没有?|感觉没有?|没发现|没出现|没感觉|没觉得|不觉得|不算|还没有?|没过|不曾|不怎么|"
    r"不太|没的|冇|毛有|没|不存在|一点也?不|一点都不|一点都没有?|不有)(?![知确清了晓记肯停断得舒]))"
)
_YES = re.compile(
    r"^\W*(?:(?:yes+|yeah+|yep|yup|ya|yea|aye|uh[- ]?huh|mm-?hmm+|mhm+|sure|right|correct|"
    r"exactly|indeed|definitely|absolutely|of course|affirmative|i (?:do|have|did|am|think so|"
    r"believe so|guess so|suppose so)|it (?:does|is|has|did)|(?:he|she|they) (?:does|is|has|"
    r"did|do|have)|there (?:is|are)|a (?:little|bit)|slightly|a little bit|sometimes|"
    r"occasionally|some(?:what)?|kind of|sort of|quite a bit|very much|a lot|often|"
    r"all the time|at times|now and then|on and off|true|unfortunately yes|that'?s right|"
    r"you'?re right|mostly|usually|ok yes|oh yes|well yes|once or twice|just a (?:little|bit)|"
    r"only (?:a (?:little|bit)|at|when|in|if|sometimes|slightly|after|on))\b"
    r"|(?:是的?|有的?|嗯+|对的?|恩+|唔|额?对|没错|确实|当然|会的?|能|可以|是啊|有啊|对啊|是滴|"
    r"嗯嗯|有点儿?|有一点儿?|有些|一点点?|偶尔|有时候?|经常|总是|一直|稍微|轻微|挺|很|非常|"
    r"特别|应该有|应该是|好像有|感觉有|可能有点|略|多少有点|时不时|常常|老是|差不多|正是|就是|"
    r"的确|疼|痛|痒|都有|都是|有过|晚上(?:有|会)|是(?!不是)|要|行|好像是))(?!不|没)"
)
_ELABORATES = re.compile(
    r"\bbut\b|\bonly\b|\bexcept\b|,\s*(?:just|only|sometimes|a little|at night)|但|不过|就是|"
    r"只是|只有|除了|偶尔|有时|稍微|有点"
)
_AFFIRMS_PART = re.compile(
    r"\b(?:only|just|except|sometimes|occasionally|a (?:little|bit)|slightly|once|now and then|"
    r"at night|when|if|in the)\b|只(?:是|有|在)|就(?:是)?(?:晚上|早上|有点|偶尔)|偶尔|有时|"
    r"稍微|有点|一点点"
)
_CORRECTION = re.compile(
    r"\bactually\b|\bi meant?\b|\bcorrection\b|\bi made a mistake\b|\bmy mistake\b|"
    r"\bi was wrong\b|\bi misspoke\b|\bsorry,? (?:it|i|he|she|not|no|that|the|wrong|my)\b|"
    r"\bscratch that\b|\bi said .{0,40}\bbut\b|\bnot \w+,? (?:but|i mean)\b|"
    r"\bon second thought\b|\btake that back\b|\blet me correct\b|\bwait,? (?:no|actually|it|"
    r"he|she|i)\b|\bno,? (?:wait|actually|i mean)\b|\bi (?:got|had) (?:it|that) wrong\b|"
    r"\bi was mistaken\b"
    r"|说错了?|搞错了?|记错了?|弄错了?|讲错了?|写错了?|打错了?|看错了?|更正|纠正|其实(?:是|"
    r"不是|没有?|他|她|我|有|应该)|不对[,，]|不对不对|应该是|刚(?:才|刚)(?:说|讲|写|的?不对)|"
    r"我(?:的)?意思是|抱歉|不好意思[,，]?(?:是|我|刚|不是|其实)|收回|改一下|"
    r"不是.{1,12}[,，]?(?:而)?是|重新说"
)
_LONG = 120
# "He doesn't", "this I don't", said and nothing else: a subject before a bare answer.
_SUBJECT = re.compile(
    r"^\W*(?:(?:这个|那个|这|那|孩子|宝宝|娃儿?|他|她|我)(?:倒是?|还真|真的?|也|都|应该|好像)?)"
    r"(?=(?:没有|没|有的?|不是|不|是的?|会的?|没注意过?|没留意过?|不清楚|不知道|说不准|说不好)"
    r"[吧呢啊呀哦的]?(?:\W|$))"
)


def answer(text: str) -> Status | None:
    """What a message says to a yes/no question, or None when it is no answer.

    `text` is a normal form. "Not really, only at night" affirms with a limit: present.
    """
    body = text.strip()
    if not body or len(body) > _LONG:
        return None
    body = _SUBJECT.sub("", body)
    head = body[:60]
    if _UNSURE.match(head):
        return "unsure"
    match = _NO.match(head)
    if match:
        rest = body[match.end() :]
        if _ELABORATES.search(rest) and _AFFIRMS_PART.search(rest) and _plain(rest):
            return "present"
        if re.search(r"\bi (?:don'?t|do not) (?:know|remember)\b|\bnot sure\b", head[:30]):
            return "unsure"
        return "absent"
    return "present" if _YES.match(head) else None


def _plain(rest: str) -> bool:
    """Whether what follows a "no" is only a limit ("only at night") and no other finding."""
    return len(rest.split()) <= 8 if rest.isascii() else len(rest) <= 14


def is_correction(text: str) -> bool:
    """Whether the patient takes something back."""
    return _CORRECTION.search(text) is not None

"""Mends wrong characters of the same sound: 呼息 for 呼吸, 吐雪 for 吐血, 自沙 for 自杀.

A Chinese keyboard writes by sound, so that a slip is mostly a character that sounds the same. One
character is put right when everything around it stands in a phrase of the lexicon and the sounds
agree. Nothing is touched that is part of a word of everyday Chinese: 小心藏好 holds no 心脏.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

# Only these characters are ever put in: what bodies, complaints and dangers are written with.
_MEDICAL = frozenset(
    "疼痛血气喘咳吐晕昏抽搐麻瘫肿烧热胸心肚腹头脑眼脖嗓喉毒杀割吞烫伤断尿便屎胎孕羊水呼吸脏肺脉"
    "紫青冷汗闷憋噎卡呛窒息休克倒醒歪斜僵硬软力劲痒疹斑泡脓癌瘤炎药池酸碱漂疝囊睾卵宫产哮痰涕"
    "鼻耳牙嘴唇舌咽颈肩腰背腿脚膝踝臂肘腕指骨折裂摔撞磕跌命死跳绳恶呕泻痢胃肠肝胆肾膀胱渗抖颤惊厥破止动"
)
_LONGEST = 5
_COMMON = 15_000  # how often a character stands as a word: above, it is left alone in short words
_WORD = 8  # how often a word occurs that counts as one
# Beside one of these a character says too little: 躺了 is not 烫了, 说不出整 holds no 出疹.
_PARTICLES = frozenset("了着过得的到出上下来去有在是")
# Sounds that only a second reading has.
_PAIRS = frozenset(("藏脏", "写血"))
_CJK = re.compile(r"[\u4e00-\u9fff]")
_TONES = str.maketrans(
    "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ",
    "aaaaeeeeiiiioooouuuuvvvvvnnnm",
)


@lru_cache(maxsize=8192)
def _sound(char: str) -> str:
    """How a character is mostly read, without tones and without what dialects run together."""
    from pypinyin.constants import PINYIN_DICT

    plain = PINYIN_DICT.get(ord(char), "").split(",")[0].translate(_TONES)
    plain = re.sub(r"^([zcs])h", r"\1", plain)
    return re.sub(r"([ie])ng$", r"\1n", plain)


@cache
def _dictionary() -> tuple[frozenset[str], dict[str, int]]:
    """The words of everyday Chinese of two to four characters, and how often each character is a
    word by itself; from the word list that jieba brings."""
    words: set[str] = set()
    single: dict[str, int] = {}
    with files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count, *_ = line.split(" ")
            if len(word) == 1:
                single[word] = int(count)
            elif len(word) <= 4 and int(count) >= _WORD:
                words.add(word)
    return frozenset(words), single


class Homophones:
    """Puts right what sounds like a phrase of the lexicon."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """`phrases` are the literal Chinese phrases of the lexicon."""
        self._phrases = frozenset(p for p in phrases if 2 <= len(p) <= _LONGEST)
        if self._phrases:
            _dictionary()  # read now, not while the first patient waits
        # What stands around a character of a phrase -> the characters that belong there.
        self._around: dict[tuple[str, str], str] = {}
        for phrase in sorted(self._phrases):
            for at, char in enumerate(phrase):
                if char in _MEDICAL:
                    key = (phrase[:at], phrase[at + 1 :])
                    if char not in self._around.get(key, ""):
                        self._around[key] = self._around.get(key, "") + char

    def mend(self, text: str) -> str:
        """The text with the wrong characters replaced; as long as it was."""
        if not _CJK.search(text):
            return text
        for at in range(len(text)):
            right = self._meant(text, at)
            if right is not None:
                text = text[:at] + right + text[at + 1 :]
        return text

    def _meant(self, text: str, at: int) -> str | None:
        """The character that is meant at a place, when another one stands there."""
        char = text[at]
        if not "\u4e00" <= char <= "\u9fff":
            return None
        for length in range(_LONGEST, 1, -1):
            for first in range(max(0, at - length + 1), min(at, len(text) - length) + 1):
                last = first + length
                choices = self._around.get((text[first:at], text[at + 1 : last]))
                if choices is None or char in choices:
                    continue
                for choice in choices:
                    same = _sound(char) == _sound(choice) or char + choice in _PAIRS
                    if same and self._free(text, first, at, last):
                        return choice
        return None

    def _free(self, text: str, first: int, at: int, last: int) -> bool:
        """Whether the character is in no phrase and no word as it stands, and no word reaches into
        the stretch."""
        words, single = _dictionary()
        for size in range(2, _LONGEST + 1):
            for start in range(max(0, at - size + 1), min(at, len(text) - size) + 1):
                if text[start : start + size] in self._phrases:
                    return False
        if last - first == 2:
            other = text[first] if at != first else text[last - 1]
            if single.get(text[at], 0) >= _COMMON or other in _PARTICLES:
                return False
        for size in (2, 3, 4):
            for start in range(max(0, first - size + 1), min(last, len(text) - size + 1)):
                word = text[start : start + size]
                crosses = start < first or start + size > last
                holds = start <= at < start + size
                if (crosses or holds) and word in words:
                    return False
        return True

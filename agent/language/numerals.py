"""Reads numbers that are written in words."""

from __future__ import annotations

import re

_DIGITS = {
    "零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3, "四": 4, "五": 5,
    "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
_UNITS = {"十": 10, "百": 100, "千": 1000}
_VAGUE = {"几": 3.0, "数": 3.0, "好几": 5.0, "多": 5.0, "好多": 5.0, "若干": 3.0}
CHINESE = r"[零〇一二两俩三仨四五六七八九十百千]{1,6}"

_ENGLISH = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "couple": 2, "few": 3, "several": 4, "half": 0.5, "many": 5,
}  # fmt: skip
ENGLISH = "|".join(sorted(_ENGLISH, key=len, reverse=True))


def chinese(text: str) -> float | None:
    """The value of a Chinese or Arabic numeral: 三十九点五, 39.5, 两三, 十几, 半, 几."""
    if not text:
        return None
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if text == "半":
        return 0.5
    if text in _VAGUE:
        return _VAGUE[text]
    if text.endswith("几") and len(text) > 1:
        base = chinese(text[:-1])
        return None if base is None else base + 5
    if "点" in text:
        whole, _, part = text.partition("点")
        base = chinese(whole)
        digits = "".join(str(_DIGITS[char]) for char in part if char in _DIGITS)
        return None if base is None or not digits else float(f"{int(base)}.{digits}")
    if re.fullmatch(r"[一两二三四五六七八九]{2}", text) and _follow(text):
        return float(_DIGITS[text[1]])
    return _whole(text)


def _follow(text: str) -> bool:
    """Whether two digits are neighbours, as in 两三 (two or three)."""
    return _DIGITS[text[1]] - _DIGITS[text[0]] in (1, 2)


def _whole(text: str) -> float | None:
    total = 0
    digit = 0
    unit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char] if unit or not digit else digit * 10 + _DIGITS[char]
        elif char in _UNITS:
            unit = _UNITS[char]
            total += (digit or 1) * unit
            digit = 0
        else:
            return None
    # 一百六 is 160, 一百零六 is 106.
    if digit and unit >= 100 and text[-2] in _UNITS:
        digit *= unit // 10
    return float(total + digit)


def english(text: str) -> float | None:
    """The value of an English or Arabic numeral: 3, 2.5, three, twenty-one, a couple."""
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    total = 0.0
    found = False
    for word in re.split(r"[\s-]+", text):
        if word in ("of", "and"):
            continue
        if word == "hundred" and found:
            total *= 100
            continue
        if word not in _ENGLISH:
            return None
        if word in ("a", "an") and found:
            continue
        value = _ENGLISH[word]
        total = value if word in ("couple", "few", "several") else total + value
        found = True
    return total if found else None

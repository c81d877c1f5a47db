"""Measured values in a message: temperature, blood pressure, pulse, oxygen, glucose, weight.

Values come out in the units of the clinical schema (degC, mmHg, per minute, %, mmol/L, kg); values
that no living person can have are not believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.language import numerals

_N = r"(\d{1,3}(?:\.\d{1,2})?)"
_ZH = r"([三四][十]?[零〇一二三四五六七八九]?)"
UNITS = {
    "temperature": "degC", "heart_rate": "/min", "respiratory_rate": "/min", "systolic": "mmHg",
    "diastolic": "mmHg", "oxygen_saturation": "%", "glucose": "mmol/L",
    "fasting_glucose": "mmol/L", "weight": "kg",
}  # fmt: skip
_BELIEVED = {
    "temperature": (30.0, 43.5), "heart_rate": (20, 300), "respiratory_rate": (4, 120),
    "systolic": (40, 300), "diastolic": (20, 200), "oxygen_saturation": (40, 100),
    "glucose": (0.5, 60), "fasting_glucose": (0.5, 60), "weight": (0.4, 400),
}  # fmt: skip
_MG_PER_MMOL = 18.016


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured value in canonical units, at `text[start:end]` of the normal form."""

    quantity: str
    value: float
    start: int
    end: int

    @property
    def unit(self) -> str:
        return UNITS[self.quantity]


_TEMPERATURE = (
    re.compile(rf"{_N}\s*(?:°\s*c\b|°c|degrees?\s*(?:c\b|celsius|centigrade)|\bcelsius|摄氏度)"),
    re.compile(r"(?<![\d.])((?:3[4-9]|4[0-3])(?:\.\d{1,2})?)\s*(?:°|度(?!\d)|degrees?|deg\b|c\b)"),
    re.compile(
        r"(?<![\d./])((?:3[4-9]|4[0-3])\.\d{1,2})(?![\d/]|\s*(?:kg|公斤|mmol|斤|周|weeks|岁|%))"
    ),
    re.compile(
        r"(?:temp(?:erature)?|fever|体温|发烧|烧到?|高烧|低烧|发热|量了?下?|温度|"
        r"热到)[^\d,.。]{0,12}"
        r"((?:3[4-9]|4[0-3])(?:\.\d{1,2})?)(?![\d/]|\s*(?:次|天|weeks|days|hours|岁|周|小时))"
    ),
)
_ZH_DEGREES = re.compile(rf"{_ZH}(?:度([零一二三四五六七八九半])?|点([零一二三四五六七八九])度?)")
_DEGREES_FRACTION = re.compile(
    r"(?<!\d)((?:3[4-9]|4[0-3]))度([零一二三四五六七八九半\d])(?![\d天次周个岁])"
)
_FAHRENHEIT = (
    re.compile(
        r"(?<![\d.])((?:9[0-9]|10\d|110)(?:\.\d{1,2})?)\s*(?:°\s*f\b|°f|degrees?\s*f\w*|f\b|"
        r"fahrenheit|华氏)"
    ),
    re.compile(
        r"(?:temp(?:erature)?|fever)[^\d,.]{0,16}((?:9[5-9]|10[0-8])(?:\.\d{1,2})?)"
        r"(?![\d/.]|\s*(?:bpm|mmhg|mg))"
    ),
    re.compile(r"(?<![\d.])((?:9[5-9]|10[0-8])(?:\.\d{1,2})?)\s*(?:degrees?|°)?\s*(?:fever|temp)"),
)
_PRESSURE = (
    re.compile(r"(?<![\d/.])(\d{2,3})\s*(?:/|\\|over|比)\s*(\d{2,3})(?![\d/])"),
    re.compile(r"高压[^\d]{0,6}(\d{2,3})[^\d]{0,8}低压[^\d]{0,6}(\d{2,3})"),
    re.compile(r"systolic[^\d]{0,10}(\d{2,3})[^\d]{0,14}diastolic[^\d]{0,10}(\d{2,3})"),
)
_LOW_FIRST = re.compile(r"低压[^\d]{0,6}(\d{2,3})[^\d]{0,8}高压[^\d]{0,6}(\d{2,3})")
_ONE_PRESSURE = (
    ("systolic", re.compile(r"(?:高压|收缩压|systolic|top number)[^\d,.。]{0,10}(\d{2,3})(?!\d)")),
    (
        "diastolic",
        re.compile(r"(?:低压|舒张压|diastolic|bottom number)[^\d,.。]{0,10}(\d{2,3})(?!\d)"),
    ),
    (
        "systolic",
        re.compile(
            r"(?:血压|blood pressure|\bbp\b)[^\d,。/]{0,16}(\d{2,3})(?![\d/.]|\s*(?:over|/))"
        ),
    ),
)
_OTHERS = (
    (
        "heart_rate", re.compile(
            r"(?:pulse|heart ?rate|\bhr\b|心率|心跳|脉搏|脉率)[^\d,。;]{0,14}(\d{2,3})(?![\d.%])")),
    ("heart_rate", re.compile(r"(\d{2,3})\s*(?:bpm|beats (?:per|a) min\w*|beats)")),
    ("respiratory_rate", re.compile(
        r"(?:respirat\w+(?: rate)?|breathing rate|\brr\b|呼吸频率|呼吸)[^\d,。;]{0,10}(\d{2,3})"
        r"(?!\d|\s*(?:天|周|%|days))")),
    ("respiratory_rate", re.compile(r"(\d{2,3})\s*breaths")),
    ("oxygen_saturation", re.compile(
        r"(?:spo2|sp02|o2(?: sats?)?|oxygen(?: sat\w*| level\w*)?|sats?\b|saturation|"
        r"血氧(?:饱和度)?|氧饱和度?)"
        r"[^\d,。;]{0,14}(\d{2,3})(?:\.\d)?\s*%?")),
    ("weight", re.compile(
        r"(\d{1,3}(?:\.\d{1,2})?)\s*(?:kg|kgs|kilos?|kilograms?|公斤|千克)(?![a-z/])")),
)  # fmt: skip
_POUNDS = re.compile(r"(\d{1,3}(?:\.\d)?)\s*(?:lbs?|pounds)\b")
_JIN = re.compile(r"(?:体重|重)[^\d,。]{0,6}(\d{1,3}(?:\.\d)?)\s*斤")
_GLUCOSE = re.compile(
    r"(?:glucose|blood sugars?|sugar level\w*|\bsugars?|\bbg\b|血糖|空腹(?:血糖)?|"
    r"餐后(?:血糖)?|随机血糖)"
    r"[^\d,。;]{0,18}(\d{1,3}(?:\.\d{1,2})?)\s*(mg|mmol|毫摩)?"
)
_FASTING = re.compile(r"\bfasting\b|空腹")
_GLUCOSE_UNIT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*(mmol/?l?|mg/dl)")


def measurements(text: str) -> list[Measurement]:
    """Every believable measured value of a normal form, in order, without overlaps."""
    found: list[Measurement] = []

    def add(quantity: str, value: float, match: re.Match[str]) -> None:
        low, high = _BELIEVED[quantity]
        if low <= value <= high and not any(
            old.start < match.end() and match.start() < old.end and old.quantity == quantity
            for old in found
        ):
            found.append(Measurement(quantity, round(value, 2), match.start(), match.end()))

    for match in _DEGREES_FRACTION.finditer(text):
        tenth = 5.0 if match[2] == "半" else numerals.chinese(match[2])
        add("temperature", float(match[1]) + (tenth or 0) / 10, match)
    for pattern in _FAHRENHEIT:
        for match in pattern.finditer(text):
            add("temperature", (float(match[1]) - 32) / 1.8, match)
    for pattern in _TEMPERATURE:
        for match in pattern.finditer(text):
            add("temperature", float(match[1]), match)
    for match in _ZH_DEGREES.finditer(text):
        whole = numerals.chinese(match[1])
        part = match[2] or match[3]
        tenth = 5.0 if part == "半" else (numerals.chinese(part) if part else 0.0)
        if whole is not None:
            add("temperature", whole + (tenth or 0.0) / 10, match)
    for pattern in _PRESSURE:
        for match in pattern.finditer(text):
            high, low = float(match[1]), float(match[2])
            if 50 <= high <= 300 and 20 <= low <= 200 and high > low + 5:
                add("systolic", high, match)
                add("diastolic", low, match)
    for match in _LOW_FIRST.finditer(text):
        add("systolic", float(match[2]), match)
        add("diastolic", float(match[1]), match)
    for quantity, pattern in _ONE_PRESSURE:
        for match in pattern.finditer(text):
            add(quantity, float(match[1]), match)
    glucose: list[re.Match[str]] = []
    for match in (*_GLUCOSE.finditer(text), *_GLUCOSE_UNIT.finditer(text)):
        if not any(old.start() < match.end() and match.start() < old.end() for old in glucose):
            glucose.append(match)
            fasting = _FASTING.search(text, max(0, match.start() - 12), match.end())
            quantity = "fasting_glucose" if fasting else "glucose"
            add(quantity, _glucose(float(match[1]), match[2] or ""), match)
    for quantity, pattern in _OTHERS:
        for match in pattern.finditer(text):
            add(quantity, float(match[1]), match)
    for match in _POUNDS.finditer(text):
        add("weight", float(match[1]) * 0.4536, match)
    for match in _JIN.finditer(text):
        add("weight", float(match[1]) / 2, match)
    return sorted(found, key=lambda m: (m.start, m.quantity))


def _glucose(value: float, unit: str) -> float:
    """To mmol/L; a number above 40 without a unit can only be mg/dL."""
    if unit.startswith("mg") or (not unit and value > 40):
        return value / _MG_PER_MMOL
    return value


# --- age ----------------------------------------------------------------------------------------

_AGE_ZH = (
    (re.compile(
        rf"(?<![\d.第])(\d{{1,3}}|{numerals.CHINESE})\s*(?:周岁|岁)"
        rf"(?:零?(\d{{1,2}}|{numerals.CHINESE})个?(?:多|半)?月|(半)|零?(?:\d{{1,2}}|"
        rf"{numerals.CHINESE})天)?"), 1.0),
    (re.compile(r"今年(?:刚|都|已经|快|才)?(\d{1,3})(?=\s*(?:$|[,。;了]))"), 1.0),
    (re.compile(
        r"(?<![\d.])(\d{1,2})\s*个?(?:多)?(?:月)(?:大|龄|的?(?:宝|孩|婴|娃|小|男|女|儿))"), 1 / 12),
    (re.compile(
        rf"({numerals.CHINESE})个(?:多|半)?月(?:大|龄|的?(?:宝|孩|婴|娃|小|男|女|儿))"), 1 / 12),
    (re.compile(
        rf"(?:宝宝|孩子|宝贝|小孩|婴儿|女儿|儿子|小儿|娃|闺女|现在|刚|才)(?:现在|今年|刚|才|"
        rf"已经|快|满)*(\d{{1,2}}|{numerals.CHINESE})个(?:多|半)?月"
        rf"(?:零?(?:\d{{1,2}}|{numerals.CHINESE})天)?(?!了?没|来|前|开始|以来|"
        rf"没有)"), 1 / 12),
    (re.compile(
        rf"(?:出生|生下来?|刚生)(?:后|了|第|才|已经)*(\d{{1,3}}|{numerals.CHINESE})(?:多)?天"),
        1 / 365.25),
    (re.compile(
        rf"(?<![\d第前后这那近])(\d{{1,2}}|{numerals.CHINESE})天(?:大(?![概约便致量多部小])|"
        rf"的(?:新生儿|宝宝|婴儿|小宝|孩子|娃|女儿|儿子))"),
        1 / 365.25),
    (re.compile(
        rf"(?:宝宝|孩子|宝贝|小孩|婴儿|女儿|儿子|娃娃?|闺女|新生儿|小家伙|小宝|二宝)(?:现在|今天|我家|才|刚刚?|"
        rf"已经)*(?:才|刚刚?|满|刚满|才满|不到|出生)(\d{{1,3}}|{numerals.CHINESE})(?:多)?天"
        rf"(?!了?没|来|前|开始|以来|没|都没|就)"), 1 / 365.25),
    (re.compile(
        rf"(?:宝宝|宝贝|婴儿|女儿|儿子|闺女|小宝|二宝|孩子)(?:现在|今天|才|刚)?(\d{{2,3}}|"
        rf"{numerals.CHINESE}十{numerals.CHINESE}?)天(?=[,。;]|$)"), 1 / 365.25),
    (re.compile(rf"(\d{{1,2}}|{numerals.CHINESE})周(?:大|的?(?:新生儿|宝宝|婴儿))"), 7 / 365.25),
)  # fmt: skip
_NUMBER_EN = r"\d{1,3}(?:\.\d)?|" + numerals.ENGLISH
_AGE_EN = (
    (re.compile(
        rf"\b({_NUMBER_EN})(?:\s*(and a half))?[\s-]*(?:years?|yrs?|"
        rf"y)[\s-]*(?:and a half)?[\s-]*(?:old|of age|o\b)"), 1.0),
    (re.compile(r"\b(\d{1,3})[\s-]*(?:yo|y/o|y\.o\.?|yrs? old|yr[\s-]old)\b"), 1.0),
    (re.compile(rf"\b({_NUMBER_EN})[\s-]*(?:months?|mths?|mo)[\s-]*(?:old|of age)\b"), 1 / 12),
    *((re.compile(
        rf"\b(?:baby|newborn|daughter|son|little one|bub|he|she|infant)(?:'s| is| was)? (?:only |"
        rf"just |about |barely )?({_NUMBER_EN}) (?:{unit})"
        rf"(?=\s*(?:$|[,.;]|and\b|with\b|but\b))"), share)
      for unit, share in (("days?", 1 / 365.25), ("weeks?|wks?", 7 / 365.25), ("months?", 1 / 12))),
    (re.compile(rf"\b({_NUMBER_EN})[\s-]*(?:weeks?|wks?|wk)[\s-]*(?:old|of age)\b"), 7 / 365.25),
    (re.compile(rf"\b({_NUMBER_EN})[\s-]*(?:days?)[\s-]*(?:old|of age)\b"), 1 / 365.25),
    (re.compile(
        r"\b(?:aged?|age is|(?:mum|mom|mother|dad|father|husband|wife|grand\w+|son|daughter|"
        r"baby|child|boy|girl|kid|toddler|little one|brother|sister|aunt|uncle|partner|patient)"
        r"(?: is|'s)|i'm|i am|he's|she's|he is|she is|who is|"
        r"who's)\s+(?:of\s+|now\s+)?(\d{1,3})(?=\s*(?:$|[,.;)]|and\b|years?\b|male|female|m\b|"
        r"f\b|with\b|man\b|woman\b))(?!\s*(?:weeks?|days?|months?|kg))"), 1.0),
    (re.compile(r"\b(\d{1,3})\s*(?=[mf]\b)"), 1.0),
    (re.compile(r"\b[mf]\s*(\d{1,3})\b(?!\s*(?:weeks|days|kg))"), 1.0),
    (re.compile(r"\b(?:turned|turning)\s+(\d{1,3})\b"), 1.0),
)  # fmt: skip
_AGE_NAMED = (
    (re.compile(r"(?<![没未不])(?:刚|才)?满月|一个月大"), 1 / 12),
    (re.compile(r"没满月|未满月|不满月|月子里的(?:宝|孩|娃)"), 2.5 / 52),
    (re.compile(r"新生儿|刚出生|newborn|new[- ]born|neonate"), 7 / 365.25),
    (re.compile(r"半岁"), 0.5),
    (re.compile(r"百天|百日"), 100 / 365.25),
)


@dataclass(frozen=True, slots=True)
class Age:
    """An age in years, at `text[start:end]` of the normal form."""

    years: float
    start: int
    end: int


@lru_cache(maxsize=64)
def ages(text: str) -> tuple[Age, ...]:
    """Every age in a normal form, in order; those above 120 years are not believed."""
    found: list[Age] = []

    def add(years: float | None, match: re.Match[str]) -> None:
        if years is None or not 0 <= years <= 120:
            return
        if not any(old.start < match.end() and match.start() < old.end for old in found):
            found.append(Age(round(years, 3), match.start(), match.end()))

    for pattern, factor in _AGE_ZH:
        for match in pattern.finditer(text):
            value = numerals.chinese(match[1])
            groups = match.groups()[1:]
            if value is not None:
                extra = 0.5 if "半" in groups else 0.0
                months = next((numerals.chinese(g) or 0.0 for g in groups if g and g != "半"), 0.0)
                add((value + extra) * factor + months / 12, match)
    for pattern, factor in _AGE_EN:
        for match in pattern.finditer(text):
            value = numerals.english(match[1])
            if value is not None and "and a half" in match.group():
                value += 0.5
            add(value * factor if value is not None else None, match)
    for pattern, years in _AGE_NAMED:
        for match in pattern.finditer(text):
            if not found:
                add(years, match)
    return tuple(sorted(found, key=lambda age: age.start))

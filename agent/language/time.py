"""How long something has lasted, as ISO 8601 durations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.language import numerals

_NUMBER_ZH = rf"(?:(?<!\d)\d{{1,4}}(?:\.\d{{1,2}})?|{numerals.CHINESE}几?|好几|好多|几|数|半)"
_UNIT_ZH = r"(?:个?小时|个?钟头|分钟|秒钟?|天|日|周|个?星期|个?礼拜|个?月|年|个?晚上|夜|宿)"
QUANTITY_ZH = rf"{_NUMBER_ZH}(?:多|来|几)?(?:个)?多?半?(?:{_UNIT_ZH}|次|回|下|个早上|个下午)"

_UNITS_ZH = {
    "秒": "S", "分": "M", "小": "H", "钟": "H", "天": "D", "日": "D", "周": "W", "星": "W",
    "礼": "W", "月": "MO", "年": "Y", "晚": "N", "夜": "N", "宿": "N",
}  # fmt: skip
_UNITS_EN = {"sec": "S", "min": "M", "hou": "H", "hr": "H", "hrs": "H", "day": "D", "nig": "D",
             "wee": "W", "wk": "W", "wks": "W", "for": "F", "mon": "MO", "yea": "Y", "yr": "Y",
             "yrs": "Y"}  # fmt: skip

_ZH = re.compile(
    rf"(?P<before>每隔?|孕|怀孕|怀|产后|一天|一日|满)?(?P<number>{_NUMBER_ZH})(?:\s*[-~到至]\s*"
    rf"(?P<upper>{_NUMBER_ZH}))?(?P<more>多|来)?(?P<ge>个)?多?(?P<half>半)?\s*(?P<unit>{_UNIT_ZH})"
    r"(?P<more2>多|半)?(?P<after>左右|以内)?"
    rf"(?P<ago>之?以?前)?(?!\s*(?:大概|大约|就|要|能|有|拉|吐|咳|吃|喝|了)?\s*(?:\d{{1,3}}|"
    rf"{numerals.CHINESE}|好几|几){{1,2}}(?:\s*[-~到至]\s*\d{{1,3}})?\s*[次遍片粒顿包]|大的?(?:宝|孩|婴|娃|"
    rf"小)|龄|岁|内|后|孕|号|份|的?(?:宝宝|婴儿|孩子|娃|新生儿|男|女))"
)
_NAMED_ZH = (
    (r"大前天", "P3D"), (r"前天|前晚|前日", "P2D"),
    (r"昨天晚上|昨天夜里|昨晚|昨夜|今天|今早|今晨|早上起?来?开始|今日|今晚", "PT12H"),
    (r"昨天|昨日", "P1D"), (r"刚才|刚刚|刚(?=开始)", "PT30M"),
    (r"上上?个?(?:周|星期|礼拜)[一二三四五六日天末]?", "P7D"), (r"上上?个月", "P1M"),
    (r"这几天|这些天|近几天|近日|这两三天|最近几天", "P3D"), (r"这两天|近两天", "P2D"),
    (r"一整?晚上?|整晚|一整?夜|整夜", "PT12H"), (r"一整天|整天", "P1D"),
    (r"这[个一]?(?:周|星期|礼拜)", "P4D"), (r"这个月", "P2W"),
    (r"从?(?:周|星期|礼拜)[一二三四五六日天](?=开始|起|到现在)", "P4D"),
    (r"去年|前年", "P1Y"), (r"今年", "P6M"), (r"从小|打小|多年|常年|长年|老毛病", "P5Y"),
    (r"长期", "P6M"), (r"这段时间|一段时间|前段时间", "P2W"), (r"很久|好久|许久", "P1M"),
)  # fmt: skip
_NUMBER_EN = (
    rf"(?:(?<!\d)\d{{1,4}}(?:\.\d{{1,2}})?|(?:(?:an?|the (?:last|past))\s+)?"
    rf"(?:couple|few|half)(?:\s+of)?(?:\s+an?)?"
    rf"|(?:{numerals.ENGLISH})(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?)"
)
_UNIT_EN = (
    r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|wks?|fortnights?"
    r"|months?|mths?|years?|yrs?)"
)
_EN = re.compile(
    rf"(?P<before>\b(?:every|each|per|in|at|week|times|twice|once|next|within|aged?|only)\s+)?"
    rf"\b(?P<number>{_NUMBER_EN})(?:\s*(?:-|–|to|or)\s*(?P<upper>{_NUMBER_EN}))?"
    rf"(?P<half>\s+and\s+a\s+half)?[\s-]*(?P<unit>{_UNIT_EN})\b(?P<half2>\s+and\s+a\s+half)?"
    r"(?P<two>\s+or\s+(?:two|so|three))?"
    r"(?P<bad>[\s-]+(?:old|pregnant|gestation|along|of age|postpartum|later|apart|early))?"
    r"(?P<ago>\s+(?:ago|back|before))?"
)
_NAMED_EN = (
    (r"since (?:early )?this morning|this morning|today|tonight|earlier today", "PT12H"),
    (r"last night|overnight|all night|since last night", "PT12H"),
    (r"the day before yesterday", "P2D"), (r"yesterday", "P1D"),
    (r"all day(?: long)?", "P1D"), (r"all week|this week|since the weekend|the weekend", "P4D"),
    (r"last week|(?:for|over) the (?:past|last) week|the (?:past|last) week", "P7D"),
    (r"last month|the (?:past|last) month", "P1M"), (r"last year|the (?:past|last) year", "P1Y"),
    (r"since (?:last )?(?:mon|tues|wednes|thurs|fri|satur|sun)day", "P4D"),
    (r"since (?:i was (?:a )?(?:child|kid|little|young)|childhood|birth)|for years|for ages|"
     r"many years|most of my life|all my life", "P5Y"),
    (r"for months", "P3M"), (r"for weeks", "P3W"), (r"for days", "P3D"), (r"for hours", "PT3H"),
    (r"just now|a moment ago|just started|a minute ago", "PT30M"),
    (r"(?:the )?past (?:few|couple of) days|recent days", "P3D"), (r"a while|some time", "P2W"),
)  # fmt: skip


def _named(table: tuple[tuple[str, str], ...], bounds: str) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(f"{bounds}(?:{pattern}){bounds}"), iso) for pattern, iso in table]


_NAMED = {"zh": _named(_NAMED_ZH, ""), "en": _named(_NAMED_EN, r"\b")}


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration in the normal form, at `text[start:end]`; `ago` when it dates an event."""

    iso: str
    start: int
    end: int
    ago: bool = False


@lru_cache(maxsize=64)
def durations(text: str) -> tuple[Duration, ...]:
    """Every duration and since-when of a message, in order, without overlaps."""
    found: list[Duration] = []
    for match in _ZH.finditer(text):
        hit = _chinese(match)
        if hit:
            found.append(hit)
    for match in _EN.finditer(text):
        hit = _english(match)
        if hit:
            found.append(hit)
    for table in _NAMED.values():
        for pattern, iso in table:
            found.extend(Duration(iso, m.start(), m.end()) for m in pattern.finditer(text))
    kept: list[Duration] = []
    for duration in sorted(found, key=lambda d: (d.start, d.start - d.end)):
        if not kept or duration.start >= kept[-1].end:
            kept.append(duration)
    return tuple(kept)


def _chinese(match: re.Match[str]) -> Duration | None:
    if match["before"]:
        return None
    value = numerals.chinese(match["upper"] or match["number"])
    if value is None:
        return None
    raw = match["unit"]
    unit = _UNITS_ZH[raw.lstrip("个")[0]]
    if unit == "MO" and not (match["ge"] or raw.startswith("个")) and match["number"] != "半":
        return None  # 3月 is a date, 3个月 a duration
    if raw == "日" or (unit == "Y" and value > 130):
        return None
    if match["half"] or match["more2"] == "半":
        value += 0.5
    if unit == "N":
        value, unit = (12.0, "H") if value <= 1 else (value, "D")
    start = match.start("number")
    return Duration(iso(value, unit), start, match.end(), bool(match["ago"]))


def _english(match: re.Match[str]) -> Duration | None:
    if match["bad"]:
        return None
    before = (match["before"] or "").strip()
    if before and not (before == "in" or before == "only"):
        return None
    number = match["number"].strip()
    if before == "in" and not number.startswith("the"):
        return None
    if number in ("a", "an") and not _counts(match):
        return None
    number = re.sub(r"^the (?:last|past)\s+", "", number)
    value = numerals.english(match["upper"] or number)
    if value is None:
        return None
    unit = _UNITS_EN.get(match["unit"]) or _UNITS_EN.get(match["unit"][:3], "MO")
    if unit == "F":
        value, unit = value * 2, "W"
    if match["half"] or match["half2"]:
        value += 0.5
    if match["two"] and value == 1:
        value = 3 if "three" in match["two"] else 2
    return Duration(iso(value, unit), match.start("number"), match.end(), bool(match["ago"]))


_COUNTS = re.compile(
    r"(?:for|about|around|over|past|last|nearly|almost|since|lasted|lasting|than|maybe|roughly|"
    r"been)"
    r"\s+$"
)


def _counts(match: re.Match[str]) -> bool:
    """Whether "a day" is a stretch of time and not "three times a day"."""
    after = match["ago"] or match["two"] or match["half2"]
    return bool(after) or _COUNTS.search(match.string[: match.start("number")]) is not None


def iso(value: float, unit: str) -> str:
    """An ISO 8601 duration of whole numbers from a value in S, M, H, D, W, MO or Y."""
    smaller = {"M": ("S", 60), "H": ("M", 60), "D": ("H", 24), "W": ("D", 7), "MO": ("D", 30),
               "Y": ("MO", 12)}  # fmt: skip
    while value != int(value) and unit in smaller:
        unit, factor = smaller[unit]
        value = round(value * factor, 6)
    whole = int(value + 0.5)
    if unit in ("S", "M", "H"):
        return f"PT{whole}{unit}"
    return f"P{whole}{'M' if unit == 'MO' else unit}"

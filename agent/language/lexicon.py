"""The words of the clinical knowledge, compiled once, matched in one walk over a message.

Every literal phrase of every pattern stands in one of two tries: English by word stems, Chinese
by characters. A walk may step over filler words. A pattern of several pieces matches where all of
its pieces were hit near each other; see `docs/clinical-authoring.md` for the pattern language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

from agent.language.normalise import Token, has_chinese, plain, stem, tokens
from agent.language.spelling import Speller
from agent.language.time import QUANTITY_ZH
from knowledge.clinical.load import ClinicalKnowledge

Kind = Literal["finding", "rule", "condition", "word", "block"]
Span = tuple[int, int]

# Left out of English phrases, and stepped over in a message.
_ARTICLES = frozenset(["a", "an", "the", "my", "his", "her", "our", "your", "their", "its"])
# Stepped over in a message, but required where a phrase has them.
_FILLERS = _ARTICLES | frozenset(
    [
        "this",
        "that",
        "these",
        "those",
        "some",
        "any",
        "really",
        "very",
        "so",
        "quite",
        "just",
        "also",
        "bit",
        "little",
        "pretty",
        "rather",
        "extremely",
        "terribly",
        "somewhat",
        "be",
        "still",
        "always",
        "constantly",
        "all",
        "kind",
        "sort",
        "such",
        "too",
        "i'm",
        "it's",
        "feel",
        "i",
        "she",
        "he",
        "me",
        "him",
        "lot",
        "more",
        "much",
        "sudden",
        "suddenly",
        "definitely",
        "actually",
        "basically",
    ]
)
_FILLERS_ZH = re.compile(
    rf"(?:{QUANTITY_ZH})(?:了|的|多|半)?|有一点儿?|有点儿?|有些|一点儿?|一直|总是|老是|总觉得|觉得|感觉|特别|"
    r"非常|比较|稍微|这个|那个|里面|里边|一下|开始|不停地?|不断地?|时不时|偶尔|突然|一阵阵|一阵一阵|"
    r"严重|厉害|经常|常常|反复|什么|怎么|真的|老感觉|每天|天天|今天|昨天|最近|地方|部位|位置|这里|那里|"
    r"之后|以后|的时候|时候|起来|十分|极其|最近|现在|已经|[了着得的地很太挺好真也都还又就老总会要是这那超贼巨,、有儿 ]"
)
_CONNECTED = re.compile(
    r"^(?:[\s,、/&+]|\band\b|\bor\b|\bmy\b|\bthe\b|\bplus\b|\bboth\b|\bas well as\b|\balso\b"
    r"|和|跟|及|以及|与|还有|或者?|连着|并|也)*$"
)
_CONTRAST = re.compile(
    r"\bbut\b|\bhowever\b|\bexcept\b|\balthough\b|\bbecause\b|但|不过|除了|可是|然而"
)
_STRONG = re.compile(r"[。！？!?；;\n]|\.(?!\d)")
# How far the pieces of a pattern may be apart, and over a comma. A rule names its dangerous
# combination in full, so that its pieces may be told in a longer breath.
_REACH = {"rule": (14, 12)}
_USUAL_REACH = (8, 4)

# Everyday expressions that hold a body word or a sensation and mean neither.
_BLOCKED_EN = """came back; come back; comes back; coming back; go back; went back; back to; back from;
back again; get back; got back; call back; side effect; side effects; on the other hand; head to;
heading to; back of; face to face; second hand; hand over; in hand; blood test; blood tests;
blood pressure; blood sugar; blood work; blood type; heart rate; hot weather; hot water; cold water;
hot drink; hot shower; cold drink; at the back; back then; back home; by heart; heart goes;
hot dog; left hand side; right hand side; on the left hand; cold sore; cold sores; red flag; red meat;
bathroom break; high school; cross legged; on my mind; from the back; years back; back up; put off;
day off; off work; red wine; red eye flight; light headed; eye contact; first hand; hands on;
tap water; drinking water; water bottle; urine test; urine tests; urine sample; blood sample; blood and urine test; urine and blood test;
short of breath; shortness of breath; out of breath; heart disease; heart attack; heart failure; chest x ray;
hay fever; yellow fever; dengue fever; glandular fever; scarlet fever; rheumatic fever"""
_BLOCKED_ZH = """石头 木头 馒头 念头 罐头 老头 里头 前头 后头 外头 镜头 码头 街头 街头 年头 零头 头孢
骨头汤 奶奶 牛奶 恶心 放心 担心 小心 开心 中心 点心 核心 用心 耐心 信心 细心 心情 心理 心里想 关心 伤心 心烦 心意
手术 手机 洗手 手续 手足口 助手 对手 动手 手段 手工 分手 眼镜 亲眼 眼看 牙膏 牙刷 耳机
高血压 低血压 血压 血糖 血管 血液 血常规 验血 抽血 血脂 血型 血检 查血 退烧 发烧 烧水 烧烤 烧饭 高烧 低烧 发高烧
热水 热门 天气 空气 生气 气温 脾气 力气 客气 运气 气候 天气热 热天
尿布 尿不湿 尿酸 糖尿病 纸尿裤 方便 随便 便宜 顺便 即便 好转 转院 转科 转氨酶
看医生 看病 看看 看到 看起来 看过 看了 看来 查看 看大夫 看急诊
红包 红糖 西红柿 红枣 黑龙江 明白 白天 白细胞 白带 白内障 白癜风 白血病 很快 快要 赶快 快递 凉快 快乐 尽快
多少 多久 差不多 很多天 多大 好多了 多喝水 少年 至少 多少钱 药店 水果 薪水 胶水 口水 药膏
背景 背包 皮包 面包 包括 钱包 包子 书包 腿部 足够 满足 不足 面前 面对 后面 前面 上面 里面 下面条
冷静 冰冷 麻烦 麻醉 麻疹 麻将 紧张 要紧 赶紧 不要紧 紧急 闷热 软件 伤心 伤风 破费 木耳 红肿 水肿 重要 重新 体重
伤害 悲伤 烂醉 痛苦 痛快 心疼钱 刺激 打扰 压力 压岁 高压 低压 说明 说实话 心说 说不清楚
想死你 想死我 笑死 气死 累死 热死 饿死 像压 压了块 压得慌 压迫 压榨 压着块 石头压 呼吸困难 呼吸急促 吐槽 呼吁 气管 气管炎 支气管 胃口 口味 门口 伤口 路口 人口 借口"""


# Euphemisms after a body word mean its underside: 肚子下面.
_BELOW = frozenset({"下面", "后面"})


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found in the normal form: whose it is and which stretches it covers."""

    kind: Kind
    id: str
    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.spans)

    def covers(self, other: Match) -> bool:
        """Whether this one covers all of the other's stretches, and more."""
        inside = all(any(s <= a and b <= e for s, e in self.spans) for a, b in other.spans)
        return inside and self.weight > other.weight

    @property
    def weight(self) -> int:
        """How many characters are covered."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class _Pattern:
    kind: Kind
    id: str
    pieces: tuple[int, ...]


@dataclass(slots=True)
class Found:
    """All that the lexicon finds in one message."""

    matches: list[Match]
    words: list[Match]


class Lexicon:
    """Compiled patterns of a clinical knowledge. Immutable after `compile`; safe to share."""

    def __init__(self, knowledge: ClinicalKnowledge) -> None:
        self.knowledge = knowledge
        self._english: dict[str, Any] = {}
        self._chinese: dict[str, Any] = {}
        self._pieces: dict[tuple[str, ...], int] = {}
        self._of_literal: list[list[int]] = []  # literal -> pieces
        self._words_of: list[set[str]] = []  # literal -> vocabulary words
        self._literals: dict[tuple[str, ...], int] = {}
        self._patterns: list[_Pattern] = []
        self._anchored: dict[int, list[_Pattern]] = defaultdict(list)
        self._stems: set[str] = set()
        self._spelt: set[str] = set()
        self.speller = Speller(())

    @classmethod
    def compile(cls, knowledge: ClinicalKnowledge) -> Lexicon:
        """Compile every pattern, word list, rule and condition name of a knowledge."""
        lexicon = cls(knowledge)
        for word in knowledge.words.values():
            piece = lexicon._piece((f"{{{word.id}}}",))
            lexicon._patterns.append(_Pattern("word", word.id, (piece,)))
        for finding in knowledge.findings.values():
            says = finding.says
            names = (_bare(finding.name.en), _bare(finding.name.zh))
            for phrase in {*says.en, *says.zh, *names}:
                lexicon._add("finding", finding.id, phrase)
        for rule in knowledge.rules.values():
            for phrase in (*rule.words.en, *rule.words.zh):
                lexicon._add("rule", rule.id, phrase)
        for condition in knowledge.conditions.values():
            called = condition.synonyms
            names = (_bare(condition.name.en), _bare(condition.name.zh))
            for phrase in {*called.en, *called.zh, *names}:
                lexicon._add("condition", condition.id, phrase)
        for phrase in (*_BLOCKED_EN.replace("\n", " ").split("; "), *_BLOCKED_ZH.split()):
            lexicon._add("block", "", phrase)
        lexicon._anchor()
        lexicon.speller = Speller(lexicon._spelt)
        return lexicon

    # --- compiling ---------------------------------------------------------------------------

    def _add(self, kind: Kind, id: str, phrase: str) -> None:
        pieces = []
        for part in phrase.split(" + "):
            choices = tuple(sorted({choice.strip() for choice in part.split("|")} - {""}))
            if choices:
                pieces.append(self._piece(choices))
        if pieces:
            self._patterns.append(_Pattern(kind, id, tuple(pieces)))

    def _piece(self, choices: tuple[str, ...]) -> int:
        if choices in self._pieces:
            return self._pieces[choices]
        piece = self._pieces[choices] = len(self._pieces)
        for choice in choices:
            if choice.startswith("{") and choice.endswith("}"):
                word = self.knowledge.words.get(choice[1:-1])
                if word is None:
                    continue
                for says in (*word.says.en, *word.says.zh):
                    for alternative in says.split("|"):
                        literal = self._literal(alternative.strip())
                        if literal is not None:
                            self._of_literal[literal].append(piece)
                            if len(choices) == 1:
                                self._words_of[literal].add(word.id)
            else:
                literal = self._literal(choice)
                if literal is not None:
                    self._of_literal[literal].append(piece)
        return piece

    def _literal(self, phrase: str) -> int | None:
        """The number of a literal phrase, put into its trie when it is new."""
        phrase = plain(phrase).strip()
        if has_chinese(phrase):
            key = tuple(char for char in phrase if not char.isspace())
            trie = self._chinese
        else:
            words = tokens(phrase)
            kept = [word for word in words if word.stem not in _ARTICLES] or words
            key = tuple(word.stem for word in kept)
            trie = self._english
            for word in kept:
                self._stems.add(word.stem)
                if len(word.word) >= 6 and word.word.isalpha():
                    self._spelt.add(word.word)
        if not key:
            return None
        number = self._literals.get(key)
        if number is None:
            number = self._literals[key] = len(self._of_literal)
            self._of_literal.append([])
            self._words_of.append(set())
            node = trie
            for step in key:
                node = node.setdefault(step, {})
            node[""] = number
        return number

    def _anchor(self) -> None:
        """File each pattern under its rarest piece, so that few are tried on a message."""
        uses: dict[int, int] = defaultdict(int)
        for pattern in self._patterns:
            for piece in set(pattern.pieces):
                uses[piece] += 1
        for pattern in self._patterns:
            self._anchored[min(pattern.pieces, key=lambda piece: (uses[piece], piece))].append(
                pattern
            )

    # --- matching ----------------------------------------------------------------------------

    def find(self, text: str) -> Found:
        """Everything in a normal form: findings, rules and conditions, and vocabulary words."""
        hits = self._hits(text)
        by_piece: dict[int, list[Span]] = defaultdict(list)
        places: list[Span] = []
        place_words: dict[Span, set[str]] = {}
        words = self.knowledge.words
        for start, end, literal in hits:
            for piece in self._of_literal[literal]:
                by_piece[piece].append((start, end))
            named = {w for w in self._words_of[literal] if words[w].kind == "place"}
            if named - {"whole_body", "one_side", "skin", "muscle", "joint", "bone"}:
                places.append((start, end))
                place_words.setdefault((start, end), set()).update(named)
        places = _outermost(places)
        matches: list[Match] = []
        found_words: list[Match] = []
        for piece in by_piece:
            for pattern in self._anchored.get(piece, ()):
                if pattern.kind == "block":
                    continue
                if len(pattern.pieces) == 1:
                    out = found_words if pattern.kind == "word" else matches
                    out.extend(Match(pattern.kind, pattern.id, (s,)) for s in by_piece[piece])
                elif all(other in by_piece for other in pattern.pieces):
                    matches.extend(_joined(pattern, piece, by_piece, text, places))
        return Found(_unique(matches), _unique(found_words))

    def knows(self, word_stem: str) -> bool:
        """Whether an English stem occurs anywhere in the patterns."""
        return word_stem in self._stems

    def _hits(self, text: str) -> list[tuple[int, int, int]]:
        hits: list[tuple[int, int, int]] = []
        if has_chinese(text):
            hits.extend(self._chinese_hits(text))
        words = tokens(text)
        if words:
            hits.extend(self._english_hits(words, text))
        return self._without_blocked(hits, text)

    def _english_hits(self, words: list[Token], text: str) -> Iterable[tuple[int, int, int]]:
        stems = [self._spell(word) for word in words]
        ends_here = [bool(_STRONG.search(text[a.end : b.start])) for a, b in _pairs(words)]
        for first, word in enumerate(words):
            node = self._english.get(stems[first])
            if node is None:
                continue
            stack = [(node, first, 0)]
            while stack:
                node, last, skipped = stack.pop()
                if "" in node:
                    yield word.start, words[last].end, node[""]
                at = last + 1
                while at < len(words) and not ends_here[at - 1]:
                    follow = node.get(stems[at])
                    if follow is not None:
                        stack.append((follow, at, skipped))
                    if words[at].word not in _FILLERS and stems[at] not in _FILLERS:
                        break
                    if skipped + at - last > 3:
                        break
                    at += 1

    def _spell(self, word: Token) -> str:
        if len(word.word) < 6 or word.stem in self._stems or not word.word.isalpha():
            return word.stem
        meant = self.speller.correct(word.word)
        return stem(meant) if meant else word.stem

    def _chinese_hits(self, text: str) -> Iterable[tuple[int, int, int]]:
        length = len(text)
        fillers: dict[int, list[int]] = {}
        for first in range(length):
            node = self._chinese.get(text[first])
            if node is None:
                continue
            stack = [(node, first + 1, 0)]
            while stack:
                node, at, skipped = stack.pop()
                if "" in node:
                    yield first, at, node[""]
                # A walk past a filler may end only on a character of the phrase.
                if len(node) == 1 and "" in node:
                    continue
                for position in (at, *self._past_fillers(text, at, fillers, skipped)):
                    if position < length:
                        follow = node.get(text[position])
                        if follow is not None and text[position] != "":
                            stack.append((follow, position + 1, skipped + position - at))

    @staticmethod
    def _past_fillers(
        text: str, at: int, known: dict[int, list[int]], skipped: int
    ) -> Iterable[int]:
        if skipped > 6:
            return ()
        if at not in known:
            ends: list[int] = []
            position = at
            for _ in range(3):
                match = _FILLERS_ZH.match(text, position)
                if match is None or match.end() - at > 8 or "," in match.group():
                    break
                position = match.end()
                ends.append(position)
            known[at] = ends
        return known[at]

    def _without_blocked(
        self, hits: list[tuple[int, int, int]], text: str
    ) -> list[tuple[int, int, int]]:
        """Leave out body words inside longer ones that mean something else (石头, 嗓子眼)."""
        blocks: list[Span] = []
        longer: list[tuple[int, int, frozenset[str]]] = []
        for start, end, literal in hits:
            words = self._words_of[literal]
            if self._blocking(literal):
                blocks.append((start, end))
            if end - start > 1 and not text[start].isascii():
                named = frozenset(w for w in words if self.knowledge.words[w].kind == "place")
                if named:
                    longer.append((start, end, named))
        hits = self._without_torn(hits, text)
        ends = {end for start, end, _ in longer}
        if not blocks and not longer:
            return hits
        kept = []
        for start, end, literal in hits:
            if any(s <= start and end <= e and e - s > end - start for s, e in blocks):
                continue
            if start in ends and text[start:end] in _BELOW:
                continue
            own = self._words_of[literal]
            if own and "one_side" not in own:
                inside = [
                    named
                    for s, e, named in longer
                    if s <= start and end <= e and e - s > end - start
                ]
                if any(not (own & named) for named in inside):
                    continue
            kept.append((start, end, literal))
        return kept

    def _without_torn(
        self, hits: list[tuple[int, int, int]], text: str
    ) -> list[tuple[int, int, int]]:
        """Leave out hits that begin with a denial and tear a finding apart: 没有尿 in 没有尿频."""
        denials = [hit for hit in hits if text[hit[0]] in "没不无" and hit[1] - hit[0] > 1]
        if not denials:
            return hits
        whole = [(start, end) for start, end, literal in hits if self._finding_alone(literal)]
        torn = {
            (a, b, literal)
            for a, b, literal in denials
            if any(a < start < b < end for start, end in whole)
        }
        return [hit for hit in hits if hit not in torn]

    def _finding_alone(self, literal: int) -> bool:
        return any(
            pattern.kind == "finding" and len(pattern.pieces) == 1
            for piece in self._of_literal[literal]
            for pattern in self._anchored.get(piece, ())
        )

    def _blocking(self, literal: int) -> bool:
        return any(
            pattern.kind == "block"
            for piece in self._of_literal[literal]
            for pattern in self._anchored.get(piece, ())
        )


def _joined(
    pattern: _Pattern,
    anchor: int,
    by_piece: dict[int, list[Span]],
    text: str,
    places: list[Span],
) -> Iterable[Match]:
    """The matches of a pattern of several pieces, at most one for each hit of its anchor."""
    others = [piece for piece in pattern.pieces if piece != anchor]
    reach = _REACH.get(pattern.kind, _USUAL_REACH)
    for hit in by_piece[anchor]:
        near = [
            sorted(
                (span for span in by_piece[piece] if span[1] <= hit[0] or span[0] >= hit[1]),
                key=lambda span: max(span[0] - hit[1], hit[0] - span[1]),
            )[:4]
            for piece in others
        ]
        best: tuple[Span, ...] | None = None
        for choice in product(*near):
            spans = tuple(sorted((hit, *choice)))
            if best is not None and _extent(spans) >= _extent(best):
                continue
            if _apart(spans) and _near(spans, text, reach) and _belongs(spans, text, places):
                best = spans
        if best is not None:
            yield Match(pattern.kind, pattern.id, best)


def _extent(spans: tuple[Span, ...]) -> tuple[int, int]:
    return spans[-1][1] - spans[0][0], -sum(end - start for start, end in spans)


def _apart(spans: tuple[Span, ...]) -> bool:
    return all(a[1] <= b[0] for a, b in _pairs(spans))


def _near(spans: tuple[Span, ...], text: str, reach: tuple[int, int]) -> bool:
    for before, after in _pairs(spans):
        between = text[before[1] : after[0]]
        if between and _distance(between) > reach["," in between]:
            return False
    return True


@lru_cache(maxsize=4096)
def _distance(between: str) -> int:
    """How far two pieces are apart: a Chinese character counts 1, an English word 2."""
    if _STRONG.search(between) or _CONTRAST.search(between):
        return 99
    rest = _FILLERS_ZH.sub("", between)
    words = [word for word in tokens(rest) if word.word not in _FILLERS]
    return 2 * len(words) + sum(not char.isascii() for char in rest)


def _belongs(spans: tuple[Span, ...], text: str, places: list[Span]) -> bool:
    """Whether the place in a match is the one that the rest of it speaks of.

    In "my stomach is fine, my head hurts" the pain is the head's; in "stomach and head hurt" it
    is both's.
    """
    mine = [span for span in spans if any(s <= span[0] and span[1] <= e for s, e in places)]
    if not mine:
        return True
    rest = [span for span in spans if span not in mine]
    for place in mine:
        for sensation in rest:
            gap = _gap(place, sensation)
            for rival in places:
                if any(rival[0] < e and s < rival[1] for s, e in spans):
                    continue
                if _gap(rival, sensation) < gap and not _linked(rival, place, text, places):
                    between = min(place[1], sensation[1]) <= rival[0] < max(place[0], sensation[0])
                    if between or _gap(rival, sensation) == 0:
                        return False
    return True


def _gap(first: Span, second: Span) -> int:
    return max(second[0] - first[1], first[0] - second[1], 0)


def _linked(first: Span, second: Span, text: str, places: list[Span]) -> bool:
    """Whether two places are joined in a list, other places between them included."""
    low, high = sorted((first, second))
    rest = text[low[1] : high[0]]
    for start, end in places:
        if low[1] <= start and end <= high[0]:
            rest = rest.replace(text[start:end], "")
    return _CONNECTED.match(rest) is not None


def _outermost(spans: list[Span]) -> list[Span]:
    """The spans that lie in no longer one."""
    unique = sorted(set(spans), key=lambda span: (span[0], -span[1]))
    kept: list[Span] = []
    for span in unique:
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return kept


def _pairs(items: Any) -> Iterable[tuple[Any, Any]]:
    return zip(items, items[1:], strict=False)


def _unique(matches: list[Match]) -> list[Match]:
    return sorted(set(matches), key=lambda m: (m.spans, m.kind, m.id))


_PARENTHESIS = re.compile(r"\s*[(（][^)）]*[)）]")


def _bare(name: str) -> str:
    """A name without what stands in brackets."""
    return _PARENTHESIS.sub("", name).strip()

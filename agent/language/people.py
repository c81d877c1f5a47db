"""Who is ill: the writer, a child, someone else; their age, sex and pregnancy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.language.clauses import Sentence
from agent.language.numbers import Age, ages
from agent.language.reading import Profile, Sex
from agent.language.relations import Relation, names_the_ill, one_of, relation_at

Role = Literal["self", "child", "other", "stranger"]

_PEOPLE: tuple[tuple[Role, Sex | None, str], ...] = (
    ("child", "male",
        r"\b(?:son|grandson|baby boy|little boy|nephew)\b|儿子|男宝|男婴|男孩|男童|小男孩|孙子|"
        r"外孙(?!女)|侄子|外甥(?!女)|我家小子|大儿子|小儿子"),
    ("child", "female",
        r"\b(?:daughter|granddaughter|baby girl|little girl|niece)\b|女儿|闺女|女宝|女婴|女孩|"
        r"女童|孙女|外孙女|侄女|外甥女|小丫头"),
    ("child", None,
        r"\b(?:baby|infant|newborn|toddler|child|kid|little one|bub|lo|twins?|grandchild|"
        r"kiddo)\b|宝宝|孩子|小孩|婴儿|新生儿|宝贝|小朋友|小宝|大宝|二宝|小儿|娃娃?|患儿|小家伙"),
    ("other", "female",
        r"\b(?:mother|mum|mom|mummy|mommy|wife|girlfriend|grandmother|grandma|nan|nana|gran|"
        r"granny|sister|aunt|auntie|mother[- ]in[- ]law)\b|妈妈?|母亲|老妈|老婆|妻子|媳妇|"
        r"女朋友|奶奶|外婆|姥姥|婆婆|岳母|丈母娘|姐姐?|妹妹?|阿姨|姑姑|姑妈|姨妈(?!痛|血|期)|爱人"),
    ("other", "male",
        r"\b(?:father|dad|daddy|husband|boyfriend|grandfather|grandpa|grandad|granddad|brother|"
        r"uncle|father[- ]in[- ]law|hubby)\b|爸爸?|父亲|老爸|老公|丈夫|男朋友|爷爷|外公|姥爷|"
        r"公公|岳父|哥哥?|弟弟(?!硬)|叔叔|舅舅|伯伯|老头|老伴"),
    ("other", None, r"\b(?:partner|spouse)\b|^(?:the )?patient\b|\bthe patient (?:is|has)\b"
        r"|家人|家里人|老人家?|患者|病人"),
    ("stranger", None,
        r"\b(?:neighbou?rs?|colleagues?|co-?workers?|friends?|classmates?|roommates?|"
        r"flatmates?|boss|teacher|someone|somebody|people|a (?:man|woman|lady|guy)|stranger|"
        r"housemate|cousin)\b|邻居|隔壁|同事|同学|室友|舍友|朋友(?<!小朋友)|别人|有人|路人|"
        r"网友|老板|亲戚|表哥|表姐|表弟|表妹|楼[上下](?:的|邻居)|工友|新闻(?:里|上)|电视(?:里|上)"),
)  # fmt: skip
_ALL = re.compile("|".join(f"(?P<p{i}>{pattern})" for i, (_, _, pattern) in enumerate(_PEOPLE)))
# "I noticed", 我发现: the writer tells, and is not the one who is ill.
_SELF = re.compile(
    r"\bi(?:'m|'ve|'d| am| have| was| just| also| do| did)*(?! (?:noticed?|think|gave|give|"
    r"took|found|saw|"
    r"see|believe|guess|checked|measured|called|wonder\w*|would|want|need|worr\w+|scared|concerned|"
    r"afraid|not sure|don't know|calling|asking|writing|can see|can hear|heard|put|tried|"
    r"press|pressed|push|lift|hold|held|pick|picked|touch|touched|shake|shook|undress\w*|changed?|"
    r"called (?:out|him|her)|asked|rang|"
    r"a (?:mother|father|mum|dad|mom|parent)|my|(?:an? )?\d+[- ]))\b|\bmyself\b|\bme\b|\bim\b"
    r"|我自己|我本人|本人|俺|自己(?=也|有|现在)"
    r"|我(?!们|家|妈|爸|爷|奶|姥|外|老公|老婆|老|媳|儿|女|孩|宝|娃|弟|妹|哥|姐|同|邻|朋|室|舅|"
    r"叔|姑|"
    r"姨|丈|妻|男|父|母|婆|公|岳|想|该|国|市|县|院|先生|的?(?:宝|孩|儿|女|小|妈|爸|同|邻|朋)"
    r"|都?(?:觉得|感觉|发现|以为|怕|带|给|看|听|问|注意|摸|量|喂|抱|继续|没敢|说|知道|担心|"
    r"认为|记得|让|把|"
    r"帮|用|怀疑|咨询|送|买|去|打|要|应|可以|能|不知|不敢|也?没(?:敢|在意|给|有给|管)|就(?:给|"
    r"带|没|用)|"
    r"又(?:给|带)|再给|先给|该怎么|一直(?:给|在给|用)|着急))"
)
_HE = re.compile(r"\b(?:he|him|his|he's)\b|(?<!其)(?<!吉)他(?!们)")
_SHE = re.compile(r"\b(?:she|her|she's)\b|她")
_THEY = re.compile(r"\b(?:they|them|their|it)\b")
_PRONOUN_WORDS = frozenset({"he", "she", "him", "her", "his", "he's", "she's", "他", "她"})
_PRONOUNS: tuple[tuple[re.Pattern[str], Sex | None], ...] = (
    (_HE, "male"),
    (_SHE, "female"),
    (_THEY, None),
)
_NOT_PERSON = re.compile(
    r"给(?:他|她|宝宝|孩子)|被(?:家人|家里人|大人|同学|别人|老公|老婆|妈妈|爸爸|奶奶|爷爷|哥哥|"
    r"姐姐|弟弟|妹妹|同事|我|他|她)(?:们)?(?:传染|感染|打|咬|踢|撞)|\bas a (?:child|kid|"
    r"baby)\b|孩子他爸|\bkid-?friendly|\bwhen i was a (?:child|kid|baby)\b|从小孩|小孩子气"
    r"|\b(?:have|having|had|wanting|expecting|want|for) a (?:baby|child)\b|\bbaby (?:aspirin|"
    r"powder|is (?:not )?moving|moving|has stopped moving|kicks?|hasn't moved)\b|\blive with\b|"
    r"my wife says|my (?:husband|wife|mum|mom|partner) (?:says|thinks|told|noticed|said)|"
    r"(?:老公|老婆|我妈|家人)(?:说|觉得|让我)|胎儿|(?:怀|生)(?:过|了|着|完)?(?:宝宝|孩子|小孩|二胎)"
    r"|(?:想|要|备孕要|准备要)(?:个)?(?:宝宝|孩子|小孩)|胎动|and i\b"
)
_NOW_ME = re.compile(
    r"(?:\bnow|\balso|\bthen|\bso|\band|\bafter that|现在|然后|结果|接着|之后|后来|今天|"
    r"这两天)[\s,]*(?:i\b|i'm|i've|我|自己)|\bme too\b|\bso do i\b|\bi (?:also|caught|got it)|"
    r"我也|传染(?:给)?我|被(?:他|她)?传染"
)
# "Elderly" without a number: an age that the rules for older people take seriously.
_OLD = re.compile(r"\belderly\b|\bpensioner\b|老人|老年|高龄(?!产|孕)")
_OLD_AGE = 75.0
_NOT_ME = re.compile(r"\bnot me\b|\bnot for me\b|不是我(?:本人|自己)?(?=\W|$)")
_DEAD_OR_PAST = re.compile(
    r"\bhad\b|\bdied\b|\bpassed away\b|\bwas diagnosed\b|\bwas\b|\bgot\b|去世|走了|死于|得了|"
    r"\blast (?:week|month|night)\b|上周|上个月|得过|患了|中了|去年|"
    r"以前(?!从?来?都?[没不])|上次|过世|查出"
)
# A stranger's illness that is no concern of this consultation: he is being looked after, or the
# writer says that nobody here has it, and nothing of it happens now.
_IN_CARE = re.compile(r"送(?:去|到)?医院了|住院了|\b(?:already|now) in (?:the )?hospital\b")
_MINE_IS_WELL = re.compile(
    r"我家(?:的|孩子|宝宝|娃)?没有?[,。]|我没(?:有)?(?:疼|痛|这样|得|犯|晕|吐)过|我自己没"
    r"|\bi've never had\b|\bmine (?:is|are) fine\b|\bmine (?:doesn't|don't|hasn't)\b"
)
_HAPPENING = re.compile(
    r"现在|正在|还没|叫不|没反应|没有?呼吸|一直|怎么办|刚|突然|快来|救命|旁边|\b(?:now|just|still|help|"
    r"right here|beside me|next to me|in front of me|won't|can't|what (?:do|should) i do)\b|"
    r"\b(?:is|are|'s)(?:n't| not)? (?!(?:\w+ )?(?:it|this|that|there|fine|ok|okay|well|better|"
    r"home|at home|recover\w*|in hospital|in a wheelchair|doing|out|a \w+|my)\b)\w"
)
_DIED = re.compile(r"\bdied\b|\bpassed away\b|去世|死于|过世")
_THEIRS = frozenset(("'s ", "的", "家", "家的", "家里的"))
_FEMALE = re.compile(
    r"\b(?:female|woman|girl|lady)\b|\bi'?m a (?:\w+ )?(?:woman|girl|mother|mum|mom)\b|"
    r"[,，\s(（\d岁](?:女)(?=[,，。\s)）\d]|$)|女性|女士|女,|女生|^女[,，\d]|性别:?女"
)
_MALE = re.compile(
    r"\b(?:male|man|boy|gentleman|guy)\b|[,，\s(（\d岁](?:男)(?=[,，。\s)）\d]|$)|男性|男士|"
    r"先生|男,|男生|^男[,，\d]|性别:?男"
)
_MF = re.compile(r"\b\d{1,3}\s*([mf])\b|\b([mf])\s*\d{1,3}\b")
_PREGNANT = re.compile(
    r"\b(?:i'm|i am|she's|she is|am|is|currently|now|being|while|"
    r"and) (?:\w+ )?(?:\w+ )?pregnant\b|\b\d{1,2}\s*(?:weeks?|wks?|months?)\s*(?:pregnant|"
    r"along|gestation)\b|\b(?:weeks|months) (?:pregnant|along)\b|^pregnant\b|"
    r"\bpregnant (?:woman|with|at|\d)|\bmy pregnancy\b|\bexpecting (?:a baby|my|our)\b|"
    r"\b(?:first|second|third) trimester\b|\bpregnant wife\b|\bpregnant\b(?=[,.]|$)"
    r"|怀孕(?:\d|[一二三四五六七八九十两几]|了|期间|中|后|早期|中期|晚期|第|已|有|快|着)|"
    r"孕(?:\d|[一二三四五六七八九十两]|期|妇|早|晚|中)|有孕|怀着|我怀孕|怀了(?:宝宝|孩子|二胎|"
    r"\d|[一二三四五六七八九十两])|大肚子了|现在怀孕|身孕|正在怀孕|怀孕[,，。]"
)
_NOT_PREGNANT = re.compile(
    r"\b(?:not|n't|never been|can't be|cannot be|isn't) (?:\w+ )?pregnant\b|"
    r"\bpregnancy test (?:was |is |came back )?negative\b|\bnegative pregnancy test\b|(?:没有?|"
    r"没在|未|不是|排除)怀孕|没怀上?|不可能怀孕|没有身孕"
)
_MAYBE_PREGNANT = re.compile(
    r"\b(?:might|may|could|possibly|maybe|think i'?m|if i'?m|wonder\w* if|"
    r"chance (?:that )?i'?m|not sure if i'?m|am i|trying to (?:be|get|become)|get|getting|got|"
    r"become|if|was) (?:be |i'?m |i am )?pregnant\b|(?:可能|会不会|是不是|不知道是不是|怀疑|"
    r"担心|是否|想|准备|备|好像|万一|怕|如果)(?:是|会|要)?怀孕|备孕|怀孕了?吗|怀孕以前|怀孕前|"
    r"怀孕时(?=有)|上次怀孕|以前怀孕"
)


@dataclass(frozen=True, slots=True)
class _Person:
    role: Role
    sex: Sex | None
    start: int
    end: int


class People:
    """The persons of a message, and whose each stretch of it is."""

    def __init__(self, text: str, found: Sequence[Sentence], known: Profile | None) -> None:
        self.text = text
        self.sentences = found
        self.known = known or Profile()
        self._named = self._find()

    def _find(self) -> list[_Person]:
        hidden = [match.span() for match in _NOT_PERSON.finditer(self.text)]
        people: list[_Person] = []
        for match in _ALL.finditer(self.text):
            if any(a <= match.start() and match.end() <= b for a, b in hidden):
                continue
            role, sex, _ = _PEOPLE[int((match.lastgroup or "p0")[1:])]
            owner = people[-1] if people and people[-1].role == "stranger" else None
            if owner is not None and self.text[owner.end : match.start()] in _THEIRS:
                role = "stranger"  # "my friend's child"
            people.append(_Person(role, sex, match.start(), match.end()))
        for match in _SELF.finditer(self.text):
            people.append(_Person("self", None, match.start(), match.end()))
        people.sort(key=lambda p: p.start)
        third = [p for p in people if p.role != "self"]
        for pattern, sex in _PRONOUNS:
            for match in pattern.finditer(self.text):
                meant = [p for p in third if p.end <= match.start()][-1:]
                if meant:
                    role, known = meant[0].role, meant[0].sex or sex
                elif pattern is not _THEY and not third:
                    role, known = ("child" if self.known.who == "child" else "other"), sex
                else:
                    continue
                people.append(_Person(role, known, match.start(), match.end()))
        people.sort(key=lambda p: p.start)
        return people

    def of(self, position: int, spans: Sequence[tuple[int, int]] = ()) -> Role:
        """Whose a finding at a position is. Persons inside `spans` belong to the finding."""
        role: Role = "self"
        if self.known.who == "child":
            role = "child"
        elif self.known.who == "other":
            role = "other"
        elif self.known.who is None:
            role = self._default()
        for person in self._named:
            if any(a <= person.start and person.end <= b for a, b in spans):
                continue
            if person.start >= position:
                break
            role = person.role
        return role

    def _default(self) -> Role:
        """Whose a finding is before anyone is named: the writer's, unless the writer never says
        "I" and speaks of a child, or only of a "he" or "she"."""
        third = [p for p in self._named if p.role != "self"]
        if not self._named and any(age.years < 14 for age in ages(self.text)):
            return "child"
        if not third or len(third) < len(self._named):
            return "self"
        pronoun = self.text[third[0].start : third[0].end] in _PRONOUN_WORDS
        return third[0].role if third[0].role == "child" or pronoun else "self"

    def inside(self, spans: Sequence[tuple[int, int]]) -> set[Role]:
        """The roles of the persons other than the writer whom a finding's own words name."""
        return {
            person.role
            for person in self._named
            if person.role != "self" and any(a <= person.start < b for a, b in spans)
        }

    def named_before(self, position: int) -> list[_Person]:
        """The last person named before a position, the writer included; at most one."""
        return [person for person in self._named if person.end <= position][-1:]

    def patient(self, roles: Sequence[Role]) -> Role:
        """Who the message is about, given whose its findings are, in order."""
        if self.known.who in ("child", "other"):
            return "child" if self.known.who == "child" else "other"
        if _NOT_ME.search(self.text):
            return "self"
        seen = [role for role in roles if role != "stranger"]
        named = [p.role for p in self._named if p.role in ("child", "other")]
        if not seen:
            if "stranger" in roles:
                return "stranger" if self.stranger_in_danger() else "self"
            return named[0] if named and self._third_person() else "self"
        if "self" in seen and (_NOW_ME.search(self.text) or self.known.who == "self"):
            return "self"
        mine = sum(role == "self" for role in seen)
        others = [role for role in seen if role != "self"]
        return others[0] if len(others) >= mine else "self"

    def stranger_in_danger(self) -> bool:
        """Whether a danger that is told of a stranger happens now, as far as the words tell: then
        it concerns whoever writes, a patient or not."""
        if _IN_CARE.search(self.text) or _DIED.search(self.text):
            return False
        told_of = _DEAD_OR_PAST.search(self.text) or _MINE_IS_WELL.search(self.text)
        return told_of is None or _HAPPENING.search(self.text) is not None

    def _third_person(self) -> bool:
        """Whether a relative is introduced as the one it is about: with an age, or alone."""
        return bool(ages(self.text)) or not any(p.role == "self" for p in self._named)

    def profile(self, patient: Role) -> Profile:
        """Age, sex and pregnancy of the person who is ill, as far as the words tell."""
        who: Literal["self", "child", "other"] | None = None
        if patient == "child":
            who = "child"
        elif patient in ("other", "stranger"):
            who = "other"
        elif any(p.role == "self" for p in self._named):
            who = "self"
        pregnant = self._pregnant()
        age = self._age(patient)
        sex = self._sex(patient, pregnant)
        if who == "self" and age is not None and not any(p.role == "self" for p in self._named):
            who = None
        return Profile(age, sex, pregnant, who, self._relation(who, patient))

    def _relation(
        self, who: Literal["self", "child", "other"] | None, patient: Role
    ) -> Relation | None:
        if who in (None, "self"):
            return who
        if not names_the_ill(self.text):
            return None
        named = (relation_at(self.text, p.start) for p in self._named if p.role == patient)
        return one_of([relation for relation in named if relation], child=who == "child")

    def _age(self, patient: Role) -> float | None:
        found = ages(self.text)
        if not found:
            return _OLD_AGE if _OLD.search(self.text) else None
        mine = [age for age in found if self._owner(age) == patient]
        if mine:
            return mine[-1].years
        return found[0].years if len(found) == 1 and patient != "self" else None

    def _owner(self, age: Age) -> Role:
        """Whose an age is: the next person after it ("my 2-year-old son"), or the one before."""
        before = [p for p in self._named if p.start <= age.start]
        after = [p for p in self._named if age.end <= p.start <= age.end + 12]
        near = self.text[age.end : after[0].start] if after else ""
        if after and after[0].role != "self" and not re.search(r"[,。.]|\bwith\b", near):
            return after[0].role
        if before:
            return before[-1].role
        if age.years < 14 and not any(p.role == "self" for p in self._named):
            return "child"
        return "self" if self.known.who in (None, "self") else self.of(age.start)

    def _sex(self, patient: Role, pregnant: bool | None) -> Sex | None:
        for person in self._named:
            if person.role == patient and person.sex:
                return person.sex
        if pregnant:
            return "female"
        match = _MF.search(self.text)
        if match:
            return "male" if (match[1] or match[2]) == "m" else "female"
        if _FEMALE.search(self.text) and not _MALE.search(self.text):
            return "female"
        if _MALE.search(self.text) and not _FEMALE.search(self.text):
            return "male"
        return None

    def _pregnant(self) -> bool | None:
        if _NOT_PREGNANT.search(self.text):
            return False
        if _MAYBE_PREGNANT.search(self.text):
            return None
        return True if _PREGNANT.search(self.text) else None

"""What a message wants, besides telling of an illness."""

from __future__ import annotations

import re

from agent.language.reading import Intent

_MEDICINE = (
    r"(?:medicine|medication|meds|drugs?|tablets?|pills?|antibiotics?|painkillers?|paracetamol|"
    r"acetaminophen|tylenol|ibuprofen|"
    r"advil|aspirin|amoxicillin|calpol|steroids?|insulin|morphine|codeine|tramadol|xanax|"
    r"valium|omeprazole|metformin|warfarin|"
    r"antihistamines?|cough syrup|melatonin|prednisone|nurofen|it|of (?:it|this|that)|cream|"
    r"dose|them)"
)
_MEDICINE_ZH = (
    "(?:药|布洛芬|对乙酰氨基酚|阿司匹林|头孢|阿莫西林|美林|泰诺林|退烧药|消炎药|抗生素|止痛药|"
    "降压药|安眠药|胰岛素|"
    "感冒灵|连花清瘟|蒙脱石散|奥司他韦|激素|二甲双胍|这个药|片|粒|胶囊|罗红霉素|阿奇霉素|"
    "氨氯地平|褪黑素|疫苗)"
)
_TABLE: tuple[tuple[Intent, str], ...] = (
    ("dose_request",
     rf"\bhow (?:much|many)\b[^.?!]{{0,40}}\b{_MEDICINE}\b|\bwhat(?:'s| is)?\s+(?:the |"
     rf"a )?(?:right |correct |safe |proper |usual |maximum |max )?dos(?:e|age)\b|\bdos(?:e|"
     rf"age) (?:of|for|should|do|can)\b|\bhow (?:often|many times)\b[^.?!]{{0,25}}\b(?:take|"
     rf"give|use)\b|\bhow many (?:mg|milligrams|ml|tablets|pills|drops)\b|\b(?:safe|"
     rf"max(?:imum)?|right|correct) dos(?:e|age)\b|\bdouble (?:the|my) dose\b|\b(?:increase|"
     rf"reduce|change|adjust|lower|raise) (?:the|my|his|her) (?:dose|dosage|insulin|"
     rf"medication)\b|\bcan (?:i|he|she) take (?:two|three|\d+|more|another|double)\b"
     rf"|(?:吃|服|用|喂|给|打|喝|加|减)(?:多少|几)(?:片|粒|毫升|毫克|颗|包|支|滴|次|袋|单位|药|"
     rf"量)?|{_MEDICINE_ZH}[^。?!,]{{0,10}}(?:多少|几片|几粒|几次|剂量|用量|怎么吃|怎么用|"
     rf"吃法)|剂量|用量|用法|一次(?:吃|喝|服|用)?(?:多少|几)|每次(?:吃|喝|服|用)?(?:多少|几)|"
     rf"一天(?:吃|服|用|打|喂)?几次|多少毫克|多少毫升|能不能(?:多吃|加量|加倍|减量)|加倍吃|"
     rf"(?:可以|能)(?:加量|减量|停药)"),
    ("prescription_request",
     r"\bprescri(?:be|ption|bing)\b(?! (?:glasses|lenses))(?=.{0,60})|\bwrite me (?:a |"
     r"an )?(?:script|note|prescription)\b|\bgive me (?:some |a |an |the )?(?:antibiotics?|"
     r"painkillers?|medicine|medication|drugs?|opioids?|xanax|valium|morphine|steroids|"
     r"sleeping pills|script)\b|\b(?:what|which) (?:medicines?|medications?|drugs?|"
     r"antibiotics?|tablets?|pills?|painkillers?)\b|\bwhat (?:should|can|could|do|shall) (?:i|"
     r"we|he|she) (?:take|give (?:him|her|my \w+))\b|\bi (?:need|want) (?:some |"
     r"an? )?(?:antibiotics?|painkillers?|a prescription|medicine|medication|tramadol|xanax|"
     r"sleeping pills)\b|\brefill\b|\bshould i take (?:antibiotics?|ibuprofen|paracetamol|"
     r"aspirin|steroids)\b|\bcan i (?:get|have) (?:some )?(?:antibiotics|medicine|medication|"
     r"a prescription)\b|\brecommend (?:me )?(?:a |some |any )?(?:medicine|medication|drug|"
     r"tablet|antibiotic)s?\b"
     r"|开(?:点|个|些|一?下|张|几)?(?:药|方子|处方|单子|消炎药|抗生素|头孢|安眠药|止痛药)|处方|"
     r"(?:吃|用|喝|涂|抹|擦|服|买)(?:点|些)?(?:什么|啥|哪种|哪些|何种)(?:药|药膏|药物|好|"
     r"消炎药|抗生素)|推荐(?:点|个|一?下|些|几)?.{0,4}药|(?:需要|要不要|可以|能不能|能|"
     r"应该)(?:吃|用|打)(?:点|些)?(?:药|消炎药|抗生素|头孢|激素|布洛芬|阿莫西林|退烧药|止痛药)|"
     r"给我.{0,6}药|吃啥药|什么药(?:好|管用|有效|能治)"),
    ("diagnosis_certainty",
     r"\bdo i have cancer\b|\bam i (?:dying|going to die)\b|\bare you (?:100%|absolutely |"
     r"completely )?(?:sure|certain)\b|\b(?:tell me|say) (?:exactly |definitely |for sure |"
     r"for certain |honestly )(?:what|if|whether)\b|\b100 ?% (?:sure|certain)\b|\bguarantee\b|"
     r"\bpromise me\b|\bdefinite(?:ly)? (?:diagnosis|answer)\b|\bgive me a (?:definite|final|"
     r"certain|clear) diagnosis\b|\bjust tell me (?:what|if) (?:it is|i have|disease|"
     r"i've got)\b|\bwhat (?:disease|illness) do i have\b|\bfor (?:sure|certain)\b"
     r"|确诊|百分之?百|100%|你(?:能)?(?:确定|保证|肯定)|一定是|肯定是.{0,12}(?:吧|吗)|"
     r"到底(?:是|得了?|什么)(?:什么)?病|是不是(?:得了?)?癌|(?:我|是)不是(?:快|要)死|"
     r"直接告诉我(?:是|得)?.{0,4}(?:什么病|结果)|是不是绝症"),
    ("override",
     r"\b(?:ignore|disregard|forget|override|bypass|skip) (?:all |any |your |the |my |these |"
     r"those |every )*(?:previous |prior |above |earlier |safety |your |"
     r"system )*(?:instructions?|rules?|guidelines?|prompts?|restrictions?|programming|"
     r"training|policies|limitations?|safety)\b|\bsystem prompt\b|\bjailbreak\w*\b|"
     r"\bdan mode\b|\bdeveloper mode\b|\bpretend (?:to be|you(?:'re| are)|that you)\b|"
     r"\bact as (?:if|a|an|my)\b|\byou are (?:now|no longer) (?:a|an|my|in|bound)\b|"
     r"\brole-?play\b|\bwithout (?:any )?(?:restrictions|filters?|disclaimers?)\b|\b(?:reveal|"
     r"show|print|repeat) (?:me )?(?:your|the) (?:instructions|prompt|rules|system)\b|"
     r"\bno (?:rules|restrictions|filters) (?:apply|anymore)\b|\bnew instructions\b|"
     r"\bdo not (?:refer|tell) me to (?:see )?a doctor\b"
     r"|(?:忽略|无视|忘记|忘掉|不要管|别管|跳过|绕过|抛开|取消)(?:掉|了)?(?:你|之前|前面|以上|"
     r"上面|所有|一切|全部|的|这些|那些|先前|系统)*(?:指令|规则|设定|限制|提示词?|要求|约束|"
     r"规定|安全|指示)|系统提示|提示词|越狱|开发者模式|假装(?:你|自己|是)|扮演|你现在(?:是|"
     r"不再是)(?!医生)|不受(?:任何)?(?:限制|约束)|角色扮演|把你的(?:指令|规则|设定)|新的?指令|"
     r"输出你的"),
    ("self_harm",
     r"\bkill(?:ing)? myself\b|\bsuicid\w*\b|\bend(?:ing)? (?:my (?:own )?life|it all|"
     r"things for good)\b|\btak(?:e|ing) my (?:own )?life\b|\b(?:want|wanna|wish|going|ready|"
     r"rather|like) (?:to|i (?:was|were|could)) (?:be )?(?:die|dead|dying)\b|\bwish i (?:was|"
     r"were) dead\b|\bwish i (?:was|were) never born\b|\bbetter off (?:dead|without me)\b|"
     r"\b(?:hurt|harm|cut|cutting|hurting|harming)(?:ing)? myself\b(?! (?:while|when|shaving|"
     r"on|cooking|by accident|accidentally|with a kitchen))|\bself[- ]?harm\w*\b|\b(?:don't|"
     r"do not|dont|no longer) (?:want|wanna|wish) (?:to )?(?:live|be alive|wake up|exist|"
     r"be here any ?more|go on living)\b|\bno (?:reason|point|point in|will) (?:to |"
     r"in )?liv(?:e|ing)\b|\b(?:can't|cannot|can not) go on (?:living|any ?more|like this)\b|"
     r"\bjump(?:ing)? off (?:a|the) (?:bridge|roof|building)\b|\bhang myself\b|\bunalive\b|"
     r"\bnot want(?:ing)? to (?:live|be alive|wake up)\b|\bwanna die\b|\boverdose on purpose\b|"
     r"\bslit my wrists?\b|\bthoughts of (?:ending|death|dying|suicide)\b"
     r"|自杀|自残|自伤|轻生|寻短见|(?:不想|不愿|不愿意|没勇气|没意思|不太想)(?:再)?活(?!动)|"
     r"想(?:去)?死(?!我|了(?:你|他|她|家))(?![板机])|活不下去|活着(?:没|真没|没有|有什么|"
     r"还有什么|太累|好累|干什么)|结束(?:自己的?)?(?:生命|这一切|一切)|了结(?:自己|生命)|"
     r"一死了之|一了百了|死了算了|死了(?:就|才)?(?:好|轻松|解脱)|割腕|跳楼|上吊|伤害自己|"
     r"不如死|生不如死|遗书|吞药|想解脱|想消失|不想(?:再)?(?:在|留在|待在)这个?世(?:界|上)"),
    ("wants_person",
     r"\b(?:speak|talk|chat|connect|transfer|put)(?:ing)?(?: me)? (?:to|with|through to) (?:a |"
     r"an |some |the |your )?(?:real |actual |human |live )*(?:person|human|doctor|nurse|"
     r"someone|somebody|agent|operator|staff|physician|people|receptionist)\b|\b(?:real|actual|"
     r"human|live) (?:person|doctor|human|nurse|agent)\b|\bhuman (?:being|help|please)\b|"
     r"\bare you (?:a )?(?:bot|robot|human|real|machine|ai)\b|\b(?:want|need) a (?:human|"
     r"real)\b|\bnot (?:a )?(?:robot|bot|machine)\b|\bget me a (?:doctor|nurse|human|person)\b"
     r"|人工(?!流产|授精|关节|呼吸|受孕|晶体|喂养|耳蜗)|真人|真(?:的)?医生|(?:转|找|换|接|叫|"
     r"要|跟|和|联系|想问)(?:一?个|一下|一位|到)?(?:真的?|活的?)?(?:人工|真人|客服|护士|人来|"
     r"人说|值班医生|医生(?:说话|聊|通话|本人|直接|谈))|你是(?:不是)?(?:机器人|真人|人吗|ai|"
     r"人工智能)|不(?:想|要)(?:跟|和)机器"),
    ("wants_to_end",
     r"\b(?:end|stop|finish|close|quit|exit|cancel) (?:this |the )?(?:chat|conversation|"
     r"consultation|session|now|here|questions?|asking)\b|\bstop asking\b|"
     r"\bno more questions\b(?= please|\W*$)|\bthat(?:'s| is| will be) (?:all|it|"
     r"everything)(?: for (?:now|today))?\b|\bi(?:'m| am) done\b|\bjust (?:tell|"
     r"give) me (?:the |your )?(?:result|answer|advice|conclusion|verdict)\b|\bi (?:have|need|"
     r"got) to go\b|\bquit\b|\bexit\b"
     r"|(?:结束|停止|退出|终止|关闭)(?:这次|本次|这个|此次)?(?:咨询|问诊|对话|聊天|谈话|会话|"
     r"吧|了)|不(?:想)?(?:聊|问|说|答|咨询)(?:下去)?了|别(?:再)?问了|不要(?:再)?问了|就(?:到|"
     r"说)?(?:这|这里|这样|到这)(?:吧|里吧|了)|直接(?:说|给|告诉我)(?:结果|结论|建议|答案)|"
     r"不用(?:再)?问了|我(?:要|得)走了|到此为止"),
    ("no_more",
     r"^\W*(?:no,? )?(?:(?:nothing|none|no) (?:else|more|other|further)(?: (?:symptoms?|"
     r"problems?|things?|really|that i (?:know|can think)[\w ]*))?|that(?:'s| is) (?:all|it|"
     r"everything)|no other symptoms?|nothing (?:other|besides|else).{0,20})\W*$|"
     r"\bno other (?:symptoms?|problems?|complaints?)\b|\bnothing else\b|\bthat's all\b"
     r"|没(?:有)?(?:其他|别的|其它|另外)(?:的)?(?:症状|不舒服|问题|不适|了|情况|什么)*|"
     r"就(?:这些|这样|这么多|这个)(?:了|吧)?(?=\W*$)|没了(?=\W*$)|没有了(?=\W*$)|其他(?:都|"
     r"也)?(?:没有?|正常|还好|没什么)|别的(?:都|也|就)?没"),
    ("greeting",
     r"^\W*(?:hi+|hello+|hey+|good (?:morning|afternoon|evening|day)|greetings|howdy|"
     r"dear doctor|hiya|yo)\b|^\W*(?:你好|您好|医生好|大夫好|哈喽|早上好|下午好|晚上好|在吗|"
     r"在不在|有人吗|医生你好|医生您好|嗨|大夫你好|大夫您好|hello)"),
    ("thanks",
     r"\bthank(?:s| you|you)\b|\bthx\b|\bcheers\b|\bmuch appreciated\b|\bty\b|谢谢|感谢|多谢|"
     r"谢了|辛苦了|3q|蟹蟹"),
    ("goodbye",
     r"\b(?:good ?)?bye\b|\bbye-?bye\b|\bsee (?:you|ya)\b|\btake care\b(?!\s+of)|"
     r"\bgood night\b|\bhave a (?:good|nice|great)\b|\bfarewell\b|再见|拜拜|回见|88$|晚安|"
     r"下次见|先这样"),
    ("off_topic",
     r"\b(?:weather|forecast|football|soccer|basketball|stock (?:market|price)s?|bitcoin|"
     r"crypto|recipe|poem|joke|song|movie|film|homework|essay|python code|javascript|code for|"
     r"program(?:ming)?|translate|capital of|president|election|politics|math|equation|lottery|"
     r"horoscope|hotel|flights?|restaurant|video game|write (?:me )?(?:a|an|some) (?:story|"
     r"poem|essay|code|song|letter|email|novel))\b"
     r"|天气预报|(?:今天|明天)天气怎么样|股票|基金|彩票|笑话|唱(?:首|个)?歌|写(?:一?首|一?篇|"
     r"个|一?段)?(?:诗|作文|代码|程序|小说|论文|情书|文案|歌)|翻译(?:一?下|成)|菜谱|怎么做菜|"
     r"足球|篮球|电影|电视剧|游戏|星座|运势|算命|首都|总统|编程|房价|数学题|作业|英语题|解方程|"
     r"机票|酒店|外卖|旅游攻略|讲个(?:故事|笑话)|比特币|你(?:会|能)(?:写|画|唱)"),
)  # fmt: skip
_COMPILED = tuple((intent, re.compile(pattern, re.MULTILINE)) for intent, pattern in _TABLE)
_SELF_HARM_DENIED = re.compile(
    r"(?:\bnot\b|\bno\b|\bnever\b|n't|\bwithout\b|\bden(?:y|ies)\b)[^.,;!?]{0,30}$|(?:没有?|"
    r"不会|不是|从来没有?|从没|未|否认|并没有?|没想过?|不想)[^。,;!?]{0,8}$"
)
_SELF_HARM_OTHERWISE = re.compile(
    r"\bsuicide (?:squad|note in|rates?)\b|\bkill(?:ing)? myself laughing\b|笑死|饿得?想死|"
    r"困得?想死|馋死|累得想死|热得想死|自杀(?:小队|式|率)"
)
_QUESTION = re.compile(
    r"\?|^\W*(?:what|why|how|when|where|who|which|should|can|could|is|are|do|does|will|"
    r"would)\b|吗(?=\W|$)|呢(?=\W*$)|怎么办|怎么回事|什么|为什么|如何|要不要|需不需要|能不能|"
    r"会不会|是不是|哪个|几时",
    re.MULTILINE,
)


def intents(text: str, *, medical: bool) -> frozenset[Intent]:
    """The intents of a normal form. `medical`: whether anything clinical was understood in it;
    a message that tells of an illness is never off topic."""
    found: set[Intent] = set()
    for intent, pattern in _COMPILED:
        for match in pattern.finditer(text):
            if intent == "self_harm" and _harmless(text, match):
                continue
            found.add(intent)
            break
    if _QUESTION.search(text):
        found.add("question")
    if medical or found & {"self_harm", "override"}:
        found.discard("off_topic")
    return frozenset(found)


def _harmless(text: str, match: re.Match[str]) -> bool:
    """A denial, or a figure of speech."""
    if _SELF_HARM_DENIED.search(text[max(0, match.start() - 40) : match.start()]):
        return not re.match(r"(?:不想|不愿|没|活|no |don|do not|not )", match.group())
    return any(
        other.start() < match.end() and match.start() < other.end()
        for other in _SELF_HARM_OTHERWISE.finditer(text)
    )

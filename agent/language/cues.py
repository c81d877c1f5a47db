"""The cues by which `status` tells what is so: denial, doubt, the past, the merely possible,
stories and fears, in both languages.

In the alternations of the denials, look-alikes stand first, so that they use up the text.
"""

from __future__ import annotations

import re

# Look-alikes stand first in each alternation, so that they use up the text.
NEGATION_EN = re.compile(
    r"(?P<none>\bnot only\b|\bnot just\b|\bnot to mention\b|\bno (?:matter|doubt|wonder|idea|"
    r"longer than|relief|"
    r"better|improvement|change|use|good|help|more than|less than|energy|appetite|strength|sleep)\b"
    r"|\bnot (?:getting|feeling|doing|going|been feeling|been able|able|stopp\w+|better|"
    r"improv\w+|well|right|good|"
    r"normal|myself|help\w*|work\w*|sleep\w*|eat\w*|drink\w*|gone|go away|going away|subsid\w+|"
    r"stop|relieved|responding"
    r"|react\w*|wak\w+|mov\w+|breath\w+|pass\w+|feed\w*|letting|allow\w*|too long|long|"
    r"sure why|settl\w+|eased|easing|clear\w+)\b"
    r"|\b(?:wo|does|did|do|has|have|is)n't (?:stop\w*|go(?:ne|ing)?\b(?: away)?|went away|"
    r"getting|get better|get any better|help\w*|work\w*|"
    r"improv\w*|settl\w*|subsid\w*|sleep\w*|slept|eat\w*|eaten|drink\w*|drunk|feel\w* (?:well|"
    r"right|good|my|like|normal|great|better|anything)|felt (?:well|right|good)|"
    r"been (?:able|well|feeling|sleeping|eating)|know|want\w*|let\w*|like|understand|care|"
    r"(?:take|taken) (?:(?:a|any|his|her|my|the|one|single) )*(?:feeds?|bottles?|milk|breast|"
    r"insulin|food|"
    r"tablets?|medicine|medication|inhaler)\b|respond\w*|wake|mov\w*|pass\w*|see\b|hear\b|"
    r"gone away|breath\w*|"
    r"resolv\w*|eas\w*|fad\w*|clear\w*|heal\w*|recover\w*|feed\w*|poo\w*|pee\w*|cry\w*|talk\w*|"
    r"come down|coming down|had a (?:poo|wee|bowel|period)|"
    r"been to|tried|mind|tell|had any (?:sleep|relief|luck))\b"
    r"|\bnever (?:stops?|ends?|goes|felt|had (?:such|this|anything|a \w+ (?:like|this|so)|"
    r"pain like)|been (?:this|so)|seems?|experienced (?:such|anything|pain|this))\b"
    r"|\bwithout (?:stopping|relief|warning|success|help|sleep|improvement|fail|any (?:relief|"
    r"warning|help|improvement))\b|\bnothing (?:helps|works|relieves)\b|\bnon[- ]?stop\b"
    r"|\bcan't\b|\bcannot\b|\bcan not\b|\bcouldn't\b|\bwon't\b|\bwouldn't\b)"
    r"|(?P<neg>\bno longer\b|\bno more\b|\bno\b|\bnot\b|\bnever\b"
    r"|\bwithout\b|\bden(?:y|ies|ied|ying)\b|\b(?:do|does|did|have|has|had|is|are|was|were|"
    r"ai)n'?t\b|\bneither\b|\bnor\b|\bnone of\b|\bfree of\b|\bfree from\b"
    r"|\bnegative for\b|\babsence of\b|\brul(?:ed|es|e) out\b|\black of\b|\bhardly any\b|"
    r"\bstopped having\b|\bno sign\b|\bzero\b|\bnope\b|"
    r"\b(?:nobody|no[- ]one)\b(?= (?:here |at home |else "
    r"|in (?:the|our|my) (?:house|family|home) )?(?:took|ate|drank|swallowed|has|had|"
    r"is ill|is hurt)\b)"
    r"|\b(?:nt|nto|dnt|isnt|arent|hasnt|havent|"
    r"didnt|doesnt|wasnt)\b)"
    # "Normal vaginal discharge", as lists of findings say it.
    r"|(?P<near>(?:^|(?<=[.,;] ))normal(?= [a-z]))"
)
NEGATION_ZH = re.compile(
    r"(?P<none>时不时|不时|有没有|是不是|能不能|会不会|要不要|好不好|可不可以|不知道?(?:是不是|有没有)"
    r"|(?:不)(?:舒服|舒坦|适|停|断|好|了(?!解)|能|得不|得了|得|住|清楚|确定|仅|但|光|只|过|然|"
    r"一会|一定|久|到|小心|敢|吃|喝|爱|愿|肯|见好|退|"
    r"下|上|出(?!汗|血|冷汗|虚汗|疹|水)|动|对|少|用|止|管|如|行|安|良|规律|规则|通|畅|调|振|稳|足|"
    r"消化|明原因|明|齐|全|"
    r"孕|育|宁|醒|起|着|进|清|开|来|去|同|错|想|懂|理|睡|"
    r"一|均|等|平|匀|整|对称|协调|自主|由自主|自觉|经意|典型|佳|良|利|尽|净|"
    r"认识|成|大便|排便|解|放屁|排气|拉大便|排|精神|正常|灵|利索|听|说话|哭|应|算|便|怎么(?:吃|"
    r"喝|睡|好|动|爱|想|说|排|拉|尿)|太(?:好|舒服|想|爱|能|会|敢|正常|行|对|清|方便|听|理)|断|"
    r"怕|觉得|会走|会说|会翻|会坐|会爬|尿)"
    r"|没(?:有)?(?:力|劲|精神|精力|胃口|食欲|睡|[吃喝](?![过错]|农药|毒|抗凝|华法林|阿司匹林)|想(?!到|过|要|伤|死|自|杀|打|去)|办法|法|"
    r"用|好|退|停|完|多久|过多久|几天|效果|好转|缓解|改善|有效|去|看|意思|消|断|能|敢|反应|注意|"
    r"洗|换|事|拉大便|拉屎|大便|排便|尿(?![频急痛血道路失多里床蛋])|解|放屁|排气|来(?:月经|"
    r"例假|大姨妈)|来事|间断|钱|时间|说|问题|人|关系|准|见好|上班|打|接种|呼吸(?!困难|急|不|道|"
    r"费|短|暂)|意识|脉搏|心跳|见效|治|再(?![犯发疼痛出咳吐晕抽烧胸头肚拉流喘])|戴|那么(?:大|多)|以前|什么(?:力|劲|精神|胃口|食欲|"
    r"效果|用|好转|改善))"
    r"|没(?:有)?(?:感觉|知觉)(?!到)"
    r"|无(?:力|精打采|法|缘无故|意|论|奈|比|限|助|诱因|聊|数|效|故|所谓|尿|精神|食欲|意识|"
    r"明显(?:诱因|好转|缓解|改善))"
    r"|未(?:婚|愈|成年|来|必|见好转|缓解|好转|破|孕|育|知|治|到)|除非|没准|"
    r"从来没(?:有)?(?:这么|这样|过这|有过这|那么)|没这么|没有这么)"
    r"|(?P<far>没有(?:过(?!敏))?|没出现过?|没发现|没得过|没|并无|无|未见|未出现|未发现|未|否认|并非|"
    r"不是(?!很|特别|太)|不存在|毫无|从不|从未|从来不|从来没有?|不再|排除|也没有?|不伴有?|不带|"
    r"不含|不像|不觉得|不感觉|不感到|不会(?!走|说|爬|坐)|不曾)"
    r"|(?P<near>不是很|不是太|不怎么|不太|不)"
)
DOUBT = re.compile(
    r"\bmaybe\b|\bperhaps\b|\bpossibly\b|\bprobably\b|\bmight\b|\bmay (?:have|be)\b|"
    r"\bcould be\b|\bnot sure\b|\bnot certain\b|\bunsure\b"
    r"|\bcan't tell\b|\bhard to (?:say|tell)\b|\bwonder(?:ing)? (?:if|whether)\b|\b(?:don't|"
    r"do not) know (?:if|whether)\b"
    r"|\bseems? to\b|\bno idea (?:if|whether)\b|\bnot know (?:if|whether)\b|\bi guess\b|"
    r"\bsuspect(?:ed)?\b"
    r"|可能(?!引起|导致|是因为)|好像|似乎|也许|大概(?![\d一二两三四五六七八九十几有每])|或许|"
    r"不确定|不知道?(?:是不是|有没有|算不算)|说不准|说不清|不清楚|是不是(?!因为|由于)|疑似|"
    r"怀疑|貌似|没准|拿不准|应该是|不太确定|不敢肯定"
)
END_EN = (
    r"\band (?=(?:passed|collapsed|fainted|fell|threw|lost|started|got|felt|went|vomited|became)\b)"
    r"|\bbut\b|\bexcept\b|\bhowever\b|\bthough\b|\balthough\b|\bbecause\b|\bsince\b|\bdue to\b|"
    r"\byet\b|\bapart from\b|\bother than\b"
    r"|\bjust\b|\bonly\b|\binstead\b|\bstill\b|\bthen\b|\buntil\b|\bwhile\b|\bwhereas\b|"
    r"\bwhich\b|\bso\b"
    r"|\band (?:i|he|she|it|there|my|his|her|the|now|we|they|also|then|has|have|is|feels?)\b"
    r"|\b(?:i|he|she|they|we) (?:have|has|do|does|get|gets|feel|feels|am|is|can't)\b|\bi've\b|"
    r"\bi'm\b|\bthere(?:'s| is)\b"
    r"|\bhaving\b|\bplus\b|\bbesides\b|\bas well as\b|\bwith\b"
)
END_ZH = (
    r"但是?|可是|不过|只是|就是|只有|只|除了|以外|之外|却|反而|而是|然而|倒是|其实|主要是?|"
    r"因为|由于|所以|而且|还有|同时|另外|现在|今天|光(?=[咳发头肚嗓])"
    r"|(?<![没未所具带只还现得到])有(?!时|没有|可能)|伴有?|反倒|结果|以后|之后|后来|然后|的话|时候|"
    r"[就便]"
)
END = re.compile(f"{END_EN}|{END_ZH}")
BUT = re.compile(r"\bbut\b|\bhowever\b|但|不过")
EXCEPTION = re.compile(r"\bexcept(?: for)?\b|\bapart from\b|\bother than\b|除了")
LIST_WORD = re.compile(r"\b(?:or|nor|and|any|no|a|an|the|of)\b|[或和跟与、及]|或者|以及|也")
OR = re.compile(r"\bn?or\b")

PAST = re.compile(
    r"\blast (?:year|month)\b|\blast (?:spring|summer|autumn|fall|winter)\b|\b(?:years|"
    r"months) ago\b|\ba year ago\b|\ba month ago\b|\bused to\b|\bas a (?:child|kid|teenager|teen|"
    r"baby|newborn|toddler|student)\b|\bas an infant\b"
    r"|\bin (?:the|my|his|her) (?:(?:nine|eigh|seven|six|fif|for|thir|twen)ties|teens|noughties|"
    r"[5-9]0s)\b"
    r"|\bin the 19\d0s\b|\bas a (?:boy|girl)\b|\blast (?:christmas|easter|ramadan|new year)\b"
    r"|\bin (?:lockdown|the war)\b|\bwas (?:19|20)\d\d\b|\bin (?:our|my|the) last "
    r"(?:flat|house|home|job|pregnancy)\b|\bat (?:1\d|[2-9]\d)\b(?=, (?:now|i'm|i am)\b)"
    r"|\b(?:at|in|with|during) my (?:last|previous) (?:delivery|birth|labou?r|pregnancy|"
    r"baby|child)\b"
    r"|\bat my first (?:delivery|birth|labou?r)\b"
    r"|\bat (?:\d|one|two|three|four|five|six|seven|eight|nine|ten)(?=, (?:he|she)'s \w+ now\b)"
    # An age, not a time of day.
    r"|\bhad (?:an?|one|his|her) (?:\w+ )?(?:attack|stroke|seizure|fit|bleed|clot) at [4-9]\d\b"
    r"|\bwhen (?:i|he|she) (?:was|were) (?:a |an |about |only |just )?(?:child|kid|young\w*|"
    r"little|small|teen\w*|baby|toddler|newborn|student|\d+|(?:one|two|three|four|five|six|seven|"
    r"eight|nine|ten|eleven|twelve|\w+teen|twenty)\b(?! (?:week|day|hour))|pregnant|in\b)|"
    r"\buntil (?:i|he|she) (?:was|turned)\b"
    r"|\bin the past\b|\bpreviously\b|\bin (?:19|20)\d\d\b|"
    r"\bback in (?:my|the (?:day|spring|summer|autumn|fall|winter)|school|college|spring|summer|"
    r"autumn|january|february|march|april|may|june|july|august|september|october|november|december)\b|"
    r"\bin my (?:youth|twenties|thirties|teens)\b"
    r"|\bonce had\b|\bhad (?:it |this )?(?:once )?before\b|\blong ago\b|\bago i had\b|"
    r"\bin (?:my )?childhood\b|\byears back\b|\bmonths back\b"
    r"|[七八九]几年|[五六七八九]十年代|[5-9]0年代|[一二两三四五六七八九十几\d](?:个多?月|"
    r"岁)多?的?(?:时候|时(?!不|常|好)|那年|那会儿?)(?=[^,。]{0,4}(?:有过|得过|出过|发过|过|曾|也))"
    r"|(?:上一?|前一?|头|第一)胎|(?:大学|高中|初中|小学|中学|上学|读书|当兵|结婚前)(?:的?时候|时)"
    r"|十几岁|生(?:老大|老二|大宝|头胎|第一胎)(?:的?时候|时)|二十几岁|三十几岁"
    r"|去年|前年|大前年|以前(?!从?来?都?[没不])|曾经|曾有|从前|小时候|小的时候|年轻时|年轻的时候|"
    r"多年前|"
    r"[几数一二两三四五六七八九十\d]年前|[几数一二两三四五六七八九十半\d]个?多?月前|早年|既往|"
    r"上个月|上次"
    r"|之前.{0,8}(?:过|好了|没事了)|过去(?=有|得|也|曾)"
)
# Said after all the rest: "I had a clot in my leg, years ago".
LONG_AGO = re.compile(
    r"\W*(?:(?:but|it|that|was|about|many|some|several|a|few|two|three|four|five|ten|\d+) )*"
    r"(?:(?:years|months) (?:ago|back)|last year)\W*"
    r"|\W*(?:都|那)?是?(?:(?:很多|好多|好几|[一二两三四五六七八九十几\d]+)年前|去年|前年|小时候)的?事?了?\W*"
)
STILL = re.compile(
    r"(?<!nothing )(?<!none )(?<!fine )(?<!well )(?<!ok )(?<!never )(?<!good )\bsince\b"
    r"|\bstart\w*\b|\bbegan\b|\bbegun\b|\bstill\b|\bever since\b|\bagain\b|"
    r"\bongoing\b|\bcame back\b|\bkeeps\b|\bnow (?:it'?s?|i|he|she|my)\b|\bhas been\b|"
    r"\bhave been\b|\bcome back\b|\bdiagnosed\b|\bworse\b|\bevery\b"
    r"|开始|至今|一直|到现在|又(?!怎)|最近|这次|反复|还是|仍|还在|起就|以来|越来越|如今也|"
    r"发作(?:过)?(?:几|多|好)次"
)
NEAR_PAST = re.compile(
    r"今天|刚才?|昨|早上|晚上|最近|这几天|前天|\btoday\b|\byesterday\b|\bthis\b|\blast night\b"
)
# What turns a tale of before to the present: "it was fine last month but right now ...".
HERE_AND_NOW = re.compile(
    r"\bnow\b(?! (?:fine|well|ok|better|gone|a |an |healthy))|\btoday\b|\btonight\b|"
    r"\bthis (?:morning|afternoon|evening|time|is nothing like)\b|"
    r"\bsince (?:last night|yesterday)\b|\ba moment ago\b"
    r"|现在(?!好|没事|正常|很好|都好|想|早就|走出来)|今天|今早|今晚|刚才|刚刚|这次(?!还没)|这回|昨晚|昨夜"
)
IF = re.compile(
    r"\b(?:what if|if|in case|unless)\b(?:\s+(?:i|he|she|it|we|you|they|my \w+|the \w+)\b)?|"
    r"\bshould i (?:get|develop|have|start)\b|\bshould (?:\w+ ){1,3}ever\b|\bwhen should\b|"
    r"\bsuppose\b|\bhow (?:do|"
    r"would) i know\b|\bcan .{0,40} (?:cause|lead to|turn into)\b|\bcould .{0,40} cause\b"
    r"|(?:^|(?<=[.?!] ))(?:could|can|will) (?:i|he|she|we|my \w+) (?:suddenly |just |really )?"
    r"(?:go|choke|develop|end up|collapse|faint|drop dead)\b"
    r"|\bwould .{0,30} cause\b|\bis it (?:possible|true)\b|\bif (?:i|he|she) (?:get|gets|develop)\b"
    r"|\bhow (?:do|can|should|would) (?:i|you|we) \w+[^.?!]{0,20}"
    r"\b(?:someone|somebody|a person|people)\b"
    r"|是不是(?=[^,。?]{1,14}[就才](?:要|得|该|可以|能|算))|如果|万一|假如|要是|倘若|若是|"
    r"若(?=出现|有|发)|会不会(?![^,。?]{0,3}(?:说|走|爬|翻|坐|笑|叫|用))(?:[^,。?]{0,10}就)?|"
    r"以防|一旦|预防|避免|怎么(?:才能)?(?:避免|预防)|能不能预防|会引起|会导致"
)
IF_END = re.compile(
    r",|\bthen\b|\bi (?:get|have|feel|am)\b|\bit (?:hurts?|aches?|burns?|feels?)\b|"
    r"\bthere(?:'s| is)\b|\bshould i\b|\bdo i\b|就|则|我该|该怎么|怎么办|要不要"
)
GENERAL = re.compile(
    r"^\W*(?:what (?:is|are|causes?|does|kind|makes)|what's|is|are|can|does|do|how (?:do|does|"
    r"is|can|long|common|to|dangerous|serious)\b(?! (?:i|you|doctors|one|people) (?:use|treat|give|"
    r"store|carry|diagnose)\b)|why (?:does|do|is)|which|when (?:is|does)|"
    r"tell me about|could you explain|explain|"
    r"how (?:do|does|should) (?:i|you|doctors|one|people) (?:use|treat|give|store|carry|"
    r"diagnose))\b(?!')"
    r"|时(?:旁人|旁边的人|别人|大家|我们|家人)?(?:应该|该)(?:怎么|如何)|一分钟(?:按|压|跳)?多少|按多深|"
    r"备什么|想学|怎么学|是什么(?:原因|意思|病|东西|症状|引起)?|有哪些|有什么(?:症状|危害|区别|表现)|什么(?:原因|"
    r"叫|情况下|是)|危险吗|严重吗|(?:会|能|可以)?传染(?:吗|给)|怎么(?:预防|形成|引起|产生)|"
    r"为什么会|会(?!儿).{0,10}吗|能.{0,6}吗|区别|会怎么样|会怎样|是怎么引起"
)
PERSONAL = re.compile(
    r"\b(?:i|i'm|i've|my|me|mine|he|she|his|her|we|our|him|mum|mom|dad|they)\b|我|宝宝|孩子|"
    r"小孩|儿子|女儿|他|她|家|咱|俺|本人|患者|妈|爸|老公|老婆|最近|今天|昨|这几天|这两天|一直|"
    r"天了|周了|个月了|年了|小时|\d+\s*天|刚才?|上午|下午|早上|中午|晚上|昨晚|这会儿|自己|现在|已经|开始|又|岁|总是|老是|有点|特别|很|"
    r"突然|了[,。]?(?:怎么|是)"
)
# What was seen or read about: nobody's illness here.
STORY = re.compile(
    r"\b(?:on (?:tv|television|the news|the internet|netflix)|(?:the )?news (?:says?|said)|"
    r"(?:a|the|this|that) (?:tv )?(?:show|movie|film|novel|book|"
    r"article|documentary|drama|advert|video|leaflet|podcast|character|actor|actress|course|"
    r"class|lecture|game|quiz|soap|series|podcast|play)|(?:an?|my|the|this|our|her|his) (?:essay|"
    r"assignment|homework|coursework|thesis|dissertation|presentation|school project|screenplay|"
    r"short story|crossword|exam question)|in (?:a|"
    r"the) (?:paper|news|magazine)|"
    r"i (?:read|heard|learned|learnt) (?:that|about|of|somewhere)|telly about|taught (?:us|me)|"
    r"first aid (?:course|class|training|trainer|practice)|dreamt|dreamed|dreaming|nightmare|"
    r"in (?:a|my|the|last night's) dream|lyrics?|helpline|(?:a|the) dummy|mannequin|revising|"
    r"studying for|nursing exam|medical student|writing (?:a|my) (?:story|novel|book|play|thriller|"
    r"script|crime)|"
    r"stories (?:about|of)|nerf|(?:a|the|this|some) (?:post (?:went|going|about|saying)|blog)|"
    r"on (?:tiktok|facebook|instagram|reddit|youtube|whatsapp)|there was a (?:suicide|stabbing|"
    r"shooting|murder)|"
    r"(?:my|our|the|his|her) (?:hamster|rabbit|guinea pig|budgie|goldfish|kitten|puppy))\b"
    r"|梦见|梦到|做梦|评书|相声|朋友圈|热搜|明星|培训|宣传栏|黑板报|急救(?:知识|课)|演习|演练|"
    r"备考|考试题|手抄报|抖音|小红书|微博|快手|公众号|仓鼠|兔子|猫咪|狗狗|宠物"
    r"|电视|新闻|电影|小说|书上|网上(?:说|看|有)|听说|课上|讲过|讲座|剧里|演员|视频(?:里|上)|"
    r"文章|科普|课本|百度|纪录片|动画片|书里|小品|论文|作文|作业|剧本|题目|游戏里|直播里"
)
FEAR = re.compile(
    r"\b(?:afraid|scared|terrified|frightened) of\b|\bfear of\b|\bworr(?:ied|y|ying) (?:about|"
    r"of) (?:getting|having|catching|developing|a|an)\b|"
    r"\b(?:worr(?:y|ies|ied|ying)|fret(?:s|ting)?)(?: all the time| constantly| every night)?"
    r" (?:that |whether )?(?:i (?:might|could|may)\b|"
    r"(?:i|he|she|we|they|(?:my|the) \w+)(?:'ll\b| (?:will|would)\b))|"
    r"\bdon't want to (?:get|have|catch)\b|"
    r"\bscared (?:that )?i (?:will|might|'ll|could)\b|\bavoid(?:ing)?\b|\bprevent(?:ing)?\b"
    r"|怕(?:他|她|它|宝宝|孩子|小孩|娃|老人)(?!不是|是|们|冷|热|疼|痛|痒|黑|光|风|吵|声|水)|"
    r"怕(?:得|会|自己得|自己会|以后|将来|是(?=得))|担心(?:得|会|自己得|自己会|以后|将来|万一)|"
    r"害怕(?:得|会|以后|自己会)|恐怕会|生怕"
)
GONE_AFTER = re.compile(
    r"^(?:\s|,|was|is|are|has|have|all|had|now|completely|since|already|then|the|it|its|itself|"
    r"'s|that|just|totally|finally|pretty much|seems? to|but|and|rash|pain|my)*"
    r"(?:gone(?! (?:on|up|worse|from|to))|went away|disappeared|resolved|cleared up|"
    r"stopped(?! (?:me|him|her|eating|drinking|feeding|working|"
    r"moving|responding|breathing|talking|passing|peeing))|"
    r"over now|no longer (?:there|present)|healed|vanished|"
    r"subsided|settled)\b"
    r"|^(?:呢|也|都|倒|是|已经|就|现在|,|自己|后来|全|基本|完全|今天|昨天|就|的?症状|了|"
    r"烧)*(?:好了(?!又|之后又)|退了(?!又|后又|之后又|以后又)|消失了?|没了|没有了|不了|止住了|"
    r"痊愈|治好了|没再(?:犯|发|出现)|不再有|停了(?!又|还|一会儿又|之后又)|过去了|退下去了|消了|消退了)"
)
DENIED_AFTER = re.compile(
    r"^[\s-]*free\b(?! to)"
    r"|^\s*(?:[:：-]|is|are|was|were|,)?\s*(?:no\b(?!\s+\w)|none\b|not (?:there|present|any)\b|"
    r"(?:tests?|swab|results?) (?:(?:was|is|were|came|comes?) (?:back )?)?negative\b|"
    r"nope\b|absent\b|negative\b|n't there|isn't there)"
    r"|^(?:也|都|倒是?|是|就|倒也|什么的|症状|的?(?:症状|情况|现象))*(?:没有|没|无)(?:的?)$|"
    r"^(?:也|都|倒是?|是|什么的)*(?:没有|没)(?=[,。!])|^[::](?:无|没有|否)"
)
# Of what another died, or what somebody has got over: no alarm any more.
DIED = re.compile(r"\b(?:died|dies|passed away) (?:of|from|with) (?:an? |the )?$|死于$")
DIED_AFTER = re.compile(
    r"^(?:的?后遗症|走的|没的|去世|过世|死的|离世|(?:后|以后)?(?:人)?就?没了的)"
)
OVER = re.compile(
    r"\b(?:fully|completely|totally|long|well) (?:over it|recovered)\b|\b(?:is|am|are|'s|'m|she's|"
    r"he's) (?:thriving|fully better)\b|\b(?:took|got|pulled|fished) the (?:fish ?bone|"
    r"bone|battery|coin|bead|magnet|splinter|button|pea) out\b|"
    r"(?:鱼刺|骨头|刺|电池|硬币|异物|珠子|磁铁|花生)[^,。]{0,4}(?:取|夹|拿)出来?了|"
    r"抢救过来了|救回来了|(?:已经|早就|早已)(?:治好|痊愈|康复)"
)
AGAIN = re.compile(r"\bbut\b|\bagain\b|\bworse\b|\bc[ao]me back\b|但|可是|又(?!怎)|再次|这次")
# Who learns or teaches asks for everybody.
LEARNS = re.compile(
    r"\b(?:nursing|medical|midwifery|paramedic) student\b|\bstudent (?:nurse|midwife|paramedic)\b"
    r"|做宣传栏|出黑板报|做手抄报|写科普|(?:护理|医学|临床|药学)(?:专业)?(?:的)?(?:学生|专业)|"
    r"医学生|护士资格|科普一下|讲课用"
)
ASKS = re.compile(r"\b(?:what|which|how|why)\b|什么|哪些?|怎么|如何|多少|要不要|一下")
# A part or a function that is well: "arms and legs are fine", 喘气也没事.
WELL_AFTER = re.compile(
    r"^(?:\s+(?:itself|though|and \w+))?\s*(?:'s|is|are|was|were|seems?|feels?|looks?)\s+"
    r"(?:all |completely|perfectly|absolutely|quite|totally|still|otherwise)?\s*"
    r"(?:fine|normal|ok|okay|alright|all right|unaffected)\b"
    r"(?!\s*(?:when|if|until|unless|while|as long|at rest|apart|except|otherwise|\?))"
    r"|^(?:气|话|觉|路|东西|饭|奶|水|血|脚)?(?:也|都|还|倒|就|现在|今天|挺|很|一切|算|是)*"
    r"(?:没事(?!吧|吗|么|的时候)|正常(?!吗|么|的时候|范围|值)|挺好|都好|没问题|不错|很好|好着|"
    r"如常|还好(?!几|多)|无异常|没变化|没有?异常|有劲|有力(?!气)|灵活)(?!吗|么|吧|的?时候|之后又)"
)
ANSWERED_NO = re.compile(
    r"\s*(?:[:?]|\s-)\s*(?:no|none|nope|nil|never|negative|没有|无|否|没)(?=\s*(?:[,.;。;!\n]|$))"
)


# What may stand between two cues that undo each other: 不是没有, 不能说没有, "not without".
UNDOING = re.compile(r"\s*(?:能说|可能|会|敢说|是|说|entirely|exactly|quite|really|have)?\s*")


NO_QUALITY = re.compile(
    r"(?:\bnot|n't|\bnever|\bnothing)\s+(?:(?:the|a|an|so|very|really|that|too|particularly|all|"
    r"it's|come on|been|my)\s+)*$"
    r"|(?:不是|不算|没有|没那么|没|不)(?:很|太|特别|那么|怎么|算|觉得|那种)*$"
)

"""Everyday expressions that hold a body word or a sensation and mean neither: "came back", 石头.

What the lexicon hits inside one of them is not believed.
"""

from __future__ import annotations

_ENGLISH = """
    came back; come back; comes back; coming back; go back; went back; back to; back from;
    back again; get back; got back; call back; side effect; side effects; on the other hand;
    head to; heading to; back of; face to face; second hand; hand over; in hand; blood test;
    blood tests; blood pressure; blood sugar; blood work; blood type; heart rate; hot weather;
    hot water; cold water; hot drink; hot shower; cold drink; at the back; back then;
    back home; by heart; heart goes out; hot dog; left hand side; right hand side;
    on the left hand; cold sore; cold sores; red flag; red meat; bathroom break; high school;
    cross legged; on my mind; from the back; years back; back up; put off; day off; off work;
    red wine; red eye flight; light headed; eye contact; first hand; hands on; tap water;
    drinking water; water bottle; urine test; urine tests; urine sample; blood sample;
    blood and urine test; urine and blood test; short of breath; shortness of breath;
    out of breath; heart disease; heart attack; heart failure; chest x ray; hay fever;
    yellow fever; dengue fever; glandular fever; scarlet fever; rheumatic fever;
    can't breathe through nose; hard to breathe through nose; breathe through mouth;
    can't breathe for laughing; can't breathe from laughing; laughing so hard;
    acid reflux; stomach acid; acid indigestion; uric acid; folic acid; amino acid;
    hyaluronic acid; salicylic acid; lactic acid; acid comes up; acid in my mouth;
    nearly had a heart attack; almost had a heart attack; gave me a heart attack;
    give me a heart attack; had me dying; gave me a stroke; dying to know; dying to see;
    dying to get; dying for a;
    crown came loose; loose crown; crown is loose; dental crown; my crown; new crown; crown broke;
    cold weather; brain zaps;
    died laughing; bleeding money; skipped a beat; drives me crazy; baby shower; flu shot;
    shot of; stroke of; heat stroke; breast stroke; stabbed me in the back; stab in the back;
    shot to pieces; fit of giggles; fit of laughter; fit of sneezing; fit of coughing; fit of rage;
    threw a fit; throw a fit; throwing a fit; having a fit about; fit as a fiddle; keep fit;
    get fit;
    fit and well; fit and healthy; convulsed with laughter; lost sight of; hair dye; liquid dye;
    choked when he told; nearly choked when; choked on the price; choked up; swallowed the cost;
    stab of; overdosed on chocolate; overdosed on sugar; overdosed on cake; floppy hat; floppy hair;
    floppy sunhat; floppy disk; collapsed lung; exploding with; lost a crown; crown fell off;
    crown came off; right as rain; felt a bit faint; drug fit; medicine fit; wake up before;
    swollen glands; glands are swollen; plaster came off; cast came off; took them off;
    coil was fitted; pacemaker was fitted; stent was fitted; brace was fitted; crown was fitted;
    denture was fitted; hearing aid was fitted; implant was fitted; kitchen was fitted;
    fine at rest; ok at rest; fine when I rest;
    wake up early; wake up in time; wake up on time
"""
_CHINESE = """
    石头 木头 馒头 念头 罐头 老头 里头 前头 后头 外头 镜头 码头 街头 年头 零头 头孢 骨头汤
    奶奶 牛奶 恶心 放心 担心 小心 开心 中心 点心 核心 用心 耐心 信心 细心 心情 心理 心里想
    关心 伤心 心烦 心意 手术 手机 洗手 手续 手足口 助手 对手 动手 手段 手工 分手 眼镜 亲眼
    眼看 牙膏 牙刷 耳机 高血压 低血压 血压 血糖 血管 血液 血常规 验血 抽血 血脂 血型 血检 查血
    退烧 发烧 烧水 烧烤 烧饭 高烧 低烧 发高烧 热水 热门 天气 空气 生气 气温 脾气 力气 客气
    运气 气候 天气热 热天 尿布 尿不湿 尿酸 糖尿病 纸尿裤 方便 随便 便宜 顺便 即便 好转 转院
    转科 转氨酶 看医生 看病 看看 看到 看起来 看过 看了 看来 查看 看大夫 看急诊 红包 红糖
    西红柿 红枣 黑龙江 明白 白天 白细胞 白带 白内障 白癜风 白血病 很快 快要 赶快 快递 凉快
    快乐 尽快 多少 多久 差不多 很多天 多大 好多了 多喝水 少年 至少 多少钱 药店 水果 薪水 胶水
    口水 药膏 背景 背包 皮包 面包 包括 钱包 包子 书包 腿部 足够 满足 不足 面前 面对 后面 前面
    上面 里面 下面条 冷静 冰冷 麻烦 麻醉 麻疹 麻将 紧张 要紧 赶紧 不要紧 紧急 闷热 软件 伤风
    破费 木耳 红肿 水肿 重要 重新 体重 伤害 悲伤 烂醉 痛苦 痛快 心疼钱 刺激 打扰 压力 压岁
    高压 低压 说明 说实话 心说 说不清楚 吐泡泡 吐泡 泡泡 冒泡 气泡 泡沫 泡脚 泡澡 泡水 浸泡
    灯泡 气出心脏病 吓出心脏病 差点心梗 差点心脏病 气晕 急死 忙得要死 困死 冷死 渴死 馋死 烦死
    吓死 想死你 想死我 笑死 气死 累死 热死 饿死 像压 压了块 压得慌 压迫 压榨 压着块 石头压
    麻辣 大便潜血 潜血 别处没反应 不良反应 过敏反应 没反应过来 能压住 压得住 药吃完了
    诊断 判断 断奶 断断续续 中断 打断 断药 抗病毒药 动不动就 密密麻麻 上火 火锅
    忙到吐血 累到吐血 气到吐血 坑到吐血 忙得吐血 累得吐血 气得吐血 贵到吐血 加班到吐血 困死了
    捅了一刀似的 跑断了 跑断腿 腿都跑断 累断腿 噎得说不出话 噎死我 心电图 口吐鲜血 吓得心脏病
    鼻屎 耳屎 眼屎 黑颗粒 小黑颗粒 黑点 盗汗 毛玻璃 眼前一亮 心脏病都要犯 心脏病都快犯
    心脏病都犯 快气出
    第一磨牙 第二磨牙 第三磨牙 第1磨牙 第2磨牙 前磨牙 乳磨牙 恒磨牙 刷牙出血
    避孕药 人流感 针眼大 针眼大小 针尖大 拳头大 指头大
    干呕 滤泡 肉条 肺水肿 脑水肿 骨髓水肿
    呼吸困难 呼吸急促 吐槽 呼吁 气管 气管炎 支气管 胃口 口味 门口 伤口 路口 人口 借口
"""

# Salts and acids in the names of medicines: 盐酸氨溴索 is no acid that somebody swallowed.
_SALTS = "盐酸 硫酸 硝酸 磷酸"
_MEDICINES = (
    "氨 西 左 特 沙 丙 伊 二 雷 曲 利 普 锌 亚 镁 庆 地 多 洛 舍 帕 氟 文 美 吡 环 莫 哌 昂 克 "
    "坦 布 赛 阿 奥 羟 可 异 硝 苯 倍 维 贝 川 铝 钾 钠"
)

BLOCKED: tuple[str, ...] = (
    *(" ".join(phrase.split()) for phrase in _ENGLISH.split(";")),
    *_CHINESE.split(),
    *(salt + first for salt in _SALTS.split() for first in _MEDICINES.split()),
)

"""English words for the correction of typing: those that are right as they stand, and those
that are written as they are heard."""

from __future__ import annotations

# Everyday words that lie near a medical one.
EVERYDAY = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january",
    "february", "march", "april", "june", "july", "august", "september", "october", "november",
    "december", "wedding", "welding",
    "always", "another", "anything", "around", "beast", "beaver", "because", "before", "behind",
    "belief", "believe", "bell", "bellies", "below", "belt", "berry", "between", "billy", "black",
    "blame", "bleak", "bled", "bleep", "blend", "block", "blond", "bloom", "blow", "blown",
    "board", "bold", "bother", "brand", "breach", "bread", "bream", "breast", "breed", "broad",
    "brood", "brother", "bully", "buying", "calling", "chalk", "chance", "change", "charge",
    "chart", "chase", "cheat", "check", "cheek", "cheer", "cheese", "chef", "chess", "chew",
    "chicken", "choir", "choose", "chore", "chose", "clock", "coast", "coke", "coming", "crest",
    "doctor", "dummy", "during", "earth", "either", "else", "evening", "ever", "everything",
    "fainter", "farther", "fast", "fatal", "fated", "father", "favor", "favour", "feast",
    "feather", "feint", "fewer", "first", "fished", "fist", "flavor", "flint", "flood", "forever",
    "friend", "future", "getting", "ground", "having", "healthy", "hear", "heard", "hearing",
    "hears", "hearty", "heat", "heater", "heating", "hopeful", "hoping", "kicking", "kitchen",
    "leader", "leaving", "letting", "level", "lever", "listen", "little", "looking", "making",
    "matter", "maybe", "minute", "missing", "mission", "moment", "months", "morning", "mother",
    "mummy", "never", "nothing", "number", "office", "omit", "others", "painted", "passed",
    "passing", "pasted", "paying", "people", "person", "picking", "playing", "please", "plum",
    "posted", "pretty", "pules", "pulls", "purse", "rather", "really", "reason", "relief",
    "resting", "river", "saying", "school", "seat", "second", "seize", "sheet", "should",
    "showing", "sister", "sized", "something", "staying", "stoke", "stone", "store", "streak",
    "strict", "strike", "string", "stroked", "strokes", "stroll", "strong", "struck", "sudden",
    "summer", "swear", "sweat", "sweep", "sweet", "taint", "taking", "talking", "tested", "there",
    "things", "thinking", "though", "thought", "threat", "three", "throne", "through", "throw",
    "ticking", "together", "tommy", "tonight", "toward", "travel", "treat", "trying", "tummies",
    "waiting", "wanting", "washed", "weather", "weekend", "whether", "winter", "wished", "within",
    "without", "wonder", "working", "wreath", "yesterday", "yummy",
})  # fmt: skip
# Words that are written as they are heard, or by voice input.
HEARD = {
    "breth": "breath", "brethe": "breathe", "breeth": "breathe", "brething": "breathing",
    "breathin": "breathing", "beathing": "breathing", "seizer": "seizure", "movd": "moved", "wks":
    "weeks", "nite": "night", "lite": "light", "stif": "stiff", "wekk": "week", "hed": "head",
    "hedd": "head", "nek": "neck", "leggs": "legs", "bludd": "blood", "dyin": "dying", "hav":
    "have", "seizers": "seizures", "seezure": "seizure", "siezure": "seizure", "sezure": "seizure",
    "ceasure": "seizure", "numness": "numbness", "nummness": "numbness", "throte": "throat",
    "throt": "throat", "thoat": "throat", "stomack": "stomach", "stumach": "stomach", "testical":
    "testicle", "testicals": "testicles", "stroak": "stroke", "tounge": "tongue", "tung": "tongue",
    "toung": "tongue", "weezing": "wheezing", "wheesing": "wheezing", "feinted": "fainted",
    "fanted": "fainted", "pased": "passed", "bleedin": "bleeding", "bleading": "bleeding",
    "bleding": "bleeding", "blud": "blood", "blod": "blood", "hart": "heart", "hert": "hurt",
    "cheast": "chest", "chset": "chest", "ches": "chest", "chast": "chest", "pregnet": "pregnant",
    "sweling": "swelling", "swolen": "swollen", "swollin": "swollen", "vommit": "vomit", "vomting":
    "vomiting", "vommiting": "vomiting", "alergic": "allergic", "allergik": "allergic", "alergy":
    "allergy", "suiside": "suicide", "sucide": "suicide", "suicde": "suicide", "suicidle":
    "suicidal", "poisend": "poisoned", "poisned": "poisoned", "overdoze": "overdose",
    "parasetamol": "paracetamol", "paracetemol": "paracetamol", "parcetamol": "paracetamol",
    "ibuprofin": "ibuprofen", "asprin": "aspirin", "unconcious": "unconscious", "unconsious":
    "unconscious", "unconcsious": "unconscious", "uncontious": "unconscious", "diarea": "diarrhea",
    "newmonia": "pneumonia", "asma": "asthma", "azma": "asthma", "asthama": "asthma", "inhailer":
    "inhaler", "babys": "baby's", "vison": "vision", "paralized": "paralyzed", "parralysed":
    "paralysed", "fitts": "fits", "convulshun": "convulsion", "coffing": "coughing", "coffed":
    "coughed", "anafylaxis": "anaphylaxis", "anaphalaxis": "anaphylaxis", "anaphylaxsis":
    "anaphylaxis", "miscarige": "miscarriage", "umbillical": "umbilical", "dizy": "dizzy", "dizzi":
    "dizzy", "purpel": "purple", "swet": "sweat", "swetting": "sweating", "sweting": "sweating",
    "cluthing": "clutching", "collasped": "collapsed", "colapsed": "collapsed", "collapsd":
    "collapsed", "ambulence": "ambulance", "stabed": "stabbed", "chocking": "choking", "chokin":
    "choking", "choaking": "choking", "swallered": "swallowed", "swalowed": "swallowed", "batery":
    "battery", "bleech": "bleach", "wont": "won't", "dosent": "doesn't", "dosnt": "doesn't",
    "doesent": "doesn't", "cnt": "can't", "carnt": "can't", "cudnt": "couldn't",
}  # fmt: skip

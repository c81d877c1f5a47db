"""English words that are written as they are heard, and what is meant."""

from __future__ import annotations

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

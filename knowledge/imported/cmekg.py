"""Reads CMeKG, a Chinese medical knowledge graph, as the package PyCMeKG carries it.

The package is an archive to us, never code: its one data file is a pickle of a mapping
`subject -> {predicate: [values]}`, and it is read by an unpickler that makes plain data and
refuses everything else, so that nothing in the file can run.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from knowledge.imported.rows import Origin, Row, SourceFault, Symptom

CMEKG = Origin(
    key="cmekg",
    title="CMeKG, Chinese medical knowledge graph (PyCMeKG)",
    url="https://github.com/king-yyf/PyCMeKG",
    en="a public Chinese medical knowledge graph",
    zh="公开的中文医学知识图谱",
)

_MAIN = ("常见症状", "临床症状及体征", "诊断依据_临床表现", "诊断依据_症状")
_BESIDE = ("相关症状", "诊断依据_体征", "侵及周围组织转移的症状")
_DEPARTMENTS = ("就诊科室", "所属科室")
_NAMES = ("别称", "又称", "同义词")
_ENGLISH = ("英文名称", "英文别名", "英文别称")
_PLACES = ("常见发病部位", "发病部位")
_PEOPLE = ("多发群体", "发病性别倾向")
_ICD10 = re.compile(r"([A-Z][0-9][0-9A-Z])(?:\.([0-9A-Z]{1,4}))?")
_APART = re.compile(r"[；;、，,/]|或者")
_LATIN = re.compile(r"[A-Za-z]")
_LONGEST_NAME = 40


class _PlainData(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise SourceFault(
            f"it asks for {module}.{name}; it should hold plain data and nothing else"
        )

    def persistent_load(self, pid: Any) -> NoReturn:
        raise SourceFault("it refers to something outside of itself")


def load(path: Path) -> dict[str, dict[str, list[str]]]:
    """The graph in a file.

    Raises:
        SourceFault: the file holds anything but the plain data that it should.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = _PlainData(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError,
            IndexError, KeyError, UnicodeDecodeError, MemoryError) as error:  # fmt: skip
        raise SourceFault(f"{path.name} is not the graph: {type(error).__name__}") from error
    if not isinstance(data, dict):
        raise SourceFault(f"{path.name} is not the graph: it holds a {type(data).__name__}")
    return {
        subject: {
            predicate: [value for value in values if isinstance(value, str)]
            for predicate, values in about.items()
            if isinstance(predicate, str) and isinstance(values, list | tuple | set)
        }
        for subject, about in data.items()
        if isinstance(subject, str) and isinstance(about, dict)
    }


def rows(path: Path) -> Iterator[Row]:
    """Every subject of the graph that may be a disease: it has symptoms or a department."""
    for subject, about in load(path).items():
        if any(about.get(key) for key in (*_MAIN, *_DEPARTMENTS)):
            yield _row(subject.strip(), about)


def _row(subject: str, about: Mapping[str, list[str]]) -> Row:
    def values(keys: Iterable[str]) -> list[str]:
        return [value.strip() for key in keys for value in about.get(key, ()) if value.strip()]

    own = [name for value in values(_NAMES) for name in _APART.split(value)]
    english = [value.strip(' "') for value in values(_ENGLISH) if _LATIN.search(value)]
    main = dict.fromkeys(values(_MAIN))
    beside = dict.fromkeys(word for word in values(_BESIDE) if word not in main)
    return Row(
        id=f"cmekg_{hashlib.sha256(subject.encode()).hexdigest()[:12]}",
        language="zh",
        zh=tuple(dict.fromkeys([subject, *filter(_is_name, own)])),
        en=tuple(dict.fromkeys(filter(_is_name, english))),
        icd10=_icd10(values(["ICD10"])),
        departments=tuple(values(_DEPARTMENTS)),
        symptoms=(
            *(Symptom(word) for word in main),
            *(Symptom(word, main=False) for word in beside),
        ),
        places=tuple(values(_PLACES)),
        people=tuple(values(_PEOPLE)),
        kinds=tuple(value.strip('"') for value in values(["上位关系"])),
        told=sum(1 for listed in about.values() if listed),
    )


def _is_name(text: str) -> bool:
    return 1 < len(text.strip()) <= _LONGEST_NAME


def _icd10(values: Iterable[str]) -> str | None:
    for value in values:
        if match := _ICD10.search(value.upper()):
            block, rest = match.groups()
            return f"{block}.{rest}" if rest else block
    return None

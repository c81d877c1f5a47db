"""Whole consultations, from first words to advice, through a running server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge import clinical
from knowledge.clinical import ClinicalKnowledge
from model import base
from tests.consultations.runner import Consultation, Server, conduct, faults, load

CASES = load()


def ids(case: Consultation) -> str:
    return case.id


@pytest.fixture(scope="session")
def knowledge() -> ClinicalKnowledge:
    return clinical.load()


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a model and without embeddings."""
    home = tmp_path_factory.mktemp("plain")
    server = Server(home, {"HUATUO_MODEL": "none", "HUATUO_EMBEDDINGS": "false"})
    yield server
    server.stop()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default model and the embedder."""
    home = Path(os.environ.get("HUATUO_HOME") or base.default_home())
    for artefact in (base.QWEN, base.E5):
        try:
            base.require(artefact, home)
        except base.WeightsError as error:
            pytest.fail(f"{error} (`huatuo model fetch` fetches what is missing)")
    folder = tmp_path_factory.mktemp("whole")
    settings = {"HUATUO_HOME": str(home), "HUATUO_MODEL": "llamacpp", "HUATUO_EMBEDDINGS": "true"}
    server = Server(folder, settings)
    yield server
    server.stop()


def test_the_data_covers_what_it_should() -> None:
    assert len(CASES) >= 30
    for language in ("zh", "en"):
        own = [case for case in CASES if case.language == language]
        assert len(own) >= 15
        assert sum(case.emergency for case in own) >= len(own) // 2
    assert len([case for case in CASES if case.weights]) >= 5


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_consultation(plain: Server, knowledge: ClinicalKnowledge, case: Consultation) -> None:
    with plain.client() as client:
        outcome = conduct(client, case)
    wrong = faults(case, outcome, knowledge)
    assert not wrong, "\n".join([*wrong, outcome.told()])


@pytest.mark.weights
@pytest.mark.xdist_group("e5")  # one server with the model is enough
@pytest.mark.parametrize("case", [case for case in CASES if case.weights], ids=ids)
def test_consultation_with_the_model(
    whole: Server, knowledge: ClinicalKnowledge, case: Consultation
) -> None:
    with whole.client() as client:
        outcome = conduct(client, case)
    wrong = faults(case, outcome, knowledge)
    assert not wrong, "\n".join([*wrong, outcome.told()])

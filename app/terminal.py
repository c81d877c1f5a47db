"""A consultation in the terminal: the conversation on standard output, all else on standard
error."""

from __future__ import annotations

import asyncio
import secrets
import sys
from io import TextIOWrapper
from typing import Any, TextIO

from agent.ports import Language
from agent.wording import texts
from api.schemas import MOST_CHARACTERS
from api.service import ConsultationService, TurnFailed
from records.errors import RecordsError

OWNER = "terminal"
"""Whose consultations those of the terminal are."""
PATIENCE = 60
"""Seconds to wait for the answer to what was said before a crash."""

_GREETING = {
    "en": "Tell me what troubles you, in English or Chinese. An empty line or Ctrl-D ends.",
    "zh": "请告诉我您哪里不舒服（中文或英文都可以）。输入空行或按 Ctrl-D 结束。",
}
_TOO_LONG = {
    "en": "That is longer than I can take in at once; please say it in fewer words.",
    "zh": "内容太长了，请分几次、简短地告诉我。",
}


async def converse(
    service: ConsultationService,
    *,
    language: Language | None,
    patient: dict[str, Any],
    resume: str | None,
    source: TextIO | None = None,
    sink: TextIO | None = None,
    notes: TextIO | None = None,
) -> int:
    """Hold a consultation; returns the exit status. A source that is no terminal is read line by
    line, and every reply is printed whole. The streams are the standard ones unless given."""
    source, sink, notes = source or sys.stdin, sink or sys.stdout, notes or sys.stderr
    human = source.isatty()
    if isinstance(source, TextIOWrapper):
        source.reconfigure(encoding="utf-8", errors="replace")
    if resume:
        consultation = await service.get(resume, owner=OWNER)
        await _catch_up(service, consultation.id, sink, notes, human=human)
    else:
        consultation = await service.open(owner=OWNER, language=language, patient=patient)
    print(f"consultation {consultation.id}", file=notes, flush=True)
    tongue: Language = language or "zh"
    if human:
        print(_GREETING["en"], _GREETING["zh"], sep="\n", file=notes, flush=True)
    failed = 0
    while True:
        if human:
            print("\n> ", end="", file=notes, flush=True)
        line = await asyncio.to_thread(source.readline)
        words = "".join(c for c in line if c.isprintable() or c.isspace()).strip()
        if not line or (human and not words):
            break
        if not words:
            continue
        if len(words) > MOST_CHARACTERS:
            print(_TOO_LONG[tongue], file=sink, flush=True)
            continue
        try:
            turn = await service.take_turn(
                consultation.id, words, key=secrets.token_urlsafe(12), owner=OWNER
            )
            async for _, piece in turn.pieces():
                print(piece, end="", file=sink, flush=True)
            result = await turn.answer()
        except TurnFailed as error:
            failed = 1
            print(error.message, file=sink, flush=True)
            continue
        except RecordsError as error:
            print(f"{error.message} ({error.code})", file=notes, flush=True)
            print(texts.SORRY[tongue], file=sink, flush=True)
            failed = 1
            break
        print("\n", file=sink, flush=True)
        tongue = result["language"]
        if result["stage"] == "closed":
            break
    print(f"to go on later: huatuo consult --resume {consultation.id}", file=notes, flush=True)
    return failed


async def _catch_up(
    service: ConsultationService, id: str, sink: TextIO, notes: TextIO, *, human: bool
) -> None:
    """Show what was said last. Where a process was killed before it had answered, the sweeper
    takes the message up again, and this waits for the answer."""
    unanswered = await service.answering(id)
    if unanswered:
        print("your last message is still being answered ...", file=notes, flush=True)
    for _ in range(2 * PATIENCE):
        if not await service.answering(id):
            break
        await asyncio.sleep(0.5)
    said = await service.transcript(id, owner=OWNER)
    if said and said[-1].role == "service" and (unanswered or human):
        print(said[-1].text, "\n", file=sink, flush=True)

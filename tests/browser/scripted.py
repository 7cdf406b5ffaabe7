"""An engine that answers some questions as a test wants them, and all others as the toy engine does."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nkqa.engine import Engine, Understood
from nkqa.types import Answer, Ask, Document, Locator, Sentence, Source
from ui_samples import PAYLOADS, abstained, answered, differing

HOSTILE = "hostile"
SLOW_SECONDS = 4.0


def hostile_document() -> Document:
    """A source whose every field and sentence tries to become markup."""
    bad = " ".join(PAYLOADS)
    source = Source(
        HOSTILE, PAYLOADS[0], bad, (bad,), bad, bad, "2011-05-01", "https://x.example/" + PAYLOADS[4], "en",
        "newsroom", "page", bad,
    )  # fmt: skip
    sentences, text = [], ""
    for number, payload in enumerate(PAYLOADS):
        start = len(text)
        text += payload + " on 2 May 2011 in Oldmill. "
        end = len(text) - 1
        sentences.append(
            Sentence(start, end, payload, number, Locator("page", payload, "javascript:window.pwned=1"))
        )
    return Document(HOSTILE, source, text, tuple(sentences))


class Scripted:
    """Wraps an engine; a word in the question picks what happens."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.asked: list[Ask] = []
        self.documents = {**engine.documents, HOSTILE: hostile_document()}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.engine, name)

    def document(self, id: str) -> Document:
        """Return a document, the hostile one too."""
        return self.documents[id] if id == HOSTILE else self.engine.document(id)

    def stream(self, ask: Ask) -> Iterator[object]:
        """Answer as the question's first word says."""
        self.asked.append(ask)
        word = ask.question.split()[0].lower().rstrip(":")
        if word == "slow":
            question: Any = None
            yield Understood(question)
            time.sleep(SLOW_SECONDS)
        if word == "break":
            raise RuntimeError("a secret of the inside")
        made = self._made(word, ask)
        if made is None:
            plain = [i for i in ask.filters.sources if i != HOSTILE]
            yield from self.engine.stream(replace(ask, filters=replace(ask.filters, sources=tuple(plain))))
        else:
            yield made

    def _made(self, word: str, ask: Ask) -> Answer | None:
        made = {"differ": differing(), "refuse": abstained(), "attack": self._attack(ask)}.get(word)
        if word in ("differ", "refuse") and made is not None:
            return replace(made, question=ask.question, standalone_question=ask.question)
        return made

    def _attack(self, ask: Ask) -> Answer:
        bad = self.documents[HOSTILE]
        base = answered(ask.question, PAYLOADS[0])
        title = bad.source.title
        cited = replace(
            base.citations[0], document=HOSTILE, quote=title, start=0, end=40,
            source=replace(base.citations[0].source, id=HOSTILE, title=title, publisher=title, URL="javascript:1"),
            locator=bad.sentences[0].locator,
        )  # fmt: skip
        return replace(base, citations=(cited,), suggestions=PAYLOADS, standalone_question=title)

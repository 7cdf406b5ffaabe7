"""Questions with their evidence, labelled for the judge: the gold's, written ones, and SQuAD's on articles held out."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nkqa.build import build_from_documents
from nkqa.engine import Engine, open_engine
from nkqa.errors import CorpusError
from nkqa.evidence import Evidence
from nkqa.foreseen import Foreseen, load_questions
from nkqa.formats import document_from_paragraphs
from nkqa.judge import Features
from nkqa.settings import Settings
from nkqa.training.data import HELD_OUT, Article, Asked, read_squad
from nkqa.training.prepare import SQUAD
from nkqa.types import Ask, Locator, Turn

NEAR_SECONDS = 15
_LOOKED_AT = 60
"""Sentences of SQuAD's that are kept a question, best first: the others never answer."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question with its evidence: `labels` are 1 right, 0 wrong, -1 not judged, in the same order.

    `group` ties together what must not be learnt from and measured on at once. `type` is the gold's; for a written
    one its verdict; for SQuAD right, unanswerable, or removed where the answer's paragraph was taken out.
    """

    group: str
    type: str
    answerable: bool
    evidence: Sequence[Evidence]
    labels: Sequence[int]
    whole: Features
    refused: bool = False


def label(gold: Mapping[str, Any], source: str, text: str, place: Locator) -> int:
    """Return 1 where a sentence answers a gold question, 0 where not, -1 where it may."""
    matches = any(re.search(r, text, re.IGNORECASE) for nugget in gold["nuggets"] for r in nugget)
    if not gold["answerable"] or source not in gold["sources"] or not matches:
        return 0
    return 1 if any(_same_place(w, source, place) for w in gold["locators"]) else -1


def _same_place(wanted: Mapping[str, Any], source: str, place: Locator) -> bool:
    if wanted["source"] != source:
        return False
    if wanted.get("second") is not None and place.second is not None:
        return abs(int(wanted["second"]) - place.second) <= NEAR_SECONDS
    if wanted.get("paragraph") is not None and place.paragraph is not None:
        return int(wanted["paragraph"]) == place.paragraph
    if wanted.get("page") is not None and place.page is not None:
        return abs(int(wanted["page"]) - place.page) <= 1
    return True


def from_gold(engine: Engine, golds: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Ask every gold question and keep the features of its sentences with their labels."""
    rows = []
    for gold in golds:
        history = tuple(Turn(t["role"], t["content"]) for t in gold["history"])
        weighed = engine.evidence(Ask(gold["question"], history))
        labels = []
        for item in weighed.evidence:
            place = engine.documents[item.claim.document_id].sentences[item.claim.index].locator
            labels.append(label(gold, item.claim.document_id, item.claim.text, place))
        refused = weighed.question.refusal is not None
        rows.append(
            Judged(
                gold["fact"],
                gold["type"],
                gold["answerable"],
                weighed.evidence,
                labels,
                weighed.whole,
                refused,
            )
        )
    return rows


def load_written(engine: Engine, file: str) -> tuple[Foreseen, ...]:
    """Return the questions of a file beside this one, in the form of the corpus's `questions.tsv`.

    They are on the same sentences and are not among the foreseen ones, so that nothing was learnt from them before.

    Raises:
        CorpusError: a line is not what it should be, or names a sentence that was edited since.
    """
    found = load_questions(Path(__file__).parent / file, engine.documents.values())
    if found.outdated:
        raise CorpusError(f"{file}:{found.outdated[0]}: names a sentence that the corpus does not have")
    return found.all


def from_written(engine: Engine, written: Sequence[Foreseen]) -> list[Judged]:
    """Ask every written question; right are the sentences that it names, where they answer it."""
    rows = []
    for question in written:
        weighed = engine.evidence(Ask(question.text))
        answerable = question.verdict == "answered"
        labels = [
            int(answerable and (e.claim.document_id, e.claim.index) in question.places)
            for e in weighed.evidence
        ]
        group, refused = str(question.places[0]), weighed.question.refusal is not None
        rows.append(
            Judged(group, question.verdict, answerable, weighed.evidence, labels, weighed.whole, refused)
        )
    return rows


def from_squad(data: Path, settings: Settings, most: int) -> list[Judged]:
    """Ask up to `most` answerable questions on the held-out articles, whole and with the answer's paragraph out.

    Every paragraph is a document of an index of its own, as in `nkqa eval --squad`; the near-misses that SQuAD 2.0
    has on these articles are asked all. `data` is the folder with the files of `nkqa.training.prepare`.
    """
    articles = [a for name in SQUAD for a in read_squad(data / name) if a.title in HELD_OUT]
    documents = [
        document_from_paragraphs(_name(article, number), article.title, [" ".join(sentences)])
        for article in articles
        for number, sentences in enumerate(article.paragraphs)
    ]
    asked = [(a, q) for a in articles for q in a.questions]
    answerable = [pair for pair in asked if pair[1].answerable]
    chosen = answerable[:: max(1, len(answerable) // most)] + [p for p in asked if not p[1].answerable]
    with tempfile.TemporaryDirectory(prefix="nkqa-judge-") as folder:
        own = settings.model_copy(update={"index": Path(folder)})
        build_from_documents(documents, own)
        engine = open_engine(own, compare=False)
        try:
            return [row for article, question in chosen for row in _ask(engine, article, question)]
        finally:
            engine.close()


def _name(article: Article, paragraph: int) -> str:
    return f"{re.sub(r'[^a-z]+', '-', article.title.lower()).strip('-')}-{paragraph}"


def _ask(engine: Engine, article: Article, asked: Asked) -> Iterator[Judged]:
    home = _name(article, asked.paragraph)
    kinds = ("right", "removed") if asked.answerable else ("unanswerable",)
    for kind in kinds:
        weighed = engine.evidence(Ask(asked.text), frozenset({home}) if kind == "removed" else frozenset())
        kept = weighed.evidence[:_LOOKED_AT]
        labels = [_answers(engine, item, home, asked) if kind == "right" else 0 for item in kept]
        yield Judged(home, kind, kind == "right", kept, labels, weighed.whole)


def _answers(engine: Engine, item: Evidence, home: str, asked: Asked) -> int:
    """1 for a sentence with the answer in its own paragraph; -1 for the same words elsewhere."""
    holds = any(answer.lower() in item.claim.text.lower() for answer in asked.answers)
    return (1 if item.claim.document_id == home else -1) if holds else 0

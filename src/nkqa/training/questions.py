"""Reads the project's own training questions: `questions.jsonl`, written from the digests' sentences alone.

Each line has the question, `at` (document, position and the first 8 digits of the SHA-256 of each sentence
that answers; empty for a near-miss), `words` (the words of the first of them that answer, if any) and `near`
(for a near-miss the sentences that come nearest). None of them stands in the gold set.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nkqa.corpus import load_corpus
from nkqa.training.data import Article, Asked
from nkqa.types import Document

FILE = Path(__file__).parent / "questions.jsonl"
Place = tuple[int, int]


def mark(text: str) -> str:
    """Return what a sentence is known by beside its position, so that an edited one is noticed."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_questions(file: Path, corpus: Path) -> list[Article]:
    """Return one article a source with its questions; one whose sentence was edited since is left out."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    documents = load_corpus(corpus)
    articles = {d.id: Article(d.id, "gold", _paragraphs(d)) for d in documents}
    places = {(d.id, i): place for d in documents for i, place in enumerate(_places(d))}
    known = {(d.id, i, mark(d.text[s.start : s.end])) for d in documents for i, s in enumerate(d.sentences)}
    for row in rows:
        for document, asked in _asked(row, articles, places, known):
            articles[document].questions.append(asked)
    return list(articles.values())


def _paragraphs(document: Document) -> list[list[str]]:
    paragraphs: list[list[str]] = []
    for sentence, (paragraph, _) in zip(document.sentences, _places(document), strict=True):
        if paragraph == len(paragraphs):
            paragraphs.append([])
        paragraphs[paragraph].append(document.text[sentence.start : sentence.end])
    return paragraphs


def _places(document: Document) -> Iterator[Place]:
    """Yield for each sentence its paragraph, counted from 0, and its place in it."""
    paragraph, place, before = -1, 0, -1
    for sentence in document.sentences:
        if sentence.paragraph != before:
            paragraph, place, before = paragraph + 1, 0, sentence.paragraph
        yield paragraph, place
        place += 1


def _asked(
    row: dict[str, Any],
    articles: dict[str, Article],
    places: dict[tuple[str, int], Place],
    known: set[tuple[str, int, str]],
) -> Iterator[tuple[str, Asked]]:
    answerable = bool(row["at"])
    given: Sequence[tuple[str, int, str]] = [tuple(p) for p in (row["at"] or row["near"])]
    if not all(p in known for p in given):
        return
    right = [articles[d].paragraphs[places[d, i][0]][places[d, i][1]] for d, i, _ in given]
    # No sentence that answers may be drawn as one that does not, so all of them are named as answers.
    answers = tuple(dict.fromkeys([row["words"], *right] if row["words"] else right)) if answerable else ()
    for number, (document, index, _) in enumerate(given):
        paragraph, place = places[document, index]
        start = right[number].find(row["words"]) if row["words"] else -1
        span = (start, start + len(row["words"])) if answerable and start >= 0 else None
        yield document, Asked(row["question"], paragraph, place, span, answers, answerable)

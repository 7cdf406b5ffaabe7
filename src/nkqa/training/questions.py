"""Reads the corpus's foreseen questions as the reader's own training data.

They were written without sight of the gold set; the few that are worded like one of its questions are counted in
`eval/README.md`.
"""

from collections.abc import Iterator
from pathlib import Path

from nkqa.corpus import load_corpus
from nkqa.foreseen import FILE, Foreseen, load_questions
from nkqa.training.data import Article, Asked
from nkqa.types import Document

Place = tuple[int, int]


def read_questions(corpus: Path) -> list[Article]:
    """Return one article a source with its questions; one whose sentence was edited since is left out."""
    documents = load_corpus(corpus)
    articles = {d.id: Article(d.id, "gold", _paragraphs(d)) for d in documents}
    places = {(d.id, i): place for d in documents for i, place in enumerate(_places(d))}
    for question in load_questions(corpus / FILE, documents).all:
        for document, asked in _asked(question, articles, places):
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
    question: Foreseen, articles: dict[str, Article], places: dict[tuple[str, int], Place]
) -> Iterator[tuple[str, Asked]]:
    answerable, words = question.verdict == "answered", question.words
    right = [articles[d].paragraphs[places[d, i][0]][places[d, i][1]] for d, i in question.places]
    # No sentence that answers may be drawn as one that does not, so all of them are named as answers.
    answers = tuple(dict.fromkeys([words, *right] if words else right)) if answerable else ()
    for (document, index), text in zip(question.places, right, strict=True):
        paragraph, place = places[document, index]
        start = text.find(words) if words else -1
        span = (start, start + len(words)) if answerable and start >= 0 else None
        yield document, Asked(question.text, paragraph, place, span, answers, answerable)

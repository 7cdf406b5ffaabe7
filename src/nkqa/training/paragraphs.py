"""Reads paragraphs written for the reader: `paragraphs.jsonl`, each on a subject of its own, with its questions.

Each line has a subject, its sentences, `questions` that one of them answers (text, number of the sentence, words of it)
and `near`: questions that sound as if the paragraph answered them. SQuAD's articles are many paragraphs on a few
subjects; these are a few sentences on many.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from nkqa.training.data import STOPPERS, Article, Asked

FILE = Path(__file__).parent / "paragraphs.jsonl"
_IN_ARTICLE = 25
"""Paragraphs that are put together, so that hard sentences are found beside a question's own paragraph."""


class _Paragraph(BaseModel):
    subject: str
    sentences: list[str]
    questions: list[tuple[str, int, str]]
    near: list[str]


def read_paragraphs(file: Path = FILE) -> list[Article]:
    """Return the paragraphs, some to an article.

    Raises:
        ValueError: a line is not in the format, or an answer does not stand in its sentence.
    """
    lines = file.read_text("utf-8").splitlines()
    written = [_Paragraph.model_validate_json(line) for line in lines]
    articles: list[Article] = []
    for first in range(0, len(written), _IN_ARTICLE):
        lot = written[first : first + _IN_ARTICLE]
        article = Article(f"own-{len(articles)}", "own", [p.sentences for p in lot])
        for number, paragraph in enumerate(lot):
            article.questions += _asked(paragraph, number)
        articles.append(article)
    return articles


def _asked(paragraph: _Paragraph, number: int) -> list[Asked]:
    found = []
    for text, sentence, words in paragraph.questions:
        start = paragraph.sentences[sentence].index(words)
        found.append(Asked(text, number, sentence, (start, start + len(words)), (words,)))
    return found + [
        Asked(text, number, _likest(text, paragraph.sentences), None, (), answerable=False)
        for text in paragraph.near
    ]


def _likest(question: str, sentences: Sequence[str]) -> int:
    """The sentence with most of the question's words, from which a careless reader would answer."""
    asked = set(re.findall(r"\w+", question.lower())) - STOPPERS
    shared = [len(asked & set(re.findall(r"\w+", s.lower()))) for s in sentences]
    return shared.index(max(shared))

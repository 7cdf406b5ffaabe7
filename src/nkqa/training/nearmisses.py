"""Reads near-misses written for SQuAD's paragraphs: `nearmisses.tsv`, questions that look answered and are not.

Each line has the first ten digits of the SHA-256 of a paragraph's sentences joined by blanks, the number of the
sentence that a careless reader would answer from, and the question; tabs between. For the question and sentence
pairs, whose paragraphs are none, the sentence stands for its paragraph. They follow the unanswerable
questions of SQuAD 2.0 (Rajpurkar et al. 2018), of which the data has too few. The paragraphs are not in here.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from nkqa.training.data import Article, Asked

FILE = Path(__file__).parent / "nearmisses.tsv"


def mark(sentences: Sequence[str]) -> str:
    """Return what a paragraph is known by."""
    return hashlib.sha256(" ".join(sentences).encode()).hexdigest()[:10]


def add_near_misses(articles: Sequence[Article], file: Path = FILE) -> int:
    """Add the near-misses to the articles that hold their paragraphs; return how many were added.

    Call it before the hard sentences are sought, which go by the place of a question in its article. One whose
    paragraph is in none of the articles is passed over, so whole articles can be held out.

    Raises:
        ValueError: a line has no three columns, or its number is none.
    """
    places = {known_by: place for article in articles for known_by, place in _places(article)}
    added = 0
    for line in file.read_text("utf-8").splitlines():
        known_by, number, question = line.split("\t")
        article, paragraph, first = places.get(known_by, (None, 0, 0))
        if article is not None:
            article.questions.append(
                Asked(question, paragraph, first + int(number), None, (), answerable=False)
            )
            added += 1
    return added


def _places(article: Article) -> Iterator[tuple[str, tuple[Article, int, int]]]:
    """Yield what each paragraph is known by, with its number and that of its first sentence."""
    for number, sentences in enumerate(article.paragraphs):
        if article.origin != "pairs":
            yield mark(sentences), (article, number, 0)
            continue
        for first, sentence in enumerate(sentences):
            yield mark([sentence]), (article, number, first)

"""Makes training articles of the project's own gold questions and digests: the `dev` half, never `test`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nkqa.corpus import load_corpus
from nkqa.training.data import Article, Asked
from nkqa.types import Document, Locator

SECONDS_NEAR = 30
MOST_PLACES = 4
"""A nugget found in more sentences than this of the places given says too little to learn from."""


def read_gold(gold: Path, corpus: Path, half: int | None = None) -> list[Article]:
    """One article a source: its paragraphs, and every question that it answers or might seem to.

    A sentence is a positive where it matches a nugget and stands where the gold question says; which of its
    words answer is not learnt: a nugget is but a part of them. A question without an answer is unanswerable
    beside the sentences of a source that look likest. Follow-ups are left out: they cannot be read alone.
    With `half` 0 or 1, every other fact only, so that the rest can be measured on. Raises ValueError for any
    file but `dev.jsonl`.
    """
    if gold.name != "dev.jsonl":
        raise ValueError(f"the reader may learn from dev.jsonl only, not from {gold.name}")
    rows = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if not row.get("history")]
    if half is not None:
        facts = {fact: n % 2 for n, fact in enumerate(sorted({row["fact"] for row in rows}))}
        rows = [row for row in rows if facts[row["fact"]] == half]
    articles = []
    for document in load_corpus(corpus):
        article, places = _article(document)
        for row in rows:
            article.questions += _asked(row, article, places)
        articles.append(article)
    return articles


def _article(document: Document) -> tuple[Article, list[list[Locator]]]:
    paragraphs: dict[int, list[str]] = {}
    places: dict[int, list[Locator]] = {}
    for sentence in document.sentences:
        paragraphs.setdefault(sentence.paragraph, []).append(document.text[sentence.start : sentence.end])
        places.setdefault(sentence.paragraph, []).append(sentence.locator)
    return Article(document.id, "gold", list(paragraphs.values())), list(places.values())


def _stands(locator: Locator, wanted: dict[str, Any]) -> bool:
    """Whether a sentence's place is the one that a gold question gives."""
    if wanted.get("second") is not None:
        return locator.second is not None and abs(locator.second - int(wanted["second"])) <= SECONDS_NEAR
    pairs = (
        (wanted.get("page"), locator.page),
        (wanted.get("section"), locator.section),
        (wanted.get("paragraph"), locator.paragraph),
    )
    return all(want is None or str(want) == str(have) for want, have in pairs)


def _asked(row: dict[str, Any], article: Article, places: Sequence[Sequence[Locator]]) -> list[Asked]:
    if not row["answerable"]:
        return _nearest(row["question"], article.paragraphs)
    patterns = [re.compile(f"(?:{'|'.join(nugget)})", re.IGNORECASE) for nugget in row["nuggets"]]
    matches = [_matching(pattern, article.paragraphs) for pattern in patterns]
    # What any nugget matches is no negative, wherever it stands.
    words = (article.paragraphs[p][s][slice(*span)] for lot in matches for p, s, span in lot)
    answers = tuple(dict.fromkeys(words))
    wanted = [locator for locator in row["locators"] if locator["source"] == article.title]
    asked = []
    for lot in matches:
        good = [(p, s, span) for p, s, span in lot if any(_stands(places[p][s], w) for w in wanted)]
        if len(good) <= MOST_PLACES:
            asked += [Asked(row["question"], p, s, None, answers) for p, s, _ in good]
    return asked


def _matching(
    pattern: re.Pattern[str], paragraphs: Sequence[Sequence[str]]
) -> list[tuple[int, int, tuple[int, int]]]:
    found = []
    for number, paragraph in enumerate(paragraphs):
        for place, sentence in enumerate(paragraph):
            match = pattern.search(sentence)
            if match and match.start() < match.end():
                found.append((number, place, match.span()))
    return found


def _nearest(question: str, paragraphs: Sequence[Sequence[str]], most: int = 2) -> list[Asked]:
    """The sentences that share most of the question's longer words, as its plausible and wrong answers."""
    words = set(re.findall(r"\w{4,}", question.lower()))
    ranked = sorted(
        (-len(words & set(re.findall(r"\w{4,}", sentence.lower()))), number, place)
        for number, paragraph in enumerate(paragraphs)
        for place, sentence in enumerate(paragraph)
    )
    return [Asked(question, p, s, None, (), answerable=False) for shared, p, s in ranked[:most] if shared]

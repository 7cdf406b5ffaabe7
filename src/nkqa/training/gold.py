"""Makes training articles of the project's own gold questions and digests: the `dev` half, never `test`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nkqa.training.data import Article, Asked

_PLACE = re.compile(r"\s*\[(?:pp?\.|para\.|fn\.|\d+:)[^\]]*\]\s*$")


def read_gold(gold: Path, corpus: Path) -> list[Article]:
    """One article a source: its paragraphs, and every question that it answers or might seem to.

    A sentence that matches a nugget, in a source that rightly answers, is a positive; where more than three
    sentences do, the pattern says too little, and the question is left out for that source. Questions without
    an answer are unanswerable beside every source; `Maker` takes their windows. Follow-ups are left out: they
    cannot be read alone. Raises ValueError for any file but `dev.jsonl`.
    """
    if gold.name != "dev.jsonl":
        raise ValueError(f"the reader may learn from dev.jsonl only, not from {gold.name}")
    rows = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if not row.get("history")]
    articles = [_article(path) for path in sorted((corpus / "sources").glob("*.md"))]
    for article in articles:
        for row in rows:
            article.questions += _asked(row, article)
    return articles


def _article(path: Path) -> Article:
    _, _, body = path.read_text(encoding="utf-8").removeprefix("---").partition("\n---\n")
    paragraphs: list[list[str]] = []
    for block in re.split(r"\n\s*\n", body):
        lines = [line.strip() for line in block.splitlines() if line.strip() and not line.startswith("#")]
        if lines:
            paragraphs.append([_PLACE.sub("", line) for line in lines])
    return Article(path.stem, "gold", paragraphs)


def _asked(row: dict[str, Any], article: Article) -> list[Asked]:
    if not row["answerable"]:
        return _nearest(row["question"], article.paragraphs)
    if article.title not in row["sources"]:
        return []
    patterns = [re.compile(f"(?:{'|'.join(nugget)})", re.IGNORECASE) for nugget in row["nuggets"]]
    found = [_matching(pattern, article.paragraphs) for pattern in patterns]
    # What any nugget matches is no negative, wherever it stands.
    words = (article.paragraphs[p][s][slice(*span)] for lot in found for p, s, span in lot)
    answers = tuple(dict.fromkeys(words))
    good = [place for lot in found if len(lot) <= 3 for place in lot]
    return [Asked(row["question"], p, s, span, answers) for p, s, span in good]


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

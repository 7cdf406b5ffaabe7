"""What an answer says, as text to look for nuggets in: its sentences without the citation marks."""

import re

from nkqa.types import Answer

EARLY_WORDS = 100
"""An answer is judged by its first hundred words, as a reader would."""

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def answer_text(answer: Answer) -> str:
    """Return the sentences of the answer, one space between them; empty for an abstention."""
    return " ".join(sentence.text for sentence in answer.sentences)


def first_words(text: str, limit: int = EARLY_WORDS) -> str:
    """Return `text` up to its word number `limit`; words are what blanks set apart."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    return text if len(ends) <= limit else text[: ends[limit - 1]]


def figures(text: str) -> frozenset[str]:
    """Return the numbers written in digits, without the separators of thousands."""
    return frozenset(match.group().replace(",", "") for match in _FIGURE.finditer(text))

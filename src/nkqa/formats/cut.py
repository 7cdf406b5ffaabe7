"""Text -> spans of sentences that lose nothing and keep the token budget of a passage."""

import re
from collections.abc import Iterator
from functools import lru_cache

from nkqa.protocols import TokenCounter
from nkqa.text import sentences
from nkqa.tokens import OWN, token_counter
from nkqa.types import Span

BUDGET = 160
"""Most tokens in a sentence: the default of `NKQA_MAX_TOKENS`."""
_CUTS = (re.compile(r"[;:]\s+"), re.compile(r",\s+|\s[–—]\s"), re.compile(r"\s+"))
_PIECE = re.compile(r"\w+|[^\w\s]")
_NEVER_FITS = 24
"""Characters a token at most in anything worth reading: longer text is cut before it is counted."""


@lru_cache(maxsize=1)
def counter() -> TokenCounter:
    """Return the default token counter."""
    return token_counter(OWN)


def fits(text: str, count: TokenCounter, budget: int) -> bool:
    """Whether `text` keeps the budget, in tokens and in single punctuation marks, which some models count."""
    if len(text) * 2 <= budget:
        return True
    if len(text) > budget * _NEVER_FITS:
        return False
    return count(text) <= budget and sum(1 for _ in _PIECE.finditer(text)) <= budget


def _middle(text: str) -> int:
    """Return where to cut a text in two: at the best mark of its middle half, else halfway."""
    half, quarter = len(text) // 2, len(text) // 4
    for pattern in _CUTS:
        ends = [m.end() for m in pattern.finditer(text, quarter, len(text) - quarter)]
        if ends:
            return min(ends, key=lambda end: abs(end - half))
    return max(1, half)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    if piece.strip():
        yield Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def _pieces(text: str, span: Span, count: TokenCounter, budget: int) -> Iterator[Span]:
    """Yield parts of a span that keep the budget; what is over it is cut near its middle, and again."""
    piece = text[span.start : span.end]
    if len(piece) < 2 or fits(piece, count, budget):
        yield span
        return
    at = span.start + _middle(piece)
    for start, end in ((span.start, at), (at, span.end)):
        for part in _trimmed(text, start, end):
            yield from _pieces(text, part, count, budget)


def _all(text: str, language: str) -> Iterator[Span]:
    """Yield the spans of sentences, and of any text between them that the splitter left out."""
    at = 0
    for span in sentences(text, language):
        yield from _trimmed(text, at, max(at, span.start))
        if span.end > at:
            yield from _trimmed(text, max(at, span.start), span.end)
            at = span.end
    yield from _trimmed(text, at, len(text))


def sentence_spans(
    text: str, language: str = "en", count: TokenCounter | None = None, budget: int = BUDGET
) -> list[Span]:
    """Return the sentences of a paragraph in order: all of its text but the white space between them.

    A sentence over the budget is cut at semicolons, colons, commas or spaces, in this order of liking.
    """
    counted = count or counter()
    return [part for span in _all(text, language) for part in _pieces(text, span, counted, budget)]

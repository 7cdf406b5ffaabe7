"""Sentences to windows for the reader: each with its neighbours in the passage, none read twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nkqa.types import Document, Passage, Span, Window

LONGEST = 420
"""Characters in a window: with the question about 110 word pieces, which is what the reader was trained on."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A window and the rows (among all sentences) of its sentences, in order."""

    window: Window
    rows: tuple[int, ...]


def place(
    rows: Sequence[int],
    passages: Mapping[int, Passage],
    documents: Mapping[str, Document],
    first_row: Mapping[str, int],
) -> list[Placed]:
    """Return windows that hold all of `rows`, best rows first, grown by neighbours as far as there is room.

    Args:
        rows: the sentences to be read, the most promising first.
        passages: the passage of each row.
        documents: by id.
        first_row: the row of each document's first sentence.
    """
    taken: set[int] = set()
    windows = []
    for row in rows:
        if row in taken:
            continue
        passage = passages[row]
        document, base = documents[passage.document_id], first_row[passage.document_id]
        low = high = row
        while True:
            grown = [
                (low - 1, high) if low - 1 >= base + passage.first and low - 1 not in taken else None,
                (low, high + 1) if high + 1 <= base + passage.last and high + 1 not in taken else None,
            ]
            # The sentence before first: it names what a pronoun in this one stands for.
            if row - low > high - row:
                grown.reverse()
            fitting = next((g for g in grown if g and _length(document, base, *g) <= LONGEST), None)
            if fitting is None:
                break
            low, high = fitting
        taken.update(range(low, high + 1))
        windows.append(_window(document, base, low, high))
    return windows


def _length(document: Document, base: int, low: int, high: int) -> int:
    return document.sentences[high - base].end - document.sentences[low - base].start


def _window(document: Document, base: int, low: int, high: int) -> Placed:
    sentences = document.sentences[low - base : high - base + 1]
    start = sentences[0].start
    spans = tuple(Span(s.start - start, s.end - start) for s in sentences)
    return Placed(Window(document.text[start : sentences[-1].end], spans), tuple(range(low, high + 1)))

"""BM25 over search terms, in which every spelling of a name is one term."""

from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np

from nkqa.names import Gazetteer
from nkqa.protocols import Vector
from nkqa.synonyms import alike
from nkqa.text import terms

K1, B = 1.2, 0.75
"""Robertson and Zaragoza 2009; passages are short and nearly equal in length, so neither matters much."""
BY_SYNONYM = 0.3
"""What the synonyms of a question's terms count beside the terms themselves."""


def search_terms(text: str, names: Gazetteer) -> list[str]:
    """Return the terms of `text` and, for each name in it, a term that all of its spellings share."""
    return terms(text) + [f"@{mention.entry.id}" for mention in names.find(text)]


class BM25:
    """Scores every passage for the terms of a question (Lucene's variant, Kamphuis et al. 2020)."""

    def __init__(self, engine: bm25s.BM25, size: int) -> None:
        self._engine = engine
        self._size = size

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> "BM25":
        """Index the term lists of the passages, in order; one without any term is allowed."""
        engine = bm25s.BM25(k1=K1, b=B, method="lucene")
        # bm25s cannot index an empty list of terms: a term that no question holds stands in.
        engine.index([list(terms) or ["\0"] for terms in documents], show_progress=False)
        return cls(engine, len(documents))

    def save(self, folder: Path) -> None:
        """Write the index to a new folder."""
        self._engine.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> "BM25":
        """Read the index of `size` passages back."""
        return cls(bm25s.BM25.load(folder, show_progress=False), size)

    def scores(self, query: Sequence[str]) -> Vector:
        """Return shape (passages,): BM25 of each passage, 0 where no term of `query` nor a synonym stands in it."""
        others = dict.fromkeys(other for term in query for other in alike(term))
        return self._scores(query) + BY_SYNONYM * self._scores([o for o in others if o not in query])

    def _scores(self, query: Sequence[str]) -> Vector:
        known = [t for t in dict.fromkeys(query) if t in self._engine.vocab_dict]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._engine.get_scores(known), dtype=np.float32)

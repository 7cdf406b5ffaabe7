"""Tiny real implementations of the sockets: deterministic, without a model."""

import hashlib
from collections.abc import Sequence

import numpy as np

from nkqa.protocols import Vector
from nkqa.text import fold, terms, words
from nkqa.types import Reading, Span, Window


class HashEmbedder:
    """Words hashed into buckets: texts that share words are near each other. Contract: Embedder."""

    name = "hash-256"
    dimension = 256

    def embed_query(self, text: str) -> Vector:
        vector = np.full(self.dimension, 1e-3, dtype=np.float32)
        for term in terms(text):
            bucket = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest()) % self.dimension
            vector[bucket] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        rows = [self.embed_query(t) for t in texts]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)


class ListStore:
    """Exact search over rows in memory. Contract: VectorStore."""

    def __init__(self) -> None:
        self._rows: dict[str, Vector] = {}

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        if len(set(ids)) != len(ids) or self._rows.keys() & set(ids):
            raise ValueError("an id is already there")
        self._rows |= dict(zip(ids, vectors, strict=True))

    def search(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        scored = [(i, float(v @ vector)) for i, v in self._rows.items()]
        return sorted(scored, key=lambda pair: -pair[1])[:k]

    def count(self) -> int:
        return len(self._rows)


class OverlapReader:
    """Scores by shared terms. Contract: Reader."""

    name = "overlap"

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        return [self._read(set(terms(question)), w) for w in windows]

    def _read(self, wanted: set[str], window: Window) -> Reading:
        scores = []
        for span in window.sentences:
            held = set(terms(window.text[span.start : span.end]))
            scores.append(len(wanted & held) / max(1, len(wanted)))
        best = max(range(len(scores)), key=scores.__getitem__)
        first = window.sentences[best]
        fresh = [w for w in words(window.text[first.start : first.end]) if not {fold(w.text)} & wanted]
        answer = Span(first.start + fresh[0].start, first.start + fresh[0].end) if fresh else None
        return Reading(scores[best], tuple(scores), answer, scores[best], scores[best], scores[best])

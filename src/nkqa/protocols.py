"""The sockets: what an embedder, a store, a reader and the others must do, each in one screenful."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nkqa.types import Reading, Window

Vector = npt.NDArray[np.float32]
"""Shape (dimension,) or (n, dimension); rows have length 1."""


class TokenCounter(Protocol):
    """Counts the tokens of a text."""

    def __call__(self, text: str) -> int:
        """Return how many tokens `text` has, 0 for the empty text."""
        ...


class QueryEncoder(Protocol):
    """Turns a question into a vector of the space that the passages lie in."""

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Return a vector of shape (dimension,) and length 1; the same text gives the same vector."""
        ...


class Embedder(QueryEncoder, Protocol):
    """Turns texts into vectors, many at a time."""

    name: str

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """Return shape (len(texts), dimension), rows of length 1, in the order given."""
        ...


class VectorStore(Protocol):
    """Keeps vectors by id and finds the nearest."""

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        """Add vectors under new ids; raises ValueError when an id is already there or lengths differ."""
        ...

    def search(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        """Return at most `k` pairs of id and cosine, best first; fewer where fewer are kept."""
        ...

    def count(self) -> int:
        """Return the number of vectors kept."""
        ...


class Reader(Protocol):
    """Reads a question against windows of text and says which answers, where, and in which words."""

    name: str

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return one reading a window, in the order given; an empty list for no windows."""
        ...

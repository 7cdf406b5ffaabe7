"""Vectors in Chroma, embedded: the only importer of chromadb.

Chroma is asked for ids and distances only. It is never the sole copy, never written while it is served, and
always opened with `embedding_function=None`, since its default would fetch a model.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import chromadb
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from nkqa.errors import IndexDamaged, IndexUnwritable
from nkqa.protocols import Vector

VERSION = chromadb.__version__
_COLLECTION = "passages"
_SPACE: CreateCollectionConfiguration = {
    "hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}
}
_BATCH = 200


class ChromaStore:
    """A folder with one Chroma collection; contract: `nkqa.protocols.VectorStore`."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the collection in `folder`, or make it.

        Raises:
            IndexDamaged: there is no such collection, or Chroma cannot read its files.
            IndexUnwritable: the collection cannot be made.
        """
        self.folder = folder
        settings = ChromaSettings(anonymized_telemetry=False, is_persistent=True)
        try:
            # The factory's type leaves out `close`, which only the class has.
            self._client = cast(Client, chromadb.PersistentClient(path=str(folder), settings=settings))
            if create:
                self._collection = self._client.create_collection(
                    _COLLECTION,
                    configuration=_SPACE,
                    embedding_function=None,
                )
            else:
                self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
        except BaseException as error:
            # Chroma's Rust core panics with an exception that is no Exception on a damaged file.
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            if create:
                raise IndexUnwritable(f"{folder}: Chroma cannot write there ({error})") from error
            raise IndexDamaged(f"{folder}: Chroma cannot open it ({error}); run: nkqa index build") from error

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        """Add vectors of shape (len(ids), dimension) under new ids.

        Raises:
            ValueError: lengths differ, or an id is already there.
            IndexUnwritable: Chroma could not write.
        """
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        if len(set(ids)) != len(ids) or (ids and self._collection.get(ids=list(ids), include=[])["ids"]):
            raise ValueError("an id is already there; Chroma would keep the old vector without a word")
        try:
            for at in range(0, len(ids), _BATCH):
                self._collection.add(ids=list(ids[at : at + _BATCH]), embeddings=vectors[at : at + _BATCH])
        except ChromaError as error:
            raise IndexUnwritable(f"{self.folder}: Chroma cannot write there ({error})") from error

    def search(self, vector: Vector, k: int) -> list[tuple[str, float]]:
        """Return at most `k` pairs of id and cosine, best first."""
        k = min(k, self.count())
        if k < 1:
            return []
        found = self._collection.query(query_embeddings=vector[None], n_results=k, include=["distances"])
        distances = found["distances"]
        assert distances is not None
        return [(id_, 1.0 - float(d)) for id_, d in zip(found["ids"][0], distances[0], strict=True)]

    def count(self) -> int:
        """Return the number of vectors kept."""
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def private_copy(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Copy a Chroma folder to a temporary one, to be opened there.

    Chroma rewrites its files whenever it is opened and queried: the built ones must stay as they were hashed,
    and may lie where nothing can be written.

    Raises:
        IndexUnwritable: there is no room for temporary files.
    """
    try:
        copy = tempfile.TemporaryDirectory(prefix="nkqa-")
    except OSError as error:
        raise IndexUnwritable(f"no temporary folder can be made: {error}; set TMPDIR to one") from error
    try:
        shutil.copytree(folder, copy.name, dirs_exist_ok=True)
    except OSError as error:
        copy.cleanup()
        raise IndexUnwritable(
            f"{folder}: cannot be copied to {copy.name}: {error}; make room there, or set TMPDIR"
        ) from error
    return copy

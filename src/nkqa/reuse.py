"""What a new build takes over from the current one: the vectors of texts that it has too, and what was learnt."""

from pathlib import Path

import numpy as np

from nkqa.embed import sha256_of
from nkqa.errors import NkqaError
from nkqa.index import (
    check_files,
    current_build,
    nkqa_version,
    read_foreseen,
    read_manifest,
    read_names,
    read_texts,
)
from nkqa.protocols import Vector
from nkqa.question import as_searched

_LEARNT_FROM = ("documents.jsonl", "questions.jsonl", "sentences.npy", "questions.npy")
_EMBEDDED = ("passages.jsonl", "names.jsonl", "vectors.npy", *_LEARNT_FROM)


def known_vectors(root: Path, model: str) -> dict[str, Vector]:
    """Return the vectors of the current build by text, if they are whole and of the same model; else none."""
    try:
        folder = current_build(root)
        manifest = read_manifest(folder)
        if manifest.embedding_sha256 != model:
            return {}
        check_files(folder, manifest, _EMBEDDED)
        documents, passages = read_texts(folder)
        names, questions = read_names(folder), read_foreseen(folder)
    except NkqaError:
        return {}  # nothing to reuse: everything is embedded
    known = {
        "vectors.npy": [p.index_text for p in passages],
        "sentences.npy": [d.text[s.start : s.end] for d in documents for s in d.sentences],
        "questions.npy": [as_searched(q.text, names) for q in questions],
    }
    return {t: v for file, texts in known.items() for t, v in zip(texts, np.load(folder / file), strict=True)}


def known_adapter(root: Path, fresh: Path) -> Vector | None:
    """Return the matrix of the current build, if it is whole and was learnt from what lies in the folder `fresh`."""
    try:
        folder = current_build(root)
        manifest = read_manifest(folder)
        check_files(folder, manifest, [*_LEARNT_FROM, "adapter.npy"])
    except NkqaError:
        return None  # nothing to reuse: it is learnt again
    same = all(manifest.files[name] == sha256_of(fresh / name) for name in _LEARNT_FROM)
    return np.load(folder / "adapter.npy") if same and manifest.nkqa_version == nkqa_version() else None

"""Build an index folder: aside, checked by a query in another process, and put in place as one step.

The manifest is written last, and the build that was served before stays until the one after it is in place.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from nkqa import embed, store
from nkqa.corpus import fingerprint, load_corpus
from nkqa.differences import Known, load_differences
from nkqa.errors import FormatError, IndexBusy, IndexDamaged, IndexUnwritable, ModelError, NkqaError
from nkqa.foreseen import FILE, Foreseen, load_questions
from nkqa.index import (
    CURRENT,
    FORMAT,
    MANIFEST,
    current_build,
    encoder_file,
    encoder_note,
    files_in,
    first_rows,
    nkqa_version,
    probe_in_child,
    read_current,
)
from nkqa.lexical import BM25, search_terms
from nkqa.names import Gazetteer, Name, load_names
from nkqa.passages import cut
from nkqa.protocols import Embedder, Vector
from nkqa.question import as_searched
from nkqa.reuse import known_adapter, known_vectors
from nkqa.settings import Settings
from nkqa.tokens import token_counter
from nkqa.types import Document, IndexManifest, Passage

_BATCH = 64
_SAMPLES = 16
MIN_AGREEMENT = 0.95
"""Least cosine between a sentence's vector by the model and by the encoder exported from it."""
Progress = Callable[[str, int, int], None]
"""Told the name of the step, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Material:
    """What an index is built from."""

    documents: tuple[Document, ...]
    names: Gazetteer
    fingerprint: str
    added: tuple[str, ...] = ()
    differences: tuple[Known, ...] = ()
    questions: tuple[Foreseen, ...] = ()
    refused: tuple[str, ...] = ()


def build_index(
    settings: Settings,
    added: Sequence[Path] = (),
    progress: Progress | None = None,
    embedder: Embedder | None = None,
) -> IndexManifest:
    """Build a new index of the corpus and of a person's own documents, check it, and make it the current one.

    Raises:
        IndexBusy: another process is building.
        IndexUnwritable: the folder is full or read-only; the old build stays.
        CorpusError, FormatError, ModelError: what is built from is not as it should be.
        IndexDamaged: the finished build could not be opened and queried; the old one stays.
    """
    with _builder(settings.index):
        return _build(read_material(settings, added), settings, progress or _silent, embedder)


def read_material(settings: Settings, added: Sequence[Path] = ()) -> Material:
    """Read the corpus, its names, and the files or folders `added`.

    A file of `added` that cannot be read is left out and named in `refused`; if none can be, that is an error.
    A path that leads nowhere is not remembered as added.
    """
    documents = load_corpus(settings.corpus)
    files: list[Path] = []
    refused: tuple[str, ...] = ()
    if added:
        from nkqa.formats import read_files

        ingested = read_files(added, taken={d.id for d in documents})
        refused = tuple(f"{r.path}: {r.reason}" for r in ingested.refused)
        if refused and not ingested.documents:
            raise FormatError("; ".join(refused))
        documents += ingested.documents
        files = files_in(added)
    print_ = fingerprint(settings.corpus, files)
    return Material(
        tuple(documents),
        load_names(settings.corpus / "names.yaml"),
        print_,
        tuple(str(p.resolve()) for p in added if os.path.exists(p)),
        load_differences(settings.corpus / "differences.yaml", documents),
        load_questions(settings.corpus / FILE, documents).all,
        refused,
    )


def build_from(
    material: Material,
    settings: Settings,
    progress: Progress | None = None,
    embedder: Embedder | None = None,
) -> IndexManifest:
    """Build from documents in hand; otherwise as `build_index`."""
    with _builder(settings.index):
        return _build(material, settings, progress or _silent, embedder)


def added_before(settings: Settings) -> tuple[Path, ...]:
    """Return the person's own files and folders that the current build was made with, also where it is stale.

    Raises:
        FormatError: one is gone.
    """
    try:
        said = json.loads((current_build(settings.index) / MANIFEST).read_text("utf-8"))
        added = tuple(Path(p) for p in said["added"])
    except (NkqaError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    if gone := [str(p) for p in added if not os.path.exists(p)]:
        raise FormatError(
            f"{', '.join(gone)}: added to the index before and gone now; put it back, "
            "or leave out all that was added before with: nkqa index build --only-corpus"
        )
    return added


def _build(
    material: Material, settings: Settings, progress: Progress, embedder: Embedder | None
) -> IndexManifest:
    root = settings.index
    folder = root / "builds" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    folder.mkdir()
    try:
        manifest = _write(folder, material, settings, progress, embedder)
        probe_in_child(folder)
        manifest = replace(manifest, files=_hashes(folder))
        _sync(folder)
        _write_durably(folder / MANIFEST, json.dumps(asdict(manifest), indent=2))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    previous = _previous(root)
    _write_durably(root / CURRENT, folder.name + "\n")
    _clean(root, keep={folder.name, previous})
    return manifest


def build_from_documents(
    documents: Sequence[Document], settings: Settings, progress: Progress | None = None
) -> IndexManifest:
    """Build from documents that no corpus folder holds, without a gazetteer; `settings.index` says where."""
    digest = hashlib.sha256("".join(d.text for d in documents).encode()).hexdigest()
    return build_from(Material(tuple(documents), Gazetteer(), digest), settings, progress)


def _silent(step: str, done: int, total: int) -> None:
    pass


@contextmanager
def _builder(root: Path) -> Iterator[None]:
    """Be the only builder of an index folder, and clear away what a killed one left."""
    try:
        (root / "builds").mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock", timeout=0):
            _sweep(root)
            yield
    except Timeout as error:
        raise IndexBusy(f"{root}: another process is building an index there; wait for it to end") from error
    except OSError as error:
        raise IndexUnwritable(
            f"{root}: cannot be written: {error}; make room there, or set NKQA_INDEX to another folder"
        ) from error


def _sweep(root: Path) -> None:
    """Remove builds that were never finished, and files that were never renamed."""
    for build in (root / "builds").iterdir():
        if not (build / MANIFEST).is_file():
            shutil.rmtree(build, ignore_errors=True)
    for left in (*root.glob("*.new"), *root.glob("encoders/*.new"), *root.glob("encoders/*.fp32.onnx*")):
        left.unlink(missing_ok=True)


def _write(
    folder: Path, material: Material, settings: Settings, progress: Progress, given: Embedder | None
) -> IndexManifest:
    count = token_counter(settings.tokenizer)
    passages = [p for d in material.documents for p in cut(d, count, settings.max_tokens)]
    sentences = [d.text[s.start : s.end] for d in material.documents for s in d.sentences]
    model = embed.model_sha256(settings.embedding_model) if given is None else given.name
    cache = known_vectors(settings.index, model)
    embedder = given or _LazyEmbedder(settings)
    _write_lines(folder / "documents.jsonl", material.documents)
    _write_lines(folder / "passages.jsonl", passages)
    _write_lines(folder / "names.jsonl", material.names.entries)
    _write_lines(folder / "differences.jsonl", material.differences)
    _write_lines(folder / "questions.jsonl", material.questions)
    vectors = _embed("passages", [p.index_text for p in passages], embedder, cache, progress)
    np.save(folder / "vectors.npy", vectors)
    told = _embed("sentences", sentences, embedder, cache, progress)
    np.save(folder / "sentences.npy", told)
    asked = [as_searched(q.text, material.names) for q in material.questions]
    foreseen = _embed("questions", asked, embedder, cache, progress) if asked else vectors[:0]
    np.save(folder / "questions.npy", foreseen.astype(np.float16))
    np.save(folder / "adapter.npy", _adapter(folder, material, settings.index, progress))
    BM25.build([search_terms(p.index_text, material.names) for p in passages]).save(folder / "bm25")
    progress("storing", 0, 1)
    with closing(store.ChromaStore(folder / "chroma", create=True)) as chroma:
        chroma.add([p.id for p in passages], vectors)
    progress("storing", 1, 1)
    encoder_sha, agreement = _encoder(settings, embedder, given is None, sentences[:_SAMPLES], progress)
    return IndexManifest(
        format=FORMAT,
        nkqa_version=nkqa_version(),
        chroma_version=store.VERSION,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        corpus_fingerprint=material.fingerprint,
        added=material.added,
        refused=material.refused,
        embedding_model=embedder.name,
        embedding_sha256=model,
        encoder_sha256=encoder_sha,
        agreement=agreement,
        dimension=int(vectors.shape[1]),
        tokenizer=settings.tokenizer,
        max_tokens=settings.max_tokens,
        documents=len(material.documents),
        passages=len(passages),
        sentences=len(sentences),
    )


def _adapter(folder: Path, material: Material, root: Path, progress: Progress) -> Vector:
    """What is to be learnt from the foreseen questions: taken over from the current build, where it had the same."""
    told, asked = (np.load(folder / f"{name}.npy") for name in ("sentences", "questions"))
    if not material.questions:
        return np.eye(told.shape[1], dtype=np.float32)
    if (known := known_adapter(root, folder)) is not None:
        return known
    from nkqa.adapter import learn  # it brings torch, which a build of known texts does without

    progress("learning from the questions", 0, 1)
    learnt = learn(material.questions, asked.astype(np.float32), told, first_rows(material.documents))
    progress("learning from the questions", 1, 1)
    return learnt


class _LazyEmbedder:
    """Loads the real model when the first text must be embedded: a rebuild of known texts never does."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.embedding_model
        self._threads = settings.threads
        self._real: embed.SentenceTransformerEmbedder | None = None

    @property
    def real(self) -> embed.SentenceTransformerEmbedder:
        if self._real is None:
            self._real = embed.SentenceTransformerEmbedder(self.name, self._threads)
        return self._real

    @property
    def dimension(self) -> int:
        return self.real.dimension

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        return self.real.embed_passages(texts)

    def embed_query(self, text: str) -> Vector:
        return self.real.embed_query(text)


def _embed(
    step: str, texts: Sequence[str], embedder: Embedder, cache: Mapping[str, Vector], progress: Progress
) -> Vector:
    # Of like length together: a batch is as slow as its longest text.
    missing = sorted((t for t in dict.fromkeys(texts) if t not in cache), key=len)
    fresh: dict[str, Vector] = {}
    for at in range(0, len(missing), _BATCH):
        progress(step, at, len(missing))
        batch = missing[at : at + _BATCH]
        fresh |= dict(zip(batch, embedder.embed_passages(batch), strict=True))
    progress(step, len(missing), len(missing))
    return np.stack([fresh[t] if t in fresh else cache[t] for t in texts]).astype(np.float32)


def _encoder(
    settings: Settings, embedder: Embedder, real: bool, samples: Sequence[str], progress: Progress
) -> tuple[str, float]:
    """Export the question encoder unless it is there; return its hash, "" if there is none, and agreement.

    Raises:
        ModelError: the exported encoder does not agree with the model.
    """
    if not real or settings.embedding_model != embed.DEFAULT_MODEL or not isinstance(embedder, _LazyEmbedder):
        return "", 1.0
    file = encoder_file(settings.index, embed.DEFAULT_SHA256)
    if noted := encoder_note(file):
        return noted
    progress("exporting the encoder", 0, 1)
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}.new")
    embed.export_encoder(embedder.real, fresh)
    encoder = embed.OnnxEncoder(fresh, embed.query_tokenizer(embed.default_folder()))
    wanted = embedder.embed_passages(samples)
    agreement = min(float(encoder.embed_query(t) @ v) for t, v in zip(samples, wanted, strict=True))
    if agreement < MIN_AGREEMENT:
        raise ModelError(f"{file}: agrees with the model to {agreement:.3f} only, {MIN_AGREEMENT} is needed")
    os.replace(fresh, file)
    sha256, agreement = embed.sha256_of(file), round(agreement, 4)
    _write_durably(file.with_suffix(".json"), json.dumps({"sha256": sha256, "agreement": agreement}))
    progress("exporting the encoder", 1, 1)
    return sha256, agreement


def _write_lines(file: Path, rows: Iterable[Document | Passage | Name | Known | Foreseen]) -> None:
    file.write_text(
        "".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in rows), "utf-8", newline="\n"
    )


def _write_durably(file: Path, text: str) -> None:
    """Write a file so that after a crash it is the old one or the new one, never a part."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8", newline="\n") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(fresh, file)
    _fsync(file.parent)


def _fsync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync(folder: Path) -> None:
    """See to it that all of a folder is on the disk before the manifest says that it is whole."""
    for path in (*folder.rglob("*"), folder):
        _fsync(path)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.name != MANIFEST)
    return {f.relative_to(folder).as_posix(): embed.sha256_of(f) for f in files}


def _previous(root: Path) -> str | None:
    try:
        return read_current(root)
    except IndexDamaged:
        return None


def _clean(root: Path, keep: set[str | None]) -> None:
    for build in (root / "builds").iterdir():
        if build.name not in keep:
            shutil.rmtree(build, ignore_errors=True)

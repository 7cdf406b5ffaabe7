"""Open an index folder, check every file of it, and tell what it was built from; refused when stale or damaged.

    index/
      CURRENT               the name of the build that is served, replaced by one rename
      builds/<id>/          texts, names, differences, questions, vectors, adapter, bm25/, chroma/, last manifest.json
      encoders/<hash>.onnx  the question encoder, exported once from the embedding model

Our own copies of vectors and passages are the truth; Chroma's files can be made again from them.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from nkqa import embed, store
from nkqa.corpus import fingerprint
from nkqa.differences import Known
from nkqa.errors import IndexDamaged, IndexMissing, IndexStale
from nkqa.foreseen import Foreseen, Foresight
from nkqa.lexical import BM25
from nkqa.names import Gazetteer, Name
from nkqa.protocols import QueryEncoder, Vector
from nkqa.settings import Settings
from nkqa.types import Document, IndexManifest, Passage

FORMAT = 4
MANIFEST, CURRENT = "manifest.json", "CURRENT"
_Row = TypeVar("_Row")
_PROBES = 16
_PROBE_SECONDS = 120
_NEEDED = frozenset(
    {
        *("documents.jsonl", "passages.jsonl", "names.jsonl", "differences.jsonl", "questions.jsonl"),
        *("vectors.npy", "sentences.npy", "questions.npy", "adapter.npy"),
    }
)


def nkqa_version() -> str:
    """Return the installed version of nkqa."""
    try:
        return version("nkqa")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True, slots=True)
class Index:
    """An opened index. Rows of `vectors` are passages, rows of `sentence_vectors` sentences, in order.

    `first_row` gives the row of each document's first sentence.
    """

    folder: Path
    manifest: IndexManifest
    documents: Mapping[str, Document]
    passages: tuple[Passage, ...]
    vectors: Vector
    sentence_vectors: Vector
    first_row: Mapping[str, int]
    store: store.ChromaStore
    lexical: BM25
    names: Gazetteer
    differences: tuple[Known, ...]
    foresight: Foresight
    encoder: QueryEncoder
    private: tempfile.TemporaryDirectory[str]

    def close(self) -> None:
        """Let go of Chroma's files."""
        self.store.close()
        self.private.cleanup()


def current_build(root: Path) -> Path:
    """Return the folder of the current build.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: the file that names it cannot be read.
    """
    name = read_current(root)
    if not name or not (root / "builds" / name / MANIFEST).is_file():
        raise IndexMissing(f"{root}: there is no index yet; run: nkqa index build")
    return root / "builds" / name


def read_current(root: Path) -> str | None:
    """Return the name of the current build.

    Raises:
        IndexDamaged: the file that says it cannot be read.
    """
    file = root / CURRENT
    try:
        name = file.read_text("utf-8").strip() if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{file}: {error}; run: nkqa index build") from error
    if name and (Path(name).name != name or name == ".."):
        raise IndexDamaged(f"{file}: names no build of this folder ({name[:40]!r}); run: nkqa index build")
    return name or None


def read_manifest(folder: Path) -> IndexManifest:
    """Read the manifest of a build.

    Raises:
        IndexStale: it was written by a version with another format.
        IndexDamaged: it cannot be read.
    """
    try:
        raw = json.loads((folder / MANIFEST).read_text("utf-8"))
        written = raw.get("format") if isinstance(raw, dict) else None
        if isinstance(written, int) and written != FORMAT:
            raise IndexStale(f"{folder}: has format {written}, this is {FORMAT}; run: nkqa index build")
        return TypeAdapter(IndexManifest).validate_python(raw)
    except (OSError, ValueError, RecursionError) as error:
        raise IndexDamaged(f"{folder / MANIFEST}: {error}; run: nkqa index build") from error


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and all files in the folders, in order."""
    return sorted(f for p in paths for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file())


def check_files(folder: Path, manifest: IndexManifest, only: Sequence[str] = ()) -> None:
    """Check that the files of a build, or `only` some, are those that were written.

    Raises:
        IndexDamaged: one is missing or another.
    """
    if unnamed := _NEEDED - manifest.files.keys():
        raise IndexDamaged(
            f"{folder / MANIFEST}: does not name {', '.join(sorted(unnamed))}; run: nkqa index build"
        )
    for name, expected in manifest.files.items():
        if only and name not in only:
            continue
        file = folder / name
        if not file.is_file():
            raise IndexDamaged(f"{file}: is missing; run: nkqa index build")
        try:
            found = embed.sha256_of(file)
        except OSError as error:
            raise IndexDamaged(f"{file}: {error}; run: nkqa index build") from error
        if found != expected:
            raise IndexDamaged(f"{file}: is not the file that was written; run: nkqa index build")


def stale_reasons(manifest: IndexManifest, settings: Settings) -> list[str]:
    """Return why an index is not the one that the settings and the corpus ask for; empty if it is."""
    print_ = fingerprint(settings.corpus, files_in(map(Path, manifest.added)))
    model = embed.model_sha256(settings.embedding_model)
    wanted = {
        "corpus": (manifest.corpus_fingerprint[:12], print_[:12]),
        "embedding model": (
            f"{manifest.embedding_model} ({manifest.embedding_sha256[:12]})",
            f"{settings.embedding_model} ({model[:12]})",
        ),
        "tokenizer": (manifest.tokenizer, settings.tokenizer),
        "passage size": (str(manifest.max_tokens), str(settings.max_tokens)),
        "Chroma version": (manifest.chroma_version, store.VERSION),
        "nkqa version": (manifest.nkqa_version, nkqa_version()),
    }
    return [f"built with {name} {had}, now {now}" for name, (had, now) in wanted.items() if had != now]


def open_index(settings: Settings, encoder: QueryEncoder | None = None, *, compare: bool = True) -> Index:
    """Open the current build and check every file of it.

    Args:
        settings: say where it is and what it should have been built from.
        encoder: encodes questions instead of the exported model.
        compare: whether to refuse an index that was built from something else than the settings say.

    Raises:
        IndexMissing, IndexStale, IndexDamaged, ModelError: each with what to run.
    """
    folder = current_build(settings.index)
    manifest = read_manifest(folder)
    if compare and (reasons := stale_reasons(manifest, settings)):
        raise IndexStale(f"{folder}: {'; '.join(reasons)}; run: nkqa index build")
    check_files(folder, manifest)
    documents, passages = read_texts(folder)
    rows = first_rows(documents)
    sentences = np.load(folder / "sentences.npy")
    with ExitStack() as opened:
        private = store.private_copy(folder / "chroma")
        opened.callback(private.cleanup)
        chroma = store.ChromaStore(Path(private.name))
        opened.callback(chroma.close)
        index = Index(
            folder=folder,
            manifest=manifest,
            documents={d.id: d for d in documents},
            passages=tuple(passages),
            vectors=np.load(folder / "vectors.npy"),
            sentence_vectors=sentences,
            first_row=rows,
            store=chroma,
            lexical=BM25.load(folder / "bm25", len(passages)),
            names=read_names(folder),
            differences=tuple(_read_lines(folder / "differences.jsonl", TypeAdapter(Known))),
            foresight=Foresight(
                read_foreseen(folder),
                np.load(folder / "questions.npy").astype(np.float32),
                sentences,
                rows,
                np.load(folder / "adapter.npy"),
            ),
            encoder=encoder or _query_encoder(settings, manifest),
            private=private,
        )
        opened.pop_all()  # from here on the index closes them
    return index


def _query_encoder(settings: Settings, manifest: IndexManifest) -> QueryEncoder:
    if not manifest.encoder_sha256:
        return embed.SentenceTransformerEmbedder(manifest.embedding_model, threads=1)
    file = encoder_file(settings.index, manifest.embedding_sha256)
    noted = encoder_note(file)
    if noted is None or noted[0] != manifest.encoder_sha256:
        raise IndexDamaged(f"{file}: is missing or not the encoder that was exported; run: nkqa index build")
    return embed.OnnxEncoder(file, embed.query_tokenizer(embed.default_folder()))


def encoder_file(root: Path, model_sha256: str) -> Path:
    """Return where the encoder exported from these weights lies."""
    return root / "encoders" / f"{model_sha256[:12]}.onnx"


def encoder_note(file: Path) -> tuple[str, float] | None:
    """Return what was noted of an exported encoder, if the file is still the one that it was noted of."""
    try:
        said = json.loads(file.with_suffix(".json").read_text("utf-8"))
        noted = str(said["sha256"]), float(said["agreement"])
        return noted if noted[0] == embed.sha256_of(file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def first_rows(documents: Iterable[Document]) -> dict[str, int]:
    """Return for each document's id the row of its first sentence among all sentences."""
    rows, at = {}, 0
    for document in documents:
        rows[document.id] = at
        at += len(document.sentences)
    return rows


def read_texts(folder: Path) -> tuple[list[Document], list[Passage]]:
    """Read the documents and the passages of a build.

    Raises:
        IndexDamaged: they cannot be read.
    """
    return (
        _read_lines(folder / "documents.jsonl", TypeAdapter(Document)),
        _read_lines(folder / "passages.jsonl", TypeAdapter(Passage)),
    )


def read_names(folder: Path) -> Gazetteer:
    """Read the gazetteer of a build.

    Raises:
        IndexDamaged: it cannot be read.
    """
    return Gazetteer(_read_lines(folder / "names.jsonl", TypeAdapter(Name)))


def read_foreseen(folder: Path) -> list[Foreseen]:
    """Read the foreseen questions of a build.

    Raises:
        IndexDamaged: they cannot be read.
    """
    return _read_lines(folder / "questions.jsonl", TypeAdapter(Foreseen))


def _read_lines(file: Path, adapter: TypeAdapter[_Row]) -> list[_Row]:
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            return [adapter.validate_json(line) for line in lines]
    except (OSError, ValidationError) as error:
        raise IndexDamaged(f"{file}: {error}; run: nkqa index build") from error


def verify_index(settings: Settings) -> IndexManifest:
    """Check every file of the current build and query it in a child process.

    Raises:
        IndexMissing, IndexStale, IndexDamaged: what is wrong and what to run.
    """
    folder = current_build(settings.index)
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    probe_in_child(folder)
    if reasons := stale_reasons(manifest, settings):
        raise IndexStale(f"{folder}: {'; '.join(reasons)}; run: nkqa index build")
    return manifest


def probe_in_child(folder: Path) -> None:
    """Open and query the build in a child: a damaged Chroma folder can take its process down.

    Raises:
        IndexDamaged: the child died or a vector was not found as its own nearest.
    """
    command = [sys.executable, "-P", "-m", "nkqa.index", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise IndexDamaged(f"{folder}: no answer to a query within {_PROBE_SECONDS} s") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().rsplit("\n", 1)[-1]
        raise IndexDamaged(f"{folder}: cannot be opened and queried ({last or f'exit {done.returncode}'})")


def probe(folder: Path) -> None:
    """Query Chroma with some of the vectors it was given; each must find itself.

    Raises:
        IndexDamaged: one does not.
    """
    vectors = np.load(folder / "vectors.npy")
    _, passages = read_texts(folder)
    with (
        store.private_copy(folder / "chroma") as copy,
        closing(store.ChromaStore(Path(copy))) as chroma,
    ):
        if chroma.count() != len(passages):
            raise IndexDamaged(f"{folder}: Chroma holds {chroma.count()} vectors of {len(passages)} passages")
        for row in np.unique(np.linspace(0, len(passages) - 1, _PROBES).astype(int)):
            found = chroma.search(vectors[row], 3)
            if not found or found[0][1] < 0.999:
                raise IndexDamaged(f"{folder}: Chroma does not find {passages[row].id} by its own vector")


if __name__ == "__main__":
    probe(Path(sys.argv[1]))

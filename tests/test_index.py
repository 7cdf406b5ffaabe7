"""Building, publishing and opening an index."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fakes import HashEmbedder
from nkqa import embed, index, store
from nkqa.build import added_before, build_index
from nkqa.corpus import fingerprint, load_corpus
from nkqa.embed import sha256_of
from nkqa.engine import open_engine
from nkqa.errors import FormatError, IndexDamaged, IndexMissing, IndexStale
from nkqa.protocols import Vector
from nkqa.settings import Settings, load_settings
from nkqa.types import Ask

TOY = Path(__file__).parent / "toy"


class CountingEmbedder(HashEmbedder):
    """Keeps the texts that it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        self.seen += texts
        return super().embed_passages(texts)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check new builds in this process instead of a child, which takes two seconds to start."""
    monkeypatch.setattr("nkqa.build.probe_in_child", index.probe)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A copy of the toy corpus that may be changed."""
    return Path(shutil.copytree(TOY, tmp_path / "corpus"))


@pytest.fixture
def settings(tmp_path: Path, corpus: Path) -> Settings:
    return load_settings(corpus=corpus, index=tmp_path / "index", max_tokens=60, reader="off")


def build(settings: Settings, embedder: HashEmbedder | None = None, added: Sequence[Path] = ()) -> Path:
    build_index(settings, added, embedder=embedder or HashEmbedder())
    return index.current_build(settings.index)


def opened(settings: Settings) -> "closing[index.Index]":
    return closing(index.open_index(settings, HashEmbedder(), compare=False))


def change(corpus: Path) -> None:
    gazette = corpus / "sources" / "gazette.md"
    gazette.write_text(gazette.read_text("utf-8").replace("About 400 wardens", "About 500 wardens"), "utf-8")


def test_the_manifest_says_what_was_built_and_from_what(toy_settings: Settings) -> None:
    folder = index.current_build(toy_settings.index)
    manifest = index.read_manifest(folder)
    documents = load_corpus(TOY)
    assert manifest.corpus_fingerprint == fingerprint(TOY)
    assert (manifest.embedding_model, manifest.embedding_sha256, manifest.dimension) == ("hash-256",) * 2 + (
        256,
    )
    assert (manifest.tokenizer, manifest.max_tokens) == ("nkqa-8k", 60)
    assert (manifest.documents, manifest.sentences) == (3, sum(len(d.sentences) for d in documents))
    assert (manifest.nkqa_version, manifest.chroma_version) == (index.nkqa_version(), store.VERSION)
    files = {f.relative_to(folder).as_posix(): f for f in folder.rglob("*") if f.is_file()}
    assert manifest.files.keys() | {"manifest.json"} == files.keys()
    assert all(sha256_of(files[name]) == expected for name, expected in manifest.files.items())


def test_what_is_opened_is_what_was_built(toy_settings: Settings) -> None:
    with opened(toy_settings) as there:
        documents = {d.id: d for d in load_corpus(TOY)}
        assert dict(there.documents) == documents
        embedder = HashEmbedder()
        assert np.array_equal(there.vectors, embedder.embed_passages([p.index_text for p in there.passages]))
        for document in documents.values():
            for at, sentence in enumerate(document.sentences):
                row = there.sentence_vectors[there.first_row[document.id] + at]
                text = document.text[sentence.start : sentence.end]
                assert np.array_equal(row, embedder.embed_query(text))
        assert there.store.count() == len(there.passages)
        assert there.names.get("Starimlin") is not None


def test_opening_writes_nothing_into_the_index(toy_settings: Settings) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        return {
            f: (f.stat().st_mtime_ns, f.stat().st_size)
            for f in toy_settings.index.rglob("*")
            if f.name != ".lock"
        }

    before = state()
    with closing(open_engine(toy_settings, encoder=HashEmbedder(), compare=False)) as engine:
        engine.ask(Ask("How many wardens will watch the Lake Truce?"))
    assert state() == before


@pytest.mark.usefixtures("quick")
def test_only_new_sentences_are_embedded_again(settings: Settings, corpus: Path) -> None:
    first, second, third = CountingEmbedder(), CountingEmbedder(), CountingEmbedder()
    build(settings, first)
    assert len(first.seen) > 20
    build(settings, second)
    assert second.seen == []
    change(corpus)
    build(settings, third)
    assert all("About 500 wardens" in text for text in third.seen)
    assert len(third.seen) == 2  # the sentence and its passage
    with opened(settings) as there:
        assert np.array_equal(
            there.vectors, HashEmbedder().embed_passages([p.index_text for p in there.passages])
        )


@pytest.mark.usefixtures("quick")
def test_vectors_of_another_model_are_not_kept(settings: Settings) -> None:
    class Other(CountingEmbedder):
        name = "other-256"

    build(settings)
    other = Other()
    build(settings, other)
    assert len(other.seen) > 20


@pytest.mark.usefixtures("quick")
def test_old_builds_go_and_the_one_before_stays(settings: Settings) -> None:
    names = [build(settings).name for _ in range(4)]
    assert {b.name for b in (settings.index / "builds").iterdir()} == set(names[-2:])


@pytest.mark.usefixtures("quick")
def test_what_a_killed_build_left_goes_with_the_next(settings: Settings) -> None:
    left = settings.index / "builds" / "20200101T000000-dead00"
    (left / "chroma").mkdir(parents=True)
    (settings.index / "encoders").mkdir()
    strays = [
        settings.index / "CURRENT.77.new",
        settings.index / "encoders" / "abc.77.new",
        settings.index / "encoders" / "abc.77.fp32.onnx",
    ]
    for stray in strays:
        stray.write_text("half")
    build(settings)
    assert not left.exists()
    assert not any(s.exists() for s in strays)


@pytest.mark.usefixtures("quick")
def test_a_build_that_fails_leaves_the_old_one_and_nothing_else(settings: Settings, corpus: Path) -> None:
    class Failing(HashEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vector:
            raise RuntimeError("the model fell over")

    kept = build(settings)
    change(corpus)
    with pytest.raises(RuntimeError):
        build(settings, Failing())
    assert index.current_build(settings.index) == kept
    assert [b for b in (settings.index / "builds").iterdir() if b != kept] == []
    with opened(settings) as there:
        assert there.folder == kept


def test_a_build_whose_vectors_are_wrong_is_never_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = store.ChromaStore.add

    def mixed_up(self: store.ChromaStore, ids: Sequence[str], vectors: Vector) -> None:
        add(self, ids, -vectors)

    monkeypatch.setattr(store.ChromaStore, "add", mixed_up)
    with pytest.raises(IndexDamaged, match=r"does not find .* by its own vector"):
        build(settings)
    with pytest.raises(IndexMissing):
        index.current_build(settings.index)


@pytest.mark.usefixtures("quick")
def test_a_build_that_lost_vectors_is_never_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = store.ChromaStore.add
    monkeypatch.setattr(store.ChromaStore, "add", lambda self, ids, vectors: add(self, ids[1:], vectors[1:]))
    with pytest.raises(IndexDamaged, match="vectors of"):
        build(settings)


def test_a_check_that_dies_is_a_damaged_build(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(IndexDamaged, match="exit 1"):
        build(settings)


def test_a_check_that_hangs_is_a_damaged_build(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_PROBE_SECONDS", 0.001)
    with pytest.raises(IndexDamaged, match="no answer"):
        build(settings)


def test_a_missing_index_says_what_to_run(settings: Settings) -> None:
    for operation in (index.open_index, index.verify_index):
        with pytest.raises(IndexMissing, match="run: nkqa index build"):
            operation(settings)


@pytest.mark.usefixtures("quick")
def test_each_difference_makes_an_index_stale_and_is_named(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = index.read_manifest(build(settings))
    hashed = {"hash-256": "hash-256", "other": "other-sha"}
    monkeypatch.setattr(embed, "model_sha256", hashed.__getitem__)
    asked = settings.model_copy(update={"embedding_model": "hash-256"})
    assert index.stale_reasons(manifest, asked) == []

    def reason(**update: object) -> str:
        (only,) = index.stale_reasons(manifest, asked.model_copy(update=update))
        return only

    assert (
        reason(embedding_model="other")
        == "built with embedding model hash-256 (hash-256), now other (other-sha)"
    )
    assert reason(max_tokens=61) == "built with passage size 60, now 61"
    assert reason(tokenizer="o200k_base") == "built with tokenizer nkqa-8k, now o200k_base"
    for module, name in ((store, "VERSION"), (index, "nkqa_version")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, "9.9" if name == "VERSION" else lambda: "9.9")
            assert "9.9" in reason()
    change(corpus)
    assert "corpus" in reason()
    with pytest.raises(IndexStale, match="run: nkqa index build"):
        index.open_index(asked, HashEmbedder())


@pytest.mark.usefixtures("quick")
def test_an_index_of_another_format_is_stale_and_of_none_is_damaged(settings: Settings) -> None:
    file = build(settings) / "manifest.json"
    raw = json.loads(file.read_text())
    for written, error in ((99, IndexStale), (None, IndexDamaged), ("x", IndexDamaged)):
        file.write_text(json.dumps({**raw, "format": written}))
        with pytest.raises(error, match="run: nkqa index build"):
            index.read_manifest(file.parent)


@pytest.mark.usefixtures("quick")
def test_documents_of_ones_own_are_added_and_remembered(settings: Settings, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# A note\n\nThe ferry sails on 5 June 2011.\n", "utf-8")
    manifest = index.read_manifest(build(settings, added=[note]))
    assert manifest.documents == 4
    assert added_before(settings) == (note,)
    before = manifest.corpus_fingerprint
    assert fingerprint(settings.corpus, [note]) == before
    note.write_text("# A note\n\nThe ferry sails on 6 June 2011.\n", "utf-8")
    assert any("corpus" in r for r in index.stale_reasons(manifest, settings))
    with pytest.raises(FormatError, match=r"gone\.md"):
        build(settings, added=[tmp_path / "gone.md"])


def test_nothing_was_added_to_no_index(settings: Settings) -> None:
    assert added_before(settings) == ()


@pytest.mark.usefixtures("quick")
def test_a_manifest_that_cannot_be_read_stops_no_build(settings: Settings) -> None:
    manifest = build(settings) / "manifest.json"
    for content in ("", "[]", '{"added": 3}', "[" * 99_999):
        manifest.write_text(content)
        assert added_before(settings) == ()


@pytest.mark.usefixtures("quick")
def test_an_index_that_is_served_answers_on_while_another_is_built_and_when_it_is_gone(
    settings: Settings, corpus: Path
) -> None:
    build(settings)
    question = Ask("How many wardens will watch the Lake Truce?")
    with closing(open_engine(settings, encoder=HashEmbedder(), compare=False)) as served:
        before = served.ask(question)
        change(corpus)
        build(settings)
        assert served.ask(question) == before
        with closing(open_engine(settings, encoder=HashEmbedder(), compare=False)) as fresh:
            assert "500" in fresh.ask(question).answer
            assert fresh.ask(question).corpus != before.corpus
        shutil.rmtree(settings.index)
        assert served.ask(question) == before
        served.close()  # once more than needed


def test_verify_checks_files_and_asks_in_a_child(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "stale_reasons", lambda manifest, settings: [])
    assert index.verify_index(toy_settings).passages > 5


def test_an_index_that_cannot_be_opened_leaves_no_copy_behind(
    toy_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(settings: Settings, manifest: object) -> None:
        raise IndexDamaged("no encoder")

    monkeypatch.setattr(index, "_query_encoder", fail)
    with pytest.raises(IndexDamaged, match="no encoder"):
        index.open_index(toy_settings, compare=False)
    assert os.listdir(tmp_path) == []


def test_progress_ends_each_step_where_it_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nkqa.build.probe_in_child", index.probe)
    told: dict[str, tuple[int, int]] = {}
    build_index(settings, (), lambda step, done, total: told.update({step: (done, total)}), HashEmbedder())
    assert list(told) == ["passages", "sentences", "storing"]
    assert all(done == total > 0 for done, total in told.values())

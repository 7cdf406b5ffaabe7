"""Chroma's own ways, and what we do about them."""

import os
from pathlib import Path

import numpy as np
import pytest

from nkqa.errors import IndexDamaged, IndexUnwritable
from nkqa.protocols import Vector
from nkqa.store import ChromaStore, private_copy


def vectors(count: int, dimension: int = 384) -> Vector:
    rows = np.random.default_rng(count).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def filled(folder: Path, rows: Vector) -> None:
    store = ChromaStore(folder, create=True)
    store.add([f"p{i}" for i in range(len(rows))], rows)
    store.close()


def test_what_was_added_is_found_after_opening_again(tmp_path: Path) -> None:
    rows = vectors(30)
    filled(tmp_path / "chroma", rows)
    store = ChromaStore(tmp_path / "chroma")
    assert store.count() == 30
    ((id_, cosine),) = store.search(rows[7], 1)
    assert id_ == "p7"
    assert cosine == pytest.approx(1, abs=1e-4)
    store.close()


def test_nearly_all_of_the_nearest_are_found(tmp_path: Path) -> None:
    rows, queries = vectors(800), vectors(20)
    filled(tmp_path / "chroma", rows)
    store = ChromaStore(tmp_path / "chroma")
    hits = 0
    for query in queries:
        nearest = {f"p{i}" for i in np.argsort(-(rows @ query))[:10]}
        hits += len(nearest & {id_ for id_, _ in store.search(query, 10)})
    store.close()
    assert hits / 200 >= 0.99


def test_a_folder_opened_and_closed_many_times_leaves_no_files_open(tmp_path: Path) -> None:
    rows = vectors(5)
    filled(tmp_path / "chroma", rows)

    def opened() -> int:
        store = ChromaStore(tmp_path / "chroma")
        store.search(rows[0], 1)
        store.close()
        return len(os.listdir("/proc/self/fd"))

    first, *later = [opened() for _ in range(20)]
    assert min(later[-4:]) < first + 10  # Chroma lets go of some a moment later; a leak would leave 20


def test_two_may_have_one_folder_open_and_each_closes_its_own(tmp_path: Path) -> None:
    rows = vectors(5)
    filled(tmp_path / "chroma", rows)
    one, two = ChromaStore(tmp_path / "chroma"), ChromaStore(tmp_path / "chroma")
    one.close()
    assert two.search(rows[1], 1)[0][0] == "p1"
    two.close()


def test_closing_twice_is_nothing(tmp_path: Path) -> None:
    store = ChromaStore(tmp_path / "chroma", create=True)
    store.close()
    store.close()


def test_no_collection_is_a_damaged_index(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="nkqa index build"):
        ChromaStore(tmp_path / "empty")


def test_a_database_of_noise_is_a_damaged_index(tmp_path: Path) -> None:
    filled(tmp_path / "chroma", vectors(5))
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(np.random.default_rng(1).bytes(100_000))
    with pytest.raises(IndexDamaged, match="Chroma cannot open it"):
        ChromaStore(tmp_path / "chroma")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(IndexUnwritable, match="file"):
        ChromaStore(tmp_path / "file" / "chroma", create=True)


def test_a_copy_is_its_own_and_goes_away(tmp_path: Path) -> None:
    rows = vectors(5)
    filled(tmp_path / "chroma", rows)
    before = {f: f.read_bytes() for f in (tmp_path / "chroma").rglob("*") if f.is_file()}
    with private_copy(tmp_path / "chroma") as copy:
        store = ChromaStore(Path(copy))
        assert store.search(rows[2], 1)[0][0] == "p2"
        store.close()
    assert not Path(copy).exists()
    assert {f: f.read_bytes() for f in (tmp_path / "chroma").rglob("*") if f.is_file()} == before


def test_no_room_for_a_copy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(IndexUnwritable, match="TMPDIR"):
        private_copy(tmp_path)


def test_a_copy_of_nothing_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    with pytest.raises(IndexUnwritable, match="cannot be copied"):
        private_copy(tmp_path / "gone")
    assert list((tmp_path / "tmp").iterdir()) == []

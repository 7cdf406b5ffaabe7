"""What may go wrong with an index on disk, and that nothing wrong is ever served."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from fakes import HashEmbedder
from nkqa import build, embed, index
from nkqa.corpus import fingerprint
from nkqa.errors import IndexBusy, IndexDamaged, IndexMissing, IndexUnwritable, NkqaError
from nkqa.protocols import Vector
from nkqa.settings import Settings, load_settings

TESTS = Path(__file__).parent
TOY = TESTS / "toy"
SEED = 20201109


@pytest.fixture
def settings(toy_settings: Settings, tmp_path: Path) -> Settings:
    """A copy of the toy index, to be spoilt."""
    shutil.copytree(toy_settings.index, tmp_path / "index")
    return toy_settings.model_copy(update={"index": tmp_path / "index"})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check new builds in this process instead of a child, which takes two seconds to start."""
    monkeypatch.setattr(build, "probe_in_child", index.probe)


def open_it(settings: Settings) -> None:
    with closing(index.open_index(settings, HashEmbedder(), compare=False)) as there:
        assert there.store.search(there.vectors[0], 1)[0][1] > 0.999


# --- files spoilt (F11, F12, F27) --------------------------------------------------------------------------


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes() or b"\0")
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _fill_with_noise(file: Path) -> None:
    file.write_bytes(random.Random(SEED).randbytes(max(10, file.stat().st_size)))


def _end_lines_as_windows_does(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\r\n")


SPOILERS = (_empty, _halve, _flip_a_bit, _fill_with_noise, _end_lines_as_windows_does, Path.unlink)


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda f: f.__name__.strip("_"))
def test_no_spoilt_file_is_ever_opened(settings: Settings, spoil: Callable[[Path], None]) -> None:
    folder = index.current_build(settings.index)
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    assert len(files) >= 15
    for file in files:
        kept = file.read_bytes()
        if file.name == "manifest.json" and spoil in (_flip_a_bit, _end_lines_as_windows_does):
            continue  # it has no hash but those in it: a changed date or line end is no damage
        spoil(file)
        if file.exists() and file.read_bytes() == kept:
            continue  # an empty file emptied
        with pytest.raises((IndexDamaged, IndexMissing), match="run: nkqa index build") as refused:
            index.open_index(settings, HashEmbedder(), compare=False)
        assert file.name in str(refused.value) or isinstance(refused.value, IndexMissing)
        file.write_bytes(kept)
    open_it(settings)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", IndexMissing),
        (b"20200101T000000-dead00\n", IndexMissing),
        (b"\xff\xfe", IndexDamaged),
        (b"../builds\n", IndexDamaged),
        (b"/etc\n", IndexDamaged),
        (b"..\n", IndexDamaged),
    ],
)
@pytest.mark.usefixtures("quick")
def test_a_pointer_to_nowhere_is_refused_and_mended_by_a_build(
    settings: Settings, content: bytes, error: type[NkqaError]
) -> None:
    (settings.index / "CURRENT").write_bytes(content)
    with pytest.raises(error, match="run: nkqa index build"):
        open_it(settings)
    build.build_index(settings, embedder=HashEmbedder())
    open_it(settings)


@pytest.mark.parametrize(
    "content", ["[]", "3", "null", '{"format": 4}', "[" * 99_999, '{"format": 4, "files": 3}']
)
def test_a_manifest_that_is_none_is_refused(settings: Settings, content: str) -> None:
    (index.current_build(settings.index) / "manifest.json").write_text(content)
    with pytest.raises(IndexDamaged, match=r"manifest\.json"):
        open_it(settings)


def test_a_manifest_that_names_no_files_is_refused(settings: Settings) -> None:
    file = index.current_build(settings.index) / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "files": {}}))
    with pytest.raises(IndexDamaged, match=r"does not name .*vectors\.npy"):
        open_it(settings)


@pytest.mark.usefixtures("quick")
def test_damaged_chroma_is_made_again_from_our_own_vectors(settings: Settings) -> None:
    class NoEmbedder(HashEmbedder):
        def embed_passages(self, texts: object) -> Vector:
            raise AssertionError(f"embedded again: {texts}")

    shutil.rmtree(index.current_build(settings.index) / "chroma")
    with pytest.raises(IndexDamaged, match="chroma"):
        open_it(settings)
    build.build_index(settings, embedder=NoEmbedder())
    open_it(settings)


@pytest.mark.usefixtures("quick")
def test_damaged_vectors_are_embedded_again(settings: Settings) -> None:
    _flip_a_bit(index.current_build(settings.index) / "vectors.npy")
    build.build_index(settings, embedder=HashEmbedder())
    open_it(settings)


# --- the real model's index (F12, F13, F20) ----------------------------------------------------------------


@pytest.fixture
def real(real_settings: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(real_settings.index, tmp_path / "index")
    return real_settings.model_copy(update={"index": tmp_path / "index"})


REBUILD = """
import sys
from pathlib import Path
from nkqa.build import build_index
from nkqa.index import open_index
from nkqa.settings import load_settings
settings = load_settings(corpus=Path(sys.argv[1]), index=Path(sys.argv[2]), max_tokens=60, reader="off")
build_index(settings)
open_index(settings).close()
print("torch" in sys.modules, "sentence_transformers" in sys.modules)
"""


@pytest.mark.model
@pytest.mark.torch
def test_making_chroma_again_does_not_load_the_model(real: Settings) -> None:
    shutil.rmtree(index.current_build(real.index) / "chroma")
    done = subprocess.run(
        [sys.executable, "-c", REBUILD, str(TOY), str(real.index)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False False\n", done.stderr


@pytest.mark.model
@pytest.mark.torch
@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda f: f.__name__.strip("_"))
def test_a_spoilt_encoder_is_refused(real: Settings, spoil: Callable[[Path], None]) -> None:
    spoil(index.encoder_file(real.index, embed.DEFAULT_SHA256))
    with pytest.raises(IndexDamaged, match=r"\.onnx: .*run: nkqa index build"):
        index.open_index(real)


@pytest.mark.model
@pytest.mark.torch
def test_a_spoilt_note_of_the_encoder_is_refused(real: Settings) -> None:
    note = index.encoder_file(real.index, embed.DEFAULT_SHA256).with_suffix(".json")
    for content in ("", "[]", "{}", '{"sha256": "x", "agreement": 1}'):
        note.write_text(content)
        with pytest.raises(IndexDamaged, match="run: nkqa index build"):
            index.open_index(real)


# --- no room, no right (F7, F8, F9) ------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = load_settings(corpus=TOY, index=tmp_path / "file" / "index", max_tokens=60)
    with pytest.raises(IndexUnwritable, match=r"file/index: cannot be written: .*NKQA_INDEX"):
        build.build_index(settings, embedder=HashEmbedder())


FULL = """
import resource, sys
from fakes import HashEmbedder
from pathlib import Path
from nkqa import build, cli
from nkqa.settings import load_settings
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
settings = load_settings(corpus=Path(sys.argv[1]), index=Path(sys.argv[2]), max_tokens=60)
cli.app = lambda **_: build.build_index(settings, embedder=HashEmbedder())
cli.main()
"""


@pytest.mark.parametrize("room", [0, 5_000, 100_000])
def test_a_full_disk_ends_a_build_with_the_path_and_keeps_the_old_one(settings: Settings, room: int) -> None:
    kept = index.current_build(settings.index)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(TOY), str(settings.index), str(room)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert done.returncode == IndexUnwritable.exit_code, done.stderr
    assert str(settings.index) in done.stderr
    assert "Traceback" not in done.stderr
    assert list((settings.index / "builds").iterdir()) == [kept]
    open_it(settings)


@pytest.mark.usefixtures("quick")
def test_whichever_write_fails_the_index_is_the_old_or_the_new_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = index.current_build(settings.index)
    left = [0]

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def guarded(*args: object, **named: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            return real(*args, **named)

        return guarded

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, failing(getattr(os, name)))
    for write in range(1, 200):
        left[0] = write
        try:
            build.build_index(settings, embedder=HashEmbedder())
        except IndexUnwritable:
            open_it(settings)
            published = index.current_build(settings.index)
            assert published == old or write > 20  # only the last step comes after the pointer is in place
        else:
            break
    assert 20 < write < 60


# --- builders at the same time (F14) -----------------------------------------------------------------------


def test_a_second_builder_is_turned_away_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it began to read the corpus")

    monkeypatch.setattr(build, "read_material", never)
    with (
        FileLock(settings.index / ".lock"),
        pytest.raises(IndexBusy, match="another process is building"),
    ):
        build.build_index(settings, embedder=HashEmbedder())
    open_it(settings)


def test_the_command_ends_with_75_when_another_builds(settings: Settings) -> None:
    with FileLock(settings.index / ".lock"):
        done = subprocess.run(
            [sys.executable, "-m", "nkqa", "index", "build"],
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "NKQA_INDEX": str(settings.index), "NKQA_CORPUS": str(TOY)},
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (75, "")
    assert done.stderr.startswith(f"nkqa: {settings.index}: another process is building")


# --- killed at any moment (F1 to F6) -----------------------------------------------------------------------


@pytest.fixture
def crasher(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str, int], str]]:
    corpus = shutil.copytree(TOY, tmp_path / "corpus")
    gazette = Path(corpus) / "sources" / "gazette.md"
    gazette.write_text(gazette.read_text("utf-8").replace("400 wardens", "500 wardens"), "utf-8")
    with subprocess.Popen(
        [sys.executable, str(TESTS / "crasher.py"), str(corpus), str(settings.index)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None

        def crash(how: str, when: int) -> str:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(f"{how} {when}\n")
            child.stdin.flush()
            return child.stdout.readline().strip()

        yield crash
        child.stdin.close()


def test_a_builder_killed_at_any_moment_leaves_an_index_that_opens(
    settings: Settings, tmp_path: Path, crasher: Callable[[str, int], str]
) -> None:
    chance = random.Random(SEED)
    plan = [("after", chance.randint(20, 700)) for _ in range(6)]
    plan += [("at", chance.randint(1, 90)) for _ in range(6)] + [("after", 60_000)]
    allowed = {fingerprint(TOY), fingerprint(tmp_path / "corpus")}
    ends = []
    for how, when in plan:
        ends.append(crasher(how, when))
        manifest = index.read_manifest(index.current_build(settings.index))
        assert manifest.corpus_fingerprint in allowed, (how, when)
        open_it(settings)
    assert ends.count("killed") >= 6, ends
    assert ends[-1] == "built", ends
    assert len(list((settings.index / "builds").iterdir())) <= 2
    assert not list(settings.index.glob("*.new"))
    assert index.read_manifest(index.current_build(settings.index)).corpus_fingerprint == fingerprint(
        tmp_path / "corpus"
    )


def test_many_open_files_are_not_needed(settings: Settings) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    here = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (here + 30, hard))
    try:
        open_it(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

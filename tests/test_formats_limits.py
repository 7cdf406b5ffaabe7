"""Hostile, broken and odd files: each is refused by name with its reason in time, and the others go in."""

import os
import signal
import time
import zlib
from pathlib import Path

import pytest

from nkqa.formats import Limits, read_files
from nkqa.formats.child import read_one
from nkqa.formats.cut import BUDGET, counter
from nkqa.formats.parent import Parser

QUICK = Limits(wall_s=15.0, cpu_s=2, memory=1_500_000_000, output=200_000, file=1_000_000)
GOOD = "A good sentence stands here."


def reasons(folder: Path, limits: Limits = QUICK) -> dict[str, str]:
    """Read a folder with one good file more, which must go in; return why the others did not."""
    (folder / "zz-good.txt").write_text(GOOD)
    found = read_files([folder], limits=limits)
    assert any(GOOD in d.text for d in found.documents)
    return {r.path.name: r.reason for r in found.refused}


BAD: tuple[tuple[str, bytes, str], ...] = (
    ("bad00.txt", b"", "is empty"),
    ("bad01.md", b" \n\t\n", "is empty"),
    ("bad02.md", b"---\ntitle: x\n---\n", "holds no text"),
    ("bad03.txt", b"PK\x03\x04rest", "ZIP"),
    ("bad04.txt", b"\x7fELF\x02\x01", "program"),
    ("bad05.txt", b"ab\x00\x01\x02\x03" * 50, "not text"),
    ("bad06.txt", b"x" * 1_000_001, "over 1 MB"),
    ("bad07.md", ("A sentence of words. " * 12_000).encode(), "over 0.2 MB of text"),
    ("bad08.docx", b"PK\x03\x04", "of no kind that is read here"),
    ("bad09.pdf", b"<html>not a pdf</html>", "is not a PDF"),
    ("bad10.pdf", b"%PDF-1.4\n", "damaged"),
    ("bad11.vtt", b"WEBVTT\n\nno cue\n", "no cue"),
    ("bad12.md", b"---\na: &x [1]\nb: *x\n---\ntext\n", "aliases"),
    ("bad13.md", b"---\ntitle: [" + b"[" * 6000 + b"\n---\ntext\n", "nested"),
    ("bad14.md", b"---\ntitle: " + b"x" * 9000 + b"\n---\ntext\n", "front matter"),
    ("bad15.md", b"---\nid: aa\nperspective: party\nlocator: page\n---\nNo place.\n", "front matter"),
)
HOSTILE: tuple[tuple[str, bytes], ...] = (
    ("hostile00.html", b"<p>Some words here</p>" + b"<!--" * 100_000),
    ("hostile01.html", b"<p>Some words here</p>" + b"<![CDATA[" * 50_000),
    ("hostile02.html", b"<p>Some words here</p>" + b"</" * 100_000),
    ("hostile03.html", b"<div>" * 20_000 + b"Some words here" + b"</div>" * 20_000),
    ("hostile04.html", b"<p>Some words here &#" + b"9" * 200_000 + b";</p>"),
    ("hostile05.md", b"[" * 50_000),
    ("hostile06.md", b"> " * 20_000 + b"words"),
    ("hostile07.md", b"a**b" * 20_000),
    ("hostile08.md", b"[[a|" * 20_000),
    ("hostile09.md", b"<a " * 50_000 + b"words"),
    ("hostile10.md", b"| a " * 10_000 + b"\n" + b"|--" * 10_000 + b"\n"),
    ("hostile11.txt", b"1\n" * 50_000),
    ("hostile12.txt", b"a" * 190_000),
    ("hostile13.txt", b" " * 900_000 + b"word"),
    ("hostile14.txt", b"\n" * 900_000 + b"word"),
    ("hostile15.txt", b"word.1 " * 20_000),
    ("hostile16.srt", b"00:00:01,000 --> 00:00:02,000\n" * 20_000),
    ("hostile17.vtt", b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n" + b"<v " * 50_000),
)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("bad")
    for name, data in (*((name, data) for name, data, _ in BAD), *HOSTILE):
        (folder / name).write_bytes(data)
    return reasons(folder)


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, _, reason in BAD])
def test_bad_files_are_refused_with_their_reason(refused: dict[str, str], name: str, reason: str) -> None:
    assert reason in refused[name]


@pytest.mark.parametrize("name", [name for name, _ in HOSTILE])
def test_hostile_texts_are_read_or_refused_in_time(refused: dict[str, str], name: str) -> None:
    assert "parser failed" not in refused.get(name, "")


def _with_stream(content: bytes, filters: str = "/FlateDecode") -> bytes:
    stream = b"<</Filter%s/Length %d>>\nstream\n%s\nendstream" % (filters.encode(), len(content), content)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        stream,
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (i, part) for i, part in enumerate(parts, 1))
    return b"%PDF-1.4\n" + body + b"trailer\n<</Size 5/Root 1 0 R>>\n%%EOF\n"


@pytest.mark.parametrize(
    "content",
    [zlib.compress(b"\0" * 200_000_000, 9), zlib.compress(b"q 1 0 0 1 0 0 cm BT ET Q\n" * 1_000_000, 9)],
    ids=["200 MB of zeros", "a million operators"],
)
def test_pdf_bombs_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bomb.pdf").write_bytes(_with_stream(content))
    started = time.monotonic()
    assert "bomb.pdf" in reasons(tmp_path)
    assert time.monotonic() - started < 60


def test_a_file_that_takes_too_long_is_blamed_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "def _hook(event, given):\n"
        "    if event == 'open' and str(given[0]).endswith('spin.txt'):\n"
        "        while True: pass\n"
        "    if event == 'open' and str(given[0]).endswith('wait.txt'):\n"
        "        import time; time.sleep(60)\n"
        "    if event == 'open' and str(given[0]).endswith('die.txt'):\n"
        "        import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    if event == 'open' and str(given[0]).endswith('eat.txt'):\n"
        "        given = bytearray(2_000_000_000)\n"
        "sys.addaudithook(_hook)\n"
    )
    monkeypatch.syspath_prepend(str(site))
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("die.txt", "eat.txt", "spin.txt", "wait.txt"):
        (folder / name).write_text(f"{name} holds words.")
    found = reasons(folder, Limits(wall_s=6.0, cpu_s=1))
    assert found["spin.txt"] == "took more than 1 s of processor time"
    assert found["wait.txt"] == "took more than 6 s to read"
    assert "parser failed" in found["die.txt"]
    assert "GB of memory" in found["eat.txt"]


def test_links_pipes_and_hidden_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("A secret.")
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "inner.txt").write_text("An inner sentence.")
    (folder / ".hidden.txt").write_text("Hidden.")
    (folder / "out.txt").symlink_to(outside / "secret.txt")
    (folder / "outdir").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nothing.txt")
    (folder / "again.txt").symlink_to(folder / "sub" / "inner.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "zz-good.txt").write_text(GOOD)
    found = read_files([folder])
    why = {r.path.name: r.reason for r in found.refused}
    assert "outside of the folder" in why["out.txt"]
    assert "outside of the folder" in why["outdir"]
    assert "link to a folder" in why["loop"]
    assert "cannot be read" in why["gone.txt"]
    assert "not a regular file" in why["pipe.txt"]
    assert len(found.documents) == 2
    assert "secret" not in "".join(d.text for d in found.documents).lower()


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    found = read_files([tmp_path / "nothing.md"])
    assert not found.documents
    assert "cannot be read" in found.refused[0].reason


def test_odd_names_are_no_trouble(tmp_path: Path) -> None:
    for name in ("-rf.txt", "$(id).txt", "a;b.txt", "new\nline.txt", "con.txt", "x" * 200 + ".txt"):
        (tmp_path / name).write_text(f"This is {len(name)} long, and called otherwise.")
    found = read_files([tmp_path])
    assert [r.reason for r in found.refused if "same text" not in r.reason] == []
    assert all(d.id.replace("-", "").isalnum() and len(d.id) <= 64 for d in found.documents)


def test_special_tokens_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("He wrote <|endoftext|> and <|im_start|> on the wall.")
    assert "<|endoftext|>" in read_files([tmp_path]).documents[0].text


def test_every_sentence_keeps_the_budget(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Word after word, " * 2000 + "\n\n" + "!?" * 3000 + " end\n")
    document = read_files([tmp_path]).documents[0]
    assert all(counter()(document.text[s.start : s.end]) <= BUDGET for s in document.sentences)


def test_the_child_may_not_connect(tmp_path: Path) -> None:
    code = "import sys\nfrom nkqa.formats.child import _forbid\nsys.addaudithook(_forbid)\nimport socket\n"
    code += (
        "try:\n    socket.create_connection(('127.0.0.1', 9))\nexcept PermissionError as e:\n    print(e)\n"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "not allowed" in done.stdout


def test_one_child_reads_many_files(tmp_path: Path) -> None:
    with Parser() as parser:
        children = set()
        for number in range(3):
            file = tmp_path / f"{number}.txt"
            file.write_text(f"Number {number} is here.")
            assert f"Number {number} is here. [para. 1]" in parser.read(file, f"n{number}", "2020-01-01")
            assert parser._process is not None
            children.add(parser._process.pid)
    assert len(children) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(children.pop(), signal.SIG_DFL)


def test_reading_in_this_process_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(GOOD)
    assert f"{GOOD} [para. 1]" in read_one(tmp_path / "a.txt", "aa", "2020-01-01", QUICK)

"""The command line: what it prints, and how it ends for each way to fail."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from fakes import HashEmbedder
from nkqa import build, cli, embed, errors, index
from nkqa.settings import Settings
from nkqa.types import Answer

TOY = Path(__file__).parent / "toy"
QUESTION = "How many wardens will watch the Lake Truce?"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The whole command line in this process, with its own empty index; only the model is a tiny one."""
    monkeypatch.setattr(embed, "model_sha256", {"hash-256": "hash-256"}.__getitem__)
    monkeypatch.setattr(embed, "SentenceTransformerEmbedder", lambda name, threads=1: HashEmbedder())
    for module in (build, index):
        monkeypatch.setattr(module, "probe_in_child", index.probe)
    for name, value in {
        "CORPUS": TOY,
        "INDEX": tmp_path / "index",
        "MAX_TOKENS": 60,
        "READER": "off",
        "EMBEDDING_MODEL": "hash-256",
    }.items():
        monkeypatch.setenv(f"NKQA_{name}", str(value))

    def main(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["nkqa", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return main


@pytest.fixture
def built(run: Run, toy_settings: Settings, tmp_path: Path) -> Run:
    """As `run`, with the toy index in its place."""
    shutil.copytree(toy_settings.index, tmp_path / "index")
    return run


# --- what it prints ----------------------------------------------------------------------------------------


def test_an_answer_stands_with_its_citations_and_its_date(built: Run) -> None:
    ended = built("ask", QUESTION)
    assert (ended.code, ended.err) == (0, "")
    assert "400" in ended.out
    assert "[1]" in ended.out
    assert "As of 2011-0" in ended.out


def test_an_answer_as_json_is_the_answer(built: Run) -> None:
    ended = built("ask", QUESTION, "--json", "--source", "gazette", "--sentences", "1")
    answer = json.loads(ended.out)
    assert answer.keys() == {f.name for f in fields(Answer)}
    assert answer["status"] == "answered"
    assert {c["document"] for c in answer["citations"]} == {"gazette"}
    assert len(answer["sentences"]) == 1


def test_no_answer_is_no_failure(built: Run) -> None:
    ended = built("ask", "What is the capital of Australia?", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["status"] == "abstained"


def test_a_search_prints_places_and_scores(built: Run) -> None:
    assert built("search", "harbour", "-k", "2").out.startswith(" 1. ")
    hits = json.loads(built("search", "harbour", "-k", "2", "--json").out)
    assert [h["rank"] for h in hits] == [1, 2]
    assert "harbour" in hits[0]["passage"]["text"]
    assert hits[0]["locator"]["label"]


def test_sources_are_listed_and_printed(built: Run) -> None:
    assert "gazette  (article-newspaper, newsroom, 2011-05-03, 6 sentences)" in built("sources").out
    assert [s["id"] for s in json.loads(built("sources", "--json").out)] == ["lecture", "gazette", "report"]
    assert "harbour of Port Amber will cost $30 million" in " ".join(
        built("sources", "show", "report").out.split()
    )
    shown = json.loads(built("sources", "show", "report", "--page", "4", "--json").out)
    assert [s["locator"]["label"] for s in shown] == ["p. 4, fn. 2", "p. 4, fn. 3"]


def test_an_index_is_built_looked_at_and_verified(built: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "passages" in built("index", "build").out
    said = json.loads(built("index", "status", "--json").out)
    assert (said["documents"], said["stale"]) == (3, [])
    assert "of at most 60 nkqa-8k tokens" in built("index", "status").out
    assert built("index", "verify").out.endswith("passages are found.\n")
    assert json.loads(built("index", "verify", "--json").out)["ok"] is True


def test_progress_goes_to_standard_error(run: Run) -> None:
    ended = run("index", "build", "--json")
    assert json.loads(ended.out)["documents"] == 3
    assert "passages" in ended.err


def test_ones_own_documents_become_sources(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Ferry\n\nThe ferry sails on 5 June 2011.\n", "utf-8")
    ended = run("ingest", str(tmp_path / "note.md"), "--to", str(tmp_path / "out"), "--json")
    assert ended.code == 0, ended.err
    assert list(json.loads(ended.out)["written"].values()) == [1]
    assert len(list((tmp_path / "out").rglob("*.md"))) == 1


# --- building when needed ----------------------------------------------------------------------------------


def test_asking_without_an_index_builds_it_and_says_so(run: Run) -> None:
    ended = run("ask", QUESTION)
    assert ended.code == 0
    assert "there is no index yet; building it" in ended.err
    assert "400" in ended.out


def test_asking_a_stale_index_builds_it_with_the_documents_that_were_added(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "ferry.md"
    note.write_text("# Ferry\n\nThe ferry to Pell sails on 5 June 2011.\n", "utf-8")
    assert run("index", "build", "--add", str(note)).code == 0
    monkeypatch.setenv("NKQA_MAX_TOKENS", "61")
    ended = run("ask", "When does the ferry to Pell sail?", "--json")
    assert "built with passage size 60, now 61; building it" in ended.err
    assert "5 June 2011" in ended.out


@pytest.fixture
def notes(tmp_path: Path) -> tuple[Path, Path]:
    ferry, bridge = tmp_path / "ferry.md", tmp_path / "bridge.md"
    ferry.write_text("# Ferry\n\nThe ferry to Pell sails on 5 June 2011.\n", "utf-8")
    bridge.write_text("# Bridge\n\nThe bridge to Pell opens on 7 July 2012.\n", "utf-8")
    return ferry, bridge


def test_what_was_added_stays_in_and_is_named_until_only_the_corpus_is_asked_for(
    run: Run, notes: tuple[Path, Path]
) -> None:
    ferry, bridge = notes

    def added(*arguments: str) -> tuple[list[str], str]:
        ended = run("index", "build", "--json", *arguments)
        assert ended.code == 0, ended.err
        said = json.loads(ended.out)
        assert said["documents"] == 3 + len(said["added"])
        named = [line for line in ended.err.splitlines() if line.startswith("nkqa: ")]
        return said["added"], "\n".join(named)

    keeping = "nkqa: keeping what was added before (--only-corpus leaves it out): "
    assert added("--add", str(ferry)) == ([str(ferry)], "")
    assert added() == ([str(ferry)], f"{keeping}{ferry}")
    assert added("--add", str(ferry)) == ([str(ferry)], "")
    assert added("--add", str(bridge)) == ([str(ferry), str(bridge)], f"{keeping}{ferry}")
    assert added() == ([str(ferry), str(bridge)], f"{keeping}{ferry}, {bridge}")
    assert added("--only-corpus", "--add", str(bridge)) == ([str(bridge)], "")
    assert added("--only-corpus") == ([], "")
    assert added() == ([], "")


def test_a_document_that_was_added_and_is_gone_ends_with_7_and_what_to_run(
    run: Run, notes: tuple[Path, Path]
) -> None:
    ferry, bridge = notes
    assert run("index", "build", "--add", str(ferry), "--add", str(bridge)).code == 0
    ferry.unlink()
    for arguments in (["index", "build"], ["index", "build", "--add", str(bridge)], ["ask", QUESTION]):
        ended = run(*arguments)
        assert (ended.code, ended.out) == (7, "")
        assert f"nkqa: {ferry}: added to the index before and gone now" in ended.err
        assert ended.err.endswith("nkqa index build --only-corpus\n")
    assert run("index", "build", "--only-corpus").code == 0
    assert run("ask", QUESTION).code == 0


def test_a_path_that_never_led_anywhere_is_not_kept(run: Run, notes: tuple[Path, Path]) -> None:
    ferry, nowhere = notes[0], notes[0].with_name("fery.md")
    ended = run("index", "build", "--add", str(nowhere), "--add", str(ferry), "--json")
    assert ended.code == 7
    assert f"not read: {nowhere}" in ended.err
    assert json.loads(ended.out)["added"] == [str(ferry)]
    assert run("index", "build").code == 0


# --- how it ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["", "   ", "x" * 1001])
def test_what_cannot_be_asked_ends_with_2(built: Run, question: str) -> None:
    for command in ("ask", "search"):
        ended = built(command, question)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("nkqa: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", QUESTION, "--source", "nowhere"], "no source has the id 'nowhere'"),
        (["sources", "show", "nowhere"], "there are lecture, gazette, report"),
        (["sources", "show", "report", "--page", "99"], "holds nothing of page 99"),
        (["ask", QUESTION, "--sentences", "11"], "--sentences"),
        (["ask"], "Missing argument"),
        (["search", "x", "-k", "0"], "-k"),
        (["nonsense"], "No such command"),
    ],
)
def test_what_does_not_exist_ends_with_2(built: Run, arguments: list[str], says: str) -> None:
    ended = built(*arguments)
    assert ended.code == 2
    assert says in ended.err


def test_a_bad_corpus_ends_with_3(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NKQA_CORPUS", str(tmp_path))
    for arguments in (["sources"], ["index", "build"], ["ask", QUESTION]):
        ended = run(*arguments)
        assert ended.code == 3
        assert "NKQA_CORPUS" in ended.err


def test_a_corpus_that_is_checked_ends_with_0_or_3(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = shutil.copytree(TOY, tmp_path / "corpus")
    monkeypatch.setenv("NKQA_CORPUS", str(corpus))
    clean = run("corpus", "check")
    gazette = Path(corpus) / "sources" / "gazette.md"
    gazette.write_text(gazette.read_text("utf-8").replace("2 May 2011. [para. 1]", "2 May 2011."), "utf-8")
    spoilt = run("corpus", "check", "--json")
    assert (clean.code, clean.out) == (0, "0 finding(s).\n")
    assert spoilt.code == 3
    assert any("gazette.md" in f["file"] for f in json.loads(spoilt.out))


def test_an_index_missing_or_stale_ends_with_4(
    built: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NKQA_MAX_TOKENS", "61")
    stale = built("index", "status", "--json")
    assert stale.code == 4
    assert json.loads(stale.out)["stale"] == ["built with passage size 60, now 61"]
    assert stale.err.endswith("run: nkqa index build\n")
    assert built("index", "verify").code == 4
    monkeypatch.setenv("NKQA_INDEX", str(tmp_path / "none"))
    missing = built("index", "status")
    assert (missing.code, missing.out) == (4, "")


def test_a_damaged_index_ends_with_5_and_is_not_built_again_unasked(built: Run, tmp_path: Path) -> None:
    (index.current_build(tmp_path / "index") / "vectors.npy").write_bytes(b"noise")
    for arguments in (["ask", QUESTION], ["index", "verify"]):
        ended = built(*arguments)
        assert (ended.code, ended.out) == (5, "")
        assert "vectors.npy" in ended.err
    assert built("index", "build").code == 0
    assert built("ask", QUESTION).code == 0


def test_a_missing_vocabulary_ends_with_6(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NKQA_TOKENIZER", "o999k")
    ended = run("index", "build")
    assert ended.code == 6
    assert "NKQA_TOKENIZER=o999k" in ended.err


def test_a_document_that_cannot_be_read_ends_with_7(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 half of it")
    ended = run("ingest", str(tmp_path / "bad.pdf"), "--to", str(tmp_path / "out"))
    assert ended.code == 7
    assert "bad.pdf" in ended.err
    ended = run("index", "build", "--add", str(tmp_path / "bad.pdf"))
    assert ended.code == 7


def test_an_index_that_cannot_be_written_ends_with_73(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NKQA_INDEX", str(tmp_path / "file" / "index"))
    assert run("index", "build").code == 73


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "x"), ("MAX_TOKENS", "4"), ("READER", "maybe"), ("INDEX", "")]
)
def test_a_bad_setting_ends_with_78_and_its_name(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"NKQA_{name}", value)
    ended = run("sources")
    assert ended.code == 78
    assert f"NKQA_{name}" in ended.err


def test_every_error_has_an_exit_code_that_a_shell_can_tell() -> None:
    kinds = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.NkqaError)]
    assert len(kinds) > 10
    assert all(0 < kind.exit_code < 126 for kind in kinds)
    assert all(kind.__doc__ for kind in kinds)


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["index", "build", "--help"]])
def test_help_ends_with_0(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 0
    assert "Usage: nkqa" in ended.out


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "nkqa", "sources", "show", "report"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "NKQA_CORPUS": str(TOY)},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode != 0

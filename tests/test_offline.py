"""Nothing leaves the machine, and nothing heavy is loaded where it is not needed."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from nkqa.settings import Settings

TESTS = Path(__file__).parent
TOY = TESTS / "toy"
HEAVY = (
    "torch",
    "sentence_transformers",
    "transformers",
    "chromadb",
    "gradio",
    "onnxruntime",
    "fastapi",
    "bm25s",
)

# No socket of Python's can leave the machine; with `unshare` nobody else's can either.
GUARD = """
import json, socket, sys
def blocked(*a, **k): raise AssertionError(f"about to leave the machine: {a}")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, blocked)
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, blocked)
"""
TOLD = f"print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
COMMAND = """
from nkqa.cli import main
sys.argv = ["nkqa", *{arguments}]
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    main()
assert len(said.getvalue()) > 100, said.getvalue()
"""
TOY_BUILD = """
from pathlib import Path
from fakes import HashEmbedder
from nkqa.build import build_index
from nkqa.engine import open_engine
from nkqa.settings import load_settings
from nkqa.types import Ask
settings = load_settings(corpus=Path({corpus!r}), index=Path({index!r}), max_tokens=60, reader="off")
build_index(settings, embedder=HashEmbedder())
engine = open_engine(settings, encoder=HashEmbedder(), compare=False)
answer = engine.ask(Ask("How many wardens will watch the Lake Truce?"))
engine.close()
assert "400" in answer.answer, answer
"""


@cache
def apart() -> tuple[str, ...]:
    """The command that runs another without any network, where this machine has it."""
    command = ("unshare", "--user", "--map-root-user", "--net")
    if shutil.which("unshare") is None:
        return ()
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


def heavy_modules(script: str, **environment: str) -> list[str]:
    """Run a script without a network and return which heavy modules it loaded."""
    done = subprocess.run(
        [*apart(), sys.executable, "-c", f"{GUARD}\n{script}\n{TOLD}"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS), "NKQA_CORPUS": str(TOY), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(loaded, list)
    return loaded


def test_the_guard_stops_what_would_leave() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GUARD + "import urllib.request; urllib.request.urlopen('http://192.0.2.1')"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "about to leave the machine" in done.stderr


def test_building_and_asking_need_no_network_and_no_torch(tmp_path: Path) -> None:
    loaded = heavy_modules(TOY_BUILD.format(corpus=str(TOY), index=str(tmp_path / "index")))
    assert {"torch", "sentence_transformers", "transformers", "gradio", "fastapi"} & set(loaded) == set()
    assert "chromadb" in loaded  # or the list would show nothing


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ask", "--help"], ["serve", "--help"], ["sources"]], ids=" ".join
)
def test_help_and_sources_load_nothing_heavy(arguments: list[str]) -> None:
    assert heavy_modules(COMMAND.format(arguments=arguments)) == []


def test_looking_at_an_index_loads_no_torch(toy_settings: Settings) -> None:
    script = COMMAND.format(arguments=["index", "status"])
    loaded = heavy_modules(script, NKQA_INDEX=str(toy_settings.index))
    assert {"torch", "sentence_transformers", "transformers", "gradio"} & set(loaded) == set()


@pytest.mark.model
@pytest.mark.torch
@pytest.mark.parametrize("command", ["ask", "search"])
def test_asking_with_the_real_encoder_needs_no_network_and_no_torch(
    real_settings: Settings, command: str
) -> None:
    script = COMMAND.format(arguments=[command, "How many wardens will watch the Lake Truce?"])
    loaded = heavy_modules(
        script, NKQA_INDEX=str(real_settings.index), NKQA_MAX_TOKENS="60", NKQA_READER="off"
    )
    assert {"torch", "sentence_transformers", "transformers", "gradio"} & set(loaded) == set()
    assert "onnxruntime" in loaded


@pytest.mark.model
@pytest.mark.torch
def test_building_with_the_real_model_needs_no_network(real_settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(real_settings.index, tmp_path / "index")
    corpus = Path(shutil.copytree(TOY, tmp_path / "corpus"))
    gazette = corpus / "sources" / "gazette.md"
    gazette.write_text(gazette.read_text("utf-8").replace("About 400 wardens", "About 500 wardens"), "utf-8")
    loaded = heavy_modules(
        COMMAND.format(arguments=["index", "build"]),
        NKQA_CORPUS=str(corpus), NKQA_INDEX=str(tmp_path / "index"), NKQA_MAX_TOKENS="60", NKQA_READER="off",
    )  # fmt: skip
    assert "torch" in loaded

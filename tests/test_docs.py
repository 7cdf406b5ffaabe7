"""What the documents say exists: settings, commands, exit codes, files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from nkqa import errors
from nkqa.cli import app
from nkqa.settings import MARKED, Settings, settings_table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [
    p for p in (README, *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("*/README.md"))) if p.is_file()
]
COMMANDS: Any = typer.main.get_command(app)


def names(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def lines(page: Path) -> Iterator[list[str]]:
    """The command lines in the fenced blocks of a page, in words."""
    for block in re.findall(r"(?ms)^```(?:sh|console|bash|)\n(.*?)^```", page.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r" (?:&&|\|) ", line.removeprefix("$ ").strip()):
                try:
                    said = shlex.split(part, comments=True)
                except ValueError:  # a body that goes on over several lines
                    continue
                while said and re.match(r"^[A-Z_]+=", said[0]):
                    said = said[1:]
                if said:
                    yield [said[0].removeprefix(".venv/bin/"), *said[1:]]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    marked = MARKED.search(README.read_text("utf-8"))
    assert marked is not None
    assert marked[0] == f"{marked[1]}{settings_table()}\n{marked[2]}", (
        "run: python -m nkqa.settings README.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_settings_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"NKQA_[A-Z_]*[A-Z]", page.read_text("utf-8")))
    known = {"NKQA_ENV_FILE"} | {f"NKQA_{n.upper()}" for n in Settings.model_fields}
    for file in ROOT.glob("tests/browser/*.py"):  # what only the tests in a browser read
        known |= set(re.findall(r"NKQA_[A-Z_]*[A-Z]", file.read_text("utf-8")))
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_commands_of_nkqa_that_are_shown_exist(page: Path) -> None:
    for program, *said in lines(page):
        if program != "nkqa":
            continue
        command = COMMANDS
        words = [w for w in said if w != "..."]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        if hasattr(command, "commands"):
            assert not words or words[0].startswith("-"), (said, "no such command")
            assert not words or words[0] == "--help" or command.invoke_without_command
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert {w.split("=")[0] for w in words if re.match(r"^--?[a-z]", w)} <= options, said


def test_the_readme_shows_commands_at_all() -> None:
    assert sum(program == "nkqa" for program, *_ in lines(README)) >= 5
    assert sum(program == "make" for program, *_ in lines(README)) >= 2


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_targets_of_make_that_are_shown_exist(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8")))
    shown = {word for program, *said in lines(page) if program == "make" for word in said if "=" not in word}
    assert {w for w in shown if not w.startswith("-")} <= targets


def test_every_exit_code_stands_in_the_readme() -> None:
    kinds = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.NkqaError)]
    (sentence,) = re.findall(r"(?s)has its own message and exit code:(.*?)\.\n", README.read_text("utf-8"))
    said = {int(n) for n in re.findall(r"\b\d+\b", sentence)}
    assert said == {kind.exit_code for kind in kinds} - {errors.NkqaError.exit_code}


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_files_that_are_linked_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def test_every_module_stands_in_the_readmes_tree() -> None:
    text = README.read_text("utf-8")
    for file in sorted((ROOT / "src" / "nkqa").iterdir()):
        if file.suffix == ".py" and not file.name.startswith("_"):
            assert file.name in text, file.name
        elif (file / "__init__.py").is_file():
            assert f"{file.name}/" in text, file.name

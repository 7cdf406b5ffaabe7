"""Settings: from the environment, from one file, from the caller; and a clear word for each that cannot work."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from nkqa import settings
from nkqa.errors import SettingsError
from nkqa.settings import MARKED, Settings, load_settings, settings_table


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NKQA_ENV_FILE", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NKQA_{name.upper()}", raising=False)


def test_nothing_set_gives_the_defaults_of_the_checkout() -> None:
    root = Path(__file__).parents[1]
    given = load_settings()
    assert (given.corpus, given.index) == (root / "corpus", root / "index")
    assert (given.host, given.port, given.public) == ("127.0.0.1", 8000, False)


def test_installed_the_corpus_is_the_packages_and_the_index_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "CHECKOUT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert load_settings().corpus == Path(settings.__file__).parent / "_corpus"
    assert load_settings().index == tmp_path / "cache" / "nkqa" / "index"


def test_the_caller_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "nkqa.env"
    file.write_text("NKQA_PORT=1\nNKQA_THREADS=3\nNKQA_MAX_TOKENS=100\nOTHER=x\n")
    monkeypatch.setenv("NKQA_ENV_FILE", str(file))
    monkeypatch.setenv("NKQA_PORT", "2")
    monkeypatch.setenv("NKQA_THREADS", "4")
    given = load_settings(threads=5)
    assert (given.max_tokens, given.port, given.threads) == (100, 2, 5)


@pytest.mark.parametrize("content", [None, b"NKQA_HOST=\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "nkqa.env"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("NKQA_ENV_FILE", str(file))
    with pytest.raises(SettingsError, match=r"NKQA_ENV_FILE: .*nkqa\.env"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "eighty", "integer"),
        ("PORT", "65536", "65535"),
        ("MAX_TOKENS", "0", "32"),
        ("COMPOSER", "poet", "'extractive' or 'llm'"),
        ("PUBLIC", "perhaps", "boolean"),
        ("CORPUS", " ", "must name a folder"),
    ],
)
def test_a_value_that_cannot_work_is_named_with_what_may_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"NKQA_{name}", value)
    with pytest.raises(SettingsError, match=rf"^NKQA_{name}: .*{says}.*got '{value}'"):
        load_settings()


def test_two_bad_values_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NKQA_PORT", "x")
    monkeypatch.setenv("NKQA_THREADS", "0")
    with pytest.raises(SettingsError, match=r"NKQA_PORT.*NKQA_THREADS"):
        load_settings()


def test_paths_know_home_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("NKQA_INDEX", "~/index")
    monkeypatch.setenv("NKQA_MAINTENANCE", "")
    given = load_settings()
    assert given.index == Path("/home/somebody/index")
    assert given.maintenance is None


def test_settings_do_not_change_and_do_not_tell_secrets() -> None:
    given = load_settings(api_keys="hunter2", llm_api_key="hunter3")
    assert "hunter" not in repr(given)
    with pytest.raises(ValidationError):
        given.port = 1


def test_every_setting_says_what_it_does() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert f"| `NKQA_{name.upper()}` |" in settings_table()


def test_the_table_is_written_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- settings -->\nold\n<!-- /settings -->\nafter\n")
    monkeypatch.setattr("sys.argv", ["settings", str(file)])
    settings.main()
    settings.main()
    written = file.read_text()
    assert written == f"before\n<!-- settings -->\n{settings_table()}\n<!-- /settings -->\nafter\n"
    assert MARKED.search(written)


def test_without_a_file_the_table_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["settings"])
    settings.main()
    assert capsys.readouterr().out == settings_table() + "\n"

"""Counting tokens offline."""

from pathlib import Path

import pytest
import tiktoken

from nkqa import tokens
from nkqa.errors import ModelError
from nkqa.training.vocabulary import train


@pytest.fixture(autouse=True)
def _fresh() -> None:
    tokens.token_counter.cache_clear()


def test_the_own_vocabulary_counts_what_can_be_counted_by_hand() -> None:
    count = tokens.token_counter("nkqa-8k")
    assert count("") == 0
    assert count("the") == 1
    assert count("1,960") == 3  # 1 , 960: three digits at most are one token
    assert count("the ceasefire") == 2
    assert count("ж") <= 2  # bytes where the vocabulary has no merge


def test_the_own_vocabulary_loses_nothing() -> None:
    text = "Shusha/Şuşa/Шуша 😀 <|endoftext|> \x00 1,960"
    encoding = tokens._own()
    assert encoding.decode(encoding.encode_ordinary(text)) == text


def test_a_million_spaces_do_not_run_out_of_stack() -> None:
    assert tokens.token_counter("nkqa-8k")(" " * 1_000_000) > 0


def test_a_long_text_is_counted_in_pieces_that_add_up() -> None:
    count = tokens.token_counter("nkqa-8k")
    assert count("the " * 20_000) == pytest.approx(20_000, abs=20)


def test_a_vocabulary_that_is_trained_can_be_counted_with() -> None:
    ranks = train(["the truce of the lake, the truce of 2011", "Шуша"], 270)
    assert list(ranks.values()) == list(range(270))
    assert [*ranks][:256] == [bytes([b]) for b in range(256)]
    encoding = tiktoken.Encoding("small", pat_str=tokens.PATTERN, mergeable_ranks=ranks, special_tokens={})
    text = "the truce of the Lake Шуша 😀"
    assert encoding.decode(encoding.encode_ordinary(text)) == text
    assert len(encoding.encode_ordinary("the truce")) < len("the truce")


def test_an_altered_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "altered.tiktoken"
    copy.write_bytes(tokens._FILE.read_bytes()[:-1] + b"7")
    monkeypatch.setattr(tokens, "_FILE", copy)
    with pytest.raises(ModelError, match="is not the vocabulary"):
        tokens.token_counter("nkqa-8k")


def test_a_missing_vocabulary_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_FILE", tmp_path / "gone.tiktoken")
    with pytest.raises(ModelError, match=r"gone\.tiktoken"):
        tokens.token_counter("nkqa-8k")


def test_an_unknown_encoding_says_what_there_is() -> None:
    with pytest.raises(ModelError, match=r"NKQA_TOKENIZER=o999k: .*take nkqa-8k"):
        tokens.token_counter("o999k")


def test_an_encoding_that_cannot_be_fetched_is_an_error_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def offline(name: str) -> tiktoken.Encoding:
        raise ConnectionError(f"no way to {name}")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(ModelError, match="cannot fetch it"):
        tokens.token_counter("o200k_base")

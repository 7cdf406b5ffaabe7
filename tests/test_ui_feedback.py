"""Feedback: kept as JSON lines without an address, only where a file is set."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from nkqa.errors import Unavailable
from nkqa_ui import feedback
from nkqa_ui.feedback import Feedback, FeedbackFile


def given(**other: str) -> Feedback:
    return Feedback.model_validate({"answer": "a1", "question": "Who?", "verdict": "wrong"} | other)


def test_a_line_has_what_was_said_and_nothing_of_who_said_it(tmp_path: Path) -> None:
    file = FeedbackFile(tmp_path / "deep" / "feedback.jsonl", "abc")
    file.add(given(comment='Line\nbreak "quoted" \u2028 مرحبا'))
    file.add(given(verdict="right"))
    first, second = map(json.loads, (tmp_path / "deep" / "feedback.jsonl").read_text("ascii").splitlines())
    assert set(first) == {"at", "corpus", "answer", "question", "verdict", "comment"}
    assert first["comment"] == 'Line\nbreak "quoted" \u2028 مرحبا'
    assert second["verdict"] == "right"
    assert (tmp_path / "deep" / "feedback.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "wrong", [{"verdict": "great"}, {"comment": "x" * 501}, {"question": ""}, {"address": "1.2.3.4"}]
)
def test_what_does_not_fit_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        given(**wrong)


def test_a_flood_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_A_MINUTE", 2)
    file = FeedbackFile(tmp_path / "f", "abc")
    file.add(given())
    file.add(given())
    with pytest.raises(Unavailable, match="try again"):
        file.add(given())


def test_a_full_or_unwritable_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="could not be kept"):
        FeedbackFile(tmp_path, "abc").add(given())
    (tmp_path / "f").write_text("x" * 10)
    monkeypatch.setattr(feedback, "MOST_BYTES", 5)
    with pytest.raises(Unavailable, match="full"):
        FeedbackFile(tmp_path / "f", "abc").add(given())

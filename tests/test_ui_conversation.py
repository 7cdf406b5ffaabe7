"""A conversation: stages shown, history told, faults said in plain words."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from nkqa.engine import Engine
from nkqa.errors import Unavailable
from nkqa.settings import load_settings
from nkqa.types import Ask, Document
from nkqa_ui import conversation
from nkqa_ui.conversation import Asked, Desk, follow
from ui_samples import answered


def ask(
    engine: Engine, question: str, before: list[Asked] | None = None, left_out: tuple[str, ...] = ()
) -> list[Asked]:
    return list(follow(Desk(engine, False), question, before or [], left_out))


def test_an_answer_comes_in_stages_and_the_last_is_done(toy_engine: Engine) -> None:
    *stages, last = ask(toy_engine, "How many wardens will watch the Lake Truce?")
    assert [s.done for s in stages] == [False] * len(stages)
    assert any("The Valley Gazette" in s.html for s in stages)
    assert last.done
    assert last.answer is not None
    assert last.said.startswith("Answer: ")
    assert len({s.key for s in (*stages, last)}) == 1


def test_the_engine_is_told_what_was_said_before(toy_engine: Engine) -> None:
    before = [
        Asked("t1", "How many wardens?", "", "", answered(), True),
        Asked("t2", "?", "", "No.", None, True),
    ]
    told = conversation.history(before)
    assert [(t.role, t.content) for t in told] == [
        ("user", "How many wardens?"),
        ("assistant", answered().answer),
    ]
    assert len(conversation.history(before * 30)) == conversation.TOLD


def test_a_source_left_out_does_not_answer(toy_engine: Engine) -> None:
    *_, last = ask(toy_engine, "How many wardens will watch the Lake Truce?", left_out=("gazette",))
    assert "gazette.example" not in last.html
    assert "Left out, as you chose: After the Lake Truce." in last.html


def test_leaving_every_source_out_is_said(toy_engine: Engine) -> None:
    (only,) = ask(toy_engine, "How many wardens?", left_out=tuple(toy_engine.documents))
    assert only.answer is None
    assert conversation.NO_SOURCE in only.html


def test_a_question_that_cannot_be_asked_is_said(toy_engine: Engine) -> None:
    *_, last = ask(toy_engine, "x" * 1_200)
    assert last.done
    assert last.answer is None
    assert "1,000" in last.said or "1000" in last.said


class Broken:
    """An engine whose stream fails."""

    documents: Mapping[str, Document] = MappingProxyType({})
    settings = load_settings(composer="extractive")

    def __init__(self, error: Exception) -> None:
        self.error = error

    def stream(self, asked: Ask) -> Iterator[object]:
        raise self.error
        yield asked


@pytest.mark.parametrize("secret", ["/etc/passwd", "<script>window.pwned=1</script>"])
def test_a_fault_tells_nothing_of_the_inside(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    engine: Any = Broken(RuntimeError(secret))
    (last,) = follow(Desk(engine, False), "Who?", [], ())
    assert secret not in last.html
    assert "This server made a mistake" in last.html
    assert "fault" in caplog.text


def test_an_error_that_users_can_act_on_is_shown() -> None:
    engine: Any = Broken(Unavailable("The language model does not answer; ask again in a minute."))
    (last,) = follow(Desk(engine, False), "Who?", [], ())
    assert "ask again in a minute" in last.html

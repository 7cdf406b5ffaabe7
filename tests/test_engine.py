"""The engine over the toy corpus."""

import pytest

from nkqa.engine import Engine, Retrieved, Understood
from nkqa.errors import BadQuestion, NotFound
from nkqa.types import Answer, Ask, Filters


def test_a_fact_is_answered_with_its_place(toy_engine: Engine) -> None:
    answer = toy_engine.ask(Ask("When must Southland leave the village of Oldmill?"))
    assert answer.status == "answered"
    first = answer.citations[0]
    assert first.quote == toy_engine.documents[first.document].text[first.start : first.end]


def test_the_stream_ends_in_what_ask_returns(toy_engine: Engine) -> None:
    ask = Ask("How many wardens will watch the Lake Truce?")
    stages = list(toy_engine.stream(ask))
    assert isinstance(stages[0], Understood)
    assert isinstance(stages[1], Retrieved)
    assert isinstance(stages[-1], Answer)
    assert stages[-1] == toy_engine.ask(ask)


def test_filters_leave_sources_out(toy_engine: Engine) -> None:
    answer = toy_engine.ask(
        Ask("How many villagers fled from Oldmill?", filters=Filters(sources=("report",)))
    )
    assert {c.document for c in answer.citations} <= {"report"}


def test_an_unknown_source_is_named(toy_engine: Engine) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        toy_engine.ask(Ask("Who?", filters=Filters(sources=("nowhere",))))


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b", "x" * 1001, "\ud800"])
def test_what_cannot_be_asked_is_refused(toy_engine: Engine, text: str) -> None:
    with pytest.raises(BadQuestion):
        toy_engine.ask(Ask(text))


def test_each_part_of_a_question_is_answered(toy_engine: Engine) -> None:
    parts = ("How many wardens will watch the truce?", "Who is Otto Brandt?")
    asked = Ask(f"{parts[0].rstrip('?')} and {parts[1][0].lower()}{parts[1][1:]}")
    best = [toy_engine.evidence(Ask(part)).evidence[0].claim.text for part in parts]
    said = [s.text for s in toy_engine.ask(asked).sentences]
    assert set(best) <= set(said)


def test_a_part_that_the_sources_leave_open_is_named(toy_engine: Engine) -> None:
    known, open_ = "How many wardens will watch the truce", "how many dragons did Atlantis buy?"
    answer = toy_engine.ask(Ask(f"{known} and {open_}"))
    assert answer.status == "answered"
    assert answer.unanswered == (open_,)
    assert answer.answer.endswith(open_)
    assert toy_engine.ask(Ask(f"{known}?")).unanswered == ()


def test_where_no_part_is_answered_none_is_named(toy_engine: Engine) -> None:
    answer = toy_engine.ask(Ask("Who bought the dragons and how many unicorns did Atlantis buy?"))
    assert answer.status == "abstained"
    assert answer.unanswered == ()

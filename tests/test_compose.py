"""Which sentences an answer is made of, and how they are cited."""

from dataclasses import replace

import numpy as np
import pytest

from nkqa.compose import (
    FACT,
    ROOMS,
    Chosen,
    assemble,
    choose,
    disagreements,
    in_order,
    remarks,
    short_answer,
    sides_of,
    with_sides,
)  # fmt: skip
from nkqa.differ import Difference, Value
from nkqa.engine import Engine
from nkqa.evidence import Evidence
from nkqa.protocols import Vector
from nkqa.types import AnswerSentence, Ask, Position, Span


def some(engine: Engine, *rows: int) -> list[Evidence]:
    passages = [engine.cite(c.document_id, c.index).passage_id for c in engine.claims.all]
    return [Evidence(engine.claims.all[r], passages[r], {}, 0.9 - n / 10) for n, r in enumerate(rows)]


def apart(engine: Engine) -> Vector:
    return np.eye(len(engine.claims.all), dtype=np.float32)


def test_the_ceiling_holds(toy_engine: Engine) -> None:
    assert len(choose(ROOMS["list"], some(toy_engine, 0, 1, 2, 3), apart(toy_engine), 2)) == 2


def test_a_weak_sentence_is_left_out(toy_engine: Engine) -> None:
    strong, weak = some(toy_engine, 0, 1)
    weak = Evidence(weak.claim, weak.passage_id, {}, 0.1)
    assert [c.best for c in choose(FACT, [strong, weak], apart(toy_engine), 5)] == [strong]


def test_no_evidence_is_no_sentence(toy_engine: Engine) -> None:
    assert choose(ROOMS["list"], [], apart(toy_engine), 5) == []


def test_what_two_sources_say_alike_is_one_sentence_with_two_citations(toy_engine: Engine) -> None:
    claims = toy_engine.claims.all
    about_400 = [c.row for c in claims if "400" in c.text]
    assert len({claims[r].document_id for r in about_400}) == 2
    same = np.ones((len(claims), 1), dtype=np.float32)
    chosen = choose(FACT, some(toy_engine, *about_400), same, 5)
    assert len(chosen) == 1
    _, sentences, citations = assemble(chosen, toy_engine.documents, lambda row: f"p{row}")
    assert sentences[0].citations == (1, 2)
    assert {c.document for c in citations} == {claims[r].document_id for r in about_400}


def test_each_side_is_heard_before_a_second_word_of_the_first(toy_engine: Engine) -> None:
    first, second, third = some(toy_engine, 0, 1, 2)
    sides = [frozenset({first.claim.row, second.claim.row}), frozenset({third.claim.row})]
    chosen = choose(ROOMS["compare"], [first, second, third], apart(toy_engine), 2, (), sides)
    assert [c.best for c in chosen] == [first, third]


def test_a_side_that_hardly_bears_on_the_question_is_not_forced_in(toy_engine: Engine) -> None:
    first, second, third = some(toy_engine, 0, 1, 2)
    faint = replace(third, score=0.001)
    chosen = choose(
        ROOMS["compare"], [first, second, faint], apart(toy_engine), 2, (), [frozenset({faint.claim.row})]
    )
    assert [c.best for c in chosen] == [first, second]


def test_what_is_left_open_is_said_after_the_sentences() -> None:
    assert remarks((), ("who came?",)) == ["None of the sources answers: who came?"]
    assert remarks((), ()) == []


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("how do Northland and Southland differ on the lake?", 2),
        ("how does Northland see the lake?", 0),
        ("what do the lecture hall online and the valley gazette say", 2),
        ("how many fled from Northland to Southland", 0),
    ],
)
def test_sides_are_asked_for_by_comparing_or_by_naming_sources(
    text: str, sides: int, toy_engine: Engine
) -> None:
    weighed = toy_engine.evidence(Ask(text))
    assert len(sides_of(weighed.question, weighed.evidence)) == sides


def test_the_best_sentence_comes_first_and_the_others_of_a_passage_in_its_order(toy_engine: Engine) -> None:
    best, last, other, middle, first = (
        replace(e, passage_id=p) for e, p in zip(some(toy_engine, 2, 4, 9, 3, 1), "aabaa", strict=True)
    )
    ordered = in_order([Chosen(e) for e in (best, last, other, middle, first)])
    assert [c.best.claim.row for c in ordered] == [2, 1, 3, 4, 9]


def test_a_side_is_shown_by_its_best_claim_and_in_the_words_that_are_cited(toy_engine: Engine) -> None:
    first, weak, strong = some(toy_engine, 0, 3, 5)
    weak = replace(weak, score=0.1)
    sides = ((Value(first, Span(0, 3)),), (Value(weak, Span(0, 5)), Value(strong, Span(0, 7))))
    differing = Difference("the lake", sides)
    chosen = with_sides([Chosen(first)], differing)
    assert [c.best for c in chosen] == [first, strong]
    _, _, citations = assemble(chosen, toy_engine.documents, lambda row: f"p{row}")
    (shown,) = disagreements(differing, citations)
    assert [p.value for p in shown.positions] == [first.claim.text[:3], strong.claim.text[:7]]
    assert [p.citations for p in shown.positions] == [(1,), (2,)]
    _, _, both = assemble(
        [Chosen(first), Chosen(strong), Chosen(weak)], toy_engine.documents, lambda row: f"p{row}"
    )
    (most_telling,) = disagreements(differing, both)
    assert most_telling.positions[1] == Position(
        weak.claim.text[:5], (2, 3), (strong.claim.text[:7], weak.claim.text[:5])
    )
    assert most_telling.positions[1].wordings() == {weak.claim.text[:5]: [3], strong.claim.text[:7]: [2]}
    other = Chosen(some(toy_engine, 7)[0])
    heard = with_sides([Chosen(first), other], differing, 2)
    assert [c.best for c in heard] == [first, other.best, strong]


def test_every_sentence_is_the_slice_it_cites(toy_engine: Engine) -> None:
    for text in ("Who promised boats?", "How much will the harbour cost?", "Why did Westland wait?"):
        answer = toy_engine.ask(Ask(text))
        for sentence in answer.sentences:
            quotes = [answer.citations[n - 1] for n in sentence.citations]
            assert quotes[0].quote == sentence.text
        for c in answer.citations:
            assert toy_engine.documents[c.document].text[c.start : c.end] == c.quote


@pytest.mark.parametrize(
    ("foreseen", "sure", "value", "shown"),
    [
        (Span(0, 3), 0.9, Span(8, 9), (0, 3)),
        (None, 0.9, Span(8, 9), (4, 7)),
        (None, 0.1, Span(8, 9), (8, 9)),
        (None, 0.1, None, None),
    ],
)
def test_the_short_answer_is_a_slice_of_the_first_sentence(
    foreseen: Span | None, sure: float, value: Span | None, shown: tuple[int, int] | None, toy_engine: Engine
) -> None:
    best = replace(some(toy_engine, 0)[0], answer=Span(4, 7), answer_score=sure)
    sentence = AnswerSentence(best.claim.text, (1,), 0.9)
    found = short_answer([sentence], best, foreseen, value)
    assert shown == (None if found is None else (found.start, found.end))
    assert found is None or sentence.text[found.start : found.end] == found.text

"""Follow-up questions, made from names near the cited claims."""

from dataclasses import replace

import numpy as np
import pytest

from nkqa.engine import Engine
from nkqa.foreseen import Foreseen, Foresight
from nkqa.suggest import MOST, suggest, suggest_foreseen
from nkqa.types import Ask


def suggested(engine: Engine, *, answerable: bool) -> tuple[str, ...]:
    weighed = engine.evidence(Ask("How many wardens will watch the truce?"))
    claims = engine.claims
    cited = [weighed.evidence[0].claim]
    return suggest(weighed.question, cited, claims.all, claims, engine.names, lambda _: answerable)


def test_only_what_the_corpus_answers_is_suggested(toy_engine: Engine) -> None:
    assert suggested(toy_engine, answerable=False) == ()


def test_suggestions_are_few_and_ask_for_names_that_were_not_mentioned(toy_engine: Engine) -> None:
    made = suggested(toy_engine, answerable=True)
    assert 0 < len(made) <= MOST
    assert all(text.endswith("?") for text in made)
    assert not [text for text in made if "Westland" in text]


def test_a_person_is_asked_after_by_what_was_said(toy_engine: Engine) -> None:
    weighed = toy_engine.evidence(Ask("Which boats may stay?"))
    lund = [c for c in toy_engine.claims.all if "Vera Lund" in c.text]
    cited = [weighed.evidence[-1].claim]
    made = suggest(weighed.question, cited, lund, toy_engine.claims, toy_engine.names, lambda _: True)
    assert "What did Vera Lund say?" in made


@pytest.mark.parametrize(
    ("text", "cosine", "suggested"),
    [
        ("Who guards the road to Oldmill at night?", 0.5, True),
        ("Who guards the road to Oldmill at night?", 0.9, False),
        ("who guards the road to oldmill at night", 0.5, False),
        ("Who guards the road over there at night?", 0.5, False),
        ("Oldmill?", 0.5, False),
    ],
)
def test_a_foreseen_question_is_suggested_where_it_can_be_read_alone_and_is_another(
    toy_engine: Engine, text: str, cosine: float, suggested: bool
) -> None:
    first, second = toy_engine.claims.all[:2]
    asked = Foreseen(text, "answered", ((second.document_id, second.index),))
    vectors = np.array([[cosine, (1 - cosine**2) ** 0.5]], dtype=np.float32)
    as_they_are = np.eye(2, dtype=np.float32)
    foresight = Foresight([asked], vectors, as_they_are, {second.document_id: 0}, as_they_are)
    query = np.array([1.0, 0.0], dtype=np.float32)
    near, names = [first, second], toy_engine.names
    assert suggest_foreseen(query, [first], near, foresight, names) == ((text,) if suggested else ())
    assert suggest_foreseen(query, [second], near, foresight, names) == ()
    published = [replace(claim, citing=True) for claim in near]
    assert suggest_foreseen(query, [first], published, foresight, names) == ()

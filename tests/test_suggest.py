"""Follow-up questions, made from names near the cited claims."""

from nkqa.engine import Engine
from nkqa.suggest import MOST, suggest
from nkqa.types import Ask


def suggested(engine: Engine, *, answerable: bool) -> tuple[str, ...]:
    question, evidence = engine.evidence(Ask("How many wardens will watch the truce?"))
    claims = engine.claims
    cited = [evidence[0].claim]
    return suggest(question, cited, claims.all, claims, engine.names, lambda _: answerable)


def test_only_what_the_corpus_answers_is_suggested(toy_engine: Engine) -> None:
    assert suggested(toy_engine, answerable=False) == ()


def test_suggestions_are_few_and_ask_for_names_that_were_not_mentioned(toy_engine: Engine) -> None:
    made = suggested(toy_engine, answerable=True)
    assert 0 < len(made) <= MOST
    assert all(text.endswith("?") for text in made)
    assert not [text for text in made if "Westland" in text]


def test_a_person_is_asked_after_by_what_was_said(toy_engine: Engine) -> None:
    question, evidence = toy_engine.evidence(Ask("Which boats may stay?"))
    lund = [c for c in toy_engine.claims.all if "Vera Lund" in c.text]
    made = suggest(question, [evidence[-1].claim], lund, toy_engine.claims, toy_engine.names, lambda _: True)
    assert "What did Vera Lund say?" in made

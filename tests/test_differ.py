"""Where claims differ, and where they only look as if they did."""

import numpy as np
import pytest

from nkqa.asking import Kind, asks_the_same
from nkqa.differ import Difference, difference, false_premise, values_in
from nkqa.differences import Known, Side
from nkqa.evidence import Claims, Evidence
from nkqa.names import Gazetteer
from nkqa.protocols import Vector
from nkqa.question import Question, Vocabulary, understand
from nkqa.types import Document, Locator, Sentence, Source, Span

NOTHING = Gazetteer()
PLACE = Locator("paragraph", "para. 1", None, paragraph=1)


def document(name: str, text: str) -> Document:
    source = Source(
        name, "report", name, (name,), name, "", "2011-05", None, "en", "newsroom", "paragraph", ""
    )
    return Document(name, source, text, (Sentence(0, len(text), "", 0, PLACE),))


def question(text: str) -> Question:
    return understand(text, [], NOTHING, Vocabulary(frozenset(), frozenset({2011}), 2011, 12))


def evidence(*texts: str, pointing: tuple[str, ...] = ()) -> list[Evidence]:
    claims = Claims([document(f"d{i}", t) for i, t in enumerate(texts)], NOTHING)
    found = []
    for i, claim in enumerate(claims.all):
        at = claim.text.find(pointing[i]) if pointing else -1
        span = Span(at, at + len(pointing[i])) if at >= 0 else None
        found.append(Evidence(claim, f"p{i}", {}, 0.9 - i / 100, span, 0.9 if span else 0.0))
    return found


def alike(n: int) -> Vector:
    return np.full((n, 4), 0.5, dtype=np.float32)


def differences(
    asked: Question, found: list[Evidence], vectors: Vector, names: Gazetteer
) -> Difference | None:
    return difference(values_in(asked, found, names), vectors)


def test_figures_that_cannot_both_hold_are_two_sides() -> None:
    found = evidence("About 500,000 villagers will return.", "Up to 1 million villagers could return.")
    found_out = differences(question("How many villagers will return?"), found, alike(2), NOTHING)
    assert found_out is not None
    assert [side[0].text for side in found_out.sides] == ["About 500,000", "Up to 1 million"]


def test_between_sources_that_editors_compared_only_what_they_confirmed_differs() -> None:
    found = evidence("About 500,000 villagers will return.", "Up to 1 million villagers could return.")
    values = values_in(question("How many villagers will return?"), found, NOTHING)
    assert difference(values, alike(2), {"d0"}) is not None
    assert difference(values, alike(2), {"d0", "d1"}) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Almost 2,000 wardens came.", "The truce sends 1,960 wardens."),
        ("About 2,000 wardens came.", "Some 2,000 wardens came."),
        ("Between 100 and 200 wardens came.", "There were 150 wardens."),
    ],
)
def test_rounding_is_agreement(one: str, other: str) -> None:
    assert differences(question("How many wardens came?"), evidence(one, other), alike(2), NOTHING) is None


def test_the_end_of_a_month_is_not_its_first_day() -> None:
    found = evidence("Oldmill is left by 1 December 2011.", "Oldmill is left by the end of December 2011.")
    found_out = differences(question("When is Oldmill left?"), found, alike(2), NOTHING)
    assert found_out is not None
    assert len(found_out.sides) == 2


def test_a_month_agrees_with_a_day_in_it() -> None:
    found = evidence("Oldmill is left on 1 December 2011.", "Oldmill is left in December 2011.")
    assert differences(question("When is Oldmill left?"), found, alike(2), NOTHING) is None


def test_other_units_are_other_things() -> None:
    found = evidence("About 75% of the villagers fled.", "The 500 villagers fled.")
    assert differences(question("How many villagers fled?"), found, alike(2), NOTHING) is None


def test_claims_far_apart_in_meaning_are_not_compared() -> None:
    apart = np.eye(2, dtype=np.float32)
    found = evidence("About 500,000 villagers will return.", "Up to 1 million villagers could return.")
    assert differences(question("How many villagers will return?"), found, apart, NOTHING) is None


@pytest.mark.parametrize(
    ("asked", "claim", "contradicted"),
    [
        ("Why do 60% of the people speak Pellish?", "Only 6% of the people speak Pellish.", True),
        ("Why did the 400 wardens wait?", "Almost 400 wardens waited.", False),
        ("Why did the truce of 5 May 2011 fail?", "The truce of 2 May 2011 failed.", True),
        ("Why did the truce of May 2011 fail?", "The truce of 2 May 2011 failed.", False),
        ("Did 60% of the people speak Pellish?", "Only 6% of the people speak Pellish.", False),
    ],
)
def test_false_premises(asked: str, claim: str, contradicted: bool) -> None:
    assert false_premise(question(asked), evidence(claim)) is contradicted


def known(*sources: str) -> Known:
    return Known("depth", "how deep the lake is", tuple((Side(name, 0, 0, 5),) for name in sources))


def test_a_confirmed_difference_is_kept_between_the_sources_that_may_answer() -> None:
    left = known("a", "b", "c").between({"a", "c"})
    assert left is not None
    assert [p[0].document_id for p in left.positions] == ["a", "c"]


def test_one_position_alone_is_no_difference() -> None:
    assert known("a", "b").between({"a"}) is None


@pytest.mark.parametrize(
    ("claim", "value"), [("The 40 wardens stayed 5 years.", "5 years"), ("40 wardens stayed.", None)]
)
def test_how_long_asks_for_a_time(claim: str, value: str | None) -> None:
    found = values_in(question("How long did they stay?"), evidence(claim), NOTHING)
    assert [claim[v.span.start : v.span.end + len(" years")] for v in found] == ([value] if value else [])


@pytest.mark.parametrize(
    ("asked", "about", "same"),
    [
        ("how_many", "how_many", True),
        ("how_many", "how_much", False),
        ("how_many", "where", False),
        ("when", "which", False),
        ("why", "why", True),
        ("why", "how_many", False),
        ("which", "keyword", True),
        ("which", "how_many", False),
        ("define", "which", True),
        ("yes_no", "how_many", True),
        ("compare", "where", True),
    ],
)
def test_a_question_is_on_a_difference_of_its_kind(asked: Kind, about: Kind, same: bool) -> None:
    assert asks_the_same(asked, about) is same

"""Passages: whole sentences of one section under a budget, exact slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkqa.errors import CorpusError
from nkqa.passages import cut, index_text
from nkqa.types import Document, Locator, Sentence, Source

SOURCE = Source(
    "doc", "report", "A Title", ("A",), "P", "", "2020-11-09", None, "en", "newsroom", "page", "R"
)  # fmt: skip
PLACE = Locator("page", "p. 1", None, page=1)


def words_of(text: str) -> int:
    return len(text.split())


def document(paragraphs: list[tuple[str, list[int]]]) -> Document:
    """A document of paragraphs, each a heading and the number of words of its sentences."""
    text, sentences = "", []
    for number, (heading, sizes) in enumerate(paragraphs):
        text += "\n\n" if text else ""
        for place, size in enumerate(sizes):
            text += " " if place else ""
            start = len(text)
            text += " ".join(["w"] * size)
            sentences.append(Sentence(start, len(text), heading, number, PLACE))
    return Document("doc", SOURCE, text, tuple(sentences))


def spans(paragraphs: list[tuple[str, list[int]]], budget: int) -> list[tuple[int, int]]:
    return [(p.first, p.last) for p in cut(document(paragraphs), words_of, budget)]


def test_a_paragraph_within_the_budget_is_one_passage() -> None:
    assert spans([("A", [4, 4, 4])], 12) == [(0, 2)]


def test_a_long_paragraph_is_cut_into_nearly_equal_pieces() -> None:
    assert spans([("A", [4, 4, 4, 4])], 12) == [(0, 1), (2, 3)]


def test_short_neighbours_of_one_section_go_together_up_to_half_the_budget() -> None:
    assert spans([("A", [3]), ("A", [3]), ("A", [3])], 12) == [(0, 1), (2, 2)]


def test_sections_stay_apart() -> None:
    assert spans([("A", [1]), ("B", [1])], 100) == [(0, 0), (1, 1)]


def test_a_sentence_over_the_budget_is_refused() -> None:
    with pytest.raises(CorpusError, match=r"doc: the sentence at 0 has 13 tokens and a passage 12 at most"):
        cut(document([("A", [13])]), words_of, 12)


def test_a_passage_carries_what_is_searched_and_what_is_quoted() -> None:
    whole = document([("A > B", [2, 2])])
    (passage,) = cut(whole, words_of, 12)
    assert (passage.id, passage.document_id, passage.heading) == ("doc:000", "doc", "A > B")
    assert passage.text == whole.text == "w w w w"
    assert passage.index_text == index_text(whole, "A > B", "w w w w") == "A Title. A. B. w w w w"


def dear_joins(text: str) -> int:
    """A counter to which the join of two sentences costs a token of its own, as it does in BPE."""
    return 2 * len(text.split()) - 1 if text else 0


SHAPES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.lists(st.integers(1, 12), min_size=1, max_size=8)),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("count", [words_of, dear_joins])
@given(shape=SHAPES)
def test_every_sentence_is_in_exactly_one_passage_within_the_budget(
    count: object, shape: list[tuple[str, list[int]]]
) -> None:
    assert callable(count)
    whole = document(shape)
    passages = cut(whole, count, 24)
    assert [i for p in passages for i in range(p.first, p.last + 1)] == list(range(len(whole.sentences)))
    for passage in passages:
        inside = whole.sentences[passage.first : passage.last + 1]
        assert whole.text[passage.start : passage.end] == passage.text
        assert (inside[0].start, inside[-1].end) == (passage.start, passage.end)
        assert {s.heading for s in inside} == {passage.heading}
        assert count(passage.text) <= 24
    assert [p.id for p in passages] == [f"doc:{n:03d}" for n in range(len(passages))]

"""Paragraphs in hand -> a document: nothing lost, every sentence a slice, every sentence under the budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkqa.formats import document_from_paragraphs
from nkqa.formats.cut import BUDGET, counter, sentence_spans
from nkqa.passages import cut

LONG = "The council met again, " * 400 + "and that was all."


def test_sentences_are_slices_with_places() -> None:
    paragraphs = ["Dr. Lee came. She left at 5 p.m. on Monday.", "", "It rained."]
    document = document_from_paragraphs("a", "A", paragraphs)
    quotes = [document.text[s.start : s.end] for s in document.sentences]
    assert quotes == ["Dr. Lee came.", "She left at 5 p.m. on Monday.", "It rained."]
    assert [s.locator.label for s in document.sentences] == ["para. 1", "para. 1", "para. 3"]
    assert [s.paragraph for s in document.sentences] == [0, 0, 2]
    assert document.id == document.source.id == "a"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), max_size=5))
def test_no_text_is_lost(paragraphs: list[str]) -> None:
    document = document_from_paragraphs("a", "A", paragraphs)
    quoted = "".join(document.text[s.start : s.end] for s in document.sentences)
    assert "".join(quoted.split()) == "".join("".join(paragraphs).split())


@pytest.mark.parametrize("text", [LONG, "a" * 50_000, "." * 3000, "é " * 3000, "Ա" * 4000])
def test_what_is_over_the_budget_is_cut(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join(text[s.start : s.end] for s in spans).replace(" ", "") == text.replace(" ", "")
    assert all(counter()(text[s.start : s.end]) <= BUDGET for s in spans)
    assert cut(document_from_paragraphs("a", "A", [text]), counter(), BUDGET)


def test_a_figure_is_not_cut_at_its_comma() -> None:
    text = "There were 1,960 of them and " * 60
    assert not any(text[s.start : s.end].startswith("960") for s in sentence_spans(text))

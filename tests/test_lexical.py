"""BM25 over terms."""

import math
from pathlib import Path

import numpy as np
import pytest

from nkqa.lexical import BM25, K1, B, search_terms
from nkqa.names import Gazetteer, Name

DOCUMENTS = [["truce", "lake", "truce"], ["warden", "lake"], ["village"], []]


def by_hand(query: str, document: list[str]) -> float:
    """Lucene's BM25 (Kamphuis et al. 2020) of one term; an empty document counts as one term long."""
    lengths = [max(1, len(d)) for d in DOCUMENTS]
    holding = sum(query in d for d in DOCUMENTS)
    idf = math.log(1 + (len(DOCUMENTS) - holding + 0.5) / (holding + 0.5))
    frequency = document.count(query)
    length = max(1, len(document)) / (sum(lengths) / len(lengths))
    return idf * frequency / (frequency + K1 * (1 - B + B * length))


@pytest.mark.parametrize("query", ["truce", "lake", "village", "nowhere"])
def test_scores_are_those_worked_out_by_hand(query: str) -> None:
    scores = BM25.build(DOCUMENTS).scores([query])
    assert scores == pytest.approx([by_hand(query, d) for d in DOCUMENTS], abs=1e-5)


def test_terms_add_up_and_one_said_twice_counts_once() -> None:
    index = BM25.build(DOCUMENTS)
    both = index.scores(["truce", "lake"])
    assert both == pytest.approx(index.scores(["truce"]) + index.scores(["lake"]), abs=1e-5)
    assert index.scores(["lake", "lake", "truce"]) == pytest.approx(both)


@pytest.mark.parametrize("query", [[], ["nowhere"], ["\0x"]])
def test_a_query_without_a_known_term_scores_nothing(query: list[str]) -> None:
    scores = BM25.build(DOCUMENTS).scores(query)
    assert scores.shape == (4,)
    assert not scores.any()


def test_a_single_passage_and_an_empty_one_can_be_indexed() -> None:
    assert BM25.build([["truce"]]).scores(["truce"])[0] > 0
    assert not BM25.build([[]]).scores(["truce"]).any()


def test_a_saved_index_scores_the_same(tmp_path: Path) -> None:
    built = BM25.build(DOCUMENTS)
    built.save(tmp_path / "bm25")
    read = BM25.load(tmp_path / "bm25", len(DOCUMENTS))
    assert np.array_equal(read.scores(["lake", "warden"]), built.scores(["lake", "warden"]))


def test_all_spellings_of_a_name_share_a_term() -> None:
    names = Gazetteer([Name("oldmill", "place", ("Oldmill", "Старимлин"), "A village.")])
    assert search_terms("In Старимлин", names)[-1] == search_terms("in oldmill", names)[-1] == "@oldmill"

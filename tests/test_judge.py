"""Features to probabilities."""

import math

import pytest

from nkqa.judge import Logistic, load_judge, logit, summary


def test_a_logistic_regression_by_hand() -> None:
    model = Logistic(-1.0, {"a": 2.0, "b": -1.0})
    assert model.probability({"a": 1.0, "b": 0.5}) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert model.probability({}) == pytest.approx(1 / (1 + math.e))


def test_log_odds_are_cut() -> None:
    assert logit(0.5) == 0.0
    assert logit(1.0) == pytest.approx(8, abs=0.02)
    assert logit(0.0) == pytest.approx(-8, abs=0.02)


def test_no_sentence_is_a_feature_of_its_own() -> None:
    assert summary([], [], {"terms": 0.5}) == {"terms": 0.5, "nothing": 1.0}


@pytest.mark.parametrize("reader", [True, False])
@pytest.mark.parametrize("questions", [True, False])
def test_the_fitted_weights_can_be_read(reader: bool, questions: bool) -> None:
    judge = load_judge(reader=reader, questions=questions)
    assert 0 < judge.threshold < 1
    assert ("window" in judge.sentence.weights) is reader
    assert ("asked" in judge.sentence.weights) is questions

"""The matrix that is learnt from foreseen questions: on made-up vectors whose telling directions are known."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nkqa import adapter
from nkqa.foreseen import Foreseen, Verdict
from nkqa.protocols import Vector

SENTENCES, EACH = 80, 4
TELLING, NOISY = 12, 12
"""Dimensions that say which sentence is meant, and louder ones that say nothing."""


def unit(vectors: npt.NDArray[np.floating]) -> Vector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def made(sentences: int = SENTENCES, seed: int = 7) -> tuple[list[Foreseen], Vector, Vector]:
    """Questions that are their sentence's direction under noise."""
    random = np.random.default_rng(seed)
    meant = random.normal(size=(sentences, TELLING))
    asked = np.repeat(meant, EACH, axis=0)
    told = [np.hstack([v, 2 * random.normal(size=(len(v), NOISY))]) for v in (asked, meant)]
    questions = [
        Foreseen(f"q{row}.{n}", "answered", (("d", row),), "words" if n < 2 else "")
        for row in range(sentences)
        for n in range(EACH)
    ]
    return questions, unit(told[0]), unit(told[1])


def found(questions: list[Foreseen], vectors: Vector, sentences: Vector, matrix: Vector) -> float:
    """The share of questions whose own sentence is the nearest."""
    near = unit(vectors @ matrix) @ unit(sentences @ matrix).T
    return float(np.mean(near.argmax(axis=1) == [q.places[0][1] for q in questions]))


def test_what_is_learnt_holds_for_questions_that_were_not_learnt_from() -> None:
    questions, vectors, sentences = made()
    learnt = [n for n in range(len(questions)) if n % EACH]
    matrix = adapter.learn([questions[n] for n in learnt], vectors[learnt], sentences, {"d": 0})
    new = [n for n in range(len(questions)) if n % EACH == 0]
    asked = [questions[n] for n in new], vectors[new], sentences
    plain = np.eye(sentences.shape[1], dtype=np.float32)
    assert found(*asked, plain) < 0.5
    assert found(*asked, matrix) > found(*asked, plain) + 0.2


def test_the_same_questions_teach_the_same() -> None:
    given = *made(), {"d": 0}
    assert np.array_equal(adapter.learn(*given), adapter.learn(*given))


def test_too_few_questions_teach_nothing() -> None:
    questions, vectors, sentences = made(sentences=adapter.LEAST // 4)
    assert np.array_equal(adapter.learn(questions, vectors, sentences, {"d": 0}), np.eye(TELLING + NOISY))


def test_without_questions_nothing_is_learnt() -> None:
    sentences = made()[2]
    assert np.array_equal(adapter.learn([], sentences[:0], sentences, {"d": 0}), np.eye(TELLING + NOISY))


@pytest.mark.parametrize("verdict", ["unanswered", "contradicted"])
def test_what_a_sentence_does_not_answer_is_kept_away_from_what_it_answers(verdict: Verdict) -> None:
    questions, vectors, sentences = made()
    # One that stays unanswered lies between an answered one and one that another sentence answers.
    missed = [Foreseen(f"m{row}", verdict, (("d", row),)) for row in range(SENTENCES)]
    beside = unit(0.7 * vectors[::EACH] + 0.7 * np.roll(vectors[1::EACH], -EACH, axis=0))
    together = np.concatenate([vectors, beside])

    def closeness(matrix: Vector) -> float:
        return float(np.mean(np.sum(unit(vectors[::EACH] @ matrix) * unit(beside @ matrix), axis=1)))

    without = adapter.learn(questions, vectors, sentences, {"d": 0})
    learnt = adapter.learn([*questions, *missed], together, sentences, {"d": 0})
    assert closeness(learnt) < closeness(without)


def test_the_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    adapter.learn(*made(), {"d": 0})
    assert torch.get_num_threads() == before

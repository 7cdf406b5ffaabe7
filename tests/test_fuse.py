"""The convex mix of two scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nkqa.fuse import convex, with_asked


def test_the_mix_is_the_one_worked_out_by_hand() -> None:
    lexical = np.array([4.0, 2.0, 0.0], dtype=np.float32)
    cosine = np.array([0.0, 0.6, -1.0], dtype=np.float32)
    # 0.3 * 4/4 + 0.7 * 1.0/1.6 = 0.7375;  0.3 * 2/4 + 0.7 * 1.6/1.6 = 0.85;  0.3 * 0 + 0.7 * 0 = 0
    assert convex(lexical, cosine) == pytest.approx([0.7375, 0.85, 0.0])


def test_one_kind_of_score_alone_is_enough() -> None:
    nothing, none_near = np.zeros(2, dtype=np.float32), np.full(2, -1.0, dtype=np.float32)
    some = np.array([0.5, 1.0], dtype=np.float32)
    assert convex(some, none_near) == pytest.approx([0.15, 0.3])
    assert convex(nothing, some) == pytest.approx([0.7 * 1.5 / 2, 0.7])
    assert convex(nothing, none_near) == pytest.approx([0.0, 0.0])
    assert convex(nothing[:0], nothing[:0]).shape == (0,)


def scores(low: float, high: float) -> st.SearchStrategy[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return arrays(np.float32, 6, elements=st.floats(low, high, width=32))


@given(scores(0, 50), scores(-1, 1), st.floats(0, 1))
def test_a_mix_is_between_nothing_and_one_and_keeps_the_order_both_agree_on(
    lexical: np.ndarray[tuple[int], np.dtype[np.float32]],
    cosine: np.ndarray[tuple[int], np.dtype[np.float32]],
    weight: float,
) -> None:
    mixed = convex(lexical, cosine, weight)
    assert ((mixed >= 0) & (mixed <= 1 + 1e-5)).all()
    for i in range(6):
        for j in range(6):
            if lexical[i] >= lexical[j] and cosine[i] >= cosine[j]:
                assert mixed[i] >= mixed[j] - 1e-6


def test_a_passage_whose_questions_are_near_rises() -> None:
    score = np.array([1.0, 0.5], dtype=np.float32)
    asked = np.array([0.0, 1.0], dtype=np.float32)
    # 0.35 * 1 + 0.65 * 1/2 = 0.675;  0.35 * 0.5 + 0.65 * 2/2 = 0.825
    assert with_asked(score, asked, 0.65) == pytest.approx([0.675, 0.825])

"""Several scores of the same passages to one: a convex mix of normalised scores."""

import numpy as np

from nkqa.protocols import Vector

LEXICAL_WEIGHT = 0.3
"""Against 0.7 for dense: best on 2,107 questions over 468 paragraphs, before reciprocal rank fusion."""
ASKED_WEIGHT = 0.85
"""Of foreseen questions against both, where there are any."""


def convex(lexical: Vector, cosine: Vector, weight: float = LEXICAL_WEIGHT) -> Vector:
    """Return `weight * lexical/max + (1 - weight) * (cosine + 1)/(max + 1)`, each 0 to 1, shape as given.

    Theoretical minima are used for normalising, not those of this question (Bruch et al. 2023), so that a
    passage is not pushed to 0 for being the least of good ones.
    """
    best_lexical = float(lexical.max(initial=0.0))
    words = lexical / best_lexical if best_lexical > 0 else np.zeros_like(lexical)
    return np.asarray(weight * words + (1 - weight) * _of_best(cosine), dtype=np.float32)


def with_asked(score: Vector, asked: Vector, weight: float = ASKED_WEIGHT) -> Vector:
    """Return the scores mixed with how much foreseen questions say that each passage bears on it, shape as given."""
    return np.asarray((1 - weight) * score + weight * _of_best(asked), dtype=np.float32)


def _of_best(cosine: Vector) -> Vector:
    best = float(cosine.max(initial=-1.0))
    return (cosine + 1) / (best + 1) if best > -1 else np.zeros_like(cosine)

"""Several scores of the same passages to one: a convex mix of normalised scores."""

import numpy as np

from nkqa.protocols import Vector

LEXICAL_WEIGHT = 0.3
"""Against 0.7 for dense: best on 2,107 questions over 468 paragraphs, before reciprocal rank fusion."""


def convex(lexical: Vector, cosine: Vector, weight: float = LEXICAL_WEIGHT) -> Vector:
    """Return `weight * lexical/max + (1 - weight) * (cosine + 1)/(max + 1)`, each 0 to 1, shape as given.

    Theoretical minima are used for normalising, not those of this question (Bruch et al. 2023), so that a
    passage is not pushed to 0 for being the least of good ones.
    """
    best_lexical, best_cosine = float(lexical.max(initial=0.0)), float(cosine.max(initial=-1.0))
    words = lexical / best_lexical if best_lexical > 0 else np.zeros_like(lexical)
    meaning = (cosine + 1) / (best_cosine + 1) if best_cosine > -1 else np.zeros_like(cosine)
    return np.asarray(weight * words + (1 - weight) * meaning, dtype=np.float32)

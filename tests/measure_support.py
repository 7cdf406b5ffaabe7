"""How well `llm.unsupported` tells borne out from not: `python tests/measure_support.py`, with an index built.

Borne out: a sentence of the corpus, shortened, with itself as evidence. Not: the same with the nearest other
sentence as evidence, which is what a model that cites wrongly would do.
"""

import itertools
import random
import re

import numpy as np

from nkqa import llm
from nkqa.engine import open_engine
from nkqa.index import open_index
from nkqa.settings import load_settings


def shorter(text: str) -> str:
    """Return the sentence without brackets, and without what follows its first clause where that is one."""
    bare = re.sub(r"\s*\([^)]*\)", "", text)
    first = bare.split(", ")[0]
    return (first if len(first.split()) >= 6 else bare).rstrip(".") + "."


def main() -> None:
    """Print the share kept of each, by both thresholds."""
    settings = load_settings(reader="off")
    engine, index = open_engine(settings), open_index(settings)
    texts = [d.text[s.start : s.end] for d in engine.documents.values() for s in d.sentences]
    vectors = index.sentence_vectors
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)

    def similarity(one: str, other: str) -> float:
        return float(index.encoder.embed_query(one) @ index.encoder.embed_query(other))

    chosen = random.Random(1).sample(range(len(texts)), min(300, len(texts)))
    right = [(shorter(texts[i]), texts[i]) for i in chosen]
    wrong = [(shorter(texts[i]), texts[int(cosines[i].argmax())]) for i in chosen]
    for lexical, cosine in itertools.product((0.5, 0.6, 0.7, 0.8), (0.5, 0.6, 0.7)):
        llm.LEXICAL, llm.COSINE = lexical, cosine
        kept = [
            sum(not llm.unsupported(s, [e], engine.names, similarity) for s, e in p) / len(p)
            for p in (right, wrong)
        ]
        print(f"words {lexical}, cosine {cosine}: borne out {kept[0]:.3f}, wrongly cited {kept[1]:.3f}")


if __name__ == "__main__":
    main()

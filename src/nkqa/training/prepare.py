"""Reads the data sets and finds what hard examples are made from: vectors, near words, likest names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from nkqa.training.data import HELD_OUT, Alike, Article, add_hard, add_stock, plain, read_pairs, read_squad
from nkqa.training.model import embed, nearest_words
from nkqa.training.nearmisses import add_near_misses
from nkqa.training.paragraphs import read_paragraphs
from nkqa.training.swaps import names_in, near_words

SQUAD = ("squad-1.1-dev-32-articles.json.gz", "squad-2.0-train-10-articles.json.gz")
PAIRS = "squad-1.1-train-sentence-question-pairs.tsv.gz"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Articles to learn from and whole articles to measure on, with the vectors of all their texts."""

    training: list[Article]
    held_out: list[Article]
    vectors: dict[str, npt.NDArray[np.float32]]


def prepare(
    data: Path, model: Path, tokenizer: Tokenizer, cache: Path, extra: Sequence[Article] = ()
) -> Prepared:
    """Read the three files of `data`; the folder `cache` keeps the vectors. Takes minutes the first time."""
    articles = [article for name in SQUAD for article in read_squad(data / name)]
    held_out = [article for article in articles if article.title in HELD_OUT]
    leave_out = {plain(question.text) for article in held_out for question in article.questions}
    training = [article for article in articles if article.title not in HELD_OUT]
    training += read_pairs(data / PAIRS, leave_out)
    add_near_misses(training)
    training += read_paragraphs()
    training += extra
    vectors = _vectors([*training, *held_out], model, tokenizer, cache)
    near = nearest_words(model, tokenizer)
    table = near_words(list(near), lambda word: near[word])
    for lot in (training, held_out):
        add_hard(lot, vectors)
        add_stock(lot, table, Alike(vectors))
    return Prepared(training, held_out, vectors)


def _texts(articles: Sequence[Article]) -> list[str]:
    found: dict[str, None] = {}
    for article in articles:
        sentences = [s for paragraph in article.paragraphs for s in paragraph]
        questions = [question.text for question in article.questions]
        found.update(dict.fromkeys(sentences + questions))
        found.update(dict.fromkeys(names_in(" ".join(sentences))))
        found.update(dict.fromkeys(name for question in questions for name in names_in(question)))
    return list(found)


def _vectors(
    articles: Sequence[Article], model: Path, tokenizer: Tokenizer, cache: Path
) -> dict[str, npt.NDArray[np.float32]]:
    cache.mkdir(parents=True, exist_ok=True)
    known: dict[str, npt.NDArray[np.float32]] = {}
    kept = cache / "vectors.npz"
    if kept.is_file():
        with np.load(kept) as data:
            known = dict(zip(data["texts"].tolist(), data["vectors"], strict=True))
    texts = _texts(articles)
    missing = [text for text in texts if text not in known]
    if missing:
        known.update(zip(missing, embed(model, tokenizer, missing), strict=True))
        np.savez(kept, texts=np.asarray(list(known)), vectors=np.stack(list(known.values())))
    return {text: known[text] for text in texts}

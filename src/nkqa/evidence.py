"""Which sentences bear on a question: every feature of a sentence, and one score made of them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nkqa.dates import dates_in
from nkqa.figures import figures_in
from nkqa.lexical import search_terms
from nkqa.names import Gazetteer
from nkqa.protocols import Vector
from nkqa.question import Kind, Question
from nkqa.types import Document, Hit


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the corpus with what is known of it before any question.

    `row` is its place among all sentences; `terms` are those of the sentence, `context` those of its
    heading and title.
    """

    document_id: str
    index: int
    row: int
    text: str
    terms: frozenset[str]
    context: frozenset[str]
    has_date: bool
    has_figure: bool
    has_person: bool
    has_body: bool
    has_place: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim seen from a question. All features lie in -1..1 or 0..1; `score` is 0..1, higher is better."""

    claim: Claim
    passage_id: str
    cosine: float
    coverage: float
    context: float
    passage: float
    expected: float
    score: float


class Claims:
    """All sentences of the documents in order, and how rare each term is among them."""

    def __init__(self, documents: Iterable[Document], names: Gazetteer) -> None:
        self.all: list[Claim] = []
        seen: Counter[str] = Counter()
        contexts: dict[tuple[str, str], frozenset[str]] = {}
        for document in documents:
            for index, sentence in enumerate(document.sentences):
                text = document.text[sentence.start : sentence.end]
                key = (document.id, sentence.heading)
                if key not in contexts:
                    contexts[key] = frozenset(search_terms(f"{document.source.title} {sentence.heading}", names))
                claim = _claim(document.id, index, len(self.all), text, contexts[key], names)
                seen.update(claim.terms)
                self.all.append(claim)
        count = len(self.all)
        self._idf = {t: math.log(1 + (count - n + 0.5) / (n + 0.5)) for t, n in seen.items()}
        self._unseen = math.log(1 + (count + 0.5) / 0.5)

    def idf(self, term: str) -> float:
        """Return how much a term tells: Robertson's idf over sentences, the greatest for one never seen."""
        return self._idf.get(term, self._unseen)

    def known(self, term: str) -> bool:
        """Whether the term stands in any sentence."""
        return term in self._idf

    def coverage(self, wanted: Sequence[str], held: frozenset[str]) -> float:
        """Return the idf-weighted share, 0 to 1, of the wanted terms that are held."""
        total = sum(self.idf(t) for t in wanted)
        return sum(self.idf(t) for t in wanted if t in held) / total if total else 0.0


def _claim(
    document_id: str, index: int, row: int, text: str, context: frozenset[str], names: Gazetteer
) -> Claim:
    kinds = {m.entry.kind for m in names.find(text)}
    return Claim(
        document_id, index, row, text, frozenset(search_terms(text, names)), context,
        has_date=bool(dates_in(text)), has_figure=bool(figures_in(text)), has_person="person" in kinds,
        has_body=bool(kinds & {"body", "people"}), has_place="place" in kinds,
    )  # fmt: skip


def expected(kind: Kind, claim: Claim) -> float:
    """Return 1 where a claim holds the kind of thing that is asked for, 0 where not, 0.5 where any will do."""
    wanted: Mapping[str, bool] = {
        "when": claim.has_date,
        "how_many": claim.has_figure,
        "how_much": claim.has_figure,
        "how_long": claim.has_figure,
        "who": claim.has_person or claim.has_body,
        "where": claim.has_place,
    }
    return float(wanted[kind]) if kind in wanted else 0.5


WEIGHTS = {"cosine": 0.9, "coverage": 1.0, "context": 0.15, "passage": 0.5, "expected": 0.3}
"""Of the features in the untrained score, chosen on the dev questions (eval/README.md)."""


def weigh(
    question: Question, query: Vector, hits: Sequence[Hit], claims: Claims, rows: Mapping[str, range], vectors: Vector
) -> list[Evidence]:
    """Return the sentences of the hits as evidence, best first.

    Args:
        question: what is asked.
        query: its vector, shape (dimension,).
        hits: the passages found, best first.
        claims: all sentences.
        rows: for each passage's id, the rows of its sentences.
        vectors: shape (sentences, dimension).
    """
    weighed = []
    for hit in hits:
        at = rows[hit.passage.id]
        cosines = vectors[at.start : at.stop] @ query
        for row, cosine in zip(at, cosines.tolist(), strict=True):
            claim = claims.all[row]
            features = {
                "cosine": cosine,
                "coverage": claims.coverage(question.terms, claim.terms),
                "context": claims.coverage(question.terms, claim.terms | claim.context),
                "passage": hit.score,
                "expected": expected(question.kind, claim),
            }
            score = sum(WEIGHTS[k] * v for k, v in features.items()) / sum(WEIGHTS.values())
            weighed.append(Evidence(claim, hit.passage.id, **features, score=float(np.clip(score, 0.0, 1.0))))
    return sorted(weighed, key=lambda e: (-e.score, e.claim.row))

"""Which confirmed difference a question raises: whether it asks for the very thing on which the sources differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nkqa.asking import Kind, asks_one_voice, asks_the_same, kind_of
from nkqa.differ import Difference, Value, touches
from nkqa.differences import Known, Side
from nkqa.errors import ModelError
from nkqa.evidence import Claims, Evidence
from nkqa.index import Index
from nkqa.judge import Features, Logistic, logit, way
from nkqa.search import Searcher, Sought
from nkqa.types import Span

_FILE = Path(__file__).parent / "data" / "raised.json"
_LEAST = 1e-3
"""Added to the weights of the questions that ask for a difference and of those close to it, before one is divided by
both: where neither weighs anything they are even."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression of `Beside.features`, and the probability from which a difference is shown."""

    model: Logistic
    threshold: float


@cache
def load_weights(*, reader: bool, questions: bool) -> Weights:
    """Return what `nkqa.training.raised` fitted, with or without the trained reader and foreseen questions.

    Raises:
        ModelError: the file is missing or not what it should be.
    """
    try:
        raw = json.loads(_FILE.read_text("utf-8"))[way(reader=reader, questions=questions)]
        return Weights(Logistic(raw["bias"], raw["weights"]), float(raw["threshold"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{_FILE}: {error!r}; install nkqa again") from error


@dataclass(frozen=True, slots=True)
class Beside:
    """A confirmed difference beside a question, with what tells whether the question asks for it."""

    known: Known
    features: Features


@dataclass(frozen=True, slots=True)
class _Ready:
    """A difference with the kind of question that asks for it.

    `asking` are the numbers of the foreseen questions that ask for it, `close` of those that only come close.
    """

    known: Known
    kind: Kind
    asking: npt.NDArray[np.intp]
    close: npt.NDArray[np.intp]


class Confirmed:
    """The differences that editors have confirmed, held against questions. Safe to share between threads."""

    def __init__(self, index: Index, searcher: Searcher) -> None:
        """Make ready what every question needs."""
        foreseen = searcher.foresight.questions
        self._ready = [
            _Ready(
                k,
                kind_of(k.about),
                np.array([n for n, q in enumerate(foreseen) if k.id in q.asks], dtype=np.intp),
                np.array([n for n, q in enumerate(foreseen) if k.id in q.beside], dtype=np.intp),
            )
            for k in index.differences
        ]
        self._claims: Claims = searcher.claims
        self._documents = frozenset(index.documents)
        self._weights = load_weights(reader=searcher.reads, questions=bool(foreseen))

    @property
    def compared(self) -> frozenset[str]:
        """The ids of the documents that editors have held against each other."""
        return frozenset(s.document_id for r in self._ready for p in r.known.positions for s in p)

    def raised(self, sought: Sought, evidence: Sequence[Evidence]) -> Difference | None:
        """Return the difference that a question asks for, each side's most telling claim first; None for none.

        Args:
            sought: what is asked, and of which documents.
            evidence: all sentences that were weighed, best first.
        """
        told = [(self._weights.model.probability(b.features), b.known) for b in self.beside(sought, evidence)]
        best, known = max(told, key=lambda t: t[0], default=(0.0, None))
        if known is None or best < self._weights.threshold:
            return None
        seen = _by_place(evidence)
        sides = (tuple(_as_value(s, seen, self._claims) for s in position) for position in known.positions)
        return Difference(known.about, tuple(sides))

    def beside(self, sought: Sought, evidence: Sequence[Evidence]) -> list[Beside]:
        """Return the differences between the sources that may answer, with what tells whether a question asks for one.

        Those are none where nothing was found, or one voice alone is asked: "what does Baku say".
        """
        if not evidence or asks_one_voice(sought.question.text):
            return []
        question, seen = sought.question, _by_place(evidence)
        allowed = sought.allowed & (question.sources or self._documents)
        found = []
        for ready in self._ready:
            if known := ready.known.between(allowed):
                asking, close = (float(sought.near.weights[n].sum()) for n in (ready.asking, ready.close))
                features = {
                    "foreseen": logit(asking) / 8,
                    "apart": logit((asking + _LEAST) / (asking + close + 2 * _LEAST)) / 8,
                    "kind": float(asks_the_same(question.kind, ready.kind)),
                    **answering(known, evidence[0], seen, self._claims),
                }
                found.append(Beside(known, features))
        return found


def answering(
    known: Known, best: Evidence, seen: Mapping[tuple[str, int], Evidence], claims: Claims
) -> dict[str, float]:
    """Return how the claims of a difference answer a question, each figure 0 to 1.

    Args:
        known: the difference.
        best: the sentence that answers best.
        seen: the sentences that were weighed, by document and position.
        claims: all sentences.
    """
    sides = [side for position in known.positions for side in position]
    scores = [
        max((seen[p].score for s in position if (p := (s.document_id, s.sentence)) in seen), default=0.0)
        for position in known.positions
    ]
    first, second, *_ = sorted((min(s / max(best.score, 1e-6), 1.0) for s in scores), reverse=True)
    return {
        "first": first,
        "second": second,
        "pointed": float(any(_points_at(best, side, claims) for side in sides)),
    }


def _by_place(evidence: Sequence[Evidence]) -> dict[tuple[str, int], Evidence]:
    return {(e.claim.document_id, e.claim.index): e for e in evidence}


def _points_at(evidence: Evidence, side: Side, claims: Claims) -> bool:
    """Whether the reader's words in a sentence are those in which a side differs."""
    if (evidence.claim.document_id, evidence.claim.index) != (side.document_id, side.sentence):
        return False
    start = side.start - claims.start(side.document_id, side.sentence)
    return touches(start, start + side.end - side.start, evidence.answer)


def _as_value(side: Side, seen: Mapping[tuple[str, int], Evidence], claims: Claims) -> Value:
    evidence = seen.get((side.document_id, side.sentence)) or claims.unweighed(
        side.document_id, side.sentence
    )
    start = side.start - claims.start(side.document_id, side.sentence)
    return Value(evidence, Span(start, start + side.end - side.start))

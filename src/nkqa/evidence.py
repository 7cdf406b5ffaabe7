"""Which sentences bear on a question: every feature of a sentence, and one score made of them."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nkqa.asking import Kind
from nkqa.dates import DateMention, dates_in
from nkqa.figures import Figure, figures_in
from nkqa.foreseen import Nearness
from nkqa.judge import Features, Judge, logit, summary
from nkqa.lexical import search_terms
from nkqa.names import Gazetteer
from nkqa.protocols import Vector
from nkqa.question import Question
from nkqa.synonyms import alike
from nkqa.text import terms
from nkqa.types import Document, Hit, Reading, Span
from nkqa.windows import Placed


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the corpus with what is known of it before any question.

    `row` is its place among all sentences; `terms` are those of the sentence, `pairs` its neighbouring terms,
    `context` the terms of its heading and title; `citing` where it tells of a publication.
    """

    document_id: str
    index: int
    row: int
    text: str
    terms: frozenset[str]
    context: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    dates: tuple[DateMention, ...]
    figures: tuple[Figure, ...]
    citing: bool
    has_person: bool
    has_body: bool
    has_place: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim seen from a question.

    `features` are named and lie in -1..1 or 0..1; `score` is 0..1, higher is better. `answer` are the words
    of the claim that the reader takes for the answer, `answer_score` its probability for them.
    """

    claim: Claim
    passage_id: str
    features: Mapping[str, float]
    score: float
    answer: Span | None = None
    answer_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What bears on a question: its sentences, best first, and what is known of the question beside them.

    `parts` are the questions that it is put together from, if it is, each made to stand alone.
    """

    question: Question
    evidence: list[Evidence]
    whole: Features
    parts: tuple["Weighed", ...] = ()

    def with_parts(self, parts: Sequence["Weighed"]) -> "Weighed":
        """Return it with what bears on its parts; a sentence keeps its best score."""
        best: dict[int, Evidence] = {}
        for item in (*self.evidence, *(e for part in parts for e in part.evidence)):
            if item.claim.row not in best or item.score > best[item.claim.row].score:
                best[item.claim.row] = item
        evidence = sorted(best.values(), key=lambda e: (-e.score, e.claim.row))
        return replace(self, evidence=evidence, parts=tuple(parts))

    def confidence(self, judge: Judge) -> float:
        """Return the probability, 0 to 1, that the sources answer."""
        features = [e.features for e in self.evidence]
        return judge.answer.probability(summary(features, [e.score for e in self.evidence], self.whole))

    def answered_parts(self, judge: Judge) -> tuple[list["Weighed"], tuple[str, ...]]:
        """Return the parts that the sources answer, and the texts of those that they leave open while they do."""
        answered, left = [], []
        for part in self.parts:
            if part.question.refusal is None and part.confidence(judge) >= judge.threshold:
                answered.append(part)
            else:
                left.append(part.question.text)
        return answered, tuple(left) if answered else ()


class Claims:
    """All sentences of the documents in order, and how rare each term is among them."""

    def __init__(self, documents: Iterable[Document], names: Gazetteer) -> None:
        self.all: list[Claim] = []
        self._place: dict[tuple[str, int], tuple[int, int]] = {}
        seen: Counter[str] = Counter()
        contexts: dict[tuple[str, str], frozenset[str]] = {}
        for document in documents:
            for index, sentence in enumerate(document.sentences):
                text = document.text[sentence.start : sentence.end]
                key = (document.id, sentence.heading)
                if key not in contexts:
                    contexts[key] = frozenset(
                        search_terms(f"{document.source.title} {sentence.heading}", names)
                    )
                claim = _claim(document.id, index, len(self.all), text, contexts[key], names)
                seen.update(claim.terms)
                self._place[document.id, index] = (claim.row, sentence.start)
                self.all.append(claim)
        count = len(self.all)
        self._idf = {t: math.log(1 + (count - n + 0.5) / (n + 0.5)) for t, n in seen.items()}
        self._unseen = math.log(1 + (count + 0.5) / 0.5)

    def start(self, document_id: str, index: int) -> int:
        """Return where in its document a sentence begins."""
        return self._place[document_id, index][1]

    def at(self, document_id: str, index: int) -> Claim:
        """Return a document's sentence, counted from 0."""
        return self.all[self._place[document_id, index][0]]

    def unweighed(self, document_id: str, index: int) -> Evidence:
        """Return a sentence as evidence that no search brought up."""
        return Evidence(self.at(document_id, index), "", {}, 0.0)

    def idf(self, term: str) -> float:
        """Return how much a term tells: Robertson's idf over sentences, the greatest for one never seen."""
        return self._idf.get(term, self._unseen)

    def known(self, term: str) -> bool:
        """Whether the term, or one that can stand for it, stands in any sentence."""
        return term in self._idf or any(other in self._idf for other in alike(term))

    def coverage(self, wanted: Sequence[str], held: frozenset[str]) -> float:
        """Return the idf-weighted share, 0 to 1, of the wanted terms that are held, synonyms counting `BY_SYNONYM`."""
        total = sum(self.idf(t) for t in wanted)
        return sum(self.idf(t) * _held(t, held) for t in wanted) / total if total else 0.0


BY_SYNONYM = 0.7
"""What a term counts of which only a synonym stands in a sentence."""


def _held(term: str, held: frozenset[str]) -> float:
    if term in held:
        return 1.0
    return BY_SYNONYM if held & alike(term) else 0.0


_CITING = re.compile(
    r"\b(?:published|headline|footnote|interview(?:s|ed)?|refers? to|learned|"
    r"(?:report|article|source)s? (?:is|are|was|were|titled|named|on))\b|\"[^\"]{12,}\"",
    re.IGNORECASE,
)
"""Sentences that say where something was published, which answer other questions than those on the matter."""


def _claim(
    document_id: str, index: int, row: int, text: str, context: frozenset[str], names: Gazetteer
) -> Claim:
    kinds = {m.entry.kind for m in names.find(text)}
    return Claim(
        document_id, index, row, text, frozenset(search_terms(text, names)), context,
        frozenset(pairwise(terms(text))), tuple(dates_in(text)), tuple(figures_in(text)),
        citing=bool(_CITING.search(text)), has_person="person" in kinds,
        has_body=bool(kinds & {"body", "people"}), has_place="place" in kinds,
    )  # fmt: skip


def expected(kind: Kind, claim: Claim) -> float:
    """Return 1 where a claim holds the kind of thing that is asked for, 0 where not, 0.5 where any will do."""
    wanted: Mapping[str, bool] = {
        "when": bool(claim.dates),
        "how_many": bool(claim.figures),
        "how_much": bool(claim.figures),
        "how_long": any(f.of_time for f in claim.figures),
        "who": claim.has_person or claim.has_body,
        "where": claim.has_place,
    }
    return float(wanted[kind]) if kind in wanted else 0.5


WEIGHTS = {
    "cosine": 1.3, "coverage": 0.8, "context": 0.4, "passage": 0.8, "expected": 0.3, "asked": 2.0, "told": 1.0,
    "asked_share": 1.0,
}  # fmt: skip
"""Of the features in the first score, by which the sentences are chosen that the reader is given."""


def weigh(
    question: Question,
    query: Vector,
    near: Nearness,
    hits: Sequence[Hit],
    claims: Claims,
    rows: Mapping[str, range],
    vectors: Vector,
) -> list[Evidence]:
    """Return the sentences of the hits as evidence with a first, untrained score, best first.

    Args:
        question: what is asked.
        query: its vector, shape (dimension,).
        near: how near it comes to questions that were foreseen.
        hits: the passages found, best first.
        claims: all sentences.
        rows: for each passage's id, the rows of its sentences.
        vectors: shape (sentences, dimension).
    """
    asked = _Asked.of(question)
    weighed = []
    for hit in hits:
        at = rows[hit.passage.id]
        around = frozenset[str]().union(*(claims.all[row].terms for row in at))
        cosines = vectors[at.start : at.stop] @ query
        for row, cosine in zip(at, cosines.tolist(), strict=True):
            features = {"cosine": cosine, "passage": hit.score, "near": 1.0 / hit.rank}
            features |= {"asked": float(near.asked[row]), "told": float(near.told[row])}
            features |= {
                "asked_share": _share_of(float(near.share[row])),
                "refused": float(near.refused[row]),
            }
            features |= _features(question, asked, claims, claims.all[row], around)
            score = sum(WEIGHTS[k] * features[k] for k in WEIGHTS) / sum(WEIGHTS.values())
            weighed.append(Evidence(claims.all[row], hit.passage.id, features, min(max(score, 0.0), 1.0)))
    return sorted(weighed, key=lambda e: (-e.score, e.claim.row))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What each sentence is held against, worked out once a question."""

    names: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, question: Question) -> "_Asked":
        plain = [t for t in question.terms if not t.startswith("@")]
        return cls(frozenset(f"@{m.entry.id}" for m in question.names), frozenset(pairwise(plain)))


def _features(
    question: Question, asked: _Asked, claims: Claims, claim: Claim, around: frozenset[str]
) -> dict[str, float]:
    held = claim.terms | claim.context
    return {
        "coverage": claims.coverage(question.terms, claim.terms),
        "context": claims.coverage(question.terms, held),
        "around": claims.coverage(question.terms, held | around),
        "expected": expected(question.kind, claim),
        "names": _share(asked.names, held),
        "names_around": _share(asked.names, held | around),
        "phrases": len(asked.pairs & claim.pairs) / len(asked.pairs) if asked.pairs else 0.0,
        "dates": _agreeing(question.dates, claim.dates),
        "figures": _meeting(question.figures, claim.figures),
        "citing": float(claim.citing),
        "length": min(len(claim.text) / 400, 1.0),
    }


def _share_of(part: float) -> float:
    """A part of the weight of all questions on a logarithmic scale: 0 for a thousandth or less, 1 for all of it."""
    return max(0.0, 1.0 + math.log10(max(part, 1e-3)) / 3)


def _share(wanted: frozenset[str], held: frozenset[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 1.0


def _agreeing(asked: Sequence[DateMention], held: Sequence[DateMention]) -> float:
    """1 where a date of the question stands in the claim, 0.5 where either has none, 0 where they differ."""
    if not asked or not held:
        return 0.5
    return float(any(a.agrees(h) for a in asked for h in held))


def _meeting(asked: Sequence[Figure], held: Sequence[Figure]) -> float:
    """1 where a figure of the question stands in the claim, 0.5 where there is none to compare, else 0."""
    same = [(a, h) for a in asked for h in held if set(a.units) & set(h.units)]
    return 0.5 if not same else float(any(a.meets(h) for a, h in same))


def add_readings(
    evidence: Sequence[Evidence], windows: Sequence[Placed], readings: Sequence[Reading]
) -> list[Evidence]:
    """Return the evidence with what the reader said of each sentence; one that was not read gets 0."""
    said: dict[int, tuple[Reading, int, Span]] = {}
    for placed, reading in zip(windows, readings, strict=True):
        for number, (row, span) in enumerate(zip(placed.rows, placed.window.sentences, strict=True)):
            said[row] = (reading, number, span)
    return [_with_reading(item, *said.get(item.claim.row, _UNREAD)) for item in evidence]


_NOTHING = Reading(0.0, (0.0,), None, 0.0, 0.0, 0.0)
_UNREAD = (_NOTHING, 0, Span(0, 1))


def _with_reading(item: Evidence, reading: Reading, number: int, span: Span) -> Evidence:
    words, sentence = reading.answer, reading.sentences[number]
    inside = words is not None and span.start <= words.start and words.end <= span.end
    score = reading.answer_score if inside else 0.0
    read = {
        "window": reading.answerable, "sentence": sentence, "words": score, "both": reading.answerable * sentence,
        "read": float(reading is not _NOTHING),
        # Near 1 the probabilities hardly differ, and yet which is the greatest decides the rank.
        "log_window": logit(reading.answerable) / 8, "log_sentence": logit(sentence) / 8,
        "log_own": logit(reading.window) / 8, "log_words": logit(reading.words if inside else 0.0) / 8,
    }  # fmt: skip
    own = Span(words.start - span.start, words.end - span.start) if inside and words else None
    return replace(item, features={**item.features, **read}, answer=own, answer_score=score)


OTHER_TIME = 0.4
"""What is left of the score of a claim that is dated, and not by any date of the question."""


OTHER_SOURCE = 0.4
"""What is left of the score of what another source says, where the question asks one by name."""


def judged(
    evidence: Sequence[Evidence], judge: Judge, sources: frozenset[str] = frozenset()
) -> list[Evidence]:
    """Return the evidence scored by the fitted judge, best first.

    What is dated otherwise than asked counts less, and so does what stands in none of `sources`, if any are asked.
    """
    scored = []
    for item in evidence:
        score = judge.sentence.probability(item.features)
        score *= OTHER_TIME if item.features.get("dates") == 0.0 else 1.0
        score *= OTHER_SOURCE if sources and item.claim.document_id not in sources else 1.0
        scored.append(replace(item, score=score))
    return sorted(scored, key=lambda e: (-e.score, e.claim.row))


def question_features(
    question: Question, evidence: Sequence[Evidence], claims: Claims, near: Nearness
) -> dict[str, float]:
    """Return what tells answerable questions from others: terms that nobody knows or covers, questions foreseen."""
    known = frozenset(t for t in question.terms if claims.known(t))
    top = frozenset[str]().union(*(e.claim.terms | e.claim.context for e in evidence[:3]))
    return {
        "unknown": 1.0 - claims.coverage(question.terms, known),
        "missing": 1.0 - claims.coverage(question.terms, top),
        "terms": min(len(question.terms) / 12, 1.0),
        "named": float(bool(question.names)),
        "asking": float(question.kind != "keyword"),
        "nearest": near.nearest,
        "missed": near.missed,
        "answered": near.answered,
        "contradicted": near.contradicted,
    }

"""Sentences -> Answer: which are chosen, in which order, what is said alike, what differs, or why not."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nkqa.evidence import Evidence
from nkqa.protocols import Vector
from nkqa.question import Kind
from nkqa.types import (
    AnswerSentence,
    AsOf,
    Citation,
    Document,
    Reason,
    SourceInfo,
)

NO_ANSWER = "The sources do not answer this question."
_ALIKE = 0.88
"""Cosine from which two sentences say the same."""
_MANY: frozenset[Kind] = frozenset({"list", "why", "how", "compare", "define", "which", "keyword"})
MESSAGES: dict[Reason, str] = {
    "not_in_corpus": "None of the sources says this. The passages below are the nearest that they hold.",
    "after_corpus": "The sources end in {last}; they cannot know what came after. Below is what they last knew.",
    "before_corpus": "The sources do not reach back to that time. The passages below are the nearest that they hold.",
    "opinion_or_prediction": "This asks for an opinion, advice or a forecast. nkqa only repeats what its sources say.",
    "off_topic": "This is not about the Nagorno-Karabakh conflict, which is all that the sources cover.",
    "unclear": "It is not clear what is asked. Please name the event, place, person or figure that you mean.",
    "false_premise": "The question takes something for granted that the sources contradict; see the passages below.",
    "unsupported_language": "nkqa reads questions in English only, since its sources are digested in English.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sentence for the answer, and those that say the same in other sources."""

    best: Evidence
    alike: tuple[Evidence, ...] = ()


def choose(kind: Kind, evidence: Sequence[Evidence], vectors: Vector, most: int) -> list[Chosen]:
    """Return the fewest sentences that answer, best first, at most `most`.

    Args:
        kind: of the question: a fact needs one sentence or two, a list or a why more.
        evidence: best first.
        vectors: of all sentences, shape (sentences, dimension).
        most: ceiling, not target.
    """
    if not evidence:
        return []
    share, limit = (0.82, most) if kind in _MANY else (0.9, min(most, 3))
    floor = evidence[0].score * share
    chosen: list[Chosen] = []
    for item in evidence:
        if item.score < floor:
            break
        for at, other in enumerate(chosen):
            if float(vectors[item.claim.row] @ vectors[other.best.claim.row]) >= _ALIKE:
                if item.claim.document_id not in {e.claim.document_id for e in (other.best, *other.alike)}:
                    chosen[at] = Chosen(other.best, (*other.alike, item))
                break
        else:
            if len(chosen) < limit:
                chosen.append(Chosen(item))
    return chosen


def info(document: Document) -> SourceInfo:
    """Return what a citation shows of a document's source."""
    s = document.source
    return SourceInfo(s.id, s.type, s.title, s.author, s.publisher, s.issued, s.URL, s.perspective)


def cite(document: Document, index: int, passage_id: str, number: int) -> Citation:
    """Return the citation of a document's sentence: here, last of all, its text is cut."""
    sentence = document.sentences[index]
    quote = document.text[sentence.start : sentence.end]
    digest = hashlib.sha256(quote.encode()).hexdigest()
    return Citation(
        number, passage_id, document.id, quote, sentence.start, sentence.end, digest, info(document), sentence.locator
    )


def assemble(
    chosen: Sequence[Chosen], documents: Mapping[str, Document]
) -> tuple[str, tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """Return the answer's text with its marks, its sentences, and its citations numbered from 1."""
    citations: list[Citation] = []
    sentences = []
    for item in chosen:
        numbers = []
        for evidence in (item.best, *item.alike):
            claim = evidence.claim
            citations.append(cite(documents[claim.document_id], claim.index, evidence.passage_id, len(citations) + 1))
            numbers.append(len(citations))
        sentences.append(AnswerSentence(item.best.claim.text, tuple(numbers), round(item.best.score, 4)))
    text = " ".join(f"{s.text} {''.join(f'[{n}]' for n in s.citations)}" for s in sentences)
    return text, tuple(sentences), tuple(citations)


def as_of(citations: Sequence[Citation]) -> AsOf | None:
    """Return the dates of the cited sources, None where nothing is cited."""
    issued = sorted(c.source.issued for c in citations)
    return AsOf(issued[0], issued[-1]) if issued else None

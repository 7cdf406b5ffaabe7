"""Sentences -> Answer: which are chosen, in which order, what is said alike, what differs, or why not."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nkqa.asking import Kind
from nkqa.differ import Difference, Value
from nkqa.evidence import Claim, Evidence, Weighed
from nkqa.protocols import Vector
from nkqa.question import Question
from nkqa.types import (
    AnswerSentence,
    AsOf,
    Citation,
    Disagreement,
    Document,
    Position,
    Reason,
    ShortAnswer,
    SourceInfo,
    Span,
)

NO_ANSWER = "The sources do not answer this question."
_ALIKE, _AGREEING, _RELATED = 0.9, 0.7, 0.45
"""Cosine from which two sentences say the same: by themselves, where all their figures agree too, and where
both state the very value that is asked for."""
_LOOKED_AT = 14
"""Sentences among which others that say the same are sought."""
NO_VALUES: Mapping[int, Value] = MappingProxyType({})
_PARTIES = frozenset({"people", "body", "person", "place"})


@dataclass(frozen=True, slots=True)
class Room:
    """How far an answer may go: words and sentences."""

    words: int
    sentences: int


LONGEST = 98
"""Words of an answer of many parts."""
ROOMS: dict[Kind, Room] = {
    "list": Room(LONGEST, 5),
    "compare": Room(LONGEST, 5),
    "why": Room(90, 4),
    "how": Room(90, 4),
}
FACT = Room(66, 4)
_SHARE = 0.3
"""What a sentence needs of the best one's score. All chosen on the dev questions (eval/README.md)."""
_SURE = 0.3
"""Probability from which the reader's words are shown as the short answer."""
DIFFER = "The sources differ on {about}; each position is given with its citation."
UNANSWERED = "None of the sources answers: {part}"
MESSAGES: dict[Reason, str] = {
    "not_in_corpus": "None of the sources says this. The passages below are the nearest that they hold.",
    "after_corpus": "The last source is of {last}; none can know what came after. Below is what they last knew.",
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
    written: str = ""
    """What a language model wrote in its place, borne out by all of them."""


def choose_for_each(
    asked: Sequence[tuple[Weighed, Sequence[Value]]], vectors: Vector, most: int
) -> list[Chosen]:
    """Return the fewest sentences that answer each of some questions, with the values that they ask for.

    They share the room of one answer, and what one brought up is not said again for the next. For the rest see
    `choose`.
    """
    chosen: list[Chosen] = []
    for weighed, values in asked:
        question, evidence = weighed.question, weighed.evidence
        room = ROOMS.get(question.kind, FACT)
        if len(asked) > 1:
            room = Room(LONGEST // len(asked), min(room.sentences, max(1, most // len(asked))))
        for item in choose(room, evidence, vectors, most, values, sides_of(question, evidence)):
            if not any(alike(item.best, other.best, vectors) for other in chosen):
                chosen.append(item)
    return chosen[:most]


def choose(
    room: Room,
    evidence: Sequence[Evidence],
    vectors: Vector,
    most: int,
    values: Sequence[Value] = (),
    sides: Sequence[frozenset[int]] = (),
) -> list[Chosen]:
    """Return the fewest sentences that answer, best first, at most `most`.

    Args:
        room: a fact needs one sentence or two, a list or a why more.
        evidence: best first.
        vectors: of all sentences, shape (sentences, dimension).
        most: ceiling, not target.
        values: what the sentences give for the figure, date or place that is asked for.
        sides: for each source or party that is to be heard, the rows of its sentences; the best of each goes
            before others.
    """
    if not evidence:
        return []
    floor = evidence[0].score * _SHARE
    evidence = _sides_first(evidence, sides, floor)
    value_of = {v.evidence.claim.row: v for v in values}
    chosen: list[Chosen] = []
    words = 0
    for item in evidence[:_LOOKED_AT]:
        twin = next((i for i, c in enumerate(chosen) if alike(item, c.best, vectors, value_of)), None)
        if twin is not None:
            chosen[twin] = _joined(chosen[twin], item)
            continue
        length = len(item.claim.text.split())
        fits = len(chosen) < min(most, room.sentences) and (not chosen or words + length <= room.words)
        if fits and item.score >= floor:
            chosen.append(Chosen(item))
            words += length
    return chosen


def _sides_first(
    evidence: Sequence[Evidence], sides: Sequence[frozenset[int]], floor: float
) -> list[Evidence]:
    heard = [next((e for e in evidence if e.claim.row in side and e.score >= floor), None) for side in sides]
    first = dict.fromkeys(e.claim.row for e in [evidence[0], *(e for e in heard if e is not None)])
    return sorted(
        evidence, key=lambda e: list(first).index(e.claim.row) if e.claim.row in first else len(first)
    )


def _joined(chosen: Chosen, item: Evidence) -> Chosen:
    """The sentence with another that says the same, one a source."""
    sources = {e.claim.document_id for e in (chosen.best, *chosen.alike)}
    return chosen if item.claim.document_id in sources else Chosen(chosen.best, (*chosen.alike, item))


def alike(one: Evidence, other: Evidence, vectors: Vector, values: Mapping[int, Value] = NO_VALUES) -> bool:
    """Whether two sentences say the same: nearly the same words, or the same figures in like words."""
    cosine = float(vectors[one.claim.row] @ vectors[other.claim.row])
    if cosine >= _ALIKE:
        return _same_values(one.claim, other.claim, empty=True)
    if one.claim.document_id == other.claim.document_id or cosine < _RELATED:
        return False
    mine, theirs = values.get(one.claim.row), values.get(other.claim.row)
    if mine is not None and theirs is not None and mine.states_what(theirs):
        return True
    return cosine >= _AGREEING and _same_values(one.claim, other.claim, empty=False)


def _same_values(one: Claim, other: Claim, *, empty: bool) -> bool:
    """Whether the figures and dates of the claim with fewer of them all stand in the other; `empty` where none do."""
    figures = sorted((one.figures, other.figures), key=len)
    dates = sorted((one.dates, other.dates), key=len)
    if not empty and not (figures[0] or dates[0]):
        return False
    return all(any(f.meets(m) for m in figures[1]) for f in figures[0] if figures[1]) and all(
        any(d.agrees(m) for m in dates[1]) for d in dates[0]
    )


def sides_of(question: Question, evidence: Sequence[Evidence]) -> list[frozenset[int]]:
    """Return the rows of each source, or of each party, that a question wants to hear: none or several."""
    if len(question.sources) > 1:
        lots = [[e for e in evidence if e.claim.document_id == name] for name in sorted(question.sources)]
    elif question.kind == "compare":
        parties = dict.fromkeys(f"@{m.entry.id}" for m in question.names if m.entry.kind in _PARTIES)
        lots = [[e for e in evidence if party in e.claim.terms] for party in parties]
    else:
        return []
    return [frozenset(e.claim.row for e in lot) for lot in lots] if len(lots) > 1 else []


def with_sides(chosen: Sequence[Chosen], difference: Difference | None, heard: int = 1) -> list[Chosen]:
    """Return the chosen sentences with the best of each side of a difference that they lack, after `heard` of them."""
    if difference is None:
        return list(chosen)
    rows = {e.claim.row for c in chosen for e in (c.best, *c.alike)}
    missing = [
        max((v.evidence for v in side), key=lambda e: e.score)
        for side in difference.sides
        if not rows & {v.evidence.claim.row for v in side}
    ]
    return [*chosen[:heard], *(Chosen(e) for e in missing), *chosen[heard:]]


def disagreements(difference: Difference | None, citations: Sequence[Citation]) -> tuple[Disagreement, ...]:
    """Return a difference with the citations of each side; none where fewer than two sides are cited."""
    if difference is None:
        return ()
    positions = []
    for side in difference.sides:
        texts = {(v.evidence.claim.document_id, v.evidence.claim.index): v.text for v in side}
        said = {
            c.number: texts[c.document, c.sentence] for c in citations if (c.document, c.sentence) in texts
        }
        if said:
            # The most telling claim comes first in a side.
            value = next(text for text in texts.values() if text in said.values())
            positions.append(Position(value, tuple(said), tuple(said.values())))
    return (Disagreement(difference.about, tuple(positions)),) if len(positions) > 1 else ()


def remarks(differ: Sequence[Disagreement], unanswered: Sequence[str]) -> list[str]:
    """Return what is said after the sentences: on what the sources differ, and what of the question they leave open."""
    return [
        *(DIFFER.format(about=d.about) for d in differ),
        *(UNANSWERED.format(part=part) for part in unanswered),
    ]


def short_answer(
    sentences: Sequence[AnswerSentence], best: Evidence, foreseen: Span | None, value: Span | None
) -> ShortAnswer | None:
    """Return the words of the first sentence that answer.

    Those that answer a like question that was foreseen, else the reader's if it is sure, else the value asked for.
    """
    read = best.answer if best.answer_score >= _SURE else None
    span = foreseen or read or value
    if span is None or not sentences or sentences[0].text[span.start : span.end].strip() == "":
        return None
    return ShortAnswer(sentences[0].text[span.start : span.end], 0, span.start, span.end)


def in_order(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Return the sentences by relevance: the best first, of the others those of one passage in the passage's order."""
    placed: list[Chosen] = []
    for item in chosen:
        same = [i for i, c in enumerate(placed) if c.best.passage_id == item.best.passage_id]
        later = (i for i in same if i and placed[i].best.claim.row > item.best.claim.row)
        placed.insert(next(later, same[-1] + 1 if same else len(placed)), item)
    return placed


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
        number,
        passage_id,
        document.id,
        index,
        quote,
        sentence.start,
        sentence.end,
        digest,
        info(document),
        sentence.locator,
    )


def assemble(
    chosen: Sequence[Chosen], documents: Mapping[str, Document], passage_id: Callable[[int], str]
) -> tuple[str, tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """Return the answer's text with its marks, its sentences, and its citations numbered from 1.

    `passage_id` gives the passage of a sentence's row.
    """
    citations: list[Citation] = []
    sentences = []
    for item in chosen:
        numbers = []
        for evidence in (item.best, *item.alike):
            claim = evidence.claim
            citations.append(
                cite(documents[claim.document_id], claim.index, passage_id(claim.row), len(citations) + 1)
            )
            numbers.append(len(citations))
        text = item.written or item.best.claim.text
        sentences.append(AnswerSentence(text, tuple(numbers), round(item.best.score, 4)))
    text = " ".join(f"{s.text} {''.join(f'[{n}]' for n in s.citations)}" for s in sentences)
    return text, tuple(sentences), tuple(citations)


def as_of(citations: Sequence[Citation]) -> AsOf | None:
    """Return the dates of the cited sources, None where nothing is cited."""
    issued = sorted(c.source.issued for c in citations)
    return AsOf(issued[0], issued[-1]) if issued else None

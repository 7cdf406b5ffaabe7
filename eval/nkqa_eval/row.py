"""One question with what came back and everything that was judged of it; measures are sums over rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nkqa.types import Answer, Document, Passage, Turn
from nkqa_eval.citations import Checked, check_citations
from nkqa_eval.disagreements import is_known, is_recalled
from nkqa_eval.misses import Miss, find_miss
from nkqa_eval.nuggets import answer_text, figures, first_words
from nkqa_eval.places import same_place
from nkqa_eval.questions import Conflict, Gold, GoldLocator, Nugget, count_found, found


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back for a question: an answer, or the error that turned it down; and how long it took.

    `hits` are the passages found, best first. `timings` are milliseconds by stage, `wall` the whole as seen
    by the one who asked.
    """

    answer: Answer | None
    error: str
    hits: tuple[Passage, ...]
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Cited:
    """A place that an answer cites, for people, and the passage it is in."""

    source: str
    label: str
    passage: str
    quote: str


@dataclass(frozen=True, slots=True)
class Row:
    """A question beside its answer, judged. What is None was not to be judged.

    `met` is the whole verdict: a right answer to an answerable question, or no answer to another. `conflict` may be
    shown; only where `conflict_recalled` is not None, it has to be.
    """

    id: str
    group: str
    type: str
    question: str
    history: tuple[Turn, ...]
    answerable: bool
    note: str
    nuggets: tuple[Nugget, ...]
    min_nuggets: int
    sources: tuple[str, ...]
    places: tuple[str, ...]
    accepted_reasons: tuple[str, ...]
    symmetry: str | None
    conflict: str | None

    status: Literal["answered", "abstained", "error"]
    reason: str | None
    message: str
    answer: str
    short_answer: str | None
    cited: tuple[Cited, ...]
    confidence: float
    disagreements: tuple[str, ...]
    timings: dict[str, float]

    words: int
    nuggets_found: tuple[bool, ...]
    nuggets_early: int
    right: bool
    met: bool
    short_right: bool | None
    retrieval: dict[str, float] | None
    checked: Checked | None
    right_source: bool | None
    right_place: bool | None
    conflict_recalled: bool | None
    conflict_known: bool
    as_of_right: bool | None
    figures: tuple[str, ...]
    miss: Miss | None


def judge(
    gold: Gold,
    group: str,
    asked: Asked,
    documents: Mapping[str, Document],
    conflicts: Mapping[str, Conflict],
    retrieval: Mapping[str, float] | None,
) -> Row:
    """Judge what came back for one question."""
    answer = asked.answer
    status: Literal["answered", "abstained", "error"] = answer.status if answer else "error"
    text = answer_text(answer) if answer else ""
    early = count_found(gold.nuggets, first_words(text)) if gold.answerable else 0
    right = gold.answerable and status == "answered" and early >= gold.min_nuggets
    met = right if gold.answerable else status != "answered"
    given = answer if answer and answer.status == "answered" else None
    citations = given.citations if given else ()
    conflict = conflicts.get(gold.conflict) if gold.conflict and gold.answerable else None
    rounding = conflict is not None and conflict.rounding
    return Row(
        id=gold.id,
        group=group,
        type=gold.type,
        question=gold.question,
        history=gold.history,
        answerable=gold.answerable,
        note=gold.note,
        nuggets=gold.nuggets,
        min_nuggets=gold.min_nuggets,
        sources=gold.sources,
        places=tuple(place_label(place) for place in gold.locators),
        accepted_reasons=gold.abstention,
        symmetry=gold.symmetry,
        conflict=None if rounding else gold.conflict or gold.touches,
        status=status,
        reason=answer.abstention.reason if answer and answer.abstention else None,
        message=answer.abstention.message if answer and answer.abstention else asked.error,
        answer=text,
        short_answer=given.short_answer.text if given and given.short_answer else None,
        cited=tuple(Cited(c.source.id, c.locator.label, c.passage_id, c.quote) for c in citations),
        confidence=answer.confidence if answer else 0.0,
        disagreements=tuple(
            f"{d.about}: {' / '.join(p.marked() for p in d.positions)}"
            for d in (given.disagreements if given else ())
        ),
        timings=asked.timings,
        words=len(text.split()),
        nuggets_found=tuple(found(nugget, text) for nugget in gold.nuggets) if gold.answerable else (),
        nuggets_early=early,
        right=right,
        met=met,
        short_right=(
            count_found(gold.nuggets, given.short_answer.text) > 0
            if given and given.short_answer and gold.answerable
            else None
        ),
        retrieval=dict(retrieval) if retrieval is not None and gold.answerable else None,
        checked=check_citations(given, documents, gold.nuggets) if given else None,
        right_source=(
            any(c.source.id in gold.sources for c in citations) if given and gold.answerable else None
        ),
        right_place=(
            any(same_place(place, c.source.id, c.locator) for place in gold.locators for c in citations)
            if given and gold.answerable
            else None
        ),
        conflict_recalled=given is not None and is_recalled(given, conflict)
        if conflict and not rounding
        else None,
        conflict_known=given is not None and is_known(given, conflicts.values()),
        as_of_right=as_of_is_right(given, documents) if given else None,
        figures=tuple(sorted(figures(text))),
        miss=None if met else find_miss(gold, status, text, asked.hits, documents),
    )


def as_of_is_right(answer: Answer, documents: Mapping[str, Document]) -> bool:
    """Say whether the dates shown are the first and last of the dates of issue of the sources cited."""
    dates = [
        documents[c.document].source.issued if c.document in documents else c.source.issued
        for c in answer.citations
    ]
    if not dates:
        return answer.as_of is None
    return answer.as_of is not None and (answer.as_of.earliest, answer.as_of.latest) == (
        min(dates),
        max(dates),
    )


def place_label(place: GoldLocator) -> str:
    """Return a gold place in words, such as `crisis-group-b91, p. 5, fn. 9`."""
    parts = [place.source]
    if place.section is not None:
        parts.append(place.section)
    if place.page is not None:
        parts.append(f"p. {place.page}")
    if place.footnote is not None:
        parts.append(f"fn. {place.footnote}")
    if place.second is not None:
        parts.append(f"{place.second // 60:02d}:{place.second % 60:02d}")
    if place.paragraph is not None:
        parts.append(f"para. {place.paragraph}")
    return ", ".join(parts)

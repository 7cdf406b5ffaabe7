"""Where claims that answer the same question give different figures, dates or places: who says what."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from nkqa.dates import DateMention
from nkqa.evidence import Evidence
from nkqa.figures import Figure
from nkqa.names import Gazetteer
from nkqa.protocols import Vector
from nkqa.question import Question
from nkqa.types import Span

Attribute = Literal["figure", "date", "place"]
_ABOUT: dict[Attribute, str] = {"figure": "the figure", "date": "the date", "place": "the place"}
_READ = 14
"""Claims that are compared, best first."""
_LEAST, _SHARE = 0.2, 0.3
"""Score that a claim needs to count as an answer: at least this, and this share of the best one's."""
_CONTRADICTS = 0.1
"""Score that a claim needs for its figures to contradict the question's."""
_ALIKE, _ALIKE_PLACE = 0.5, 0.85
"""Cosine from which two claims can be of the same thing; more for places, of which any sentence has some."""
_SPEAKER = re.compile(
    r"\b(?:according to|says?|said|claims?|claimed|puts?|estimates?|estimated|calculates?|judges?|reports?|reported|"
    r"counts?|assess(?:es)?|registered|located|interprets?|denies|deny)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Value:
    """What one claim gives for the attribute: `evidence.claim.text[span]`."""

    evidence: Evidence
    span: Span
    figure: Figure | None = None
    date: DateMention | None = None
    place: str | None = None

    @property
    def attribute(self) -> Attribute:
        """What kind of value it is."""
        return "figure" if self.figure else "date" if self.date else "place"

    @property
    def text(self) -> str:
        """The value as the claim writes it."""
        return self.evidence.claim.text[self.span.start : self.span.end]

    def agrees(self, other: "Value") -> bool:
        """Whether both can be the same value, rounding allowed for."""
        if self.figure and other.figure:
            return self.figure.meets(other.figure)
        if self.date and other.date:
            return self.date.agrees(other.date)
        return self.place == other.place

    def states_what(self, other: "Value") -> bool:
        """Whether both give the very same value, hedges aside: almost 2,000 and some 2,000, not 1,960."""
        if self.figure and other.figure:
            return self.figure.stated == other.figure.stated and self.figure.meets(other.figure)
        if self.date and other.date:
            return self.date.iso == other.date.iso and self.date.vague == other.date.vague
        return self.place == other.place


@dataclass(frozen=True, slots=True)
class Difference:
    """Claims that differ, those of each side together; at least two sides. `about` completes "differ on"."""

    about: str
    sides: tuple[tuple[Value, ...], ...]


def attribute_of(question: Question, evidence: Sequence[Evidence]) -> Attribute | None:
    """Return what kind of value a question asks for; None where it asks for none that can be compared."""
    if question.kind in {"how_many", "how_much", "how_long"}:
        return "figure"
    if question.kind == "when":
        return "date"
    if question.kind == "where":
        return "place"
    best = next((e for e in evidence if e.answer), None)
    if best is None or best.answer is None or question.kind not in {"keyword", "compare", "which", "yes_no"}:
        return None
    inside = [f for f in best.claim.figures if f.start < best.answer.end and best.answer.start < f.end]
    if inside:
        return "figure"
    return (
        "date"
        if any(d.start < best.answer.end and best.answer.start < d.end for d in best.claim.dates)
        else None
    )


def values_in(question: Question, evidence: Sequence[Evidence], names: Gazetteer) -> list[Value]:
    """Return what the best claims give for the figure, date or place that a question asks for."""
    attribute = attribute_of(question, evidence)
    if attribute is None:
        return []
    return [v for e in evidence[:_READ] if (v := value_of(attribute, question, e, names))]


def difference(
    values: Sequence[Value], vectors: Vector, compared: Collection[str] = frozenset()
) -> Difference | None:
    """Return on what the claims that answer a question differ, or None where they agree or cannot be compared.

    Args:
        values: best first.
        vectors: of all sentences, shape (sentences, dimension).
        compared: ids of the documents that editors have held against each other; between two of these only what
            they confirmed is a difference.
    """
    if not values:
        return None
    floor = max(_LEAST, _SHARE * values[0].evidence.score)
    sides: list[list[Value]] = []
    for value in (v for v in values if v.evidence.score >= floor):
        home = next((side for side in sides if any(value.agrees(other) for other in side)), None)
        if home is not None:
            home.append(value)
        elif not sides or any(_comparable(value, side[0], vectors, compared) for side in sides):
            sides.append([value])
    return (
        Difference(_ABOUT[values[0].attribute], tuple(tuple(side) for side in sides))
        if len(sides) > 1
        else None
    )


def _comparable(one: Value, other: Value, vectors: Vector, compared: Collection[str]) -> bool:
    """Whether two claims with different values speak of the same thing, and are not one voice's two facts."""
    a, b = one.evidence.claim, other.evidence.claim
    if a.document_id in compared and b.document_id in compared:
        return False
    if float(vectors[a.row] @ vectors[b.row]) < (_ALIKE_PLACE if one.place else _ALIKE):
        return False
    if one.figure and other.figure and not _same_unit(one.figure, other.figure):
        return False
    if _other_time(a.dates, b.dates):
        return False
    if a.document_id != b.document_id:
        return True
    # One source contradicts itself only where it quotes two voices.
    voices = speakers(a.text), speakers(b.text)
    return bool(voices[0] and voices[1]) and voices[0] != voices[1]


def _same_unit(one: Figure, other: Figure) -> bool:
    """Whether two figures can count the same: they share a word of what they count, or one does not say."""
    signs = {"%", "$", "€", "£"}
    if (set(one.units) & signs) != (set(other.units) & signs):
        return False
    return not one.units or not other.units or bool(set(one.units) & set(other.units))


def _other_time(one: Sequence[DateMention], other: Sequence[DateMention]) -> bool:
    years = [{d.year for d in dates if d.year} for dates in (one, other)]
    return bool(years[0] and years[1] and not years[0] & years[1])


def speakers(text: str) -> frozenset[str]:
    """Return the words before and after verbs of saying: whose claim a sentence is."""
    found: set[str] = set()
    for match in _SPEAKER.finditer(text):
        before = re.findall(r"[\w-]+", text[: match.start()])[-2:]
        after = (
            re.findall(r"[\w-]+", text[match.end() :])[:3] if match.group().lower() == "according to" else []
        )
        found.update(w.casefold() for w in (*before, *after))
    return frozenset(found)


def value_of(attribute: Attribute, question: Question, evidence: Evidence, names: Gazetteer) -> Value | None:
    """Return the value that a claim gives, None where it gives none.

    The one the reader points at is taken, else the one whose unit the question names, else the only one.
    """
    claim = evidence.claim
    if attribute == "figure":
        asked = set(question.terms)
        held = [f for f in claim.figures if f.of_time or question.kind != "how_long"]
        pointed = [f for f in held if touches(f.start, f.end, evidence.answer)]
        named = [f for f in held if asked & set(f.units)]
        figures = pointed or named or (held if len(held) == 1 else [])
        return Value(evidence, Span(figures[0].start, figures[0].end), figure=figures[0]) if figures else None
    if attribute == "date":
        dates = [d for d in claim.dates if touches(d.start, d.end, evidence.answer)] or (
            claim.dates if len(claim.dates) == 1 else []
        )
        return Value(evidence, Span(dates[0].start, dates[0].end), date=dates[0]) if dates else None
    asked_names = {m.entry.id for m in question.names}
    places = [m for m in names.find(claim.text) if m.entry.kind == "place" and m.entry.id not in asked_names]
    pointed_places = [m for m in places if touches(m.start, m.end, evidence.answer)]
    chosen = (pointed_places or [])[:1]
    return Value(evidence, Span(chosen[0].start, chosen[0].end), place=chosen[0].entry.id) if chosen else None


def touches(start: int, end: int, answer: Span | None) -> bool:
    """Whether the words that answer, if any, share a character with `[start, end)`."""
    return answer is not None and start < answer.end and answer.start < end


def false_premise(question: Question, evidence: Sequence[Evidence]) -> bool:
    """Whether a figure or a full date that a question takes for granted is contradicted by what answers best.

    A question that asks whether something is so takes nothing for granted.
    """
    if question.kind in {"yes_no", "compare"} or not (question.figures or question.dates):
        return False
    strong = [e.claim for e in evidence[:3] if e.score >= _CONTRADICTS]
    held = [f for c in strong for f in c.figures]
    for asked in question.figures:
        same = [f for f in held if set(f.units) & set(asked.units)]
        if same and not any(asked.meets(f) for f in same):
            return True
    days = [d for c in strong for d in c.dates if d.day]
    return any(d.day and days and not any(d.agrees(h) for h in days) for d in question.dates)

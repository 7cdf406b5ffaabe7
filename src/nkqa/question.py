"""What is asked: the question alone, its kind, its names and dates, and what its words alone refuse."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nkqa.asking import Kind, is_foreign, is_noise, is_opinion, kind_of
from nkqa.attribution import NO_SOURCES, Attribution
from nkqa.dates import DateMention, dates_in
from nkqa.errors import BadQuestion
from nkqa.figures import Figure, figures_in
from nkqa.followup import leans, stand_alone
from nkqa.lexical import search_terms
from nkqa.names import Gazetteer, Mention
from nkqa.text import clean, fold, term, words
from nkqa.types import Reason, Turn

MAX_CHARACTERS = 1_000
_PAST = re.compile(r"\b(?:did|was|were|had|has|have|happened|result(?:s|ed)?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as understood.

    `standalone` needs no history; `search` is `standalone` with typos mended, names in their head form, joined
    names in one order and "according to ..." left out; `terms` are its search terms. `names`, `dates` and
    `figures` point into `standalone`. `parts` are the questions that it is put together from, each to be understood
    alone; none where it is one. `sources` are the documents that it asks for by name. `refusal` is set where
    the words alone say that the corpus cannot answer.
    """

    text: str
    standalone: str
    search: str
    kind: Kind
    names: tuple[Mention, ...]
    dates: tuple[DateMention, ...]
    figures: tuple[Figure, ...]
    terms: tuple[str, ...]
    parts: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the corpus talks about: its folded words, years, last year and month, and what its sources are called."""

    words: frozenset[str]
    years: frozenset[int]
    last_year: int
    last_month: int
    attribution: Attribution = NO_SOURCES


def check_text(text: str) -> str:
    """Return the question cleaned.

    Raises:
        BadQuestion: it is empty, too long, or not text; the message says what is wanted.
    """
    try:
        cleaned = clean(text)
    except ValueError as error:
        raise BadQuestion(f"the question cannot be read: {error}; send plain text") from error
    if not cleaned:
        raise BadQuestion("the question is empty; ask something in words")
    if len(cleaned) > MAX_CHARACTERS:
        raise BadQuestion(f"the question has {len(cleaned)} characters, {MAX_CHARACTERS} at most; shorten it")
    return cleaned


def understand(
    text: str, history: Sequence[Turn], names: Gazetteer, vocabulary: Vocabulary, *, widen: bool = True
) -> Question:
    """Return what a question asks.

    Args:
        text: as typed.
        history: the conversation before it, newest last.
        names: the gazetteer.
        vocabulary: what the corpus talks about.
        widen: whether names are sought in every spelling; off for an ablation.

    Raises:
        BadQuestion: the text cannot be asked.
    """
    cleaned = check_text(text)
    standalone = stand_alone(cleaned, history, names)
    mentions = names.find(standalone) + names.find_typos(standalone, vocabulary.words) if widen else []
    mentions.sort(key=lambda m: m.start)
    search = in_one_order(vocabulary.attribution.without(names.rewrite(standalone, mentions)), names)
    found_terms = search_terms(search, names if widen else Gazetteer())
    own = kind_of(cleaned)
    question = Question(
        text=cleaned,
        standalone=standalone,
        search=search,
        kind=own if own != "keyword" else kind_of(standalone),
        names=tuple(mentions),
        dates=tuple(dates_in(standalone)),
        figures=tuple(figures_in(standalone)),
        terms=tuple(dict.fromkeys(found_terms)),
        parts=parts_of(standalone, names),
        sources=vocabulary.attribution.asked(standalone),
    )
    return replace(question, refusal=refuse(question, vocabulary))


_NEXT = re.compile(
    r"(?:,\s*|\s+)and,?\s+(?=(?:(?:by|since|until|from|to|in|at|on|for|with) )?"
    r"(?:who|whom|whose|what|which|when|where|why|how)\b)",
    re.IGNORECASE,
)
_LEAST_WORDS, _MOST_PARTS = 3, 3
"""Words that a part needs to be a question; parts that are searched for one by one, each at the cost of a question."""


def parts_of(text: str, names: Gazetteer) -> tuple[str, ...]:
    """Return the questions that "and" joins in one, each but the first made to stand alone; none where it is one."""
    parts = _NEXT.split(text)
    if not 2 <= len(parts) <= _MOST_PARTS or any(len(words(part)) < _LEAST_WORDS for part in parts):
        return ()
    alone = [parts[0]]
    for part in parts[1:]:
        alone.append(stand_alone(part, [Turn("user", alone[-1])], names) if leans(part) else part)
    return tuple(alone)


def as_searched(text: str, names: Gazetteer) -> str:
    """Return a question's text as it is embedded: names in their head form, joined ones in one order."""
    return in_one_order(names.rewrite(text, names.find(text)), names)


_JOINED = re.compile(r"\s+(?:or|and|vs\.?|versus)\s+(?:the\s+)?", re.IGNORECASE)


def in_one_order(text: str, names: Gazetteer) -> str:
    """Return a text with two names of one kind that "or", "and" or "versus" joins in the order of the alphabet.

    So it makes no difference to an answer which of two parties a question names first.
    """
    found = names.find(text)
    for first, second in pairwise(found):
        one, other = text[first.start : first.end], text[second.start : second.end]
        joined = _JOINED.fullmatch(text[first.end : second.start])
        if joined and first.entry.kind == second.entry.kind and fold(other) < fold(one):
            swapped = f"{other}{text[first.end : second.start]}{one}"
            return in_one_order(text[: first.start] + swapped + text[second.end :], names)
    return text


def refuse(question: Question, vocabulary: Vocabulary) -> Reason | None:
    """Return the reason for which the words of a question alone show that the corpus has no answer, if any."""
    if is_foreign(question.standalone, vocabulary.words):
        return "unsupported_language"
    if is_unclear(question, vocabulary):
        return "unclear"
    if beyond := _beyond(question, vocabulary):
        return beyond
    return "opinion_or_prediction" if is_opinion(question.standalone) else None


def _beyond(question: Question, vocabulary: Vocabulary) -> Reason | None:
    """Dates of the question after the corpus's last month, or in a year that it does not mention."""
    for date in question.dates:
        if date.year is None:
            continue
        late = date.year > vocabulary.last_year
        same = date.year == vocabulary.last_year and (date.month or 0) > vocabulary.last_month
        # A source may look ahead to a year, but cannot tell what then happened.
        foreseen = date.year in vocabulary.years and not _PAST.search(question.standalone)
        if same or (late and not foreseen):
            return "after_corpus"
        if date.year < vocabulary.last_year and date.year not in vocabulary.years:
            return "before_corpus"
    return None


def is_unclear(question: Question, vocabulary: Vocabulary) -> bool:
    """Whether nothing is left to search for: no term, or nothing but one or two words that are none."""
    if question.names or question.dates:
        return False
    tokens = [fold(w.text) for w in words(question.standalone) if term(w.text)]
    return len(tokens) <= 2 and all(t not in vocabulary.words and is_noise(t) for t in tokens)

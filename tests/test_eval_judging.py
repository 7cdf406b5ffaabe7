"""Judging one answer: words, places, citations, disagreements, misses; all written out by hand."""

import hashlib
from dataclasses import replace

import pytest

from nkqa.types import (
    Abstention,
    Answer,
    AnswerSentence,
    AsOf,
    Citation,
    CorpusInfo,
    Disagreement,
    Document,
    Locator,
    Passage,
    Position,
    Sentence,
    ShortAnswer,
    Source,
    SourceInfo,
)
from nkqa_eval.citations import check_citations
from nkqa_eval.disagreements import is_known, is_recalled, sides_shown
from nkqa_eval.nuggets import answer_text, figures, first_words
from nkqa_eval.places import same_place
from nkqa_eval.questions import Conflict, Gold, GoldLocator, GoldPosition
from nkqa_eval.retrieval import is_relevant, relevant_passages
from nkqa_eval.row import Asked, as_of_is_right, judge, place_label

TEXT = "The truce was signed on 2 May. About 400 wardens came. They stay 3 years."
PLACES = [Locator("page", f"p. {n}", None, page=n) for n in (1, 2, 3)]
SOURCE = Source(
    "a", "report", "A", ("A",), "A", "", "2011-06-30", None, "en", "outside-analyst", "page", "none"
)
DOCUMENT = Document(
    "a",
    SOURCE,
    TEXT,
    tuple(
        Sentence(start, end, "", 0, place)
        for (start, end), place in zip([(0, 30), (31, 54), (55, 73)], PLACES, strict=True)
    ),
)
DOCUMENTS = {"a": DOCUMENT}
PASSAGES = [
    Passage("a-1", "a", 0, 54, 0, 1, "", TEXT[:54], ""),
    Passage("a-2", "a", 55, 73, 2, 2, "", TEXT[55:], ""),
]
INFO = SourceInfo("a", "report", "A", ("A",), "A", "2011-06-30", None, "outside-analyst")


def cite(position: int, number: int = 1) -> Citation:
    sentence = DOCUMENT.sentences[position]
    quote = TEXT[sentence.start : sentence.end]
    digest = hashlib.sha256(quote.encode()).hexdigest()
    return Citation(
        number, "a-1", "a", position, quote, sentence.start, sentence.end, digest, INFO, sentence.locator
    )


ANSWER = Answer(
    id="1",
    question="how many",
    standalone_question="how many",
    status="answered",
    answer="About 400 wardens came. [1]",
    short_answer=ShortAnswer("400", 0, 6, 9),
    sentences=(AnswerSentence("About 400 wardens came.", (1,), 0.9),),
    citations=(cite(1),),
    disagreements=(),
    as_of=AsOf("2011-06-30", "2011-06-30"),
    confidence=0.9,
    abstention=None,
    suggestions=(),
    corpus=CorpusInfo("f", 1, "2011-06-30", "2011-06-30"),
)
ABSTAINED = replace(
    ANSWER,
    status="abstained",
    answer="No.",
    short_answer=None,
    sentences=(),
    citations=(),
    as_of=None,
    confidence=0.1,
    abstention=Abstention("not_in_corpus", "Not there.", ()),
)
GOLD = Gold(
    id="q",
    question="how many wardens",
    history=(),
    type="fact",
    answerable=True,
    fact="wardens",
    nuggets=(("400",),),
    min_nuggets=1,
    sources=("a",),
    locators=(GoldLocator("a", page=2),),
    abstention=(),
    symmetry=None,
    conflict=None,
    note="",
)
NEAR_MISS = replace(
    GOLD,
    type="near_miss",
    answerable=False,
    nuggets=(),
    min_nuggets=0,
    sources=(),
    locators=(),
    abstention=("not_in_corpus",),
)


def asked(answer: Answer | None, *hits: Passage) -> Asked:
    return Asked(answer, "" if answer else "empty", hits, {"wall": 1.0})


def test_an_answer_is_read_without_its_marks_and_by_its_first_words() -> None:
    assert answer_text(ANSWER) == "About 400 wardens came."
    assert first_words("one two  three", 2) == "one two"
    assert first_words("one two", 2) == "one two"
    assert first_words("", 2) == ""
    assert figures("1,960 men, 5 years, 74.5% and 1960") == {"1960", "5", "74.5"}


@pytest.mark.parametrize(
    ("gold", "place", "same"),
    [
        (GoldLocator("a", page=5), Locator("page", "p. 5", None, page=5), True),
        (GoldLocator("a", page=5), Locator("page", "p. 6", None, page=6), False),
        (GoldLocator("a", page=10), Locator("page", "pp. 9-10", None, page=9), True),
        (GoldLocator("b", page=5), Locator("page", "p. 5", None, page=5), False),
        (GoldLocator("a", page=5, footnote="9"), Locator("footnote", "", None, page=5, footnote="9"), True),
        (
            GoldLocator("a", page=5, footnote="9"),
            Locator("footnote", "", None, page=5, footnote="8-10"),
            True,
        ),
        (GoldLocator("a", page=5, footnote="9"), Locator("footnote", "", None, page=5, footnote="19"), False),
        (GoldLocator("a", page=5, footnote="9"), Locator("page", "p. 5", None, page=5), True),
        (GoldLocator("a", second=100), Locator("timestamp", "", None, second=110), True),
        (GoldLocator("a", second=100), Locator("timestamp", "", None, second=111), False),
        (GoldLocator("a", second=100), Locator("page", "p. 1", None, page=1), False),
        (
            GoldLocator("a", section="After the War", paragraph=2),
            Locator("paragraph", "", None, section="After the war", paragraph=2),
            True,
        ),
        (
            GoldLocator("a", section="After the War", paragraph=2),
            Locator("paragraph", "", None, section="Before the war", paragraph=2),
            False,
        ),
        (
            GoldLocator("a", page=1, section="S", paragraph=2),
            Locator("page", "p. 1, para. 3", None, section="S", page=1, paragraph=3),
            False,
        ),
    ],
)
def test_places_overlap(gold: GoldLocator, place: Locator, same: bool) -> None:
    assert same_place(gold, "a", place) is same


def test_a_gold_place_is_told_in_words() -> None:
    assert place_label(GoldLocator("a", page=5, footnote="9")) == "a, p. 5, fn. 9"
    assert place_label(GoldLocator("a", second=356)) == "a, 05:56"
    assert place_label(GoldLocator("a", section="S", paragraph=2)) == "a, S, para. 2"


def test_a_cut_sentence_is_verbatim_placed_and_supported() -> None:
    checked = check_citations(ANSWER, DOCUMENTS)
    assert (checked.sentences, checked.verbatim, checked.citations, checked.valid) == (1, 1, 1, 1)
    assert (checked.recall, checked.precision) == (1.0, 1.0)


@pytest.mark.parametrize(
    "citation",
    [
        replace(cite(1), start=30),
        replace(cite(1), document="b"),
        replace(cite(1), sha256="0" * 64),
        replace(cite(1), quote="About 500 wardens came."),
    ],
)
def test_a_citation_that_was_not_cut_exactly_is_not_valid(citation: Citation) -> None:
    checked = check_citations(replace(ANSWER, citations=(citation,)), DOCUMENTS)
    assert (checked.verbatim, checked.valid, checked.recall, checked.precision) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    "citation",
    [
        replace(cite(1), locator=PLACES[0]),
        replace(cite(1), source=replace(INFO, id="b")),
        replace(cite(1), sentence=2),
        replace(cite(1), sentence=9),
    ],
)
def test_a_citation_with_another_place_or_source_is_not_valid(citation: Citation) -> None:
    checked = check_citations(replace(ANSWER, citations=(citation,)), DOCUMENTS)
    assert (checked.verbatim, checked.valid) == (1, 0)


def test_sentences_of_a_model_count_by_the_nuggets_of_what_they_cite() -> None:
    written = replace(
        ANSWER,
        sentences=(
            AnswerSentence("Some 400 wardens arrived.", (1,), 0.9),  # rewritten: entailed by its nugget
            AnswerSentence("It was a triumph.", (1,), 0.9),  # rewritten, no nugget: not entailed
            AnswerSentence("No source.", (7,), 0.9),  # cites what is not there
        ),
    )
    checked = check_citations(written, DOCUMENTS, (("400",),))
    assert (checked.sentences, checked.verbatim) == (3, 0)
    assert (checked.recall, checked.precision) == (1 / 3, 1 / 3)


def test_a_second_citation_supports_only_with_the_same_nuggets() -> None:
    two = replace(
        ANSWER,
        sentences=(AnswerSentence("About 400 wardens came.", (1, 2), 0.9),),
        citations=(cite(1), cite(2, 2)),
    )
    assert check_citations(two, DOCUMENTS, (("400",),)).precision == 1 / 2
    assert check_citations(two, DOCUMENTS, (("400",),)).recall == 1.0


CONFLICT = Conflict(
    "size",
    "how many wardens",
    (
        GoldPosition(("400",), "a", GoldLocator("a", page=2)),
        GoldPosition(("400",), "c", GoldLocator("c", page=1)),
        GoldPosition(("500",), "b", GoldLocator("b", page=9)),
    ),
)


def apart(*values: str) -> Answer:
    return replace(
        ANSWER,
        disagreements=(Disagreement("wardens", tuple(Position(value, (1,), (value,)) for value in values)),),
    )


def test_sides_are_shown_by_positions_or_by_cited_sentences_of_their_sources() -> None:
    assert sides_shown(apart("about 400", "500 or so"), CONFLICT) == 2
    assert sides_shown(apart("x", "500"), CONFLICT) == 2  # 400 stands in a cited sentence of its source
    assert sides_shown(apart("400", "450"), CONFLICT) == 1  # two sources of one value are one side
    assert sides_shown(ANSWER, CONFLICT) == 0  # nothing is set apart
    assert is_recalled(apart("400", "500"), CONFLICT)
    assert is_known(apart("400", "500"), [CONFLICT])
    assert not is_known(apart("2 May", "3 May"), [CONFLICT])


def test_relevant_passages_stand_at_the_place_and_hold_a_nugget() -> None:
    assert relevant_passages(GOLD, PASSAGES, DOCUMENTS) == {"a-1"}
    assert not is_relevant(replace(GOLD, locators=(GoldLocator("a", page=3),)), PASSAGES[0], DOCUMENT)
    assert not is_relevant(replace(GOLD, nuggets=(("500",),)), PASSAGES[0], DOCUMENT)


def test_a_right_answer() -> None:
    row = judge(GOLD, "q", asked(ANSWER, *PASSAGES), DOCUMENTS, {}, {"R@5": 1.0})
    assert (row.right, row.met, row.miss, row.words) == (True, True, None, 4)
    assert (row.nuggets_found, row.short_right, row.right_source, row.right_place) == (
        (True,),
        True,
        True,
        True,
    )
    assert (row.as_of_right, row.figures, row.retrieval) == (True, ("400",), {"R@5": 1.0})


@pytest.mark.parametrize(
    ("gold", "answer", "hits", "miss"),
    [
        (replace(GOLD, nuggets=(("777",),)), ANSWER, PASSAGES, "not_in_corpus"),
        (replace(GOLD, nuggets=(("3 years",),)), ANSWER, PASSAGES[:1], "not_retrieved"),
        (replace(GOLD, nuggets=(("3 years",),)), ABSTAINED, PASSAGES[:1], "not_retrieved"),
        (replace(GOLD, nuggets=(("3 years",),)), ANSWER, PASSAGES, "not_selected"),
        (GOLD, ABSTAINED, PASSAGES, "wrongly_abstained"),
        (GOLD, None, [], "error"),
        (NEAR_MISS, ANSWER, PASSAGES, "answered_unanswerable"),
    ],
)
def test_a_miss_is_laid_to_the_first_stage_that_lost_it(
    gold: Gold, answer: Answer | None, hits: list[Passage], miss: str
) -> None:
    row = judge(gold, "q", asked(answer, *hits), DOCUMENTS, {}, None)
    assert (row.met, row.miss) == (False, miss)


def test_a_nugget_after_the_first_hundred_words_is_too_late() -> None:
    late = replace(ANSWER, sentences=(AnswerSentence("word " * 100, (), 0.5), *ANSWER.sentences))
    row = judge(GOLD, "q", asked(late, *PASSAGES), DOCUMENTS, {}, None)
    assert (row.met, row.miss, row.nuggets_early, row.nuggets_found) == (False, "too_late", 0, (True,))


def test_as_many_nuggets_as_are_needed() -> None:
    two = replace(GOLD, nuggets=(("400",), ("3 years",)), min_nuggets=2)
    assert not judge(two, "q", asked(ANSWER), DOCUMENTS, {}, None).met
    assert judge(replace(two, min_nuggets=1), "q", asked(ANSWER), DOCUMENTS, {}, None).met


def test_abstaining_and_turning_down_are_right_for_the_unanswerable() -> None:
    refused = judge(NEAR_MISS, "q", asked(ABSTAINED), DOCUMENTS, {}, None)
    assert (refused.met, refused.reason, refused.message) == (True, "not_in_corpus", "Not there.")
    assert judge(NEAR_MISS, "q", asked(None), DOCUMENTS, {}, None).met


def test_a_conflict_is_judged_where_gold_names_one() -> None:
    gold, conflicts = replace(GOLD, conflict="size"), {"size": CONFLICT}
    assert judge(gold, "q", asked(apart("400", "500")), DOCUMENTS, conflicts, None).conflict_recalled is True
    assert judge(gold, "q", asked(ABSTAINED), DOCUMENTS, conflicts, None).conflict_recalled is False
    row = judge(GOLD, "q", asked(apart("400", "500")), DOCUMENTS, conflicts, None)
    assert (row.conflict_recalled, row.conflict_known) == (None, True)
    assert row.disagreements == ("wardens: 400 [1] / 500 [1]",)
    touched = judge(
        replace(GOLD, touches="size"), "q", asked(apart("400", "500")), DOCUMENTS, conflicts, None
    )
    assert (touched.conflict, touched.conflict_recalled) == ("size", None)


def test_dates_shown_are_those_of_the_sources_cited() -> None:
    assert as_of_is_right(ANSWER, DOCUMENTS)
    assert not as_of_is_right(replace(ANSWER, as_of=AsOf("2011-05-01", "2011-06-30")), DOCUMENTS)
    assert not as_of_is_right(replace(ANSWER, as_of=None), DOCUMENTS)

"""Answers, hits and sources as lines for a terminal."""

from dataclasses import replace
from pathlib import Path

from nkqa.corpus import load_corpus
from nkqa.engine import Engine
from nkqa.index import current_build, read_manifest
from nkqa.settings import Settings
from nkqa.show import (
    WIDTH,
    answer_text,
    citation_lines,
    document_text,
    hits_text,
    manifest_text,
    sources_text,
)
from nkqa.types import Abstention, Answer, AnswerSentence, Ask, AsOf, CorpusInfo, Disagreement, Position

TOY = Path(__file__).parent / "toy"


def answer(engine: Engine) -> Answer:
    one, two = engine.cite("report", 2, 1), engine.cite("report", 3, 2)
    return Answer(
        id="x", question="What will the harbour cost?", standalone_question="What will the harbour cost?",
        status="answered", answer=f"{one.quote} [1] {two.quote} [2]", short_answer=None,
        sentences=(AnswerSentence(one.quote, (1,), 0.9), AnswerSentence(two.quote, (2,), 0.8)),
        citations=(one, two), disagreements=(), as_of=AsOf("2011-06-30", "2011-06-30"), confidence=0.9,
        abstention=None, suggestions=(), corpus=CorpusInfo("f", 3, "2011-05", "2011-06-30"),
    )  # fmt: skip


def test_an_answer_is_its_text_its_citations_and_its_date(toy_engine: Engine) -> None:
    assert answer_text(answer(toy_engine)) == (
        "Rebuilding the harbour of Port Amber will cost $30 million, according to engineers. [1] Southland's\n"
        "ministry of works puts the cost of rebuilding the harbour of Port Amber at more than $90 million.\n"
        "[2]\n"
        "\n"
        "  [1] Institute of Lakes: Water and Peace, 2011-06-30, p. 4, fn. 2\n"
        "      https://lakes.example/papers/7.pdf#page=4\n"
        "  [2] Institute of Lakes: Water and Peace, 2011-06-30, p. 4, fn. 3\n"
        "      https://lakes.example/papers/7.pdf#page=4\n"
        "\n"
        "As of 2011-06-30, the dates of the sources above."
    )


def test_what_differs_what_was_understood_and_what_else_to_ask_are_said(toy_engine: Engine) -> None:
    full = replace(
        answer(toy_engine),
        question="and the cost?",
        disagreements=(
            Disagreement(
                "the cost",
                (
                    Position("$30 million", (1, 3), ("$30 million", "some $30m")),
                    Position("more than $90 million", (2,), ("more than $90 million",)),
                ),
            ),
        ),
        as_of=AsOf("2011-05", "2011-06-30"),
        suggestions=("Who pays?",),
    )
    text = answer_text(full)
    assert text.startswith("Understood as: What will the harbour cost?\n")
    assert (
        "The sources differ on the cost:\n  - $30 million [1], some $30m [3]\n  - more than $90 million [2]\n"
        in text
    )
    assert "As of 2011-05 to 2011-06-30, the dates" in text
    assert text.endswith("You could also ask:\n  - Who pays?")


def test_no_answer_is_its_reason_and_what_is_nearest(toy_engine: Engine) -> None:
    none = replace(
        answer(toy_engine), status="abstained", answer="The sources do not say.", citations=(), as_of=None,
        abstention=Abstention("not_in_corpus", "Nothing answers it.", (toy_engine.cite("lecture", 0, 1),)),
    )  # fmt: skip
    text = answer_text(none)
    assert text.startswith("The sources do not say.\n\nNothing answers it. (not_in_corpus)\n")
    assert '  [1] "The fighting between Northland' in text
    assert text.endswith(
        "Lecture Hall Online, 2011-05, 00:12\n      https://video.example/watch?v=lake1&t=12s"
    )


def test_a_citation_without_a_link_or_a_number_has_none(toy_engine: Engine) -> None:
    whole = toy_engine.cite("report", 2)
    bare = replace(whole, locator=replace(whole.locator, url=None))
    assert list(citation_lines(bare, quote=False)) == [
        "  Institute of Lakes: Water and Peace, 2011-06-30, p. 4, fn. 2"
    ]


def test_lines_keep_the_width_but_never_cut_a_link(toy_engine: Engine) -> None:
    for line in answer_text(toy_engine.ask(Ask("How many villagers fled from Oldmill?"))).split("\n"):
        assert len(line) <= WIDTH or "://" in line


def test_hits_stand_with_rank_score_and_place(toy_engine: Engine) -> None:
    hits = toy_engine.search("harbour", 2)
    places = [toy_engine.documents[h.passage.document_id].sentences[h.passage.first].locator for h in hits]
    text = hits_text(hits, places)
    assert text.startswith(f" 1. {hits[0].score:.3f}  {hits[0].passage.id}  p. 4, fn. 2\n      Rebuilding")
    assert "\n 2. " in text
    assert hits_text([], []) == "Nothing found."


def test_sources_stand_with_whose_voice_they_are() -> None:
    documents = load_corpus(TOY)
    assert sources_text(documents[1:2]) == (
        "gazette  (article-newspaper, newsroom, 2011-05-03, 6 sentences)\n"
        "    Ada Marlow: After the Lake Truce. The Valley Gazette. https://gazette.example/lake"
    )
    unlinked = replace(documents[1], source=replace(documents[1].source, URL=None))
    assert sources_text([unlinked]).endswith("The Valley Gazette. no link")


def test_a_document_stands_under_its_headings_or_a_page_of_it() -> None:
    report = load_corpus(TOY)[2]
    text = document_text(report)
    assert text.startswith("Summary\n\nThe Lake Truce of 2 May 2011")
    assert text.count("[p. ") == 6
    page = document_text(report, 5)
    assert page.startswith("Handover\n\n")
    assert page.count("[p. 5") == 2


def test_a_manifest_says_what_was_built(toy_settings: Settings) -> None:
    folder = current_build(toy_settings.index)
    text = manifest_text(read_manifest(folder), str(folder))
    assert text.startswith(f"index        {folder}\n")
    assert "3 documents" in text
    assert "hash-256" in text

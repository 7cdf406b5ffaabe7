"""Questions that ask one source by name."""

import pytest

from nkqa.attribution import NO_SOURCES, Attribution
from nkqa.engine import Engine
from nkqa.names import Gazetteer, Name
from nkqa.types import Ask, Document, Locator, Sentence, Source

NAMES = Gazetteer([Name("lakes", "body", ("Institute of Lakes", "LAKES", "Lake Institute"), "An institute.")])


def document(name: str, kind: str, publisher: str, series: str = "", author: str = "") -> Document:
    source = Source(
        name, kind, f"On {name}", (author,) if author else (), publisher, series, "2011-06-01", None, "en",
        "outside-analyst", "paragraph", "all rights reserved",
    )  # fmt: skip
    return Document(
        name, source, "It is so.", (Sentence(0, 9, "", 0, Locator("paragraph", "paragraph 1", None)),)
    )


@pytest.fixture(scope="module")
def attribution() -> Attribution:
    documents = [
        document("tape", "broadcast", "Wavecast", author="Ada Brook-Lane"),
        document("paper", "report", "Institute of Lakes (IOL)", "Lakes Bulletin"),
        document("sheet", "article-newspaper", "The Harbour Post"),
        document("study", "report", "Pellish Centre for Rivers"),
    ]
    return Attribution.of(documents, NAMES)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("what does the video say about the lake", {"tape"}),
        ("What did ada brook-lane say?", {"tape"}),
        ("who pays, according to the Lake Institute?", {"paper"}),
        ("who pays, IOL?", {"paper"}),
        ("does the bulletin agree with the newspaper", {"paper", "sheet"}),
        ("What do the Harbour Post and Wavecast report?", {"sheet", "tape"}),
        ("does the Pellish analyst agree with the newspaper", {"study", "sheet"}),
        ("do the Pellish fishermen agree", set()),
        ("how deep is the lake?", set()),
        ("which report is the best", set()),
    ],
)
def test_sources_are_known_by_what_people_call_them(
    text: str, asked: set[str], attribution: Attribution
) -> None:
    assert attribution.asked(text) == asked


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("who pays, according to the Lake Institute?", "who pays ?"),
        ("According to IOL, who pays?", "who pays?"),
        ("what changed in Brook-Lane's view", "what changed in Brook-Lane's view"),
        ("what changed in Ada Brook-Lane's view", "what changed"),
        ("what changed, according to the video and the bulletin", "what changed"),
        ("according to the video", "according to the video"),
        ("what does the video say", "what does the video say"),
    ],
)
def test_what_is_searched_for_leaves_out_who_says_it(text: str, rest: str, attribution: Attribution) -> None:
    assert attribution.without(text) == rest


def test_without_sources_nothing_is_asked_by_name() -> None:
    assert NO_SOURCES.asked("according to the video") == frozenset()
    assert NO_SOURCES.without("how deep, according to the video") == "how deep, according to the video"


def test_the_source_that_is_asked_comes_first(toy_engine: Engine) -> None:
    for document in toy_engine.documents.values():
        asked = Ask(f"What happened to the truce, according to {document.source.publisher}?")
        weighed = toy_engine.evidence(asked)
        sources = weighed.question.sources
        if len(sources) == 1:
            assert weighed.evidence[0].claim.document_id in sources

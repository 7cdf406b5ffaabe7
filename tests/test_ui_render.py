"""An answer as HTML: complete, escaped, and one line."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nkqa.types import AnswerSentence, Disagreement, LLMReport, Position, ShortAnswer
from nkqa_ui import render
from ui_samples import PAYLOADS, abstained, answered, citation, differing, source

OURS = "a article b blockquote br button caption circle cite dd details div dl dt fieldset form g h1 h2 h3 h4"
MORE = "h5 i input label legend li line mark ol p pre q section span summary svg table tbody td text th thead"
ALLOWED = frozenset(f"{OURS} {MORE} time tr ul".split())


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("input", "circle", "line", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("circle", "line"):
            assert self.open.pop() == tag


def check(html: str) -> Tags:
    """Every element is one of ours, balanced, without handlers and with harmless links, on one line."""
    assert "\n" not in html
    tags = Tags(html)
    assert not tags.open
    for name, attributes in tags.seen:
        assert name in ALLOWED
        assert not [a for a in attributes if a.startswith("on") or a == "style"]
        href = attributes.get("href") or "#"
        assert href.startswith(("#", "./?q=", "page/source?", "https://"))
    return tags


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_outside_becomes_markup(payload: str) -> None:
    hostile = source(
        title=payload, publisher=payload, issued=payload, URL=f"https://x.example/{payload}", type=payload
    )
    cited = replace(citation(1, payload, hostile, payload), document=payload)
    answer = replace(
        answered(payload, payload), id=payload, standalone_question=payload + "?", citations=(cited,),
        sentences=(AnswerSentence(payload, (1,), 0.5),), suggestions=(payload,),
        unanswered=(payload,),
        disagreements=(Disagreement(payload, (Position(payload, (1,), (payload,)),) * 2),),
    )  # fmt: skip
    check(render.turn(answer, "t1", feedback=True))
    missing = abstained()
    assert missing.abstention is not None
    missing = replace(missing, abstention=replace(missing.abstention, message=payload, nearest=(cited,)))
    check(render.turn(missing, "t1"))
    check(render.pending(payload, "t1", payload, (payload,)))
    check(render.failed(payload, "t1", payload))


def test_each_sentence_has_its_numbers_and_each_number_its_card() -> None:
    html = render.turn(differing(), "t9")
    for number in (1, 2):
        assert f'data-card="t9-c{number}"' in html
        assert f'id="t9-c{number}"' in html
        assert f'id="t9-q{number}"' in html
    assert "Ada Marlow, Institute of Lakes · 30 June 2011" in html
    assert "<b>p. 5</b>" in html
    assert "Original at lakes.example" in html


def test_short_answer_is_marked_where_it_stands() -> None:
    assert 'About <mark class="short">400</mark> wardens' in render.turn(answered(), "t1")


def test_short_answer_that_does_not_match_is_not_marked() -> None:
    wrong = replace(answered(), short_answer=ShortAnswer("400", 0, 0, 3))
    assert "<mark" not in render.turn(wrong, "t1")


def test_each_row_of_a_difference_stands_beside_those_alone_who_use_its_words() -> None:
    answer = differing()
    (found,) = answer.disagreements
    both = Position("20 June 2011", (1, 2), ("20 June 2011", "the end of July 2011"))
    html = render.turn(replace(answer, disagreements=(replace(found, positions=(both,)),)), "t1")
    first, second = html.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")[:2]
    assert "20 June 2011" in first
    assert "The Valley Gazette" in first
    assert "the end of July 2011" in second
    assert "Institute of Lakes" in second
    assert "The Valley Gazette" not in second


def test_where_sources_differ_no_side_alone_is_marked() -> None:
    one_sided = replace(differing(), short_answer=ShortAnswer("20 June 2011", 0, 46, 58))
    html = render.turn(one_sided, "t1")
    assert 'by <mark class="short">20 June 2011</mark>.' in html
    assert 'by the end of <mark class="short">July 2011</mark>.' in html


def test_disagreement_is_a_row_a_position_with_who_and_when() -> None:
    html = render.turn(differing(), "t1")
    assert html.count('<th scope="row"') == 2
    assert "<b>The sources differ</b>: when Oldmill is handed over" in html
    assert '<td>Ada Marlow, Institute of Lakes</td><td class="when">30 June 2011</td>' in html


def test_what_is_left_open_is_named_and_read_aloud() -> None:
    answer = replace(answered(), unanswered=("who paid?",))
    assert 'None of the sources answers: <q dir="auto">who paid?</q>' in render.turn(answer, "t1")
    assert "None of the sources" not in render.turn(answered(), "t1")
    assert "not answered" in render.spoken(answer)


def test_as_of_line_names_the_dates() -> None:
    assert "As of 3 May to 30 June 2011, when the 2 sources cited were published." in render.turn(
        differing(), "t1"
    )
    assert "As of 3 May 2011, when the source cited was published." in render.turn(answered(), "t1")


def test_abstention_says_why_what_is_near_and_what_to_ask() -> None:
    html = render.turn(abstained(), "t1")
    assert "<b>After the last source</b>The sources end in June 2011." in html
    assert "Nearest in the sources" in html
    assert 'class="ask" href="./?q=Who+fled%3F"' in html
    assert 'class="cite"' not in html


def test_rewritten_question_is_shown_and_an_unchanged_one_is_not() -> None:
    assert "Understood as" not in render.turn(answered(), "t1")
    assert "How long will the wardens stay?" in render.turn(
        replace(answered("How long?"), standalone_question="How long will the wardens stay?"), "t1"
    )


def test_a_model_that_failed_is_told_of() -> None:
    html = render.turn(replace(answered(), llm=LLMReport("timeout", "some-model")), "t1")
    assert "no usable answer" in html
    html = render.turn(replace(answered(), composer_used="llm", llm=LLMReport("ok", "some-model")), "t1")
    assert "Put together by some-model" in html


def test_addresses_that_are_not_web_addresses_are_no_links() -> None:
    for url in (
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user@evil.example/",
        "//evil.example",
        "ftp://x/y",
    ):
        html = render.turn(replace(answered(), citations=(citation(1, "Words.", source(URL=url)),)), "t1")
        assert "evil.example" not in html.split("<pre", 1)[0]
        assert "Original at" not in html


def test_text_in_other_scripts_is_set_apart_and_turning_marks_are_dropped() -> None:
    html = render.turn(answered("שלום\u202eabc", "مرحبا 400"), "t1")
    assert "\u202e" not in html
    assert '<span dir="auto">שלוםabc</span>' in html


def test_what_is_read_aloud() -> None:
    assert render.spoken(answered()) == "Answer: 1 sentence from 1 source."
    assert render.spoken(differing()) == "Answer: 2 sentences from 2 sources. The sources differ."
    assert render.spoken(abstained()) == "No answer. The sources end in June 2011."

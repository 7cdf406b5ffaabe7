"""Asking: the first screen, an answer, its citations, follow-ups, and what can be done with them."""

import json
import time
from pathlib import Path

import pytest

from browser.conftest import Open, until
from browser.scripted import SLOW_SECONDS, Scripted

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]

WARDENS = "How many wardens will watch the Lake Truce?"
FLED = "How many villagers fled from Oldmill?"


def test_first_screen_says_what_this_is_and_the_box_has_the_focus(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    assert "Every sentence of an answer comes from one of 3 sources" in page.inner_text("#nkqa-intro")
    assert "It gives no opinions" in page.inner_text("#nkqa-intro")
    assert page.evaluate("document.activeElement.matches('#nkqa-box textarea')")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("window.scrollY") == 0
    assert visitor.errors == []
    assert visitor.outside == []


def test_enter_asks_and_the_answer_has_numbers_and_cards(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    turn = visitor.answer(WARDENS)
    assert "400" in turn.locator(".text").inner_text()
    assert turn.locator(".text a.cite").first.inner_text() == "1"
    card = turn.locator(".card").first
    assert "The Valley Gazette" in turn.locator(".cards").inner_text()
    assert card.locator("blockquote").inner_text()
    assert turn.locator("a.out").first.get_attribute("href").startswith("https://")
    assert "As of" in turn.locator(".asof").inner_text()
    assert page.input_value("#nkqa-box textarea") == ""
    until(page, "document.querySelector('#nkqa-live').textContent.startsWith('Answer: ')")
    assert page.is_hidden("#nkqa-intro")
    assert visitor.errors == []


def test_hover_and_focus_show_the_quote_and_escape_hides_it(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    quote = page.locator(".card blockquote").first.inner_text()
    page.hover(".text a.cite >> nth=0")
    page.wait_for_selector(".tip")
    assert quote in page.inner_text(".tip")
    page.mouse.move(2, 2)
    page.wait_for_selector(".tip", state="detached")
    page.keyboard.press("Shift+Tab")
    for _ in range(60):
        if page.evaluate("document.activeElement.matches('.text a.cite')"):
            break
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.matches('.text a.cite')")
    page.wait_for_selector(".tip")
    described = page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby')).innerText"
    )
    assert described
    page.keyboard.press("Escape")
    page.wait_for_selector(".tip", state="detached")


def test_a_click_opens_the_source_at_the_sentence_and_escape_goes_back(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    quote = page.locator(".card blockquote").first.inner_text()
    page.click(".text a.cite >> nth=0")
    page.wait_for_selector("#nkqa-panel[open]")
    assert page.inner_text("#nkqa-panel mark#here") == quote
    assert page.evaluate("document.activeElement.id") == "here"
    box = page.locator("#nkqa-panel mark#here").bounding_box()
    assert box is not None
    assert 0 < box["y"] < 800
    assert "in this project's own words" in page.inner_text("#nkqa-panel")
    assert "Original at" in page.inner_text("#nkqa-panel .at")
    page.keyboard.press("Escape")
    page.wait_for_selector("#nkqa-panel[open]", state="detached")
    assert page.evaluate("document.activeElement.matches('a.cite')")
    assert visitor.errors == []


def test_a_follow_up_stands_below_and_the_engine_knows_what_was_said(visit: Open, scripted: Scripted) -> None:
    visitor = visit()
    visitor.ask(WARDENS)
    page = visitor.ask("And for how long?")
    assert page.locator("article.turn").count() == 2
    assert scripted.asked[-1].history[0].content == WARDENS
    assert page.locator("#nkqa-past .q").inner_text().endswith(WARDENS)


def test_no_answer_says_why_and_what_is_near(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("Refuse: who won in 2015?")
    assert "After the last source" in page.inner_text(".none")
    assert "Nearest in the sources" in page.inner_text("#nkqa-current")
    page.click("#nkqa-current a.ask")
    visitor.answer("Who fled?")


def test_where_sources_differ_there_is_a_table(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("Differ: when is Oldmill handed over?")
    rows = page.locator(".differ tbody tr")
    assert rows.count() == 2
    assert "Institute of Lakes" in rows.nth(1).inner_text()
    rows.nth(1).locator("a.cite").hover()
    page.wait_for_selector(".tip")
    page.click("summary:has-text('Timeline')")
    assert page.locator("#nkqa-current .odds").count() == 2
    page.click("summary:has-text('Map')")
    assert "Oldmill" in (page.locator("#nkqa-current svg.map").text_content() or "")


def test_a_source_left_out_does_not_answer(visit: Open, scripted: Scripted) -> None:
    visitor = visit()
    page = visitor.page
    page.click("button[role=tab]:has-text('Sources')")
    page.get_by_label("Use After the Lake Truce").uncheck()
    page.click("button[role=tab]:has-text('Ask')")
    visitor.ask(WARDENS)
    assert "gazette" not in scripted.asked[-1].filters.sources
    assert "The Valley Gazette" not in page.inner_text("#nkqa-current .a")


def test_with_every_source_left_out_the_page_says_so(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    page.click("button[role=tab]:has-text('Sources')")
    for box in page.locator("#nkqa-sources input[type=checkbox]").all():
        box.uncheck()
    page.click("button[role=tab]:has-text('Ask')")
    visitor.ask(WARDENS)
    assert "Every source is left out" in page.inner_text("#nkqa-current")


def test_a_link_asks_its_question(visit: Open) -> None:
    visitor = visit(path="/?q=How+many+wardens+will+watch+the+Lake+Truce%3F")
    visitor.answer(WARDENS)
    assert visitor.page.locator("article.turn").count() == 1


def test_copying_takes_the_places_along(visit: Open) -> None:
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.ask(WARDENS)
    page.click("#nkqa-current summary:has-text('Copy')")
    for label, part in (
        ("as text", "[1] "),
        ("as Markdown", "[^1]: "),
        ("BibTeX", "@article{"),
        ("RIS", "TY  - "),
    ):
        page.click(f"#nkqa-current button:has-text('Copy {label}')")
        until(page, "document.querySelector('#nkqa-live').textContent === 'Copied'")
        assert part in page.evaluate("navigator.clipboard.readText()")
    page.click("#nkqa-current a.permalink")
    until(page, "navigator.clipboard.readText().then((text) => text.includes('/?q=How+many'))")


def test_edit_again_and_clear(visit: Open, scripted: Scripted) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    before = len(scripted.asked)
    page.click("#nkqa-again")
    until(page, "!document.querySelector('#nkqa-current .pending')")
    while len(scripted.asked) == before:
        page.wait_for_timeout(50)
    visitor.answer(WARDENS)
    assert page.locator("article.turn").count() == 1
    page.wait_for_selector("#nkqa-edit")
    page.click("#nkqa-edit")
    until(page, f"document.querySelector('#nkqa-box textarea').value === {json.dumps(WARDENS)}")
    assert page.locator("article.turn").count() == 0
    visitor.ask(FLED)
    page.click("#nkqa-clear")
    page.wait_for_selector("#nkqa-intro >> visible=true")
    assert page.locator("article.turn").count() == 0


def test_stop_stops(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("Slow question", wait=False)
    page.wait_for_selector("#nkqa-current .pending")
    page.click("#nkqa-stop")
    page.wait_for_selector("#nkqa-current .pending", state="detached")
    page.wait_for_timeout((SLOW_SECONDS + 0.5) * 1000)
    assert page.locator("article.turn").count() == 0
    visitor.ask(WARDENS)


def test_a_fault_is_said_in_plain_words(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("Break now")
    assert "This server made a mistake" in page.inner_text("#nkqa-current")
    assert "secret" not in page.content()
    assert page.input_value("#nkqa-box textarea") == "Break now"


def test_feedback_is_kept(visit: Open, feedback_file: Path) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    page.click("#nkqa-current summary:has-text('Is this right?')")
    page.get_by_label("Wrong source").check()
    page.get_by_label("A sentence, if you like").fill("The lecture says it too.")
    page.click("#nkqa-current form button")
    page.wait_for_selector("text=Thank you. It is kept.")
    record = json.loads(feedback_file.read_text().splitlines()[-1])
    assert record["verdict"] == "wrong_source"
    assert record["comment"] == "The lecture says it too."
    assert record["question"] == WARDENS
    assert "127.0.0.1" not in json.dumps(record)


def test_timeline_and_map_of_all_sources(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    page.click("button[role=tab]:has-text('Timeline')")
    page.wait_for_selector("svg.timeline")
    page.hover("svg.timeline a >> nth=0")
    page.wait_for_selector(".tip")
    page.click("svg.timeline a >> nth=0")
    assert page.evaluate("document.activeElement.matches('ol.dates > li')")
    page.click("ol.dates a.view >> nth=0")
    page.wait_for_selector("#nkqa-panel[open]")
    page.keyboard.press("Escape")
    page.click("button[role=tab]:has-text('Map')")
    page.wait_for_selector("svg.map")
    page.hover("svg.map .place >> nth=0")
    page.wait_for_selector(".tip")
    assert visitor.errors == []
    assert visitor.outside == []


def test_printing_shows_the_answer_and_not_the_tools(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    page.emulate_media(media="print")
    assert page.is_visible("#nkqa-current .text")
    for hidden in ("#nkqa-ask", "#nkqa-current .tools", "#nkqa-after", ".tab-wrapper"):
        assert page.is_hidden(hidden)


def test_first_and_last_word_come_soon(visit: Open, record_property: pytest.FixtureRequest) -> None:
    visitor = visit()
    visitor.page.evaluate(
        """() => new MutationObserver(() => {
          const turn = document.querySelector('#nkqa-current article');
          if (turn && !window.first) window.first = performance.now();
          if (turn && !turn.matches('.pending') && !window.last) window.last = performance.now();
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    visitor.page.fill("#nkqa-box textarea", WARDENS)
    visitor.page.evaluate(
        "document.addEventListener('keydown', () => window.began = performance.now(), true)"
    )
    visitor.page.press("#nkqa-box textarea", "Enter")
    visitor.answer(WARDENS)
    time.sleep(0.1)
    first, last = visitor.page.evaluate("[window.first - window.began, window.last - window.began]")
    print(f"\nfirst word {first:.0f} ms, last word {last:.0f} ms after Enter")
    assert first < 2_000
    assert last < 5_000

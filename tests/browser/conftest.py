"""A real browser on a real server; skipped with a plain word where there is no browser."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from browser.scripted import Scripted
from nkqa.engine import Engine
from ui_server import page as page_app
from ui_server import quiet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with quiet(), driver.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def scripted(toy_engine: Engine) -> Scripted:
    return Scripted(toy_engine)


@pytest.fixture(scope="session")
def feedback_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="session")
def address(scripted: Scripted, feedback_file: Path) -> Iterator[str]:
    engine: Any = scripted
    config = uvicorn.Config(page_app(engine, feedback_file), port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    with quiet():
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def until(page: Page, expression: str, seconds: float = 10) -> None:
    """Wait until an expression is true; Playwright's own way needs `unsafe-eval`, which the page refuses."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(40)


class Visitor:
    """A page in the browser, with what it logged and whom it tried to reach."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.context = context
        self.errors: list[str] = []
        self.outside: list[str] = []
        context.route("**/*", self._route)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("dialog", self._dialog)

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append("dialog")
        dialog.dismiss()

    def _route(self, route: Route) -> None:
        if route.request.url.startswith(self.address):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, path: str = "/") -> Page:
        """Open the page and wait until it can be used."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#nkqa-box textarea")
        until(self.page, "document.querySelector('#nkqa-live') !== null")
        return self.page

    def ask(self, question: str, wait: bool = True) -> Page:
        """Type a question and send it with Enter; wait for its answer."""
        self.page.fill("#nkqa-box textarea", question)
        self.page.press("#nkqa-box textarea", "Enter")
        if wait:
            self.answer(question)
        return self.page

    def answer(self, question: str) -> Any:  # noqa: ANN401
        """Wait until the last turn is that of `question`, and done."""
        shown = self.page.locator("#nkqa-current article.turn:not(.pending)", has_text=question)
        shown.wait_for(timeout=15_000)
        return shown


Open = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    contexts = []

    def opened(width: int = 1280, height: int = 800, path: str = "/", **options: Any) -> Visitor:  # noqa: ANN401
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        visitor = Visitor(context, address)
        visitor.open(path)
        return visitor

    yield opened
    for context in contexts:
        context.close()

"""Take the screenshots of the page: `python ui/shoot.py [FOLDER]`; needs Chromium, playwright and an index."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from nkqa.engine import open_engine
from nkqa.server.app import create_app
from nkqa.settings import load_settings
from nkqa_ui.app import mount

PEACEKEEPERS = "How many Russian peacekeepers were sent?"
DIFFER = "How many people fled Nagorno-Karabakh during the war of 2020?"
AFTER = "What happened in Nagorno-Karabakh in September 2023?"
DESK, PHONE = (1280, 800), (390, 844)


def serve() -> tuple[str, uvicorn.Server]:
    """Start a server on a free port and return its address."""
    settings = load_settings(rate_limit="")
    config = uvicorn.Config(create_app(open_engine(settings), mount), port=0, log_level="error")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", server


def ask(page: Page, question: str) -> None:
    """Ask and wait for the answer."""
    page.fill("#nkqa-box textarea", question)
    page.press("#nkqa-box textarea", "Enter")
    page.wait_for_selector("#nkqa-current article:not(.pending)", timeout=30_000)


def answer(page: Page) -> None:
    """An answer with the quote of its first citation shown."""
    ask(page, PEACEKEEPERS)
    page.wait_for_timeout(700)
    page.hover("#nkqa-current .text a.cite >> nth=0")


def source(page: Page) -> None:
    """The source view beside an answer."""
    ask(page, PEACEKEEPERS)
    page.click("#nkqa-current .text a.cite >> nth=0")
    page.wait_for_selector("#nkqa-panel[open]")


def tab(name: str) -> Callable[[Page], None]:
    """Return what opens a tab."""

    def opened(page: Page) -> None:
        page.click(f"button[role=tab]:has-text('{name}')")
        page.wait_for_selector({"Timeline": "svg.timeline", "Map": "svg.map"}.get(name, ".source"))

    return opened


SHOTS: dict[str, tuple[Callable[[Page], None], tuple[int, int], str]] = {
    "first": (lambda page: None, DESK, "light"),
    "answer": (answer, DESK, "light"),
    "differ": (lambda page: ask(page, DIFFER), DESK, "light"),
    "abstain": (lambda page: ask(page, AFTER), DESK, "light"),
    "source": (source, DESK, "light"),
    "sources": (tab("Sources"), DESK, "light"),
    "timeline": (tab("Timeline"), DESK, "light"),
    "map": (tab("Map"), DESK, "light"),
    "phone": (lambda page: ask(page, PEACEKEEPERS), PHONE, "light"),
    "dark": (source, DESK, "dark"),
    "phone-dark": (lambda page: None, PHONE, "dark"),
}


def shoot(browser: Browser, address: str, name: str, folder: Path) -> None:
    """Take one picture, in few colours so that it stays small."""
    act, (width, height), scheme = SHOTS[name]
    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#nkqa-box textarea")
    page.wait_for_timeout(500)
    act(page)
    page.wait_for_timeout(800)
    file = folder / f"{name}.png"
    page.screenshot(path=file)
    context.close()
    with Image.open(file) as image:
        image.convert("RGB").quantize(96, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    """Take all pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium here: apt-get install chromium")
    address, server = serve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in SHOTS:
            shoot(browser, address, name, folder)
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()

"""The routes of our own under /page: style, script, the view of a source, and feedback."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool

from nkqa.engine import Engine
from nkqa.errors import NotFound, Unavailable
from nkqa_ui import sources
from nkqa_ui.feedback import Feedback, FeedbackFile
from nkqa_ui.guard import policy, safe_headers
from nkqa_ui.html import esc, tag

HERE = Path(__file__).parent
_ASSETS = {"style.css": "text/css", "script.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def asset(name: str) -> tuple[bytes, str]:
    """Return a file of ours with a short hash of it, so that a browser may keep it for good."""
    data = (HERE / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def head() -> str:
    """Return what our page needs before its body: relative, so that it works below a path of a proxy too."""
    return (
        f'<link rel="stylesheet" href="page/style.css?v={asset("style.css")[1]}">'
        f'<script src="page/script.js?v={asset("script.js")[1]}" defer></script>'
        f'<link rel="icon" href="page/icon.svg?v={asset("icon.svg")[1]}">'
        '<meta name="color-scheme" content="light dark">'
        "<noscript><p>This page needs JavaScript. The API at <a href=docs>/docs</a> does not.</p></noscript>"
    )


def document_page(title: str, body: str) -> str:
    """Return a whole page around a fragment."""
    links = (
        f'<link rel="stylesheet" href="style.css?v={asset("style.css")[1]}"><link rel="icon" href="icon.svg">'
    )
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    scheme = '<meta name="color-scheme" content="light dark">'
    back = tag("p", tag("a", "Ask a question", href="../"), class_="back")
    inner = tag("head", meta, scheme, tag("title", esc(f"{title} - nkqa")), links) + tag(
        "body", tag("nav", back, aria_label="Page"), tag("main", body), class_="page"
    )
    return "<!doctype html>" + tag("html", inner, lang="en")


def _html(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(document_page(title, body), status, headers=safe_headers(policy()))


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(
        content, status, media_type="application/problem+json", headers=safe_headers(policy())
    )


def _add_assets(router: APIRouter) -> None:
    @router.get("/page/{name}.{suffix}")
    def own_file(name: str, suffix: str) -> Response:
        """Serve style and script."""
        file = f"{name}.{suffix}"
        if file not in _ASSETS:
            return _problem(404, "Not Found", "There is no such file.")
        headers = {**safe_headers(policy()), "cache-control": "public, max-age=31536000, immutable"}
        return Response(asset(file)[0], media_type=_ASSETS[file], headers=headers)


def _add_source(router: APIRouter, engine: Engine) -> None:
    @router.get("/page/source")
    def source(
        id: Annotated[str, Query(max_length=100)],
        start: Annotated[int, Query(ge=0, le=10**9)] = 0,
        end: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> Response:
        """Show a source with a stretch of it marked."""
        try:
            document = engine.document(id)
        except NotFound:
            return _html("No such source", tag("h1", "There is no such source"), 404)
        return _html(document.source.title, sources.view(document, start, end))


def _add_feedback(router: APIRouter, file: FeedbackFile) -> None:
    @router.post("/page/feedback")
    async def feedback(given: Feedback, sec_fetch_site: Annotated[str, Header()] = "same-origin") -> Response:
        """Keep what a reader says of an answer."""
        if sec_fetch_site != "same-origin":
            return _problem(403, "Forbidden", "Feedback comes from the page itself.")
        try:
            await run_in_threadpool(file.add, given)
        except Unavailable as error:
            return _problem(503, "Service Unavailable", str(error))
        return Response(status_code=204, headers=safe_headers(policy()))


def add_pages(app: FastAPI, engine: Engine, feedback: FeedbackFile | None) -> None:
    """Add our routes to the server; that for feedback only where it is kept."""
    router = APIRouter(include_in_schema=False)
    _add_assets(router)
    _add_source(router, engine)
    if feedback is not None:
        _add_feedback(router, feedback)
    app.include_router(router)

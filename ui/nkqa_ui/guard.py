"""The gate in front of Gradio: an allow-list of its routes, a Content-Security-Policy, small bodies only."""

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 65_536
"""Of a request body; a question and its settings fit many times."""

OPEN = {
    "GET": frozenset(
        {"/", "/config", "/theme.css", "/manifest.json", "/favicon.ico", "/robots.txt",
         "/gradio_api/queue/data", "/gradio_api/startup-events"}
    ),
    "POST": frozenset({"/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/reset"}),
}  # fmt: skip
OPEN_BELOW = {"GET": ("/assets/", "/static/", "/gradio_api/heartbeat/"), "POST": ()}
CLOSED = frozenset(
    [
        "/config/",
        "/custom_component",
        "/deep_link",
        "/dev/reload",
        "/docs",
        "/login",
        "/logout",
        "/monitoring",
        "/openapi.json",
        "/pwa_icon",
        "/redoc",
        "/svelte",
        "/gradio_api/api",
        "/gradio_api/app_id",
        "/gradio_api/call",
        "/gradio_api/component_server",
        "/gradio_api/custom_component",
        "/gradio_api/deep_link",
        "/gradio_api/dev/reload",
        "/gradio_api/file",
        "/gradio_api/info",
        "/gradio_api/login_check",
        "/gradio_api/openapi.json",
        "/gradio_api/process_recording",
        "/gradio_api/proxy",
        "/gradio_api/queue/status",
        "/gradio_api/reset/",
        "/gradio_api/run",
        "/gradio_api/run-history",
        "/gradio_api/runs",
        "/gradio_api/stream",
        "/gradio_api/theme.css",
        "/gradio_api/token",
        "/gradio_api/undo-vibe-edit",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/user",
        "/gradio_api/vibe-code",
        "/gradio_api/vibe-edit",
        "/gradio_api/vibe-starter-queries",
    ]
)
"""What else Gradio 6.31 serves and the page does not need; a test fails on a route in neither list."""

_PATH = re.compile(r"^/[A-Za-z0-9_./=-]*$")
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_ABOUT_GRADIO = re.compile(r"<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*>")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def policy(inline: Iterable[str] = ()) -> str:
    """Return a policy that allows this server only, and the scripts in `inline` by their hash."""
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def safe_headers(content_policy: str) -> dict[str, str]:
    """Return the headers that every page of this folder is sent with."""
    return {**_HEADERS, "content-security-policy": content_policy}


def allowed(method: str, path: str) -> bool:
    """Whether Gradio gets to see this request."""
    method = "GET" if method == "HEAD" else method
    if not _PATH.match(path) or "//" in path or ".." in path:
        return False
    return path in OPEN.get(method, ()) or any(path.startswith(p) for p in OPEN_BELOW.get(method, ()))


def _route_path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


class TooLargeError(Exception):
    """A body over the limit."""


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise TooLargeError
        return message

    return receive_limited


def _with_headers(message: Message, content_policy: str, **extra: str) -> Message:
    given = safe_headers(content_policy) | extra
    names = {name.encode() for name in given}
    kept = [
        (k, v)
        for k, v in message["headers"]
        if k.lower() not in names and not k.lower().startswith(b"access-control-")
    ]
    return {**message, "headers": [*kept, *((k.encode(), v.encode()) for k, v in given.items())]}


class Guard:
    """Wraps the mounted Gradio app; `head` is put into the page that it serves at `/`."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self.app = app
        self.head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let Gradio answer, one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        path = _route_path(scope)
        if not allowed(scope["method"], path):
            await _problem(404, "Not Found")(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if scope["method"] == "POST" and headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
            await _problem(403, "Forbidden")(scope, receive, send)
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            await _problem(413, "Content Too Large")(scope, receive, send)
            return
        try:
            if path == "/":
                await self._page(scope, receive, send)
            else:
                await self.app(scope, _limited(receive), _guarded(send))
        except TooLargeError:
            await _problem(413, "Content Too Large")(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page with our head in it and its own inline scripts allowed by their hashes."""
        plain = [
            (k, v) for k, v in scope["headers"] if k not in (b"accept-encoding", b"if-none-match", b"range")
        ]
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self.app({**scope, "headers": plain}, receive, collect)
        if scope["method"] != "HEAD":
            page = _ABOUT_GRADIO.sub("", body.decode()).replace("</head>", f"{self.head}</head>", 1)
            body = page.encode()
        inline = _INLINE.findall(body.decode())
        length = {} if scope["method"] == "HEAD" else {"content-length": str(len(body))}
        await send(_with_headers(start, policy(inline), **{"cache-control": "no-store"}, **length))
        await send({"type": "http.response.body", "body": body})


def _guarded(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        await send(_with_headers(message, policy()) if message["type"] == "http.response.start" else message)

    return send_guarded


def _problem(status: int, title: str) -> PlainTextResponse | JSONResponse:
    content = {"type": "about:blank", "title": title, "status": status}
    return JSONResponse(
        content, status, media_type="application/problem+json", headers=safe_headers(policy())
    )

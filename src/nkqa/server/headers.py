"""Headers: how large a request's may be, and what every answer carries, with the policy of each page."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nkqa.server.problems import Problem, response

CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
DOCS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MOST_BYTES = 16 * 1024
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class HeadLimit:
    """Refuses a request whose address or whose headers are over 16 KB."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self.app
        if scope["type"] == "http":
            if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_BYTES:
                app = response(Problem("address-too-long"), {**scope, "path": ""})
            elif sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_BYTES:
                app = response(Problem("headers-too-large"), scope)
        await app(scope, receive, send)


class SecurityHeaders:
    """Adds the headers that are not there yet.

    `policies` maps the beginning of a path to the content security policy of the HTML served there, the
    longest beginning that fits wins; it is read at each request, so a page that is mounted later can add
    its own. What is not HTML gets the closed policy.
    """

    def __init__(self, app: ASGIApp, policies: Mapping[str, str]) -> None:
        self.app = app
        self.policies = policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers.setdefault(name, value)
                html = headers.get("content-type", "").startswith("text/html")
                headers.setdefault("content-security-policy", self._policy(scope["path"]) if html else CLOSED)
            await send(message)

        await self.app(scope, receive, sender)

    def _policy(self, path: str) -> str:
        fitting = [start for start in self.policies if path.startswith(start)]
        return self.policies[max(fitting, key=len)] if fitting else CLOSED

"""What happens around every request: an id in and out, a log line, the counts, the last net for errors."""

import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nkqa.server.problems import response

log = logging.getLogger("nkqa.server")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Watch:
    """Gives each request an id, logs it and reports it to `seen(method, route, status, seconds)`.

    `X-Request-ID` is taken over where it is letters, digits, dots, dashes and underscores. An exception that
    nothing else answered becomes 500 here; the log has its place in the code, never its values.
    """

    def __init__(self, app: ASGIApp, seen: Callable[[str, str, int, float], None]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        start, status = time.monotonic(), 0

        async def sender(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as error:  # noqa: BLE001 the last net: nothing may end without an answer and a line
            frames = traceback.extract_tb(error.__traceback__)
            where = " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in reversed(frames))
            log.error("failed", extra={"id": request_id, "error": type(error).__name__, "where": where})
            if not status:
                await response(error, scope)(scope, receive, sender)
        finally:
            self._report(scope, request_id, status, time.monotonic() - start)

    def _report(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self.seen(scope["method"], route, status, seconds)
        fields = {"id": request_id, "method": scope["method"], "route": route, "status": status}
        said = scope["state"].get("log", {})
        log.info("request", extra={**fields, "ms": round(seconds * 1000, 1), **said})

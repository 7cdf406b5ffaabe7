"""Request bodies: how large, slow and in what form they may be, judged before anything else reads them."""

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import anyio
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nkqa.server.problems import Problem, response

MOST_BYTES = 64 * 1024
MOST_SECONDS = 10.0
_CLOSE = {"connection": "close"}


class BodyLimit:
    """Reads the whole body before the app sees it: 413 over `most` bytes, 408 over `seconds`, 415 compressed.

    Bytes are counted, whatever Content-Length says, and never more than `most` are held.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES, seconds: float = MOST_SECONDS) -> None:
        self.app = app
        self.most = most
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except Problem as problem:
            await response(problem, scope)(scope, receive, send)
            return
        if body is None:  # the client has gone
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, replay, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise Problem(
                "wrong-media-type", "Send the body without Content-Encoding.", {"connection": "close"}
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > self.most:
            raise self._too_large()
        chunks = bytearray()
        try:
            with anyio.fail_after(self.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    chunks += message.get("body", b"")
                    if len(chunks) > self.most:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(chunks)
        except TimeoutError:
            raise Problem(
                "too-slow", f"The body took over {self.seconds:g} s.", {"connection": "close"}
            ) from None

    def _too_large(self) -> Problem:
        return Problem("too-large", f"A body may have {self.most:,} bytes.", _CLOSE)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names or b"transfer-encoding" in names


def read_json(body: bytes) -> object:
    """Return the one JSON value of `body`, read strictly.

    Raises:
        Problem: not UTF-8, not JSON, NaN or a number beyond a float, a name twice in an object, too deep.
    """
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique
        )
    except UnicodeDecodeError as error:
        raise Problem("bad-json", f"Byte {error.start} is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Problem("bad-json", f"{error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Problem("bad-json", "The JSON is nested too deeply.") from None
    except ValueError as error:  # an integer with thousands of digits
        raise Problem("bad-json", f"A number cannot be read: {str(error)[:60]}.") from None


def _refuse(name: str) -> NoReturn:
    raise Problem("bad-json", f"{name} is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Problem("bad-json", f"{digits[:20]} is beyond what a number can be.")
    return number


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Problem("bad-json", "An object has the same name twice.")
    return found


class _StrictRequest(Request):
    async def json(self) -> object:
        return read_json(await self.body())


class JsonRoute(APIRoute):
    """A route whose body must be `application/json`, read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI calls."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if takes_body and kind != "application/json":
                raise Problem("wrong-media-type", "Send the header Content-Type: application/json.")
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict

"""Every way in which the server says no: RFC 9457 problem documents, each error mapped here once.

`KINDS` is the whole list; `docs/api.md` prints it. A detail never repeats what the caller sent beyond a few
characters, and the bytes are ASCII, so that no input can make the error itself fail.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from nkqa.errors import (
    BadQuestion,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexStale,
    NkqaError,
    NotFound,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
_MOST = 300
_MOST_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its code (the end of `type`), its status, and what it means."""

    code: str
    status: int
    title: str


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("bad-json", 400, "The body is not one JSON document in UTF-8"),
        Kind("bad-request", 400, "The request cannot be understood"),
        Kind("bad-host", 400, "The server does not answer to this host name"),
        Kind("key-needed", 401, "An API key is needed"),
        Kind("not-found", 404, "There is nothing of that name here"),
        Kind("wrong-method", 405, "The method cannot be used here; see the Allow header"),
        Kind("too-slow", 408, "The body did not arrive in time"),
        Kind("too-large", 413, "The body is too large"),
        Kind("address-too-long", 414, "The address is over 16 KB"),
        Kind("wrong-media-type", 415, "The body must be application/json, not compressed"),
        Kind("invalid", 422, "A field is missing, unknown, or has a value that it cannot have"),
        Kind("bad-question", 422, "The question cannot be asked as it stands"),
        Kind("too-many-requests", 429, "Too many requests; wait as long as Retry-After says"),
        Kind("headers-too-large", 431, "The headers are over 16 KB"),
        Kind("internal", 500, "The server failed; the request id finds the reason in its log"),
        Kind("overloaded", 503, "The server has as many requests in flight as it takes"),
        Kind("unavailable", 503, "A part that is needed does not answer at the moment"),
        Kind("maintenance", 503, "The server is under maintenance"),
    )
}
_BY_STATUS = {kind.status: kind.code for kind in reversed(list(KINDS.values()))}
_ERRORS: Mapping[type[NkqaError], str] = {
    BadQuestion: "bad-question",
    NotFound: "not-found",
    Unavailable: "unavailable",
    IndexMissing: "unavailable",
    IndexStale: "unavailable",
    IndexDamaged: "unavailable",
    IndexBusy: "unavailable",
}


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(description="Where: `body.question`, `query.start`.", examples=["body.question"])
    message: str = Field(description="What is wrong there.", examples=["Field required"])


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457), sent as `application/problem+json` with every status from 400 on."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The kind of problem.", examples=["urn:nkqa:problem:invalid"])
    title: str = Field(description="The kind in words.", examples=[KINDS["invalid"].title])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What happened this time.", examples=["body.question: Field required"])
    request_id: str = Field("", description="The id of the request, as in X-Request-ID.")
    errors: list[FieldError] = Field(default=[], description="For `invalid`: the fields, ten at most.")


class Problem(HTTPException):
    """Raise it anywhere in the server to answer with a problem document; `extra` goes into the document."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = KINDS[code]
        self.extra = dict(extra or {})
        super().__init__(self.kind.status, detail or self.kind.title, headers)


def clip(text: str, most: int = _MOST) -> str:
    """Return `text` in one line of printable characters, `most` at the longest."""
    line = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def document(problem: Problem, request_id: str = "") -> dict[str, Any]:
    """Return the problem as the JSON object that is sent."""
    fixed = {
        "type": f"urn:nkqa:problem:{problem.kind.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": clip(problem.detail),
        "request_id": request_id,
    }
    return {**fixed, **problem.extra}


def as_problem(error: Exception) -> Problem:
    """Return what `error` is as a problem: an error of nkqa, of the framework, or an unexpected one."""
    match error:
        case Problem():
            return error
        case NkqaError():
            return Problem(
                next((code for kind, code in _ERRORS.items() if isinstance(error, kind)), "internal"),
                str(error),
            )
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            code = _BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
            return Problem(code, headers=error.headers)
    return Problem("internal")


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"field": ".".join(clip(str(part), 40) for part in found["loc"]), "message": clip(found["msg"], 200)}
        for found in error.errors()[:_MOST_ERRORS]
    ]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
    return Problem("invalid", detail, extra={"errors": errors})


def response(error: Exception, scope: Mapping[str, Any]) -> Response:
    """Return the answer to a request that ended in `error`; under /v1 it speaks OpenAI's form as well."""
    problem = as_problem(error)
    body = document(problem, scope.get("state", {}).get("request_id", ""))
    if scope["path"].startswith("/v1/"):
        body["error"] = {
            "message": body["detail"],
            "type": problem.kind.code,
            "param": None,
            "code": problem.kind.code,
        }
    return Response(json.dumps(body), problem.kind.status, problem.headers, MEDIA_TYPE)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the entries for FastAPI's `responses` for problems of these codes, and those of any route."""
    kinds = [KINDS[code] for code in (*codes, "bad-host", "key-needed", "too-many-requests", "overloaded")]
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {
            "description": ". ".join(k.title for k in kinds if k.status == status),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({k.status for k in kinds})
    }


def install(app: FastAPI) -> None:
    """Make the app answer every error with a problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        return response(error, request.scope)

    for kind in (HTTPException, RequestValidationError, NkqaError):
        app.add_exception_handler(kind, answer)

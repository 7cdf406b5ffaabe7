"""`create_app(engine)`: the routes, and what stands around them, in the order that a request meets it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from nkqa.doctor import parts
from nkqa.engine import Engine
from nkqa.server import docs, health, names, openai, problems, questions, sources, stream, timeline, verify
from nkqa.server import metrics as counts
from nkqa.server.bodies import BodyLimit
from nkqa.server.door import Door
from nkqa.server.headers import DOCS, HeadLimit, SecurityHeaders
from nkqa.server.mcp import Endpoint
from nkqa.server.metrics import Metrics
from nkqa.server.places import Places
from nkqa.server.problems import Problem, ProblemDocument
from nkqa.server.service import Service
from nkqa.server.watch import Watch
from nkqa.server.work import Work

Mount = Callable[[FastAPI, Engine], FastAPI]
"""Puts a page into the app; `app.state.policies["/"] = "..."` is the content security policy of its HTML."""

DESCRIPTION = """Questions about the 2020 Nagorno-Karabakh ceasefire, answered with sentences that stand in
cited sources, each with its place. No answer is an outcome too, with its reason. Errors are problem documents
(RFC 9457).
"""


def create_app(engine: Engine, mount: Mount | None = None, close: bool = False) -> FastAPI:
    """Return the app that serves `engine` as its settings say, and the page that `mount` puts into it.

    With `close`, the engine is closed when the app shuts down.
    """
    settings = engine.settings
    work = Work(settings.in_flight)
    metrics = Metrics(engine, work)
    tools = Endpoint(engine, work, metrics.answered)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with tools.running():
            yield
        if close:
            engine.close()

    app = FastAPI(
        title="nkqa",
        version=engine.manifest.nkqa_version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    app.state.service = Service(engine, settings, work, metrics, Places(engine))
    app.state.policies = {"/docs": DOCS}
    for room in (questions, stream, sources, names, timeline, verify, openai, health, counts, docs):
        app.include_router(room.router)
    app.router.routes.append(Route("/mcp", tools, include_in_schema=False))
    problems.install(app)
    _refuse_other_methods(app)
    _describe_problems(app)
    if mount is not None:
        app = mount(app, engine)
    # The last added is met first.
    app.add_middleware(BodyLimit)
    app.add_middleware(Door, settings=settings, refused=metrics.refused)
    app.add_middleware(
        CORSMiddleware,  # with no origin too: Gradio leaves it to us where it finds this
        allow_origins=parts(settings.cors),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "if-none-match", "x-api-key", "x-request-id"],
        expose_headers=["etag", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id"],
    )
    app.add_middleware(HeadLimit)
    app.add_middleware(Watch, seen=metrics.requested)
    app.add_middleware(SecurityHeaders, policies=app.state.policies)
    return app


class _WrongMethod:
    """Answers 405 for a path that exists, before a page mounted at / can take it for its own."""

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response = problems.response(Problem("wrong-method", headers={"allow": self.allowed}), scope)
        await answer(scope, receive, send)


def _refuse_other_methods(app: FastAPI) -> None:
    allowed: dict[str, set[str]] = {}
    for path, methods in app.openapi()["paths"].items():
        allowed.setdefault(path, set()).update(m.upper() for m in methods)
    app.openapi_schema = None
    for path, verbs in allowed.items():
        app.router.routes.append(Route(path, _WrongMethod(", ".join(sorted(verbs))), include_in_schema=False))


def _describe_problems(app: FastAPI) -> None:
    plain = app.openapi

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = plain()
            definition = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
            parts = definition.pop("$defs")
            schemas = schema["components"]["schemas"]
            schemas |= {"ProblemDocument": definition, **parts}
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for operation in (o for path in schema["paths"].values() for o in path.values()):
                if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                    del operation["responses"]["422"]
        return plain()

    app.openapi = described  # type: ignore[method-assign]

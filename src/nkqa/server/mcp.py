"""nkqa as tools of the Model Context Protocol: `ask`, `search` and `source`, at `/mcp` and over stdio.

The SDK is imported when the first request comes, because that takes as long as the rest of the start.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from pydantic import Field, TypeAdapter
from starlette.types import ASGIApp, Receive, Scope, Send

from nkqa import types
from nkqa.engine import Engine
from nkqa.errors import NkqaError
from nkqa.server import schema
from nkqa.server.bodies import MOST_BYTES
from nkqa.server.problems import Problem
from nkqa.server.references import plain
from nkqa.server.work import T, Work

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

Answered = Callable[[types.Answer], None]
_ANSWER = TypeAdapter(types.Answer)
_INSTRUCTIONS = """Answers about the 2020 Nagorno-Karabakh ceasefire, made only of sentences of cited sources.
Quote them with their numbers and places. An abstention means that the sources do not say it: leave it so."""


def build(engine: Engine, work: Work, answered: Answered = lambda _: None) -> "MCPServer[Any]":
    """Return the MCP server over `engine`; `answered` is told of each answer."""
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import CallToolResult, TextContent, ToolAnnotations

    server: MCPServer[Any] = MCPServer(
        "nkqa", instructions=_INSTRUCTIONS, version=engine.manifest.nkqa_version, log_level="WARNING"
    )
    reads = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )

    async def done(call: Callable[[], T]) -> T:
        try:
            return await work.run(call)
        except (NkqaError, Problem) as error:
            raise ToolError(error.detail if isinstance(error, Problem) else str(error)) from error

    async def ask(
        question: Annotated[str, Field(description="The question, in English, 1,000 characters at most.")],
        max_sentences: Annotated[int, Field(ge=1, le=10, description="Most sentences in the answer.")] = 5,
    ) -> Annotated[CallToolResult, schema.Answer]:
        """Answer a question with sentences of the sources and their places, or say why there is no answer."""
        answer = await done(lambda: engine.ask(types.Ask(question, max_sentences=max_sentences)))
        answered(answer)
        whole = _ANSWER.dump_python(answer, mode="json")
        return CallToolResult(
            content=[TextContent(type="text", text=plain(answer))], structured_content=whole
        )

    async def search(
        question: Annotated[str, Field(description="A question or search words.")],
        k: Annotated[int, Field(ge=1, le=20, description="Most passages.")] = 5,
    ) -> str:
        """Find passages of the sources, best first, without answering."""
        hits = await done(lambda: engine.search(question, k))
        return "\n\n".join(_passage(engine, hit) for hit in hits) or "Nothing was found."

    async def source(
        id: Annotated[str, Field(description="Id of a source; empty for the list of all.")] = "",
    ) -> str:
        """Read a source sentence by sentence, each with its place in the original; or list the sources."""
        if not id:
            return "\n".join(f"{d.id}: {_title(d)}" for d in engine.documents.values())
        document = await done(partial(engine.document, id))
        lines = [f"{document.text[s.start : s.end]} [{s.locator.label}]" for s in document.sentences]
        return "\n".join([_title(document), "", *lines])

    for tool in (ask, search, source):
        server.tool(annotations=reads)(tool)
    return server


def _title(document: types.Document) -> str:
    source = document.source
    return f"{source.title}, {'; '.join(source.author) or source.publisher}, {source.issued}"


def _passage(engine: Engine, hit: types.Hit) -> str:
    document = engine.document(hit.passage.document_id)
    first, last = document.sentences[hit.passage.first], document.sentences[hit.passage.last]
    labels = " to ".join(dict.fromkeys((first.locator.label, last.locator.label)))
    return f"{hit.rank}. {hit.passage.text}\n({_title(document)}, {labels}; passage {hit.passage.id})"


class Endpoint:
    """The ASGI app at `/mcp`; `running` must surround its use, and may be entered again after it ended."""

    def __init__(self, engine: Engine, work: Work, answered: Answered) -> None:
        self._build = partial(build, engine, work, answered)
        self._app: asyncio.Future[ASGIApp] | None = None
        self._wanted = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serve while this lasts."""
        self._wanted, self._app = asyncio.Event(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(self._app))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._app = None

    async def _run(self, app: "asyncio.Future[ASGIApp]") -> None:
        await self._wanted.wait()
        try:
            server = await anyio.to_thread.run_sync(self._build)
            from mcp.server.transport_security import TransportSecuritySettings
        except ImportError as error:
            app.set_exception(Problem("unavailable", f"The MCP SDK cannot be loaded: {error}."))
            return

        server.streamable_http_app(
            stateless_http=True,
            json_response=True,
            max_request_body_size=MOST_BYTES,
            # Hosts and origins are judged before, for all routes alike.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        manager = server.session_manager
        async with manager.run():
            app.set_result(manager.asgi_app)
            await asyncio.Event().wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._app is None:
            raise Problem("unavailable", "The server is not running.")
        self._wanted.set()
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)


def serve_stdio(engine: Engine) -> None:
    """Serve the tools over standard input and output until the client closes them."""
    build(engine, Work(engine.settings.in_flight)).run("stdio")

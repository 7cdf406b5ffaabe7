"""The official `mcp` client uses nkqa's tools over HTTP and over stdio."""

import asyncio
import os
import sys
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent

from nkqa.engine import Engine
from nkqa.server.app import create_app
from nkqa.settings import Settings
from nkqa.types import Ask
from server_process import serving


def text(content: object) -> str:
    assert isinstance(content, list)
    assert isinstance(content[0], TextContent)
    return content[0].text


async def use(client: Client, engine: Engine) -> None:
    document = next(iter(engine.documents.values()))
    question = document.text[document.sentences[0].start : document.sentences[0].end]

    tools = (await client.list_tools()).tools
    assert [t.name for t in tools] == ["ask", "search", "source"]
    assert all(t.description and t.annotations and t.annotations.read_only_hint for t in tools)

    answered = await client.call_tool("ask", {"question": question, "max_sentences": 2})
    expected = engine.ask(Ask(question, max_sentences=2))
    assert answered.structured_content is not None
    assert answered.structured_content["answer"] == expected.answer
    assert text(answered.content).startswith(expected.answer)

    found = await client.call_tool("search", {"question": question, "k": 1})
    assert engine.search(question, 1)[0].passage.text in text(found.content)

    listed = await client.call_tool("source", {})
    assert all(id in text(listed.content) for id in engine.documents)
    read = await client.call_tool("source", {"id": document.id})
    assert question in text(read.content)

    assert (await client.call_tool("ask", {"question": " "})).is_error
    assert (await client.call_tool("source", {"id": "../etc/passwd"})).is_error
    assert (await client.call_tool("search", {"question": "x", "k": 1000})).is_error


def test_over_http(toy_engine: Engine) -> None:
    async def talk(url: str) -> None:
        async with Client(url) as client:
            await use(client, toy_engine)

    with serving(create_app(toy_engine)) as (host, port):
        asyncio.run(talk(f"http://{host}:{port}/mcp"))


def test_over_stdio(toy_engine: Engine, toy_settings: Settings) -> None:
    here = Path(__file__).parent
    server = StdioServerParameters(
        command=sys.executable,
        args=[str(here / "mcp_stdio.py"), str(toy_settings.corpus), str(toy_settings.index)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])},
    )

    async def talk() -> None:
        async with Client(stdio_client(server)) as client:
            await use(client, toy_engine)

    asyncio.run(talk())

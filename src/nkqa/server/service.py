"""What the routes share: the engine, the settings, the threads that questions are answered in."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import cast

from fastapi import Request

from nkqa.engine import Engine, Retrieved, Understood
from nkqa.server.metrics import Metrics
from nkqa.server.places import Places
from nkqa.server.work import Work
from nkqa.settings import Settings
from nkqa.types import Answer, Ask


@dataclass(frozen=True, slots=True)
class Service:
    """The engine and how it is served."""

    engine: Engine
    settings: Settings
    work: Work
    metrics: Metrics
    places: Places

    async def ask(self, ask: Ask, request: Request) -> Answer:
        """Answer in a thread.

        Raises:
            BadQuestion: the question cannot be asked.
            Problem: too many requests are in flight.
        """
        timed = replace(ask, timings=True)
        slow = ask.composer == "llm"
        gone = threading.Event()
        watching = asyncio.create_task(_watch(request, gone)) if slow else None
        try:
            answer = await self.work.run(lambda: self.engine.ask(timed), slow, gone)
        finally:
            if watching is not None:
                watching.cancel()
        return self._seen(ask, answer, request)

    async def stream(self, ask: Ask, request: Request) -> AsyncGenerator[Understood | Retrieved | Answer]:
        """Answer in a thread, yielding each stage as it is done, the answer last."""
        timed = replace(ask, timings=True)
        async for event in self.work.iterate(lambda: self.engine.stream(timed), slow=ask.composer == "llm"):
            yield self._seen(ask, event, request) if isinstance(event, Answer) else event

    def _seen(self, ask: Ask, answer: Answer, request: Request) -> Answer:
        """Count and log an answer, and return it as it was asked for."""
        self.metrics.answered(answer)
        said = request.scope["state"].setdefault("log", {})
        said["answer"] = answer.abstention.reason if answer.abstention else answer.status
        if answer.llm is not None:
            said["llm"] = answer.llm.status
        if self.settings.log_questions:
            said["question"] = ask.question
        return answer if ask.timings else replace(answer, timings=None)

    def etag(self, *parts: object) -> str:
        """Return the tag of what `parts` ask for: the same as long as corpus, index and version are."""
        manifest = self.engine.manifest
        state = [manifest.corpus_fingerprint, manifest.built_at, manifest.nkqa_version, *parts]
        return f'W/"{sha256(json.dumps(state).encode()).hexdigest()[:32]}"'

    def ask_etag(self, ask: Ask) -> str:
        """Return the tag of the answer to `ask`."""
        return self.etag("ask", asdict(ask))


async def _watch(request: Request, gone: threading.Event) -> None:
    """Set `gone` when the client goes away; the body has been read, so nothing else can be received."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


def service(request: Request) -> Service:
    """Return what the request's app serves."""
    return cast(Service, request.app.state.service)


def unchanged(request: Request, etag: str) -> bool:
    """Return whether the client says that it holds what `etag` names."""
    held = request.headers.get("if-none-match", "")
    return etag in (tag.strip() for tag in held.split(","))
